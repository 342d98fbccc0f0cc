"""Resources of every kind, as one class. Pure.

What differs by kind (primitive, group, clone, bundle) is in two places: data in
:class:`GroupData`, :class:`CloneData` and :class:`BundleData`, behaviour in the object that
``variant`` holds (see ``model/variant.py``).
"""

from enum import Enum, IntEnum
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from hatools.scheduler.model.node import Node, NodeScore, NodeTable
from hatools.values.records import dataclass, field
from hatools.values.role import Role, parse_role
from hatools.values.score import INFINITY

if TYPE_CHECKING:
    from hatools.scheduler.model.action import Action
    from hatools.scheduler.model.constraint import Colocation, Location, TicketConstraint
    from hatools.scheduler.model.variant import Variant


class Kind(IntEnum):
    """The kinds of resource; ordered, as primitives are the ones that really run."""

    PRIMITIVE = 0
    GROUP = 1
    CLONE = 2
    BUNDLE = 3


class MultipleActive(Enum):
    """What to do with a resource found active on more than one node."""

    STOP_START = "stop_start"
    STOP_ONLY = "stop_only"
    BLOCK = "block"
    STOP_UNEXPECTED = "stop_unexpected"


@dataclass(slots=True, eq=False)
class GroupData:
    """Group options; both default to true, false is deprecated."""

    ordered: bool = True
    colocated: bool = True


@dataclass(slots=True, eq=False)
class Notifications:
    """Notify pseudo actions of one clone operation and who takes part in it."""

    task: str
    pre: "Action | None" = None
    post: "Action | None" = None
    pre_done: "Action | None" = None
    post_done: "Action | None" = None
    active: "list[tuple[Resource, Node | None]]" = field(default_factory=list)
    inactive: "list[tuple[Resource, Node | None]]" = field(default_factory=list)
    start: "list[tuple[Resource, Node | None]]" = field(default_factory=list)
    stop: "list[tuple[Resource, Node | None]]" = field(default_factory=list)
    demote: "list[tuple[Resource, Node | None]]" = field(default_factory=list)
    promote: "list[tuple[Resource, Node | None]]" = field(default_factory=list)
    promoted: "list[tuple[Resource, Node | None]]" = field(default_factory=list)
    unpromoted: "list[tuple[Resource, Node | None]]" = field(default_factory=list)
    allowed: NodeTable | None = None
    keys: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class CloneData:
    """Options of a clone and what its instances share. ``child_xml`` is the cloned element."""

    clone_max: int
    clone_node_max: int
    child_xml: Element
    promoted_max: int = 0
    promoted_node_max: int = 0
    total: int = 0
    ordered: bool = False
    promotion_added: bool = False
    promotion_constrained: bool = False
    start_notify: Notifications | None = None
    stop_notify: Notifications | None = None
    promote_notify: Notifications | None = None
    demote_notify: Notifications | None = None


@dataclass(slots=True, eq=False)
class Replica:
    """One instance of a bundle: its container and the resources that go with it."""

    offset: int
    address: str | None = None
    node: NodeScore | None = None
    ip: "Resource | None" = None
    child: "Resource | None" = None
    container: "Resource | None" = None
    remote: "Resource | None" = None

    def members(self) -> "list[Resource]":
        """Return the resources of this replica in the order status displays use."""
        return [r for r in (self.ip, self.child, self.container, self.remote) if r is not None]


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder of the host that a bundle's containers see; ``subdir`` gives each replica its own."""

    source: str
    target: str
    options: str | None
    subdir: bool


@dataclass(slots=True, eq=False)
class BundleData:
    """Options of a bundle."""

    agent: str
    promoted_max: int
    replicas_max: int
    replicas_per_host: int
    prefix: str
    image: str | None
    run_command: str | None
    launcher_options: str | None
    container_network: str | None
    ip_range_start: str | None = None
    host_netmask: str | None = None
    host_interface: str | None = None
    control_port: str | None = None
    add_host: bool = True
    host_options: str = ""
    ports: list[tuple[str, str]] = field(default_factory=list)
    mounts: list[Mount] = field(default_factory=list)
    replicas: list[Replica] = field(default_factory=list)
    child: "Resource | None" = None


