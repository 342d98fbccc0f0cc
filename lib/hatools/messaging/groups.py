"""Views and groups on top of any total order. Pure.

Underneath is a channel that delivers packets in one order and says when that order begins anew with
other members (a *ring*). Here every member first sends a *card*: name, votes, groups. When the cards
of all members have been delivered, at the same place of the order everywhere, the view is installed;
only then do ordinary messages flow again. So a view needs one exchange and no further barrier, and
whatever is delivered between two views is the same at all members that go from one to the other.
"""

import json
import struct
from collections import deque
from collections.abc import Callable, Mapping

from hatools.messaging.packing import Inbox, Outbox, Pieces
from hatools.messaging.views import (
    Departed,
    DirectMessage,
    GroupMembersChanged,
    GroupMessage,
    GroupMessages,
    NodeIdentity,
    RingId,
    SafeUpTo,
    Upcall,
    View,
    ViewInstalled,
)
from hatools.values.bundle import count_bundle
from hatools.values.errors import RemoteError
from hatools.values.records import dataclass

_APPLICATION = 0
_CONTROL = 1
_BUNDLE = 2
_HEAD = struct.Struct("!BIQB")

Facts = dict[str, int | str | bool]
"""What the style adds to the card: votes and the like."""


@dataclass(frozen=True, slots=True)
class Card:
    """What a member tells all others when a ring has formed."""

    node: int
    name: str
    groups: frozenset[str]
    facts: Facts


