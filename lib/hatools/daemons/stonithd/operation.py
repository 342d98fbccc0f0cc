"""One fencing operation, from the first question to the verdict: the core that its origin runs. Pure.

Peers are asked what they could do. From their offers, or the target's topology, come *plans*: a list of tasks that all
have to succeed. A task (a device and an action) is tried on one peer after the other, a plan that fails is followed by
the next. The target itself takes part only when nobody else is left, or where an agent has to run on it.
"""

from enum import Enum, auto

from hatools.ipc.messages.stonith import DeviceOffer, DeviceResult
from hatools.values.records import dataclass, field
from hatools.values.result import ExecStatus

TIME_FACTOR = 1.2
"""What an operation may take, relative to the sum of its devices' timeouts (Pacemaker's factor)."""

ACCEPT_LIMIT_S = 2.0
"""A peer that does not even confirm a task in this time is passed over."""

GRACE_S = 0.3
"""How long slow answers are waited for, when there is an offer already."""

NO_DEVICE = "No such device"
TIMED_OUT = "Timer expired"
NO_PEER = "No route to host"
FAILED_AGENT = "No data available"
"""What a failed operation is put down to, in the words of the system's error numbers that Pacemaker uses."""

_OUT_OF_TIME = (
    "Fencing did not complete within a total timeout based on the configured timeout and retries "
    "for any devices attempted"
)
_FAILURES = {
    int(ExecStatus.TIMEOUT): TIMED_OUT,
    int(ExecStatus.NOT_INSTALLED): "No such file or directory",
    int(ExecStatus.NO_FENCE_DEVICE): NO_DEVICE,
}


@dataclass(frozen=True, slots=True)
class Request:
    """What is wanted. Times in milliseconds; ``delay_ms`` -1 switches the devices' own delays off."""

    id: str
    target: str
    action: str
    timeout_ms: int
    delay_ms: int = 0


@dataclass(frozen=True, slots=True)
class RunTask:
    """Effect: have a node run a device; ``step`` names this attempt."""

    step: int
    node: int
    device: str
    action: str
    timeout_ms: int
    delay_ms: int


@dataclass(frozen=True, slots=True)
class CancelTask:
    """Effect: the node need not run it any more."""

    step: int
    node: int


@dataclass(frozen=True, slots=True)
class Conclude:
    """Effect: the operation is over. ``executioner`` is the node that did the last task, 0 if none did."""

    success: bool
    executioner: int
    reason: str = ""
    exit_reason: str = ""


Effect = RunTask | CancelTask | Conclude


class _State(Enum):
    ASKING = auto()
    RUNNING = auto()
    OVER = auto()


@dataclass(frozen=True, slots=True)
class _Task:
    """``optional``: its failure does not matter (powering on what was confirmed off)."""

    device: str
    action: str
    optional: bool = False


@dataclass(slots=True)
class _Attempt:
    step: int
    node: int
    task: _Task
    accepted: bool
    accept_deadline: float


