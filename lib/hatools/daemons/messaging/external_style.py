"""The external style in the daemon: connections to a running Corosync, and what happens when it hangs or ends. I/O.

Corosync is not ours: nobody here starts or stops it. While it does not run, messaging waits and says so. When it
ends under us the node has left the cluster, and when it hangs for longer than its token the other nodes have
given it up; in both cases this process ends as if it had been lost.
"""

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

from hatools.daemons.messaging.external_answers import Answers
from hatools.daemons.messaging.startup import refuse_pacemaker
from hatools.daemons.messaging.store import Numbers, NumberStore
from hatools.daemons.messaging.styles import Host, not_understood
from hatools.ipc.messages.messaging import ReadMap, RingState
from hatools.ipc.rights import Rights
from hatools.ipc.server import Client
from hatools.messaging.external.cfg import Control
from hatools.messaging.external.cmap import STATISTICS, ConfigurationMap
from hatools.messaging.external.cpg import ProcessGroup
from hatools.messaging.external.engine import STYLE, VIEW_SEQUENCE, ExternalEngine, ThrowOut
from hatools.messaging.external.events import Event, Process, QuorumChanged, RingChanged
from hatools.messaging.external.nodelist import is_encrypted, listed_nodes, token_s
from hatools.messaging.external.quorum import QuorumService
from hatools.messaging.views import CutOff, Expelled, NodeIdentity, RingId
from hatools.runtime.daemon import EXIT_LEFT_CLUSTER, Context
from hatools.values.errors import ConfigError, DisconnectedError, UnavailableError
from hatools.values.records import dataclass

_log = logging.getLogger(__name__)

GROUP = "hatools"
"""The one process group of all hatools nodes; the groups of their daemons live inside it."""

_CONNECT_INTERVAL_S = 0.5
_REMINDER_S = 60.0
_RETRY_S = 0.002
_PREDECESSOR_LIMIT_S = 5.0
_BUSY_WORTH_A_WORD_S = 3.0
_PROBES_PER_TOKEN = 3


@dataclass(frozen=True)
class Libraries:
    """The connections to Corosync; a test puts scripted ones in their place.

    ``group`` and ``quorum`` are made with what they call back.
    """

    map: ConfigurationMap
    statistics: ConfigurationMap
    control: Control
    group: Callable[[Callable[[Event], None]], ProcessGroup]
    quorum: Callable[[Callable[[RingId, bool, frozenset[int]], None]], QuorumService]


