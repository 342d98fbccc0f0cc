"""The shell around :class:`Coordinator`: sockets, the CIB, messaging, devices. I/O."""

import asyncio
import logging
import time
import uuid
from collections.abc import Coroutine
from dataclasses import replace
from itertools import count
from typing import Any, assert_never

from hatools.agents.fence import action_timeout_ms
from hatools.cib.document import Document, Element, parse_xml
from hatools.daemons.stonithd.configuration import DeviceConfig, FencingConfiguration, read_configuration
from hatools.daemons.stonithd.coordinator import (
    Answer,
    BroadcastPeers,
    CancelHere,
    Coordinator,
    Effect,
    FindOffers,
    Notify,
    PeerMessage,
    Refuse,
    RunHere,
    SendPeer,
)
from hatools.daemons.stonithd.devices import Device, DeviceTable, HostCheck, Verdict
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
    DeviceOffer,
    DeviceResult,
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
    NoSuchObjectError,
    RemoteError,
    UnavailableError,
)
from hatools.values.exitcode import ExitCode
from hatools.values.iso8601 import Moment
from hatools.values.result import ExecStatus

_log = logging.getLogger(__name__)

GROUP = "stonith"
_SUBSCRIBED = "fencing"
_CONNECT_LIMIT_S = 60.0
_CIB_LIMIT_S = 10.0
"""How long a request waits for the first sight of the CIB; then what is registered by hand has to do."""

_LIST_REFRESH_S = 60.0


