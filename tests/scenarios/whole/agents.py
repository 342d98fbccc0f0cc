"""A model of the agents of one machine, and the one thing that must never happen among all machines.

A resource is *held* from the moment its start begins until its stop has ended, or its machine lost power.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hatools.daemons.crmd.effects import RunOperation
from hatools.ipc.messages.lrm import OperationDone

if TYPE_CHECKING:
    from tests.scenarios.whole.world import World

Report = Callable[[OperationDone], None]


@dataclass(slots=True)
class Agents:
    """What runs on a machine. ``held`` are resources that are, or may be, active."""

    world: "World"
    node: str
    held: set[str] = field(default_factory=set)
    running: dict[str, list[tuple[RunOperation, Report]]] = field(default_factory=dict)
    recurring: dict[tuple[str, str, int], str] = field(default_factory=dict)
    life: int = 0
    calls: int = 0

    def power_off(self) -> None:
        """Nothing runs any more."""
        self.life += 1
        self.held.clear()
        self.running.clear()
        self.recurring.clear()

    def controller_gone(self) -> None:
        """What the agents were doing goes on; nobody is told, and nothing recurs."""
        self.recurring.clear()

    def cancel(self, resource: str, operation: str, interval_ms: int) -> None:
        self.recurring.pop((resource, operation, interval_ms), None)

    def forget(self, resource: str) -> None:
        for key in [key for key in self.recurring if key[0] == resource]:
            del self.recurring[key]

    def run(self, operation: RunOperation, report: Report) -> None:
        """Run an operation, after what the resource is doing now."""
        queue = self.running.setdefault(operation.resource.name, [])
        queue.append((operation, report))
        if len(queue) == 1:
            self._begin(operation, report)

    def _begin(self, operation: RunOperation, report: Report) -> None:
        world, resource, life = self.world, operation.resource.name, self.life
        frozen = world.machines[int(self.node[4:])].paused_until
        if frozen > world.now:
            world.at(frozen, lambda: self.life == life and self._begin(operation, report))
            return
        if operation.operation == "start":
            world.check_start(self.node, resource)
            self.held.add(resource)
        elif operation.operation == "stop":
            world.check_stop(self.node, resource)
        if operation.interval_ms:
            self.recurring[resource, operation.operation, operation.interval_ms] = operation.key
        took = world.random.uniform(0.02, 0.4)
        world.at(world.now + took, lambda: self._end(operation, report, took, life))

    def _end(self, operation: RunOperation, report: Report, took: float, life: int) -> None:
        if life != self.life:
            return
        world, resource = self.world, operation.resource.name
        frozen = world.machines[int(self.node[4:])].paused_until
        if frozen > world.now:
            world.at(frozen, lambda: self._end(operation, report, took, life))
            return
        code = self._result(operation)
        report(self._done(operation, code, took))
        queue = self.running.get(resource, [])
        if queue:
            queue.pop(0)
        if queue:
            self._begin(*queue[0])

    def _result(self, operation: RunOperation) -> int:
        resource = operation.resource.name
        match operation.operation:
            case "start":
                if self.world.random.random() < self.world.start_failures:
                    self.held.discard(resource)
                    return 1
                return 0
            case "stop":
                self.held.discard(resource)
                return 0
            case "monitor":
                return 0 if resource in self.held else 7
        return 0

    def _done(self, operation: RunOperation, code: int, took: float) -> OperationDone:
        self.calls += 1
        return OperationDone(
            resource=operation.resource.name,
            operation=operation.operation,
            interval_ms=operation.interval_ms,
            call_id=self.calls,
            tag=operation.key,
            exec_status=0,
            exit_status=code,
            exit_reason="",
            output="",
            exec_time_ms=int(took * 1000),
            queue_time_ms=0,
            last_run=1_700_000_000 + int(self.world.now),
            last_change=1_700_000_000 + int(self.world.now),
            parameters=operation.parameters,
            timeout_ms=operation.timeout_ms,
        )
