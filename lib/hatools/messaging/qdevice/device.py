"""A node's side of the quorum device: talks to the arbiter and says whether this node has its vote. Pure.

::

    connected ─► PREINIT ─► (STARTTLS, TLS) ─► INIT ─► node lists, votes, heartbeats

A vote counts for one ring. It is withdrawn as soon as the arbiter has been silent for one heartbeat interval,
which is before the arbiter gives up this node (one and a half) and may give the vote to others.
"""

from enum import Enum

from hatools.messaging.corosync.votequorum import DeviceOptions
from hatools.messaging.qdevice.messages import (
    SUPPORTED_MESSAGES,
    SUPPORTED_OPTIONS,
    Algorithm,
    Fault,
    Kind,
    ListedNode,
    ListKind,
    Message,
    NodeState,
    Reader,
    TieBreaker,
    TieMode,
    Tls,
    Vote,
    encode,
)
from hatools.messaging.views import NO_RING, RingId
from hatools.values.errors import RemoteError
from hatools.values.records import dataclass, replace

_ECHOES = 3
"""Echo requests in one heartbeat interval."""
_ASK_AGAIN_S = 1.0
_ALGORITHMS = {"ffsplit": Algorithm.FFSPLIT, "lms": Algorithm.LMS}


class Stage(Enum):
    """How far the connection is."""

    DISCONNECTED = "disconnected"
    PREINIT = "preinit"
    TLS = "starting TLS"
    INIT = "init"
    READY = "connected"


@dataclass(frozen=True, slots=True)
class Send:
    """Effect: send bytes to the arbiter."""

    data: bytes


@dataclass(frozen=True, slots=True)
class StartTls:
    """Effect: begin TLS on the connection once all that was sent is out; then call ``tls_started``."""


@dataclass(frozen=True, slots=True)
class Hang:
    """Effect: close the connection and try again later; ``reason`` is for the log."""

    reason: str


@dataclass(frozen=True, slots=True)
class VoteGiven:
    """Effect: the arbiter's word on a ring."""

    ring_id: RingId
    casts_vote: bool


DeviceEffect = Send | StartTls | Hang | VoteGiven