class Fencer:
    """One node's stonithd."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._server = Server(
            "stonithd",
            context.directories.socket("stonithd"),
            self._answer,
            policy=context.policy,
            on_disconnect=self._client_left,
        )
        self._in_flight = InFlight(context.directories.run / "stonithd-actions")
        self._runner = DeviceRunner(context.directories, self._in_flight)
        self._devices = DeviceTable()
        self._prepared: dict[str, asyncio.Task[None]] = {}
        self._configuration = FencingConfiguration()
        self._manual_levels: list[Level] = []
        self._core = Coordinator(0, "", self._levels_of)
        self._messaging: MessagingClient | None = None
        self._members: dict[int, str] = {}
        self._peers: frozenset[int] = frozenset()
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
        self._start(self._refresh_lists())
        self._context.ready()
        stop = asyncio.ensure_future(self._context.stopping.wait())
        await asyncio.wait(
            (stop, messaging.closed, self._server.failed, self._failed), return_when=asyncio.FIRST_COMPLETED
        )
        await self._server.close()
        for task in [*self._tasks, *self._prepared.values(), *self._runs.values()]:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._prepared.values(), *self._runs.values(), return_exceptions=True)
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
                waiter, future = self._new_waiter()
                named = ConfirmDown(message.target, message.client or client.name)
                self._perform(self._core.confirm(time.time(), waiter, named, str(uuid.uuid4())))
                return await future
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
                return await self._query_devices(target, timeout_ms)
            case RunDevice():
                client.require(Rights.FULL)
                return await self._run_device(message)
            case RegisterDevice(name, agent, parameters, provides_unfencing):
                client.require(Rights.FULL)
                if not name:
                    raise InputError("a fence device needs a name")
                self._register(DeviceConfig(name, agent, dict(parameters), provides_unfencing))
                await self._prepared_device(name)
                return Done()
            case DeregisterDevice(name):
                client.require(Rights.FULL)
                if self._devices.deregister(name):
                    self._tell_devices("del", name)
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
        await self._see_cib()
        waiter, future = self._new_waiter()
        notice(_log, "%s wants to carry out %s on %s", request.client or "somebody", request.action, request.target)
        effects = self._core.fence(self._loop.time(), time.time(), waiter, request, str(uuid.uuid4()))
        self._perform(effects)
        try:
            return await future
        finally:
            self._waiters.pop(waiter, None)
            self._core.client_left(waiter)

    def _new_waiter(self) -> "tuple[int, asyncio.Future[FencingDone]]":
        waiter = next(self._waiter_numbers)
        future = self._waiters[waiter] = self._loop.create_future()
        return waiter, future

    async def _see_cib(self) -> None:
        """Wait until the configuration is known, but not for ever."""
        if not self._cib_seen.is_set():
            try:
                async with asyncio.timeout(_CIB_LIMIT_S):
                    await self._cib_seen.wait()
            except TimeoutError:
                _log.warning("there is no CIB yet: only devices registered by hand can be used")
                self._cib_seen.set()

    async def _query_devices(self, target: str, timeout_ms: int) -> DeviceList:
        await self._see_cib()
        found = []
        for device in self._devices:
            if not target or await self._can_fence(device.name, target, timeout_ms):
                found.append(device)
        return DeviceList(
            tuple(
                DeviceEntry(device.name, device.config.agent, self._core.name, device.config.parameters)
                for device in sorted(found, key=lambda each: each.name)
            )
        )

    async def _run_device(self, request: RunDevice) -> DeviceResult:
        if not request.name:
            return await self._runner.run_once(
                request.agent, request.parameters or {}, request.action, timeout_ms=request.timeout_ms
            )
        if request.agent and request.action in ("start", "monitor"):
            # The cluster starts what the CIB has just got; waiting for our own view of it would only cost time.
            parameters = {n: v for n, v in (request.parameters or {}).items() if not n.startswith("CRM_meta_")}
            if request.action == "start" or self._devices.get(request.name) is None:
                self._register(DeviceConfig(request.name, request.agent, parameters))
        if request.action == "stop":
            return self._stop_device(request.name)
        if request.action == "probe":
            present = self._devices.get(request.name)
            running = present is not None and present.started
            return DeviceResult(int(ExecStatus.DONE), int(ExitCode.OK if running else ExitCode.NOT_RUNNING), "")
        device = await self._prepared_device(request.name)
        if device is None:
            raise NoSuchObjectError(f"fence device {request.name} is not registered on {self._core.name}")
        if (
            request.action in ("start", "monitor")
            and self._runner.catalog.find_fence_agent(device.config.agent) is None
        ):
            return DeviceResult(
                int(ExecStatus.NOT_INSTALLED),
                int(ExitCode.NOT_INSTALLED),
                "",
                f"fence agent {device.config.agent} is not installed",
            )
        word = "monitor" if request.action == "start" else request.action
        limit = action_timeout_ms(device.config.parameters, word, request.timeout_ms)
        result = await self._runner.execute(
            device, word, target=request.target, timeout_ms=min(limit, request.timeout_ms)
        )
        if word == "monitor":
            device.verified = result.exit_status == 0
            device.started = device.started or (request.action == "start" and result.exit_status == 0)
        return result

    def _stop_device(self, name: str) -> DeviceResult:
        if self._devices.get(name) is not None and self._devices.deregister(name):
            self._tell_devices("del", name)
        return DeviceResult(int(ExecStatus.DONE), int(ExitCode.OK), "")

    def _register(self, config: DeviceConfig) -> None:
        device = self._devices.register(config)
        if device is not None:
            self._prepare(device)
            self._tell_devices("add", config.name)

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

    def _client_left(self, client: Client) -> None:
        """Operations go on without the client that asked for them; its answer finds no one."""

    # Devices

    def _prepare(self, device: Device) -> None:
        """Find out what a new device can do, before it is needed."""
        old = self._prepared.pop(device.name, None)
        if old is not None:
            old.cancel()
        self._prepared[device.name] = self._loop.create_task(self._find_out(device))

    async def _find_out(self, device: Device) -> None:
        try:
            device.metadata = await self._runner.metadata(device.config.agent)
        except HatoolsError as error:
            _log.error("fence device %s: %s", device.name, error)
            return
        if device.host_check() is HostCheck.LIST:
            await self._update_list(device)

    async def _prepared_device(self, name: str) -> Device | None:
        preparing = self._prepared.get(name)
        if preparing is not None:
            await asyncio.wait((preparing,))
        return self._devices.get(name)

    async def _update_list(self, device: Device) -> None:
        timeout_ms = action_timeout_ms(device.config.parameters, "list")
        listed = await self._runner.list_targets(device, timeout_ms)
        device.listed = listed if listed is not None else device.listed or ()
        device.listed_at = self._loop.time()

    async def _refresh_lists(self) -> None:
        """Keep the answers of dynamic lists young, so that fencing does not have to wait for them."""
        while True:
            await asyncio.sleep(_LIST_REFRESH_S)
            for device in self._devices:
                if device.metadata is not None and device.host_check() is HostCheck.LIST:
                    await self._update_list(device)

    async def _can_fence(self, name: str, target: str, timeout_ms: int) -> bool:
        device = await self._prepared_device(name)
        if device is None:
            return False
        verdict = device.can_fence(target, self._loop.time())
        if verdict is Verdict.ASK_LIST:
            await self._update_list(device)
            verdict = device.can_fence(target, self._loop.time())
        elif verdict is Verdict.ASK_STATUS:
            limit = min(timeout_ms, action_timeout_ms(device.config.parameters, "status"))
            reached = await self._runner.can_reach(device, target, limit)
            device.statuses[target] = (reached, self._loop.time())
            return reached
        return verdict is Verdict.YES

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
            except UnavailableError as error:
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
        changed, gone = self._devices.configure(self._configuration.devices)
        for device in changed:
            self._prepare(device)
            self._tell_devices("add", device.name)
        for name in gone:
            self._tell_devices("del", name)
        self._cib_seen.set()

    # Peers

    def _take_event(self, event: GroupEvent) -> None:
        now, epoch = self._loop.time(), time.time()
        match event:
            case ViewChanged(members=members):
                self._members = {member.id: member.name for member in members}
            case GroupChanged(group, members) if group == GROUP:
                self._peers = frozenset(members)
                self._perform(self._core.members_changed(now, epoch, self._members, self._peers))
            case Delivered(sender=sender, payload=payload, group=group) if group == GROUP:
                self._take_peer(sender, payload)
            case Direct(sender=sender, payload=payload, group=group) if group == GROUP:
                self._take_peer(sender, payload)
            case BecameSafe() | GroupChanged() | Delivered() | Direct():
                return

    def _take_peer(self, sender: int, payload: bytes) -> None:
        try:
            message: PeerMessage = decode(payload).message
        except RemoteError as error:
            _log.error("node %s sent what cannot be read: %s", sender, error)
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
                case FindOffers(query, origin):
                    self._start(self._find_offers(query.id, query.target, query.action, origin))
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
        self._arm()

    async def _find_offers(self, identifier: str, target: str, action: str, origin: int) -> None:
        await self._see_cib()
        offers: list[DeviceOffer] = []

        async def look(name: str) -> None:
            timeout_ms = 60_000
            if await self._can_fence(name, target, timeout_ms):
                device = self._devices.get(name)
                if device is not None:
                    offers.append(device.offer(action, target))

        await asyncio.gather(*(look(device.name) for device in self._devices))
        offers.sort(key=lambda offer: offer.device)
        self._perform(self._core.offers_found(self._loop.time(), time.time(), origin, identifier, tuple(offers)))

    async def _run_here(self, run: RunHere) -> None:
        order = run.order
        device = await self._prepared_device(order.device)
        if device is None:
            result = DeviceResult(
                int(ExecStatus.NO_FENCE_DEVICE), int(ExitCode.ERROR), "", f"{order.device} is not registered any more"
            )
        else:
            result = await self._runner.execute(
                device,
                order.action,
                target=order.target,
                target_id=self._configuration.node_ids.get(order.target, ""),
                timeout_ms=order.timeout_ms,
                delay_ms=order.delay_ms,
            )
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
