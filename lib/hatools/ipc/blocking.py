"""The calling side of a daemon's socket, for commands (blocking, no asyncio). I/O."""

import contextlib
import os
import select
import socket
import time
from collections import deque
from pathlib import Path
from typing import Any, Self

from hatools.ipc.address import short_socket_path
from hatools.ipc.codec import Envelope, Kind, decode, encode
from hatools.ipc.frames import FrameReader, pack_frame
from hatools.ipc.messages.session import Hello
from hatools.ipc.refusals import error_of
from hatools.values.errors import DeadlineError, DisconnectedError


class BlockingConnection:
    """A connection to one daemon that waits for each answer; events are kept for :meth:`next_event`."""

    def __init__(self, path: Path, daemon: str, *, name: str, timeout_s: float = 5.0) -> None:
        """Connect.

        Raises:
            DisconnectedError: nobody listens on the socket, or we may not use it.
        """
        self.daemon = daemon
        self._reader = FrameReader()
        self._payloads: deque[bytes] = deque()
        self._events: deque[Any] = deque()
        self._last_request = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        try:
            with short_socket_path(path) as address:
                self._socket.connect(address)
        except OSError as error:
            self._socket.close()
            raise DisconnectedError(f"could not connect to {daemon}: {error.strerror or error}") from None
        self._send(Envelope(Kind.HELLO, 0, Hello(name, os.getpid())))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def fileno(self) -> int:
        """Return the descriptor, to wait for events with select; call :meth:`next_event` with 0 when it is readable."""
        return self._socket.fileno()

    def request(self, message: Any, *, timeout_s: float = 60.0) -> Any:
        """Ask and wait for the answer.

        Raises:
            DisconnectedError, DeadlineError: there was none.
            HatoolsError: the refusal that was the answer.
        """
        self._last_request += 1
        self._send(Envelope(Kind.REQUEST, self._last_request, message))
        deadline = time.monotonic() + timeout_s
        while True:
            envelope = self._next(deadline)
            if envelope is None:
                raise DeadlineError(f"{self.daemon} did not answer within {timeout_s:g} s")
            if envelope.kind is Kind.EVENT:
                self._events.append(envelope.message)
            elif envelope.kind is Kind.REFUSAL and envelope.request_id in (0, self._last_request):
                raise error_of(envelope.message)
            elif envelope.kind is Kind.ANSWER and envelope.request_id == self._last_request:
                return envelope.message

    def next_event(self, timeout_s: float) -> Any | None:
        """Return the next event, waiting up to so many seconds; None if none came.

        Raises:
            DisconnectedError: the daemon went away.
        """
        if self._events:
            return self._events.popleft()
        deadline = time.monotonic() + timeout_s
        while (envelope := self._next(deadline)) is not None:
            if envelope.kind is Kind.EVENT:
                return envelope.message
        return None

    def _next(self, deadline: float) -> Envelope | None:
        while not self._payloads:
            remaining = max(0.0, deadline - time.monotonic())
            ready, _, _ = select.select([self._socket], [], [], remaining)
            if not ready:
                return None
            try:
                data = self._socket.recv(1 << 20)
            except OSError as error:
                raise DisconnectedError(f"the connection to {self.daemon} was lost: {error.strerror}") from None
            if not data:
                raise DisconnectedError(f"the connection to {self.daemon} was lost")
            self._payloads.extend(self._reader.feed(data))
        return decode(self._payloads.popleft())

    def _send(self, envelope: Envelope) -> None:
        try:
            self._socket.sendall(pack_frame(encode(envelope)))
        except OSError as error:
            # What the daemon said before it hung up (a refusal) explains more than the broken pipe.
            final = None
            with contextlib.suppress(DisconnectedError):
                final = self._next(time.monotonic())
            if final is not None and final.kind is Kind.REFUSAL:
                raise error_of(final.message) from None
            raise DisconnectedError(f"the connection to {self.daemon} was lost: {error.strerror}") from None
