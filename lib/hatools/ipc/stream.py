"""Envelopes over one blocking stream socket, TLS or plain, for either side. I/O."""

import contextlib
import signal
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

from hatools.ipc.codec import Envelope, Kind, decode, encode
from hatools.ipc.frames import FrameReader, pack_frame
from hatools.ipc.refusals import error_of
from hatools.values.errors import DeadlineError, DisconnectedError

_CHUNK = 1 << 16


@contextlib.contextmanager
def surviving_hangups() -> Iterator[None]:
    """While open, a peer that hangs up is an error of the connection and does not end the command (SIGPIPE)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGPIPE, former)


class EnvelopeStream:
    """Sends and receives envelopes; ``peer`` is what errors call the other side."""

    def __init__(self, connection: socket.socket, peer: str, *, limit: int) -> None:
        self._socket = connection
        self._peer = peer
        self._reader = FrameReader(limit)
        self._payloads: deque[bytes] = deque()

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def send(self, envelope: Envelope, timeout_s: float) -> None:
        """Send an envelope.

        Raises:
            DisconnectedError: the other side is gone, or took nothing for so long.
        """
        self._socket.settimeout(timeout_s)
        try:
            self._socket.sendall(pack_frame(encode(envelope)))
        except OSError as error:
            raise DisconnectedError(f"the connection to {self._peer} was lost: {_reason(error)}") from None

    def receive(self, timeout_s: float) -> Envelope:
        """Return the next envelope.

        Raises:
            DeadlineError: none came in time.
            DisconnectedError: the other side is gone.
            RemoteError: what came is not of our form.
        """
        deadline = time.monotonic() + timeout_s
        while not self._payloads:
            self._socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                data = self._socket.recv(_CHUNK)
            except TimeoutError:
                raise DeadlineError(f"{self._peer} did not answer within {timeout_s:g} s") from None
            except OSError as error:
                raise DisconnectedError(f"the connection to {self._peer} was lost: {_reason(error)}") from None
            if not data:
                raise DisconnectedError(f"{self._peer} hung up")
            self._payloads.extend(self._reader.feed(data))
            if not self._payloads and time.monotonic() >= deadline:
                raise DeadlineError(f"{self._peer} did not answer within {timeout_s:g} s")
        return decode(self._payloads.popleft())

    def request(self, message: Any, timeout_s: float) -> Any:
        """Ask and wait for the answer; events before it are left out.

        Raises:
            DeadlineError, DisconnectedError, RemoteError: there was none.
            HatoolsError: the refusal that was the answer.
        """
        self.send(Envelope(Kind.REQUEST, 1, message), timeout_s)
        while True:
            envelope = self.receive(timeout_s)
            if envelope.kind is Kind.REFUSAL:
                raise error_of(envelope.message)
            if envelope.kind is Kind.ANSWER:
                return envelope.message


def _reason(error: OSError) -> str:
    return str(getattr(error, "reason", None) or error.strerror or error)