class Device:
    """The connection to an arbiter.

    Args:
        nodes: ids of all configured nodes.
    """

    def __init__(
        self, options: DeviceOptions, cluster_name: str, node_id: int, nodes: frozenset[int], config_version: int
    ) -> None:
        self.options = options
        self.stage = Stage.DISCONNECTED
        self._cluster_name = cluster_name
        self._node_id = node_id
        self._nodes = nodes
        self._config_version = config_version
        self._reader = Reader()
        self._sequence = 0
        self._ring: RingId | None = None
        self._members: tuple[int, ...] = ()
        self._heard_at = 0.0
        self._echo_deadline: float | None = None
        self._silence_deadline: float | None = None
        self._ask_deadline: float | None = None

    @property
    def interval(self) -> float:
        """Return the heartbeat interval in seconds."""
        return max(1.0, self.options.timeout * 0.8)

    @property
    def deadline(self) -> float | None:
        """Return when :meth:`expire` wants to be called."""
        times = (self._echo_deadline, self._silence_deadline, self._ask_deadline)
        return min((time for time in times if time is not None), default=None)

    # -- what the cluster does

    def set_configuration(self, nodes: frozenset[int], config_version: int) -> list[DeviceEffect]:
        """Take over a changed nodelist."""
        changed = nodes != self._nodes
        self._nodes = nodes
        self._config_version = config_version
        return [self._config_list(ListKind.CHANGED_CONFIG)] if changed and self.stage is Stage.READY else []

    def ring_formed(self, ring_id: RingId, members: tuple[int, ...]) -> list[DeviceEffect]:
        """Ask for the vote of a new ring; without a connection the answer is no, at once."""
        self._ring, self._members = ring_id, members
        if self.stage is not Stage.READY:
            return [VoteGiven(ring_id, False)]
        return [self._membership_list()]

    def view_installed(self, quorate: bool, members: tuple[int, ...]) -> list[DeviceEffect]:
        """Tell how the view turned out."""
        if self.stage is not Stage.READY:
            return []
        listed = self._listed(frozenset(members))
        return [self._send(Message(Kind.NODE_LIST, list_kind=ListKind.QUORUM, quorate=quorate, nodes=listed))]

    # -- the connection

    def connected(self, now: float) -> list[DeviceEffect]:
        """Begin to talk on a new connection."""
        self.stage = Stage.PREINIT
        self._reader = Reader()
        self._heard_at = now
        self._silence_deadline = now + self.options.connect_timeout
        return [self._send(Message(Kind.PREINIT, cluster_name=self._cluster_name))]

    def tls_started(self, now: float) -> list[DeviceEffect]:
        """Go on under TLS."""
        return [self._init()]

    def lost(self) -> list[DeviceEffect]:
        """Take note that the connection is gone: so is the vote."""
        self.stage = Stage.DISCONNECTED
        self._echo_deadline = self._silence_deadline = self._ask_deadline = None
        return [VoteGiven(self._ring, False)] if self._ring is not None else []

    def received(self, now: float, data: bytes) -> list[DeviceEffect]:
        """Take bytes from the arbiter."""
        self._heard_at = now
        if self.stage is Stage.READY:
            self._silence_deadline = now + self.interval
        effects: list[DeviceEffect] = []
        try:
            self._reader.feed(data)
            while (message := self._reader.next()) is not None:
                effects += self._answer(now, message)
        except RemoteError as error:
            effects.append(Hang(str(error)))
        return effects

    def expire(self, now: float) -> list[DeviceEffect]:
        """Send heartbeats, ask again, give up an arbiter that is silent."""
        if self._silence_deadline is not None and self._silence_deadline <= now:
            self._silence_deadline = None
            return [Hang(f"the arbiter has been silent for {now - self._heard_at:.1f} s")]
        effects: list[DeviceEffect] = []
        if self._echo_deadline is not None and self._echo_deadline <= now:
            self._echo_deadline = now + self.interval / _ECHOES
            effects.append(self._send(Message(Kind.ECHO_REQUEST)))
        if self._ask_deadline is not None and self._ask_deadline <= now:
            self._ask_deadline = None
            effects.append(self._send(Message(Kind.ASK_FOR_VOTE)))
        return effects

    # -- messages

    def _answer(self, now: float, message: Message) -> list[DeviceEffect]:
        match message.kind:
            case Kind.PREINIT_REPLY if self.stage is Stage.PREINIT:
                return self._negotiate(message)
            case Kind.INIT_REPLY if self.stage is Stage.INIT:
                return self._initialised(now, message)
            case Kind.SERVER_ERROR:
                return [Hang(f"the arbiter refuses: {_words(message.fault)}")]
            case Kind.NODE_LIST_REPLY | Kind.ASK_FOR_VOTE_REPLY:
                return self._voted(now, message)
            case Kind.VOTE_INFO:
                reply = encode(Message(Kind.VOTE_INFO_REPLY, sequence=message.sequence))
                return [*self._voted(now, message), Send(reply)]
        return []

    def _negotiate(self, message: Message) -> list[DeviceEffect]:
        offered = message.tls or Tls.UNSUPPORTED
        wanted = self.options.tls
        if wanted == "off" and offered is Tls.REQUIRED:
            return [Hang("the arbiter requires TLS, and quorum.device.net.tls is off")]
        if wanted == "required" and offered is Tls.UNSUPPORTED:
            return [Hang("the arbiter has no TLS, and quorum.device.net.tls is required")]
        if wanted != "off" and offered is not Tls.UNSUPPORTED:
            if message.client_certificate_required and not self.options.certificate_file:
                return [Hang("the arbiter wants a certificate: set quorum.device.net.certfile")]
            self.stage = Stage.TLS
            return [self._send(Message(Kind.STARTTLS)), StartTls()]
        return [self._init()]

    def _init(self) -> Send:
        self.stage = Stage.INIT
        word = self.options.tie_breaker
        mode = {"lowest": TieMode.LOWEST, "highest": TieMode.HIGHEST}.get(word, TieMode.NODE_ID)
        tie_breaker = TieBreaker(mode, int(word) if mode is TieMode.NODE_ID else 0)
        return self._send(
            Message(
                Kind.INIT,
                messages=SUPPORTED_MESSAGES,
                options=SUPPORTED_OPTIONS,
                node_id=self._node_id,
                algorithm=_ALGORITHMS[self.options.algorithm],
                heartbeat_ms=int(self.interval * 1000),
                tie_breaker=tie_breaker,
                ring_id=self._ring or NO_RING,
            )
        )

    def _initialised(self, now: float, message: Message) -> list[DeviceEffect]:
        if message.fault:
            return [Hang(f"the arbiter refuses this node: {_words(message.fault)}")]
        self.stage = Stage.READY
        self._silence_deadline = now + self.interval
        self._echo_deadline = now + self.interval / _ECHOES
        effects: list[DeviceEffect] = []
        if self.options.keep_active and Kind.SET_OPTION in (message.messages or ()):
            effects.append(self._send(Message(Kind.SET_OPTION, keep_active=True)))
        effects.append(self._config_list(ListKind.INITIAL_CONFIG))
        if self._ring is not None:
            effects.append(self._membership_list())
        return effects

    def _voted(self, now: float, message: Message) -> list[DeviceEffect]:
        self._ask_deadline = None
        if message.ring_id is not None and message.ring_id != self._ring:
            return []  # about a ring that is no more
        match message.vote:
            case Vote.ACK | Vote.NACK if self._ring is not None:
                return [VoteGiven(self._ring, message.vote is Vote.ACK)]
            case Vote.ASK_LATER if self._ring is not None:
                self._ask_deadline = now + _ASK_AGAIN_S
        return []

    def _config_list(self, kind: ListKind) -> Send:
        nodes = tuple(ListedNode(node) for node in sorted(self._nodes))
        version = self._config_version or None
        return self._send(Message(Kind.NODE_LIST, list_kind=kind, config_version=version, nodes=nodes))

    def _membership_list(self) -> Send:
        nodes = tuple(ListedNode(node) for node in sorted(self._members))
        return self._send(Message(Kind.NODE_LIST, list_kind=ListKind.MEMBERSHIP, ring_id=self._ring, nodes=nodes))

    def _listed(self, members: frozenset[int]) -> tuple[ListedNode, ...]:
        return tuple(
            ListedNode(node, NodeState.MEMBER if node in members else NodeState.DEAD) for node in sorted(self._nodes)
        )

    def _send(self, message: Message) -> Send:
        self._sequence += 1
        return Send(encode(replace(message, sequence=self._sequence)))


def _words(fault: Fault | None) -> str:
    return fault.name.lower().replace("_", " ") if fault else "no reason given"
