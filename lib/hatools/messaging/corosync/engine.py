"""The corosync style, whole: envelope, ring, packing, groups and votequorum put together. Pure.

Datagrams and time go in, effects of ``views.py`` come out. Between the parts nothing is decided here;
this is the wiring, and the one place that turns effects of the ring into views and messages.
"""

from collections.abc import Callable
from typing import assert_never

from hatools.messaging.corosync.conf import Configuration
from hatools.messaging.corosync.crypto import OVERHEAD, Envelope, Keys
from hatools.messaging.corosync.totem.effects import Effect as RingEffect
from hatools.messaging.corosync.totem.effects import (
    KeepSequence,
    Ordered,
    PacketsSafe,
    RingFormed,
    State,
    StateChanged,
    TokenLate,
    Transmit,
)
from hatools.messaging.corosync.totem.packets import MESSAGE_OVERHEAD, decode
from hatools.messaging.corosync.totem.protocol import Totem
from hatools.messaging.corosync.votequorum import Ballot, VoteQuorum
from hatools.messaging.groups import Card, Facts, Groups, Notice, Ruling
from hatools.messaging.packing import Outbox
from hatools.messaging.views import (
    Datagram,
    Effect,
    Expelled,
    Keep,
    NodeIdentity,
    Remark,
    Severity,
    View,
    ViewInstalled,
)
from hatools.values.errors import RemoteError
from hatools.values.records import dataclass, field

RING_SEQUENCE = "ringid"
"""Name under which the ring's sequence is kept."""
_DATAGRAM_HEADERS = 48
"""IPv6 and UDP headers, which a datagram needs within the network's MTU."""
_MAX_DATAGRAM = 65000


@dataclass(frozen=True, slots=True)
class Identity:
    """What is this node's own: everything that is not in the cluster's configuration.

    ``epoch`` must be larger than in every earlier life, ``ring_sequence`` than every one used in them;
    sequences up to ``reserved_sequence`` need not be kept again. ``mtu`` is that of the network.
    """

    node_id: int
    epoch: int
    ring_sequence: int
    reserved_sequence: int
    mtu: int
    secrets: tuple[bytes, ...]
    randomness: Callable[[int], bytes]


@dataclass(slots=True)
class Counters:
    """What happened so far, for status displays."""

    rejected: int = 0
    by_cause: dict[tuple[str, str], int] = field(default_factory=dict)


