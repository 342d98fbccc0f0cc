"""The envelope: genuine, new and for us, or refused."""

import random
from collections.abc import Callable

import pytest

from hatools.messaging.corosync.crypto import Envelope, Keys, Protection, Suite
from hatools.values.errors import RemoteError

SECRET = bytes(range(256))
GCM = Protection()
CBC = Protection(Suite.CBC, "aes192", "sha256")
HASH = Protection(Suite.HASH, "", "sha512")
PLAIN = Protection(Suite.PLAIN, "", "")
SUITES = pytest.mark.parametrize("protection", [GCM, CBC, HASH, PLAIN], ids=lambda p: p.suite.name)


def envelope(
    me: int, *, protection: Protection = GCM, secret: bytes = SECRET, cluster: str = "c", epoch: int = 7, seed: int = 0
) -> Envelope:
    source: Callable[[int], bytes] = random.Random(me * 100 + epoch + seed).randbytes
    return Envelope(me, (Keys(secret, cluster, protection, source),), epoch, frozenset({1, 2, 3}), source)


def exchange(one: Envelope, two: Envelope, now: float, datagram: bytes) -> list[bytes]:
    """Let ``two`` receive a datagram of ``one``, and carry challenges and answers; return what was opened."""
    received = []
    pending = [(two, one, datagram)]
    while pending:
        receiver, sender, data = pending.pop(0)
        opened = receiver.open(now, data)
        if receiver is two:
            received += opened.bodies
        pending += [(sender, receiver, reply) for _, reply in opened.replies]
    return received


@SUITES
def test_the_first_datagram_is_given_out_when_its_sender_has_proved_to_be_alive(protection: Protection) -> None:
    one, two = envelope(1, protection=protection), envelope(2, protection=protection)

    assert exchange(one, two, 1.0, one.seal(b"\x03hello")) == [b"\x03hello"]
    assert two.open(1.1, one.seal(b"\x01more")).bodies == (b"\x01more",)


@pytest.mark.parametrize("protection", [GCM, CBC], ids=["GCM", "CBC"])
def test_what_is_sealed_cannot_be_read(protection: Protection) -> None:
    assert b"secret text" not in envelope(1, protection=protection).seal(b"\x01 secret text")


@SUITES
def test_a_repeated_datagram_is_refused(protection: Protection) -> None:
    one, two = envelope(1, protection=protection), envelope(2, protection=protection)
    datagram = one.seal(b"\x03hello")
    exchange(one, two, 1.0, datagram)

    with pytest.raises(RemoteError, match="replayed"):
        two.open(2.0, datagram)


@pytest.mark.parametrize("protection", [GCM, CBC, HASH], ids=["GCM", "CBC", "HASH"])
def test_a_changed_byte_anywhere_is_refused(protection: Protection) -> None:
    one, two = envelope(1, protection=protection), envelope(2, protection=protection)
    exchange(one, two, 1.0, one.seal(b"\x03hello"))
    datagram = one.seal(b"\x03a message of some length")

    for position in range(len(datagram)):
        changed = bytearray(datagram)
        changed[position] ^= 0x10
        with pytest.raises(RemoteError):
            two.open(2.0, bytes(changed))
    assert two.open(2.0, datagram).bodies


def test_another_key_another_cluster_or_another_cipher_is_refused() -> None:
    two = envelope(2)
    for stranger in (
        envelope(1, secret=SECRET[::-1]),
        envelope(1, cluster="other"),
        envelope(1, protection=HASH),
        envelope(1, protection=PLAIN),
    ):
        with pytest.raises(RemoteError):
            two.open(1.0, stranger.seal(b"\x03hello"))


def test_a_node_that_is_not_listed_or_has_our_id_is_refused() -> None:
    two = envelope(2)

    with pytest.raises(RemoteError, match="node list"):
        two.open(1.0, envelope(9).seal(b"\x03hello"))
    with pytest.raises(RemoteError, match="our own"):
        two.open(1.0, envelope(2, seed=5).seal(b"\x03hello"))


def test_a_recording_of_an_earlier_life_is_not_accepted_after_our_restart() -> None:
    one, two = envelope(1), envelope(2)
    recorded = [one.seal(b"\x03hello"), one.seal(b"\x00token")]
    for datagram in recorded:
        exchange(one, two, 1.0, datagram)

    restarted = envelope(2, epoch=8)
    bodies = [body for datagram in recorded for body in restarted.open(2.0, datagram).bodies]

    assert bodies == []


def test_a_recorded_answer_does_not_prove_anything_later() -> None:
    one, two = envelope(1), envelope(2)
    first = one.seal(b"\x03hello")
    challenge = two.open(1.0, first).replies[0][1]
    answer = one.open(1.0, challenge).replies[0][1]
    assert two.open(1.0, answer).bodies == (b"\x03hello",)

    restarted = envelope(2, epoch=8)
    restarted.open(2.0, one.seal(b"\x03again"))

    assert restarted.open(2.0, answer).bodies == ()


def test_an_earlier_life_is_refused_once_a_later_one_is_known() -> None:
    old, new, two = envelope(1, epoch=7), envelope(1, epoch=8), envelope(2)
    exchange(new, two, 1.0, new.seal(b"\x03hello"))

    with pytest.raises(RemoteError, match="earlier life"):
        two.open(2.0, old.seal(b"\x03hello"))


def test_a_later_life_takes_over() -> None:
    old, new, two = envelope(1, epoch=7), envelope(1, epoch=8), envelope(2)
    exchange(old, two, 1.0, old.seal(b"\x03hello"))

    assert exchange(new, two, 2.0, new.seal(b"\x03hello again")) == [b"\x03hello again"]


def test_datagrams_may_overtake_each_other_within_the_window() -> None:
    one, two = envelope(1), envelope(2)
    exchange(one, two, 1.0, one.seal(b"\x03hello"))
    datagrams = [one.seal(b"\x01%d" % number) for number in range(50)]

    received = [two.open(2.0, datagram).bodies for datagram in reversed(datagrams)]

    assert len([bodies for bodies in received if bodies]) == 50


@pytest.mark.parametrize("seed", range(10))
def test_garbage_never_raises_anything_but_a_remote_error(seed: int) -> None:
    two = envelope(2)
    generator = random.Random(seed)
    head = envelope(1).seal(b"\x03hello")
    for _ in range(100):
        keep = generator.randrange(len(head))
        with pytest.raises(RemoteError):
            two.open(1.0, head[:keep] + generator.randbytes(generator.randrange(1, 80)))


def test_the_copy_that_comes_over_a_second_link_is_dropped_without_a_complaint() -> None:
    one = envelope(1)
    source = random.Random(2).randbytes
    two = Envelope(2, (Keys(SECRET, "c", GCM, source),), 7, frozenset({1}), source, copies_expected=True)
    exchange(one, two, 1.0, one.seal(b"\x03hello"))
    datagram = one.seal(b"\x01message")

    assert [two.open(2.0, datagram).bodies, two.open(2.0, datagram).bodies] == [(b"\x01message",), ()]