class ExternalStyle:
    """A real Corosync, reached through its libraries."""

    name = STYLE
    realtime = False
    """Corosync itself has it; we only follow."""
    pause_limit_s: float | None = None
    """The ring turns without us: a pause of this process alone makes nobody give the node up."""

    def __init__(self, context: Context, libraries: Libraries) -> None:
        self._context = context
        self._events: list[Event] = []
        self._map = libraries.map
        self._statistics = libraries.statistics
        self._group = libraries.group(self._events.append)
        self._quorum = libraries.quorum(self._quorum_changed)
        self._control = libraries.control
        self._answers = Answers(self._map, self._statistics, self._control, self._quorum)
        self._predecessor_since: float | None = None
        self._watch = CallWatch(self._hangs)
        self._outgoing: deque[bytes] = deque()
        self._retry: asyncio.TimerHandle | None = None
        self._busy_since = 0.0
        self._probe: asyncio.TimerHandle | None = None
        self._last_quorum: QuorumChanged | None = None
        self._refusals_told = 0
        self._stranger_hunt = ""
        """What to do about Pacemaker on nodes that came, ``refuse`` or ``report``; empty once they were looked at."""
        self._host: Host
        self._store: NumberStore
        self.local: NodeIdentity
        self.cluster_name = ""
        self.engine: ExternalEngine

    @property
    def nodes(self) -> tuple[NodeIdentity, ...]:
        """Return Corosync's node list."""
        return tuple(node.identity for node in listed_nodes(self._map.read("nodelist.")))

    async def open(self, host: Host) -> bool:
        """Wait for Corosync, connect, and join the group."""
        self._host = host
        if not await self._wait_until(self._connect, "waiting for a running corosync"):
            return False
        settings = self._map.read("totem.") | self._map.read("runtime.config.") | self._map.read("nodelist.")
        node_id = self._group.node_id
        refuse_pacemaker(self._group.groups(), {node.id: node.identity.name for node in listed_nodes(settings)})
        if not await self._wait_until(lambda: self._without_predecessor(node_id), "waiting for our predecessor to go"):
            return False
        listed = next((node.name for node in listed_nodes(settings) if node.id == node_id), "")
        self.local = NodeIdentity(node_id, listed or os.uname().nodename)
        self.cluster_name = settings.get("totem.cluster_name", "")
        self._token_s = token_s(settings)
        if not is_encrypted(settings):
            _log.warning("corosync does not encrypt what nodes say to each other (crypto_cipher, crypto_hash)")
        folder = self._context.directories.messaging
        folder.mkdir(parents=True, exist_ok=True)
        self._store = NumberStore(folder, node_id)
        self._store.load()
        self.engine = ExternalEngine(self.local, Process(node_id, os.getpid()), self._store.numbers.ring_sequence)
        if not await self._wait_until(self._join, "corosync is busy"):
            return False
        self._watch.start(self._token_s)
        self._set_readers()
        return True

    async def _wait_until(self, attempt: Callable[[], bool], why: str) -> bool:
        """Try until it is done; False if told to stop before."""
        told_at = float("-inf")
        while not self._context.stopping.is_set():
            reason = ""
            try:
                if attempt():
                    return True
            except UnavailableError as error:
                reason = f" ({error})"
            self._context.waiting()
            if (now := time.monotonic()) - told_at > _REMINDER_S:
                told_at = now
                _log.warning("%s%s: HATOOLS_MESSAGING is external", why, reason)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CONNECT_INTERVAL_S):
                    await self._context.stopping.wait()
        return False

    def _connect(self) -> bool:
        services = (self._map, self._statistics, self._control, self._quorum, self._group)
        try:
            for service in services:
                service.open()
        except UnavailableError:
            for service in services:
                service.close()
            raise
        return True

    def _without_predecessor(self, node_id: int) -> bool:
        """Say whether no messaging daemon of this node is in the group; one that was killed leaves within moments."""
        others = [process.pid for name, process in self._group.groups() if (name, process.node) == (GROUP, node_id)]
        if not others:
            return True
        now = time.monotonic()
        if self._predecessor_since is None:
            self._predecessor_since = now
        if now - self._predecessor_since > _PREDECESSOR_LIMIT_S:
            raise ConfigError(f"another messaging daemon of this node uses corosync (process {others[0]}): stop it")
        return False

    def _join(self) -> bool:
        return self._group.join(GROUP)

    def _set_readers(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(self._group.descriptor, self._readable, self._group.dispatch)
        loop.add_reader(self._quorum.descriptor, self._readable, self._quorum.dispatch)
        loop.add_reader(self._control.descriptor, self._readable, self._control.dispatch)
        self._schedule_probe()
        # What came while joining is waiting already, and the descriptor may have been told of it before.
        loop.call_soon(self._readable, self._group.dispatch)
        loop.call_soon(self._readable, self._quorum.dispatch)

    # -- from Corosync

    @contextlib.contextmanager
    def _calling(self) -> Iterator[None]:
        """Call Corosync: a hang ends this process, and so does its end."""
        try:
            with self._watch.watching():
                yield
        except DisconnectedError as error:
            self._host.perform([CutOff(f"{error}: the node has left the cluster")])

    def _readable(self, dispatch: Callable[[], None]) -> None:
        with self._calling():
            dispatch()
        self._take()
        self._send_waiting()
        if self._control.refusals > self._refusals_told:
            self._refusals_told = self._control.refusals
            _log.warning("refused to let corosync stop: stop the cluster on this node first (crm cluster stop)")

    def _take(self) -> None:
        """Give the engine what the callbacks have collected."""
        events, self._events[:] = tuple(self._events), ()
        if any(isinstance(event, RingChanged) and len(event.nodes) > 1 for event in events):
            self._stranger_hunt = "refuse" if self.engine.is_alone else "report"
        self._hunt_strangers()
        if events:
            self._host.perform(self.engine.take(asyncio.get_running_loop().time(), events))

    def _hunt_strangers(self) -> None:
        """Step back from a Corosync on which Pacemaker runs; with hatools peers already met, demand that it goes."""
        if not self._stranger_hunt:
            return
        try:
            groups = self._group.groups()
        except UnavailableError:
            return  # busy, or gone: the next look will tell
        hunt, self._stranger_hunt = self._stranger_hunt, ""
        try:
            refuse_pacemaker(groups, {node.id: node.name for node in self.nodes})
        except ConfigError as error:
            if hunt == "refuse":
                self._host.perform([Expelled(str(error))])
            _log.error("%s", error)

    def _quorum_changed(self, ring: RingId, quorate: bool, nodes: frozenset[int]) -> None:
        votes = self._last_quorum.votes if self._last_quorum else 1
        with contextlib.suppress(UnavailableError):
            votes = self._quorum.standing().votes
        self._last_quorum = QuorumChanged(ring, quorate, nodes, votes)
        self._events.append(self._last_quorum)

    def _schedule_probe(self) -> None:
        self._probe = asyncio.get_running_loop().call_later(self._token_s / _PROBES_PER_TOKEN, self._look)

    def _look(self) -> None:
        """See that Corosync answers, and whether our votes are what they were."""
        self._schedule_probe()
        self._hunt_strangers()
        votes: int | None = None
        with self._calling():
            votes = self._quorum.standing().votes
        last = self._last_quorum
        if last is not None and votes not in (None, last.votes):
            self._last_quorum = QuorumChanged(last.ring, last.quorate, last.nodes, votes or 0)
            self._events.append(self._last_quorum)
            self._take()

    def _hangs(self, seconds: float) -> None:
        """End: called from the watching thread, while the loop is stuck in a library."""
        _log.error("corosync has not answered for %.1f s, longer than its token: ending as lost", seconds)
        os._exit(EXIT_LEFT_CLUSTER)

    # -- to Corosync

    def send(self, targets: tuple[int, ...], data: bytes) -> None:
        """Send to the group; what Corosync does not take now goes first when it does."""
        self._outgoing.append(data)
        if self._retry is None:
            self._send_waiting()

    def _send_waiting(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        with self._calling():
            while self._outgoing:
                if not self._group.send(self._outgoing[0]):
                    self._note_busy()
                    self._retry = asyncio.get_running_loop().call_later(_RETRY_S, self._send_waiting)
                    return
                self._outgoing.popleft()
                self._busy_since = 0.0

    def _note_busy(self) -> None:
        now = time.monotonic()
        if not self._busy_since:
            self._busy_since = now
        elif now - self._busy_since > _BUSY_WORTH_A_WORD_S:
            _log.warning("corosync has taken no message for %.1f s", now - self._busy_since)
            self._busy_since = now

    def keep(self, name: str, value: int) -> None:
        """Store the number of the view, where the other styles keep theirs: it never goes back, whoever counts."""
        assert name == VIEW_SEQUENCE
        self._store.keep(Numbers(self._store.numbers.epoch, value))

    def carry_out(self, request: object) -> None:
        """Throw a node out of the cluster whose messaging is frozen."""
        assert isinstance(request, ThrowOut)
        _log.error("throwing out node %s: %s", request.node, request.reason)
        try:
            with self._calling():
                self._control.throw_out(request.node, request.reason)
        except UnavailableError as error:
            _log.error("it cannot be thrown out: %s", error)

    def close(self) -> None:
        """Leave the group and disconnect."""
        loop = asyncio.get_running_loop()
        for timer in (self._probe, self._retry):
            if timer is not None:
                timer.cancel()
        with contextlib.suppress(UnavailableError):
            for descriptor in (self._group.descriptor, self._quorum.descriptor, self._control.descriptor):
                loop.remove_reader(descriptor)
        for service in (self._group, self._quorum, self._control, self._map, self._statistics):
            service.close()

    # -- requests

    def answer(self, client: Client, message: object) -> object:
        """Pass a request on to Corosync."""
        if not isinstance(message, ReadMap):
            client.require(Rights.FULL)
        with self._calling():
            given = self._answers.answer(message)
            if given is not None:
                return given
        raise not_understood(self, message)

    def describe(self, now: float) -> RingState:
        """Return what Corosync knows of ring, links and quorum."""
        return self._answers.describe(self.engine, self.cluster_name)


class CallWatch:
    """A thread that sees when a call into a library does not return.

    It counts its own looks, not the clock: a pause of the whole process is no fault of Corosync.
    """

    _LOOKS = 5

    def __init__(self, on_hang: Callable[[float], None]) -> None:
        self._on_hang = on_hang
        self._call: object | None = None

    def start(self, limit_s: float) -> None:
        """Begin to look; a call that lasts longer than the limit is reported."""
        threading.Thread(target=self._look, args=(limit_s,), name="watch", daemon=True).start()

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Be watched during a call."""
        before, self._call = self._call, self._call or object()
        try:
            yield
        finally:
            self._call = before

    def _look(self, limit_s: float) -> None:
        seen, looks = None, 0
        while True:
            time.sleep(limit_s / self._LOOKS)
            call = self._call
            looks = looks + 1 if call is not None and call is seen else 0
            seen = call
            if looks >= self._LOOKS:
                self._on_hang(limit_s)


def configure(context: Context) -> ExternalStyle:
    """Load the libraries; everything else is known when Corosync runs.

    Raises:
        NotSupportedError: they are not installed.
    """
    return ExternalStyle(
        context,
        Libraries(ConfigurationMap(), ConfigurationMap(STATISTICS), Control(), ProcessGroup, QuorumService),
    )
