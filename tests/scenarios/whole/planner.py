"""A planner small enough to be read at a glance, so that a scenario tests the machinery and not the scheduler.

It keeps a chain of primitives together on one node, each started after the one before it. It probes, fences, stops
for want of quorum, drains nodes that shut down, and stops what runs twice. It is no scheduler: it knows no
constraints, scores or rules.
"""

from dataclasses import dataclass
from enum import Enum, auto

from hatools.cib.document import Document, Element, children
from hatools.daemons.crmd.changes import lrm_resources, transient_attributes
from hatools.daemons.crmd.status import configured_nodes, has_fencing, node_states, standing_of
from hatools.transition.graph import ActionType, Graph, GraphAction, Synapse
from hatools.values.score import INFINITY

MONITOR_MS = 10_000


class Activity(Enum):
    """What the history of a resource on a node says."""

    UNKNOWN = auto()
    STOPPED = auto()
    STARTED = auto()
    FAILED = auto()
    PENDING = auto()


@dataclass(frozen=True, slots=True)
class Node:
    """A node as the status section has it."""

    id: str
    name: str
    online: bool
    unclean: bool
    leaving: bool
    failed: frozenset[str]


def chain(document: Document) -> list[str]:
    """Return the primitives in their order."""
    return [item.get("id", "") for item in children(document.section("resources"), "primitive")]


def nodes_of(document: Document) -> list[Node]:
    nodes = []
    states = node_states(document)
    for node_id, name in configured_nodes(document).items():
        if standing_of(states.get(node_id)) is None:
            # Nobody has seen it since the cluster started: it may run anything (startup-fencing).
            nodes.append(Node(node_id, name, False, True, False, frozenset()))
    for node_id, state in sorted(states.items()):
        standing = standing_of(state)
        if standing is None:
            continue
        online = standing.in_ccm and standing.crmd and standing.join == "member"
        attributes = transient_attributes(state)
        failed = frozenset(
            name.removeprefix("fail-count-").partition("#")[0]
            for name, value in attributes.items()
            if name.startswith("fail-count-") and "#start" in name and value == "INFINITY"
        )
        unclean = not (standing.in_ccm and standing.crmd) and standing.expected == "member"
        nodes.append(Node(node_id, state.get("uname", ""), online, unclean, "shutdown" in attributes, failed))
    return nodes


def activity(resource: Element | None) -> Activity:
    """Read the newest entry that tells."""
    found = Activity.UNKNOWN
    for entry in sorted(children(resource, "lrm_rsc_op"), key=_call):
        operation, code, status = entry.get("operation"), entry.get("rc-code"), entry.get("op-status")
        if status == "-1":
            if operation in ("start", "stop") or entry.get("interval") == "0":
                found = Activity.PENDING
        elif operation == "start":
            found = Activity.STARTED if code == "0" and status == "0" else Activity.FAILED
        elif operation == "stop":
            found = Activity.STOPPED if code == "0" and status == "0" else Activity.FAILED
        elif operation == "monitor" and entry.get("interval") == "0":
            found = {"0": Activity.STARTED, "7": Activity.STOPPED}.get(code or "", Activity.FAILED)
        elif operation == "monitor" and (code != "0" or status != "0"):
            found = Activity.FAILED
    return found


def _call(entry: Element) -> int:
    number = int(entry.get("call-id", "0"))
    return 1 << 40 if number < 0 else number


