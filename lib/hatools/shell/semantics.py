"""Do objects make sense: agents' metadata, option names, references. I/O: asks agents for their metadata.

Each check answers 0 (fine), 1 (warnings) or 2 (errors) and says what is wrong.
"""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from hatools.cib.document import children
from hatools.parser import syntax
from hatools.shell.agents import metadata
from hatools.shell.changeset.objects import CibObject
from hatools.shell.changeset.operations import all_operations, interval_ms
from hatools.shell.changeset.references import referenced_resources
from hatools.shell.changeset.workspace import Workspace
from hatools.shell.options import UNDESCRIBED, property_names
from hatools.values.boolean import parse_boolean
from hatools.values.duration import parse_duration_ms

if TYPE_CHECKING:
    from hatools.agents.metadata import AgentMetadata
    from hatools.shell.session import Session

_RESOURCE_META = (
    "allow-migrate",
    "maintenance",
    "is-managed",
    "interval-origin",
    "migration-threshold",
    "priority",
    "multiple-active",
    "failure-timeout",
    "resource-stickiness",
    "target-role",
    "restart-type",
    "description",
    "remote-node",
    "requires",
    "provides",
    "remote-port",
    "remote-addr",
    "remote-connect-timeout",
)
_CONTAINER_META = {
    "group": ("priority", "target-role", "is-managed", "container"),
    "clone": (
        "priority",
        "target-role",
        "is-managed",
        "ordered",
        "notify",
        "interleave",
        "globally-unique",
        "clone-max",
        "clone-node-max",
        "clone-state",
        "description",
        "clone-min",
        "promotable",
        "promoted-max",
        "promoted-node-max",
    ),
    "ms": (
        "priority",
        "target-role",
        "is-managed",
        "clone-max",
        "clone-node-max",
        "notify",
        "globally-unique",
        "ordered",
        "interleave",
        "master-max",
        "master-node-max",
        "description",
    ),
}
_WITHOUT_INTERVAL = ("start", "stop", "promote", "demote")


def check_selection(session: "Session", items: Sequence[CibObject]) -> int:
    """Check objects, and that unique parameters are unique in the whole configuration."""
    result = _check_unique(session, items)
    for item in sorted(items, key=lambda item: item.id or ""):
        result |= check_object(session, item)
    return result


def check_object(session: "Session", item: object) -> int:
    """Check one object."""
    assert isinstance(item, CibObject)
    checker = _Checker(session, item)
    match item.word:
        case "primitive" | "rsc_template":
            return checker.primitive()
        case "group" | "clone" | "ms":
            return checker.meta(_RESOURCE_META + _CONTAINER_META[item.word])
        case "location":
            return max(checker.location(), checker.references())
        case "colocation" | "order" | "rsc_ticket":
            return checker.references()
        case "property" | "op_defaults" | "rsc_defaults":
            return checker.properties()
        case "fencing_topology":
            return checker.topology()
    return 0


