"""The messaging daemon: clients, groups and timers around the engine of a style. I/O.

A node that was not scheduled for longer than its peers wait is out of the ring without having noticed. It
must not go on as if nothing had happened, so this process then ends as if it had been lost, which it was.
What differs between the styles is in ``styles.py`` and the ``*_style.py`` beside it.
"""

import asyncio
import inspect
import logging
import math
import os
from collections import deque
from typing import Any, NoReturn, assert_never

from hatools.daemons.messaging.startup import chosen_style, refuse_corosync_conf, refuse_ha_cf, refuse_rivals
from hatools.daemons.messaging.styles import Style, configure_style
from hatools.daemons.messaging.subscribers import Event, Subscribers
from hatools.ipc.messages.messaging import (
    Announce,
    Broadcast,
    BroadcastMany,
    DeliveredPiece,
    DescribeRing,
    GroupList,
    GroupProcess,
    Joined,
    JoinGroup,
    LeaveGroup,
    ListGroups,
    Member,
    SendTo,
    Sent,
)
from hatools.ipc.messages.session import Done
from hatools.ipc.rights import Rights
from hatools.ipc.server import Client, Server, pack_event
from hatools.messaging.views import (
    CutOff,
    Datagram,
    Departed,
    DirectMessage,
    Effect,
    Expelled,
    ForStyle,
    GroupMembersChanged,
    GroupMessage,
    GroupMessages,
    Keep,
    Remark,
    SafeUpTo,
    Severity,
    View,
    ViewInstalled,
)
from hatools.runtime.addresses import is_outward_address
from hatools.runtime.daemon import EXIT_LEFT_CLUSTER, EXIT_STAY_DOWN, Context
from hatools.runtime.environment_file import read_environment_file
from hatools.runtime.kernel import running_programs
from hatools.runtime.logs import NOTICE, notice
from hatools.runtime.realtime import lock_memory, schedule_round_robin
from hatools.values.bundle import count_bundle
from hatools.values.errors import HatoolsError, NoSuchObjectError

_log = logging.getLogger(__name__)

_QUEUE_LIMIT = 4 * 1024 * 1024
"""Bytes that may wait to be sent before a client's next request is answered later."""
_GOODBYE_LIMIT_S = 1.0
_FEW = 4
"""A message of ours that is alone in its turn has no more effects: token, copies, delivery and what became safe."""
_LEVELS = {
    Severity.DEBUG: logging.DEBUG,
    Severity.INFO: logging.INFO,
    Severity.NOTICE: NOTICE,
    Severity.WARNING: logging.WARNING,
}


