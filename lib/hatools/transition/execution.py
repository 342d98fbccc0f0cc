"""The execution of a transition graph: which actions may run now, which are late, when it is over. Pure.

The caller performs what :meth:`Execution.fire` hands out and reports each end with :meth:`Execution.finish`.
Points in time (pseudo events) are passed internally. An abort stops everything of lower priority from being begun;
what is running is always waited for, because its effect on the cluster is not known before it ends.
"""

from collections import Counter
from enum import Enum, auto

from hatools.transition.graph import ActionType, Graph, GraphAction, Synapse
from hatools.values.boolean import is_true
from hatools.values.duration import parse_interval_ms
from hatools.values.records import dataclass
from hatools.values.score import INFINITY

_MIGRATIONS = frozenset({"migrate_to", "migrate_from"})
DEFAULT_NETWORK_DELAY_MS = 60_000
"""What an action gets on top of its timeout when the graph names no ``cluster-delay``."""


class Completion(Enum):
    """What has to follow the end of the transition; a later member wins over an earlier one."""

    DONE = auto()
    RESTART = auto()
    """Something changed: calculate a new transition."""
    SHUTDOWN = auto()


@dataclass(slots=True)
class Limits:
    """How much may run at once: in all, per node (missing: no limit), and live migrations per node (-1: no limit)."""

    batch: int
    node_jobs: dict[str, int]
    migrations: int


