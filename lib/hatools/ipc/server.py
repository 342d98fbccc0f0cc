"""The listening side of a daemon's UNIX socket. I/O.

Each accepted peer is graded by its kernel credentials before anything it says is read; a peer
without rights is told so and closed. Requests are handled as tasks, so one connection can have many
outstanding. A client that stops reading is dropped when its backlog passes a limit: it can never
hold up the daemon or the other clients.
"""

import asyncio
import contextlib
import logging
import os
import pwd
import socket
import struct
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

from hatools.ipc.address import short_socket_path
from hatools.ipc.codec import Envelope, Kind, decode, encode
from hatools.ipc.frames import FrameReader, pack_frame
from hatools.ipc.messages.session import Done, Hello, Ping
from hatools.ipc.refusals import refusal_of
from hatools.ipc.rights import AccessPolicy, Credentials, Rights
from hatools.values.errors import HatoolsError, PermissionRefusedError, RemoteError

_log = logging.getLogger(__name__)

BACKLOG_LIMIT = 256 * 1024 * 1024
"""Bytes a client may leave unread before it is dropped."""

STALL_LIMIT = 30.0
"""Seconds a client may leave a non-empty backlog without reading a single byte of it."""

HOLD_S = 0.002
"""Seconds an answer that was given at once may wait for an event to leave with."""


