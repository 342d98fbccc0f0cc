"""The shell around :class:`Controller`: sockets, timer, effects. I/O.

Losing messaging or the executor ends the process: without the first this node has left the cluster, without the
second nobody knows what its resources do. A new incarnation joins afresh and its node is probed. The other daemons
are called again when they are back, with what they had not answered.
"""

import asyncio
import logging
import os
import time
import uuid
from typing import Any, assert_never

from hatools.cib.document import Document, Version, parse_xml
from hatools.daemons.crmd import effects as does
from hatools.daemons.crmd.cluster import Identity
from hatools.daemons.crmd.colleagues import Colleagues
from hatools.daemons.crmd.controller import Controller
from hatools.daemons.crmd.events import (
    CibSeen,
    ElectionAsked,
    Event,
    FencingEnded,
    FencingSeen,
    FencingTold,
    Instant,
    LoadSeen,
    PeerSaid,
    RingDescribed,
    Scheduled,
    ShutdownAsked,
    Synchronised,
    Written,
)
from hatools.daemons.crmd.executor import LocalExecutor
from hatools.daemons.crmd.requests import fence_request
from hatools.daemons.crmd.throttle import INTERVAL_S, own_limit
from hatools.ipc.client import Connection
from hatools.ipc.clients.cib_follower import CibFollower
from hatools.ipc.clients.messaging import GroupEvent, MessagingClient
from hatools.ipc.codec import Envelope, Kind, decode, encode
from hatools.ipc.messages.cib import Batch
from hatools.ipc.messages.crmd import (
    ControllerChanged,
    ControllerState,
    DescribeController,
    FailResource,
    ForgetNode,
    ListNodes,
    PeerAnswer,
    PeerFail,
    PeerForget,
    PeerQuestion,
    PeerRefresh,
    PeerReprobe,
    RefreshResource,
    Reprobe,
    StartElection,
    SubscribeController,
)
from hatools.ipc.messages.messaging import Delivered, Direct, GroupChanged, ViewChanged
from hatools.ipc.messages.pengine import ScheduleRequest, ScheduleResult
from hatools.ipc.messages.session import Done
from hatools.ipc.messages.stonith import FencingDone, FencingNotice, SubscribeFencing
from hatools.ipc.rights import Rights
from hatools.ipc.server import Client, Server
from hatools.runtime.daemon import EXIT_LEFT_CLUSTER, Context
from hatools.runtime.logs import NOTICE
from hatools.transition.xml import graph_from_xml
from hatools.values.errors import (
    DeadlineError,
    HatoolsError,
    NoSuchObjectError,
    RemoteError,
    UnavailableError,
)

_log = logging.getLogger(__name__)

GROUP = "crmd"
DC_VERSION = "2.1.5-hatools"
_RECONNECT_S = 0.05
_REPLICA_POLL_S = 0.01
_QUESTION_S = 10.0
_LEVELS = {"debug": 10, "info": 20, "NOTICE": NOTICE, "warning": 30, "error": 40}
_SUBSCRIBED = "controller"


