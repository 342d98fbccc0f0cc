"""The DC's transition: performs a graph, matches results to its actions, aborts it when the world changes. Pure.

Results reach the DC as changes of the CIB; each carries the transition key of the action it belongs to. A result
nobody asked for, a wrong one, or any other change ends the transition early and leads to a new calculation.
"""

from hatools.daemons.crmd.changes import HistoryErased, OperationRecorded
from hatools.ipc.messages.crmd import PerformAction
from hatools.transition.execution import Completion, Execution, Limits
from hatools.transition.graph import ActionType, Graph, GraphAction
from hatools.values.opkey import TransitionKey, parse_magic, parse_operation_key
from hatools.values.records import dataclass
from hatools.values.result import ExecStatus
from hatools.values.score import INFINITY

_COUNTED_WITHOUT_OFFSET = frozenset({"promote", "demote"})


@dataclass(frozen=True, slots=True)
class Perform:
    """Have a node carry out an action."""

    node_id: int
    action: PerformAction


@dataclass(frozen=True, slots=True)
class PerformHere:
    """An action the DC carries out itself: fencing, clearing fail counts, releasing a node, changing the CIB."""

    key: str
    action: GraphAction


@dataclass(frozen=True, slots=True)
class CountFailure:
    """Raise the fail count of an operation; ``value`` is ``value++`` or ``INFINITY``, None leaves the count alone."""

    node: str
    resource: str
    operation: str
    interval_ms: int
    value: str | None