class Client(asyncio.Protocol):
    """One connected client, as handlers see it.

    Attributes:
        id: unique within this server's life.
        name: what the client calls itself, empty before its Hello.
        credentials, rights: who it is and what it may do.
        state: anything the daemon wants to remember about it.
    """

    def __init__(self, server: "Server") -> None:
        self._server = server
        self._reader = FrameReader()
        self._transport: asyncio.Transport | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._written = 0
        self._taken = 0
        """Bytes that were written, and how many of them the kernel had taken when :attr:`_stall` was armed."""
        self._held: list[bytes] = []
        """Answers that were given at once; they leave with the next event, which often is what was asked for."""
        self._release: asyncio.TimerHandle | None = None
        self.id = server.next_client_id()
        self.name = ""
        self.credentials = Credentials(0, -1, -1, frozenset())
        self.rights = Rights.NONE
        self.state: dict[str, Any] = {}

    def post(self, message: Any) -> None:
        """Send an event; never waits."""
        self._send(Envelope(Kind.EVENT, 0, message))

    def post_encoded(self, frame: bytes) -> None:
        """Send an event that was packed once for many clients by :func:`pack_event`."""
        self._write(frame)

    def require(self, rights: Rights) -> None:
        """Refuse the present request unless the client has these rights.

        Raises:
            PermissionRefusedError: it has not.
        """
        if self.rights < rights:
            raise PermissionRefusedError(
                f"user id {self.credentials.uid} may not do this on {self._server.name}: "
                "ask root or a cluster administrator"
            )

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.credentials = _peer_credentials(transport.get_extra_info("socket"))
        self.rights = self._server.policy.rights(self.credentials)
        if self.rights is Rights.NONE:
            _log.warning("refused process %s of user id %s", self.credentials.pid, self.credentials.uid)
            error = PermissionRefusedError(
                f"user id {self.credentials.uid} may not talk to {self._server.name}: "
                "only root, hacluster and members of haclient may"
            )
            self._send(Envelope(Kind.REFUSAL, 0, refusal_of(error)))
            transport.close()
            return
        self._server.clients[self.id] = self

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._stall, self._release):
            if timer is not None:
                timer.cancel()
        if self._server.clients.pop(self.id, None) is not None:
            self._server.disconnected(self)

    def data_received(self, data: bytes) -> None:
        try:
            for payload in self._reader.feed(data):
                self._received(decode(payload))
        except RemoteError as error:
            _log.warning("dropped client %s (process %s): %s", self.name or self.id, self.credentials.pid, error)
            self.close()

    def _received(self, envelope: Envelope) -> None:
        message = envelope.message
        if envelope.kind is Kind.HELLO and isinstance(message, Hello):
            self.name = message.name
            self._send(Envelope(Kind.HELLO, 0, Hello(self._server.name, os.getpid())))
        elif envelope.kind is Kind.REQUEST:
            if isinstance(message, Ping):
                self._send(Envelope(Kind.ANSWER, envelope.request_id, Done()))
            elif not self._answer_at_once(envelope.request_id, message):
                self._server.start(self._answer(envelope.request_id, self._server.handler(self, message)))
        else:
            raise RemoteError(f"a client may not send a message of kind {envelope.kind.name}")

    def _answer_at_once(self, request_id: int, message: Any) -> bool:
        if self._server.at_once is None:
            return False
        try:
            answer = self._server.at_once(self, message)
        except HatoolsError as error:
            self._send(Envelope(Kind.REFUSAL, request_id, refusal_of(error)))
            return True
        if answer is None:
            return False
        if isinstance(answer, Coroutine):
            self._server.start(self._answer(request_id, answer))
            return True
        self._held.append(pack_frame(encode(Envelope(Kind.ANSWER, request_id, answer))))
        if self._release is None:
            self._release = asyncio.get_running_loop().call_later(HOLD_S, self._write, b"")
        return True

    async def _answer(self, request_id: int, work: Awaitable[Any]) -> None:
        try:
            answer = await work
        except HatoolsError as error:
            self._send(Envelope(Kind.REFUSAL, request_id, refusal_of(error)))
        else:
            self._send(Envelope(Kind.ANSWER, request_id, answer))

    def _send(self, envelope: Envelope) -> None:
        self._write(pack_frame(encode(envelope)))

    def _write(self, frame: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._release is not None:
            self._release.cancel()
            self._release = None
            frame = b"".join((*self._held, frame))
            self._held.clear()
        self._transport.write(frame)
        self._written += len(frame)
        waiting = self._transport.get_write_buffer_size()
        if waiting > BACKLOG_LIMIT:
            self._drop(waiting)
        elif waiting and self._stall is None:
            self._watch_backlog(waiting)

    def _watch_backlog(self, waiting: int) -> None:
        self._taken = self._written - waiting
        self._stall = asyncio.get_running_loop().call_later(STALL_LIMIT, self._check_stall)

    def _check_stall(self) -> None:
        self._stall = None
        waiting = self._transport.get_write_buffer_size() if self._transport is not None else 0
        if waiting and self._written - waiting == self._taken:
            self._drop(waiting)
        elif waiting:
            self._watch_backlog(waiting)

    def _drop(self, waiting: int) -> None:
        _log.warning(
            "dropped client %s (process %s): it does not read, %s bytes wait for it",
            self.name or self.id,
            self.credentials.pid,
            waiting,
        )
        if self._transport is not None:
            self._transport.abort()


Handler = Callable[[Client, Any], Awaitable[Any]]


class Server:
    """A daemon's socket.

    Args:
        name: the daemon's name, which is also the socket's.
        path: the socket; an old one left by a dead process is replaced.
        handler: answers one request; errors of the HatoolsError tree become refusals.
        policy: who may connect.
        on_disconnect: told of each client that went away.
        at_once: takes over a request as soon as it is read, for what comes many times a second. Returns the answer, a
            coroutine that waits for it, or None: then the handler gets the request.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        handler: Handler,
        *,
        policy: AccessPolicy,
        on_disconnect: Callable[[Client], None] | None = None,
        at_once: Callable[[Client, Any], Any] | None = None,
    ) -> None:
        self.name = name
        self.handler = handler
        self.policy = policy
        self.at_once = at_once
        self.clients: dict[int, Client] = {}
        self._path = path
        self._on_disconnect = on_disconnect
        self._last_id = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Raises what a handler raised that is no HatoolsError: a bug, the daemon must end."""

    async def open(self) -> None:
        """Start listening."""
        listener = _prepared.pop(self._path, None) or _bind(self._path, self.policy)
        self._server = await asyncio.get_running_loop().create_unix_server(lambda: Client(self), sock=listener)

    async def close(self) -> None:
        """Stop listening, drop the clients and forget the socket."""
        if self._server is not None:
            self._server.close()
        for client in list(self.clients.values()):
            client.close()
        for task in list(self._tasks):
            task.cancel()
        with contextlib.suppress(FileNotFoundError, PermissionError):  # a daemon without root leaves its name there
            self._path.unlink()

    def broadcast(self, message: Any, clients: list[Client] | None = None) -> None:
        """Post one event to many clients (all by default), encoding it once."""
        targets = list(self.clients.values()) if clients is None else clients
        if targets:
            frame = pack_event(message)
            for client in targets:
                client.post_encoded(frame)

    def next_client_id(self) -> int:
        """Return a number that no client of this server has had."""
        self._last_id += 1
        return self._last_id

    def disconnected(self, client: Client) -> None:
        """Tell the daemon that a client is gone."""
        if self._on_disconnect is not None:
            self._on_disconnect(client)

    def start(self, work: Any) -> None:
        """Run a coroutine whose failure (not a HatoolsError) must end the daemon."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not self.failed.done():
            self.failed.set_exception(error)


_prepared: dict[Path, socket.socket] = {}


def prepare_listener(path: Path, policy: AccessPolicy) -> None:
    """Bind a socket now, while this process still may write to its folder; :meth:`Server.open` then takes it."""
    _prepared[path] = _bind(path, policy)


def _bind(path: Path, policy: AccessPolicy) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    with short_socket_path(path) as name:
        listener.bind(name)
    path.chmod(0o666 if policy.is_open else 0o660)  # who connects is graded by its credentials
    if os.geteuid() == 0 and policy.cluster_group is not None:
        os.chown(path, -1, policy.cluster_group)
    listener.setblocking(False)
    return listener


def pack_event(message: Any) -> bytes:
    """Return the whole frame of an event, for :meth:`Client.post_encoded`."""
    return pack_frame(encode(Envelope(Kind.EVENT, 0, message)))


def _peer_credentials(peer: socket.socket) -> Credentials:
    pid, uid, gid = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    groups: frozenset[int] = frozenset()
    if uid != 0:
        with contextlib.suppress(KeyError):
            groups = frozenset(os.getgrouplist(pwd.getpwuid(uid).pw_name, gid))
    return Credentials(pid, uid, gid, groups)
