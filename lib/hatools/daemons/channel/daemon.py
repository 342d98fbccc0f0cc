"""The channel's listener: receives other members over TLS and has :mod:`runner` do what they ask. I/O.

It runs beside pacemakerd rather than below it, because a node whose cluster is stopped must be reachable too: that is
how ``crm cluster start NODE`` and ``crm corosync push`` work. It listens on the node's own addresses, on TCP, at the
number of the ring's UDP port. A caller has to hold the cluster's key (``ipc/cluster_tls.py``), which only root can
read; before that is proven not a byte of what it says is looked at. Each caller has a thread, so that one that
is slow or a program that runs long is in nobody's way.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import socket
import ssl
import threading
from typing import Any, assert_never

from hatools.daemons.channel import runner
from hatools.ipc.cluster_tls import server_context
from hatools.ipc.codec import Envelope, Kind
from hatools.ipc.messages import channel as words
from hatools.ipc.messages.session import Done
from hatools.ipc.refusals import refusal_of
from hatools.ipc.stream import EnvelopeStream
from hatools.messaging.corosync.authkey import configured_key
from hatools.messaging.corosync.conf import Configuration, read_configuration
from hatools.messaging.corosync.ourselves import local_node
from hatools.runtime.addresses import is_local_address
from hatools.runtime.daemon import Context
from hatools.runtime.directories import Directories
from hatools.runtime.logs import notice
from hatools.values.errors import ConfigError, DeadlineError, DisconnectedError, HatoolsError, RemoteError

_log = logging.getLogger(__name__)

_MOST_CALLERS = 32
_HANDSHAKE_S = 5.0
_IDLE_S = 60.0
_ANSWER_S = 30.0
_LOOK_S = 1.0
"""How often the configuration is looked at for other addresses."""

_LARGEST_REQUEST = 300 << 20


class Listener:
    """The listening sockets of one node, as its configuration wants them."""

    def __init__(self, directories: Directories) -> None:
        self._directories = directories
        self._stamp: tuple[int, ...] = ()
        self._wanted: tuple[tuple[str, int], ...] = ()
        self._sockets: dict[tuple[str, int], socket.socket] = {}
        self._callers = threading.BoundedSemaphore(_MOST_CALLERS)
        self._configuration: Configuration | None = None
        self.node = ""

    def look(self) -> bool:
        """Follow the configuration; False once this node belongs to no cluster any more."""
        path = self._directories.corosync_conf
        try:
            status = path.stat()
        except OSError:
            return False
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        if stamp != self._stamp:
            self._stamp = stamp
            self._read()
        for place in self._wanted:
            if place not in self._sockets:
                self._listen(place)
        for place in [place for place in self._sockets if place not in self._wanted]:
            self._stop(place)
        return True

    def _read(self) -> None:
        try:
            configuration = read_configuration(self._directories.corosync_conf.read_text(encoding="utf-8"))
            node = local_node(
                configuration,
                given_name=os.environ.get("HATOOLS_NODE_NAME", ""),
                host_name=socket.gethostname(),
                is_local=is_local_address,
                path=str(self._directories.corosync_conf),
            )
        except (HatoolsError, OSError, UnicodeDecodeError) as error:
            _log.warning("the channel keeps what it has: %s", error)
            return
        self._configuration = configuration
        self.node = node.name
        self._wanted = tuple((address, configuration.ports[0]) for address in node.addresses.values())

    def _listen(self, place: tuple[str, int]) -> None:
        try:
            family, _, _, _, address = socket.getaddrinfo(*place, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
            listener = socket.create_server((str(address[0]), place[1]), family=family, backlog=16)
        except OSError as error:
            _log.debug("cannot listen on %s port %s: %s", *place, error)  # the address may come up later
            return
        listener.setblocking(False)
        self._sockets[place] = listener
        asyncio.get_running_loop().add_reader(listener, self._accept, listener)
        notice(_log, "other nodes of the cluster reach this one at %s port %s", *place)

    def _stop(self, place: tuple[str, int]) -> None:
        listener = self._sockets.pop(place)
        asyncio.get_running_loop().remove_reader(listener)
        listener.close()

    def close(self) -> None:
        """Listen no more; callers that are being served are served to the end."""
        for place in list(self._sockets):
            self._stop(place)

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, peer = listener.accept()
        except OSError:
            return
        if not self._callers.acquire(blocking=False):
            _log.warning("%s has to try again: %s callers are being served", peer[0], _MOST_CALLERS)
            connection.close()
            return
        threading.Thread(target=self._serve, args=(connection, str(peer[0])), daemon=True).start()

    def _serve(self, connection: socket.socket, peer: str) -> None:
        try:
            connection.settimeout(_HANDSHAKE_S)
            if self._configuration is None:
                raise ConfigError("the configuration cannot be used")
            key = configured_key(self._configuration, self._directories.root)
            # A handshake has one deadline, however slowly its bytes come.
            overdue = threading.Timer(_HANDSHAKE_S, _shut, (connection,))
            overdue.start()
            try:
                secured = server_context(key).wrap_socket(connection, server_side=True)
            finally:
                overdue.cancel()
            with secured:
                Caller(
                    self._directories, self.node, peer, EnvelopeStream(secured, peer, limit=_LARGEST_REQUEST)
                ).serve()
        except ssl.SSLError as error:
            _log.warning("%s has not the key of this cluster: %s", peer, error.reason or error)
        except (HatoolsError, OSError) as error:
            _log.info("%s: %s", peer, error)
        finally:
            connection.close()
            self._callers.release()


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class Caller:
    """One member that is connected, and what it asks one thing after another."""

    def __init__(self, directories: Directories, node: str, peer: str, stream: EnvelopeStream) -> None:
        self._directories = directories
        self._node = node
        self._peer = peer
        self._stream = stream

    def serve(self) -> None:
        """Answer until the caller hangs up.

        Raises:
            HatoolsError: it broke the protocol.
        """
        while True:
            try:
                envelope = self._stream.receive(_IDLE_S)
            except (DisconnectedError, DeadlineError):
                return
            if envelope.kind is not Kind.REQUEST:
                raise RemoteError(f"{envelope.kind.name.lower()} instead of a request")
            try:
                answer = self._answer(envelope.message)
            except DisconnectedError:
                return
            except HatoolsError as error:
                self._stream.send(Envelope(Kind.REFUSAL, envelope.request_id, refusal_of(error)), _ANSWER_S)
                continue
            self._stream.send(Envelope(Kind.ANSWER, envelope.request_id, answer), _ANSWER_S)

    def _answer(self, message: Any) -> Any:
        folders = self._directories
        match message:
            case words.AskNode():
                return runner.describe(folders, self._node)
            case words.ReadFile():
                _log.info("%s reads %s", self._peer, message.path)
                return runner.read_file(folders, message)
            case words.WriteFile():
                notice(_log, "%s writes %s", self._peer, message.path)
                runner.write_file(folders, message)
            case words.StoreConfiguration():
                notice(_log, "%s brings a new corosync.conf", self._peer)
                runner.store_configuration(folders, message)
            case words.ForgetCluster():
                notice(_log, "%s says that this node is no member any more", self._peer)
                runner.forget_cluster(folders)
            case words.RunCommand():
                notice(_log, "%s runs %r", self._peer, message.argv)
                ended = runner.run_command(folders, message, self._tell)
                notice(_log, "%r for %s ended with %s %s", message.argv, self._peer, ended.status, ended.reason)
                return ended
            case _:
                raise RemoteError(f"the channel does not understand {type(message).__name__}")
        return Done()

    def _tell(self, event: words.CommandOutput | words.StillRunning) -> None:
        match event:
            case words.CommandOutput() | words.StillRunning():
                self._stream.send(Envelope(Kind.EVENT, 0, event), _ANSWER_S)
            case _:
                assert_never(event)


class OnlyOne:
    """The pid file, locked for as long as the channel of a node lives."""

    def __init__(self, directories: Directories) -> None:
        self._path = directories.pid_file("channel")
        self._descriptor = -1

    def take(self) -> bool:
        """Become the one channel of this node; False if there is one."""
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._descriptor)
            return False
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
        return True

    def release(self) -> None:
        """Remove the file and let go of it."""
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        os.close(self._descriptor)


async def serve(context: Context) -> int:
    """Serve until told to stop, or until this node belongs to no cluster."""
    lock = OnlyOne(context.directories)
    if not lock.take():
        return 0
    listener = Listener(context.directories)
    try:
        while listener.look() and not context.stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(context.stopping.wait(), _LOOK_S)
    finally:
        listener.close()
        lock.release()
    return 0
