"""Supervision of a node's daemons: which to start, ping, kill and restart, and when. Pure.

The daemons start one after another, each when the one before has said that it is ready, and stop in
reverse. A daemon that dies is started again, at once the first time and with growing delays if it keeps
dying. Messaging is special (see :data:`MEMBERSHIP_BOUND`): when it dies the node has left the cluster,
so everything that acts on membership goes down with it, crmd first, and comes back as a new incarnation.
"""

from enum import Enum, StrEnum

from hatools.values.records import dataclass, field

STARTUP_ORDER = ("messaging", "cib", "stonithd", "lrmd", "attrd", "pengine", "crmd")

MEMBERSHIP_BOUND = ("crmd", "attrd", "stonithd", "cib")
"""Daemons that must not outlive the membership they act on, in the order they are taken down."""

PING_INTERVAL = 2.0
"""Seconds between pings of one daemon."""

HANG_LIMIT = {"cib": 30.0, "lrmd": 20.0, "pengine": 20.0}
"""Seconds a daemon may leave a ping unanswered; these may be busy with large documents."""

DEFAULT_HANG_LIMIT = 10.0
START_LIMIT = 60.0
"""Seconds a daemon may take to become ready, or to say that it still waits (for its address, for a corosync)."""

STOP_LIMIT = 10.0
"""Seconds a daemon other than crmd may take to stop."""

DRAIN_LIMIT = 20 * 60.0
"""Seconds crmd may take to stop the node's resources (``shutdown-escalation``'s default)."""

STABLE_AFTER = 60.0
"""Seconds of life after which a restart counts as the first again."""

EXIT_STAY_DOWN = 100
EXIT_PANIC = 101
"""A daemon says that this machine must not go on running (``fence-reaction=panic``)."""

FIRST_DELAY = 0.05
LONGEST_DELAY = 30.0


class NodeState(StrEnum):
    """The states ``crmadmin -P`` reports."""

    INIT = "init"
    STARTING = "starting_daemons"
    WAITING = "wait_for_ping"
    RUNNING = "running"
    STOPPING = "shutting_down"
    STOPPED = "shutdown_complete"


class _Life(Enum):
    DOWN = "down"
    WAITING = "waiting for its next start"
    STARTING = "starting"
    READY = "ready"
    ENDING = "told to stop"


@dataclass(frozen=True, slots=True)
class Spawn:
    """Effect: fork the daemon."""

    name: str


@dataclass(frozen=True, slots=True)
class Terminate:
    """Effect: send SIGTERM, or SIGKILL with ``hard``; ``why`` is for the log."""

    name: str
    hard: bool
    why: str


@dataclass(frozen=True, slots=True)
class SendPing:
    """Effect: ask the daemon for a sign of life."""

    name: str


@dataclass(frozen=True, slots=True)
class Finish:
    """Effect: everything has stopped; exit with this status."""

    status: int


@dataclass(frozen=True, slots=True)
class Panic:
    """Effect: restart the machine at once, if it is one; otherwise the node stops as usual."""


Effect = Spawn | Terminate | SendPing | Finish | Panic


@dataclass(slots=True)
class _Child:
    life: _Life = _Life.DOWN
    since: float = 0.0
    ping_sent: float | None = None
    next_ping: float = 0.0
    restarts: int = 0
    failures_in_a_row: int = 0
    killed: bool = False


