"""Play a transition graph against a copy of the CIB. Pure.

Every action succeeds at once unless it is told to fail. :func:`play` yields what happens, in
the order in which a cluster with unlimited hands would do it.
"""

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from hatools.simulate.workbench import ActionRecord, Workbench
from hatools.transition.graph import ActionType, Graph, GraphAction, Synapse
from hatools.values.integer import leading_integer
from hatools.values.records import dataclass
from hatools.values.score import INFINITY

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = [
    "AttributeStep",
    "ClusterStep",
    "Ending",
    "FencingStep",
    "Finished",
    "PseudoStep",
    "Remark",
    "ResourceStep",
    "Settings",
    "Step",
    "Trouble",
    "count_failure",
    "play",
]

_CLASSES = ("ocf", "stonith", "service", "upstart", "systemd", "lsb")


@dataclass(frozen=True, slots=True)
class PseudoStep:
    """A point in time was reached."""

    key: str
    node: str | None


@dataclass(frozen=True, slots=True)
class ResourceStep:
    """An agent's operation was done."""

    resource: str
    task: str
    node: str
    interval_ms: int


@dataclass(frozen=True, slots=True)
class ClusterStep:
    """The cluster did something itself."""

    task: str
    node: str | None
    resource: str | None


@dataclass(frozen=True, slots=True)
class FencingStep:
    """A node was fenced (or unfenced, ``operation`` is then ``on``)."""

    target: str
    operation: str | None


@dataclass(frozen=True, slots=True)
class AttributeStep:
    """A transient attribute was set for a node with an id."""

    name: str
    value: str
    node_id: str | None


