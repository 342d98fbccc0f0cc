"""One ring's order: what was sent, what is missing, delivered and safe. Pure.

A :class:`Ring` exists from RECOVERY on. The token brings the number of the newest message, so each
member sees its gaps; whoever has a message that is listed as missing sends it again. Messages are
delivered as soon as nothing before them is missing (agreed order) and are *safe* once the token's
"all received up to" (aru) has stayed at or above them for one whole turn: then every member has them.
"""

from typing import Protocol

from hatools.messaging.corosync.totem.packets import MAX_RANGES, Message, Token
from hatools.messaging.views import RingId
from hatools.values.errors import RemoteError
from hatools.values.records import dataclass


class Source(Protocol):
    """Where the payloads of new messages come from."""

    def backlog(self) -> int:
        """Return how many packets wait, roughly."""

    def pull(self) -> bytes | None:
        """Return the next packet's payload, None if nothing waits."""


@dataclass(frozen=True, slots=True)
class FlowLimits:
    """Flow control, in packets: ``window`` per turn of the token, ``per_visit`` for one member."""

    window: int = 50
    per_visit: int = 17
    miss_count: int = 5
    horizon: int = 4096
    """Newest message minus aru: beyond it nobody sends, so that a member that lags bounds our memory."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What one visit of the token made us do: send ``messages`` and then pass ``token`` on."""

    messages: list[Message]
    created: int
    token: Token