@dataclass(slots=True)
class Supervision:
    """The daemons of one node.

    Feed it what happened with the time (monotonic seconds) and carry out what it returns.
    """

    order: tuple[str, ...] = STARTUP_ORDER
    state: NodeState = NodeState.INIT
    exit_status: int = 0
    _children: dict[str, _Child] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._children = {name: _Child() for name in self.order}

    def restarts(self, name: str) -> int:
        """Return how often a daemon was started again."""
        return self._children[name].restarts

    def is_ready(self, name: str) -> bool:
        """Say whether a daemon has said that it answers."""
        return self._children[name].life is _Life.READY

    @property
    def deadline(self) -> float | None:
        """When :meth:`expire` wants to be called, at the latest."""
        times = [
            time for name, child in self._children.items() if (time := self._child_deadline(name, child)) is not None
        ]
        return min(times, default=None)

    def start(self, now: float) -> list[Effect]:
        """Begin to start the daemons."""
        self.state = NodeState.STARTING
        return self._advance(now)

    def ready(self, now: float, name: str) -> list[Effect]:
        """A daemon can answer."""
        child = self._children[name]
        if child.life is _Life.STARTING:
            child.life = _Life.READY
            child.since = now
            child.next_ping = now + PING_INTERVAL
        return [] if self.state is NodeState.STOPPING else self._advance(now)

    def waiting(self, now: float, name: str) -> list[Effect]:
        """A daemon that starts is alive and waits for something outside: its time begins anew."""
        child = self._children[name]
        if child.life is _Life.STARTING:
            child.since = now
        return []

    def pong(self, now: float, name: str) -> list[Effect]:
        """A daemon answered a ping."""
        child = self._children[name]
        child.ping_sent = None
        child.next_ping = now + PING_INTERVAL
        return []

    def exited(self, now: float, name: str, status: int) -> list[Effect]:
        """A daemon is gone; ``status`` is its exit status, negative for a signal."""
        child = self._children[name]
        was_told = child.life is _Life.ENDING
        lived = now - child.since if child.life is _Life.READY else 0.0
        child.life, child.ping_sent, child.killed = _Life.DOWN, None, False
        if self.state is NodeState.STOPPING:
            return self._exited_while_stopping(now, name, was_told)
        if status in (EXIT_STAY_DOWN, EXIT_PANIC):
            self.exit_status = EXIT_STAY_DOWN
            return [*([Panic()] if status == EXIT_PANIC else []), *self.stop(now)]
        if was_told:
            child.failures_in_a_row = 0
        else:
            child.failures_in_a_row = 1 if lived >= STABLE_AFTER else child.failures_in_a_row + 1
        child.restarts += 1
        child.life, child.since = _Life.WAITING, now + self._delay(child)
        effects: list[Effect] = []
        if name == "messaging":
            effects += self._leave_cluster()
        return effects + self._advance(now)

    def _exited_while_stopping(self, now: float, name: str, was_told: bool) -> list[Effect]:
        """Go on with the stop; a daemon that died while others still need it (crmd drains) is started again."""
        later = self.order[self.order.index(name) + 1 :]
        if was_told or name == "messaging" or all(self._children[other].life is _Life.DOWN for other in later):
            return self._continue_stop(now)
        child = self._children[name]
        child.restarts += 1
        child.life, child.since = _Life.STARTING, now
        return [Spawn(name)]

    def stop(self, now: float) -> list[Effect]:
        """Stop everything in order; crmd drains the resources first."""
        if self.state is NodeState.STOPPING:
            return []
        self.state = NodeState.STOPPING
        for child in self._children.values():
            if child.life is _Life.WAITING:
                child.life = _Life.DOWN
        return self._continue_stop(now)

    def expire(self, now: float) -> list[Effect]:
        """Time has passed: start, ping or kill what is due."""
        effects: list[Effect] = []
        for name, child in self._children.items():
            due = self._child_deadline(name, child)
            if due is None or due > now or child.life is _Life.WAITING:
                continue
            if child.life is _Life.READY and child.ping_sent is None:
                child.ping_sent = now
                effects.append(SendPing(name))
            else:
                effects.append(self._kill(name, child))
        return effects + (self._advance(now) if self.state is not NodeState.STOPPING else [])

    def _kill(self, name: str, child: _Child) -> Effect:
        reasons = {
            _Life.READY: "it does not answer",
            _Life.STARTING: "it did not become ready",
            _Life.ENDING: "it did not stop",
        }
        child.killed = True
        return Terminate(name, hard=True, why=reasons[child.life])

    def _child_deadline(self, name: str, child: _Child) -> float | None:
        if child.killed or child.life is _Life.DOWN:
            return None
        if child.life is _Life.WAITING:
            return child.since
        if child.life is _Life.STARTING:
            return child.since + START_LIMIT
        if child.life is _Life.ENDING:
            return child.since + (DRAIN_LIMIT if name == "crmd" and self.state is NodeState.STOPPING else STOP_LIMIT)
        if self.state is NodeState.STOPPING:
            return None
        if child.ping_sent is not None:
            return child.ping_sent + HANG_LIMIT.get(name, DEFAULT_HANG_LIMIT)
        return child.next_ping

    def _advance(self, now: float) -> list[Effect]:
        """Start the next daemon whose predecessors are all ready."""
        for name in self.order:
            child = self._children[name]
            if child.life is _Life.READY:
                continue
            if child.life is _Life.DOWN or (child.life is _Life.WAITING and child.since <= now):
                child.life, child.since = _Life.STARTING, now
                return [Spawn(name)]
            # A daemon that still starts or ends holds back those that build on it.
            return []
        self.state = NodeState.RUNNING
        return []

    def _leave_cluster(self) -> list[Effect]:
        effects: list[Effect] = []
        for name in MEMBERSHIP_BOUND:
            child = self._children.get(name)
            if child is not None and child.life in (_Life.STARTING, _Life.READY, _Life.ENDING):
                child.life, child.killed = _Life.ENDING, True
                effects.append(Terminate(name, hard=True, why="messaging died, so this node has left the cluster"))
        return effects

    def _continue_stop(self, now: float) -> list[Effect]:
        for name in reversed(self.order):
            child = self._children[name]
            if child.life is _Life.DOWN:
                continue
            if child.life is not _Life.ENDING:
                child.life, child.since = _Life.ENDING, now
                return [Terminate(name, hard=False, why="the node stops")]
            return []
        self.state = NodeState.STOPPED
        return [Finish(self.exit_status)]

    @staticmethod
    def _delay(child: _Child) -> float:
        if child.failures_in_a_row <= 1:
            return 0.0
        return float(min(FIRST_DELAY * 2 ** (child.failures_in_a_row - 2), LONGEST_DELAY))
