"""What the controller's core asks its shell to do. Pure data.

Effects are carried out in order. Those that have an end report it to the core by the tag or key they carry.
"""

from hatools.cib.document import Document
from hatools.daemons.crmd.history import ResourceIdentity
from hatools.ipc.messages.attrd import ClearFailures, RemovePeer, UpdateAttribute
from hatools.ipc.messages.cib import Change
from hatools.ipc.messages.crmd import (
    ActionDone,
    ControllerState,
    Elect,
    JoinAck,
    JoinConfirm,
    JoinOffer,
    JoinRequest,
    LeaveCluster,
    PeerAnswer,
    PeerFail,
    PeerForget,
    PeerQuestion,
    PeerRefresh,
    PeerReprobe,
    PerformAction,
    ThrottleChanged,
    Vote,
)
from hatools.values.records import dataclass

PeerMessage = (
    Vote
    | Elect
    | JoinOffer
    | JoinRequest
    | JoinAck
    | JoinConfirm
    | PerformAction
    | ActionDone
    | LeaveCluster
    | PeerRefresh
    | PeerFail
    | PeerReprobe
    | PeerForget
    | PeerQuestion
    | PeerAnswer
    | ThrottleChanged
)


@dataclass(frozen=True, slots=True)
class BroadcastToPeers:
    """Send to every controller, ourselves included, in total order."""

    message: PeerMessage


@dataclass(frozen=True, slots=True)
class SendToPeer:
    """Send to the controller of one node (never our own)."""

    node_id: int
    message: PeerMessage


@dataclass(frozen=True, slots=True)
class WriteCib:
    """Apply changes as one; the end comes back as ``written(tag, ...)``.

    ``certain``: the end is told when every member has received them, otherwise when they are made here.
    """

    tag: int
    changes: tuple[Change, ...]
    certain: bool = False


@dataclass(frozen=True, slots=True)
class AwaitReplica:
    """Tell us (``synchronised(ring)``) once the CIB's replicas agree in the view with this ring id."""

    ring: str


@dataclass(frozen=True, slots=True)
class ComputeTransition:
    """Ask the scheduler; the end comes back as ``scheduled(request, ...)``.

    ``ahead``: the document is the one to be expected, and nothing is done with the answer before it has come.
    """

    request: int
    document: Document
    ahead: bool = False


@dataclass(frozen=True, slots=True)
class Rehearse:
    """Have the scheduler calculate with a document, for practice."""

    document: Document


@dataclass(frozen=True, slots=True)
class RunOperation:
    """Have the local executor run an operation; results come back as ``operation_done`` with ``tag`` being the key."""

    resource: ResourceIdentity
    operation: str
    interval_ms: int
    timeout_ms: int
    start_delay_ms: int
    parameters: dict[str, str]
    key: str


@dataclass(frozen=True, slots=True)
class CancelRecurring:
    """Stop a recurring operation; with a key, ``cancelled(key)`` reports the end."""

    resource: str
    operation: str
    interval_ms: int
    key: str = ""


@dataclass(frozen=True, slots=True)
class ForgetResource:
    """Have the local executor forget a resource."""

    resource: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class ReadMetadata:
    """Fetch an agent's metadata; the end comes back as ``metadata(resource identity's agent, ...)``."""

    resource: ResourceIdentity


@dataclass(frozen=True, slots=True)
class FenceNode:
    """Have the fencer act on a node; the end comes back as ``fenced(key, ...)``."""

    key: str
    target: str
    action: str
    timeout_ms: int
    delay_ms: int = 0


@dataclass(frozen=True, slots=True)
class SetAttributes:
    """Hand a request to attrd."""

    request: UpdateAttribute | ClearFailures | RemovePeer


@dataclass(frozen=True, slots=True)
class RunAlert:
    """Have an administrator's program called; the moment is added to its environment."""

    id: str
    path: str
    environment: dict[str, str]
    timeout_ms: int
    timestamp_format: str


@dataclass(frozen=True, slots=True)
class Announce:
    """Tell subscribers how this controller stands now."""

    state: ControllerState


@dataclass(frozen=True, slots=True)
class Log:
    """Write a log line; ``level`` is a name of :mod:`logging` or ``NOTICE``."""

    level: str
    text: str


@dataclass(frozen=True, slots=True)
class EndProcess:
    """Leave the group in order and end with this status."""

    status: int
    reason: str


Effect = (
    BroadcastToPeers
    | SendToPeer
    | WriteCib
    | AwaitReplica
    | ComputeTransition
    | Rehearse
    | RunOperation
    | CancelRecurring
    | ForgetResource
    | ReadMetadata
    | FenceNode
    | SetAttributes
    | RunAlert
    | Announce
    | Log
    | EndProcess
)