class CorosyncEngine:
    """The corosync style at one node."""

    def __init__(self, configuration: Configuration, identity: Identity) -> None:
        self.configuration = configuration
        self.identity = identity
        me = identity.node_id
        nodes = frozenset(node.id for node in configuration.nodes)
        self.local = NodeIdentity(me, next(node.name for node in configuration.nodes if node.id == me))
        keys = tuple(
            Keys(secret, configuration.cluster_name, configuration.protection, identity.randomness)
            for secret in identity.secrets or (b"",)
        )
        several_links = len(configuration.nodes[0].addresses) > 1
        self._envelope = Envelope(me, keys, identity.epoch, nodes, identity.randomness, copies_expected=several_links)
        self._outbox = Outbox(packet_capacity(configuration.netmtu or identity.mtu))
        self.totem = Totem(
            me,
            nodes,
            configuration.timing,
            self._outbox,
            limits=configuration.limits,
            sequence=identity.ring_sequence,
            reserved=identity.reserved_sequence,
        )
        self.quorum = VoteQuorum(configuration.quorum_of(me))
        self.groups = Groups(self.local, self._outbox, self._facts, self._rule)
        self.counters = Counters()
        self._has_met_others = False
        self._now = 0.0
        self._standing_deadline: float | None = None
        """When the window of ``last_man_standing`` has passed."""

    @property
    def view(self) -> View | None:
        """Return the current view; None before the first."""
        return self.groups.view

    @property
    def deadline(self) -> float | None:
        """Return when :meth:`expire` wants to be called."""
        times = [time for time in (self.totem.deadline, self._standing_deadline) if time is not None]
        return min(times, default=None)

    @property
    def is_alone(self) -> bool:
        """Say whether the ring has no other member."""
        return len(self.totem.members) <= 1

    def waiting_bytes(self, group: str) -> int:
        """Return how much waits to be sent to a group."""
        return self._outbox.waiting_bytes(group)

    def start(self, now: float) -> list[Effect]:
        """Begin: alone, until others are heard."""
        return self._perform(now, self.totem.start(now))

    def receive(self, now: float, datagram: bytes, source: str) -> list[Effect]:
        """Process a datagram; whatever is wrong with it changes nothing and is remarked once."""
        effects: list[Effect] = []
        try:
            opened = self._envelope.open(now, datagram)
            effects += [Datagram((node,), reply) for node, reply in opened.replies]
            for body in opened.bodies:
                effects += self._perform(now, self.totem.receive(now, opened.sender, decode(body)))
        except RemoteError as error:
            effects += self._reject(source, str(error))
        return effects

    def expire(self, now: float) -> list[Effect]:
        """Act on the deadlines that have passed."""
        if self._standing_deadline is not None and self._standing_deadline <= now:
            self._standing_deadline = None
            votes = self.quorum.standing_votes
            if votes and self.totem.members[:1] == (self.local.id,):
                self.groups.announce({"expected_votes": votes})
                return self._wake(now) + self._perform(now, self.totem.expire(now))
        return self._perform(now, self.totem.expire(now))

    def join_group(self, now: float, group: str) -> list[Effect]:
        """Take part in a group."""
        self.groups.join_group(group)
        return self._wake(now)

    def leave_group(self, now: float, group: str) -> list[Effect]:
        """Leave a group."""
        self.groups.leave_group(group)
        return self._wake(now)

    def members_of(self, group: str) -> frozenset[int]:
        """Return the nodes that have a client in the group."""
        return self.groups.members_of(group)

    def broadcast(self, now: float, group: str, pieces: tuple[bytes, ...], tag: int) -> list[Effect]:
        """Send to the group's clients on all members."""
        self.groups.broadcast(group, pieces, tag)
        return self._wake(now)

    def broadcast_many(
        self, now: float, group: str, payloads: tuple[bytes, ...], tags: tuple[int, ...]
    ) -> list[Effect]:
        """Send several messages to the group's clients on all members."""
        for payload, tag in zip(payloads, tags, strict=True):
            self.groups.broadcast(group, (payload,), tag)
        return self._wake(now)

    def send_to(self, now: float, group: str, node_id: int, pieces: tuple[bytes, ...]) -> list[Effect]:
        """Send to the group's client on one node."""
        self.groups.send_to(group, node_id, pieces)
        return self._wake(now)

    def depart(self, now: float) -> list[Effect]:
        """Say goodbye; the ring is left when all members know."""
        self.groups.depart()
        return self._wake(now)

    def leave(self, now: float) -> list[Effect]:
        """Leave the ring at once, whether or not the goodbye has been delivered."""
        return self._perform(now, self.totem.leave(now))

    def set_expected_votes(self, now: float, expected: int) -> list[Effect]:
        """Change the expected votes of the whole partition, in its place in the order."""
        self.groups.announce({"expected_votes": expected})
        return self._wake(now)

    def set_votes(self, now: float, node_id: int, votes: int) -> list[Effect]:
        """Change the votes of one node, in its place in the order."""
        self.groups.announce({"node": node_id, "votes": votes})
        return self._wake(now)

    def cancel_wait_for_all(self, now: float) -> list[Effect]:
        """Give up waiting for all nodes, in the whole partition."""
        self.groups.announce({"cancel_wait_for_all": True})
        return self._wake(now)

    def reconfigure(self, now: float, configuration: Configuration) -> list[Effect]:
        """Take over changed timers and quorum rules; nodes, links and keys stay as they are."""
        self.configuration = configuration
        self.totem.timing = configuration.timing
        options = configuration.quorum_of(self.local.id)
        self.quorum.reconfigure(options)
        self.groups.announce({"expected_votes": options.expected_votes})
        return self._wake(now)

    # -- the parts' questions

    def _facts(self) -> Facts:
        ballot = self.quorum.ballot()
        return {
            "style": "corosync",
            "votes": ballot.votes,
            "expected_votes": ballot.expected_votes,
            "waiting": ballot.waiting,
            "was_quorate": ballot.was_quorate,
            "config_version": self.configuration.config_version,
        }

    def _rule(self, cards: dict[int, Card], left: frozenset[int]) -> Ruling:
        verdict = self.quorum.decide({node: _ballot(card) for node, card in cards.items()}, left)
        window = self.configuration.quorum.last_man_standing_window
        self._standing_deadline = self._now + window if self.quorum.standing_votes else None
        votes = sorted((card.name, _integer(card, "votes")) for card in cards.values())
        return Ruling(verdict.quorate, tuple(votes))

    # -- from the ring upwards

    def _wake(self, now: float) -> list[Effect]:
        return self._perform(now, self.totem.wake(now))

    def _perform(self, now: float, effects: list[RingEffect]) -> list[Effect]:
        self._now = now
        result: list[Effect] = []
        for effect in effects:
            match effect:
                case Transmit(targets, data):
                    result.append(Datagram(targets, self._envelope.seal(data)))
                case Ordered(origin, sequence, payload):
                    result += self._ordered(origin, sequence, payload)
                case PacketsSafe(sequence):
                    result += self.groups.safe(sequence)
                case RingFormed(ring_id, members, survivors):
                    self.groups.ring_formed(ring_id, members, survivors)
                case KeepSequence(sequence):
                    result.append(Keep(RING_SEQUENCE, sequence))
                case TokenLate(seconds):
                    limit = self.totem.timing.token * 1000
                    text = f"no token for {seconds * 1000:.0f} ms; the ring breaks after {limit:.0f}"
                    result.append(Remark(Severity.WARNING, text))
                case StateChanged(old, new, cause):
                    result.append(Remark(_severity(old, new), f"ring: {old} to {new}: {cause}"))
                case _:
                    assert_never(effect)
        if self._outbox.backlog() and effects:
            result += self._perform(now, self.totem.wake(now))
        return result

    def _ordered(self, origin: int, sequence: int, payload: bytes) -> list[Effect]:
        try:
            upcalls = self.groups.ordered(origin, sequence, payload)
        except RemoteError as error:
            return self._reject(f"node {origin}", str(error))
        effects: list[Effect] = []
        for upcall in upcalls:
            if isinstance(upcall, Notice):
                effects += self._noticed(upcall)
                continue
            if isinstance(upcall, ViewInstalled):
                effects += self._compare_configurations()
            effects.append(upcall)
        return effects

    def _compare_configurations(self) -> list[Effect]:
        """At the first meeting with others: do not run an outdated configuration (``config_version``)."""
        own = self.configuration.config_version
        cards = self.groups.cards
        if self._has_met_others or len(cards) == 1:
            return []
        self._has_met_others = True
        newest = max(cards.values(), key=lambda card: (_integer(card, "config_version"), card.node))
        if own in (0, _integer(newest, "config_version")):
            return []
        return [
            Expelled(
                f"config_version {own} of our corosync.conf is not the one of the cluster "
                f"({newest.facts['config_version']} on {newest.name}): copy its file here"
            )
        ]

    def _noticed(self, notice: Notice) -> list[Effect]:
        expected = notice.facts.get("expected_votes")
        if isinstance(expected, int):
            self.quorum.set_expected_votes(expected)
            self.groups.amend_cards({"expected_votes": expected})
        node, votes = notice.facts.get("node"), notice.facts.get("votes")
        if isinstance(node, int) and isinstance(votes, int):
            if node == self.local.id:
                self.quorum.set_votes(votes)
            self.groups.amend_cards({"votes": votes}, only=node)
        if notice.facts.get("cancel_wait_for_all"):
            self.quorum.cancel_wait_for_all()
            self.groups.amend_cards({"waiting": False})
        return list(self.groups.rule_again())

    def _reject(self, source: str, cause: str) -> list[Effect]:
        self.counters.rejected += 1
        key = (source, cause)
        count = self.counters.by_cause.get(key, 0) + 1
        if count > 1 or len(self.counters.by_cause) < 1000:
            self.counters.by_cause[key] = count
        if count > 1:
            return []
        return [Remark(Severity.WARNING, f"ignored a datagram from {source}: {cause}")]


def packet_capacity(mtu: int) -> int:
    """Return how many bytes of payload fit into a packet on a network with this MTU."""
    return min(mtu, _MAX_DATAGRAM) - _DATAGRAM_HEADERS - OVERHEAD - MESSAGE_OVERHEAD


def _ballot(card: Card) -> Ballot:
    facts = card.facts
    return Ballot(
        _integer(card, "votes"),
        _integer(card, "expected_votes"),
        bool(facts.get("waiting")),
        bool(facts.get("was_quorate")),
    )


def _integer(card: Card, fact: str) -> int:
    """Return a fact of a card; one that is missing or no number counts nothing."""
    value = card.facts.get(fact, 0)
    return value if isinstance(value, int) else 0


def _severity(old: State, new: State) -> Severity:
    return Severity.INFO if State.OPERATIONAL in (old, new) else Severity.DEBUG
