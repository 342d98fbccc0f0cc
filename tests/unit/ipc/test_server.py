"""What a server writes to a client, and when it gives one up."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hatools.ipc.codec import Envelope, Kind, decode, encode
from hatools.ipc.frames import FrameReader, pack_frame
from hatools.ipc.messages.messaging import Broadcast, DescribeRing, Sent
from hatools.ipc.messages.session import Done
from hatools.ipc.rights import AccessPolicy
from hatools.ipc.server import HOLD_S, Client, Server


class Pipe(asyncio.Transport):
    """A transport that keeps what is written; ``untaken`` is what its kernel has not taken yet."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.untaken = 0
        self.aborted = False

    def write(self, data: Any) -> None:
        self.writes.append(bytes(data))

    def get_write_buffer_size(self) -> int:
        return self.untaken

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True


async def _handler(client: Client, message: Any) -> Any:
    return Done()


def connected(at_once: Callable[[Client, Any], Any] | None = None) -> tuple[Client, Pipe]:
    server = Server("test", Path("/nowhere"), _handler, policy=AccessPolicy(0, None, None), at_once=at_once)
    client, pipe = Client(server), Pipe()
    client._transport = pipe
    return client, pipe


def request(number: int, message: Any) -> bytes:
    return pack_frame(encode(Envelope(Kind.REQUEST, number, message)))


def envelopes(data: bytes) -> list[Envelope]:
    return [decode(payload) for payload in FrameReader().feed(data)]


def test_an_answer_that_is_given_at_once_leaves_with_the_next_event() -> None:
    async def story() -> list[bytes]:
        client, pipe = connected(lambda *_: Sent())
        client.data_received(request(7, Broadcast("g", b"x")))
        assert pipe.writes == []
        client.post(Done())
        await asyncio.sleep(2 * HOLD_S)
        return pipe.writes

    (written,) = asyncio.run(story())

    assert envelopes(written) == [Envelope(Kind.ANSWER, 7, Sent()), Envelope(Kind.EVENT, 0, Done())]


def test_without_an_event_it_waits_for_a_moment_only() -> None:
    async def story() -> list[bytes]:
        client, pipe = connected(lambda *_: Sent())
        client.data_received(request(7, Broadcast("g", b"x")))
        await asyncio.sleep(2 * HOLD_S)
        return pipe.writes

    (written,) = asyncio.run(story())

    assert envelopes(written) == [Envelope(Kind.ANSWER, 7, Sent())]


def test_what_is_not_taken_over_at_once_is_the_handlers() -> None:
    async def story() -> list[bytes]:
        client, pipe = connected(lambda *_: None)
        client.data_received(request(7, DescribeRing()))
        await asyncio.sleep(0)
        return pipe.writes

    (written,) = asyncio.run(story())

    assert envelopes(written) == [Envelope(Kind.ANSWER, 7, Done())]


@pytest.mark.parametrize(("read_meanwhile", "dropped"), [(0, True), (1, False)])
def test_a_client_is_given_up_if_it_reads_nothing_at_all(read_meanwhile: int, dropped: bool) -> None:
    """Even if as much waits as at the first look: it may have read all that and got as much again."""

    async def story() -> bool:
        client, pipe = connected()
        pipe.untaken = 1000
        client.post_encoded(bytes(1000))
        for _ in range(read_meanwhile):
            client.post_encoded(bytes(1000))
        client._check_stall()
        return pipe.aborted

    assert asyncio.run(story()) is dropped