class _Checker:
    def __init__(self, session: "Session", item: CibObject) -> None:
        self._session = session
        self._console = session.console
        self._item = item
        self._workspace: Workspace = session.configuration.workspace
        self._bad = 1 if session.preferences.get("core", "check_mode") == "relaxed" else 2

    def meta(self, known: Iterable[str]) -> int:
        """Check the names of meta attributes."""
        names = frozenset(known)
        return max((self._names(block, names) for block in children(self._item.node, "meta_attributes")), default=0)

    def _names(self, block: Element, known: Iterable[str]) -> int:
        result = 0
        for pair in children(block, "nvpair"):
            name = pair.get("name")
            if name and name not in known:
                self._console.warning(f"{self._item.id}: unknown attribute '{name}'")
                result = 1
        return result

    def properties(self) -> int:
        """Check the names of properties and defaults; sets that agents keep for themselves are left alone."""
        word = self._item.word
        if word == "property":
            if self._item.id != "cib-bootstrap-options":
                return 0
            return self._names(self._item.node, (*property_names(), *UNDESCRIBED))
        if word == "op_defaults":
            return self._names(self._item.node, self._workspace.reader.dialect.op_attributes)
        return self._names(self._item.node, _RESOURCE_META)

    def primitive(self) -> int:
        """Check a primitive or template against its agent's metadata."""
        result = self.meta(_RESOURCE_META)
        merged = self._workspace.merged(self._item.node)
        if merged is None:
            self._console.error(f"{self._item.node.get('template')}: no such resource template")
            return self._bad
        agent = agent_of(merged)
        found = known_metadata(self._session, agent)
        if found is None:
            symmetric = self._workspace.property_value("symmetric-cluster")
            if (symmetric and symmetric != "true") or self._session.preferences.flag("core", "ignore_missing_metadata"):
                return result
            self._console.error(f"{agent_label(agent)}: no such resource agent")
            return self._bad
        result |= self._operations(merged, agent, found)
        result |= self._operation_values(merged)
        return result | self._parameters(merged, agent, found)

    def _operations(self, merged: Element, agent: syntax.Agent, found: "AgentMetadata") -> int:
        """Check that operations exist and that their timeouts and intervals are what the agent advises."""
        monitors = [op for op in all_operations(merged) if op.get("name") == "monitor"]
        others = {op.get("name") or "": dict(op.attrib) for op in all_operations(merged) if op not in monitors}
        for name in ("start", "stop"):
            others.setdefault(name, {})
        result = self._monitors([dict(op.attrib) for op in monitors], found)
        for name, attributes in others.items():
            if agent.standard == "stonith" and name in ("start", "stop"):
                continue
            if not found.supports(name) or name in ("meta-data", "validate-all"):
                self._console.warning(f"{self._item.id}: action '{name}' not found in Resource Agent meta-data")
                result |= 1
                continue
            interval = attributes.get("interval")
            if name in _WITHOUT_INTERVAL and interval is not None and interval_ms(interval) != 0:
                self._console.warning(f"{self._item.id}: Specified interval for {name} is {interval}, it must be 0")
                result |= 1
            result |= self._timeout(name, attributes, advised(found, name, "timeout"))
        return result

    def _monitors(self, monitors: list[dict[str, str]], found: "AgentMetadata") -> int:
        """Check that monitors have distinct intervals, and their timeouts."""
        result = 0
        intervals: set[int] = set()
        for attributes in monitors:
            role, depth = attributes.get("role"), attributes.get("depth")
            advice = advised(found, "monitor", "interval", role=role, depth=depth)
            interval = interval_ms(attributes.get("interval"))
            if interval == 0:
                text = f"interval in monitor should be larger than 0, advised is {advice}"
            elif interval in intervals:
                text = f"interval in monitor must be unique, advised is {advice}"
            else:
                text = ""
                intervals.add(interval)
            if text:
                self._console.warning(f"{self._item.id}: {text}")
                result |= 1
        for attributes in monitors:
            role, depth = attributes.get("role"), attributes.get("depth")
            result |= self._timeout("monitor", attributes, advised(found, "monitor", "timeout", role=role, depth=depth))
        return result

    def _timeout(self, name: str, attributes: dict[str, str], advice: str | None) -> int:
        """Check that a timeout, given or by default, is not below what the agent advises."""
        given = "timeout" in attributes
        timeout = attributes.get("timeout") or self._workspace.property_value("timeout", "op_defaults")
        if not timeout or interval_ms(advice) <= interval_ms(timeout):
            return 0
        kind = "specified timeout" if given else "default timeout"
        self._console.warning(f"{self._item.id}: {kind} {timeout} for {name} is smaller than the advised {advice}")
        return 1

    def _operation_values(self, merged: Element) -> int:
        """Check that operations' attributes have values that the schema knows."""
        result = 0
        allowed = dict(self._workspace.reader.dialect.op_values)
        for operation in all_operations(merged):
            for name, value in operation.items():
                if name in allowed and value not in allowed[name]:
                    place = f"op '{operation.get('name')}' attribute '{name}'"
                    self._console.warning(f"{self._item.id}: {place} value '{value}' not recognized")
                    result = 1
        return result

    def _parameters(self, merged: Element, agent: syntax.Agent, found: "AgentMetadata") -> int:
        """Check for parameters that are missing, unknown or of the wrong type."""
        result = 0
        given = {
            pair.get("name") or "": pair.get("value")
            for block in children(merged, "instance_attributes")
            for pair in children(block, "nvpair")
            if "name" in pair.attrib
        }
        known = {parameter.name: parameter.content_type for parameter in found.parameters}
        is_fence = agent.standard == "stonith"
        if is_fence:
            known.update(_fencing_parameters())
        for parameter in found.parameters if self._item.word == "primitive" else ():
            if not parameter.required or parameter.deprecated or parameter.obsoletes or parameter.name in given:
                continue
            if is_fence and agent.type.startswith("fence_") and parameter.name in ("action", "port"):
                continue  # the cluster fills these in
            self._console.error(f'{self._item.id}: required parameter "{parameter.name}" not defined')
            result |= self._bad
        for name, value in given.items():
            if name.startswith("$"):
                continue
            if name not in known:
                self._console.error(f'{self._item.id}: parameter "{name}" is not known')
                result |= self._bad
            else:
                result |= self._type(name, value, known[name])
        return result

    def _type(self, name: str, value: str | None, kind: str) -> int:
        if not value:
            return 0
        fits = True
        if kind == "integer":
            fits = re.fullmatch(r"[+-]?\d+", value) is not None
        elif kind == "boolean":
            fits = parse_boolean(value) is not None
        elif kind == "time":
            fits = parse_duration_ms(value) is not None
        if fits:
            return 0
        self._console.warning(f'{self._item.id}: parameter "{name}" should be of type {kind}, is "{value}"')
        return 1

    def location(self) -> int:
        """Check that nodes and patterns make sense."""
        result = 0
        node = self._item.node
        known = {name.lower() for name in self._workspace.node_names()}
        named = [node.get("node")]
        named += [
            expression.get("value")
            for rule in children(node, "rule")
            for expression in children(rule, "expression")
            if expression.get("attribute") == "#uname"
        ]
        for name in named:
            if name and name.lower() not in known:
                self._console.warning(f"{self._item.id}: referenced node {name} does not exist")
                result = 1
        pattern = node.get("rsc-pattern")
        if pattern:
            try:
                re.compile(pattern)
            except (re.error, IndexError) as error:
                text = f"'{pattern}' may not be a valid regular expression ({error})"
                self._console.warning(f"{self._item.id}: {text}")
                result = 1
        return result

    def references(self) -> int:
        """Check that a constraint's resources exist and are not inside a container."""
        result = 0
        for name in referenced_resources(self._item.node) or [self._item.node.get("rsc") or "None"]:
            target = self._workspace.find_object(name)
            text = ""
            if target is None:
                text = f"resource {name} does not exist"
            elif target.parent and target.parent.word == "group":
                if self._item.word == "colocation":
                    text = f"resource {name} is grouped, constraints should apply to the group"
            elif target.parent:
                text = f"resource {name} ambiguous, apply constraints to container"
            if text:
                self._console.warning(f"{self._item.id}: {text}")
                result = 1
        return result

    def topology(self) -> int:
        """Check that targets are nodes and devices are fence devices."""
        result = 0
        known = {name.lower() for name in self._workspace.node_names()}
        levels = list(children(self._item.node, "fencing-level"))
        for level in levels:
            target = level.get("target")
            if target is not None and target.lower() not in known:
                self._console.warning(f"{self._item.id}: target {target} not a node")
                result = 1
        for level in levels:
            for device in (level.get("devices") or "").split(","):
                item = self._workspace.find_object(device)
                if item is None:
                    self._console.warning(f"{self._item.id}: resource {device} does not exist")
                    result = 1
                    continue
                merged = self._workspace.merged(item.node) if item.word == "primitive" else None
                if merged is None or merged.get("class") != "stonith":
                    self._console.warning(f"{self._item.id}: {device} not a stonith resource")
                    result = 1
        return result


