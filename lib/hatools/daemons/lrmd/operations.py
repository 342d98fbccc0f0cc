"""Which operation of which resource runs when: the core of lrmd. Pure.

Each resource does one thing at a time. Requests wait in a queue per resource; a recurring operation waits between its
runs for its interval, counted from the end of one run to the start of the next, and then queues like the others,
behind everything that was asked for once. Its first result is reported and later only what differs from the last
report.

The shell carries out :class:`Run` and :class:`Kill` and calls :meth:`Operations.finished` exactly once for each Run,
also for one it killed or could not start.
"""

import heapq
from collections.abc import Iterator
from enum import Enum, auto

from hatools.ipc.messages.lrm import Execute, OperationDone, RecurringOperation, RegisteredResource
from hatools.values.agentname import AgentName
from hatools.values.errors import LocalError, NoSuchObjectError
from hatools.values.exitcode import ExitCode
from hatools.values.records import dataclass, field, replace
from hatools.values.result import ExecStatus, OperationResult


@dataclass(frozen=True, slots=True)
class Run:
    """Effect: run an agent."""

    call_id: int
    resource: str
    agent: AgentName
    operation: str
    parameters: dict[str, str]
    timeout_ms: int
    recurring: bool


@dataclass(frozen=True, slots=True)
class Kill:
    """Effect: end the run of this call at once."""

    call_id: int


@dataclass(frozen=True, slots=True)
class Report:
    """Effect: tell the subscribers."""

    done: OperationDone


Effect = Run | Kill | Report


class _State(Enum):
    WAITING = auto()  # for its time
    QUEUED = auto()  # for its resource
    RUNNING = auto()
    GONE = auto()


@dataclass(slots=True, eq=False)
class _Operation:
    """A request on its way. ``due`` is set while waiting; ``reported`` holds the last (status, rc) told."""

    call_id: int
    request: Execute
    state: _State = _State.WAITING
    due: float = 0.0
    queued_at: float = 0.0
    queue_time_ms: int = 0
    last_result: tuple[int, int] | None = None
    last_change: int = 0
    reported: bool = False
    cancelled: bool = False
    superseded: bool = False

    @property
    def recurring(self) -> bool:
        return self.request.interval_ms > 0


@dataclass(slots=True)
class _Resource:
    name: str
    agent: AgentName
    queue: list[_Operation] = field(default_factory=list)
    running: _Operation | None = None
    recurring: dict[tuple[str, int], _Operation] = field(default_factory=dict)
    leaving: bool = False