@dataclass(frozen=True, slots=True)
class MarkLost:
    """An operation did not end in its time: record that in the history of its node."""

    action: GraphAction
    key: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The transition is over; ``restart`` asks for a new calculation."""

    transition: int
    restart: bool
    summary: str


@dataclass(frozen=True, slots=True)
class Aborted:
    """The transition (or the wish for none) is void because of this."""

    reason: str


TransitionEffect = Perform | PerformHere | CountFailure | MarkLost | Ended | Aborted


class Transitioner:
    """The transition in progress, if any.

    ``uuid`` marks the keys of this DC's actions; ``number`` counts its transitions.
    """

    def __init__(self, uuid: str) -> None:
        self.uuid = uuid
        self.number = -1
        self._execution: Execution | None = None
        self._offsets = {"start": "INFINITY", "stop": "INFINITY"}
        self._seen: dict[tuple[str, str], str] = {}

    @property
    def execution(self) -> Execution | None:
        return self._execution

    @property
    def is_running(self) -> bool:
        return self._execution is not None

    @property
    def deadline(self) -> float | None:
        return None if self._execution is None else self._execution.deadline

    def begin(self, now: float, graph: Graph, limits: Limits) -> list[TransitionEffect]:
        """Start a new graph in place of the old one, which must have ended."""
        self.number += 1
        graph.settings["transition_id"] = str(self.number)
        self._offsets = {
            "start": graph.settings.get("failed-start-offset", "INFINITY"),
            "stop": graph.settings.get("failed-stop-offset", "INFINITY"),
        }
        self._execution = Execution(graph, limits)
        return self.advance(now)

    def advance(self, now: float) -> list[TransitionEffect]:
        """Hand out what may run now; report the end if nothing more will."""
        execution = self._execution
        if execution is None:
            return []
        effects: list[TransitionEffect] = []
        # Fencing first: the most waits for it.
        for action in sorted(execution.fire(now), key=lambda action: action.operation != "stonith"):
            effects += self._hand_out(now, execution, action)
        if execution.is_complete:
            self._execution = None
            counts = execution.counts
            summary = (
                f"Transition {execution.transition_id} (Complete={counts['completed']}, Pending={counts['pending']}, "
                f"Failed={counts['failed']}, Skipped={counts['skipped']}): "
                f"{'Stopped' if execution.abort_priority else 'Complete'}"
            )
            effects.append(Ended(execution.transition_id, execution.completion is Completion.RESTART, summary))
        return effects

    def abort(self, now: float, reason: str) -> list[TransitionEffect]:
        """Begin nothing more: something changed."""
        if self._execution is None:
            return [Aborted(reason)]
        fresh = self._execution.abort(INFINITY, reason)
        effects: list[TransitionEffect] = [Aborted(reason)] if fresh else []
        return effects + self.advance(now)

    def cancel(self) -> None:
        """Drop the transition: this node is the DC no more."""
        self._execution = None

    def key(self, action: GraphAction) -> str:
        """Return the transition key of an action of the present graph."""
        return str(TransitionKey(action=action.id, transition=self.number, target_rc=action.target_rc, uuid=self.uuid))

    def finish(self, now: float, key: str, *, failed: bool) -> list[TransitionEffect]:
        """Note the end of an action that was reported by message."""
        parsed = TransitionKey.parse(key)
        if self._execution is None or parsed is None or parsed.uuid != self.uuid or parsed.transition != self.number:
            return []
        self._execution.finish(parsed.action, failed=failed)
        return self.advance(now)

    def node_lost(self, now: float, node: str) -> list[TransitionEffect]:
        """Give up what the node was doing."""
        if self._execution is None:
            return []
        for action in list(self._execution.running.values()):
            if action.node == node and action.operation != "stonith":
                self._execution.finish(action.id, failed=True)
        return self.abort(now, f"{node} was lost")

    def expire(self, now: float) -> list[TransitionEffect]:
        """Give up actions that are late."""
        if self._execution is None:
            return []
        effects: list[TransitionEffect] = []
        for action in self._execution.expire(now):
            if action.type is ActionType.RESOURCE and action.operation not in ("cancel", "delete", "notify"):
                effects.append(MarkLost(action, self.key(action)))
            self._execution.finish(action.id, failed=True)
            self._execution.abort(INFINITY, f"{action.key or action.operation} on {action.node} timed out")
        return effects + self.advance(now)

    def recorded(self, now: float, fact: OperationRecorded) -> list[TransitionEffect]:
        """Match a history entry that is new in the CIB."""
        entry = fact.entry
        magic = parse_magic(entry.get("transition-magic", ""))
        key = None if magic is None else TransitionKey.parse(magic[2])
        if magic is None or key is None:
            return self.abort(now, f"{entry.get('id')} has no readable transition key")
        status, code, _ = magic
        if status == ExecStatus.PENDING:
            return []
        name: str = entry.get("operation_key") or entry.get("id") or ""
        # A failure is recorded twice, as the last operation and as the last failure.
        mark = f"{key}/{entry.get('call-id')}/{entry.get('last-rc-change')}/{code}"
        if self._seen.get((fact.node_id, name)) == mark:
            return []
        self._seen[fact.node_id, name] = mark
        failed = status != ExecStatus.DONE or code != key.target_rc
        if key.transition == -1:
            effects = self.abort(now, f"{name} was recorded by a person")
            return effects + (self._count(fact, key, force=True) if failed else [])
        if key.uuid != self.uuid:
            return self.abort(now, f"{name} on {fact.node} was begun by another DC")
        return self._own(now, fact, key, failed)

    def _own(self, now: float, fact: OperationRecorded, key: TransitionKey, failed: bool) -> list[TransitionEffect]:
        name = fact.entry.get("operation_key") or fact.entry.get("id", "")
        execution = self._execution
        if execution is None or key.transition != self.number:
            if fact.entry.get("interval", "0") == "0":
                return self.abort(now, f"{name} on {fact.node} ended late")
            effects = self.abort(now, f"{name} on {fact.node} changed its result")
            return effects + (self._count(fact, key) if failed else [])
        action = execution.action(key.action)
        if action is None:
            return self.abort(now, f"{name} on {fact.node} is not in the graph")
        if execution.is_finished(action.id):
            if action.interval_ms == 0 or not failed:
                return []
            # The monitor began well in this very transition and has failed since.
            effects = self.abort(now, f"{name} on {fact.node} failed")
            return effects + self._count(fact, key)
        ignored = action.meta("on_fail") == "ignore"
        execution.finish(action.id, failed=failed)
        effects = self._count(fact, key, ignored=ignored) if failed else []
        return effects + self.advance(now)

    def erased(self, now: float, fact: HistoryErased) -> list[TransitionEffect]:
        """Note history that is gone: expected after our own cancellations and deletions only."""
        expected = self._expected_erasures()
        if all((fact.node, fact.resource, key) in expected for key in fact.keys):
            return []
        if (fact.node, fact.resource, "") in expected:
            return []
        return self.abort(now, f"history of {fact.resource} on {fact.node} was erased")

    def _expected_erasures(self) -> set[tuple[str, str, str]]:
        if self._execution is None:
            return set()
        expected = set()
        for action in self._execution.graph.actions().values():
            resource, node = action.resource_id or "", action.node or ""
            if action.operation == "cancel":
                interval = action.meta("interval") or "0"
                expected.add((node, resource, f"{resource}_{action.meta('operation')}_{interval}"))
            elif action.operation in ("delete", "lrm_delete"):
                expected.add((node, resource, ""))
        return expected

    def _count(
        self, fact: OperationRecorded, key: TransitionKey, *, ignored: bool = False, force: bool = False
    ) -> list[TransitionEffect]:
        """Return the change of the fail count that a failure means; failed probes and the like count nothing."""
        parsed = parse_operation_key(fact.entry.get("operation_key", ""))
        if parsed is None:
            return []
        _, operation, interval_ms = parsed
        offset = self._offsets.get(operation) if interval_ms == 0 else None
        counts = force or interval_ms > 0 or operation in _COUNTED_WITHOUT_OFFSET or offset is not None
        if not counts:
            return []
        value = None if ignored else ("INFINITY" if offset == "INFINITY" else "value++")
        return [CountFailure(fact.node, fact.resource, operation, interval_ms, value)]

    def _hand_out(self, now: float, execution: Execution, action: GraphAction) -> list[TransitionEffect]:
        key = self.key(action)
        is_local = action.type is ActionType.CLUSTER and action.operation != "cancel"
        if is_local or action.operation == "probe_again":
            return [PerformHere(key, action)]
        node_id = action.router_node or action.node_id or ""
        if not node_id.isdigit():
            execution.finish(action.id, failed=True)
            return []
        return [Perform(int(node_id), perform_action(key, action))]


def perform_action(key: str, action: GraphAction) -> PerformAction:
    """Return the message that asks a node for an action of the graph."""
    primitive = action.primitive or {}
    attributes = dict(action.attributes)
    attributes.update(action.parameters)
    return PerformAction(
        key=key,
        operation=action.operation,
        operation_key=action.key or "",
        resource=primitive.get("id", ""),
        standard=primitive.get("class", ""),
        provider=primitive.get("provider", ""),
        type=primitive.get("type", ""),
        attributes=attributes,
        on_node=action.node or "",
        mode=action.extra.get("mode", ""),
    )