def agent_of(element: Element) -> syntax.Agent:
    """Return the agent of a primitive."""
    return syntax.Agent(element.get("class", ""), element.get("provider", ""), element.get("type", ""))


def agent_label(agent: syntax.Agent) -> str:
    """Return an agent's full name."""
    return ":".join(part for part in (agent.standard, agent.provider, agent.type) if part)


def known_metadata(session: "Session", agent: syntax.Agent) -> "AgentMetadata | None":
    """Return an agent's metadata; say so if there is none and that is of interest."""
    found = metadata(agent)
    if found is None and not session.preferences.flag("core", "ignore_missing_metadata"):
        session.console.error(f"{agent_label(agent)}: got no meta-data, does this RA exist?")
    return found


def _fencing_parameters() -> dict[str, str]:
    """Return names and types of the parameters that every fence device takes."""
    from hatools.values.fencing_options import FENCING_PARAMETERS

    return {option.name: option.type for option in FENCING_PARAMETERS}


def advised(
    found: "AgentMetadata", name: str, what: str, *, role: str | None = None, depth: str | None = None
) -> str | None:
    """Return what an agent advises for an operation (``timeout``, ``interval``); None if it does not say."""
    for action in found.actions:
        if action.name != name or (role and action.role != role):
            continue
        if depth and not role and action.depth != depth:
            continue
        value = action.timeout if what == "timeout" else action.interval
        return value or None
    return None


def _check_unique(session: "Session", items: Sequence[CibObject]) -> int:
    """Look for parameters that must differ between resources of an agent and do not."""
    chosen = {item.id for item in items if item.word == "primitive"}
    if not chosen:
        return 0
    workspace = session.configuration.workspace
    users: dict[tuple[syntax.Agent, str, str], list[str]] = {}
    for item in workspace.of_word("primitive"):
        merged = workspace.merged(item.node)
        found = known_metadata(session, agent_of(merged)) if merged is not None else None
        if merged is None or found is None:
            continue
        unique = {parameter.name for parameter in found.parameters if parameter.unique}
        for block in children(merged, "instance_attributes"):
            for pair in children(block, "nvpair"):
                name, value = pair.get("name"), pair.get("value")
                if name in unique and name is not None and value is not None:
                    users.setdefault((agent_of(merged), name, value), []).append(item.id or "")
    result = 0
    for (_, name, value), names in users.items():
        if len(names) > 1 and chosen & set(names):
            listed = ",".join(sorted(names))
            session.console.warning(f'Resources {listed} violate uniqueness for parameter "{name}": "{value}"')
            result = 2
    return result