@dataclass(frozen=True, slots=True)
class Ruling:
    """The style's answer to a full set of cards: quorum, and the votes by name.

    ``ring_id`` names the view where the ring below has no number that all know; else the view is named as its ring.
    """

    quorate: bool
    votes: tuple[tuple[str, int], ...]
    ring_id: RingId | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A control message of the style itself, in its place in the order."""

    sender: int
    facts: Facts


class Groups:
    """Views, groups and the order of messages at one node.

    Args:
        facts: what our card says besides name and groups, asked for whenever a ring forms.
        rule: decides on quorum, given the cards of all members and who said goodbye since the last view; None if
            these members may not be together: then no view comes until the ring has changed.
    """

    def __init__(
        self,
        me: NodeIdentity,
        outbox: Outbox,
        facts: Callable[[], Facts],
        rule: Callable[[dict[int, Card], frozenset[int]], Ruling | None],
    ) -> None:
        self.me = me
        self.view: View | None = None
        self.cards: dict[int, Card] = {}
        """Cards of the members, of the installed view or as far as they have arrived for the next."""
        self._outbox = outbox
        self._inbox = Inbox(self._concerns_us)
        self._facts = facts
        self._rule = rule
        self._ring: RingId | None = None
        self._ring_members: tuple[int, ...] = ()
        self._companions: frozenset[int] = frozenset()
        self._leaving: set[int] = set()
        self._wanted: set[str] = set()
        self._groups: dict[str, frozenset[int]] = {}
        self._sequence = 0
        self._unsafe: deque[tuple[int, int]] = deque()
        self._goodbye = False
        self.is_synchronised = False
        """Whether the view is that of the current ring."""

    @property
    def has_unsafe(self) -> bool:
        """Say whether messages of this view are not known to be with all members."""
        return bool(self._unsafe)

    def members_of(self, group: str) -> frozenset[int]:
        """Return the nodes that have a client in the group."""
        return self._groups.get(group, frozenset())

    # -- downwards

    def join_group(self, group: str) -> None:
        """Take part in a group, from the place in the order where all learn of it."""
        if group not in self._wanted:
            self._wanted.add(group)
            self._control({"do": "join", "group": group})

    def leave_group(self, group: str) -> None:
        """Leave a group."""
        if group in self._wanted:
            self._wanted.remove(group)
            self._control({"do": "leave", "group": group})

    def broadcast(self, group: str, pieces: Pieces, tag: int) -> None:
        """Queue a message to the group on all members."""
        self._put(group, 0, tag, pieces)

    def broadcast_many(self, group: str, bundle: bytes) -> None:
        """Queue several messages to the group as one."""
        name = group.encode()
        self._outbox.put(group, _HEAD.pack(_BUNDLE, 0, 0, len(name)) + name + bundle)

    def send_to(self, group: str, node_id: int, pieces: Pieces) -> None:
        """Queue a message to the group's client on one node."""
        self._put(group, node_id, 0, pieces)

    def _put(self, group: str, target: int, tag: int, pieces: Pieces) -> None:
        name = group.encode()
        head = _HEAD.pack(_APPLICATION, target, tag, len(name)) + name
        self._outbox.put(group, head + pieces[0], *pieces[1:])

    def announce(self, facts: Facts) -> None:
        """Send a control message of the style; every member gets it as :class:`Notice`."""
        self._control({"do": "notice", "facts": facts})

    def depart(self) -> None:
        """Tell all that we leave; :class:`Departed` follows when they know."""
        self._goodbye = True
        self._control({"do": "goodbye"})

    def _control(self, content: Mapping[str, object]) -> None:
        self._outbox.put_control(bytes([_CONTROL]) + json.dumps(content).encode())

    # -- upwards

    def ring_formed(
        self, ring_id: RingId, members: tuple[int, ...], survivors: frozenset[int], *, holds_card: bool = False
    ) -> None:
        """Begin anew: send our card, hold back everything else.

        Args:
            holds_card: the style has to ask somebody first; it calls :meth:`send_card` then.
        """
        self._ring = ring_id
        self._ring_members = members
        self._companions &= survivors
        self.cards = {}
        self.is_synchronised = False
        self._unsafe.clear()
        self._outbox.restart()
        self._outbox.is_open = False
        if not holds_card:
            self.send_card()

    def send_card(self) -> None:
        """Tell the members of the new ring about us; the view is installed when all have done so."""
        card = {"do": "card", "name": self.me.name, "groups": sorted(self._wanted), "facts": self._facts()}
        self._control(card)
        if self._goodbye:
            self._control({"do": "goodbye"})

    def ordered(
        self, origin: int, packet: int, payload: bytes, *, of_ended_view: bool = False
    ) -> list[Upcall | Notice]:
        """Take a packet's payload in its place in the order.

        Args:
            of_ended_view: it was sent in the installed view, which the ring formed since then will replace; all who go
                on together must take it in the same way, whether or not they know of that ring yet.

        Raises:
            RemoteError: ``origin`` sent what cannot be read.
        """
        upcalls: list[Upcall | Notice] = []
        for pieces in self._inbox.feed(origin, payload):
            first = pieces[0]
            kind = first[0] if first else -1
            if kind == _APPLICATION:
                upcalls += self._application(origin, packet, pieces)
            elif kind == _BUNDLE:
                upcalls.append(self._bundle(origin, packet, b"".join(pieces)))
            elif kind == _CONTROL:
                upcalls += self._controlled(origin, b"".join(pieces), in_view=of_ended_view or self.is_synchronised)
            else:
                raise RemoteError(f"node {origin} sent a message of unknown kind")
        return upcalls

    def safe(self, packet: int) -> list[Upcall]:
        """Take the news that all members have the packets up to this one."""
        newest = 0
        while self._unsafe and self._unsafe[0][0] <= packet:
            newest = self._unsafe.popleft()[1]
        return [SafeUpTo(newest)] if newest else []

    def amend_cards(self, facts: Facts, *, only: int = 0) -> None:
        """Change facts on the cards of all members (or of one), as everybody does at this place in the order."""
        for node, card in self.cards.items():
            if only in (0, node):
                self.cards[node] = Card(card.node, card.name, card.groups, {**card.facts, **facts})

    def rule_again(self) -> list[Upcall]:
        """Ask the style about quorum again, after votes changed; a new view tells if the answer did."""
        if self.view is None or not self.is_synchronised:
            return []
        ruling = self._rule(self.cards, frozenset())
        if ruling is None or (ruling.quorate, ruling.votes) == (self.view.quorate, self.view.votes):
            return []
        self.view = View(self.view.ring_id, self.view.members, ruling.quorate, ruling.votes)
        return [ViewInstalled(self.view)]

    def _concerns_us(self, first_chunk: bytes) -> bool:
        """Say whether a message may concern us, as far as its first chunk tells: it may end within the head."""
        if not first_chunk or first_chunk[0] != _APPLICATION or len(first_chunk) < _HEAD.size:
            return True
        target: int = _HEAD.unpack_from(first_chunk)[1]
        return target in (0, self.me.id)

    def _application(self, origin: int, packet: int, pieces: Pieces) -> list[Upcall]:
        target, tag, group, start = _read_head(origin, pieces[0])
        *before, last = pieces[0][start:], *pieces[1:]
        if target == self.me.id:
            return [DirectMessage(group, origin, last, tuple(before))]
        if target:
            return []
        return [GroupMessage(group, origin, self._count(packet, 1), last, tag, tuple(before))]

    def _bundle(self, origin: int, packet: int, message: bytes) -> Upcall:
        _, _, group, start = _read_head(origin, message)
        bundle = message[start:]
        count = count_bundle(bundle)
        return GroupMessages(group, origin, self._count(packet, count), count, bundle)

    def _count(self, packet: int, messages: int) -> int:
        """Number the messages that a packet completes; return the first one's number."""
        first = self._sequence + 1
        self._sequence += messages
        if self._unsafe and self._unsafe[-1][0] == packet:
            self._unsafe[-1] = (packet, self._sequence)
        else:
            self._unsafe.append((packet, self._sequence))
        return first

    def _controlled(self, origin: int, message: bytes, *, in_view: bool) -> list[Upcall | Notice]:
        try:
            content = json.loads(message[1:])
            match content["do"]:
                case "card":
                    facts = dict(content["facts"])
                    self.cards[origin] = Card(origin, str(content["name"]), frozenset(content["groups"]), facts)
                    return list(self._install()) if len(self.cards) == len(self._ring_members) else []
                case "join":
                    group, arrived, left = str(content["group"]), frozenset({origin}), frozenset[int]()
                    return list(self._change_group(group, arrived, left, in_view=in_view))
                case "leave":
                    group, arrived, left = str(content["group"]), frozenset[int](), frozenset({origin})
                    return list(self._change_group(group, arrived, left, in_view=in_view))
                case "goodbye":
                    self._leaving.add(origin)
                    return [Departed()] if origin == self.me.id else []
                case "notice":
                    return [Notice(origin, dict(content["facts"]))]
                case word:
                    raise ValueError(f"{word!r} is no word of control messages")
        except (ValueError, KeyError, TypeError) as error:
            raise RemoteError(f"node {origin} sent a control message that cannot be read: {error}") from error

    def _change_group(
        self, group: str, arrived: frozenset[int], left: frozenset[int], *, in_view: bool
    ) -> list[Upcall]:
        if not in_view:
            self._amend_groups(group, arrived, left)
            return []
        before = self.members_of(group)
        after = (before | arrived) - left
        if after == before:
            return []
        self._groups[group] = after
        return [_group_change(group, after, arrived - before, left & before)]

    def _amend_groups(self, group: str, arrived: frozenset[int], left: frozenset[int]) -> None:
        """Take over what a member did after it wrote its card, and before the view that the card is for."""
        for node in arrived | left:
            card = self.cards.get(node)
            if card is not None:
                groups = card.groups | {group} if node in arrived else card.groups - {group}
                self.cards[node] = Card(card.node, card.name, groups, card.facts)

    def _install(self) -> list[Upcall]:
        assert self._ring is not None
        members = frozenset(self._ring_members)
        before = self.view.member_ids if self.view else frozenset[int]()
        stayed = before & self._companions & members
        gone = before - stayed
        ruling = self._rule(self.cards, gone & self._leaving)
        if ruling is None:
            return []
        self.view = View(
            ruling.ring_id or self._ring,
            tuple(NodeIdentity(node, self.cards[node].name) for node in sorted(members)),
            ruling.quorate,
            ruling.votes,
            tuple(sorted(members - stayed)),
            tuple(sorted(gone & self._leaving)),
            tuple(sorted(gone - self._leaving)),
        )
        self._companions = members
        self._leaving &= stayed
        self._sequence = 0
        # Only now: below some rings, packets of the old view may still come between the change and the cards.
        self._unsafe.clear()
        self._inbox.restart()
        self.is_synchronised = True
        self._outbox.is_open = True
        return [ViewInstalled(self.view), *self._regroup(stayed)]

    def _regroup(self, stayed: frozenset[int]) -> list[Upcall]:
        """Take the groups from the cards; who did not stay has left and may have arrived again."""
        upcalls: list[Upcall] = []
        names = set(self._groups).union(*(card.groups for card in self.cards.values()))
        for name in sorted(names):
            before = self.members_of(name)
            after = frozenset(node for node, card in self.cards.items() if name in card.groups)
            kept = before & after & stayed
            self._groups[name] = after
            if after - kept or before - kept:
                upcalls.append(_group_change(name, after, after - kept, before - kept))
        return upcalls


def _read_head(origin: int, message: bytes) -> tuple[int, int, str, int]:
    """Return target, tag, group and where the message itself begins."""
    try:
        _, target, tag, length = _HEAD.unpack_from(message)
        start = _HEAD.size + length
        return target, tag, message[_HEAD.size : start].decode(), start
    except (struct.error, UnicodeDecodeError):
        raise RemoteError(f"node {origin} sent a message without a proper head") from None


def _group_change(
    group: str, members: frozenset[int], arrived: frozenset[int], left: frozenset[int]
) -> GroupMembersChanged:
    return GroupMembersChanged(group, tuple(sorted(members)), tuple(sorted(arrived)), tuple(sorted(left)))
