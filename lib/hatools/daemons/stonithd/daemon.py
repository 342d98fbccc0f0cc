"""The shell around :class:`Coordinator`: sockets, the CIB, messaging, devices. I/O."""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Coroutine
from itertools import count
from typing import Any, assert_never

from hatools.cib.document import Document, Element, parse_xml
from hatools.daemons.stonithd.configuration import DeviceConfig, FencingConfiguration, read_configuration
from hatools.daemons.stonithd.coordinator import Coordinator
from hatools.daemons.stonithd.effects import (
    Answer,
    BroadcastPeers,
    CancelHere,
    Effect,
    FindOffers,
    Notify,
    PeerMessage,
    Refuse,
    RunHere,
    SendPeer,
)
from hatools.daemons.stonithd.registry import LocalDevices
from hatools.daemons.stonithd.runner import DeviceRunner
from hatools.daemons.stonithd.topology import HIGHEST_INDEX, LOWEST_INDEX, Level, levels_for, parse_target, with_devices
from hatools.ipc.client import Connection
from hatools.ipc.clients.messaging import GroupEvent, MessagingClient
from hatools.ipc.codec import Envelope, Kind, decode, encode
from hatools.ipc.messages.cib import CibChanged, Query, QueryResult, Subscribe
from hatools.ipc.messages.messaging import BecameSafe, Delivered, Direct, GroupChanged, ViewChanged
from hatools.ipc.messages.session import Done
from hatools.ipc.messages.stonith import (
    CleanHistory,
    ConfirmDown,
    DeregisterDevice,
    DeregisterLevel,
    DeviceList,
    DevicesChanged,
    Fence,
    FencingDone,
    FencingNotice,
    FencingRecord,
    History,
    QueryDevices,
    QueryHistory,
    RegisterDevice,
    RegisterLevel,
    RunDevice,
    SubscribeFencing,
)
from hatools.ipc.messages.stonith import Device as DeviceEntry
from hatools.ipc.rights import Rights
from hatools.ipc.server import Client, Server
from hatools.runtime.daemon import EXIT_LEFT_CLUSTER, Context
from hatools.runtime.inflight import InFlight
from hatools.runtime.logs import notice
from hatools.values.errors import (
    DisconnectedError,
    HatoolsError,
    InputError,
    RemoteError,
)
from hatools.values.iso8601 import Moment
from hatools.values.records import replace

_log = logging.getLogger(__name__)

GROUP = "stonith"
_SUBSCRIBED = "fencing"
_CONNECT_LIMIT_S = 60.0
_CIB_LIMIT_S = 10.0
"""How long a request waits for the first sight of the CIB; then what is registered by hand has to do."""

_QUERY_LIMIT_MS = 60_000
"""How long a device may take to tell whether it can fence a node."""


