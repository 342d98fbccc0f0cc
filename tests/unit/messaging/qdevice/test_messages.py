"""The bytes between node and arbiter: round trips, samples of the original, garbage."""

import random

import pytest

from hatools.messaging.qdevice.messages import (
    Algorithm,
    Fault,
    Kind,
    ListedNode,
    ListKind,
    Message,
    NodeState,
    Reader,
    TieBreaker,
    TieMode,
    Tls,
    Vote,
    encode,
)
from hatools.messaging.views import RingId
from hatools.values.errors import RemoteError

MESSAGES = [
    Message(Kind.PREINIT, sequence=1, cluster_name="hacluster"),
    Message(Kind.PREINIT_REPLY, sequence=1, tls=Tls.SUPPORTED, client_certificate_required=True),
    Message(Kind.INIT, sequence=2, messages=(0, 1), options=(3, 4), node_id=7, algorithm=Algorithm.LMS,
            heartbeat_ms=8000, tie_breaker=TieBreaker(TieMode.NODE_ID, 2), ring_id=RingId(2**40, 1)),
    Message(Kind.INIT_REPLY, fault=Fault.NONE, max_request=32768, max_reply=32768, algorithms=(1, 3)),
    Message(Kind.NODE_LIST, sequence=9, list_kind=ListKind.QUORUM, quorate=True, config_version=5,
            nodes=(ListedNode(1, NodeState.MEMBER), ListedNode(2, NodeState.DEAD), ListedNode(3))),
    Message(Kind.VOTE_INFO, sequence=3, ring_id=RingId(8, 1), vote=Vote.ACK),
    Message(Kind.SET_OPTION, sequence=4, keep_active=True, heuristics=1),
    Message(Kind.STARTTLS),
]  # fmt: skip


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.kind.name)
def test_decoding_inverts_encoding(message: Message) -> None:
    reader = Reader()

    reader.feed(encode(message))

    assert reader.next() == message
    assert reader.next() is None


def test_messages_are_found_wherever_the_stream_is_cut() -> None:
    stream = b"".join(encode(message) for message in MESSAGES)
    reader = Reader()
    found = []
    for byte in stream:
        reader.feed(bytes([byte]))
        while (message := reader.next()) is not None:
            found.append(message)

    assert found == MESSAGES


def test_the_bytes_are_those_of_the_original() -> None:
    preinit = encode(Message(Kind.PREINIT, sequence=1, cluster_name="ab"))
    ring = encode(Message(Kind.ASK_FOR_VOTE_REPLY, ring_id=RingId(0x10, 2)))

    assert preinit.hex() == "00000000000e0000000400000001000100026162"
    assert ring.hex() == "000d00000010000d000c000000020000000000000010"


def test_what_follows_starttls_is_given_away_unread() -> None:
    reader = Reader()
    reader.feed(encode(Message(Kind.STARTTLS)) + b"\x16\x03\x01")

    assert reader.next() == Message(Kind.STARTTLS)
    assert reader.rest() == b"\x16\x03\x01"


def test_an_option_that_nobody_knows_is_skipped() -> None:
    reader = Reader()
    reader.feed(b"\x00\x08" + (8).to_bytes(4, "big") + b"\x03\xe7\x00\x04abcd")

    assert reader.next() == Message(Kind.ECHO_REQUEST)


@pytest.mark.parametrize(
    "data", [b"\x00\x63" + bytes(4), b"\x00\x08\xff\xff\xff\xff", b"\x00\x0e\x00\x00\x00\x05\x00\x13\x00\x09x"]
)
def test_what_is_no_message_is_a_remote_error(data: bytes) -> None:
    reader = Reader()
    reader.feed(data)

    with pytest.raises(RemoteError):
        reader.next()


@pytest.mark.parametrize("seed", range(200))
def test_garbage_raises_nothing_but_remote_errors(seed: int) -> None:
    generator = random.Random(seed)
    data = bytearray(b"".join(encode(message) for message in MESSAGES))
    for _ in range(generator.randrange(1, 30)):
        data[generator.randrange(len(data))] = generator.randrange(256)
    reader = Reader()
    reader.feed(bytes(data))
    try:
        while reader.next() is not None:
            pass
    except RemoteError:
        pass
