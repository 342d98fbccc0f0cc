"""What can happen to a controller. Pure data.

Beside these the core takes some words of the wire as they are: ``ViewChanged`` and ``GroupChanged`` of the
messaging daemon, ``OperationDone`` of the executor.
"""

from hatools.agents.metadata import AgentMetadata
from hatools.cib.document import Document, Version
from hatools.daemons.crmd.effects import PeerMessage
from hatools.daemons.crmd.history import ResourceIdentity
from hatools.ipc.messages.lrm import OperationDone
from hatools.ipc.messages.messaging import GroupChanged, ViewChanged
from hatools.ipc.messages.stonith import FencingRecord
from hatools.transition.graph import Graph
from hatools.values.records import dataclass


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment on both clocks: monotonic seconds for deadlines, epoch seconds for what is written down."""

    now: float
    epoch: int


@dataclass(frozen=True, slots=True)
class PeerSaid:
    """A controller's message arrived; ``ordered`` tells broadcasts from direct messages."""

    sender: int
    message: PeerMessage
    ordered: bool


@dataclass(frozen=True, slots=True)
class CibSeen:
    """The local replica holds this document now."""

    document: Document


@dataclass(frozen=True, slots=True)
class Written:
    """A write ended; ``error`` is empty if it is applied everywhere, in this version."""

    tag: int
    version: Version | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Synchronised:
    """All replicas of the view with this ring id agree; ``adopted``: ours took over the content of another."""

    ring: str
    adopted: bool = False


@dataclass(frozen=True, slots=True)
class Scheduled:
    """The scheduler answered; ``graph`` None: it failed, ``note`` says how. Otherwise ``note`` names the input file."""

    request: int
    graph: Graph | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class OperationRefused:
    """The executor did not accept an operation."""

    key: str
    reason: str
    exec_status: int


@dataclass(frozen=True, slots=True)
class RecurringCancelled:
    """A recurring operation is no more."""

    key: str


@dataclass(frozen=True, slots=True)
class ResourceForgotten:
    """The executor knows a resource no more."""

    key: str
    resource: str


@dataclass(frozen=True, slots=True)
class MetadataRead:
    """An agent's metadata; None: it has none that can be read."""

    resource: ResourceIdentity
    metadata: AgentMetadata | None


@dataclass(frozen=True, slots=True)
class FencingEnded:
    """The fencer answered our request."""

    key: str
    target: str
    confirmed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FencingSeen:
    """Somebody's fencing of a node succeeded, as the fencer tells everybody; ``ring`` is the one it was begun in."""

    target: str
    action: str
    ring: str = ""


@dataclass(frozen=True, slots=True)
class FencingTold:
    """A fencing operation ended, whoever asked for it and however it went."""

    record: FencingRecord


@dataclass(frozen=True, slots=True)
class LoadSeen:
    """The machine's load average over a minute."""

    load: float


@dataclass(frozen=True, slots=True)
class ShutdownAsked:
    """This node shall be drained and leave."""


@dataclass(frozen=True, slots=True)
class ElectionAsked:
    """A person wants a new election."""


@dataclass(frozen=True, slots=True)
class RingDescribed:
    """The nodes that the messaging configuration lists, names by id."""

    configured: dict[int, str]


Event = (
    ViewChanged
    | GroupChanged
    | OperationDone
    | PeerSaid
    | CibSeen
    | Written
    | Synchronised
    | Scheduled
    | OperationRefused
    | RecurringCancelled
    | ResourceForgotten
    | MetadataRead
    | FencingEnded
    | FencingSeen
    | FencingTold
    | LoadSeen
    | ShutdownAsked
    | ElectionAsked
    | RingDescribed
)