class Plan:
    """A graph in the making."""

    def __init__(self) -> None:
        self.graph = Graph()
        self._last = 0

    def operation(
        self, node: Node, resource: str, task: str, after: list[int], *, interval_ms: int = 0, target_rc: int = 0
    ) -> int:
        attributes = {"CRM_meta_timeout": "20000", "CRM_meta_op_target_rc": str(target_rc)}
        if interval_ms:
            attributes["CRM_meta_interval"] = str(interval_ms)
        return self._add(
            GraphAction(
                id=0,
                type=ActionType.RESOURCE,
                operation=task,
                key=f"{resource}_{task}_{interval_ms}",
                node=node.name,
                node_id=node.id,
                primitive={"id": resource, "class": "ocf", "provider": "hatools", "type": "Model"},
                attributes=attributes,
            ),
            after,
        )

    def event(self, node: Node, task: str, after: list[int], priority: int = 0) -> int:
        attributes = {"CRM_meta_stonith_action": "reboot"} if task == "stonith" else {}
        action = GraphAction(
            0, ActionType.CLUSTER, task, f"{task}-{node.name}", node=node.name, node_id=node.id, attributes=attributes
        )
        return self._add(action, after, priority)

    def _add(self, action: GraphAction, after: list[int], priority: int = 0) -> int:
        self._last += 1
        action.id = self._last
        self.graph.synapses.append(Synapse(self._last, [action], list(after), priority=priority))
        return self._last


def plan(document: Document, epoch: int) -> Graph:
    """Return what should be done next."""
    result = Plan()
    nodes = nodes_of(document)
    states = node_states(document)
    quorate = document.root.get("have-quorum") == "1"
    online = [node for node in nodes if node.online]
    resources = chain(document)
    seen = {
        (node.id, name): activity(lrm_resources(states[node.id]).get(name)) for node in online for name in resources
    }
    if Activity.PENDING in seen.values():
        return result.graph  # its end will be recorded, and calls for a new plan
    fences: list[int] = []
    blocked = False
    for node in nodes:
        if node.unclean and has_fencing(document):
            if quorate:
                fences.append(result.event(node, "stonith", [], INFINITY))
            blocked = blocked or not quorate
    probes = {
        (node.id, name): result.operation(node, name, "monitor", [], target_rc=7)
        for node in online
        for name in resources
        if seen[node.id, name] is Activity.UNKNOWN
    }
    home = _home(online, resources, seen) if quorate and not blocked else None
    stops = _stops(result, online, resources, seen, home)
    for node in online:
        if node.leaving:
            result.event(node, "do_shutdown", [number for (owner, _), number in stops.items() if owner == node.id])
    if home is not None:
        _starts(result, home, resources, seen, fences, list(probes.values()), stops)
    return result.graph


def _home(online: list[Node], resources: list[str], seen: dict[tuple[str, str], Activity]) -> Node | None:
    """Choose the node of the chain: where most of it runs, else the first that can."""
    able = [node for node in online if not node.leaving and not node.failed.intersection(resources)]
    running = {node.id: sum(seen[node.id, name] is Activity.STARTED for name in resources) for node in able}
    return max(able, key=lambda node: (running[node.id], -int(node.id)), default=None)


def _stops(
    result: Plan,
    online: list[Node],
    resources: list[str],
    seen: dict[tuple[str, str], Activity],
    home: Node | None,
) -> dict[tuple[str, str], int]:
    """Stop what runs where it should not, what failed, and what stands on something that stops."""
    stops: dict[tuple[str, str], int] = {}
    for node in online:
        above: list[int] = []
        broken = [name for name in resources if seen[node.id, name] is Activity.FAILED]
        first_broken = resources.index(broken[0]) if broken else len(resources)
        for place in range(len(resources) - 1, -1, -1):
            name = resources[place]
            active = seen[node.id, name] in (Activity.STARTED, Activity.FAILED)
            if active and (home is None or node.id != home.id or place >= first_broken):
                stops[node.id, name] = result.operation(node, name, "stop", list(above))
                above.append(stops[node.id, name])
    return stops


def _starts(
    result: Plan,
    home: Node,
    resources: list[str],
    seen: dict[tuple[str, str], Activity],
    fences: list[int],
    probes: list[int],
    stops: dict[tuple[str, str], int],
) -> None:
    before: list[int] = []
    for name in resources:
        stands = seen[home.id, name] is Activity.STARTED and (home.id, name) not in stops
        if stands:
            continue
        own_stops = [number for (_, resource), number in stops.items() if resource == name]
        start = result.operation(home, name, "start", [*before, *fences, *probes, *own_stops, *stops.values()])
        result.operation(home, name, "monitor", [start], interval_ms=MONITOR_MS)
        before = [start]
