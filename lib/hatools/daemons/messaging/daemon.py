"""The messaging daemon: sockets, timers and clients around a :class:`GroupEngine`. I/O.

A node that was not scheduled for longer than the token is out of the ring without having noticed. It
must not go on as if nothing had happened, so this process then ends as if it had been lost, which it was.
"""

import asyncio
import logging
import os
import time
from collections import deque
from typing import Any, assert_never

from hatools.daemons.messaging.describe import describe_ring
from hatools.daemons.messaging.startup import chosen_style, local_node, refuse_rivals
from hatools.daemons.messaging.store import Numbers, NumberStore
from hatools.daemons.messaging.subscribers import Event, Subscribers
from hatools.ipc.messages.messaging import (
    Announce,
    Broadcast,
    BroadcastMany,
    CancelWaitForAll,
    DeliveredPiece,
    DescribeRing,
    Joined,
    JoinGroup,
    LeaveGroup,
    Member,
    ReloadConfiguration,
    SendTo,
    Sent,
    SetExpectedVotes,
    SetFault,
    SetVotes,
)
from hatools.ipc.messages.session import Done
from hatools.ipc.rights import Rights
from hatools.ipc.server import Client, Server, pack_event
from hatools.messaging.corosync.authkey import check_inline_key, load_key
from hatools.messaging.corosync.conf import Configuration, NodeEntry, read_configuration
from hatools.messaging.corosync.engine import RING_SEQUENCE, CorosyncEngine, Identity
from hatools.messaging.corosync.totem.effects import SEQUENCE_RESERVE
from hatools.messaging.corosync.totem.links import Endpoint, Fault, Links, resolve
from hatools.messaging.views import (
    Datagram,
    Departed,
    DirectMessage,
    Effect,
    Expelled,
    GroupMembersChanged,
    GroupMessage,
    Keep,
    Remark,
    SafeUpTo,
    Severity,
    View,
    ViewInstalled,
)
from hatools.runtime.addresses import is_local_address
from hatools.runtime.daemon import EXIT_LEFT_CLUSTER, EXIT_STAY_DOWN, Context
from hatools.runtime.environment_file import read_environment_file
from hatools.runtime.kernel import running_programs
from hatools.runtime.logs import NOTICE, notice
from hatools.runtime.realtime import lock_memory, schedule_round_robin
from hatools.values.errors import ConfigError, HatoolsError, NoSuchObjectError, RemoteError, UnavailableError

_log = logging.getLogger(__name__)

_QUEUE_LIMIT = 4 * 1024 * 1024
"""Bytes that may wait to be sent before a client's next request is answered later."""
_GOODBYE_LIMIT_S = 1.0
_ADDRESS_INTERVAL_S = 0.25
_LEVELS = {
    Severity.DEBUG: logging.DEBUG,
    Severity.INFO: logging.INFO,
    Severity.NOTICE: NOTICE,
    Severity.WARNING: logging.WARNING,
}


