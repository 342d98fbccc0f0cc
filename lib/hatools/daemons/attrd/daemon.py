"""The attribute daemon: sockets around :class:`Attributes`, :class:`Peers` and :class:`Writer`. I/O."""

import asyncio
import logging
import os
import uuid
from collections.abc import Sequence
from typing import Any

from hatools.cib.document import parse_xml
from hatools.daemons.attrd.attributes import Attributes, Change, check_update, failure_pattern
from hatools.daemons.attrd.peers import Peers
from hatools.daemons.attrd.writer import Writer, loses_values
from hatools.ipc.client import Connection
from hatools.ipc.clients.messaging import GroupEvent, MessagingClient
from hatools.ipc.codec import Envelope, Kind, decode, encode
from hatools.ipc.messages.attrd import (
    AttributeValues,
    ClearFailures,
    PeerArrival,
    PeerDump,
    PeerPlace,
    PeerRefresh,
    PeerRemoval,
    PeerUpdates,
    QueryAttribute,
    RefreshAttributes,
    RemovePeer,
    UpdateAttribute,
    UpdateAttributes,
)
from hatools.ipc.messages.cib import Batch, CibChanged, Query, QueryResult, Subscribe
from hatools.ipc.messages.messaging import Delivered, GroupChanged, ViewChanged
from hatools.ipc.messages.session import Done
from hatools.ipc.rights import Rights
from hatools.ipc.server import Client, Server
from hatools.runtime.daemon import EXIT_LEFT_CLUSTER, Context
from hatools.values.errors import DisconnectedError, HatoolsError, InputError, RemoteError

_log = logging.getLogger(__name__)

GROUP = "attrd"
_RETRY_S = 0.2
_PeerMessage = PeerUpdates | PeerRemoval | PeerRefresh | PeerArrival | PeerPlace | PeerDump


