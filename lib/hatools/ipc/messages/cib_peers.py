"""What the cib daemons of a cluster say to each other: payloads of the group "cib". Pure."""

from hatools.ipc.messages.cib import Change
from hatools.values.records import dataclass


@dataclass(frozen=True, slots=True)
class PeerWrite:
    """Ordered: changes to make as one on every node.

    ``writer`` and ``serial`` number the writes of one daemon without gaps, so that none is made out of order; ``id``
    stays the same when a write is sent again under another number, so that none is made twice. Whatever could differ
    between nodes (time, names) comes with the message.
    """

    id: str
    writer: str
    serial: int
    changes: tuple[Change, ...]
    written: str
    origin: str
    client: str
    user: str
    acl_user: str = ""
    """Whose permissions apply; empty: all is allowed."""
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PeerState:
    """Ordered: what the sender held when a round of agreement began.

    ``lineage`` is the last quorate view the content belongs to, ``base`` the version it had when it last did.
    ``nonce`` is never used twice: those of all members together name what the round agrees on.
    """

    round: str
    nonce: str
    lineage: str
    base: tuple[int, int, int]
    version: tuple[int, int, int]
    digest: str
    writers: dict[str, int]
    recent: tuple[str, ...]
    """The ids of the newest writes."""


@dataclass(frozen=True, slots=True)
class PeerContent:
    """Direct: the content a round agreed on, for a node that has another; ``xml`` is compressed by zlib."""

    agreement: str
    xml: bytes


@dataclass(frozen=True, slots=True)
class PeerStored:
    """Direct or ordered: the sender has everything up to a step after this agreement on disk.

    ``chain`` sums up all changes since the agreement: members that differ in it made different CIBs of them.
    """

    agreement: str
    step: int
    chain: str


@dataclass(frozen=True, slots=True)
class PeerResync:
    """Ordered: agree anew, something is amiss. ``nonce`` is never used twice: it names the round that begins."""

    reason: str
    nonce: str = ""