class Messaging:
    """One node's messaging: the engine, its links and its clients."""

    def __init__(self, context: Context, configuration: Configuration, node: NodeEntry) -> None:
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._configuration = configuration
        self._node = node
        self._store = NumberStore(context.directories.messaging, node.id)
        self._links = self._make_links()
        self._server = Server(
            "messaging",
            context.directories.socket("messaging"),
            self._answer,
            policy=context.policy,
            on_disconnect=self._disconnected,
        )
        self._subscribers = Subscribers(node.id, self._post)
        self._announced: dict[tuple[int, str], list[bytes]] = {}
        self._outgoing: dict[int, deque[Event]] = {}
        """What waits behind a large message, by client."""
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for = 0.0
        self._room: dict[str, asyncio.Event] = {}
        """Groups with a full queue, and who waits for that to change."""
        self._departed = asyncio.Event()

    def _make_links(self) -> Links:
        configuration = self._configuration
        endpoints: dict[int, dict[int, Endpoint]] = {}
        for node in configuration.nodes:
            for link, host in node.addresses.items():
                port = configuration.ports[link]
                address = resolve(host, port, configuration.ip_version)
                endpoints.setdefault(link, {})[node.id] = Endpoint(node.id, address, port)
        return Links(self._node.id, endpoints, self._received, block_unlisted=configuration.block_unlisted)

    async def _open_links(self) -> None:
        """Bind our addresses; at boot an interface may come up after us."""
        waiting = False
        while not self._context.stopping.is_set():
            try:
                self._links.open()
                return
            except NoSuchObjectError as error:
                if not waiting:
                    _log.warning("%s: waiting for it", error)
                waiting = True
                await asyncio.sleep(_ADDRESS_INTERVAL_S)

    async def start(self) -> None:
        """Open everything and begin.

        Raises:
            HatoolsError: an address, the key or the store cannot be used.
        """
        secrets = _load_secrets(self._context, self._configuration)
        await self._open_links()
        self._store.load()
        old = self._store.numbers
        numbers = Numbers(max(old.epoch + 1, int(time.time())), old.ring_sequence + SEQUENCE_RESERVE)
        try:
            self._store.keep(numbers)
        except OSError as error:
            folder = self._context.directories.messaging
            raise UnavailableError(f"nothing can be stored in {folder}: {error.strerror}") from None
        identity = Identity(
            node_id=self._node.id,
            epoch=numbers.epoch,
            ring_sequence=old.ring_sequence,
            reserved_sequence=numbers.ring_sequence,
            mtu=min(self._links.mtu(), _LARGEST_PACKET),
            secrets=secrets,
            randomness=os.urandom,
        )
        self._engine = CorosyncEngine(self._configuration, identity)
        self._perform(self._engine.start(self._loop.time()))
        await self._server.open()

    async def run(self) -> int:
        """Work until told to stop; return the exit status."""
        stopping = asyncio.create_task(self._context.stopping.wait())
        ends: list[asyncio.Future[Any]] = [stopping, self._server.failed]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if self._server.failed.done():
            self._server.failed.result()
        await self._say_goodbye()
        return 0

    async def _say_goodbye(self) -> None:
        now = self._loop.time()
        self._perform(self._engine.depart(now))
        try:
            async with asyncio.timeout(_GOODBYE_LIMIT_S):
                await self._departed.wait()
        except TimeoutError:
            _log.warning("leaving without an acknowledged goodbye: there is no view")
        self._perform(self._engine.leave(self._loop.time()))
        notice(_log, "left the ring")
        await self._server.close()
        self._links.close()

    # -- datagrams and timers

    def _received(self, datagram: bytes, source: str) -> None:
        now = self._loop.time()
        if self._timer is not None and now - self._armed_for > self._pause_worth_a_word:
            self._judge_pause(now)
        self._perform(self._engine.receive(now, datagram, source))

    def _expire(self) -> None:
        self._timer = None
        now = self._loop.time()
        if now - self._armed_for > self._pause_worth_a_word:
            self._judge_pause(now)
        deadline = self._engine.deadline
        self._perform(self._engine.expire(now) if deadline is not None and deadline <= now else [])

    @property
    def _pause_worth_a_word(self) -> float:
        return 0.8 * self._configuration.timing.token

    def _judge_pause(self, now: float) -> None:
        pause = now - self._armed_for
        token = self._configuration.timing.token
        self._armed_for = now
        if pause <= token:
            _log.warning("not scheduled for %.0f ms, the token timeout is %.0f ms", pause * 1000, token * 1000)
            return
        alone = len(self._engine.totem.members) <= 1
        _log.error("not scheduled for %.0f ms, longer than the token timeout %.0f ms", pause * 1000, token * 1000)
        if not alone:
            _log.error("the peers hold this node for lost: ending (exit status %s)", EXIT_LEFT_CLUSTER)
            os._exit(EXIT_LEFT_CLUSTER)  # at once: nothing more may be sent or answered

    def _arm(self) -> None:
        deadline = self._engine.deadline
        if deadline is None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            return
        if self._timer is not None:
            if deadline >= self._armed_for:
                return  # it will look again then; tokens push the deadline on all the time
            self._timer.cancel()
        self._armed_for = deadline
        self._timer = self._loop.call_at(deadline, self._expire)

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Datagram(targets, data):
                    self._links.send(targets, data)
                case GroupMessage():
                    self._subscribers.message(effect)
                case SafeUpTo(sequence):
                    self._subscribers.safe(sequence)
                case DirectMessage():
                    self._subscribers.direct(effect)
                case ViewInstalled(view):
                    self._log_view(view)
                    self._subscribers.view_installed(view)
                case GroupMembersChanged():
                    self._subscribers.group_changed(effect)
                case Remark(severity, text):
                    _log.log(_LEVELS[severity], "%s", text)
                case Keep(name, value):
                    self._keep(name, value)
                case Departed():
                    self._departed.set()
                case Expelled(reason):
                    _log.error("%s", reason)
                    os._exit(EXIT_STAY_DOWN)
                case _:
                    assert_never(effect)
        self._subscribers.flush()
        for group in [group for group in self._room if self._engine.waiting_bytes(group) < _QUEUE_LIMIT]:
            self._room.pop(group).set()
        self._arm()

    def _keep(self, name: str, value: int) -> None:
        assert name == RING_SEQUENCE
        self._store.keep(Numbers(self._store.numbers.epoch, value))

    def _log_view(self, view: View) -> None:
        names = {node.id: node.name for node in self._configuration.nodes}
        parts = [f"members: {', '.join(member.name for member in view.members)}"]
        for word, nodes in (("arrived", view.arrived), ("left", view.left), ("lost", view.lost)):
            if nodes:
                parts.append(f"{word}: {', '.join(names.get(node, str(node)) for node in nodes)}")
        parts.append("quorate" if view.quorate else "not quorate")
        notice(_log, "view %s; %s", view.ring_id, "; ".join(parts))

    # -- clients

    def _post(self, clients: list[int], event: Event) -> None:
        """Hand an event to clients; behind a large message it waits its turn, so that the token gets in between."""
        frame = b""
        for client in clients:
            queue = self._outgoing.get(client)
            if queue is not None:
                queue.append(event)
            elif client in self._server.clients:
                frame = frame or pack_event(event)
                self._server.clients[client].post_encoded(frame)
                if isinstance(event, DeliveredPiece):
                    self._outgoing[client] = deque()
                    self._loop.call_soon(self._post_more, client)

    def _post_more(self, client: int) -> None:
        queue = self._outgoing.get(client)
        if queue and client in self._server.clients:
            self._server.clients[client].post(queue.popleft())
            self._loop.call_soon(self._post_more, client)
        else:
            self._outgoing.pop(client, None)

    async def _answer(self, client: Client, message: Any) -> Any:
        match message:
            case Broadcast(group, payload, tag):
                client.require(Rights.FULL)
                self._require_membership(client, group)
                pieces = self._whole(client, group, payload)
                self._perform(self._engine.broadcast(self._loop.time(), group, pieces, tag))
                return await self._sent(group)
            case BroadcastMany(group, payloads, tags):
                client.require(Rights.FULL)
                self._require_membership(client, group)
                if len(payloads) != len(tags):
                    raise RemoteError(f"{len(payloads)} messages with {len(tags)} tags")
                self._perform(self._engine.broadcast_many(self._loop.time(), group, payloads, tags))
                return await self._sent(group)
            case SendTo(group, node_id, payload):
                client.require(Rights.FULL)
                self._require_membership(client, group)
                self._require_node(node_id)
                pieces = self._whole(client, group, payload)
                self._perform(self._engine.send_to(self._loop.time(), group, node_id, pieces))
                return await self._sent(group)
            case Announce(group, payload):
                client.require(Rights.FULL)
                self._require_membership(client, group)
                self._announced.setdefault((client.id, group), []).append(payload)
                return Sent()
            case JoinGroup():
                client.require(Rights.FULL)
                self._loop.call_soon(self._join, client, message)
                local = Member(self._node.id, self._node.name)
                return Joined(local, self._configuration.cluster_name, "corosync")
            case LeaveGroup(group):
                self._leave(client, group)
                return Done()
            case DescribeRing():
                since = self._loop.time() - self._configuration.timing.token
                return describe_ring(self._engine, self._links.addresses(), self._links.heard(since))
            case SetFault():
                client.require(Rights.FULL)
                return self._set_fault(message)
            case SetExpectedVotes(votes):
                client.require(Rights.FULL)
                self._perform(self._engine.set_expected_votes(self._loop.time(), votes))
                return Done()
            case SetVotes(node_id, votes):
                client.require(Rights.FULL)
                self._require_node(node_id)
                self._perform(self._engine.set_votes(self._loop.time(), node_id, votes))
                return Done()
            case CancelWaitForAll():
                client.require(Rights.FULL)
                self._perform(self._engine.cancel_wait_for_all(self._loop.time()))
                return Done()
            case ReloadConfiguration():
                client.require(Rights.FULL)
                return self._reload()
            case _:
                raise RemoteError(f"messaging does not understand {type(message).__name__}")

    async def _sent(self, group: str) -> Sent:
        """Answer at once, or when the group's queue has room again: so a flood slows down whoever makes it."""
        if self._engine.waiting_bytes(group) >= _QUEUE_LIMIT:
            await self._room.setdefault(group, asyncio.Event()).wait()
        return Sent()

    def _whole(self, client: Client, group: str, last: bytes) -> tuple[bytes, ...]:
        return (*self._announced.pop((client.id, group), ()), last)

    def _require_membership(self, client: Client, group: str) -> None:
        if group not in self._subscribers.groups_of(client.id):
            raise NoSuchObjectError(f"join the group {group} before you send to it")

    def _require_node(self, node_id: int) -> None:
        if all(node.id != node_id for node in self._configuration.nodes):
            raise NoSuchObjectError(f"there is no node {node_id}")

    def _join(self, client: Client, message: JoinGroup) -> None:
        if client.id not in self._server.clients:
            return
        wishes = {"report_safe": message.report_safe, "batches": message.batches}
        if self._subscribers.add(client.id, message.group, **wishes):
            self._perform(self._engine.join_group(self._loop.time(), message.group))

    def _leave(self, client: Client, group: str) -> None:
        if self._subscribers.remove(client.id, group):
            self._perform(self._engine.leave_group(self._loop.time(), group))

    def _disconnected(self, client: Client) -> None:
        self._outgoing.pop(client.id, None)
        for key in [key for key in self._announced if key[0] == client.id]:
            del self._announced[key]
        for group in self._subscribers.groups_of(client.id):
            self._leave(client, group)

    def _set_fault(self, fault: SetFault) -> Done:
        self._require_node(fault.node_id)
        wanted = Fault(fault.drop, max(fault.delay_ms, 0) / 1000, min(max(fault.loss_percent, 0), 100) / 100)
        if self._links.set_fault(fault.node_id, wanted):
            _log.warning("fault on purpose towards node %s: %s", fault.node_id, wanted)
        return Done()

    def _reload(self) -> Done:
        path = self._context.directories.corosync_conf
        configuration = _read_configuration_file(self._context)
        if configuration.nodes != self._configuration.nodes:
            raise ConfigError(f"{path}: a changed nodelist needs a restart of every node; nothing was changed")
        self._configuration = configuration
        self._perform(self._engine.reconfigure(self._loop.time(), configuration))
        notice(_log, "took over the changed %s", path)
        return Done()