class AttributeDaemon:
    """One node's attrd."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._server = Server("attrd", context.directories.socket("attrd"), self._answer, policy=context.policy)
        self._attributes = Attributes()
        self._writer = Writer(self._attributes, self._node_id)
        self._peers: Peers | None = None
        self._early: list[GroupEvent] = []
        self._messaging: MessagingClient | None = None
        self._cib: Connection | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._queue: list[UpdateAttribute] = []
        self._ordered: dict[int, list[asyncio.Future[None]]] = {}
        self._waiting: list[asyncio.Future[None]] = []
        self._last_tag = 0
        self._ids: dict[str, str] = {}
        self._local = ""
        self._me = 0
        self._was_writer = False
        self._cib_busy = False
        self._in_doubt = False
        """Whether the CIB may lack what was written to it."""

    async def serve(self) -> int:
        """Work until told to stop or messaging is gone."""
        folders = self._context.directories
        self._messaging = await MessagingClient.open(
            folders.socket("messaging"), name="attrd", on_event=self._group_event, deadline_s=30
        )
        joined = await self._messaging.join(GROUP)
        self._me, self._local = joined.local.id, joined.local.name
        self._ids[self._local] = str(self._me)
        self._peers = Peers(self._me, self._local, self._attributes, uuid.uuid4().hex)
        early, self._early = self._early, []
        for event in early:
            self._group_event(event)
        await self._server.open()
        self._context.ready()
        stop = asyncio.ensure_future(self._context.stopping.wait())
        ends: set[asyncio.Future[Any]] = {stop, self._server.failed, self._messaging.closed}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if self._server.failed.done():
            self._server.failed.result()
        if self._messaging.closed.done():
            _log.error("messaging is gone: this node has left the cluster")
            os._exit(EXIT_LEFT_CLUSTER)
        await self._messaging.leave(GROUP)
        self._messaging.close()
        await self._server.close()
        return 0

    def _node_id(self, name: str) -> str:
        """Return a node's id as the CIB names it; remote nodes are their own id."""
        return self._ids.get(name, name)

    # --- clients

    async def _answer(self, client: Client, message: Any) -> Any:
        match message:
            case QueryAttribute(name, node):
                return AttributeValues(self._attributes.query(name, node))
        client.require(Rights.FULL)
        match message:
            case UpdateAttribute():
                await self._order([message])
            case UpdateAttributes(updates):
                await self._order(list(updates))
            case ClearFailures(resource, operation, interval_ms, node):
                pattern = failure_pattern(resource, operation, interval_ms)
                nodes = [node] if node else sorted(self._holders())
                await self._order([UpdateAttribute(pattern, None, node=name, pattern=True) for name in nodes])
            case RemovePeer(node):
                await self._broadcast(PeerRemoval(node))
            case RefreshAttributes():
                await self._broadcast(PeerRefresh())
            case _:
                raise RemoteError(f"attrd does not answer {type(message).__name__}")
        return Done()

    def _holders(self) -> set[str]:
        return {node for attribute in self._attributes for node in attribute.values}

    async def _order(self, updates: list[UpdateAttribute]) -> None:
        """Have updates ordered; what comes in the same turn of the loop travels in one message."""
        if not updates:
            return
        for update in updates:
            check_update(update)
        if not self._queue:
            self._loop.call_soon(self._flush)
        self._queue += [update if update.node else _on_node(update, self._local) for update in updates]
        done: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append(done)
        await done

    def _flush(self) -> None:
        updates, self._queue = self._queue, []
        waiting, self._waiting = self._waiting, []
        self._send(PeerUpdates(tuple(updates)), waiting)

    async def _broadcast(self, message: _PeerMessage) -> None:
        done: asyncio.Future[None] = self._loop.create_future()
        self._send(message, [done])
        await done

    def _send(self, message: _PeerMessage, waiting: list["asyncio.Future[None]"]) -> None:
        assert self._messaging is not None
        self._last_tag += 1
        self._ordered[self._last_tag] = waiting
        sent = self._messaging.broadcast(GROUP, encode(Envelope(Kind.EVENT, 0, message)), self._last_tag)
        sent.add_done_callback(_ignore)

    # --- the group

    def _group_event(self, event: GroupEvent) -> None:
        peers = self._peers
        if peers is None:
            self._early.append(event)
            return
        match event:
            case ViewChanged(_, members, _, _, left, lost):
                for name in peers.view({member.id: member.name for member in members}, left + lost):
                    peers.removed(name)
                    self._forget(name)
                self._ids |= {member.name: str(member.id) for member in members}
            case GroupChanged(group, present, arrived) if group == GROUP:
                self._tell(peers.group(frozenset(present), frozenset(arrived)))
            case Delivered():
                self._delivered(peers, event)
        self._check_writer(peers)
        self._write()

    def _tell(self, messages: Sequence[_PeerMessage]) -> None:
        for message in messages:
            self._send(message, [])

    def _delivered(self, peers: Peers, event: Delivered) -> None:
        try:
            message = decode(event.payload).message
        except RemoteError as error:
            _log.error("node %s sent what cannot be read: %s", event.sender, error)
            return
        match message:
            case PeerUpdates(updates):
                for update in updates:
                    peers.updated(update)
                    self._note(self._attributes.apply(update))
            case PeerRemoval(node):
                peers.removed(node)
                self._forget(node)
            case PeerRefresh():
                self._writer.everything()
            case PeerArrival():
                self._tell(peers.arrived(event.sender))
            case PeerPlace(place):
                self._tell(peers.placed(place))
            case PeerDump():
                self._note(peers.dumped(message))
        if event.sender == self._me:
            for done in self._ordered.pop(event.tag, ()):
                if not done.done():
                    done.set_result(None)

    def _forget(self, node: str) -> None:
        if self._attributes.remove_node(node):
            _log.info("forgot the attributes of %s", node)
        self._writer.node_gone(node)

    def _note(self, changes: list[Change]) -> None:
        now = self._loop.time()
        for change in changes:
            _log.info("%s[%s] = %s", change.name, change.node, change.value)
            self._writer.changed(now, change.name, change.node)

    def _check_writer(self, peers: Peers) -> None:
        if peers.is_writer and not self._was_writer:
            # What the writer before us did last may not be in our replica yet: write all, then look for what is stale.
            self._writer.everything()
            self._in_doubt = True
        self._was_writer = peers.is_writer

    # --- the CIB

    def _write(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        peers = self._peers
        if peers is None or self._cib_busy:
            return
        if not peers.is_writer:
            if peers.writer != self._me:
                self._writer.drop()
            return
        now = self._loop.time()
        write = self._writer.next_write(now)
        if write is not None:
            self._server.start(self._carry_out(Batch(write.changes)))
        elif self._in_doubt:
            self._server.start(self._compare(peers))
        deadline = self._writer.deadline
        if deadline is not None:
            self._timer = self._loop.call_at(deadline, self._write)

    async def _carry_out(self, batch: Batch) -> None:
        self._cib_busy = True
        succeeded = False
        try:
            if batch.changes:
                await (await self._connected()).request(batch)
            succeeded = True
        except DisconnectedError:
            _log.warning("cib is away: attributes are written again when it is back")
            await asyncio.sleep(_RETRY_S)
        except InputError as error:
            # Trying again would not help; the next change of the value does.
            _log.error("the CIB refuses attributes: %s", error)
            succeeded = True
        except HatoolsError as error:
            _log.error("attributes could not be written: %s", error)
            await asyncio.sleep(_RETRY_S)
        finally:
            self._cib_busy = False
        self._writer.written(succeeded=succeeded)
        self._write()

    async def _compare(self, peers: Peers) -> None:
        """See whether the CIB still says what was written to it: its status may have been replaced or erased."""
        self._cib_busy = True
        self._in_doubt = False
        try:
            answer = await (await self._connected()).request(Query(section="status"))
            assert isinstance(answer, QueryResult)
            present = set(peers.names.values())
            self._writer.compare(parse_xml(answer.xml), present, self._ids.keys() - present)
        except HatoolsError as error:
            _log.warning("the CIB could not be compared with the attributes: %s", error)
            self._in_doubt = True
            await asyncio.sleep(_RETRY_S)
        finally:
            self._cib_busy = False
        self._write()

    async def _connected(self) -> Connection:
        """Return a connection to cib that tells us of changes."""
        if self._cib is None or self._cib.closed.done():
            path = self._context.directories.socket("cib")
            connection = await Connection.open(path, "cib", name="attrd", on_event=self._cib_event, deadline_s=30)
            await connection.request(Subscribe())
            connection.closed.add_done_callback(lambda _: self._doubt())
            self._cib = connection
        return self._cib

    def _cib_event(self, event: Any) -> None:
        if isinstance(event, CibChanged) and not self._in_doubt and loses_values(event):
            self._doubt()

    def _doubt(self) -> None:
        self._in_doubt = True
        self._write()


def _on_node(update: UpdateAttribute, node: str) -> UpdateAttribute:
    return UpdateAttribute(
        name=update.name,
        value=update.value,
        node=node,
        dampen_ms=update.dampen_ms,
        update=update.update,
        private=update.private,
        set_name=update.set_name,
        pattern=update.pattern,
        both=update.both,
    )


def _ignore(answer: "asyncio.Future[Any]") -> None:
    """Read a result nobody needs; a lost connection ends the daemon elsewhere."""
    if not answer.cancelled() and isinstance(error := answer.exception(), HatoolsError):
        _log.debug("a message was not sent: %s", error)


async def serve(context: Context) -> int:
    """Run attrd until told to stop."""
    return await AttributeDaemon(context).serve()
