"""What a cluster status shows, as data. Pure.

The model is collected once from an unpacked plan (:mod:`hatools.status.collect`) and holds
every fact that any output format prints; what is shown of it is decided by a
:class:`hatools.status.view.View`. Resources form a tree, so they know their parent.

The classes have no comparison and no ``repr``: nobody needs them, and every method that
``dataclass`` writes costs time at each start of a command.
"""

from enum import StrEnum

from hatools.values.records import dataclass, field
from hatools.values.role import Role

__all__ = [
    "AttributeStatus",
    "BanStatus",
    "BundleStatus",
    "CloneStatus",
    "ClusterStatus",
    "FailedAction",
    "FencingEvent",
    "FencingState",
    "GroupStatus",
    "HistoryStatus",
    "NodeHistory",
    "NodeKind",
    "NodeRef",
    "NodeStatus",
    "OperationStatus",
    "OptionsStatus",
    "PrimitiveStatus",
    "ReplicaStatus",
    "ResourceStatus",
    "SummaryStatus",
    "TicketStatus",
]


class NodeKind(StrEnum):
    """What kind of node; guests live inside a resource."""

    MEMBER = "member"
    REMOTE = "remote"
    GUEST = "guest"
    PING = "ping"


@dataclass(frozen=True, slots=True, repr=False)
class NodeRef:
    """A node as a resource's line mentions it."""

    id: str
    name: str
    online: bool
    unclean: bool


@dataclass(frozen=True, slots=True, repr=False)
class AttributeStatus:
    """A node attribute; ``expected`` is the full connectivity score where a ping resource writes it."""

    name: str
    value: str
    expected: int | None = None


@dataclass(slots=True, eq=False, repr=False)
class NodeStatus:
    """A node.

    ``health`` is the sum of its health attributes' colours as a score (below 0 red, 0 yellow).
    ``host`` is where the resource that contains a guest runs; ``container`` is that resource.
    ``running`` are the primitives active there, in the order they were found.
    """

    id: str
    name: str
    kind: NodeKind
    online: bool = False
    standby: bool = False
    standby_on_fail: bool = False
    maintenance: bool = False
    pending: bool = False
    unclean: bool = False
    shutdown: bool = False
    expected_up: bool = False
    is_dc: bool = False
    health: int = 1
    feature_set: str | None = None
    host: str | None = None
    container: str | None = None
    attributes: tuple[AttributeStatus, ...] = ()
    running: "list[PrimitiveStatus]" = field(default_factory=list)
    fence_reasons: tuple[str, ...] = ()


@dataclass(slots=True, eq=False, repr=False)
class ResourceStatus:
    """What all kinds of resources share.

    ``id`` names this instance (``db:0``), ``shown_id`` what people see of it (``db`` for an
    instance of an anonymous clone). ``active`` means entirely active, ``partly_active`` in part.
    ``orphaned``: no longer configured but still there.
    """

    id: str
    shown_id: str
    parent: "ResourceStatus | None" = None
    active: bool = False
    partly_active: bool = False
    orphaned: bool = False
    managed: bool = True
    blocked: bool = False
    failed: bool = False
    failure_ignored: bool = False
    unique: bool = False
    promotable: bool = False
    target_role: str | None = None
    role: Role = Role.UNKNOWN
    disabled: bool = False
    pending_task: str | None = None
    description: str | None = None
    nodes: tuple[NodeRef, ...] = ()
    probe_failures: dict[str, int] = field(default_factory=dict)

    @property
    def top(self) -> "ResourceStatus":
        """Return the outermost parent, without leaving a bundle."""
        resource = self
        while resource.parent is not None and not isinstance(resource.parent, BundleStatus):
            resource = resource.parent
        return resource

    @property
    def is_bundled(self) -> bool:
        """Say whether this is a part of a bundle."""
        return isinstance(self.top.parent, BundleStatus)

    @property
    def members(self) -> "tuple[ResourceStatus, ...]":
        """Return the resources inside this one."""
        return ()


@dataclass(slots=True, eq=False, repr=False)
class PrimitiveStatus(ResourceStatus):
    """One resource that an agent manages.

    ``current`` is where it is taken to run, ``node`` the same or else where a start is pending.
    ``internal`` marks what a bundle adds by itself.
    """

    standard: str = "unknown"
    provider: str | None = None
    type: str = "unknown"
    internal: bool = False
    current: NodeRef | None = None
    node: NodeRef | None = None
    locked_to: NodeRef | None = None


@dataclass(slots=True, eq=False, repr=False)
class GroupStatus(ResourceStatus):
    """A group; ``children`` are its members in order."""

    children: tuple[ResourceStatus, ...] = ()

    @property
    def members(self) -> tuple[ResourceStatus, ...]:
        return self.children


@dataclass(slots=True, eq=False, repr=False)
class CloneStatus(ResourceStatus):
    """A clone; ``template`` is the id of what is cloned, ``hosts`` are the names of nodes it may use."""

    children: tuple[ResourceStatus, ...] = ()
    template: str = ""
    clone_max: int = 0
    configured_role: str | None = None
    hosts: tuple[str, ...] = ()

    @property
    def members(self) -> tuple[ResourceStatus, ...]:
        return self.children


