"""Packing: small messages share packets, large ones are cut, streams take turns."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatools.messaging.packing import PIECE, Inbox, Outbox
from hatools.values.errors import RemoteError


def everything(_: bytes) -> bool:
    return True


def packets(outbox: Outbox) -> list[bytes]:
    found = []
    while (packet := outbox.pull()) is not None:
        found.append(packet)
    return found


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.binary(max_size=300)), max_size=20),
    st.integers(20, 200),
)
def test_what_goes_in_comes_out_in_order_per_stream(messages: list[tuple[str, bytes]], capacity: int) -> None:
    outbox, inbox = Outbox(capacity), Inbox(everything)
    outbox.is_open = True
    for stream, message in messages:
        outbox.put(stream, stream.encode() + message)

    received = [b"".join(message) for packet in packets(outbox) for message in inbox.feed(1, packet)]

    for stream in "abc":
        sent = [stream.encode() + message for name, message in messages if name == stream]
        assert [message for message in received if message[:1] == stream.encode()] == sent
    assert outbox.backlog() == 0
    assert [outbox.waiting_bytes(stream) for stream in "abc"] == [0, 0, 0]


def test_no_packet_is_larger_than_the_capacity() -> None:
    outbox = Outbox(100)
    outbox.is_open = True
    outbox.put("a", b"x" * 1000)
    for _ in range(50):
        outbox.put("b", b"yy")

    assert max(len(packet) for packet in packets(outbox)) <= 100


def test_small_messages_share_a_packet() -> None:
    outbox = Outbox(1000)
    outbox.is_open = True
    for _ in range(10):
        outbox.put("a", b"0123456789")

    assert len(packets(outbox)) == 1


def test_only_control_messages_pass_while_closed() -> None:
    outbox, inbox = Outbox(1000), Inbox(everything)
    outbox.put("a", b"later")
    outbox.put_control(b"now")

    assert [b"".join(message) for packet in packets(outbox) for message in inbox.feed(1, packet)] == [b"now"]
    outbox.is_open = True
    assert [b"".join(message) for packet in packets(outbox) for message in inbox.feed(1, packet)] == [b"later"]


def test_a_message_sent_in_part_begins_anew_in_the_next_ring() -> None:
    outbox, inbox = Outbox(100), Inbox(everything)
    outbox.is_open = True
    outbox.put("a", bytes(range(250)))
    first = outbox.pull()
    assert first is not None and inbox.feed(1, first) == []

    outbox.restart()
    inbox.restart()
    received = [b"".join(message) for packet in packets(outbox) for message in inbox.feed(1, packet)]

    assert received == [bytes(range(250))]
    assert outbox.waiting_bytes("a") == 0


def test_streams_take_turns() -> None:
    outbox, inbox = Outbox(100), Inbox(everything)
    outbox.is_open = True
    outbox.put("bulk", b"b" * 10_000)
    outbox.pull()
    outbox.put("quick", b"q")

    received = [b"".join(message) for _ in range(2) for message in inbox.feed(1, outbox.pull() or b"")]

    assert received == [b"q"]


def test_unwanted_messages_are_not_put_together() -> None:
    outbox, inbox = Outbox(100), Inbox(lambda chunk: chunk[:1] == b"w")
    outbox.is_open = True
    outbox.put("a", b"w" * 300)
    outbox.put("a", b"u" * 300)
    outbox.put("a", b"w")

    assert [len(b"".join(message)) for packet in packets(outbox) for message in inbox.feed(1, packet)] == [300, 1]


@pytest.mark.parametrize("seed", range(20))
def test_garbage_is_refused_or_ignored(seed: int) -> None:
    generator = random.Random(seed)
    inbox = Inbox(everything)
    for _ in range(200):
        try:
            inbox.feed(1, generator.randbytes(generator.randrange(60)))
        except RemoteError:
            continue


def test_a_large_message_stays_in_pieces_on_both_sides() -> None:
    outbox, inbox = Outbox(1000), Inbox(everything)
    outbox.is_open = True
    sent = (b"head" + b"a" * PIECE, b"b" * PIECE, b"c" * 10)
    outbox.put("a", *sent)

    (received,) = [message for packet in packets(outbox) for message in inbox.feed(1, packet)]

    assert b"".join(received) == b"".join(sent)
    assert len(received) == 3
    assert outbox.waiting_bytes("a") == 0


def test_a_message_in_pieces_begins_anew_with_its_first_piece() -> None:
    outbox, inbox = Outbox(50), Inbox(everything)
    outbox.is_open = True
    outbox.put("a", b"a" * 40, b"b" * 40, b"c" * 40)
    outbox.pull()
    outbox.pull()

    outbox.restart()
    received = [b"".join(message) for packet in packets(outbox) for message in inbox.feed(1, packet)]

    assert received == [b"a" * 40 + b"b" * 40 + b"c" * 40]
    assert outbox.waiting_bytes("a") == 0