class Fencer:
    """One node's stonithd."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._server = Server("stonithd", context.directories.socket("stonithd"), self._answer, policy=context.policy)
        self._in_flight = InFlight(context.directories.run / "stonithd-actions")
        self._devices = LocalDevices(DeviceRunner(context.directories, self._in_flight), self._tell_devices)
        self._configuration = FencingConfiguration()
        self._manual_levels: list[Level] = []
        self._core = Coordinator(0, "", self._levels_of)
        self._messaging: MessagingClient | None = None
        self._members: dict[int, str] = {}
        self._waiters: dict[int, asyncio.Future[FencingDone]] = {}
        self._waiter_numbers = count(1)
        self._runs: dict[tuple[int, str, int], asyncio.Task[None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._cib_seen = asyncio.Event()
        self._cib_dirty = asyncio.Event()
        self._failed: asyncio.Future[None] = self._loop.create_future()
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> int:
        """Work until told to stop, or until the node has left the cluster."""
        self._in_flight.kill_leftovers()
        early: list[GroupEvent] = []
        sink = early.append
        self._messaging = messaging = await MessagingClient.open(
            self._context.directories.socket("messaging"),
            name="stonithd",
            on_event=lambda event: sink(event),
            deadline_s=_CONNECT_LIMIT_S,
        )
        joined = await messaging.join(GROUP)
        self._core.local, self._core.name = joined.local.id, joined.local.name
        sink = self._take_event
        for event in early:
            self._take_event(event)
        await self._server.open()
        self._start(self._follow_cib())
        self._start(self._devices.keep_lists_young())
        self._context.ready()
        stop = asyncio.ensure_future(self._context.stopping.wait())
        await asyncio.wait(
            (stop, messaging.closed, self._server.failed, self._failed), return_when=asyncio.FIRST_COMPLETED
        )
        await self._server.close()
        tasks = [*self._tasks, *self._devices.preparations]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for failure in (self._server.failed, self._failed):
            if failure.done():
                failure.result()
        if messaging.closed.done() and not stop.done():
            _log.error("messaging is gone: this node has left the cluster")
            return EXIT_LEFT_CLUSTER
        messaging.close()
        return 0

    # Clients

    async def _answer(self, client: Client, message: Any) -> Any:
        match message:
            case Fence():
                client.require(Rights.FULL)
                return await self._fence(_with_client(message, client))
            case ConfirmDown():
                client.require(Rights.FULL)
                return await self._confirm(replace(message, client=message.client or client.name))
            case SubscribeFencing():
                client.state[_SUBSCRIBED] = True
                return Done()
            case QueryHistory(target):
                return History(self._core.history.listing(target))
            case CleanHistory():
                client.require(Rights.FULL)
                self._perform(self._core.clean(message))
                return Done()
            case QueryDevices(target, timeout_ms):
                return await self._query_devices(client, target, timeout_ms)
            case RunDevice():
                client.require(Rights.FULL)
                return await self._devices.run(message)
            case RegisterDevice(name, agent, parameters, provides_unfencing):
                client.require(Rights.FULL)
                if not name:
                    raise InputError("a fence device needs a name")
                self._devices.register(DeviceConfig(name, agent, dict(parameters), provides_unfencing))
                await self._devices.prepared(name)
                return Done()
            case DeregisterDevice(name):
                client.require(Rights.FULL)
                self._devices.deregister(name)
                return Done()
            case RegisterLevel(target, index, devices):
                client.require(Rights.FULL)
                self._register_level(target, index, devices)
                return Done()
            case DeregisterLevel(target, index):
                client.require(Rights.FULL)
                self._deregister_level(target, index)
                return Done()
        raise RemoteError(f"stonithd does not answer {type(message).__name__}")

    async def _fence(self, request: Fence) -> FencingDone:
        if not self._cib_seen.is_set():
            await self._see_cib()
        notice(_log, "%s wants to carry out %s on %s", request.client or "somebody", request.action, request.target)
        return await self._wait(
            lambda waiter: self._core.fence(self._loop.time(), time.time(), waiter, request, str(uuid.uuid4()))
        )

    async def _confirm(self, request: ConfirmDown) -> FencingDone:
        if not request.target:
            raise InputError("name the node that is down")
        return await self._wait(lambda waiter: self._core.confirm(time.time(), waiter, request, str(uuid.uuid4())))

    async def _wait(self, begin: Callable[[int], list[Effect]]) -> FencingDone:
        """Begin something that ends by an effect with our number. It goes on if the client does not wait for it."""
        waiter = next(self._waiter_numbers)
        future: asyncio.Future[FencingDone] = self._loop.create_future()
        self._waiters[waiter] = future
        self._devices.note_fencing(True)
        try:
            self._perform(begin(waiter))
            return await future
        finally:
            self._waiters.pop(waiter, None)
            self._core.client_left(waiter)
            self._devices.note_fencing(bool(self._waiters) or self._core.is_fencing)

    async def _see_cib(self) -> None:
        """Wait until the configuration is known, but not for ever."""
        if not self._cib_seen.is_set():
            try:
                async with asyncio.timeout(_CIB_LIMIT_S):
                    await self._cib_seen.wait()
            except TimeoutError:
                _log.warning("there is no CIB yet: only devices registered by hand can be used")
                self._cib_seen.set()

    def _register_level(self, target: str, index: int, devices: tuple[str, ...]) -> None:
        if not LOWEST_INDEX <= index <= HIGHEST_INDEX:
            raise InputError(f"a level's index is from {LOWEST_INDEX} to {HIGHEST_INDEX}, not {index}")
        if not devices:
            raise InputError("a level needs at least one device")
        level = with_devices(parse_target(target), index, devices)
        self._manual_levels.append(level)
        self._tell_devices("add", f"{level.target}[{index}]")

    def _deregister_level(self, target: str, index: int) -> None:
        if not LOWEST_INDEX <= index <= HIGHEST_INDEX:
            raise InputError(f"a level's index is from {LOWEST_INDEX} to {HIGHEST_INDEX}, not {index}")
        wanted = parse_target(target).target
        self._manual_levels = [level for level in self._manual_levels if (level.target, level.index) != (wanted, index)]
        self._tell_devices("del", f"{wanted}[{index}]")

    async def _query_devices(self, client: Client, target: str, timeout_ms: int) -> DeviceList:
        await self._see_cib()
        trusted = client.rights >= Rights.FULL  # there are passwords among the parameters
        return DeviceList(
            tuple(
                DeviceEntry(
                    device.name, device.config.agent, self._core.name, device.config.parameters if trusted else {}
                )
                for device in await self._devices.able(target, timeout_ms)
            )
        )

    def _levels_of(self, target: str) -> tuple[tuple[str, ...], ...]:
        attributes = self._configuration.attributes.get(target, {})
        return levels_for((*self._configuration.levels, *self._manual_levels), target, attributes)

    # The CIB

    async def _follow_cib(self) -> None:
        """Keep devices and topology as the CIB has them; the cib may come and go."""
        while True:
            try:
                connection = await Connection.open(
                    self._context.directories.socket("cib"),
                    "cib",
                    name="stonithd",
                    on_event=self._cib_event,
                    deadline_s=_CONNECT_LIMIT_S,
                )
            except DisconnectedError as error:
                _log.warning("%s", error)
                continue
            try:
                answer: QueryResult = await connection.request(Subscribe(with_patch=False))
                self._take_cib(answer.xml)
                while True:
                    changed = asyncio.ensure_future(self._cib_dirty.wait())
                    await asyncio.wait((changed, connection.closed), return_when=asyncio.FIRST_COMPLETED)
                    changed.cancel()
                    if connection.closed.done():
                        break
                    self._cib_dirty.clear()
                    answer = await connection.request(Query(section="configuration"))
                    self._take_cib(answer.xml)
            except HatoolsError as error:
                _log.warning("the cib: %s", error)
            finally:
                connection.close()
            await asyncio.sleep(0.05)

    def _cib_event(self, event: Any) -> None:
        # The status section changes without the first two numbers; nothing of it concerns us.
        if isinstance(event, CibChanged) and (event.replaced or event.before[:2] != event.after[:2]):
            self._cib_dirty.set()

    def _take_cib(self, xml: bytes) -> None:
        now = Moment.from_epoch(int(time.time()))
        root = parse_xml(xml)
        if root.tag == "configuration":
            whole = Element("cib")
            whole.append(root)
            root = whole
        self._configuration = read_configuration(Document(root), self._core.name, now)
        self._devices.configure(self._configuration.devices)
        self._cib_seen.set()

    # Peers

    def _take_event(self, event: GroupEvent) -> None:
        now, epoch = self._loop.time(), time.time()
        match event:
            case ViewChanged(members=members, ring_id=ring):
                self._core.enter_ring(ring)
                self._members = {member.id: member.name for member in members}
            case GroupChanged(group, peers, arrived) if group == GROUP:
                self._perform(
                    self._core.members_changed(now, epoch, self._members, frozenset(peers), frozenset(arrived))
                )
            case Delivered(sender=sender, payload=payload, group=group) if group == GROUP:
                self._take_peer(sender, payload)
            case Direct(sender=sender, payload=payload, group=group) if group == GROUP:
                self._take_peer(sender, payload)
            case BecameSafe() | GroupChanged() | Delivered() | Direct():
                return

    def _take_peer(self, sender: int, payload: bytes) -> None:
        try:
            message = decode(payload).message
        except RemoteError as error:
            _log.error("node %s sent what cannot be read: %s", sender, error)
            return
        if not isinstance(message, PeerMessage):
            _log.error("node %s sent %s, which is no word between fencers", sender, type(message).__name__)
            return
        self._perform(self._core.received(self._loop.time(), time.time(), sender, message))

    def _perform(self, effects: list[Effect]) -> None:
        assert self._messaging is not None
        for effect in effects:
            match effect:
                case SendPeer(node, message):
                    _ignore_loss(self._messaging.send_to(GROUP, node, _pack(message)))
                case BroadcastPeers(message):
                    _ignore_loss(self._messaging.broadcast(GROUP, _pack(message)))
                case FindOffers():
                    self._start(self._find_offers(effect))
                case RunHere(origin, order):
                    key = (origin, order.id, order.step)
                    task = self._start(self._run_here(effect))
                    self._runs[key] = task
                    task.add_done_callback(lambda _, key=key: self._runs.pop(key, None))  # type: ignore[misc]
                case CancelHere(origin, identifier, step):
                    running = self._runs.get((origin, identifier, step))
                    if running is not None:
                        running.cancel()
                case Answer(waiter, done):
                    future = self._waiters.get(waiter)
                    if future is not None and not future.done():
                        future.set_result(done)
                case Refuse(waiter, error):
                    future = self._waiters.get(waiter)
                    if future is not None and not future.done():
                        future.set_exception(error)
                case Notify(record):
                    self._tell(record)
                case _:
                    assert_never(effect)
        self._devices.note_fencing(bool(self._waiters) or self._core.is_fencing)
        self._arm()

    async def _find_offers(self, find: FindOffers) -> None:
        await self._see_cib()
        query = find.query
        able = await self._devices.able(query.target, _QUERY_LIMIT_MS)
        offers = tuple(device.offer(query.action, query.target) for device in able)
        self._perform(self._core.offers_found(self._loop.time(), time.time(), find.origin, query.id, offers))

    async def _run_here(self, run: RunHere) -> None:
        order = run.order
        result = await self._devices.fence(order, self._configuration.node_ids.get(order.target, ""))
        _log.info(
            "%s of %s by %s: %s",
            order.action,
            order.target,
            order.device,
            result.reason or f"exit {result.exit_status}",
        )
        self._perform(self._core.ran_here(self._loop.time(), time.time(), run.origin, order, result))

    def _tell(self, record: FencingRecord) -> None:
        level = "pending" if record.state == "pending" else record.state
        notice(
            _log,
            "%s of %s by %s for %s@%s: %s%s",
            record.action,
            record.target,
            record.executioner or "<any>",
            record.client,
            record.origin,
            level,
            f" ({record.reason})" if record.reason else "",
        )
        self._server.broadcast(FencingNotice(record), self._subscribers())

    def _tell_devices(self, kind: str, name: str) -> None:
        _log.info("fence device or level %s: %s", name, kind)
        self._server.broadcast(DevicesChanged(kind, name), self._subscribers())

    def _subscribers(self) -> list[Client]:
        return [client for client in self._server.clients.values() if client.state.get(_SUBSCRIBED)]

    # Time

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._core.deadline is not None:
            self._timer = self._loop.call_at(self._core.deadline, self._expire)

    def _expire(self) -> None:
        self._timer = None
        self._perform(self._core.expire(self._loop.time(), time.time()))

    def _start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Run something whose failure is a bug, and then ends the daemon."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not self._failed.done():
            self._failed.set_exception(error)


_CLIENT_NAMES = {"crmd": "pacemaker-controld"}
"""How daemons are called in the history, which other programs read."""


def _with_client(request: Fence, client: Client) -> Fence:
    """Put in the client's name where it gave none."""
    if request.client:
        return request
    name = f"{_CLIENT_NAMES.get(client.name, client.name)}.{client.credentials.pid}"
    return replace(request, client=name)


def _pack(message: PeerMessage) -> bytes:
    return encode(Envelope(Kind.EVENT, 0, message))


def _ignore_loss(sent: "asyncio.Future[object]") -> None:
    """The loss of messaging is noticed elsewhere, once."""
    sent.add_done_callback(lambda future: future.cancelled() or future.exception())


async def serve(context: Context) -> int:
    """Run stonithd until told to stop."""
    return await Fencer(context).serve()
