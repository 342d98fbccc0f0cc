"""What every messaging style offers to the layers above. Pure.

Whatever carries the messages (our ring, Heartbeat's channel, a real Corosync), the upper layers see
the same three things, all of them part of one total order that is the same at every member:

* **views**: who is in, whether the partition is quorate, who arrived, left or was lost;
* **groups**: who has a client in a named group, and the messages sent to it;
* **safety**: up to which delivery every member of the view is known to have received everything.

Guarantees: members that pass together from one view to the next have delivered the same messages
in between (virtual synchrony); a message is delivered in a view its sender belongs to; a sender
delivers its own messages, or a view that it enters alone; the ring id never goes back.
"""

from enum import Enum
from typing import Protocol

from hatools.values.records import dataclass


@dataclass(frozen=True, slots=True, order=True)
class RingId:
    """Identity of a ring: ``sequence`` grows, ``leader`` (its lowest node id) tells apart equal ones."""

    sequence: int
    leader: int

    def __str__(self) -> str:
        """Return ``LEADER.SEQUENCE`` with the sequence in hexadecimal, as corosync-quorumtool writes it."""
        return f"{self.leader:x}.{self.sequence:x}"


NO_RING = RingId(0, 0)
"""Older than every ring: the previous ring of a node that just started."""


@dataclass(frozen=True, slots=True)
class NodeIdentity:
    """A node as its peers know it."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class View:
    """A membership, agreed upon by everyone in it.

    ``members`` are sorted by id. ``arrived`` were not in our previous view or did not come from it
    with us; ``left`` said goodbye; ``lost`` did not. A node that was lost and is back within one
    change is in both ``lost`` and ``arrived``.
    """

    ring_id: RingId
    members: tuple[NodeIdentity, ...]
    quorate: bool
    votes: tuple[tuple[str, int], ...]
    """(name, votes) of every member, sorted by name."""
    arrived: tuple[int, ...] = ()
    left: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()

    @property
    def member_ids(self) -> frozenset[int]:
        """Return the ids of the members."""
        return frozenset(member.id for member in self.members)


@dataclass(frozen=True, slots=True)
class ViewInstalled:
    """Effect: ``view`` holds from here on in the order of deliveries."""

    view: View


@dataclass(frozen=True, slots=True)
class GroupMembersChanged:
    """Effect: these nodes have a client in the group from here on."""

    group: str
    members: tuple[int, ...]
    arrived: tuple[int, ...]
    left: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GroupMessage:
    """Effect: a message to the group, in its place in the order.

    ``sequence`` counts the deliveries of this ring, over all groups (a view that is replaced by one with the same
    ring id, because votes have changed, does not begin anew). ``tag`` is the sender's. A large message comes in
    pieces: ``payload`` is the last, ``before`` are the others.
    """

    group: str
    sender: int
    sequence: int
    payload: bytes
    tag: int
    before: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupMessages:
    """Effect: several messages of one sender to the group in a row, ``sequence`` is that of the first.

    ``bundle`` is theirs (``values/bundle.py``), as whole as it was handed in.
    """

    group: str
    sender: int
    sequence: int
    count: int
    bundle: bytes


@dataclass(frozen=True, slots=True)
class DirectMessage:
    """Effect: a message from one node to the group's client here; pieces as in :class:`GroupMessage`."""

    group: str
    sender: int
    payload: bytes
    before: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class SafeUpTo:
    """Effect: every member of the view has received the deliveries up to ``sequence``."""

    sequence: int


@dataclass(frozen=True, slots=True)
class Departed:
    """Effect: the goodbye is known to the peers; the engine may be stopped."""


@dataclass(frozen=True, slots=True)
class Expelled:
    """Effect: this node may not be in the cluster as it is configured; stop, and say why."""

    reason: str


@dataclass(frozen=True, slots=True)
class CutOff:
    """Effect: this node is out of the cluster without having said goodbye; end at once, as if it had been lost."""

    reason: str


@dataclass(frozen=True, slots=True)
class ForStyle:
    """Effect: something that only the style around the engine knows how to do (read its files again, ask an
    arbiter); it is handed to ``Style.carry_out`` once the other effects of the batch have been performed."""

    request: object


Upcall = ViewInstalled | GroupMembersChanged | GroupMessage | GroupMessages | DirectMessage | SafeUpTo | Departed
"""What an engine tells the layers above, in order."""


@dataclass(frozen=True, slots=True)
class Datagram:
    """Effect: send ``data`` to each of the nodes."""

    targets: tuple[int, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Keep:
    """Effect: store a number durably under a name, before anything that follows is performed."""

    name: str
    value: int


class Severity(Enum):
    """How much a :class:`Remark` matters."""

    DEBUG = "debug"
    INFO = "info"
    NOTICE = "notice"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Remark:
    """Effect: something the log should say."""

    severity: Severity
    text: str


Effect = Upcall | Datagram | Keep | Remark | Expelled | CutOff | ForStyle
"""All that an engine asks for; perform them in order."""


class GroupEngine(Protocol):
    """What every style implements. The caller performs the effects and calls ``expire`` at ``deadline``."""

    @property
    def view(self) -> View | None:
        """Return the current view; None before the first."""

    @property
    def deadline(self) -> float | None:
        """Return when :meth:`expire` wants to be called."""

    @property
    def is_alone(self) -> bool:
        """Say whether no peer counts on hearing from us: then a pause of this process costs nothing."""

    def waiting_bytes(self, group: str) -> int:
        """Return how much waits to be sent to a group; a caller that keeps it small is never short of memory."""

    def start(self, now: float) -> list[Effect]:
        """Begin."""

    def receive(self, now: float, datagram: bytes, source: str) -> list[Effect]:
        """Process a datagram; ``source`` is its sender's address, for remarks."""

    def expire(self, now: float) -> list[Effect]:
        """Act on the deadlines that have passed."""

    def join_group(self, now: float, group: str) -> list[Effect]:
        """Take part in a group; :class:`GroupMembersChanged` with ourselves says from when on."""

    def leave_group(self, now: float, group: str) -> list[Effect]:
        """Leave a group."""

    def members_of(self, group: str) -> frozenset[int]:
        """Return the nodes that have a client in a group."""

    def broadcast(self, now: float, group: str, pieces: tuple[bytes, ...], tag: int) -> list[Effect]:
        """Send to the group's clients on all members, ourselves included, in total order."""

    def broadcast_many(self, now: float, group: str, bundle: bytes) -> list[Effect]:
        """Send several small messages in a row as one (``values/bundle.py``)."""

    def send_to(self, now: float, group: str, node_id: int, pieces: tuple[bytes, ...]) -> list[Effect]:
        """Send to the group's client on one node, in order with our other messages to the group."""

    def depart(self, now: float) -> list[Effect]:
        """Say goodbye, so that the peers see us leave and not die; :class:`Departed` follows."""

    def leave(self, now: float) -> list[Effect]:
        """Stop at once, whether or not the goodbye is known; no call follows."""