class Operations:
    """All resources of a node with their operations."""

    def __init__(self) -> None:
        self._resources: dict[str, _Resource] = {}
        self._calls: dict[int, _Resource] = {}
        self._timers: list[tuple[float, int, _Operation]] = []
        self._last_call = 0

    @property
    def deadline(self) -> float | None:
        """When :meth:`expire` wants to be called."""
        while self._timers and self._timers[0][2].state is not _State.WAITING:
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def agent_of(self, resource: str) -> AgentName | None:
        """Return the agent a resource was registered with; None if it is unknown."""
        found = self._resources.get(resource)
        return None if found is None else found.agent

    def register(self, now: float, resource: str, agent: AgentName) -> list[Effect]:
        """Make a resource known; with another agent than before, everything recurring of the old one ends."""
        found = self._resources.get(resource)
        if found is None:
            self._resources[resource] = _Resource(resource, agent)
            return []
        found.leaving = False
        if found.agent == agent:
            return []
        effects = self._drop_all(now, found)
        found.agent = agent
        return effects

    def unregister(self, now: float, resource: str) -> list[Effect]:
        """Forget a resource: its recurring and queued operations end now, a single one that runs is waited for.

        Raises:
            NoSuchObjectError: it is not registered.
        """
        found = self._find(resource)
        effects = self._drop_all(now, found)
        found.leaving = True
        self._forget_if_idle(found)
        return effects

    def execute(self, now: float, request: Execute) -> tuple[int, list[Effect]]:
        """Accept an operation; return its call id.

        A recurring operation that exists already is replaced by the new request and runs at once.

        Raises:
            NoSuchObjectError: the resource is not registered.
        """
        resource = self._find(request.resource)
        resource.leaving = False
        self._last_call += 1
        operation = _Operation(self._last_call, request)
        if operation.recurring:
            key = (request.operation, request.interval_ms)
            old = resource.recurring.pop(key, None)
            if old is not None:
                self._supersede(resource, old)
            resource.recurring[key] = operation
        if request.start_delay_ms > 0:
            self._wait(operation, now + request.start_delay_ms / 1000)
            return operation.call_id, []
        self._queue(now, resource, operation)
        return operation.call_id, self._start_next(now, resource)

    def cancel(self, now: float, resource: str, operation: str, interval_ms: int) -> list[Effect]:
        """End a recurring operation; it is reported as cancelled, after its run is over if it runs.

        Raises:
            NoSuchObjectError: there is no such operation.
        """
        found = self._resources.get(resource)
        recurring = found.recurring.pop((operation, interval_ms), None) if found is not None else None
        if found is None or recurring is None:
            raise NoSuchObjectError(f"{resource} has no recurring {operation} of {interval_ms} ms")
        return self._cancel(found, recurring)

    def finished(self, now: float, call_id: int, result: OperationResult, *, last_run: int) -> list[Effect]:
        """Take the end of a run. ``last_run`` is the epoch second at which it began."""
        resource = self._calls.pop(call_id, None)
        if resource is None or resource.running is None or resource.running.call_id != call_id:
            raise LocalError(f"call {call_id} is not running")
        operation = resource.running
        resource.running = None
        effects: list[Effect] = []
        if operation.cancelled:
            operation.state = _State.GONE
            effects.append(Report(_cancelled(operation, result)))
        elif operation.superseded:
            operation.state = _State.GONE
        else:
            effects.extend(self._take_result(operation, result, last_run))
            if operation.recurring:
                self._wait(operation, now + operation.request.interval_ms / 1000)
            else:
                operation.state = _State.GONE
        effects.extend(self._start_next(now, resource))
        self._forget_if_idle(resource)
        return effects

    def expire(self, now: float) -> list[Effect]:
        """Queue what is due."""
        effects: list[Effect] = []
        while (due := self.deadline) is not None and due <= now:
            _, _, operation = heapq.heappop(self._timers)
            resource = self._resources[operation.request.resource]
            self._queue(now, resource, operation)
            effects.extend(self._start_next(now, resource))
        return effects

    def listing(self) -> Iterator[RegisteredResource]:
        """Yield what is registered, in the order of registration."""
        for resource in self._resources.values():
            yield RegisteredResource(
                resource.name,
                resource.agent.standard,
                resource.agent.provider,
                resource.agent.type,
                tuple(
                    RecurringOperation(op.request.operation, op.request.interval_ms, op.request.timeout_ms, op.call_id)
                    for op in resource.recurring.values()
                ),
                resource.running.request.operation if resource.running is not None else "",
            )

    def _find(self, resource: str) -> _Resource:
        found = self._resources.get(resource)
        if found is None:
            raise NoSuchObjectError(f"resource {resource} is not registered with lrmd")
        return found

    def _wait(self, operation: _Operation, due: float) -> None:
        operation.state = _State.WAITING
        operation.due = due
        heapq.heappush(self._timers, (due, operation.call_id, operation))

    def _queue(self, now: float, resource: _Resource, operation: _Operation) -> None:
        operation.state = _State.QUEUED
        operation.queued_at = now
        resource.queue.append(operation)

    def _start_next(self, now: float, resource: _Resource) -> list[Effect]:
        if resource.running is not None or not resource.queue:
            return []
        # A stop or start must not wait for monitors that happen to be due.
        operation = next((op for op in resource.queue if not op.recurring), resource.queue[0])
        resource.queue.remove(operation)
        operation.state = _State.RUNNING
        operation.queue_time_ms = int((now - operation.queued_at) * 1000)
        resource.running = operation
        self._calls[operation.call_id] = resource
        request = operation.request
        return [
            Run(
                operation.call_id,
                resource.name,
                resource.agent,
                request.operation,
                dict(request.parameters or {}),
                request.timeout_ms,
                operation.recurring,
            )
        ]

    def _take_result(self, operation: _Operation, result: OperationResult, last_run: int) -> list[Effect]:
        outcome = (int(result.exec_status), result.exit_status)
        changed = outcome != operation.last_result
        if changed:
            operation.last_result = outcome
            operation.last_change = last_run
        if operation.reported and not changed:
            return []
        operation.reported = True
        return [Report(_done(operation, result, last_run))]

    def _supersede(self, resource: _Resource, operation: _Operation) -> None:
        operation.superseded = True
        if operation.state is not _State.RUNNING:
            self._remove(resource, operation)

    def _cancel(self, resource: _Resource, operation: _Operation) -> list[Effect]:
        operation.cancelled = True
        if operation.state is _State.RUNNING:
            return [Kill(operation.call_id)]
        self._remove(resource, operation)
        return [Report(_cancelled(operation, OperationResult(ExecStatus.CANCELLED, int(ExitCode.OK))))]

    def _remove(self, resource: _Resource, operation: _Operation) -> None:
        if operation.state is _State.QUEUED:
            resource.queue.remove(operation)
        operation.state = _State.GONE

    def _drop_all(self, now: float, resource: _Resource) -> list[Effect]:
        """End everything but a single operation that runs."""
        effects: list[Effect] = []
        for operation in list(resource.recurring.values()):
            effects.extend(self._cancel(resource, operation))
        resource.recurring.clear()
        for operation in list(resource.queue):
            effects.extend(self._cancel(resource, operation))
        for _, _, operation in self._timers:
            if operation.request.resource == resource.name and operation.state is _State.WAITING:
                effects.extend(self._cancel(resource, operation))
        return effects

    def _forget_if_idle(self, resource: _Resource) -> None:
        if resource.leaving and resource.running is None and not resource.queue:
            self._resources.pop(resource.name, None)


def _done(operation: _Operation, result: OperationResult, last_run: int) -> OperationDone:
    request = operation.request
    return OperationDone(
        resource=request.resource,
        operation=request.operation,
        interval_ms=request.interval_ms,
        call_id=operation.call_id,
        tag=request.tag,
        exec_status=int(result.exec_status),
        exit_status=result.exit_status,
        exit_reason=result.exit_reason,
        output=result.output,
        exec_time_ms=result.exec_time_ms,
        queue_time_ms=operation.queue_time_ms,
        last_run=last_run,
        last_change=operation.last_change,
        parameters=dict(request.parameters or {}),
        timeout_ms=request.timeout_ms,
        start_delay_ms=request.start_delay_ms,
    )


def _cancelled(operation: _Operation, result: OperationResult) -> OperationDone:
    """Say that a recurring operation has ended, with what it returned last."""
    report = _done(operation, result, last_run=0)
    return replace(report, exec_status=int(ExecStatus.CANCELLED), exit_reason="", output="", deleted=True)