@dataclass(slots=True, eq=False, repr=False)
class ReplicaStatus:
    """One replica of a bundle, with the resources that make it up."""

    offset: int
    container: PrimitiveStatus
    address: str | None = None
    ip: PrimitiveStatus | None = None
    child: PrimitiveStatus | None = None
    remote: PrimitiveStatus | None = None

    @property
    def parts(self) -> tuple[PrimitiveStatus, ...]:
        """Return the resources in the order they are shown."""
        return tuple(part for part in (self.ip, self.child, self.container, self.remote) if part is not None)


@dataclass(slots=True, eq=False, repr=False)
class BundleStatus(ResourceStatus):
    """A bundle: containers, each with an optional address, resource and connection."""

    replicas: tuple[ReplicaStatus, ...] = ()
    technology: str = "unknown"
    image: str = ""

    @property
    def members(self) -> tuple[ResourceStatus, ...]:
        return tuple(part for replica in self.replicas for part in replica.parts)


@dataclass(frozen=True, slots=True, repr=False)
class OptionsStatus:
    """The cluster options that the summary shows; times in milliseconds."""

    stonith_enabled: bool = True
    symmetric: bool = True
    no_quorum_policy: str = "stop"
    maintenance_mode: bool = False
    stop_all_resources: bool = False
    stonith_timeout_ms: int = 60000
    priority_fencing_delay_ms: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class SummaryStatus:
    """The head of a status display.

    ``stack`` is None where the CIB names none. ``resource_count`` counts instances.
    """

    stack: str | None
    dc_version: str | None
    dc: NodeStatus | None
    has_quorum: bool
    mixed_version: bool
    last_written: str | None
    update_user: str | None
    update_client: str | None
    update_origin: str | None
    node_count: int
    resource_count: int
    disabled_count: int
    blocked_count: int
    options: OptionsStatus


@dataclass(frozen=True, slots=True, repr=False)
class FailedAction:
    """A failure that the history still holds; absent attributes are None as in the history.

    ``masked`` marks a failed probe that only shows that the resource cannot run there.
    """

    resource: str | None
    key: str | None
    id: str
    node: str | None
    rc: int
    status: int
    task: str | None
    interval_ms: int
    call: str | None
    exit_reason: str | None
    last_change: int | None
    exec_time: str | None
    queue_time: str | None
    masked: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class OperationStatus:
    """One entry of the operation history; ``interval`` is its text, None where absent."""

    call: str | None
    task: str
    interval: str | None
    rc: int
    last_change: int
    exec_time: str | None
    queue_time: str | None


@dataclass(frozen=True, slots=True, repr=False)
class HistoryStatus:
    """History of one resource on one node; ``resource`` is None for an orphan.

    ``id`` is how the history calls the resource, ``fail_count`` and ``last_failure`` (seconds
    since the epoch, 0 for never) come from node attributes.
    """

    id: str
    resource: ResourceStatus | None
    migration_threshold: int
    fail_count: int
    last_failure: int
    operations: tuple[OperationStatus, ...]


@dataclass(frozen=True, slots=True, repr=False)
class NodeHistory:
    """All operation history of one node, in the order of the status section."""

    node: NodeStatus
    entries: tuple[HistoryStatus, ...]


@dataclass(frozen=True, slots=True, repr=False)
class TicketStatus:
    """A ticket; ``last_granted`` in seconds since the epoch, -1 for never."""

    id: str
    granted: bool
    standby: bool
    last_granted: int


@dataclass(frozen=True, slots=True, repr=False)
class BanStatus:
    """A location constraint's score below zero for one node."""

    id: str
    resource: ResourceStatus
    node: NodeStatus
    score: int
    promoted_only: bool


class FencingState(StrEnum):
    """What became of a fencing request."""

    PENDING = "pending"
    FAILED = "failed"
    SUCCESS = "success"


@dataclass(frozen=True, slots=True, repr=False)
class FencingEvent:
    """One entry of the fencing history.

    ``completed`` is in seconds since the epoch. ``later_success`` names who made a later
    attempt on a failed one's target succeed. ``extended_state`` is the fencer's own number
    for a pending request.
    """

    action: str
    target: str
    client: str
    origin: str
    state: FencingState
    completed: int = 0
    delegate: str | None = None
    exit_reason: str | None = None
    extended_state: int = 0
    later_success: str | None = None


@dataclass(slots=True, eq=False, repr=False)
class ClusterStatus:
    """Everything a status display may show, at one instant ``now`` (seconds since the epoch).

    ``fencing`` is None where no history was asked for; ``fencing_error`` is the exit code of
    a question for it that failed.
    """

    now: float
    summary: SummaryStatus
    nodes: tuple[NodeStatus, ...] = ()
    resources: tuple[ResourceStatus, ...] = ()
    failures: tuple[FailedAction, ...] = ()
    histories: tuple[NodeHistory, ...] = ()
    tickets: tuple[TicketStatus, ...] = ()
    bans: tuple[BanStatus, ...] = ()
    tags: dict[str, tuple[str, ...]] = field(default_factory=dict)
    fencing: tuple[FencingEvent, ...] | None = None
    fencing_error: int = 0
    remarks: tuple[str, ...] = ()
    """Warnings from elsewhere than the CIB, such as from messaging."""
