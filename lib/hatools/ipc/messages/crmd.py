"""Words of crmd, the controller. Pure."""

from hatools.values.records import dataclass


@dataclass(frozen=True, slots=True)
class DescribeController:
    """Request: state of the controller on a node ("": here). Answer: :class:`ControllerState`."""

    node: str = ""


@dataclass(frozen=True, slots=True)
class ControllerState:
    """``state`` is an ``S_*`` word; ``dc`` is the DC's name or empty; ``settled`` says that the DC is idle and
    nothing is pending (what ``crm_resource --wait`` waits for)."""

    node: str
    state: str
    dc: str
    settled: bool = False
    result: str = "ok"


@dataclass(frozen=True, slots=True)
class ListNodes:
    """Request: the nodes the controller knows. Answer: :class:`NodeList`."""


@dataclass(frozen=True, slots=True)
class KnownNode:
    """``state`` is member, lost or empty (never seen)."""

    id: str
    name: str
    state: str
    is_remote: bool = False


@dataclass(frozen=True, slots=True)
class NodeList:
    """Answer to :class:`ListNodes`, with the local node's name and quorum."""

    nodes: tuple[KnownNode, ...]
    local: str
    local_id: str
    quorate: bool


@dataclass(frozen=True, slots=True)
class RefreshResource:
    """Request: forget a resource's history on a node and probe it again. Answer: Done."""

    resource: str
    node: str


@dataclass(frozen=True, slots=True)
class FailResource:
    """Request: treat the resource as failed (``crm_resource --fail``). Answer: Done."""

    resource: str
    node: str


@dataclass(frozen=True, slots=True)
class Reprobe:
    """Request: probe everything again on a node ("": all). Answer: Done."""

    node: str = ""


@dataclass(frozen=True, slots=True)
class StartElection:
    """Request: force a DC election (``crmadmin -E``). Answer: Done."""


@dataclass(frozen=True, slots=True)
class ForgetNode:
    """Request: drop a node that is gone from caches and membership (``crm_node -R``). Answer: Done."""

    name: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class SubscribeController:
    """Request: send :class:`ControllerChanged` events. Answer: Done."""


@dataclass(frozen=True, slots=True)
class ControllerChanged:
    """Event: state or DC changed, or a transition ended."""

    state: ControllerState


# --- words between controllers, on the ordered group "crmd" and point to point ---------------------------------


@dataclass(frozen=True, slots=True)
class Vote:
    """Broadcast: how good a DC the sender would be, said once per arrival in the group.

    ``round`` is the sender's ring id, so that votes of an older view do not count. ``uptime`` is in seconds.
    ``incarnation`` tells the lives of a controller apart, where the group does not show that it was restarted.
    """

    round: str
    name: str
    is_dc: bool
    quorate: bool
    feature_set: str
    style: str
    uptime: int
    job_limit: int = 0
    incarnation: str = ""
    cores: int = 1
    throttle: int = 0
    """How loaded its machine is, see :class:`ThrottleChanged`."""
    unclean: tuple[int, ...] = ()
    """Nodes that the sender has lost and that nobody has fenced since: they should not lead."""


@dataclass(frozen=True, slots=True)
class ThrottleChanged:
    """Broadcast: the sender's machine is loaded more or less than before, from 0 (not) to 4 (extremely)."""

    throttle: int


@dataclass(frozen=True, slots=True)
class Elect:
    """Broadcast: everybody votes afresh."""

    round: str
    cause: str


@dataclass(frozen=True, slots=True)
class JoinOffer:
    """From the DC to a member: take part in my cluster."""

    join_id: int
    dc: str


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """Answer to :class:`JoinOffer`. ``fresh``: this controller has not joined anybody since it was started, or was
    away, so what the CIB says about its resources is void."""

    join_id: int
    name: str
    feature_set: str
    style: str
    fresh: bool
    start_state: str = ""
    """``standby`` or ``online`` where the administrator set a state to start in."""


@dataclass(frozen=True, slots=True)
class JoinAck:
    """From the DC: accepted, or refused with the reason."""

    join_id: int
    accepted: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class JoinConfirm:
    """From a member that was accepted: ready to act."""

    join_id: int


@dataclass(frozen=True, slots=True)
class PerformAction:
    """From the DC to the node that shall act: one action of the graph.

    ``resource`` is the name known to history, ``attributes`` are the parameters and ``CRM_meta_*`` values.
    ``key`` is the transition key.
    """

    key: str
    operation: str
    operation_key: str
    resource: str = ""
    standard: str = ""
    provider: str = ""
    type: str = ""
    attributes: dict[str, str] | None = None
    on_node: str = ""
    mode: str = ""


@dataclass(frozen=True, slots=True)
class ActionDone:
    """To the DC: the end of an action that leaves no trace in the history (cancel, notify, delete), or that could not
    be begun. ``exit_status`` as agents return it."""

    key: str
    exit_status: int
    exec_status: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LeaveCluster:
    """From the DC to a node whose resources are stopped: it may go (``do_shutdown``)."""


@dataclass(frozen=True, slots=True)
class PeerRefresh:
    """To the node that has the resource: forget its history (``probe`` it again)."""

    resource: str


@dataclass(frozen=True, slots=True)
class PeerFail:
    """To the node that has the resource: record a failure that nobody saw."""

    resource: str


@dataclass(frozen=True, slots=True)
class PeerReprobe:
    """Broadcast: forget all history of ``node`` ("" every node), so that it is probed again."""

    node: str


@dataclass(frozen=True, slots=True)
class PeerForget:
    """Broadcast: drop a node that is gone from all caches."""

    name: str
    id: str


@dataclass(frozen=True, slots=True)
class PeerQuestion:
    """To a controller: describe yourself; answered with :class:`PeerAnswer`."""

    question: int


@dataclass(frozen=True, slots=True)
class PeerAnswer:
    """Answer to :class:`PeerQuestion`."""

    question: int
    state: ControllerState
