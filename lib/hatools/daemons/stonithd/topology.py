"""Fencing topology: which devices, in which order, for which node. Pure."""

import re
from collections.abc import Iterable, Mapping
from xml.etree.ElementTree import Element

from hatools.agents.fence import parse_host_list
from hatools.cib.document import children
from hatools.values.records import dataclass, replace

LOWEST_INDEX = 1
HIGHEST_INDEX = 9


@dataclass(frozen=True, slots=True)
class Level:
    """One level: all its devices have to succeed. Exactly one of ``node``, ``pattern``, ``attribute`` is given."""

    index: int
    devices: tuple[str, ...]
    node: str = ""
    pattern: str = ""
    attribute: str = ""
    value: str = ""

    @property
    def target(self) -> str:
        """Return the target as ``stonith_admin`` writes it: ``NODE``, ``@PATTERN`` or ``NAME=VALUE``."""
        if self.pattern:
            return f"@{self.pattern}"
        return f"{self.attribute}={self.value}" if self.attribute else self.node


def parse_target(text: str) -> Level:
    """Read ``NODE``, ``@PATTERN`` or ``NAME=VALUE`` into an empty level."""
    if text.startswith("@"):
        return Level(0, (), pattern=text[1:])
    if text.startswith("pattern@"):
        return Level(0, (), pattern=text.removeprefix("pattern@"))
    name, separator, value = text.partition("=")
    return Level(0, (), attribute=name, value=value) if separator else Level(0, (), node=text)


def levels_from_cib(topology: Element | None) -> tuple[Level, ...]:
    """Read the ``fencing-topology`` section; levels that say nothing usable are left out."""
    levels = []
    for element in children(topology, "fencing-level"):
        index = element.get("index", "")
        devices = parse_host_list(element.get("devices", ""))
        if not index.isdigit() or not LOWEST_INDEX <= int(index) <= HIGHEST_INDEX or not devices:
            continue
        level = Level(
            int(index),
            devices,
            node=element.get("target", ""),
            pattern=element.get("target-pattern", ""),
            attribute=element.get("target-attribute", ""),
            value=element.get("target-value", ""),
        )
        if level.target:
            levels.append(level)
    return tuple(levels)


def levels_for(levels: Iterable[Level], target: str, attributes: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
    """Return the devices of each level that applies to a node, in order; empty if it has no topology.

    A node's own levels win over those of a pattern, and these over those of an attribute. Several levels of one index
    are one.

    Args:
        attributes: the node's attributes.
    """
    known = tuple(levels)
    for applies in (_names, _matches, _has_attribute):
        merged: dict[int, tuple[str, ...]] = {}
        winner = ""
        for level in known:
            if not applies(level, target, attributes):
                continue
            # Of several patterns or attributes that match, the first one is the node's topology.
            winner = winner or level.target
            if level.target == winner:
                merged[level.index] = tuple(dict.fromkeys((*merged.get(level.index, ()), *level.devices)))
        if merged:
            return tuple(merged[index] for index in sorted(merged))
    return ()


def _names(level: Level, target: str, attributes: Mapping[str, str]) -> bool:
    return bool(level.node) and level.node.lower() == target.lower()


def _matches(level: Level, target: str, attributes: Mapping[str, str]) -> bool:
    if not level.pattern:
        return False
    try:
        return re.search(level.pattern, target) is not None
    except re.error:
        return False


def _has_attribute(level: Level, target: str, attributes: Mapping[str, str]) -> bool:
    return bool(level.attribute) and attributes.get(level.attribute) == level.value


def with_devices(level: Level, index: int, devices: tuple[str, ...]) -> Level:
    """Return the level with an index and devices."""
    return replace(level, index=index, devices=devices)