class Messaging:
    """One node's messaging: the style with its engine, and the clients."""

    def __init__(self, context: Context, style: Style) -> None:
        self.context = context
        self._style = style
        self._loop = asyncio.get_running_loop()
        self._server = Server(
            "messaging",
            context.directories.socket("messaging"),
            self._answer,
            policy=context.policy,
            on_disconnect=self._disconnected,
            at_once=self._send,
        )
        self._subscribers: Subscribers
        self._names: dict[int, str] = {}
        self._announced: dict[tuple[int, str], list[bytes]] = {}
        self._outgoing: dict[int, deque[Event]] = {}
        """What waits behind a large message, by client."""
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for = 0.0
        self._room: dict[str, asyncio.Event] = {}
        """Groups with a full queue, and who waits for that to change."""
        self._departed = asyncio.Event()

    async def start(self) -> bool:
        """Open everything and begin; False if told to stop before that.

        Raises:
            HatoolsError: an address, the key or the store cannot be used.
        """
        if not await self._style.open(self):
            return False
        self._subscribers = Subscribers(self._style.local.id, self._post)
        self._engine = self._style.engine
        self.perform(self._engine.start(self._loop.time()))
        await self._server.open()
        return True

    async def run(self) -> int:
        """Work until told to stop; return the exit status."""
        stopping = asyncio.create_task(self.context.stopping.wait())
        ends: list[asyncio.Future[Any]] = [stopping, self._server.failed]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if self._server.failed.done():
            self._server.failed.result()
        await self._say_goodbye()
        return 0

    async def _say_goodbye(self) -> None:
        now = self._loop.time()
        self.perform(self._engine.depart(now))
        try:
            async with asyncio.timeout(_GOODBYE_LIMIT_S):
                await self._departed.wait()
        except TimeoutError:
            _log.warning("leaving without an acknowledged goodbye: there is no view")
        self.perform(self._engine.leave(self._loop.time()))
        notice(_log, "left the ring")
        await self._server.close()
        self._style.close()

    # -- datagrams and timers

    def received(self, datagram: bytes, source: str) -> None:
        """Give a datagram to the engine."""
        now = self._loop.time()
        if self._timer is not None and now - self._armed_for > self._pause_worth_a_word:
            self._judge_pause(now)
        self.perform(self._engine.receive(now, datagram, source))

    def _expire(self) -> None:
        self._timer = None
        now = self._loop.time()
        if now - self._armed_for > self._pause_worth_a_word:
            self._judge_pause(now)
        deadline = self._engine.deadline
        self.perform(self._engine.expire(now) if deadline is not None and deadline <= now else [])

    @property
    def _pause_worth_a_word(self) -> float:
        limit = self._style.pause_limit_s
        return math.inf if limit is None else 0.8 * limit

    def _judge_pause(self, now: float) -> None:
        pause, limit = now - self._armed_for, self._style.pause_limit_s
        self._armed_for = now
        if limit is None:
            return
        text = f"not scheduled for {pause * 1000:.0f} ms, the peers wait for {limit * 1000:.0f} ms"
        if pause <= limit or self._engine.is_alone:
            _log.warning("%s", text)
        else:
            self._end_as_lost(f"{text}: they hold this node for lost")

    def _end_as_lost(self, reason: str) -> NoReturn:
        _log.error("%s: ending (exit status %s)", reason, EXIT_LEFT_CLUSTER)
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

    def perform(self, effects: list[Effect]) -> None:
        """Do what the engine asks for."""
        if len(effects) <= _FEW and _has_lone_message(effects, self._style.local.id):
            # Who sent it waits for it, and has the next one ready when the token is back: that saves idle turns.
            effects = sorted(effects, key=lambda effect: isinstance(effect, Datagram))
        for effect in effects:
            match effect:
                case Datagram(targets, data):
                    self._subscribers.flush_own()
                    self._style.send(targets, data)
                case GroupMessage():
                    self._subscribers.message(effect)
                case GroupMessages():
                    self._subscribers.messages(effect)
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
                    self._style.keep(name, value)
                case Departed():
                    self._departed.set()
                case Expelled(reason):
                    _log.error("%s", reason)
                    os._exit(EXIT_STAY_DOWN)
                case CutOff(reason):
                    self._end_as_lost(reason)
                case ForStyle(request):
                    self._loop.call_soon(self._style.carry_out, request)
                case _:
                    assert_never(effect)
        self._subscribers.flush()
        for group in [group for group in self._room if self._engine.waiting_bytes(group) < _QUEUE_LIMIT]:
            self._room.pop(group).set()
        self._arm()

    def _log_view(self, view: View) -> None:
        self._names |= {node.id: node.name for node in (*self._style.nodes, *view.members)}
        parts = [f"members: {', '.join(member.name for member in view.members)}"]
        for word, nodes in (("arrived", view.arrived), ("left", view.left), ("lost", view.lost)):
            if nodes:
                parts.append(f"{word}: {', '.join(self._names.get(node, str(node)) for node in nodes)}")
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

    def _send(self, client: Client, message: Any) -> Any:
        """Take over what a client sends, in the order in which it comes; the answer, or who waits for it."""
        now = self._loop.time()
        match message:
            case Broadcast(group, payload, tag):
                self._require_sender(client, group)
                self.perform(self._engine.broadcast(now, group, self._whole(client, group, payload), tag))
            case BroadcastMany(group, bundle):
                self._require_sender(client, group)
                count_bundle(bundle)  # or it is refused: what the peers get can be read
                self.perform(self._engine.broadcast_many(now, group, bundle))
            case SendTo(group, node_id, payload):
                self._require_sender(client, group)
                self._require_node(node_id)
                self.perform(self._engine.send_to(now, group, node_id, self._whole(client, group, payload)))
            case Announce(group, payload):
                self._require_sender(client, group)
                self._announced.setdefault((client.id, group), []).append(payload)
                return Sent()
            case _:
                return None
        return Sent() if self._engine.waiting_bytes(group) < _QUEUE_LIMIT else self._sent(group)

    async def _answer(self, client: Client, message: Any) -> Any:
        match message:
            case JoinGroup():
                client.require(Rights.FULL)
                self._loop.call_soon(self._join, client, message)
                local = self._style.local
                return Joined(Member(local.id, local.name), self._style.cluster_name, self._style.name)
            case LeaveGroup(group):
                self._leave(client, group)
                return Done()
            case DescribeRing():
                return self._style.describe(self._loop.time())
            case ListGroups():
                return self._list_groups()
            case _:
                answer = self._style.answer(client, message)
                return await answer if inspect.isawaitable(answer) else answer

    def _list_groups(self) -> GroupList:
        """Who is in which group; processes of other nodes are known there only."""
        me = self._style.local.id
        processes: list[GroupProcess] = []
        for group, nodes, clients in self._subscribers.listing():
            for node in nodes:
                here = (self._server.clients[client] for client in clients if client in self._server.clients)
                pids = [client.credentials.pid for client in here]
                processes += [GroupProcess(group, pid, node) for pid in (sorted(pids) if node == me else [0])]
        return GroupList(tuple(processes))

    async def _sent(self, group: str) -> Sent:
        """Answer when the group's queue has room again: so a flood slows down whoever makes it."""
        if self._engine.waiting_bytes(group) >= _QUEUE_LIMIT:
            await self._room.setdefault(group, asyncio.Event()).wait()
        return Sent()

    def _whole(self, client: Client, group: str, last: bytes) -> tuple[bytes, ...]:
        return (*self._announced.pop((client.id, group), ()), last)

    def _require_sender(self, client: Client, group: str) -> None:
        client.require(Rights.FULL)
        if group not in self._subscribers.groups_of(client.id):
            raise NoSuchObjectError(f"join the group {group} before you send to it")

    def _require_node(self, node_id: int) -> None:
        if all(node.id != node_id for node in self._style.nodes):
            raise NoSuchObjectError(f"there is no node {node_id}")

    def _join(self, client: Client, message: JoinGroup) -> None:
        if client.id not in self._server.clients:
            return
        wishes = {"report_safe": message.report_safe, "batches": message.batches}
        if self._subscribers.add(client.id, message.group, **wishes):
            self.perform(self._engine.join_group(self._loop.time(), message.group))

    def _leave(self, client: Client, group: str) -> None:
        if self._subscribers.remove(client.id, group):
            self.perform(self._engine.leave_group(self._loop.time(), group))

    def _disconnected(self, client: Client) -> None:
        self._outgoing.pop(client.id, None)
        for key in [key for key in self._announced if key[0] == client.id]:
            del self._announced[key]
        for group in self._subscribers.groups_of(client.id):
            self._leave(client, group)


