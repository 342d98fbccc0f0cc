"""The cib daemon: the replica on the sockets, the disk and the clock. I/O."""

import asyncio
import contextlib
import logging
import pwd
import time
from collections import deque
from typing import Any

from hatools.cib.acl import Subject, is_bound, readable_part
from hatools.cib.document import Document, Version, format_xml
from hatools.cib.operations import Stamp
from hatools.cib.queries import query
from hatools.daemons.cib.applying import Applier, edit_of
from hatools.daemons.cib.disk import Disk
from hatools.daemons.cib.effects import (
    Answer,
    BroadcastToPeers,
    Changed,
    Effect,
    KeepBackup,
    Note,
    Persist,
    SendToPeer,
)
from hatools.daemons.cib.replica import Replica
from hatools.daemons.cib.store import Store
from hatools.ipc.client import Connection
from hatools.ipc.clients.accounts import groups_of
from hatools.ipc.clients.messaging import PieceJoiner, in_pieces
from hatools.ipc.codec import Envelope, Kind, decode, encode
from hatools.ipc.messages import cib as words
from hatools.ipc.messages import messaging
from hatools.ipc.rights import Rights
from hatools.ipc.server import Client, Server
from hatools.runtime.daemon import Context
from hatools.runtime.logs import NOTICE
from hatools.values.ciboperation import CibOperation
from hatools.values.errors import DisconnectedError, HatoolsError, NotSupportedError, RemoteError, UnavailableError

_log = logging.getLogger(__name__)

GROUP = "cib"
WRITE_TIMEOUT = 120.0
"""Seconds a write may take until its client is told that the outcome is not known."""

AGREEMENT_TIMEOUT = 1.0
"""Seconds that who asks for a ring's agreement waits for the answer."""


async def serve(context: Context) -> int:
    """Run the daemon until it is told to stop."""
    daemon = CibDaemon(context)
    return await daemon.run()


