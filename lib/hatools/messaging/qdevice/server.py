"""The arbiter's sockets. I/O."""

import asyncio
import itertools
import logging
import ssl
from typing import assert_never

from hatools.messaging.qdevice.arbiter import Arbiter, ArbiterEffect, BeginTls, Close, Decided, SendTo
from hatools.messaging.qdevice.secure import SecureStream
from hatools.values.errors import RemoteError
from hatools.values.records import dataclass

_log = logging.getLogger(__name__)
_IDLE_S = 60.0


@dataclass(slots=True)
class _Peer:
    writer: asyncio.StreamWriter
    secure: SecureStream | None = None
    name: str = ""


class ArbiterServer:
    """Serves the nodes of any number of clusters.

    Args:
        context: for TLS; None if the arbiter offers none.
    """

    def __init__(self, arbiter: Arbiter, context: ssl.SSLContext | None) -> None:
        self.arbiter = arbiter
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._peers: dict[int, _Peer] = {}
        self._numbers = itertools.count(1)
        self._server: asyncio.Server | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def open(self, address: str | None, port: int) -> None:
        """Listen; raises OSError if that cannot be."""
        self._server = await asyncio.start_server(self._serve, address, port)

    def close(self) -> None:
        """Stop listening and hang up."""
        if self._timer is not None:
            self._timer.cancel()
        if self._server is not None:
            self._server.close()
        for peer in self._peers.values():
            peer.writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = next(self._numbers)
        address = writer.get_extra_info("peername") or ("?", 0)
        peer = self._peers[number] = _Peer(writer, None, f"{address[0]}:{address[1]}")
        self.arbiter.connected(self._loop.time(), number, peer.name)
        self._arm()
        try:
            while data := await reader.read(65536):
                if peer.secure is not None:
                    data = self._decrypt(number, peer, peer.secure, data)
                self._perform(self.arbiter.received(self._loop.time(), number, data))
        except RemoteError as error:
            _log.warning("%s: %s", peer.name, error)
        except OSError as error:
            _log.info("%s: %s", peer.name, error)
        finally:
            del self._peers[number]
            self._perform(self.arbiter.lost(number))
            writer.close()

    def _decrypt(self, number: int, peer: _Peer, secure: SecureStream, data: bytes) -> bytes:
        try:
            plain = secure.receive(data)
        finally:
            peer.writer.write(secure.pending())
        if secure.is_established:
            self.arbiter.tls_started(number)
        return plain

    def _perform(self, effects: list[ArbiterEffect]) -> None:
        for effect in effects:
            match effect:
                case SendTo(number, data):
                    self._send(number, data)
                case BeginTls(number, rest):
                    self._begin_tls(number, rest)
                case Close(number, reason):
                    _log.warning("%s", reason)
                    if number in self._peers:
                        self._peers[number].writer.close()
                case Decided(cluster, partition):
                    _log.info("cluster %s: the vote goes to %s", cluster, list(partition) or "nobody")
                case _:
                    assert_never(effect)
        self._arm()

    def _send(self, number: int, data: bytes) -> None:
        peer = self._peers.get(number)
        if peer is None or peer.writer.is_closing():
            return
        if peer.secure is None:
            peer.writer.write(data)
        else:
            peer.secure.send(data)
            peer.writer.write(peer.secure.pending())

    def _begin_tls(self, number: int, rest: bytes) -> None:
        peer = self._peers.get(number)
        if peer is None or self._context is None:
            return
        peer.secure = SecureStream(self._context, is_server=True)
        try:
            self._decrypt(number, peer, peer.secure, rest)
        except RemoteError as error:
            _log.warning("%s: %s", peer.name, error)
            peer.writer.close()

    def _arm(self) -> None:
        """Look again when the next node may have been silent for too long."""
        if self._timer is not None:
            self._timer.cancel()
        deadline = self.arbiter.deadline
        now = self._loop.time()
        self._timer = self._loop.call_at(now + _IDLE_S if deadline is None else deadline, self._expire)

    def _expire(self) -> None:
        self._perform(self.arbiter.expire(self._loop.time()))