@dataclass(frozen=True, slots=True)
class Remark:
    """Something a person may want to know about the last step."""

    text: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something could not be simulated; the text says what."""

    text: str


class Ending(StrEnum):
    """How a graph came to its end; ``TERMINATED`` if it did not although nothing failed: it must be wrong."""

    COMPLETE = "Complete"
    STOPPED = "Stopped"
    TERMINATED = "Terminated"


@dataclass(frozen=True, slots=True)
class Finished:
    """The last step: the numbers of synapses that were completed, held back after a failure, and not run."""

    ending: Ending
    completed: int
    skipped: int
    incomplete: int


Step = PseudoStep | ResourceStep | ClusterStep | FencingStep | AttributeStep | Remark | Trouble | Finished


@dataclass(frozen=True, slots=True)
class Settings:
    """How a graph is played.

    ``failures`` are specifications ``RSC_TASK_INTERVAL@NODE=RC``. ``is_known`` says whether a
    resource id is one of the cluster's. ``when`` stamps results, in seconds since the epoch.
    ``digest`` computes the digest of the parameters of an action.
    """

    when: int
    is_known: Callable[[str], bool]
    failures: Sequence[str] = ()
    digest: Callable[[GraphAction], str | None] = lambda _: None


def play(graph: Graph, bench: Workbench, settings: Settings) -> Iterator[Step]:
    """Perform all actions of a graph, writing their results to the workbench."""
    yield from _Player(graph, bench, settings).run()


class _Player:
    def __init__(self, graph: Graph, bench: Workbench, settings: Settings) -> None:
        self.graph = graph
        self.bench = bench
        self.settings = settings
        self.done: set[int] = set()
        self.failed: set[int] = set()
        self.abort_priority = 0

    def run(self) -> Iterator[Step]:
        waiting = self.graph.synapses
        while True:
            left: list[Synapse] = []
            for synapse in waiting:
                if self._may_fire(synapse):
                    yield from self._fire(synapse)
                else:
                    left.append(synapse)
            if len(left) == len(waiting):
                break
            waiting = left
        yield self._finished(waiting)

    def _finished(self, left: list[Synapse]) -> Finished:
        skipped = sum(self._is_ready(synapse) for synapse in left)
        if left and self.abort_priority <= 0:
            ending = Ending.TERMINATED
        else:
            ending = Ending.STOPPED if skipped else Ending.COMPLETE
        return Finished(ending, len(self.graph.synapses) - len(left), skipped, len(left))

    def _is_ready(self, synapse: Synapse) -> bool:
        done, failed = self.done, self.failed
        for each in synapse.inputs:
            if each not in done or (failed and each in failed and synapse.priority < INFINITY):
                return False
        return True

    def _may_fire(self, synapse: Synapse) -> bool:
        if not self._is_ready(synapse):
            return False
        if self.abort_priority <= synapse.priority:
            return True
        return all(action.type is ActionType.PSEUDO for action in synapse.actions)

    def _fire(self, synapse: Synapse) -> Iterator[Step]:
        for action in synapse.actions:
            yield from self._perform(action)
            self.done.add(action.id)

    def _perform(self, action: GraphAction) -> Iterator[Step]:
        if action.type is ActionType.PSEUDO:
            yield PseudoStep(action.key or action.operation, action.node)
        elif action.type is ActionType.RESOURCE:
            yield from self._resource_action(action)
        elif action.operation == "stonith":
            yield from self._fence(action)
        else:
            yield ClusterStep(action.operation, action.node, action.resource_id)

    # -- fencing

    def _fence(self, action: GraphAction) -> Iterator[Step]:
        operation = action.meta("stonith_action") or action.attributes.get("stonith_action")
        target = action.node or ""
        yield FencingStep(target, operation)
        if operation is not None and operation.lower() == "on":
            return
        state = self.bench.set_member(target, up=False)
        state.set("crm-debug-origin", "simulate_fencing_action")
        self.bench.changed()
        self.bench.forget(state)

    # -- operations of agents

    def _resource_action(self, action: GraphAction) -> Iterator[Step]:
        if action.operation == "probe_again":
            return
        primitive, lrm_name, node = action.primitive, action.resource_id, action.node
        if primitive is None or lrm_name is None or node is None:
            yield from self._give_up(action, f"action {action.id} does not say what to do and where")
            return
        long_name = primitive.get("long-id")
        resource = lrm_name
        if long_name is not None and not self.settings.is_known(lrm_name) and self.settings.is_known(long_name):
            resource = long_name
        if action.operation.lower() in ("delete", "meta-data"):
            yield ResourceStep(resource, action.operation, node, 0)
            return
        state = self.bench.node_state(node, action.node_id if action.router_node is None else node)
        entry = self.bench.history(state, resource, lrm_name)
        if entry is None:
            problem = _agent_problem(resource, primitive, state)
            if problem is not None:
                yield from self._give_up(action, problem)
                return
            agent = (primitive["class"], primitive.get("provider"), primitive["type"])
            entry = self.bench.add_history(state, lrm_name, agent)
        yield ResourceStep(resource, action.operation, node, action.interval_ms)
        rc = action.target_rc
        for spec in self.settings.failures:
            name = _matching_name(spec, action, (resource, lrm_name))
            if name is None:
                continue
            number = leading_integer(spec.partition("=")[2])
            if number is None:
                yield Trouble(f"Invalid failed operation '{spec}' (result code must be integer)")
                continue
            rc = number
            yield Remark(f"Pretending action {action.id} failed with rc={rc}")
            self.failed.add(action.id)
            self.abort_priority = INFINITY
            yield from count_failure(
                self.bench, state, (name, action.operation, action.interval_ms), rc, self.settings.when
            )
            break
        self._record(action, entry, rc)

    def _record(self, action: GraphAction, entry: "Element", rc: int) -> None:
        notify = migration = None
        if action.operation == "notify":
            notify = (action.meta("notify_type") or "", action.meta("notify_operation") or "")
        elif action.operation in ("migrate_to", "migrate_from"):
            migration = (action.meta("migrate_source"), action.meta("migrate_target"))
        record = ActionRecord(
            resource=action.resource_id or "",
            task=action.operation,
            interval_ms=action.interval_ms,
            rc=rc,
            target_rc=action.target_rc,
            when=self.settings.when,
            exit_reason="User-injected result",
            notify=notify,
            migration=migration,
            digest=self.settings.digest(action),
        )
        self.bench.record(entry, record)
        self.bench.changed()

    def _give_up(self, action: GraphAction, problem: str) -> Iterator[Step]:
        self.failed.add(action.id)
        self.abort_priority = INFINITY
        yield Trouble(problem)


def _matching_name(spec: str, action: GraphAction, names: tuple[str, str]) -> str | None:
    """Return under which name a failure specification means this action; None if it does not."""
    for name in dict.fromkeys(names):
        prefix = f"{name}_{action.operation}_{action.interval_ms}@{action.node}="
        if spec.lower().startswith(prefix.lower()):
            return name
    return None


def _agent_problem(resource: str, primitive: dict[str, str], state: "Element") -> str | None:
    """Say why no history can be begun for an agent; None if one can."""
    standard, type_ = primitive.get("class"), primitive.get("type")
    if standard is None or type_ is None:
        return (
            f"Resource {resource} not found in the status section of {state.get('id')}."
            "  Please supply the class and type to continue"
        )
    if standard.lower() not in _CLASSES:
        return f"Invalid class for {resource}: {standard}"
    if standard == "ocf" and primitive.get("provider") is None:
        return f"Please specify the provider for resource {resource}"
    return None


def count_failure(
    bench: Workbench, state: "Element", operation: tuple[str, str, int], rc: int, when: int
) -> Iterator[Step]:
    """Count a failure of an operation (resource, task, interval) in a node's transient attributes.

    A probe that finds the resource not running is no failure.
    """
    resource, task, interval_ms = operation
    if rc == 0 or (rc == 7 and interval_ms == 0):
        return
    suffix = f"{resource}#{task}_{interval_ms}"
    yield AttributeStep(f"fail-count-{suffix}", "value++", state.get("id"))
    bench.add_transient(state, f"fail-count-{suffix}", None)
    yield AttributeStep(f"last-failure-{suffix}", str(when), state.get("id"))
    bench.add_transient(state, f"last-failure-{suffix}", str(when))