_LARGEST_PACKET = 8192
"""Bytes: larger datagrams bring little and overrun receive buffers when several members send."""


def _read_configuration_file(context: Context) -> Configuration:
    path = context.directories.corosync_conf
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UnavailableError(f"{path} cannot be read: {error.strerror}") from None
    return read_configuration(text, str(path))


def _load_secrets(context: Context, configuration: Configuration) -> tuple[bytes, ...]:
    if not configuration.protection.needs_key:
        return ()
    if configuration.key and not configuration.keyfile:
        return (check_inline_key(configuration.key),)
    root = context.directories.root
    path = root / configuration.keyfile.lstrip("/") if configuration.keyfile else context.directories.corosync_authkey
    return (load_key(path),)


def _prepare_process(context: Context, configuration: Configuration) -> None:
    reason = lock_memory()
    if reason:
        _log.info("memory is not locked: %s", reason)
    if not configuration.sched_rr:
        _log.info("real-time scheduling is off (system.sched_rr)")
    elif not context.directories.is_system:
        _log.info("real-time scheduling is not used: this node shares its machine with others")
    elif reason := schedule_round_robin():
        _log.warning("real-time scheduling could not be had: %s; under load this node may be late", reason)


def _configure(context: Context) -> tuple[Configuration, NodeEntry]:
    directories = context.directories
    variables, _ = read_environment_file(directories.defaults_file)
    style = chosen_style({**variables, **os.environ}, str(directories.defaults_file))
    if style != "corosync":
        raise ConfigError(f"HATOOLS_MESSAGING={style}: this style is not there yet; use corosync")
    ha_cf = directories.heartbeat / "ha.cf"
    text = ha_cf.read_text(encoding="utf-8", errors="replace") if ha_cf.is_file() else None
    refuse_rivals(style, running_programs() if directories.is_system else (), text, str(ha_cf))
    configuration = _read_configuration_file(context)
    for finding in configuration.warnings:
        _log.warning("%s: %s", directories.corosync_conf, finding)
    node = local_node(
        configuration,
        given_name=os.environ.get("HATOOLS_NODE_NAME", ""),
        host_name=os.uname().nodename,
        is_local=is_local_address,
        path=str(directories.corosync_conf),
    )
    return configuration, node


async def serve(context: Context) -> int:
    """Run messaging until it is told to stop or this node is lost."""
    try:
        configuration, node = _configure(context)
        _prepare_process(context, configuration)
        context.directories.messaging.mkdir(parents=True, exist_ok=True)
        messaging = Messaging(context, configuration, node)
        await messaging.start()
    except HatoolsError as error:
        _log.error("%s", error)
        return EXIT_STAY_DOWN
    if configuration.plain_on_purpose:
        _log.warning("messages between nodes are neither encrypted nor authenticated (crypto_cipher, crypto_hash)")
    context.ready()
    return await messaging.run()