class Ring:
    """The ordering state of one ring at one member.

    Invariants: ``safe <= delivered <= aru <= highest``; every number in ``safe+1..aru`` is in
    ``messages``; ``turn`` only grows.
    """

    __slots__ = (
        "_last_aru",
        "_last_backlog",
        "_last_created",
        "_limits",
        "_missed",
        "_sent_again",
        "_stalled_at",
        "aru",
        "delivered",
        "highest",
        "me",
        "members",
        "messages",
        "next_member",
        "ring_id",
        "safe",
        "stalled",
        "turn",
    )

    def __init__(self, ring_id: RingId, members: tuple[int, ...], me: int, limits: FlowLimits) -> None:
        self.ring_id = ring_id
        self.members = members
        self.me = me
        self.next_member = members[(members.index(me) + 1) % len(members)]
        """Who gets the token after us."""
        self.messages: dict[int, Message] = {}
        self.aru = 0
        self.highest = 0
        self.delivered = 0
        self.safe = 0
        self.turn = 0
        self.stalled = 0
        """Visits in a row at which the token's aru did not move although somebody lacks messages."""
        self._stalled_at = -1
        self._limits = limits
        self._last_aru = 0
        self._last_backlog = 0
        self._last_created = 0
        self._missed: dict[int, int] = {}
        self._sent_again: frozenset[int] = frozenset()

    def first_token(self) -> Token:
        """Return the token with which the leader begins."""
        return Token(self.ring_id, self.me, 1, 0, 0, 0, 0, 0, False, [])

    def check_token(self, token: Token) -> None:
        """Refuse a token that no member could have made: its numbers would have us search without end.

        Raises:
            RemoteError: the token is not plausible.
        """
        if token.aru > token.sequence or token.sequence - self.aru > 2 * self._limits.horizon:
            raise RemoteError(f"a token with impossible numbers ({token.aru}, {token.sequence})")

    def store(self, message: Message) -> bool:
        """Keep a message of this ring; False if we have it already or had it.

        Raises:
            RemoteError: flow control does not let anybody get so far ahead.
        """
        number = message.sequence
        if number - self.aru > 2 * self._limits.horizon:
            raise RemoteError(f"a message with an impossible number ({number})")
        if number <= self.aru or number in self.messages:
            return False
        self.messages[number] = message
        if number > self.highest:
            self.highest = number
        if number == self.aru + 1:
            self._advance()
        return True

    def deliverable(self) -> list[Message]:
        """Return the messages that are next in order and mark them as delivered."""
        if self.delivered == self.aru:
            return []
        batch = [self.messages[number] for number in range(self.delivered + 1, self.aru + 1)]
        self.delivered = self.aru
        return batch

    def remainder(self, survivors: frozenset[int]) -> list[Message]:
        """Return what is still to be delivered when the ring has ended, gaps included.

        After recovery all survivors hold the same messages. Behind a gap only those of survivors
        count: nothing they said can depend on what was lost, and their own are complete.
        """
        batch = self.deliverable()
        for number in sorted(self.messages):
            if number > self.delivered and self.messages[number].origin in survivors:
                batch.append(self.messages[number])
        self.delivered = max(self.highest, self.delivered)
        return batch

    def take_token(self, token: Token, source: Source, *, wrapped: bool = False) -> Visit:
        """Answer the token: retransmit, send, report gaps, and return the token to pass on.

        With ``wrapped`` the source yields messages of an old ring (RECOVERY).
        """
        self.turn = token.turn
        self._release(min(self._last_aru, token.aru))
        wanted: set[int] = set()
        again: list[Message] = []
        if token.missing:
            wanted, again = self._answer_gaps(token)
        self._sent_again = frozenset(message.sequence for message in again) if len(self.members) > 2 else frozenset()

        created = self._create(token, source, self._limits.per_visit - len(again), wrapped)
        wanted.update(self._gaps(token.sequence))
        self._lower_aru(token)
        token.missing = _ranges(sorted(wanted)) if wanted else []
        token.turn += 1
        token.target = self.next_member
        self.turn = token.turn
        self._last_aru = token.aru
        return Visit(again + created, len(created), token)

    def _answer_gaps(self, token: Token) -> tuple[set[int], list[Message]]:
        """Return which messages are still missing somewhere, and those that we send again."""
        wanted = {
            number
            for first, last in token.missing
            for number in range(max(first, self.safe + 1), min(last, token.sequence) + 1)
        }
        held = (number for number in sorted(wanted) if number in self.messages)
        # Who has just sent a message again leaves it to the next member if it is still missing: perhaps whoever
        # lacks it hears that one better.
        again = [self.messages[number] for number in held if number not in self._sent_again][: self._limits.per_visit]
        wanted.difference_update(message.sequence for message in again)
        return wanted, again

    def run_alone(self, source: Source) -> bool:
        """Order everything that waits, as the only member; True if there was anything."""
        before = self.highest
        while (payload := source.pull()) is not None:
            self.highest += 1
            self.messages[self.highest] = Message(self.ring_id, self.highest, self.me, False, payload)
        self.aru = self.highest
        return self.highest > before

    def release_alone(self) -> None:
        """As the only member: all that was delivered is safe."""
        self._release(self.delivered)

    def _advance(self) -> None:
        number = self.aru + 1
        messages = self.messages
        while number in messages:
            number += 1
        self.aru = number - 1

    def _create(self, token: Token, source: Source, room: int, wrapped: bool) -> list[Message]:
        limits = self._limits
        waiting = source.backlog()
        token.flow = max(0, token.flow - self._last_created)
        token.backlog = max(0, token.backlog + waiting - self._last_backlog)
        room = min(room, limits.window - token.flow, token.aru + limits.horizon - token.sequence)
        if token.backlog > waiting:
            room = min(room, max(1, limits.window * waiting // token.backlog))
        created: list[Message] = []
        while len(created) < room and (payload := source.pull()) is not None:
            token.sequence += 1
            message = Message(self.ring_id, token.sequence, self.me, wrapped, payload)
            self.store(message)
            created.append(message)
        token.flow += len(created)
        self._last_created = len(created)
        self._last_backlog = waiting
        return created

    def _gaps(self, newest: int) -> list[int]:
        """Return the numbers that were missing at enough visits to be asked for."""
        if self.aru >= newest:
            self._missed.clear()
            return []
        missed: dict[int, int] = {}
        for number in range(self.aru + 1, newest + 1):
            if number not in self.messages:
                missed[number] = self._missed.get(number, 0) + 1
        self._missed = missed
        return [number for number, count in missed.items() if count >= self._limits.miss_count]

    def _lower_aru(self, token: Token) -> None:
        if self.aru < token.aru or token.aru_node in (self.me, 0):
            token.aru = self.aru
            token.aru_node = 0 if token.aru == token.sequence else self.me
        if token.aru_node != 0 and token.aru == self._stalled_at:
            self.stalled += 1
        else:
            self.stalled = 0
        self._stalled_at = token.aru

    def _release(self, safe: int) -> None:
        """Forget what every member has."""
        for number in range(self.safe + 1, min(safe, self.delivered) + 1):
            del self.messages[number]
        self.safe = max(self.safe, min(safe, self.delivered))


def _ranges(numbers: list[int]) -> list[tuple[int, int]]:
    """Return ascending numbers as (first, last) ranges, at most :data:`MAX_RANGES`."""
    ranges: list[tuple[int, int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        elif len(ranges) == MAX_RANGES:
            break
        else:
            ranges.append((number, number))
    return ranges
