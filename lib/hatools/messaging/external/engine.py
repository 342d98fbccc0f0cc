"""The external style, whole: views, groups and safety on one process group of a running Corosync. Pure.

Corosync orders our packets and the changes of the group, but names no view and knows nothing of safety:

* A **configuration** is a ring together with the processes in the group. When one is known completely, that is,
  ring, members and quorum fit together, each member sends its card (``groups.py``); with the last card the view
  is installed, at the same place everywhere. Its number is agreed upon by the cards.
* A packet names its sender's configuration. One of the view that is still installed may arrive after the change
  that ends it: all who go on together deliver it, as its sender's card comes only behind it. Others drop it.
* Each packet says how many packets its sender has had; the smallest of these numbers is **safe**. A member that
  has nothing to say sends an empty packet for it.
"""

from collections import Counter
from collections.abc import Iterable
from typing import assert_never

from hatools.messaging.admission import PROTOCOL, misfits, refusal
from hatools.messaging.calls import GroupCalls
from hatools.messaging.external.events import (
    Event,
    MembersChanged,
    Message,
    Process,
    QuorumChanged,
    Reason,
    RingChanged,
)
from hatools.messaging.external.packets import HEAD_SIZE, seal, tag_of, unseal
from hatools.messaging.groups import Card, Facts, Groups, Notice, Ruling
from hatools.messaging.packing import Outbox
from hatools.messaging.views import (
    NO_RING,
    Datagram,
    Effect,
    Expelled,
    ForStyle,
    GroupMessage,
    GroupMessages,
    Keep,
    NodeIdentity,
    Remark,
    RingId,
    Severity,
    ViewInstalled,
)
from hatools.values.errors import RemoteError
from hatools.values.records import dataclass

STYLE = "external"
VIEW_SEQUENCE = "ringid"
"""Name under which the number of the last view is kept."""

PACKET_SIZE = 60_000
"""Bytes: below what Corosync cuts itself, small enough that streams take turns."""
_WINDOW = 8
"""Our packets that may be on their way: the rest waits here, where small messages are packed together."""
_ACK_INTERVAL_S = 0.002
_PATIENCE_S = 5.0
"""How long cards may be missing before the log names those whose they are, or a double of this node is borne."""


FROZEN_LIMIT_S = 20.0
"""How long a member may answer nothing before it is thrown out. Its own pacemakerd kills a daemon that hangs sooner;
this is for a node on which all of ours is frozen, and Corosync is not."""


@dataclass(frozen=True, slots=True)
class ThrowOut:
    """For the style: have Corosync on a node end itself."""

    node: int
    reason: str