@dataclass(slots=True, eq=False)
class Resource:
    """A resource: what it is configured to be, what it is now, what it shall become.

    ``with_this`` are the colocations in which it is the primary, ``this_with`` those in which it
    is the dependent. ``allowed`` says what it thinks of each node; a node that is missing is not
    allowed. ``history_id`` is the instance name under which an anonymous clone's history was found.
    """

    id: str
    kind: Kind
    xml: Element
    parent: "Resource | None"
    original_xml: Element | None = None
    operations: list[Element] = field(default_factory=list)
    history_id: str | None = None
    variant: "Variant | None" = None
    multiple_active: MultipleActive = MultipleActive.STOP_START
    restart_with_dependency: bool = False
    priority: int = 0
    stickiness: int = 0
    sort_index: int = 0
    failure_timeout_s: int = 0
    migration_threshold: int = INFINITY
    reconnect_ms: int = 0
    pending_task: str | None = None
    pending_node: Node | None = None
    # flags
    orphan: bool = False
    managed: bool = False
    blocked: bool = False
    orphan_filler: bool = False
    notify: bool = False
    unique: bool = False
    fence_device: bool = False
    promotable: bool = False
    provisional: bool = True
    assigning: bool = False
    merging: bool = False
    restarting: bool = False
    stop: bool = False
    reload: bool = False
    allow_remote_remotes: bool = False
    critical: bool = False
    failed: bool = False
    runnable: bool = True
    start_pending: bool = False
    starting: bool = False
    stopping: bool = False
    stop_unexpected: bool = False
    allow_migrate: bool = False
    failure_ignored: bool = False
    maintenance: bool = False
    is_container: bool = False
    needs_quorum: bool = False
    needs_fencing: bool = False
    needs_unfencing: bool = False
    is_remote_connection: bool = False
    exclusive_discovery: bool = False
    # relations
    this_with: "list[Colocation]" = field(default_factory=list)
    with_this: "list[Colocation]" = field(default_factory=list)
    locations: "list[Location]" = field(default_factory=list)
    tickets: "list[TicketConstraint]" = field(default_factory=list)
    children: "list[Resource]" = field(default_factory=list)
    container: "Resource | None" = None
    fillers: "list[Resource]" = field(default_factory=list)
    # state
    role: Role = Role.STOPPED
    next_role: Role = Role.UNKNOWN
    running_on: list[Node] = field(default_factory=list)
    known_on: dict[Node, NodeScore] = field(default_factory=dict)
    allowed: NodeTable = field(default_factory=dict)
    assigned_to: Node | None = None
    assigned_score: int = 0
    partial_migration_source: Node | None = None
    partial_migration_target: Node | None = None
    dangling_migrations: list[Node] = field(default_factory=list)
    lock_node: Node | None = None
    lock_time: int = 0
    # attributes
    meta: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    utilization: dict[str, str] = field(default_factory=dict)
    parameter_cache: dict[str, dict[str, str]] = field(default_factory=dict)
    # actions, oldest first, by key, and by the task they were made for (some become cancellations)
    actions: "list[Action]" = field(default_factory=list)
    actions_by_key: "dict[str, list[Action]]" = field(default_factory=dict)
    actions_by_task: "dict[str, list[Action]]" = field(default_factory=dict)
    # by kind
    group_data: GroupData | None = None
    clone_data: CloneData | None = None
    bundle_data: BundleData | None = None

    # -- what it is

    @property
    def xml_id(self) -> str:
        """Return the id in the configuration, without an instance number."""
        return self.xml.get("id") or self.id

    @property
    def display_id(self) -> str:
        """Return the id shown to people: instances of anonymous clones are not told apart."""
        return self.id if self.unique else self.xml_id

    @property
    def standard(self) -> str | None:
        return self.xml.get("class")

    @property
    def provider(self) -> str | None:
        return self.xml.get("provider")

    @property
    def agent_type(self) -> str | None:
        return self.xml.get("type")

    @property
    def is_primitive(self) -> bool:
        return self.kind is Kind.PRIMITIVE

    @property
    def is_group(self) -> bool:
        return self.kind is Kind.GROUP

    @property
    def is_clone(self) -> bool:
        return self.kind is Kind.CLONE

    @property
    def is_bundle(self) -> bool:
        return self.kind is Kind.BUNDLE

    @property
    def is_anonymous_clone(self) -> bool:
        return self.kind is Kind.CLONE and not self.unique

    @property
    def top(self) -> "Resource":
        """Return the outermost resource that this belongs to; within a bundle, the inner clone or member."""
        resource = self
        while resource.parent is not None and resource.parent.kind is not Kind.BUNDLE:
            resource = resource.parent
        return resource

    def top_with_bundle(self, include_bundle: bool) -> "Resource":
        """Return the outermost resource, with the bundle itself if asked for."""
        resource = self
        while resource.parent is not None:
            if not include_bundle and resource.parent.kind is Kind.BUNDLE:
                break
            resource = resource.parent
        return resource

    @property
    def is_bundled(self) -> bool:
        """Say whether this is a bundle or belongs to one."""
        resource = self
        while resource.parent is not None:
            resource = resource.parent
        return resource.kind is Kind.BUNDLE

    def is_descendant_of(self, other: "Resource") -> bool:
        """Say whether ``other`` contains this resource."""
        resource = self.parent
        while resource is not None:
            if resource is other:
                return True
            resource = resource.parent
        return False

    @property
    def is_disabled(self) -> bool:
        """Say whether the configuration asks for less than this resource could be."""
        target = self.meta.get("target-role")
        if not target:
            return False
        role = parse_role(target)
        return role is Role.STOPPED or (role is Role.UNPROMOTED and self.top.promotable)

    # -- what it is now

    def is_active(self, all_instances: bool) -> bool:
        """Say whether it is active; for collections, whether all (or any) of its parts are."""
        if self.kind is Kind.PRIMITIVE:
            return any(node.unclean or node.online or not self.managed for node in self.running_on)
        if self.kind is Kind.GROUP:
            states = [child.is_active(all_instances) for child in self.children]
            return any(states) and (all(states) or not all_instances)
        if self.kind is Kind.CLONE:
            if all_instances:
                return all(child.is_active(True) for child in self.children)
            return any(child.is_active(False) for child in self.children)
        assert self.bundle_data is not None
        for replica in self.bundle_data.replicas:
            for member in replica.members():
                active = member.is_active(all_instances)
                if active != all_instances:
                    return active
        return all_instances

    def role_now(self) -> Role:
        """Return the current role; of a collection, the highest among its parts."""
        if self.kind is Kind.PRIMITIVE:
            return self.role
        return max((child.role_now() for child in self.children), default=Role.UNKNOWN)

    def role_next(self) -> Role:
        """Return the role it will have; of a collection, the highest among its parts."""
        if self.kind is Kind.PRIMITIVE:
            return self.next_role
        return max((child.role_next() for child in self.children), default=Role.UNKNOWN)

    def current_nodes(self, with_pending: bool = False) -> list[Node]:
        """Return where it (or any part of it) is active, in order of discovery, without repetition."""
        if not self.children:
            nodes = list(self.running_on)
            if with_pending and self.pending_node is not None and self.pending_node not in nodes:
                nodes.append(self.pending_node)
            return nodes
        found: dict[Node, None] = {}
        for child in self.children:
            found.update(dict.fromkeys(child.current_nodes(with_pending)))
        return list(found)

    def assigned_nodes(self) -> list[Node]:
        """Return where it (or its parts) will be, without repetition."""
        if not self.children:
            return [] if self.assigned_to is None else [self.assigned_to]
        found: dict[Node, None] = {}
        for child in self.children:
            found.update(dict.fromkeys(child.assigned_nodes()))
        return list(found)

    def assigned_entry(self) -> NodeScore | None:
        """Return the one node it will be on with the score it had there when it was chosen."""
        node = self.sole_location(current=False)
        if node is None:
            return None
        part = next(each for each in self.descendants() if each.assigned_to is node)
        return NodeScore(node, part.assigned_score, node.discovery)

    def sole_location(self, current: bool = True) -> Node | None:
        """Return the one node it is (or will be) on; None if there is none or more than one."""
        nodes = self.current_nodes() if current else self.assigned_nodes()
        return nodes[0] if len(nodes) == 1 else None

    def active_node(self) -> Node | None:
        """Return the node that counts as the one it is active on, even if it is active on several."""
        return self.find_active()[0]

    def find_active(self) -> tuple[Node | None, int, int]:
        """Return that node, the number of nodes it is active on, and how many of those are clean."""
        active: Node | None = None
        clean = 0
        for node in self.running_on:
            happy = node.online and not node.unclean
            clean += happy
            if self.partial_migration_source is not None:
                if node is self.partial_migration_source:
                    active = node
            elif not self.needs_fencing and happy and (active is None or not active.online or active.unclean):
                active = node
            if active is None:
                active = node
        return active, len(self.running_on), clean

    def find_active_requires(self) -> tuple[Node | None, int]:
        """Return the active node and how many count: unclean nodes do only if fencing is required."""
        node, total, clean = self.find_active()
        return node, (total if self.needs_fencing else clean)

    def descendants(self) -> "list[Resource]":
        """Return this resource and everything inside it, depth first."""
        found = [self]
        for child in self.children:
            found.extend(child.descendants())
        return found

    def __repr__(self) -> str:
        return f"Resource({self.id})"


def any_recursive(resource: Resource, flag: str) -> bool:
    """Say whether a flag is set on the resource or anything in it."""
    return bool(getattr(resource, flag)) or any(any_recursive(child, flag) for child in resource.children)


def all_recursive(resource: Resource, flag: str) -> bool:
    """Say whether a flag is set on the resource and everything in it."""
    return bool(getattr(resource, flag)) and all(all_recursive(child, flag) for child in resource.children)


def set_recursive(resource: Resource, flag: str, value: bool) -> None:
    """Set a flag on a resource and everything in it."""
    setattr(resource, flag, value)
    for child in resource.children:
        set_recursive(child, flag, value)
