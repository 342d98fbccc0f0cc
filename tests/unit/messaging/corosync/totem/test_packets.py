"""Packets: decoding inverts encoding, and nothing else is accepted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    join_escorted,
    unwrap_message,
    wrap_message,
)
from hatools.messaging.views import RingId
from hatools.values.errors import RemoteError

u32 = st.integers(0, 2**32 - 1)
u64 = st.integers(0, 2**64 - 1)
rings = st.builds(RingId, u64, u32)
nodes = st.frozensets(u32, max_size=32)
tokens = st.builds(
    Token, rings, u32, u64, u64, u64, u32, u32, u32, st.booleans(), st.lists(st.tuples(u64, u64), max_size=64)
)
messages = st.builds(Message, rings, u64, u32, st.booleans(), st.binary(max_size=100))
joins = st.builds(Join, nodes, nodes, nodes, u64, st.booleans())
entries = st.lists(st.builds(CommitEntry, u32, st.booleans(), rings, u64, u64), max_size=32).map(tuple)
commits = st.builds(Commit, rings, u32, u64, entries)
packets = st.one_of(
    tokens,
    messages,
    joins,
    commits,
    st.builds(Merge, rings, nodes),
    st.builds(HoldCancel, rings),
    st.builds(Escorted, messages, tokens),
)


@given(packets)
def test_decoding_inverts_encoding(packet: Packet) -> None:
    assert decode(encode(packet)) == packet


@pytest.mark.parametrize("inner", [b"", encode(HoldCancel(RingId(8, 1)))])
def test_only_a_token_travels_behind_a_message(inner: bytes) -> None:
    message = encode(Message(RingId(8, 1), 5, 2, False, b"payload"))

    for first, second in ((message, inner), (inner, message)):
        with pytest.raises(RemoteError):
            decode(join_escorted(first, second))


@given(messages)
def test_unwrapping_inverts_wrapping(message: Message) -> None:
    plain = Message(message.ring, message.sequence, message.origin, False, message.payload)
    assert unwrap_message(wrap_message(plain)) == plain


@given(packets, st.data())
def test_a_truncated_packet_is_refused_or_is_a_shorter_message(packet: Packet, data: st.DataObject) -> None:
    encoded = encode(packet)
    cut = encoded[: data.draw(st.integers(0, len(encoded) - 1))]
    try:
        decoded = decode(cut)
    except RemoteError:
        return
    assert isinstance(decoded, Message | Merge | HoldCancel)


@given(st.binary(max_size=200))
def test_garbage_never_raises_anything_but_a_remote_error(data: bytes) -> None:
    try:
        decode(data)
    except RemoteError:
        return


@pytest.mark.parametrize("data", [b"", b"\x63", b"\x00", b"\x03\x00"])
def test_what_is_no_packet_is_refused(data: bytes) -> None:
    with pytest.raises(RemoteError):
        decode(data)