def _has_lone_message(effects: list[Effect], me: int) -> bool:
    """Say whether these effects send and deliver messages of our own clients, and nothing else."""
    return all(isinstance(effect, Datagram | GroupMessage | SafeUpTo) for effect in effects) and any(
        isinstance(effect, GroupMessage) and effect.sender == me for effect in effects
    )


def _prepare_process(context: Context, style: Style) -> None:
    reason = lock_memory()
    if reason:
        _log.info("memory is not locked: %s", reason)
    if not style.realtime:
        _log.info("real-time scheduling is off in the configuration")
    elif not context.directories.is_system:
        _log.info("real-time scheduling is not used: this node shares its machine with others")
    elif reason := schedule_round_robin():
        _log.warning("real-time scheduling could not be had: %s; under load this node may be late", reason)


def _choose(context: Context) -> Style:
    directories = context.directories
    variables, _ = read_environment_file(directories.defaults_file)
    name = chosen_style({**variables, **os.environ}, str(directories.defaults_file))
    refuse_rivals(name, running_programs() if directories.is_system else ())
    ha_cf = directories.heartbeat / "ha.cf"
    if ha_cf.is_file():
        refuse_ha_cf(name, ha_cf.read_text(encoding="utf-8", errors="replace"), str(ha_cf))
    corosync_conf = directories.corosync_conf
    if name == "heartbeat" and corosync_conf.is_file():
        refuse_corosync_conf(
            name,
            corosync_conf.read_text(encoding="utf-8", errors="replace"),
            str(corosync_conf),
            given_name=os.environ.get("HATOOLS_NODE_NAME", ""),
            host_name=os.uname().nodename,
            is_local=is_outward_address,
        )
    return configure_style(name, context)


async def serve(context: Context) -> int:
    """Run messaging until it is told to stop or this node is lost."""
    try:
        style = _choose(context)
        _prepare_process(context, style)
        messaging = Messaging(context, style)
        if not await messaging.start():
            return 0
    except HatoolsError as error:
        _log.error("%s", error)
        return EXIT_STAY_DOWN
    context.ready()
    return await messaging.run()
