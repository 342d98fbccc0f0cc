"""The corosync style, whole: envelope, ring, packing, groups and votequorum put together. Pure.

Datagrams and time go in, effects of ``views.py`` come out. Between the parts nothing is decided here;
this is the wiring, and the one place that turns effects of the ring into views and messages.
"""

from collections.abc import Callable
from typing import assert_never

from hatools.messaging.admission import PROTOCOL, misfits, refusal
from hatools.messaging.calls import GroupCalls
from hatools.messaging.corosync.ballots import ballot_of, device_facts, facts_of, number_of
from hatools.messaging.corosync.conf import Configuration
from hatools.messaging.corosync.crypto import OVERHEAD, Envelope, Keys
from hatools.messaging.corosync.rejections import Rejections
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
from hatools.messaging.corosync.totem.packets import MESSAGE_OVERHEAD, Probe, decode, encode
from hatools.messaging.corosync.totem.protocol import Totem
from hatools.messaging.corosync.votequorum import VoteQuorum, quorum_of
from hatools.messaging.groups import Card, Facts, Groups, Notice, Ruling
from hatools.messaging.packing import Outbox
from hatools.messaging.views import (
    CutOff,
    Datagram,
    Effect,
    Expelled,
    ForStyle,
    Keep,
    NodeIdentity,
    Remark,
    RingId,
    Severity,
    View,
    ViewInstalled,
)
from hatools.values.errors import InputError, RemoteError
from hatools.values.records import dataclass

RING_SEQUENCE = "ringid"
"""Name under which the ring's sequence is kept."""
EXPECTED_VOTES = "ev_tracking"
"""Name under which the most expected votes ever seen are kept."""
_DATAGRAM_HEADERS = 48
"""IPv6 and UDP headers, which a datagram needs within the network's MTU."""
_MAX_DATAGRAM = 65000
_DEVICE_FACTS = frozenset({"device", "device_alive", "device_casts", "master_wins"})


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
    highest_expected: int = 0
    """The most expected votes ever seen, for ``expected_votes_tracking``."""


@dataclass(frozen=True, slots=True)
class ReadConfiguration:
    """Request to the shell: the cluster was told to reload; read the file and call ``CorosyncEngine.reconfigure``."""


@dataclass(frozen=True, slots=True)
class LinkProbed:
    """Request to the shell: a node asked over a link, or answered; answer it there, or note the answer."""

    node: int
    probe: Probe


@dataclass(frozen=True, slots=True)
class AskArbiter:
    """Request to the shell: ask the quorum device about this ring; :meth:`CorosyncEngine.device_answered` goes on."""

    ring_id: RingId
    members: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TellArbiter:
    """Request to the shell: tell the quorum device how the view turned out."""

    quorate: bool
    members: tuple[int, ...]


