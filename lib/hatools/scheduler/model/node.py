"""Nodes as the scheduler sees them. Pure.

A :class:`Node` exists once per plan; how much one resource likes it is a :class:`NodeScore`
in that resource's ``allowed`` table.
"""

import functools
from enum import Enum
from typing import TYPE_CHECKING

from hatools.values.records import dataclass, field

if TYPE_CHECKING:
    from hatools.scheduler.model.resource import Resource
    from hatools.scheduler.unpack.digests import DigestResult


class NodeType(Enum):
    """What kind of node: a full cluster member, Pacemaker Remote (guests too), or a ping node."""

    MEMBER = "member"
    REMOTE = "remote"
    PING = "ping"


class Discovery(Enum):
    """Where a resource is probed: the ``resource-discovery`` of location constraints."""

    ALWAYS = "always"
    NEVER = "never"
    EXCLUSIVE = "exclusive"


@dataclass(slots=True, eq=False)
class Node:
    """A node and its state.

    ``discovery`` is NEVER for nodes inside bundles: only the bundle's own resource is probed there.
    ``score`` is the base score for every resource (the ``score`` of ``<node>``; minus INFINITY
    once the node is known to be offline or shutting down). ``priority`` sums the priorities of
    active resources, for ``priority-fencing-delay``.
    """

    id: str
    name: str
    type: NodeType
    score: int = 0
    discovery: Discovery = Discovery.ALWAYS
    online: bool = False
    standby: bool = False
    standby_on_fail: bool = False
    pending: bool = False
    unclean: bool = False
    unseen: bool = False
    shutdown: bool = False
    expected_up: bool = False
    is_dc: bool = False
    maintenance: bool = False
    discovery_enabled: bool = True
    remote_requires_reset: bool = False
    remote_was_fenced: bool = False
    remote_maintenance: bool = False
    unpacked: bool = False
    num_resources: int = 0
    priority: int = 0
    remote_resource: "Resource | None" = None
    running: "list[Resource]" = field(default_factory=list)
    assigned: "list[Resource]" = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    utilization: dict[str, str] = field(default_factory=dict)
    digest_cache: "dict[str, DigestResult]" = field(default_factory=dict)
    fence_reasons: list[str] = field(default_factory=list)

    @property
    def is_remote_or_guest(self) -> bool:
        """Say whether this node is reached by Pacemaker Remote."""
        return self.type is NodeType.REMOTE

    @property
    def is_guest(self) -> bool:
        """Say whether this node lives inside a resource (a virtual machine or a container)."""
        connection = self.remote_resource
        return self.type is NodeType.REMOTE and connection is not None and connection.container is not None

    @property
    def is_remote(self) -> bool:
        """Say whether this is a Pacemaker Remote node on a host of its own."""
        connection = self.remote_resource
        return self.type is NodeType.REMOTE and (connection is None or connection.container is None)

    @property
    def display_name(self) -> str:
        """Return the name shown to people."""
        return self.name or self.id

    def __repr__(self) -> str:
        return f"Node({self.name})"


@dataclass(slots=True, eq=False)
class NodeScore:
    """What one resource thinks of one node.

    ``count`` is scratch space of clone assignment: instances already placed there.
    """

    node: Node
    score: int = 0
    discovery: Discovery = Discovery.ALWAYS
    count: int = 0

    def copy(self) -> "NodeScore":
        """Return an independent copy, as comparing alternatives needs."""
        return NodeScore(self.node, self.score, self.discovery)


NodeTable = dict[Node, NodeScore]


def copy_table(table: NodeTable) -> NodeTable:
    """Copy a node table deeply enough that changing scores leaves the original alone."""
    return {node: entry.copy() for node, entry in table.items()}


@functools.lru_cache(maxsize=4096)
def name_sort_key(name: str) -> tuple[tuple[int, int, int], ...]:
    """Order names as people expect: case is ignored, runs of digits compare as numbers."""
    parts: list[tuple[int, int, int]] = []
    lowered = name.lower()
    position = 0
    length = len(lowered)
    while position < length:
        end = position
        if "0" <= lowered[position] <= "9":
            while end < length and "0" <= lowered[end] <= "9":
                end += 1
            # A number sorts where its first digit would sort among the other characters.
            parts.append((ord("0"), int(lowered[position:end]), end - position))
        else:
            end = position + 1
            parts.append((ord(lowered[position]), 0, 0))
        position = end
    return tuple(parts)


def node_sort_key(node: Node) -> tuple[tuple[int, int, int], ...]:
    """Return the key that puts nodes into the order of their names."""
    return name_sort_key(node.name)