class CibDaemon:
    """One node's cib daemon."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = Store(context.directories.cib)
        self._disk = Disk(self._store, context.directories.cib, self._stored)
        stored = self._store.load()
        self._document = stored.document
        self._mark = stored.mark
        self._replica: Replica | None = None
        self._applier = Applier()
        self._formatted: tuple[Document, bytes] | None = None
        self._server = Server(
            "cib", context.directories.socket("cib"), self._handle, policy=context.policy, on_disconnect=None
        )
        self._messaging: Connection | None = None
        self._pieces = PieceJoiner()
        self._events: deque[Any] = deque()
        self._members: dict[int, str] = {}
        self._requests = 0
        self._answers: dict[int, asyncio.Future[words.Changed]] = {}
        self._agreed = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._background: set[asyncio.Future[Any]] = set()

    @property
    def document(self) -> Document:
        """Return the content as this node has it."""
        return self._document if self._replica is None else self._replica.document

    async def run(self) -> int:
        self._disk.prepare()
        await self._server.open()
        self._context.ready()
        writer = asyncio.create_task(self._disk.run())
        membership = asyncio.create_task(self._stay_in_group())
        stopping = asyncio.create_task(self._context.stopping.wait())
        tasks: set[asyncio.Future[Any]] = {writer, membership, stopping, self._server.failed}
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if task is not stopping:
                task.result()
        await self._shut_down(writer, membership)
        return 0

    async def _shut_down(self, writer: "asyncio.Task[None]", membership: "asyncio.Task[None]") -> None:
        await self._server.close()
        membership.cancel()
        if self._messaging is not None:
            self._messaging.close()
        while not self._disk.is_idle:
            await asyncio.sleep(0.01)
        writer.cancel()
        for task in (writer, membership):
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._store.close()

    # -- messaging

    async def _stay_in_group(self) -> None:
        """Be a member of the group for as long as messaging is there; come back when it does."""
        incarnation = f"{time.time_ns():x}"
        while True:
            try:
                connection = await Connection.open(
                    self._context.directories.socket("messaging"),
                    "messaging",
                    name="cib",
                    on_event=self._messaging_event,
                    deadline_s=3600.0,
                )
            except DisconnectedError:
                continue
            self._events.clear()
            self._pieces = PieceJoiner()
            try:
                joined = await connection.request(messaging.JoinGroup(GROUP, report_safe=True), timeout_s=None)
            except HatoolsError as error:
                _log.warning("could not join the cluster's group: %s", error)
                connection.close()
                await asyncio.sleep(0.5)
                continue
            assert isinstance(joined, messaging.Joined)
            self._messaging = connection
            if self._replica is None:
                local = joined.local
                self._replica = Replica(local.id, local.name, self._document, self._mark, incarnation)
            self._take_events()
            await connection.closed
            _log.warning("messaging is gone: the CIB can be read, writes wait")
            self._messaging = None
            self._perform(self._replica.disconnected())

    def _messaging_event(self, event: Any) -> None:
        whole = self._pieces.take(event)
        if whole is None:
            return
        self._events.append(whole)
        if self._messaging is not None:
            self._take_events()

    def _take_events(self) -> None:
        replica = self._replica
        assert replica is not None
        now = asyncio.get_running_loop().time()
        while self._events:
            event = self._events.popleft()
            match event:
                case messaging.ViewChanged():
                    self._members = {member.id: member.name for member in event.members}
                    self._perform(replica.view_changed(event))
                    self._spawn(self._ask_quorum())
                case messaging.GroupChanged(group) if group == GROUP:
                    self._perform(replica.group_changed(event))
                case messaging.Delivered(group, sender, sequence, payload) if group == GROUP:
                    message = self._read(sender, payload)
                    if message is not None:
                        self._perform(replica.delivered(now, sender, sequence, message))
                case messaging.BecameSafe(group, sequence) if group == GROUP:
                    self._perform(replica.became_safe(sequence))
                case messaging.Direct(group, sender, payload) if group == GROUP:
                    message = self._read(sender, payload)
                    if message is not None:
                        self._perform(replica.direct(now, sender, message))
        self._tell_agreement()
        self._arm_timer()

    def _read(self, sender: int, payload: bytes) -> Any:
        try:
            return decode(payload).message
        except RemoteError as error:
            _log.error("node %s sent what cannot be read: %s", self._members.get(sender, sender), error)
            return None

    async def _ask_quorum(self) -> None:
        connection = self._messaging
        if connection is None:
            return
        with contextlib.suppress(HatoolsError):
            ring = await connection.request(messaging.DescribeRing())
            if isinstance(ring, messaging.RingState) and self._replica is not None:
                self._perform(self._replica.set_quorum_votes(ring.quorum))

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _arm_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        replica = self._replica
        if replica is not None and replica.deadline is not None:
            self._timer = asyncio.get_running_loop().call_at(replica.deadline, self._expire)

    def _expire(self) -> None:
        assert self._replica is not None
        self._timer = None
        self._perform(self._replica.expire(asyncio.get_running_loop().time()))
        self._arm_timer()

    # -- effects

    def _perform(self, effects: list[Effect]) -> None:
        late: list[Effect] = []
        for effect in effects:
            match effect:
                case BroadcastToPeers(message):
                    self._send(messaging.Broadcast(GROUP, encode(Envelope(Kind.EVENT, 0, message))))
                case SendToPeer(node, direct):
                    self._send(messaging.SendTo(GROUP, node, encode(Envelope(Kind.EVENT, 0, direct))))
                case Persist(token):
                    if self._disk.put(effect) and self._replica is not None:
                        # The peers wait to hear of it, our clients for theirs: what this change means to them is first.
                        follows = self._replica.persisted(token)
                        self._perform([each for each in follows if isinstance(each, BroadcastToPeers | SendToPeer)])
                        late += [each for each in follows if not isinstance(each, BroadcastToPeers | SendToPeer)]
                case KeepBackup():
                    self._disk.put(effect)
                case Answer():
                    self._answer(effect)
                case Changed():
                    self._tell_subscribers(effect)
                case Note(level, text):
                    _log.log(_LEVELS[level], "%s", text)
        if late:
            self._perform(late)

    def _stored(self, token: int) -> None:
        if self._replica is not None:
            self._perform(self._replica.persisted(token))

    def _send(self, request: messaging.Broadcast | messaging.SendTo) -> None:
        if self._messaging is None:
            return  # the replica learns of it by disconnected() and sends again
        for piece in in_pieces(request):
            future = self._messaging.submit(piece)
            self._background.add(future)
            future.add_done_callback(self._sent)

    def _sent(self, future: "asyncio.Future[Any]") -> None:
        self._background.discard(future)
        if not future.cancelled() and (error := future.exception()) is not None:
            _log.debug("messaging did not take a message: %s", error)

    def _answer(self, answer: Answer) -> None:
        future = self._answers.pop(answer.request, None)
        if future is None or future.done():
            return
        if answer.error is not None:
            future.set_exception(answer.error)
        else:
            future.set_result(words.Changed(answer.version))

    def _tell_subscribers(self, change: Changed) -> None:
        subscribers = [client for client in self._server.clients.values() if "subscription" in client.state]
        if not subscribers:
            return
        patch = (
            b"" if change.patch is None else format_xml(change.patch, indent=None).encode("utf-8", "surrogateescape")
        )
        before, after = _triple(change.before), _triple(change.after)
        whole = words.CibChanged(
            before, after, patch, change.operation, change.origin, change.client, replaced=change.patch is None
        )
        bare = words.CibChanged(before, after, b"", change.operation, change.origin, change.client, replaced=True)
        with_patch: list[Client] = []
        without: list[Client] = []
        for client in subscribers:
            wanted = client.state["subscription"] and not is_bound(change.after, self._subject(client, ""))
            (with_patch if wanted else without).append(client)
        self._server.broadcast(whole, with_patch)
        self._server.broadcast(bare, without)

    # -- clients

    async def _handle(self, client: Client, message: Any) -> Any:
        match message:
            case words.Query():
                return self._query(client, message)
            case words.Change(operation=CibOperation.SYNC):
                return self._resynchronise(client)
            case words.Change(dry_run=True):
                return self._rehearse(client, message)
            case words.Change():
                return await self._write(client, (message,))
            case words.Batch(changes, early):
                return await self._write(client, changes, early=early)
            case words.Subscribe(with_patch):
                client.state["subscription"] = with_patch
                return self._query(client, words.Query())
            case words.Lineage(ring):
                if ring:
                    await self._agreement(ring)
                return self._lineage()
            case _:
                raise NotSupportedError(f"the cib daemon does not know {type(message).__name__}")

    def _subject(self, client: Client, delegated: str) -> Subject:
        """Return whose permissions apply to what a client asks."""
        if client.rights >= Rights.FULL:
            return Subject(delegated, groups_of(delegated)) if delegated else Subject()
        known = client.state.get("subject")
        if known is None:
            user = _user_name(client.credentials.uid)
            known = client.state["subject"] = Subject(user, groups_of(user))
        assert isinstance(known, Subject)
        return known

    def _query(self, client: Client, request: words.Query) -> words.QueryResult:
        document = self.document
        subject = self._subject(client, request.user)
        is_whole = request.section in ("", "cib", "all") and not request.xpath and request.children
        if is_whole and not is_bound(document, subject):
            return words.QueryResult(self._whole(document), _triple(document))
        visible = readable_part(document, subject)
        found = query(visible, section=request.section, xpath=request.xpath, no_children=not request.children)
        return words.QueryResult(format_xml(found, indent=None).encode("utf-8", "surrogateescape"), _triple(document))

    def _whole(self, document: Document) -> bytes:
        if self._formatted is None or self._formatted[0] is not document:
            text = format_xml(document.root, indent=None).encode("utf-8", "surrogateescape")
            self._formatted = (document, text)
        return self._formatted[1]

    def _rehearse(self, client: Client, change: words.Change) -> words.Changed:
        outcome = self._applier.rehearse(
            self.document, (change,), self._stamp(client, (change,)), self._subject(client, change.user)
        )
        text = format_xml(outcome.document.root, indent=None).encode("utf-8", "surrogateescape")
        return words.Changed(_triple(outcome.document), text)

    def _resynchronise(self, client: Client) -> words.Changed:
        client.require(Rights.FULL)
        if self._replica is not None:
            self._perform(self._replica.resynchronise(f"asked by {client.name or 'a client'}"))
        return words.Changed(_triple(self.document))

    async def _write(self, client: Client, changes: tuple[words.Change, ...], *, early: bool = False) -> words.Changed:
        for change in changes:
            edit_of(change)  # what cannot be read is refused before anybody else hears of it
        size = sum(len(change.xml) for change in changes)
        if any(change.section != "status" for change in changes):
            was_refusing = bool(self._disk.error)
            if not self._disk.has_room(size):
                if not was_refusing:
                    self._spawn(self._disk.await_room(size))
                raise UnavailableError(f"the change was not made: {self._disk.error}")
        replica = self._replica
        if replica is None:
            raise UnavailableError("the cib daemon has no connection to messaging yet: try again in a moment")
        self._requests += 1
        request = self._requests
        future: asyncio.Future[words.Changed] = asyncio.get_running_loop().create_future()
        self._answers[request] = future
        subject = self._subject(client, next((change.user for change in changes if change.user), ""))
        self._perform(replica.submit(request, changes, self._stamp(client, changes), subject, early=early))
        try:
            async with asyncio.timeout(WRITE_TIMEOUT):
                return await future
        except TimeoutError:
            self._answers.pop(request, None)
            self._perform(replica.give_up(request, ""))
            raise UnavailableError(
                f"the change is not on enough disks after {WRITE_TIMEOUT:g} s: "
                "it may have been made, look before you repeat it"
            ) from None

    def _stamp(self, client: Client, changes: tuple[words.Change, ...]) -> Stamp:
        origin = self._replica.name if self._replica is not None else ""
        said = next((change.origin for change in changes if change.origin), client.name)
        user = next((change.user for change in changes if change.user), "") or _user_name(client.credentials.uid)
        return Stamp(time.ctime(), origin, said, user)

    def _lineage(self) -> words.LineageState:
        replica = self._replica
        document = self.document
        if replica is None:
            return words.LineageState(_triple(document), self._mark.lineage, False)
        primary = self._members.get(replica.primary or 0, "")
        return words.LineageState(
            _triple(document),
            replica.mark.lineage,
            replica.is_synchronised,
            primary,
            replica.ring_id,
            replica.is_adopted,
        )

    async def _agreement(self, ring: str) -> None:
        """Wait, but not for ever, until the replica agrees with the members of a ring."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(AGREEMENT_TIMEOUT):
                while not (self._replica is not None and self._replica.agrees_in(ring)):
                    await self._agreed.wait()

    def _tell_agreement(self) -> None:
        if self._replica is not None and self._replica.is_synchronised:
            self._agreed.set()
            self._agreed = asyncio.Event()


_LEVELS = {"info": logging.INFO, "notice": NOTICE, "warning": logging.WARNING, "error": logging.ERROR}


def _triple(document: Document) -> tuple[int, int, int]:
    version: Version = document.version
    return (version.admin_epoch, version.epoch, version.num_updates)


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"
