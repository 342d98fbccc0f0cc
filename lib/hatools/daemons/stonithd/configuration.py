"""What the CIB says about fencing: devices this node may use, topology, options. Pure."""

import re
from collections.abc import Mapping
from xml.etree.ElementTree import Element

from hatools.cib.document import Document, children
from hatools.cib.nvpair import FIRST_PROPERTY_SET, unpack_pairs
from hatools.cib.rules import FindElement, RuleInput, rule_holds
from hatools.daemons.stonithd.topology import Level, levels_from_cib
from hatools.values.boolean import is_true, parse_boolean
from hatools.values.iso8601 import Moment
from hatools.values.records import dataclass, field
from hatools.values.score import INFINITY, add_scores, parse_score


@dataclass(frozen=True, slots=True)
class DeviceConfig:
    """A fence device: its agent (``fence_ipmilan``) and parameters, ``pcmk_*`` included."""

    name: str
    agent: str
    parameters: dict[str, str]
    provides_unfencing: bool = False
    priority: int = 0


@dataclass(frozen=True, slots=True)
class FencingConfiguration:
    """What a configuration means for the fencer of one node. ``attributes`` are the nodes' permanent ones, by name."""

    enabled: bool = True
    devices: dict[str, DeviceConfig] = field(default_factory=dict)
    levels: tuple[Level, ...] = ()
    attributes: dict[str, dict[str, str]] = field(default_factory=dict)
    node_ids: dict[str, str] = field(default_factory=dict)


def read_configuration(document: Document, node: str, now: Moment) -> FencingConfiguration:
    """Read a CIB with the eyes of one node."""
    given = RuleInput(now)
    find = _finder(document)
    options: dict[str, str] = {}
    unpack_pairs(document.section("crm_config"), "cluster_property_set", options, given, find, first=FIRST_PROPERTY_SET)
    attributes = {
        element.get("uname", ""): _pairs(element, "instance_attributes", given, find)
        for element in children(document.section("nodes"), "node")
    }
    node_ids = {
        element.get("uname", ""): element.get("id", "") for element in children(document.section("nodes"), "node")
    }
    if parse_boolean(options.get("stonith-enabled", "true")) is False:
        return FencingConfiguration(enabled=False, attributes=attributes, node_ids=node_ids)
    own_attributes = {"#uname": node, "#id": node_ids.get(node, ""), "#kind": "cluster", **attributes.get(node, {})}
    placement = _Placement(
        document.section("constraints"),
        symmetric=parse_boolean(options.get("symmetric-cluster", "true")) is not False,
        node=node,
        given=RuleInput(now, node_attributes=own_attributes),
        find=find,
    )
    devices: dict[str, DeviceConfig] = {}
    _collect(document.section("resources"), (), devices, placement, given, find)
    return FencingConfiguration(
        devices=devices,
        levels=levels_from_cib(document.section("fencing-topology")),
        attributes=attributes,
        node_ids=node_ids,
    )


def _finder(document: Document) -> FindElement:
    def find(tag: str, identifier: str) -> Element | None:
        element = document.by_id(identifier)
        return element if element is not None and element.tag == tag else None

    return find


def _pairs(element: Element, tag: str, given: RuleInput, find: FindElement) -> dict[str, str]:
    table: dict[str, str] = {}
    unpack_pairs(element, tag, table, given, find)
    return table


def _collect(
    parent: Element | None,
    family: tuple[str, ...],
    devices: dict[str, DeviceConfig],
    placement: "_Placement",
    given: RuleInput,
    find: FindElement,
) -> None:
    """Add the fence devices below an element; ``family`` are the ids of the collections around it."""
    for element in children(parent, "primitive", "group", "clone", "master"):
        identifier = element.get("id", "")
        if element.tag != "primitive":
            _collect(element, (*family, identifier), devices, placement, given, find)
            continue
        template = find("template", element.get("template", ""))
        sources = [element] if template is None else [element, template]
        if next((s.get("class") for s in sources if s.get("class")), "") != "stonith":
            continue
        parameters: dict[str, str] = {}
        meta: dict[str, str] = {}
        for source in sources:
            unpack_pairs(source, "instance_attributes", parameters, given, find)
            unpack_pairs(source, "meta_attributes", meta, given, find)
        if meta.get("target-role", "").lower() == "stopped" or not placement.allows((identifier, *family)):
            continue
        devices[identifier] = DeviceConfig(
            identifier,
            next(s.get("type", "") for s in sources if s.get("type")),
            parameters,
            provides_unfencing="unfencing" in re.split(r"[\s,]+", meta.get("provides", parameters.get("provides", ""))),
            priority=_priority(meta.get("priority")),
        )


def _priority(text: str | None) -> int:
    return parse_score(text) if text else 0


class _Placement:
    """Whether location constraints keep a resource off this node."""

    def __init__(
        self, constraints: Element | None, *, symmetric: bool, node: str, given: RuleInput, find: FindElement
    ) -> None:
        self._locations = list(children(constraints, "rsc_location"))
        self._symmetric = symmetric
        self._node = node
        self._given = given
        self._find = find

    def allows(self, family: tuple[str, ...]) -> bool:
        """Say whether a resource, given with all collections around it, may be used here."""
        total = 0 if self._symmetric else -INFINITY
        mentioned = False
        for location in self._locations:
            if not any(_concerns(location, name) for name in family):
                continue
            score = self._score(location)
            if score is None:
                continue
            # In an opt-in cluster the first score that is given replaces the ban.
            total = score if not self._symmetric and not mentioned else add_scores(total, score)
            mentioned = True
        return total >= 0

    def _score(self, location: Element) -> int | None:
        rules = list(children(location, "rule"))
        if not rules:
            named = location.get("node", "").lower() == self._node.lower()
            return parse_score(location.get("score")) if named else None
        scores = [self._rule_score(rule) for rule in rules if rule_holds(rule, self._given, self._find)]
        total: int | None = None
        for score in scores:
            total = score if total is None else add_scores(total, score)
        return total

    def _rule_score(self, rule: Element) -> int:
        attribute = rule.get("score-attribute")
        if attribute is None:
            return parse_score(rule.get("score"))
        values: Mapping[str, str] = self._given.node_attributes or {}
        return parse_score(values.get(attribute))


def _concerns(location: Element, name: str) -> bool:
    pattern = location.get("rsc-pattern")
    if pattern is not None:
        inverted = pattern.startswith("!")
        try:
            return (re.search(pattern.removeprefix("!"), name) is None) == inverted
        except re.error:
            return False
    if location.get("rsc") == name:
        return True
    return any(
        reference.get("id") == name
        for group in children(location, "resource_set")
        for reference in children(group, "resource_ref")
    )


def wants_unfencing(config: DeviceConfig) -> bool:
    """Say whether the configuration itself asks for unfencing by this device."""
    return config.provides_unfencing or is_true(config.parameters.get("pcmk_unfencing"))
