"""What the fencers' core asks its shell to do. Pure."""

from hatools.ipc.messages.stonith import (
    FencingDone,
    FencingRecord,
    PeerAccepted,
    PeerArrival,
    PeerCancel,
    PeerClean,
    PeerExecute,
    PeerExecuted,
    PeerHistory,
    PeerMerged,
    PeerOffers,
    PeerOutcome,
    PeerQuery,
    PeerRelay,
)
from hatools.values.errors import HatoolsError
from hatools.values.records import dataclass

PeerMessage = (
    PeerQuery
    | PeerOffers
    | PeerRelay
    | PeerExecute
    | PeerAccepted
    | PeerCancel
    | PeerExecuted
    | PeerMerged
    | PeerOutcome
    | PeerArrival
    | PeerHistory
    | PeerClean
)


@dataclass(frozen=True, slots=True)
class SendPeer:
    """Send to the fencer of one node."""

    node: int
    message: PeerMessage


@dataclass(frozen=True, slots=True)
class BroadcastPeers:
    """Send to all fencers, ourselves included, in total order."""

    message: PeerMessage


@dataclass(frozen=True, slots=True)
class FindOffers:
    """Find out what this node could do and call ``Coordinator.offers_found``."""

    query: PeerQuery
    origin: int


@dataclass(frozen=True, slots=True)
class RunHere:
    """Run a device here and call ``Coordinator.ran_here``."""

    origin: int
    order: PeerExecute


@dataclass(frozen=True, slots=True)
class CancelHere:
    """Do not start the step any more, if it has not been started."""

    origin: int
    id: str
    step: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer a waiting client."""

    waiter: int
    done: FencingDone


@dataclass(frozen=True, slots=True)
class Refuse:
    """Tell a waiting client that it failed."""

    waiter: int
    error: HatoolsError


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell the subscribers of this node."""

    record: FencingRecord


Effect = SendPeer | BroadcastPeers | FindOffers | RunHere | CancelHere | Answer | Refuse | Notify
