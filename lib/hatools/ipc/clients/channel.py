"""The channel to another node, as commands use it. I/O: TLS over TCP."""

import hashlib
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Self

from hatools.ipc.codec import Envelope, Kind
from hatools.ipc.messages.channel import (
    AskNode,
    CommandEnded,
    CommandOutput,
    FileContent,
    ForgetCluster,
    NodeAbout,
    ReadFile,
    RunCommand,
    StoreConfiguration,
    WriteFile,
)
from hatools.ipc.refusals import error_of
from hatools.ipc.stream import EnvelopeStream
from hatools.values.errors import PermissionRefusedError, RemoteError, UnavailableError

CONNECT_S = 5.0
ANSWER_S = 30.0
"""Seconds in which a node has to say something; while it runs a program it does so every few seconds."""

LARGEST_MESSAGE = 300 << 20


class ChannelConnection:
    """A connection to the channel of one node."""

    def __init__(self, name: str, addresses: Sequence[str], port: int, context: ssl.SSLContext) -> None:
        """Connect to the first of the node's addresses that answers.

        Raises:
            UnavailableError: none does; the message says what happened at the last one.
            PermissionRefusedError: it has another key than we.
        """
        self.name = name
        self._stream = self._open(addresses, port, context)

    def _open(self, addresses: Sequence[str], port: int, context: ssl.SSLContext) -> EnvelopeStream:
        problem = "it has no address"
        for address in addresses:
            try:
                plain = socket.create_connection((address, port), timeout=CONNECT_S)
            except OSError as error:
                problem = f"{address} port {port}: {error.strerror or error}"
                continue
            try:
                return EnvelopeStream(context.wrap_socket(plain), self.name, limit=LARGEST_MESSAGE)
            except ssl.SSLCertVerificationError:
                plain.close()
                raise PermissionRefusedError(
                    f"{self.name}: {address} port {port} has not the key of this cluster: compare the authkey files"
                ) from None
            except OSError as error:
                plain.close()
                problem = f"{address} port {port}: {getattr(error, 'reason', None) or error.strerror or error}"
        raise UnavailableError(f"{self.name}: {problem}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; a program that runs for us there is killed."""
        self._stream.close()

    def about(self) -> NodeAbout:
        """Ask the node who it is."""
        answer = self._stream.request(AskNode(), ANSWER_S)
        assert isinstance(answer, NodeAbout)
        return answer

    def read(self, path: str) -> FileContent:
        """Return a file of the node.

        Raises:
            RemoteError: what came is not what was sent.
        """
        answer = self._stream.request(ReadFile(path), ANSWER_S)
        assert isinstance(answer, FileContent)
        if hashlib.sha256(answer.content).hexdigest() != answer.digest:
            raise RemoteError(f"{self.name}: {path} was damaged on its way")
        return answer

    def write(self, path: str, content: bytes, mode: int) -> None:
        """Put a file onto the node."""
        self._stream.request(WriteFile(path, content, mode), ANSWER_S)

    def store_configuration(self, text: str, *, replaces: bool = False) -> None:
        """Give the node a corosync.conf."""
        self._stream.request(StoreConfiguration(text, replaces), ANSWER_S)

    def forget_cluster(self) -> None:
        """Tell the node that it is no member any more."""
        self._stream.request(ForgetCluster(), ANSWER_S)

    def run(
        self,
        argv: Sequence[str],
        *,
        on_output: Callable[[CommandOutput], None],
        stdin: bytes = b"",
        timeout_s: float = 0.0,
    ) -> CommandEnded:
        """Run a program on the node and hand on what it prints, as it comes."""
        self._stream.send(Envelope(Kind.REQUEST, 1, RunCommand(tuple(argv), stdin, timeout_s)), ANSWER_S)
        while True:
            envelope = self._stream.receive(ANSWER_S)
            if envelope.kind is Kind.REFUSAL:
                raise error_of(envelope.message)
            if isinstance(envelope.message, CommandOutput):
                on_output(envelope.message)
            elif isinstance(envelope.message, CommandEnded):
                return envelope.message
