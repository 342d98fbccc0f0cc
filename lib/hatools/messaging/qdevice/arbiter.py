"""The arbiter: which partition of each cluster gets its vote, and telling everybody in a safe order. Pure.

Whenever nodes come, go or report another ring, the cluster's algorithm chooses a partition. Everybody else is
told no first; only when they have confirmed (or are gone) are the chosen told yes, so that at no time two
partitions hold the vote.
"""

from hatools.messaging.qdevice.algorithms import ALGORITHMS, Voter
from hatools.messaging.qdevice.messages import (
    MAX_MESSAGE,
    SUPPORTED_MESSAGES,
    SUPPORTED_OPTIONS,
    Algorithm,
    Fault,
    Kind,
    ListKind,
    Message,
    Reader,
    Tls,
    Vote,
    encode,
)
from hatools.messaging.views import NO_RING
from hatools.values.errors import RemoteError
from hatools.values.records import dataclass, field, replace

_SILENCE = 1.5
"""Heartbeat intervals without a sign after which a node is given up."""
_LEAST_HEARTBEAT_MS = 1000
_MOST_HEARTBEAT_MS = 120_000
_HANDSHAKE_S = 10.0


@dataclass(frozen=True, slots=True)
class SendTo:
    """Effect: send bytes over a connection."""

    connection: int
    data: bytes


@dataclass(frozen=True, slots=True)
class BeginTls:
    """Effect: expect TLS on a connection from here on; ``rest`` is what has come of it already."""

    connection: int
    rest: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """Effect: close a connection once all that was sent is out; ``reason`` is for the log."""

    connection: int
    reason: str


@dataclass(frozen=True, slots=True)
class Decided:
    """Effect, for the log: which partition of a cluster has the vote now."""

    cluster: str
    partition: tuple[int, ...]


ArbiterEffect = SendTo | BeginTls | Close | Decided


@dataclass(slots=True)
class Session:
    """A connection, and the node at its other end once it has said who it is."""

    connection: int
    address: str
    deadline: float
    reader: Reader = field(default_factory=Reader)
    cluster_name: str = ""
    is_secure: bool = False
    voter: Voter | None = None
    heartbeat: float = 0.0
    algorithm: Algorithm = Algorithm.FFSPLIT
    awaits_reply: int = 0
    """Sequence of the last vote that it was told and has not confirmed; 0: none."""


@dataclass(slots=True)
class Cluster:
    """The connected nodes of one cluster. See :class:`hatools.messaging.qdevice.algorithms.Electorate`."""

    name: str
    algorithm: Algorithm
    voters: dict[int, Voter] = field(default_factory=dict)
    active: frozenset[int] = frozenset()
    chosen: frozenset[int] | None = None
    """The partition that is to be told yes when all others have confirmed their no."""