class CorosyncEngine(GroupCalls):
    """The corosync style at one node."""

    style = "corosync"
    """What our card says; the heartbeat style carries the same ring and says its own name."""

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
        self.quorum = VoteQuorum(configuration.quorum_of(me), identity.highest_expected)
        self.groups = Groups(self.local, self._outbox, self._facts, self._rule)
        self._refused: frozenset[int] = frozenset()
        """Members that may not be in one view with the others; until they have been told."""
        self.rejections = Rejections()
        self.joins: dict[int, int] = {}
        """How often each node arrived in a view of ours."""
        self._has_met_others = False
        self._now = 0.0
        self._announced: dict[int, Facts] = {}
        """Our notices that have not come back yet: a ring that breaks may take them along, so they are sent again."""
        self._announcements = 0
        self._kept_expected = identity.highest_expected
        self._early: list[Notice] = []
        """Notices that came before the cards of their ring; they hold from the view on."""
        self._standing_deadline: float | None = None
        """When the window of ``last_man_standing`` has passed."""
        self._asked: RingId | None = None
        self._device_deadline: float | None = None
        """Until when our card for the ring ``_asked`` waits for the quorum device."""

    @property
    def deadline(self) -> float | None:
        """Return when :meth:`expire` wants to be called."""
        candidates = (self.totem.deadline, self._standing_deadline, self._device_deadline)
        return min((time for time in candidates if time is not None), default=None)

    @property
    def is_alone(self) -> bool:
        """Say whether the ring has no other member."""
        return len(self.totem.members) <= 1

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
                packet = decode(body)
                if isinstance(packet, Probe):
                    effects.append(ForStyle(LinkProbed(opened.sender, packet)))
                else:
                    effects += self._perform(now, self.totem.receive(now, opened.sender, packet))
        except RemoteError as error:
            effects += self._reject(source, str(error))
        return effects

    def seal_probe(self, probe: Probe) -> bytes:
        """Return the datagram that asks whether a link works, or answers."""
        return self._envelope.seal(encode(probe))

    def reject(self, source: str, cause: str) -> list[Effect]:
        """Note that a datagram was ignored before it came here."""
        return self._reject(source, cause)

    def expire(self, now: float) -> list[Effect]:
        """Act on the deadlines that have passed."""
        if self._device_deadline is not None and self._device_deadline <= now:
            remark = Remark(Severity.WARNING, "the quorum device does not answer: going on without its vote")
            return [remark, *self._go_on_with_device(now, False), *self._perform(now, self.totem.expire(now))]
        if self._standing_deadline is not None and self._standing_deadline <= now:
            self._standing_deadline = None
            votes = self.quorum.standing_votes
            if votes and self.totem.members[:1] == (self.local.id,):
                return self._announce(now, {"expected_votes": votes}) + self._perform(now, self.totem.expire(now))
        return self._perform(now, self.totem.expire(now))

    def leave(self, now: float) -> list[Effect]:
        """Leave the ring at once, whether or not the goodbye has been delivered."""
        return self._perform(now, self.totem.leave(now))

    def set_expected_votes(self, now: float, expected: int) -> list[Effect]:
        """Change the expected votes of the whole partition, in its place in the order.

        Raises:
            InputError: fewer than there are, or so many that quorum would be lost.
        """
        total = self.quorum.verdict.total_votes
        if not total <= expected or quorum_of(expected, total) > total:
            raise InputError(f"{expected} expected votes with {total} votes present")
        return self._announce(now, {"expected_votes": expected, "by_hand": True})

    def set_votes(self, now: float, node_id: int, votes: int) -> list[Effect]:
        """Change the votes of one node, in its place in the order.

        Raises:
            InputError: quorum would be lost by it.
        """
        verdict, card = self.quorum.verdict, self.groups.cards.get(node_id)
        total = verdict.total_votes - (number_of(card.facts, "votes") if card else 0) + votes
        if quorum_of(verdict.highest_expected, total) > total:
            raise InputError(f"with {votes} votes of node {node_id} there would be no quorum")
        return self._announce(now, {"node": node_id, "votes": votes})

    def cancel_wait_for_all(self, now: float) -> list[Effect]:
        """Give up waiting for all nodes, in the whole partition."""
        return self._announce(now, {"cancel_wait_for_all": True})

    def kill(self, now: float, node_id: int, reason: str) -> list[Effect]:
        """Throw a node out; it ends as if it had been lost."""
        return self._announce(now, {"kill": node_id, "reason": reason})

    def reload(self, now: float) -> list[Effect]:
        """Have every member read its configuration again; :class:`ReadConfiguration` asks for it, here as well."""
        return self._announce(now, {"reload": True})

    def reconfigure(self, now: float, configuration: Configuration) -> list[Effect]:
        """Take over a changed configuration: nodes, addresses, timers, votes. See ``conf.fixed_differences``.

        A node that is gone from the nodelist is expelled from the ring; ourselves, if it is us.
        """
        me = self.local.id
        nodes = frozenset(node.id for node in configuration.nodes)
        if me not in nodes:
            return [Expelled(f"this node ({self.local.name}, id {me}) was removed from the nodelist")]
        self.configuration = configuration
        self._envelope.known = nodes
        self._envelope.copies_expected = len(configuration.nodes[0].addresses) > 1
        self._envelope.forget_others()
        before, options = self.quorum.options, configuration.quorum_of(me)
        self.quorum.reconfigure(options)
        facts: Facts = {"node": me, "config_version": configuration.config_version}
        if before.expected_votes != options.expected_votes:
            facts["expected_votes"] = options.expected_votes
        if before.votes != options.votes:
            facts["votes"] = options.votes
        if (before.device is None) != (options.device is None):
            facts |= device_facts(self.quorum.device)
        effects = self._announce(now, facts)
        if self._asked is not None and self.quorum.device is None:
            effects += self._go_on_with_device(now, False)
        self.totem.timing = configuration.timing
        self.totem.limits = configuration.limits
        return effects + self._perform(now, self.totem.set_nodes(now, nodes))

    # -- the quorum device

    def device_answered(self, now: float, ring_id: RingId, casts_vote: bool) -> list[Effect]:
        """Take over what the quorum device says about a ring; it may change its mind while the ring lasts."""
        if ring_id == self._asked:
            return self._go_on_with_device(now, casts_vote)
        view, device = self.groups.view, self.quorum.device
        if view is None or device is None or view.ring_id != ring_id or not self.groups.is_synchronised:
            return []
        if device.casts_vote == casts_vote:
            return []
        self.quorum.set_device_vote(casts_vote)
        return self._announce(now, {"node": self.local.id, **device_facts(self.quorum.device)})

    def device_lost(self, now: float) -> list[Effect]:
        """Go on without the vote of a quorum device that cannot be reached any more."""
        if self._asked is not None:
            return self._go_on_with_device(now, False)
        view = self.groups.view
        return self.device_answered(now, view.ring_id, False) if view is not None else []

    def unregister_device(self, now: float) -> list[Effect]:
        """Do without the quorum device from now on (corosync-quorumtool -f)."""
        self.quorum.unregister_device()
        effects = self._go_on_with_device(now, False) if self._asked is not None else []
        return effects + self._announce(now, {"node": self.local.id, **device_facts(None)})

    def _go_on_with_device(self, now: float, casts_vote: bool) -> list[Effect]:
        self._asked = None
        self._device_deadline = None
        self.quorum.set_device_vote(casts_vote)
        self.groups.send_card()
        return self._wake(now)

    def _ring_formed(self, effect: RingFormed) -> list[Effect]:
        device = self.configuration.quorum.device
        asks = device is not None and self.quorum.device is not None
        self._early.clear()
        self.groups.ring_formed(effect.ring_id, effect.members, effect.survivors, holds_card=asks)
        for number, facts in self._announced.items():
            self.groups.announce({**facts, "number": number})
        self._asked = effect.ring_id if asks else None
        self._device_deadline = self._now + device.sync_timeout if device is not None and asks else None
        return [ForStyle(AskArbiter(effect.ring_id, effect.members))] if asks else []

    def _announce(self, now: float, facts: Facts) -> list[Effect]:
        self._announcements += 1
        self._announced[self._announcements] = facts
        self.groups.announce({**facts, "number": self._announcements})
        return self._wake(now)

    # -- the parts' questions

    def _facts(self) -> Facts:
        return {
            "style": self.style,
            "protocol": PROTOCOL,
            "established": self.groups.view is not None,
            "config_version": self.configuration.config_version,
            **facts_of(self.quorum.ballot()),
        }

    def _rule(self, cards: dict[int, Card], left: frozenset[int]) -> Ruling | None:
        self._refused = misfits(cards)
        if self._refused:
            return None
        ring = self._ring_sequence
        verdict = self.quorum.decide({node: ballot_of(card.facts) for node, card in cards.items()}, left, ring)
        # Should votes change while this view lasts, they are judged by what it has settled.
        waiting = not verdict.quorate and self.quorum.options.wait_for_all
        settled: Facts = {"was_quorate": verdict.quorate, "waiting": waiting}
        self.groups.amend_cards(settled | (self._as_last_quorate() if verdict.quorate else {}))
        window = self.configuration.quorum.last_man_standing_window
        self._standing_deadline = self._now + window if self.quorum.standing_votes else None
        votes = sorted((card.name, number_of(card.facts, "votes")) for card in cards.values())
        return Ruling(verdict.quorate, tuple(votes))

    @property
    def _ring_sequence(self) -> int:
        return self.totem.ring.ring_id.sequence if self.totem.ring is not None else 0

    def _as_last_quorate(self) -> Facts:
        """Return the facts that make the present members the last quorate membership."""
        members = " ".join(map(str, sorted(self.groups.cards)))
        return {"last_quorate": members, "quorate_in": self._ring_sequence}

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
                case RingFormed():
                    result += self._ring_formed(effect)
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
            elif isinstance(upcall, ViewInstalled):
                effects += [*self._compare_configurations(), upcall, *self._view_installed(upcall.view)]
            else:
                effects.append(upcall)
        if self._refused:
            effects += self._refuse()
        if self.groups.is_synchronised and self._early:
            early, self._early = self._early, []
            for notice in early:
                effects += self._noticed(notice)
        return effects

    def _refuse(self) -> list[Effect]:
        """Go, or say who has to; who goes says so, so that the others need not wait for its loss."""
        refused, self._refused = self._refused, frozenset()
        goodbye = self._perform(self._now, self.totem.leave(self._now)) if self.local.id in refused else []
        return [*goodbye, refusal(self.groups.cards, refused, self.local.id)]

    def _view_installed(self, view: View) -> list[Effect]:
        for node in view.arrived:
            self.joins[node] = self.joins.get(node, 0) + 1
        effects: list[Effect] = []
        if self.quorum.tracked > self._kept_expected:
            self._kept_expected = self.quorum.tracked
            effects.append(Keep(EXPECTED_VOTES, self.quorum.tracked))
        if self.quorum.device is not None:
            effects.append(ForStyle(TellArbiter(view.quorate, tuple(member.id for member in view.members))))
        return effects

    def _compare_configurations(self) -> list[Effect]:
        """At the first meeting with others: do not run an outdated configuration (``config_version``)."""
        own = self.configuration.config_version
        cards = self.groups.cards
        if self._has_met_others or len(cards) == 1:
            return []
        self._has_met_others = True
        newest = max(cards.values(), key=lambda card: (number_of(card.facts, "config_version"), card.node))
        if own in (0, number_of(newest.facts, "config_version")):
            return []
        return [
            Expelled(
                f"config_version {own} of our corosync.conf is not the one of the cluster "
                f"({newest.facts['config_version']} on {newest.name}): copy its file here"
            )
        ]

    def _noticed(self, notice: Notice) -> list[Effect]:
        if notice.sender == self.local.id:
            self._announced.pop(number_of(notice.facts, "number"), None)
        if notice.facts.get("reload"):
            return [ForStyle(ReadConfiguration())]
        if number_of(notice.facts, "kill") == self.local.id:
            return [CutOff(f"killed by node {notice.sender}: {notice.facts.get('reason', '')}")]
        if not self.groups.is_synchronised:
            self._early.append(notice)
            return []
        effects = self._note_version(notice)
        self._take_over_votes(notice.facts)
        for upcall in self.groups.rule_again():
            effects.append(upcall)
            if isinstance(upcall, ViewInstalled):
                effects += self._view_installed(upcall.view)
        return effects

    def _take_over_votes(self, facts: Facts) -> None:
        expected = facts.get("expected_votes")
        if isinstance(expected, int):
            self.quorum.set_expected_votes(expected)
            self.groups.amend_cards({"expected_votes": expected})
            if facts.get("by_hand"):  # the administrator vouches that nobody else is quorate
                self.groups.amend_cards(self._as_last_quorate())
        node, votes = number_of(facts, "node"), facts.get("votes")
        if node and isinstance(votes, int):
            if node == self.local.id:
                self.quorum.set_votes(votes)
            self.groups.amend_cards({"votes": votes}, only=node)
        if node and "device" in facts:
            self.groups.amend_cards({key: value for key, value in facts.items() if key in _DEVICE_FACTS}, only=node)
        if facts.get("cancel_wait_for_all"):
            self.quorum.cancel_wait_for_all()
            self.groups.amend_cards({"waiting": False})

    def _note_version(self, notice: Notice) -> list[Effect]:
        """Take over which configuration a node has after a reload; say so if it is not ours."""
        version = notice.facts.get("config_version")
        if not isinstance(version, int):
            return []
        self.groups.amend_cards({"config_version": version}, only=notice.sender)
        own = self.configuration.config_version
        if version == own:
            return []
        name = self.groups.cards[notice.sender].name if notice.sender in self.groups.cards else str(notice.sender)
        return [Remark(Severity.WARNING, f"{name} has config_version {version} of corosync.conf, this node {own}")]

    def _reject(self, source: str, cause: str) -> list[Effect]:
        text = self.rejections.note(source, cause)
        return [Remark(Severity.WARNING, text)] if text else []


def packet_capacity(mtu: int) -> int:
    """Return how many bytes of payload fit into a packet on a network with this MTU."""
    return min(mtu, _MAX_DATAGRAM) - _DATAGRAM_HEADERS - OVERHEAD - MESSAGE_OVERHEAD


def _severity(old: State, new: State) -> Severity:
    return Severity.INFO if State.OPERATIONAL in (old, new) else Severity.DEBUG
