"""Words of the messaging daemon: membership, quorum and ordered groups. Pure."""

from hatools.values.records import dataclass


@dataclass(frozen=True, slots=True)
class Member:
    """A node in a view."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class JoinGroup:
    """Request: take part in a group. Answer: :class:`Joined`; then events follow.

    With ``report_safe`` the client also gets :class:`BecameSafe` events; with ``batches`` it understands
    :class:`DeliveredMany`.
    """

    group: str
    report_safe: bool = False
    batches: bool = False


@dataclass(frozen=True, slots=True)
class Joined:
    """Answer to :class:`JoinGroup`. A :class:`ViewChanged` event with the current view follows at once
    (if there is one yet), then a :class:`GroupChanged`."""

    local: Member
    cluster_name: str
    style: str


@dataclass(frozen=True, slots=True)
class LeaveGroup:
    """Request: leave a group; peers see it in :class:`GroupChanged`."""

    group: str


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Request: send to the group on every member of the view, ourselves included, in total order.

    Answered by :class:`Sent` as soon as the message is queued (so requests can be pipelined); the
    sender recognises its own :class:`Delivered` by ``tag``.
    """

    group: str
    payload: bytes
    tag: int = 0


@dataclass(frozen=True, slots=True)
class BroadcastMany:
    """Request: several broadcasts to one group at once, as a bundle (``values/bundle.py``). Answer :class:`Sent`."""

    group: str
    bundle: bytes


@dataclass(frozen=True, slots=True)
class SendTo:
    """Request: send to the group's client on one node; reliable and in order per sender. Answer :class:`Sent`."""

    group: str
    node_id: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Announce:
    """Request: a piece of a large message to a group, in order; the next :class:`Broadcast` or :class:`SendTo`
    of this client to the group brings the last piece and sends them all. Answer :class:`Sent`.

    Messages above some 256 KiB travel in pieces, so that no process is ever busy with one for long.
    ``ipc.clients.messaging`` cuts and joins.
    """

    group: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Sent:
    """Answer: queued."""


@dataclass(frozen=True, slots=True)
class ViewChanged:
    """Event, ordered with deliveries: the membership or quorum changed.

    ``ring_id`` grows with every view (``"LEADER.SEQUENCE"`` in text form). ``lost`` went without
    saying goodbye, ``left`` said it. ``agreed_with`` are the members that came with us from our
    previous view (virtual synchrony holds among them).
    """

    ring_id: str
    members: tuple[Member, ...]
    quorate: bool
    arrived: tuple[int, ...] = ()
    left: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()
    votes: dict[str, int] | None = None
    """Votes by member name, so that upper layers can count majorities."""


@dataclass(frozen=True, slots=True)
class GroupChanged:
    """Event, ordered with deliveries: which nodes have a client in the group now."""

    group: str
    members: tuple[int, ...]
    arrived: tuple[int, ...] = ()
    left: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivered:
    """Event: a group message in its place in the total order.

    ``sequence`` counts the deliveries of this view; ``tag`` is the sender's (meaningful to it only).
    """

    group: str
    sender: int
    sequence: int
    payload: bytes
    tag: int = 0


@dataclass(frozen=True, slots=True)
class DeliveredMany:
    """Event: as many :class:`Delivered` of one sender in a row, as a bundle; ``sequence`` is that of the first."""

    group: str
    sender: int
    sequence: int
    bundle: bytes


@dataclass(frozen=True, slots=True)
class DeliveredPiece:
    """Event: a piece of a large message; the next :class:`Delivered` or :class:`Direct` of the group brings the
    last one."""

    group: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class BecameSafe:
    """Event: every member of the view has received all deliveries of the group up to ``sequence``."""

    group: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Direct:
    """Event: a point to point message arrived."""

    group: str
    sender: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class DescribeRing:
    """Request: the state of ring, links and quorum. Answer: :class:`RingState`."""


@dataclass(frozen=True, slots=True)
class LinkState:
    """One link to one peer."""

    link: int
    node_id: int
    address: str
    connected: bool
    mtu: int = 0
    """Largest datagram, without headers; 0: not known."""