class ExternalEngine(GroupCalls):
    """The external style at one node.

    Args:
        process: under which Corosync knows this process.
        sequence: of the last view of any earlier life of this node.
    """

    def __init__(self, local: NodeIdentity, process: Process, sequence: int, *, protocol: int = PROTOCOL) -> None:
        self.local = local
        self.process = process
        self._protocol = protocol
        self.ring = NO_RING
        self.ring_nodes: frozenset[int] = frozenset()
        self._quorum: QuorumChanged | None = None
        self._members: dict[str, Process] = {}
        self._seen: Counter[tuple[Process, ...]] = Counter()
        """How often on this ring the group has consisted of the same processes: all of them count alike."""
        self._ring_due = False
        """Whether nodes came or went and the new ring has not been told yet."""
        self._survivors: frozenset[int] = frozenset()
        self._tag = b""
        self._view_tag = b""
        self._sequence = sequence
        self._early: list[tuple[Process, bytes, int, bytes]] = []
        """Packets of a configuration that their senders knew before us: the quorum comes on a way of its own."""
        self._received = 0
        self._acknowledged: dict[str, int] = {}
        self._safe = 0
        self._owes_ack = False
        self._acked_at = float("-inf")
        self._in_flight = 0
        self._waiting_since: float | None = None
        self._unanswered_since: float | None = None
        """Since when a card or an acknowledgement is missing without any progress."""
        self._said: tuple[bool, int] = (False, 0)
        self._rejected: set[tuple[str, str]] = set()
        self._refused: frozenset[int] = frozenset()
        self._refusal_said = False
        self._outbox = Outbox(PACKET_SIZE - HEAD_SIZE)
        self.groups = Groups(local, self._outbox, self._facts, self._rule)

    @property
    def is_alone(self) -> bool:
        """Say whether the group has no other member."""
        return len(self._members) <= 1

    @property
    def state(self) -> str:
        """Return where this node stands, in the words of the ring: joining, gather, recovery or operational."""
        if self.process not in self._members.values():
            return "joining"
        if not self._tag:
            return "gather"
        return "operational" if self.groups.is_synchronised else "recovery"

    @property
    def deadline(self) -> float | None:
        """Return when :meth:`expire` wants to be called."""
        times = []
        if self._owes_ack:
            times.append(self._acked_at + _ACK_INTERVAL_S)
        if self._waiting_since is not None:
            times.append(self._waiting_since + _PATIENCE_S)
        if self._unanswered_since is not None:
            times.append(self._unanswered_since + FROZEN_LIMIT_S)
        return min(times, default=None)

    def start(self, now: float) -> list[Effect]:
        """Begin; Corosync's first events tell the rest."""
        self._waiting_since = now
        return []

    def receive(self, now: float, datagram: bytes, source: str) -> list[Effect]:
        """Take a message of the group; ``source`` is its sender as ``NODE:PID``."""
        node, _, pid = source.partition(":")
        return self.take(now, [Message(Process(int(node), int(pid)), datagram)])

    def take(self, now: float, events: Iterable[Event]) -> list[Effect]:
        """Take what Corosync's libraries tell, in order."""
        effects: list[Effect] = []
        for event in events:
            match event:
                case Message(sender, data):
                    effects += self._message(now, sender, data)
                case MembersChanged():
                    self._members_changed(now, event)
                    effects += self._form(now)
                case RingChanged():
                    self._ring_changed(event)
                    effects += self._form(now)
                case QuorumChanged():
                    effects += self._quorum_changed(now, event)
                case _:
                    assert_never(event)
        return effects + self._wake(now)

    def expire(self, now: float) -> list[Effect]:
        """Acknowledge what is owed; name those that keep everybody waiting."""
        effects: list[Effect] = []
        if self._waiting_since is not None and now >= self._waiting_since + _PATIENCE_S:
            self._waiting_since = None if self.groups.is_synchronised else now
            effects += self._complain()
        if self._unanswered_since is not None and now >= self._unanswered_since + FROZEN_LIMIT_S:
            self._unanswered_since = now
            effects += self._throw_out_silent()
        return effects + self._wake(now)

    def leave(self, now: float) -> list[Effect]:
        """Stop; leaving the group itself is the style's."""
        return []

    # -- the configuration

    def _members_changed(self, now: float, change: MembersChanged) -> None:
        before = {process.node for process in self._members.values()}
        gone = {process.node for process, _ in change.left}
        came = {process.node for process in change.joined}
        down = {process.node for process, reason in change.left if reason is Reason.NODEDOWN}
        if self.process in change.joined:
            before = set()
        if down & self.ring_nodes or came - self.ring_nodes:
            self._ring_due = True
        self._survivors = frozenset((before if self._tag else self._survivors & before) - gone - came)
        self._members = {str(process): process for process in change.members}
        self._seen[self._present] += 1
        # This configuration does not hold any more: nothing is sent until the next one is known.
        self._tag = b""
        self._outbox.is_open = False
        self._owes_ack = False
        self._early.clear()
        self._waiting_since = now
        self._unanswered_since = None

    @property
    def _present(self) -> tuple[Process, ...]:
        return tuple(sorted(self._members.values()))

    def _ring_changed(self, change: RingChanged) -> None:
        if change.ring == self.ring:
            return
        self.ring, self.ring_nodes, self._ring_due = change.ring, change.nodes, False
        self._seen = Counter({self._present: 1})
        self._early.clear()

    def _quorum_changed(self, now: float, change: QuorumChanged) -> list[Effect]:
        if self._quorum is not None and change.ring < self._quorum.ring:
            return []  # late: of a ring that has gone
        self._quorum = change
        effects = self._form(now)
        if self._tag and self._said != (change.quorate, change.votes):
            self._said = (change.quorate, change.votes)
            self.groups.announce({"quorate": change.quorate, "votes": change.votes})
        return effects

    def _form(self, now: float) -> list[Effect]:
        """Send our card if ring, members and quorum fit together and nothing was sent for them yet."""
        nodes = {process.node for process in self._members.values()}
        if self._ring_due or self.process not in self._members.values() or not nodes <= self.ring_nodes:
            return []
        if self._quorum is None or self._quorum.ring != self.ring or len(nodes) != len(self._members):
            return []
        tag = tag_of(self.ring, self._present, self._seen[self._present])
        if tag == self._tag:
            return []
        if self._tag:  # another ring, and the same processes
            self._survivors = frozenset(nodes)
        self._tag = tag
        self._received = self._safe = 0
        self._acknowledged = dict.fromkeys(self._members, 0)
        self._unanswered_since = now
        self._refused, self._refusal_said = frozenset(), False
        self._said = (self._quorum.quorate, self._quorum.votes)
        self.groups.ring_formed(self.ring, tuple(sorted(nodes)), self._survivors)
        text = f"corosync's ring {self.ring}: waiting for the cards of {', '.join(map(str, sorted(nodes)))}"
        effects: list[Effect] = [Remark(Severity.DEBUG, text)]
        early, self._early = self._early, []
        for sender, its_tag, received, payload in early:
            if its_tag == tag:
                effects += self._current(now, sender, received, payload)
        return effects

    def _complain(self) -> list[Effect]:
        """Say who keeps us waiting, and step back before another messaging daemon of this node."""
        doubles = [other for other in self._members.values() if other.node == self.process.node]
        if len(doubles) > 1:
            # The one that came first has seen the other come; in the order of the group both agree who that is.
            others = ", ".join(str(other.pid) for other in doubles if other != self.process)
            if self.view is None:
                return [Expelled(f"another messaging daemon of this node is in the group (process {others}): stop it")]
            return [Remark(Severity.WARNING, f"another messaging daemon of this node came (process {others})")]
        if not self._tag or self.groups.is_synchronised or self._refused:
            return []
        silent = sorted({process.node for process in self._members.values()} - set(self.groups.cards))
        return [Remark(Severity.WARNING, f"no view yet: nothing heard from {', '.join(map(str, silent))}")]

    def _throw_out_silent(self) -> list[Effect]:
        """Let the first of those who answer throw out those who do not."""
        if not self._tag or self._refused:
            return []
        if self.groups.is_synchronised:
            late = {self._members[key].node for key, count in self._acknowledged.items() if count <= self._safe}
        else:
            late = {process.node for process in self._members.values()} - set(self.groups.cards)
        alive = {process.node for process in self._members.values()} - late
        reason = f"nothing was heard from its messaging for {FROZEN_LIMIT_S:g} s"
        effects: list[Effect] = [Remark(Severity.WARNING, f"node {node}: {reason}") for node in sorted(late)]
        if min(alive, default=0) == self.local.id:
            effects += [ForStyle(ThrowOut(node, reason)) for node in sorted(late)]
        return effects

    # -- the cards

    def _facts(self) -> Facts:
        quorate, votes = self._said
        return {
            "style": STYLE,
            "protocol": self._protocol,
            "sequence": self._sequence,
            "established": self.view is not None,
            "quorate": quorate,
            "votes": votes,
        }

    def _rule(self, cards: dict[int, Card], left: frozenset[int]) -> Ruling | None:
        self._refused = misfits(cards)
        if self._refused:
            return None
        votes = sorted((card.name, _number(card, "votes")) for card in cards.values())
        quorate = all(card.facts.get("quorate") is True for card in cards.values())
        sequence = 1 + max(_number(card, "sequence") for card in cards.values())
        return Ruling(quorate, tuple(votes), RingId(sequence, min(cards)))

    # -- packets

    def _message(self, now: float, sender: Process, data: bytes) -> list[Effect]:
        if sender == self.process:
            self._in_flight -= 1
        if str(sender) not in self._members:
            return []  # late: from a process that has gone
        try:
            tag, received, payload = unseal(data)
            if tag == self._tag:
                return self._current(now, sender, received, payload)
            if tag == self._view_tag:
                return self._ordered(sender.node, payload, of_ended_view=True)
        except RemoteError as error:
            return self._reject(str(sender), str(error))
        self._early.append((sender, tag, received, payload))
        return []

    def _current(self, now: float, sender: Process, received: int, payload: bytes) -> list[Effect]:
        """Take a packet of the present configuration."""
        self._received += 1
        self._acknowledged[str(sender)] = received
        before = self._safe, len(self.groups.cards)
        effects = self._ordered(sender.node, payload) + self._settle()
        if self.groups.is_synchronised and not self.groups.has_unsafe:
            self._unanswered_since = None
        elif self._unanswered_since is None or before != (self._safe, len(self.groups.cards)):
            self._unanswered_since = now
        return effects

    def _ordered(self, node: int, payload: bytes, *, of_ended_view: bool = False) -> list[Effect]:
        effects: list[Effect] = []
        for upcall in self.groups.ordered(node, self._received, payload, of_ended_view=of_ended_view):
            match upcall:
                case Notice(sender, facts):
                    self.groups.amend_cards(facts, only=sender)
                    effects += self.groups.rule_again()
                    continue
                case ViewInstalled(view) if self._tag != self._view_tag:
                    self._view_tag = self._tag
                    self._waiting_since = None
                    if view.ring_id.sequence > self._sequence:
                        self._sequence = view.ring_id.sequence
                        effects.append(Keep(VIEW_SEQUENCE, self._sequence))
                case GroupMessage() | GroupMessages():
                    self._owes_ack = self._tag != b""
            effects.append(upcall)
        if self._refused and not self._refusal_said:
            self._refusal_said = True
            effects.append(refusal(self.groups.cards, self._refused, self.local.id))
        return effects

    def _settle(self) -> list[Effect]:
        """Report what all members have had by now."""
        if not self.groups.is_synchronised:
            return []
        self._acknowledged[str(self.process)] = self._received
        safe = min(self._acknowledged.values())
        if safe <= self._safe:
            return []
        self._safe = safe
        return list(self.groups.safe(safe))

    def _reject(self, source: str, cause: str) -> list[Effect]:
        if (source, cause) in self._rejected or len(self._rejected) > 1000:
            return []
        self._rejected.add((source, cause))
        return [Remark(Severity.WARNING, f"ignored a message from {source}: {cause}")]

    def _wake(self, now: float) -> list[Effect]:
        """Send what waits, as far as the window goes, or at least the acknowledgement that is owed."""
        effects: list[Effect] = []
        if not self._tag:
            return effects
        while self._in_flight < _WINDOW and (payload := self._outbox.pull()) is not None:
            effects.append(self._packet(payload))
        if self._owes_ack and not effects and self._in_flight < _WINDOW and now >= self._acked_at + _ACK_INTERVAL_S:
            effects.append(self._packet(b""))
            self._acked_at = now
        return effects

    def _packet(self, payload: bytes) -> Datagram:
        self._in_flight += 1
        self._owes_ack = False
        return Datagram((), seal(self._tag, self._received, payload))


def _number(card: Card, fact: str) -> int:
    value = card.facts.get(fact, 0)
    return value if isinstance(value, int) else 0
