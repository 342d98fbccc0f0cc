"""One ring's order, step by step."""

from collections import deque

from hatools.messaging.corosync.totem.packets import Message, Token
from hatools.messaging.corosync.totem.ring import FlowLimits, Ring
from hatools.messaging.views import RingId

RING = RingId(8, 1)


class Queue:
    def __init__(self, *payloads: bytes) -> None:
        self.payloads = deque(payloads)

    def backlog(self) -> int:
        return len(self.payloads)

    def pull(self) -> bytes | None:
        return self.payloads.popleft() if self.payloads else None


NOTHING = Queue()


def ring(me: int, **limits: int) -> Ring:
    return Ring(RING, (1, 2), me, FlowLimits(**limits))


def message(number: int, origin: int = 1) -> Message:
    return Message(RING, number, origin, False, b"%d" % number)


def token(turn: int, sequence: int = 0, aru: int = 0, **fields: object) -> Token:
    made = Token(RING, 1, turn, sequence, aru, 0, 0, 0, False, [])
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def test_messages_are_delivered_in_order_once_nothing_is_missing() -> None:
    one = ring(2)
    one.store(message(2))
    assert one.deliverable() == []

    one.store(message(1))

    assert [found.sequence for found in one.deliverable()] == [1, 2]
    assert one.deliverable() == []


def test_a_repeated_message_is_not_stored_again() -> None:
    one = ring(2)
    assert one.store(message(1))
    assert not one.store(message(1))


def test_the_token_lets_us_send_and_passes_to_the_next() -> None:
    one = ring(1)

    visit = one.take_token(token(1), Queue(b"a", b"b"))

    assert [found.sequence for found in visit.messages] == [1, 2]
    assert (visit.token.sequence, visit.token.aru, visit.token.target, visit.token.turn) == (2, 2, 2, 2)


def test_a_member_that_lacks_messages_lowers_the_aru_and_asks_for_them_after_some_visits() -> None:
    two = ring(2, miss_count=3)

    asked = []
    for turn in range(3):
        visit = two.take_token(token(2 * turn + 1, 2, 2), NOTHING)
        asked.append(visit.token.missing)

    assert asked == [[], [], [(1, 2)]]
    assert (visit.token.aru, visit.token.aru_node) == (0, 2)


def test_a_member_that_has_what_is_missing_sends_it_again() -> None:
    one = ring(1)
    one.take_token(token(1), Queue(b"a", b"b", b"c"))

    visit = one.take_token(token(3, 3, 0, aru_node=2, missing=[(2, 3)]), NOTHING)

    assert [found.sequence for found in visit.messages] == [2, 3]
    assert visit.token.missing == []


def test_messages_are_safe_and_forgotten_when_the_aru_stayed_for_a_whole_turn() -> None:
    one = ring(1)
    one.take_token(token(1), Queue(b"a"))
    one.deliverable()
    assert one.safe == 0

    one.take_token(token(3, 1, 1), NOTHING)

    assert one.safe == 1 and one.messages == {}


def test_an_aru_that_somebody_lowered_since_makes_nothing_safe() -> None:
    one = ring(1)
    one.take_token(token(1), Queue(b"a"))
    one.deliverable()

    one.take_token(token(3, 1, 0, aru_node=2), NOTHING)

    assert one.safe == 0


def test_flow_control_limits_what_one_visit_sends() -> None:
    one = ring(1, per_visit=3, window=5)

    first = one.take_token(token(1), Queue(*[b"x"] * 10))
    second = one.take_token(token(3, 3, 3, flow=6), Queue(*[b"x"] * 10))

    assert (first.created, second.created) == (3, 2)


def test_nobody_sends_far_ahead_of_a_member_that_lags() -> None:
    one = ring(1, horizon=4)
    one.take_token(token(1), Queue(*[b"x"] * 4))

    visit = one.take_token(token(3, 4, 0, aru_node=2), Queue(b"y"))

    assert visit.created == 0


def test_behind_a_gap_only_messages_of_survivors_are_delivered_at_the_end() -> None:
    one = ring(1)
    for number, origin in ((1, 2), (3, 1), (4, 2)):
        one.store(message(number, origin))

    assert [found.sequence for found in one.remainder(frozenset({1}))] == [1, 3]