class Execution:
    """A graph being executed.

    Attributes:
        abort_priority: synapses below it are not begun any more.
        abort_reason: why, for people.
        completion: what follows the end.
        deadline: when the first running action is late (monotonic seconds), None if nothing runs.
    """

    __slots__ = (
        "_action_synapse",
        "_dependents",
        "_due",
        "_failed",
        "_finished",
        "_graph",
        "_network_delay_ms",
        "_ready",
        "_running",
        "_started",
        "_unfinished",
        "_unmet",
        "abort_priority",
        "abort_reason",
        "completion",
        "limits",
    )

    def __init__(self, graph: Graph, limits: Limits) -> None:
        self._graph = graph
        self.limits = limits
        self._network_delay_ms = parse_interval_ms(graph.settings.get("cluster-delay")) or DEFAULT_NETWORK_DELAY_MS
        self._action_synapse: dict[int, int] = {}
        self._dependents: dict[int, list[int]] = {}
        self._unmet: list[int] = []
        self._unfinished: list[int] = []
        for index, synapse in enumerate(graph.synapses):
            for action in synapse.actions:
                self._action_synapse[action.id] = index
            self._unfinished.append(len(synapse.actions))
        for index, synapse in enumerate(graph.synapses):
            inputs = {action for action in synapse.inputs if action in self._action_synapse}
            self._unmet.append(len(inputs))
            for action_id in sorted(inputs):
                self._dependents.setdefault(action_id, []).append(index)
        self._ready: set[int] = {index for index, count in enumerate(self._unmet) if count == 0}
        self._started: set[int] = set()
        self._running: dict[int, GraphAction] = {}
        self._due: dict[int, float] = {}
        self._finished: set[int] = set()
        self._failed: set[int] = set()
        self.abort_priority = 0
        self.abort_reason = ""
        self.completion = Completion.DONE

    @property
    def transition_id(self) -> int:
        return self._graph.transition_id

    @property
    def graph(self) -> Graph:
        return self._graph

    @property
    def running(self) -> dict[int, GraphAction]:
        """Return the actions that were handed out and have not ended, by id."""
        return self._running

    @property
    def is_complete(self) -> bool:
        """Say whether nothing runs and nothing more will be begun."""
        return not self._running and not any(self._may_begin(index) for index in self._ready)

    @property
    def counts(self) -> dict[str, int]:
        """Return how many actions ended well, failed, and were never begun."""
        total = len(self._action_synapse)
        begun = sum(len(self._graph.synapses[index].actions) for index in self._started)
        return {
            "completed": len(self._finished) - len(self._failed),
            "failed": len(self._failed),
            "pending": len(self._running),
            "skipped": total - begun,
        }

    @property
    def deadline(self) -> float | None:
        return min(self._due.values(), default=None)

    def action(self, action_id: int) -> GraphAction | None:
        """Return an action of the graph by its id."""
        index = self._action_synapse.get(action_id)
        if index is None:
            return None
        return next(action for action in self._graph.synapses[index].actions if action.id == action_id)

    def is_finished(self, action_id: int) -> bool:
        return action_id in self._finished

    def fire(self, now: float) -> list[GraphAction]:
        """Begin what may run now and return the actions to perform, in the order of the graph."""
        begun: list[GraphAction] = []
        progress = True
        while progress:
            progress = False
            for index in sorted(self._ready):
                if not self._may_begin(index) or not self._fits(self._graph.synapses[index]):
                    continue
                self._ready.discard(index)
                self._started.add(index)
                for action in self._graph.synapses[index].actions:
                    if action.type is ActionType.PSEUDO:
                        self._end(action, failed=False)
                        progress = True
                    else:
                        self._running[action.id] = action
                        if action.operation != "stonith":
                            # The fencer has its own clock, and always answers.
                            self._due[action.id] = now + (action.timeout_ms + self._network_delay_ms) / 1000
                        begun.append(action)
        return begun

    def finish(self, action_id: int, *, failed: bool = False) -> None:
        """Note that an action ended; a failed one keeps what depends on it from ever beginning."""
        action = self._running.pop(action_id, None)
        self._due.pop(action_id, None)
        if action is None:
            return
        self._end(action, failed=failed)
        if failed and not self._can_fail(action):
            priority = self._graph.synapses[self._action_synapse[action_id]].priority + 1
            self.abort(priority, f"{action.key or action.operation} failed", Completion.RESTART)

    def abort(self, priority: int, reason: str, completion: Completion = Completion.RESTART) -> bool:
        """Begin nothing below ``priority`` any more; return False if that was so already."""
        if completion.value > self.completion.value:
            self.completion = completion
        if priority <= self.abort_priority:
            return False
        self.abort_priority = min(priority, INFINITY)
        self.abort_reason = reason
        return True

    def expire(self, now: float) -> list[GraphAction]:
        """Return the running actions that are late; they stay running until :meth:`finish`."""
        late = [action_id for action_id, due in self._due.items() if due <= now]
        for action_id in late:
            del self._due[action_id]
        return [self._running[action_id] for action_id in late]

    def _can_fail(self, action: GraphAction) -> bool:
        return is_true(action.meta("can_fail"))

    def _end(self, action: GraphAction, *, failed: bool) -> None:
        self._finished.add(action.id)
        self._unfinished[self._action_synapse[action.id]] -= 1
        if failed:
            self._failed.add(action.id)
            if not self._can_fail(action):
                return
        for index in self._dependents.get(action.id, ()):
            self._unmet[index] -= 1
            if self._unmet[index] == 0 and index not in self._started:
                self._ready.add(index)

    def _may_begin(self, index: int) -> bool:
        return self._graph.synapses[index].priority >= self.abort_priority

    def _fits(self, synapse: Synapse) -> bool:
        """Say whether the limits leave room for the actions of a synapse."""
        work = [action for action in synapse.actions if action.type is not ActionType.PSEUDO]
        if not work:
            return True
        if self.limits.batch > 0 and len(self._running) + len(work) > max(self.limits.batch, len(work)):
            return False
        return all(self._fits_node(action) for action in work)

    def _fits_node(self, action: GraphAction) -> bool:
        if action.type is not ActionType.RESOURCE or action.node is None:
            return True
        jobs = Counter(
            "migration" if other.operation in _MIGRATIONS else "job"
            for other in self._running.values()
            if other.node == action.node and other.type is ActionType.RESOURCE
        )
        limit = self.limits.node_jobs.get(action.node, 0)
        if limit > 0 and jobs.total() >= limit:
            return False
        return not (action.operation in _MIGRATIONS and 0 <= self.limits.migrations <= jobs["migration"])
