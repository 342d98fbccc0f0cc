"""The protocol against peers that hold the right key and talk nonsense: nothing raises, the ring can go on."""

import random

import pytest

from hatools.messaging.corosync.totem.effects import Effect, Ordered, State, Timing, Transmit
from hatools.messaging.corosync.totem.packets import (
    Commit,
    CommitEntry,
    Escorted,
    HoldCancel,
    Join,
    Merge,
    Message,
    Packet,
    Token,
    decode,
    encode,
)
from hatools.messaging.corosync.totem.protocol import Totem
from hatools.messaging.views import RingId
from hatools.values.errors import RemoteError

NODES = frozenset({1, 2, 3})


class Idle:
    def backlog(self) -> int:
        return 0

    def pull(self) -> bytes | None:
        return None


class Waiting(Idle):
    """A source in which payloads wait."""

    def __init__(self, *payloads: bytes) -> None:
        self.payloads = list(payloads)

    def backlog(self) -> int:
        return len(self.payloads)

    def pull(self) -> bytes | None:
        return self.payloads.pop(0) if self.payloads else None


def ring_of_three(source: Idle | None = None) -> dict[int, Totem]:
    """Three nodes in one ring, on a network that delivers at once; ``source`` is what node 1 has to send."""
    nodes = {number: Totem(number, NODES, Timing(), source if number == 1 and source else Idle()) for number in NODES}
    pending: list[tuple[int, Effect]] = []
    for number, node in nodes.items():
        pending += [(number, effect) for effect in node.start(0.0)]
    for step in range(5000):
        if not pending:
            break
        sender, effect = pending.pop(0)
        if isinstance(effect, Transmit):
            for target in effect.targets:
                answer = nodes[target].receive(step * 1e-4, sender, decode(effect.data))
                pending += [(target, reply) for reply in answer]
    assert all(node.state is State.OPERATIONAL and len(node.members) == 3 for node in nodes.values())
    return nodes


def nonsense(generator: random.Random, node: Totem) -> Packet:
    """Return a packet whose fields are plausible one by one."""
    known = [node.ring.ring_id] if node.ring else []
    if node._commit is not None:
        known.append(node._commit.ring)
    ring = generator.choice([*known, RingId(generator.randrange(40), generator.randrange(4))])

    def number() -> int:
        return generator.choice((0, 1, 2, 5, 40, 2**40))

    def nodes() -> frozenset[int]:
        return frozenset(generator.sample((1, 2, 3, 9), generator.randrange(5)))

    match generator.randrange(6):
        case 0:
            gaps = [(number(), number()) for _ in range(generator.randrange(3))]
            flag = generator.random() < 0.5
            return Token(ring, 1, number(), number(), number(), number() & 0xFF, number() & 0xFF, 0, flag, gaps)
        case 1:
            payload = generator.randbytes(generator.randrange(40))
            return Message(ring, number(), generator.randrange(5), generator.random() < 0.5, payload)
        case 2:
            return Merge(ring, nodes())
        case 3:
            return Join(nodes(), nodes(), nodes(), number(), generator.random() < 0.3)
        case 4:
            entries = tuple(
                CommitEntry(one, generator.random() < 0.5, ring, number(), number()) for one in sorted(nodes())
            )
            return Commit(ring, 1, number(), entries)
    return HoldCancel(ring)


@pytest.mark.parametrize("seed", range(150))
def test_nonsense_from_a_peer_raises_nothing_but_remote_errors(seed: int) -> None:
    generator = random.Random(seed)
    node = ring_of_three()[1]
    now = 10.0
    for _ in range(200):
        now += generator.choice((0.0, 0.001, 0.06, 2.0))
        packet = decode(encode(nonsense(generator, node)))
        try:
            node.receive(now, generator.choice((2, 3)), packet)
            if node.deadline is not None and node.deadline <= now:
                node.expire(now)
        except RemoteError:
            continue


def test_a_leader_that_is_alone_again_forms_its_own_ring() -> None:
    node = ring_of_three()[1]
    timing = node.timing

    node.expire(100.0)
    node.expire(100.0 + timing.consensus + 1)

    assert node.state is State.OPERATIONAL and node.members == (1,)


def test_a_commit_token_of_a_ring_that_was_given_up_is_not_taken_again() -> None:
    node = Totem(2, frozenset({1, 2}), Timing(), Idle())
    vote = Join(frozenset({1, 2}), frozenset(), frozenset({1, 2}), 8, False, frozenset({2}))
    commit = Commit(
        RingId(12, 1), 2, 1, (CommitEntry(1, True, RingId(8, 1), 0, 0), CommitEntry(2, False, RingId(0, 0), 0, 0))
    )
    node.start(0.0)
    node.receive(0.0, 1, vote)
    node.receive(0.0, 1, vote)
    node.receive(0.0, 1, commit)
    assert node.state is State.COMMIT

    node.receive(0.0, 1, Join(frozenset({1, 2}), frozenset(), frozenset({1, 2}), 12, False))
    assert node.state is State.GATHER
    node.receive(0.0, 1, Join(frozenset({1, 2}), frozenset(), frozenset({1, 2}), 12, False))
    node.receive(0.0, 1, commit)

    assert node.state is State.GATHER


def test_a_small_message_goes_to_the_next_member_with_the_token_before_the_others_get_it() -> None:
    source = Waiting()
    node = ring_of_three(source)[1]
    for large, small in ((b"x" * 5000, b"first"), (b"y" * 5000, b"second")):
        source.payloads = [large, small]
        number = 0 if node.ring is None else node.ring.highest

        effects = node.wake(1.0) if node._held else node.receive(1.0, 3, token_for(node))

        sent = [(one.targets, decode(one.data)) for one in effects if isinstance(one, Transmit)]
        kinds = [type(one) for one in effects[:5]]
        assert [(targets, type(packet)) for targets, packet in sent] == [
            ((2, 3), Message),
            ((2,), Escorted),
            ((3,), Message),
        ]
        assert kinds == [Transmit, Transmit, Transmit, Ordered, Ordered]
        escorted = sent[1][1]
        assert isinstance(escorted, Escorted)
        assert escorted.message == sent[2][1]
        assert (escorted.message.payload, escorted.token.sequence) == (small, number + 2)


def token_for(node: Totem) -> Token:
    """Return the token as it comes back to a node when nobody else sent anything."""
    ring = node.ring
    assert ring is not None
    return Token(ring.ring_id, node.me, ring.turn + 2, ring.highest, ring.highest, 0, 0, 0, False, [])


def test_who_gets_message_and_token_in_one_packet_passes_the_token_on() -> None:
    node = ring_of_three()[2]
    ring = node.ring
    assert ring is not None
    message = Message(ring.ring_id, ring.highest + 1, 1, False, b"hello")
    token = Token(ring.ring_id, 2, ring.turn + 3, ring.highest + 1, ring.highest + 1, 0, 1, 0, False, [])

    effects = node.receive(1.0, 1, decode(encode(Escorted(message, token))))

    assert effects[0] == Ordered(1, message.sequence, b"hello")
    passed = [decode(one.data) for one in effects if isinstance(one, Transmit)]
    assert [type(one) for one in passed] == [Token]
