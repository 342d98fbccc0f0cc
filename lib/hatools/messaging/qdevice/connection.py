"""A node's connection to its arbiter: connects, comes back after losses, carries bytes. I/O."""

import asyncio
import logging
import ssl
from collections.abc import Callable
from typing import assert_never

from hatools.messaging.qdevice.device import Device, DeviceEffect, Hang, Send, Stage, StartTls, VoteGiven
from hatools.messaging.qdevice.secure import ARBITER_NAME, SecureStream
from hatools.messaging.views import RingId
from hatools.values.errors import RemoteError

_log = logging.getLogger(__name__)

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 5.0

Verdict = Callable[[RingId, bool], None]
"""Gets a ring and whether it has the arbiter's vote."""


class DeviceConnection:
    """Keeps a :class:`Device` connected until it is closed.

    Args:
        make_context: returns the TLS context; it is called for each connection that needs one.
    """

    def __init__(self, device: Device, make_context: Callable[[], ssl.SSLContext], verdict: Verdict) -> None:
        self.device = device
        self._make_context = make_context
        self._verdict = verdict
        self._loop = asyncio.get_running_loop()
        self._writer: asyncio.StreamWriter | None = None
        self._secure: SecureStream | None = None
        self._reason = ""
        self._said = ""
        self._task = self._loop.create_task(self._run())

    def close(self) -> None:
        """Hang up for good."""
        self._task.cancel()
        if self._writer is not None:
            self._writer.close()

    def perform(self, effects: list[DeviceEffect]) -> None:
        """Do what the device asks for."""
        for effect in effects:
            match effect:
                case Send(data):
                    self._send(data)
                case StartTls():
                    self._secure = SecureStream(self._make_context(), is_server=False)
                    self._secure.receive(b"")
                    self._flush()
                case Hang(reason):
                    self._reason = reason
                    if self._writer is not None:
                        self._writer.close()
                case VoteGiven(ring_id, casts_vote):
                    self._verdict(ring_id, casts_vote)
                case _:
                    assert_never(effect)

    def _send(self, data: bytes) -> None:
        if self._writer is None or self._writer.is_closing():
            return
        if self._secure is None:
            self._writer.write(data)
        else:
            self._secure.send(data)
            self._flush()

    def _flush(self) -> None:
        if self._writer is not None and self._secure is not None:
            self._writer.write(self._secure.pending())

    async def _run(self) -> None:
        options = self.device.options
        pause = _FIRST_PAUSE_S
        while True:
            self._reason = ""
            try:
                async with asyncio.timeout(options.connect_timeout):
                    reader, self._writer = await asyncio.open_connection(options.host, options.port)
                self._secure = None
                await self._talk(reader)
            except (OSError, TimeoutError, RemoteError) as error:
                self._reason = self._reason or str(error) or "no answer"
            was_ready = self.device.stage is Stage.READY
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            self.perform(self.device.lost())
            self._complain(self._reason or "the arbiter hung up")
            pause = _FIRST_PAUSE_S if was_ready else min(pause * 2, _LONGEST_PAUSE_S)
            await asyncio.sleep(pause)

    async def _talk(self, reader: asyncio.StreamReader) -> None:
        """Carry bytes until the connection ends."""
        self.perform(self.device.connected(self._loop.time()))
        while not self._reason:
            deadline = self.device.deadline
            try:
                async with asyncio.timeout_at(deadline):
                    data = await reader.read(65536)
            except TimeoutError:
                self.perform(self.device.expire(self._loop.time()))
                continue
            if not data:
                return
            before = self.device.stage
            if self._secure is not None:
                data = self._decrypt(self._secure, data)
            self.perform(self.device.received(self._loop.time(), data))
            if before is not Stage.READY and self.device.stage is Stage.READY:
                self._said = ""
                _log.info("connected to the arbiter %s", self.device.options.host)

    def _decrypt(self, secure: SecureStream, data: bytes) -> bytes:
        was_established = secure.is_established
        plain = secure.receive(data)
        self._flush()
        if secure.is_established and not was_established:
            if secure.peer_name() != ARBITER_NAME:
                raise RemoteError(f'the arbiter is "{secure.peer_name()}", not "{ARBITER_NAME}"')
            self.perform(self.device.tls_started(self._loop.time()))
        return plain

    def _complain(self, reason: str) -> None:
        """Say once why there is no connection."""
        if reason != self._said:
            self._said = reason
            _log.warning("no connection to the arbiter %s: %s", self.device.options.host, reason)