class Arbiter:
    """All clusters that one arbiter serves.

    Args:
        tls: what is offered to nodes.
        wants_certificate: whether nodes must show one.
    """

    def __init__(self, tls: Tls = Tls.UNSUPPORTED, *, wants_certificate: bool = False) -> None:
        self.tls = tls
        self.wants_certificate = wants_certificate
        self.sessions: dict[int, Session] = {}
        self.clusters: dict[str, Cluster] = {}
        self._sequence = 0

    @property
    def deadline(self) -> float | None:
        """Return when :meth:`expire` wants to be called."""
        return min((session.deadline for session in self.sessions.values()), default=None)

    def connected(self, now: float, connection: int, address: str) -> None:
        """Take note of a new connection."""
        self.sessions[connection] = Session(connection, address, now + _HANDSHAKE_S)

    def tls_started(self, connection: int) -> None:
        """Take note that a connection is secure."""
        if connection in self.sessions:
            self.sessions[connection].is_secure = True

    def lost(self, connection: int) -> list[ArbiterEffect]:
        """Take note that a connection is gone, and decide anew without its node."""
        session = self.sessions.pop(connection, None)
        cluster = self.clusters.get(session.cluster_name) if session else None
        if session is None or session.voter is None or cluster is None:
            return []
        del cluster.voters[session.voter.node_id]
        if not cluster.voters:
            del self.clusters[cluster.name]
            return []
        return self._decide(cluster)

    def expire(self, now: float) -> list[ArbiterEffect]:
        """Give up the nodes that have been silent for too long."""
        effects: list[ArbiterEffect] = []
        for session in [session for session in self.sessions.values() if session.deadline <= now]:
            effects.append(Close(session.connection, f"{session.address} has been silent for too long"))
            effects += self.lost(session.connection)
        return effects

    def received(self, now: float, connection: int, data: bytes) -> list[ArbiterEffect]:
        """Take bytes of a node."""
        session = self.sessions.get(connection)
        if session is None:
            return []
        effects: list[ArbiterEffect] = []
        session.reader.feed(data)
        while connection in self.sessions:
            try:
                message = session.reader.next()
            except RemoteError as error:
                return effects + self._refuse(session, None, Fault.DECODING, str(error))
            if message is None:
                break
            effects += self._answer(now, session, message)
        return effects

    # -- one message

    def _answer(self, now: float, session: Session, message: Message) -> list[ArbiterEffect]:
        if message.kind is Kind.PREINIT:
            return self._preinit(session, message)
        if message.kind is Kind.STARTTLS and session.cluster_name and self.tls is not Tls.UNSUPPORTED:
            return [BeginTls(session.connection, session.reader.rest())]
        if not session.cluster_name:
            return self._refuse(session, message, Fault.PREINIT_REQUIRED, "spoke before PREINIT")
        if self.tls is Tls.REQUIRED and not session.is_secure:
            return self._refuse(session, message, Fault.TLS_REQUIRED, "spoke without TLS")
        if message.kind is Kind.INIT:
            return self._init(now, session, message)
        voter = session.voter
        if voter is None:
            return self._refuse(session, message, Fault.INIT_REQUIRED, "spoke before INIT")
        session.deadline = now + session.heartbeat * _SILENCE
        match message.kind:
            case Kind.ECHO_REQUEST:
                return [_reply(session, message, Message(Kind.ECHO_REPLY))]
            case Kind.SET_OPTION:
                return self._set_option(now, session, voter, message)
            case Kind.NODE_LIST:
                return self._node_list(session, voter, message)
            case Kind.ASK_FOR_VOTE:
                return self._asked(session, voter, message)
            case Kind.VOTE_INFO_REPLY:
                return self._confirmed(session, message)
            case Kind.HEURISTICS_CHANGE:
                ring, kind = voter.ring_id or NO_RING, Kind.HEURISTICS_CHANGE_REPLY
                answer = Message(kind, ring_id=ring, heuristics=message.heuristics, vote=Vote.NO_CHANGE)
                return [_reply(session, message, answer)]
        return self._refuse(session, message, Fault.UNEXPECTED_MESSAGE, f"sent {message.kind.name}")

    def _preinit(self, session: Session, message: Message) -> list[ArbiterEffect]:
        if not message.cluster_name:
            return self._refuse(session, message, Fault.OPTION_MISSING, "did not say its cluster")
        session.cluster_name = message.cluster_name
        reply = Message(Kind.PREINIT_REPLY, tls=self.tls, client_certificate_required=self.wants_certificate)
        return [_reply(session, message, reply)]

    def _init(self, now: float, session: Session, message: Message) -> list[ArbiterEffect]:
        fault = self._init_fault(session, message)
        reply = Message(
            Kind.INIT_REPLY,
            fault=fault,
            messages=SUPPORTED_MESSAGES,
            options=SUPPORTED_OPTIONS,
            max_request=MAX_MESSAGE,
            max_reply=MAX_MESSAGE,
            algorithms=tuple(sorted(int(algorithm) for algorithm in ALGORITHMS)),
        )
        answer = _reply(session, message, reply)
        node_id, tie_breaker, algorithm = message.node_id, message.tie_breaker, message.algorithm
        if fault or node_id is None or tie_breaker is None or algorithm is None:
            session.deadline = now + _HANDSHAKE_S
            return [answer]
        session.heartbeat = (message.heartbeat_ms or 0) / 1000
        session.deadline = now + session.heartbeat * _SILENCE
        session.algorithm = algorithm
        session.voter = Voter(node_id, tie_breaker)
        cluster = self.clusters.setdefault(session.cluster_name, Cluster(session.cluster_name, algorithm))
        cluster.voters[node_id] = session.voter
        return [answer]

    def _init_fault(self, session: Session, message: Message) -> Fault:
        required = (message.node_id, message.ring_id, message.tie_breaker, message.algorithm, message.heartbeat_ms)
        if any(value is None for value in required):
            return Fault.OPTION_MISSING
        if message.algorithm not in ALGORITHMS:
            return Fault.UNSUPPORTED_ALGORITHM
        if not _LEAST_HEARTBEAT_MS <= (message.heartbeat_ms or 0) <= _MOST_HEARTBEAT_MS:
            return Fault.INVALID_HEARTBEAT_INTERVAL
        cluster = self.clusters.get(session.cluster_name)
        if cluster is None:
            return Fault.NONE
        if message.node_id in cluster.voters:
            return Fault.DUPLICATE_NODE_ID
        if cluster.algorithm is not message.algorithm:
            return Fault.ALGORITHM_DIFFERS
        if any(voter.tie_breaker != message.tie_breaker for voter in cluster.voters.values()):
            return Fault.TIE_BREAKER_DIFFERS
        return Fault.NONE

    def _set_option(self, now: float, session: Session, voter: Voter, message: Message) -> list[ArbiterEffect]:
        if message.heartbeat_ms is not None:
            if not _LEAST_HEARTBEAT_MS <= message.heartbeat_ms <= _MOST_HEARTBEAT_MS:
                return self._refuse(session, message, Fault.INVALID_HEARTBEAT_INTERVAL, "wants an impossible heartbeat")
            session.heartbeat = message.heartbeat_ms / 1000
            session.deadline = now + session.heartbeat * _SILENCE
        if message.keep_active is not None:
            voter.keep_active = message.keep_active
        reply = Message(
            Kind.SET_OPTION_REPLY, heartbeat_ms=int(session.heartbeat * 1000), keep_active=message.keep_active
        )
        return [_reply(session, message, reply)]

    def _node_list(self, session: Session, voter: Voter, message: Message) -> list[ArbiterEffect]:
        kind = message.list_kind
        if kind is None or message.sequence is None or (kind is ListKind.MEMBERSHIP and message.ring_id is None):
            return self._refuse(session, message, Fault.OPTION_MISSING, "sent a list that lacks an option")
        nodes = frozenset(node.node_id for node in message.nodes)
        cluster = self.clusters[session.cluster_name]
        effects: list[ArbiterEffect] = []
        vote = Vote.NO_CHANGE
        if kind in (ListKind.INITIAL_CONFIG, ListKind.CHANGED_CONFIG):
            if voter.node_id not in nodes:
                return self._refuse(session, message, Fault.INVALID_CONFIG_NODE_LIST, "is not in its own node list")
            voter.configured = nodes
            vote, effects = self._judge(cluster) if voter.members else (Vote.ASK_LATER, [])
        elif kind is ListKind.MEMBERSHIP:
            if voter.node_id not in nodes:
                return self._refuse(session, message, Fault.INVALID_MEMBERSHIP_NODE_LIST, "is not in its own ring")
            voter.ring_id, voter.members = message.ring_id, nodes
            vote, effects = self._judge(cluster) if voter.configured else (Vote.ASK_LATER, [])
        reply = Message(Kind.NODE_LIST_REPLY, list_kind=kind, ring_id=voter.ring_id or NO_RING, vote=vote)
        return [*effects, _reply(session, message, reply)]

    def _asked(self, session: Session, voter: Voter, message: Message) -> list[ArbiterEffect]:
        vote, effects = self._judge(self.clusters[session.cluster_name])
        reply = Message(Kind.ASK_FOR_VOTE_REPLY, ring_id=voter.ring_id or NO_RING, vote=vote)
        return [*effects, _reply(session, message, reply)]

    # -- votes

    def _judge(self, cluster: Cluster) -> tuple[Vote, list[ArbiterEffect]]:
        """Decide, and return what to answer to who caused it; the votes are told in messages of their own."""
        effects = self._decide(cluster)
        return (Vote.NO_CHANGE if cluster.chosen is not None or effects else Vote.WAIT_FOR_REPLY), effects

    def _decide(self, cluster: Cluster) -> list[ArbiterEffect]:
        partition = ALGORITHMS[cluster.algorithm](cluster)
        if partition is None:
            cluster.chosen = None
            return []
        effects: list[ArbiterEffect] = []
        for session in self._sessions_of(cluster):
            voter = session.voter
            if voter is not None and voter.node_id not in partition:
                voter.has_vote = False
                effects.append(self._tell(session, voter, Vote.NACK))
        if partition != cluster.active:
            effects.append(Decided(cluster.name, tuple(sorted(partition))))
        cluster.active = cluster.chosen = partition
        return effects + self._tell_chosen(cluster)

    def _confirmed(self, session: Session, message: Message) -> list[ArbiterEffect]:
        if message.sequence == session.awaits_reply:
            session.awaits_reply = 0
        return self._tell_chosen(self.clusters[session.cluster_name])

    def _tell_chosen(self, cluster: Cluster) -> list[ArbiterEffect]:
        """Give the vote to the chosen, unless somebody else has not confirmed yet that it has none."""
        chosen = cluster.chosen
        if chosen is None:
            return []
        sessions = self._sessions_of(cluster)
        others = [one for one in sessions if one.voter is not None and one.voter.node_id not in chosen]
        if any(one.awaits_reply for one in others):
            return []
        effects: list[ArbiterEffect] = []
        for session in sessions:
            voter = session.voter
            if voter is not None and voter.node_id in chosen:
                voter.has_vote = True
                effects.append(self._tell(session, voter, Vote.ACK))
        cluster.chosen = None
        return effects

    def _tell(self, session: Session, voter: Voter, vote: Vote) -> ArbiterEffect:
        self._sequence += 1
        session.awaits_reply = self._sequence
        message = Message(Kind.VOTE_INFO, sequence=self._sequence, ring_id=voter.ring_id or NO_RING, vote=vote)
        return SendTo(session.connection, encode(message))

    def _sessions_of(self, cluster: Cluster) -> list[Session]:
        return [
            session
            for session in self.sessions.values()
            if session.cluster_name == cluster.name and session.voter is not None
        ]

    def _refuse(self, session: Session, message: Message | None, fault: Fault, reason: str) -> list[ArbiterEffect]:
        error = encode(Message(Kind.SERVER_ERROR, sequence=message.sequence if message else None, fault=fault))
        close = Close(session.connection, f"{session.address} {reason}")
        return [SendTo(session.connection, error), close, *self.lost(session.connection)]


def _reply(session: Session, message: Message, reply: Message) -> ArbiterEffect:
    return SendTo(session.connection, encode(replace(reply, sequence=message.sequence)))
