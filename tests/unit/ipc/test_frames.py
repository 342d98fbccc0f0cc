"""Frames: payloads survive any cutting of the byte stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatools.ipc.frames import FrameReader, pack_frame
from hatools.values.errors import RemoteError


@given(st.lists(st.binary(max_size=200), max_size=20), st.lists(st.integers(1, 50), max_size=200))
def test_payloads_come_out_whole_and_in_order_however_the_stream_is_cut(payloads: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(pack_frame(payload) for payload in payloads)
    reader = FrameReader()
    received: list[bytes] = []
    position = 0
    for size in cuts:
        received += reader.feed(stream[position : position + size])
        position += size
    received += reader.feed(stream[position:])
    assert received == payloads


def test_an_announced_length_above_the_limit_is_a_protocol_fault() -> None:
    with pytest.raises(RemoteError, match="announced"):
        FrameReader(limit=10).feed(pack_frame(b"x" * 11))