@dataclass(slots=True)
class Operation:
    """The state of an operation.

    Args:
        request: what is wanted.
        peers: ids of the nodes whose answers are waited for, ourselves included.
        target_id: id of the target if it is a member, otherwise 0.
        local: our own id.
        levels: the target's topology, empty if it has none.
    """

    request: Request
    peers: frozenset[int]
    target_id: int
    local: int
    levels: tuple[tuple[str, ...], ...] = ()
    _state: _State = _State.ASKING
    _offers: dict[int, dict[str, DeviceOffer]] = field(default_factory=dict)
    _lost: set[int] = field(default_factory=set)
    _ask_deadline: float = 0.0
    _grace_deadline: float | None = None
    _deadline: float = 0.0
    _plan: list[_Task] = field(default_factory=list)
    _level: int = 0
    _tried_devices: set[str] = field(default_factory=set)
    _tried_nodes: set[int] = field(default_factory=set)
    _attempt: _Attempt | None = None
    _last_step: int = 0
    _executioner: int = 0
    _failure: tuple[str, str] = ("", "")
    _delayed: bool = False

    def start(self, now: float) -> list[Effect]:
        """Begin to wait for offers."""
        self._ask_deadline = now + self.request.timeout_ms / 1000
        return self._go_if_known(now)

    @property
    def deadline(self) -> float | None:
        """When :meth:`expire` wants to be called."""
        match self._state:
            case _State.ASKING:
                return self._ask_deadline if self._grace_deadline is None else self._grace_deadline
            case _State.RUNNING:
                if self._attempt is not None and not self._attempt.accepted:
                    return min(self._deadline, self._attempt.accept_deadline)
                return self._deadline
            case _State.OVER:
                return None

    def offered(self, now: float, node: int, offers: tuple[DeviceOffer, ...]) -> list[Effect]:
        """Take a peer's answer; late ones still help."""
        self._offers[node] = {offer.device: offer for offer in offers}
        if self._state is not _State.ASKING:
            return []
        if self._grace_deadline is None and self._could_begin():
            self._grace_deadline = min(self._ask_deadline, now + GRACE_S)
        return self._go_if_known(now)

    def peer_lost(self, now: float, node: int) -> list[Effect]:
        """A peer, or its fencer, is gone: it will neither answer nor finish."""
        self._lost.add(node)
        if self._state is _State.ASKING:
            return self._go_if_known(now)
        if self._state is _State.RUNNING and self._attempt is not None and self._attempt.node == node:
            self._failure = (NO_PEER, "the node that carried it out was lost")
            return self._try_task(now)
        return []

    def accepted(self, step: int) -> None:
        """The peer confirmed a task."""
        if self._attempt is not None and self._attempt.step == step:
            self._attempt.accepted = True

    def executed(self, now: float, step: int, result: DeviceResult) -> list[Effect]:
        """Take the end of a task; answers to attempts that were given up are void."""
        attempt = self._attempt
        if self._state is not _State.RUNNING or attempt is None or attempt.step != step:
            return []
        if result.exec_status == ExecStatus.DONE and result.exit_status == 0:
            self._executioner = attempt.node
            return self._next_task(now)
        self._failure = (_FAILURES.get(result.exec_status, FAILED_AGENT), result.reason)
        return self._try_task(now)

    def expire(self, now: float) -> list[Effect]:
        """Act on a deadline that has passed."""
        match self._state:
            case _State.ASKING:
                return self._begin(now)
            case _State.RUNNING:
                attempt = self._attempt
                if now >= self._deadline:
                    cancelled: list[Effect] = [] if attempt is None else [CancelTask(attempt.step, attempt.node)]
                    return [*cancelled, *self._conclude(False, TIMED_OUT, _OUT_OF_TIME)]
                if attempt is not None and not attempt.accepted and now >= attempt.accept_deadline:
                    self._failure = (NO_PEER, "the node that was to carry it out does not answer")
                    return [CancelTask(attempt.step, attempt.node), *self._try_task(now)]
        return []

    def withdraw(self) -> bool:
        """Give it up, if nothing has been begun yet; return whether that is so."""
        if self._state is not _State.ASKING:
            return False
        self._state = _State.OVER
        return True

    def confirmed(self) -> list[Effect]:
        """A person vouches for the target's death: nothing more has to be done."""
        if self._state is _State.OVER:
            return []
        attempt = self._attempt
        cancelled: list[Effect] = [] if attempt is None else [CancelTask(attempt.step, attempt.node)]
        return [*cancelled, *self._conclude(True)]

    def _alone(self) -> bool:
        """Whether nobody but the target could do it."""
        return self.peers <= {self.target_id}

    def _may_run(self, node: int, offer: DeviceOffer) -> bool:
        if node in self._lost:
            return False
        if node != self.target_id:
            return not offer.on_target
        return offer.on_target or self.request.action == "on" or self._alone()

    def _candidates(self, device: str) -> list[int]:
        """Return the nodes that can run a device, the best first."""
        found = [
            (node == self.target_id, not offers[device].verified, node != self.local, node)
            for node, offers in self._offers.items()
            if device in offers and self._may_run(node, offers[device])
        ]
        return [entry[3] for entry in sorted(found)]

    def _go_if_known(self, now: float) -> list[Effect]:
        """Begin as soon as waiting for further answers cannot improve anything."""
        if self.peers <= self._offers.keys() | self._lost:
            return self._begin(now)
        if not self._could_begin():
            return []
        if self.levels:
            known = all(self._verified(device) for device in self.levels[0])
        else:
            known = any(self._verified(device) for offers in self._offers.values() for device in offers)
        return self._begin(now) if known else []

    def _could_begin(self) -> bool:
        """Whether the first plan has somebody for each task, so that only better answers are waited for."""
        if self.request.action == "on":
            return False  # a device that is required must not be missed
        if self.levels:
            return all(self._candidates(device) for device in self.levels[0])
        return any(self._candidates(device) for offers in self._offers.values() for device in offers)

    def _verified(self, device: str) -> bool:
        return any(node != self.target_id and self._offers[node][device].verified for node in self._candidates(device))

    def _begin(self, now: float) -> list[Effect]:
        self._state = _State.RUNNING
        self._deadline = now + self._total_ms() * TIME_FACTOR / 1000
        return self._next_plan(now)

    def _total_ms(self) -> int:
        """Return the time that all plans together may need, one after the other."""
        devices = {device for level in self.levels for device in level} or {
            device for offers in self._offers.values() for device in offers
        }
        extra = max(0, self.request.delay_ms)
        return extra + max(self.request.timeout_ms, sum(self._device_ms(device) for device in sorted(devices)))

    def _device_ms(self, device: str) -> int:
        best = 0
        for offers in self._offers.values():
            offer = offers.get(device)
            if offer is not None:
                phases = sum(offer.off_on) if self.levels and self.request.action == "reboot" else 0
                delay = 0 if self.request.delay_ms < 0 else offer.delay_ms
                best = max(best, max(offer.timeout_ms, phases) + delay)
        return best

    def _required(self) -> list[str]:
        """Return the devices that must have unfenced a node before it may run anything."""
        if self.request.action != "on":
            return []
        return sorted({o.device for offers in self._offers.values() for o in offers.values() if o.required})

    def _next_plan(self, now: float) -> list[Effect]:
        """Go to the next topology level, or the next device if there is no topology."""
        required = self._required()
        if self.levels:
            if self._level >= len(self.levels):
                return self._give_up()
            devices = self.levels[self._level]
            self._level += 1
            self._plan = _plan_of(devices, self.request.action, self._offers)
            self._plan += [_Task(device, "on") for device in required if device not in devices]
        elif required:
            if self._tried_devices:
                return self._give_up()
            self._tried_devices.update(required)
            self._plan = [_Task(device, "on") for device in required]
        else:
            device = self._next_device()
            if device is None:
                return self._give_up()
            self._tried_devices.add(device)
            self._plan = [_Task(device, self.request.action)]
        self._tried_nodes.clear()
        return self._try_task(now)

    def _next_device(self) -> str | None:
        """Return the best device that was not tried: highest priority, then verified, then by name."""
        best: dict[str, tuple[int, bool, str]] = {}
        for node, offers in self._offers.items():
            for device, offer in offers.items():
                if device not in self._tried_devices and self._may_run(node, offer):
                    rank = (-offer.priority, not offer.verified, device)
                    best[device] = min(best.get(device, rank), rank)
        return min(best.values())[2] if best else None

    def _next_task(self, now: float) -> list[Effect]:
        """The first task of the plan is done."""
        self._plan.pop(0)
        self._attempt = None
        self._tried_nodes.clear()
        if not self._plan:
            return self._conclude(True)
        return self._try_task(now)

    def _try_task(self, now: float) -> list[Effect]:
        """Have the first task of the plan run on the next node; without one, the plan has failed."""
        self._attempt = None
        task = self._plan[0]
        node = next((n for n in self._candidates(task.device) if n not in self._tried_nodes), None)
        if node is None:
            if task.optional:
                return self._next_task(now)
            if not self._failure[0]:
                self._failure = (NO_PEER, f"no node can use {task.device}")
            return self._next_plan(now)
        self._tried_nodes.add(node)
        self._last_step += 1
        local = node == self.local
        self._attempt = _Attempt(self._last_step, node, task, local, now + ACCEPT_LIMIT_S)
        offer = self._offers[node][task.device]
        delay_ms = self.request.delay_ms
        if delay_ms > 0 and self._delayed:
            delay_ms = 0  # what was asked for applies once, however many devices there are
        self._delayed = True
        return [RunTask(self._last_step, node, task.device, task.action, _timeout_of(offer, task.action), delay_ms)]

    def _give_up(self) -> list[Effect]:
        if not self._last_step:
            return self._conclude(False, NO_DEVICE)
        return self._conclude(False, self._failure[0], self._failure[1])

    def _conclude(self, success: bool, reason: str = "", exit_reason: str = "") -> list[Effect]:
        self._state = _State.OVER
        self._attempt = None
        return [Conclude(success, self._executioner if success else 0, reason, exit_reason)]


def _plan_of(devices: tuple[str, ...], action: str, offers: dict[int, dict[str, DeviceOffer]]) -> list[_Task]:
    """Return the tasks of a topology level; a reboot with several devices is all off, then all on."""
    if action != "reboot" or len(devices) < 2:
        return [_Task(device, action) for device in devices]
    known = {offer.device: offer for each in offers.values() for offer in each.values()}
    # A device that a node needs to be unfenced by is switched on by that node when it comes back.
    able = [device for device in devices if device in known and known[device].can_on and not known[device].required]
    return [_Task(device, "off") for device in devices] + [_Task(device, "on", optional=True) for device in able]


def _timeout_of(offer: DeviceOffer, action: str) -> int:
    if len(offer.off_on) == 2 and action in ("off", "on"):
        return offer.off_on[0] if action == "off" else offer.off_on[1]
    return offer.timeout_ms