class ControllerDaemon:
    """One node's crmd."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._server = Server("crmd", context.directories.socket("crmd"), self._answer, policy=context.policy)
        self._messaging: MessagingClient | None = None
        self._executor: LocalExecutor | None = None
        self._colleagues = Colleagues(context.directories.socket)
        self._cib = CibFollower(
            context.directories.socket("cib"), "crmd", lambda document: self._feed(CibSeen(document)), self._written
        )
        self._core: Controller | None = None
        self._early: list[Event] = []
        self._timer: asyncio.TimerHandle | None = None
        self._questions: dict[int, asyncio.Future[ControllerState]] = {}
        self._last_question = 0
        self._end: asyncio.Future[int] = self._loop.create_future()

    # --- life

    async def serve(self) -> int:
        """Work until the core ends, or something is lost that we cannot do without."""
        folders = self._context.directories
        self._executor = await LocalExecutor.connect(folders.socket("lrmd"), self._feed, self._fail, self._feed)
        await self._cib.connect()
        self._messaging = await MessagingClient.open(
            folders.socket("messaging"), name="crmd", on_event=self._group_event, deadline_s=30
        )
        joined = await self._messaging.join(GROUP)
        ring = await self._messaging.describe()
        me = Identity(
            id=joined.local.id,
            name=joined.local.name,
            uuid=str(uuid.uuid4()),
            style=joined.style,
            cluster_name=joined.cluster_name,
            version=DC_VERSION,
            job_limit=own_limit(os.environ),
            cores=os.cpu_count() or 1,
            start_state=os.environ.get("PCMK_node_start_state", ""),
        )
        self._core = Controller(me, self._instant())
        self._feed(RingDescribed({member.id: member.name for member in ring.configured}))
        early, self._early = self._early, []
        for event in early:
            self._feed(event)
        self._server.start(self._watch_fencing())
        self._server.start(self._watch_load())
        await self._server.open()
        self._context.ready()
        return await self._until_the_end()

    async def _until_the_end(self) -> int:
        assert self._messaging is not None and self._executor is not None
        stopping = asyncio.ensure_future(self._context.stopping.wait())
        lost = {self._messaging.closed: EXIT_LEFT_CLUSTER, self._executor.closed: 1}
        waits: set[asyncio.Future[Any]] = {stopping, self._end, self._server.failed, *lost}
        status: int | None = None
        while status is None:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if self._server.failed in done:
                self._server.failed.result()
            if self._end in done:
                status = self._end.result()
            for future, code in lost.items():
                if future in done and status is None:
                    _log.error("%s is gone: this controller ends", "messaging" if code != 1 else "lrmd")
                    os._exit(code)  # at once: nothing may be begun any more
            if stopping in done:
                waits.discard(stopping)
                self._feed(ShutdownAsked())
        stopping.cancel()
        if self._messaging.closed.done() is False:
            await self._messaging.leave(GROUP)
        self._messaging.close()
        self._cib.close()
        await self._server.close()
        return status

    def _instant(self) -> Instant:
        return Instant(self._loop.time(), int(time.time()))

    def _feed(self, event: Event) -> None:
        if self._core is None:
            self._early.append(event)
            return
        self._perform(self._core.handle(self._instant(), event))

    def _fail(self, error: BaseException) -> None:
        if not self._server.failed.done():
            self._server.failed.set_exception(error)

    def _arm(self) -> None:
        assert self._core is not None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._core.deadline
        if deadline is not None:
            self._timer = self._loop.call_at(deadline, self._expire)

    def _expire(self) -> None:
        assert self._core is not None
        self._timer = None
        self._perform(self._core.expire(self._instant()))

    # --- effects

    def _perform(self, effects: list[does.Effect]) -> None:
        executor = self._executor
        assert self._messaging is not None and executor is not None
        for effect in effects:
            match effect:
                case does.BroadcastToPeers(message):
                    self._messaging.broadcast(GROUP, _pack(message)).add_done_callback(_ignore)
                case does.SendToPeer(node_id, message):
                    self._messaging.send_to(GROUP, node_id, _pack(message)).add_done_callback(_ignore)
                case does.WriteCib(tag, changes, certain):
                    self._cib.write(tag, Batch(changes, early=not certain))
                case does.AwaitReplica(ring):
                    self._server.start(self._await_replica(ring))
                case does.ComputeTransition(request, document):
                    self._server.start(self._schedule(request, document))
                case does.Rehearse(document):
                    self._server.start(self._rehearse(document))
                case does.RunOperation():
                    executor.run(effect)
                case does.CancelRecurring():
                    executor.cancel(effect)
                case does.ForgetResource():
                    executor.forget(effect)
                case does.ReadMetadata():
                    self._server.start(executor.read_metadata(effect))
                case does.FenceNode():
                    self._server.start(self._fence(effect))
                case does.SetAttributes(request):
                    self._server.start(self._set_attributes(request))
                case does.RunAlert():
                    self._server.start(executor.alert(effect))
                case does.Announce(state):
                    listeners = [c for c in self._server.clients.values() if c.state.get(_SUBSCRIBED)]
                    self._server.broadcast(ControllerChanged(state), listeners)
                case does.Log(level, text):
                    _log.log(_LEVELS[level], "%s", text)
                case does.EndProcess(status, reason):
                    _log.log(NOTICE, "Ending: %s", reason)
                    if not self._end.done():
                        self._end.set_result(status)
                case _:
                    assert_never(effect)
        self._arm()

    async def _schedule(self, request: int, document: Document) -> None:
        xml = str(document).encode("utf-8", "surrogateescape")
        try:
            answer = await self._colleagues.ask("pengine", ScheduleRequest(xml), timeout_s=120)
            assert isinstance(answer, ScheduleResult)
            graph = graph_from_xml(parse_xml(answer.graph))
            _log.info("Calculated a transition of %s steps, saved in %s", len(graph), answer.input_file)
            self._feed(Scheduled(request, graph, answer.input_file))
        except HatoolsError as error:
            self._feed(Scheduled(request, None, str(error)))

    async def _rehearse(self, document: Document) -> None:
        xml = str(document).encode("utf-8", "surrogateescape")
        try:
            answer = await self._colleagues.ask("pengine", ScheduleRequest(xml, rehearsal=True))
            graph_from_xml(parse_xml(answer.graph))
            for daemon in ("stonithd", "attrd"):
                await self._colleagues.connect(daemon, 1.0)
        except HatoolsError as error:
            _log.debug("the rehearsal was broken off: %s", error)

    async def _fence(self, effect: does.FenceNode) -> None:
        confirmed, reason = False, ""
        try:
            limit_s = effect.timeout_ms / 1000 * 2 + 60
            answer = await self._colleagues.ask("stonithd", fence_request(effect), timeout_s=limit_s)
            confirmed = isinstance(answer, FencingDone)
        except HatoolsError as error:
            reason = str(error)
        self._feed(FencingEnded(effect.key, effect.target, confirmed, reason))

    async def _set_attributes(self, request: Any) -> None:
        try:
            await self._colleagues.ask("attrd", request)
        except HatoolsError as error:
            _log.error("attrd did not accept %s: %s", type(request).__name__, error)

    # --- the CIB

    def _written(self, tag: int, version: Version | None, error: str) -> None:
        self._feed(Written(tag, version, error))

    async def _await_replica(self, ring: str) -> None:
        """Ask until the replicas agree, or the view is another."""
        while self._core is not None and self._core.cluster.ring == ring and not self._end.done():
            state = await self._cib.lineage(ring)
            document = self._cib.document
            # A document that is being fetched anew, or behind, is not what the replicas agree on.
            is_seen = state is not None and document is not None and document.version >= Version(*state.version)
            if state is not None and is_seen and state.synchronised and state.ring == ring:
                self._feed(Synchronised(ring, state.adopted))
                return
            await asyncio.sleep(_REPLICA_POLL_S)

    # --- events

    def _group_event(self, event: GroupEvent) -> None:
        match event:
            case ViewChanged():
                self._feed(event)
            case GroupChanged(group):
                if group == GROUP:
                    self._feed(event)
            case Delivered():
                self._peer_said(event.sender, event.payload, ordered=True)
            case Direct():
                self._peer_said(event.sender, event.payload, ordered=False)

    def _peer_said(self, sender: int, payload: bytes, *, ordered: bool) -> None:
        try:
            message = decode(payload).message
        except RemoteError as error:
            _log.error("node %s sent what cannot be read: %s", sender, error)
            return
        if isinstance(message, PeerAnswer):
            waiting = self._questions.pop(message.question, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(message.state)
            return
        self._feed(PeerSaid(sender, message, ordered))

    async def _watch_fencing(self) -> None:
        """Hear of all fencing, from whichever incarnation of stonithd runs."""

        def on_event(event: Any) -> None:
            if not isinstance(event, FencingNotice) or event.record.state == "pending":
                return
            if event.record.state == "success":
                self._feed(FencingSeen(event.record.target, event.record.action, event.record.ring))
            self._feed(FencingTold(event.record))

        while not self._end.done():
            try:
                connection = await Connection.open(
                    self._context.directories.socket("stonithd"),
                    "stonithd",
                    name="crmd-watch",
                    on_event=on_event,
                    deadline_s=600,
                )
                await connection.request(SubscribeFencing())
                await connection.closed
            except HatoolsError as error:
                _log.warning("stonithd cannot be watched: %s", error)
            await asyncio.sleep(_RECONNECT_S)

    async def _watch_load(self) -> None:
        """Look at the machine's load now and then."""
        while not self._end.done():
            self._feed(LoadSeen(os.getloadavg()[0]))
            await asyncio.sleep(INTERVAL_S)

    # --- clients

    async def _answer(self, client: Client, message: Any) -> Any:
        core = self._core
        if core is None:
            raise UnavailableError("the controller is starting")
        match message:
            case DescribeController(node):
                return await self._describe(core, node)
            case ListNodes():
                return core.nodes()
            case SubscribeController():
                client.state[_SUBSCRIBED] = True
                client.post(ControllerChanged(core.describe()))
                return Done()
        client.require(Rights.FULL)
        match message:
            case StartElection():
                self._feed(ElectionAsked())
            case RefreshResource(resource, node):
                self._tell(core, node, PeerRefresh(resource))
            case FailResource(resource, node):
                self._tell(core, node, PeerFail(resource))
            case Reprobe(node):
                self._perform([does.BroadcastToPeers(PeerReprobe(node))])
            case ForgetNode(name, id_):
                self._perform([does.BroadcastToPeers(PeerForget(name, id_))])
            case _:
                raise RemoteError(f"crmd does not answer {type(message).__name__}")
        return Done()

    def _tell(self, core: Controller, node: str, message: PeerRefresh | PeerFail) -> None:
        peer = core.cluster.peers.named(node or core.cluster.me.name)
        if peer is None or not peer.in_group:
            raise NoSuchObjectError(f"no controller runs on a node {node}")
        if peer.id == core.cluster.me.id:
            self._feed(PeerSaid(peer.id, message, False))
        else:
            self._perform([does.SendToPeer(peer.id, message)])

    async def _describe(self, core: Controller, node: str) -> ControllerState:
        if node in ("", core.cluster.me.name):
            return core.describe()
        peer = core.cluster.peers.named(node)
        if peer is None or not peer.in_group:
            raise NoSuchObjectError(f"no controller runs on a node {node}")
        self._last_question += 1
        question = self._last_question
        waiting: asyncio.Future[ControllerState] = self._loop.create_future()
        self._questions[question] = waiting
        self._perform([does.SendToPeer(peer.id, PeerQuestion(question))])
        try:
            async with asyncio.timeout(_QUESTION_S):
                return await waiting
        except TimeoutError:
            raise DeadlineError(f"the controller of {node} did not answer within {_QUESTION_S:g} s") from None
        finally:
            self._questions.pop(question, None)


def _pack(message: does.PeerMessage) -> bytes:
    return encode(Envelope(Kind.EVENT, 0, message))


def _ignore(answer: "asyncio.Future[Any]") -> None:
    """Read a result nobody needs; a lost connection shows elsewhere."""
    if not answer.cancelled() and isinstance(error := answer.exception(), HatoolsError):
        _log.debug("a message was not sent: %s", error)


async def serve(context: Context) -> int:
    """Run crmd until it ends."""
    return await ControllerDaemon(context).serve()
