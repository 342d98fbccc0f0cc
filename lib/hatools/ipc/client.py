"""The calling side of a daemon's socket, for daemons (asyncio). I/O."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hatools.ipc.address import short_socket_path
from hatools.ipc.codec import Envelope, Kind, decode, encode
from hatools.ipc.frames import FrameReader, pack_frame
from hatools.ipc.messages.session import Hello
from hatools.ipc.refusals import error_of
from hatools.values.errors import DeadlineError, DisconnectedError, RemoteError


class Connection(asyncio.Protocol):
    """A connection to one daemon.

    ``on_event`` gets every event in order, synchronously; it must not block. ``closed`` completes when the
    connection is gone, whichever side ended it.
    """

    def __init__(self, daemon: str, on_event: Callable[[Any], None] | None = None) -> None:
        self.daemon = daemon
        self.on_event = on_event
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reader = FrameReader()
        self._transport: asyncio.Transport | None = None
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._last_request = 0

    @classmethod
    async def open(
        cls,
        path: Path,
        daemon: str,
        *,
        name: str,
        on_event: Callable[[Any], None] | None = None,
        deadline_s: float = 0.0,
    ) -> "Connection":
        """Connect, trying again until ``deadline_s`` seconds have passed while nobody listens.

        Raises:
            DisconnectedError: nobody listened in time.
        """
        loop = asyncio.get_running_loop()
        give_up = loop.time() + deadline_s
        delay = 0.005
        while True:
            peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            peer.setblocking(False)
            try:
                with short_socket_path(path) as address:
                    await loop.sock_connect(peer, address)
                break
            except OSError as error:
                peer.close()
                if loop.time() + delay > give_up:
                    raise DisconnectedError(f"could not connect to {daemon} ({path}): {error.strerror}") from None
                await asyncio.sleep(delay)
                delay = min(delay * 1.5, 0.1)
        _, connection = await loop.create_unix_connection(lambda: cls(daemon, on_event), sock=peer)
        connection._send(Envelope(Kind.HELLO, 0, Hello(name, os.getpid())))
        return connection

    async def request(self, message: Any, *, timeout_s: float | None = 60.0) -> Any:
        """Ask and wait for the answer.

        Raises:
            DisconnectedError: the daemon went away before it answered.
            DeadlineError: it did not answer in time.
            HatoolsError: the refusal it answered with.
        """
        future = self.submit(message)
        try:
            async with asyncio.timeout(timeout_s):
                return await future
        except TimeoutError:
            raise DeadlineError(f"{self.daemon} did not answer within {timeout_s:g} s") from None

    def submit(self, message: Any) -> "asyncio.Future[Any]":
        """Send a request now and return its answer as a future (for pipelining)."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self.closed.done() or self._transport is None:
            future.set_exception(DisconnectedError(f"the connection to {self.daemon} is closed"))
            return future
        self._last_request += 1
        request_id = self._last_request
        self._waiting[request_id] = future
        future.add_done_callback(lambda _: self._waiting.pop(request_id, None))
        self._send(Envelope(Kind.REQUEST, request_id, message))
        return future

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            for payload in self._reader.feed(data):
                self._received(decode(payload))
        except RemoteError:
            self.close()
            raise

    def connection_lost(self, exc: Exception | None) -> None:
        lost = DisconnectedError(f"the connection to {self.daemon} was lost")
        for future in list(self._waiting.values()):
            if not future.done():
                future.set_exception(lost)
        with contextlib.suppress(asyncio.InvalidStateError):
            self.closed.set_result(None)

    def _received(self, envelope: Envelope) -> None:
        if envelope.kind is Kind.EVENT:
            if self.on_event is not None:
                self.on_event(envelope.message)
        elif envelope.kind in (Kind.ANSWER, Kind.REFUSAL):
            future = self._waiting.get(envelope.request_id)
            if future is not None and not future.done():
                if envelope.kind is Kind.ANSWER:
                    future.set_result(envelope.message)
                else:
                    future.set_exception(error_of(envelope.message))

    def _send(self, envelope: Envelope) -> None:
        assert self._transport is not None
        self._transport.write(pack_frame(encode(envelope)))