@dataclass(frozen=True, slots=True)
class RingState:
    """Answer to :class:`DescribeRing`; ``state`` is the ring's (``operational``, ``gather`` ...)."""

    local: Member
    cluster_name: str
    style: str
    state: str
    ring_id: str
    members: tuple[Member, ...]
    configured: tuple[Member, ...]
    quorate: bool
    expected_votes: int
    highest_expected: int
    total_votes: int
    quorum: int
    flags: tuple[str, ...]
    votes: dict[str, int]
    links: tuple[LinkState, ...]
    encrypted: bool
    settings: dict[str, str]
    """Every configuration and runtime key as corosync-cmapctl names it."""
    devices: dict[str, str] | None = None
    """State of the quorum device by member, in corosync-quorumtool's letters; who is missing has none registered."""
    device_votes: int = 0
    """What the quorum device may give."""
    device_casts: bool = False
    """Whether it gives its votes to this node's partition."""


@dataclass(frozen=True, slots=True)
class SetFault:
    """Request (lab and tests; owner only): cut (drop), slow or thin out the datagrams from and to a peer.

    All three at their defaults heal it. ``loss_percent`` is of those sent and of those received.
    """

    node_id: int
    drop: bool = False
    delay_ms: int = 0
    loss_percent: int = 0


@dataclass(frozen=True, slots=True)
class ReloadConfiguration:
    """Request: read the configuration file again (``corosync-cfgtool -R``)."""


@dataclass(frozen=True, slots=True)
class SetExpectedVotes:
    """Request: change the expected votes of the partition (``corosync-quorumtool -e``). Answer: Done."""

    votes: int


@dataclass(frozen=True, slots=True)
class SetVotes:
    """Request: change the votes of one node (``corosync-quorumtool -v``). Answer: Done."""

    node_id: int
    votes: int


@dataclass(frozen=True, slots=True)
class CancelWaitForAll:
    """Request: do not wait for all nodes any more (the key quorum.cancel_wait_for_all). Answer: Done."""


@dataclass(frozen=True, slots=True)
class DescribeHeartbeat:
    """Request (heartbeat style only): the nodes as Heartbeat's protocol sees them. Answer: :class:`HeartbeatState`."""


@dataclass(frozen=True, slots=True)
class HeartbeatNode:
    """A node; ``status`` and link states in Heartbeat's words, ``kind`` is normal or ping."""

    name: str
    kind: str
    status: str
    links: dict[str, str]


@dataclass(frozen=True, slots=True)
class HeartbeatState:
    """Answer to :class:`DescribeHeartbeat`. ``parameters`` are ha.cf's directives with their values in effect."""

    nodes: tuple[HeartbeatNode, ...]
    parameters: dict[str, str]


@dataclass(frozen=True, slots=True)
class ReadMap:
    """Request: the keys of a map, ``icmap`` or ``stats``. Answer: :class:`MapEntries`."""

    map: str = "icmap"


@dataclass(frozen=True, slots=True)
class MapEntry:
    """A key with its type (as corosync-cmapctl names it) and its value as text; binary ones in hexadecimal."""

    key: str
    type: str
    value: str


@dataclass(frozen=True, slots=True)
class MapEntries:
    """Answer to :class:`ReadMap`, sorted by key."""

    entries: tuple[MapEntry, ...]


@dataclass(frozen=True, slots=True)
class SetMapKey:
    """Request: set a key. Answer: Done."""

    entry: MapEntry


@dataclass(frozen=True, slots=True)
class DeleteMapKey:
    """Request: delete a key that was set by hand. Answer: Done."""

    key: str


@dataclass(frozen=True, slots=True)
class ClearStatistics:
    """Request: count anew; ``which`` is knet, ipc, totem, schedmiss or all. Answer: Done."""

    which: str


@dataclass(frozen=True, slots=True)
class ReopenLogs:
    """Request: open log files anew, after they were moved away. Answer: Done."""


@dataclass(frozen=True, slots=True)
class KillNode:
    """Request: throw a node out; it ends as if it had been lost. Answer: Done."""

    node_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class UnregisterDevice:
    """Request: do without the quorum device until the next start. Answer: Done."""


@dataclass(frozen=True, slots=True)
class ListGroups:
    """Request: who is in which group. Answer: :class:`GroupList`."""


@dataclass(frozen=True, slots=True)
class GroupProcess:
    """A member of a group; ``pid`` is 0 for processes on other nodes, which are known there only."""

    group: str
    pid: int
    node_id: int


@dataclass(frozen=True, slots=True)
class GroupList:
    """Answer to :class:`ListGroups`."""

    processes: tuple[GroupProcess, ...]
