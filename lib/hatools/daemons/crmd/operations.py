"""What a controller does on its own node: operations asked for by the DC, and the history they leave. Pure.

An operation is written to the CIB as pending before it begins, so that a new DC knows of it, and with its result
when it ends; the DC learns results from the CIB alone. What leaves no history there (notifications, cancellations,
deletions) is answered with a message.
"""

from collections.abc import Iterator

from hatools.agents.metadata import AgentMetadata
from hatools.daemons.crmd import status
from hatools.daemons.crmd.effects import (
    CancelRecurring,
    Effect,
    ForgetResource,
    Log,
    ReadMetadata,
    RunOperation,
    WriteCib,
)
from hatools.daemons.crmd.history import (
    PENDING_EXIT_STATUS,
    Outcome,
    ResourceIdentity,
    history_entries,
    needs_metadata,
    status_with_history,
)
from hatools.ipc.messages.cib import CibOperation
from hatools.ipc.messages.crmd import ActionDone, PerformAction
from hatools.ipc.messages.lrm import OperationDone
from hatools.values.boolean import parse_boolean
from hatools.values.opkey import TransitionKey, format_operation_key
from hatools.values.records import dataclass, field, replace
from hatools.values.result import ExecStatus

_ENDS_RECURRING = frozenset({"stop", "demote", "promote", "migrate_to"})
"""Operations before which a resource's recurring ones end, since their expected result changes."""

_SHOWS_PARAMETERS = frozenset({"start", "reload", "reload-agent", "monitor"})
"""Operations that tell with which parameters a resource is active, for its later stop."""

ORIGIN_PENDING = "record_pending_op"
ORIGIN_RESULT = "controld_update_resource_history"
_META = "CRM_meta_"


@dataclass(frozen=True, slots=True)
class Reply:
    """Tell the DC the end of an action."""

    done: ActionDone


@dataclass(slots=True)
class _Resource:
    identity: ResourceIdentity
    recurring: set[tuple[str, int]] = field(default_factory=set)
    active_parameters: dict[str, str] | None = None


OperationEffect = Effect | Reply


class LocalOperations:
    """The resources of this node as the controller handles them.

    ``tags`` numbers the CIB writes.
    """

    def __init__(self, node_id: str, node: str, tags: Iterator[int]) -> None:
        self._node_id = node_id
        self._node = node
        self._tags = tags
        self._resources: dict[str, _Resource] = {}
        self._metadata: dict[tuple[str, str, str], AgentMetadata | None] = {}
        self._waiting: list[Outcome] = []
        self._running: dict[str, PerformAction] = {}
        self._deleting: dict[int, str] = {}

    @property
    def running(self) -> dict[str, PerformAction]:
        """Return the actions that have not ended, by transition key."""
        return self._running

    def perform(self, epoch: int, action: PerformAction) -> list[OperationEffect]:
        """Begin an action; ``epoch`` is the time in seconds."""
        match action.operation:
            case "cancel":
                return self._cancel(action)
            case "delete" | "lrm_delete":
                self._running[action.key] = action
                self._resources.pop(action.resource, None)
                return [ForgetResource(action.resource, action.key)]
            case _:
                return self._run(epoch, action)

    def operation_done(self, event: OperationDone) -> list[OperationEffect]:
        """Note a result of the executor."""
        resource = self._resources.get(event.resource)
        if event.deleted or event.exec_status == ExecStatus.CANCELLED or resource is None:
            return []
        action = self._running.pop(event.tag, None)
        if event.operation == "notify":
            return [Reply(ActionDone(event.tag, event.exit_status, event.exec_status, event.exit_reason))]
        outcome = Outcome(
            resource=resource.identity,
            operation=event.operation,
            interval_ms=event.interval_ms,
            key=event.tag,
            exec_status=event.exec_status,
            exit_status=event.exit_status,
            call_id=event.call_id,
            exit_reason=event.exit_reason,
            exec_time_ms=event.exec_time_ms,
            queue_time_ms=event.queue_time_ms,
            last_change=event.last_change or event.last_run,
            parameters=event.parameters if action is None else dict(action.attributes or {}),
        )
        if outcome.exec_status == ExecStatus.DONE and outcome.operation in _SHOWS_PARAMETERS and not outcome.failed:
            resource.active_parameters = _own_parameters(event.parameters)
        if outcome.operation == "stop" and not outcome.failed:
            resource.recurring.clear()
        return self._record_result(outcome)

    def refused(self, key: str, reason: str, exec_status: int = ExecStatus.ERROR) -> list[OperationEffect]:
        """Note that the executor did not accept an operation."""
        action = self._running.pop(key, None)
        if action is None:
            return []
        if action.operation == "notify":
            return [Reply(ActionDone(key, 1, exec_status, reason))]
        outcome = self._outcome(action, exec_status, 1, reason)
        return self._record_result(replace(outcome, call_id=0))

    def cancelled(self, key: str) -> list[OperationEffect]:
        """Note that a recurring operation has ended as asked; its entry is history no more."""
        action = self._running.pop(key, None)
        if action is None:
            return []
        operation, interval_ms = _cancel_target(action)
        entry = format_operation_key(action.resource, operation, interval_ms)
        change = status.erase_operation(self._node_id, action.resource, entry)
        return [WriteCib(next(self._tags), (change,)), Reply(ActionDone(key, 0))]

    def forgotten(self, key: str, resource: str) -> list[OperationEffect]:
        """Note that the executor knows the resource no more; erase its history, then tell the DC."""
        tag = next(self._tags)
        if self._running.pop(key, None) is not None:
            self._deleting[tag] = key
        # The DC hears of it by a message, which must not overtake what it is about.
        return [WriteCib(tag, (status.erase_resource(self._node_id, resource),), certain=True)]

    def written(self, tag: int) -> list[OperationEffect]:
        """Note that a CIB write is done."""
        key = self._deleting.pop(tag, None)
        return [] if key is None else [Reply(ActionDone(key, 0))]

    def metadata(self, resource: ResourceIdentity, found: AgentMetadata | None) -> list[OperationEffect]:
        """Note an agent's metadata (None: it has none) and record the results that waited for it."""
        self._metadata[_agent(resource)] = found
        ready = [outcome for outcome in self._waiting if _agent(outcome.resource) in self._metadata]
        self._waiting = [outcome for outcome in self._waiting if _agent(outcome.resource) not in self._metadata]
        effects: list[OperationEffect] = []
        for outcome in ready:
            effects += self._write(outcome, ORIGIN_RESULT)
        return effects

    def refresh(self, resource: str) -> list[OperationEffect]:
        """Forget a resource's history so that it is probed again."""
        if all(action.resource != resource for action in self._running.values()):
            self._resources.pop(resource, None)
        return [ForgetResource(resource)]

    def fail(self, epoch: int, resource: ResourceIdentity, uuid: str) -> list[OperationEffect]:
        """Record a failure that a person claims."""
        key = str(TransitionKey(transition=-1, action=0, target_rc=0, uuid=uuid))
        outcome = Outcome(
            resource, "asyncmon", 0, key, int(ExecStatus.DONE), 1, 0, "Simulated failure", last_change=epoch
        )
        return self._write(outcome, "process_lrm_event")

    def _run(self, epoch: int, action: PerformAction) -> list[OperationEffect]:
        identity = ResourceIdentity(action.resource, action.standard, action.provider, action.type)
        resource = self._resources.setdefault(action.resource, _Resource(identity))
        resource.identity = identity
        parameters = self._parameters(resource, action)
        action = replace(action, attributes=parameters)
        self._running[action.key] = action
        effects: list[OperationEffect] = []
        if action.operation in _ENDS_RECURRING:
            for operation, interval_ms in sorted(resource.recurring):
                effects.append(CancelRecurring(action.resource, operation, interval_ms))
            resource.recurring.clear()
        interval_ms = _number(parameters, "interval")
        if interval_ms > 0:
            resource.recurring.add((action.operation, interval_ms))
        if needs_metadata(identity, action.operation) and _agent(identity) not in self._metadata:
            effects.append(ReadMetadata(identity))
        if action.operation != "notify" and parse_boolean(parameters.get(_META + "record_pending")) is not False:
            outcome = self._outcome(action, ExecStatus.PENDING, PENDING_EXIT_STATUS, "")
            effects += self._write(replace(outcome, last_change=epoch), ORIGIN_PENDING)
        effects.append(
            RunOperation(
                resource=identity,
                operation=action.operation,
                interval_ms=interval_ms,
                timeout_ms=_number(parameters, "timeout"),
                start_delay_ms=_number(parameters, "start_delay"),
                parameters=parameters,
                key=action.key,
            )
        )
        return effects

    def _parameters(self, resource: _Resource, action: PerformAction) -> dict[str, str]:
        """Return what the agent gets: a stop ends what was started, so it gets what the start got."""
        given = {"crm_feature_set": "3.16.1"} | dict(action.attributes or {})
        if action.operation != "stop" or resource.active_parameters is None:
            return given
        return resource.active_parameters | {
            name: value for name, value in given.items() if name.startswith(_META) or name == "crm_feature_set"
        }

    def _outcome(self, action: PerformAction, exec_status: int, exit_status: int, reason: str) -> Outcome:
        parameters = dict(action.attributes or {})
        identity = ResourceIdentity(action.resource, action.standard, action.provider, action.type)
        return Outcome(
            resource=identity,
            operation=action.operation,
            interval_ms=_number(parameters, "interval"),
            key=action.key,
            exec_status=int(exec_status),
            exit_status=exit_status,
            exit_reason=reason,
            parameters=parameters,
        )

    def _cancel(self, action: PerformAction) -> list[OperationEffect]:
        self._running[action.key] = action
        operation, interval_ms = _cancel_target(action)
        resource = self._resources.get(action.resource)
        if resource is not None:
            resource.recurring.discard((operation, interval_ms))
        return [CancelRecurring(action.resource, operation, interval_ms, action.key)]

    def _record_result(self, outcome: Outcome) -> list[OperationEffect]:
        effects: list[OperationEffect] = [_describe(outcome, self._node)]
        if needs_metadata(outcome.resource, outcome.operation) and _agent(outcome.resource) not in self._metadata:
            self._waiting.append(outcome)
            return effects
        return [*effects, *self._write(outcome, ORIGIN_RESULT)]

    def _write(self, outcome: Outcome, origin: str) -> list[OperationEffect]:
        metadata = self._metadata.get(_agent(outcome.resource))
        entries = history_entries(outcome, self._node, metadata, origin)
        state = status_with_history(self._node_id, self._node, outcome.resource, entries)
        return [WriteCib(next(self._tags), (status.change(CibOperation.MODIFY, "status", state),))]


def _agent(resource: ResourceIdentity) -> tuple[str, str, str]:
    return resource.standard, resource.provider, resource.type


def _number(parameters: dict[str, str], name: str) -> int:
    text = parameters.get(_META + name, "0")
    return int(text) if text.isdigit() else 0


def _own_parameters(parameters: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if not name.startswith(_META)}


def _cancel_target(action: PerformAction) -> tuple[str, int]:
    attributes = action.attributes or {}
    return attributes.get(_META + "operation", "monitor"), _number(attributes, "interval")


def _describe(outcome: Outcome, node: str) -> Log:
    what = format_operation_key(outcome.resource.name, outcome.operation, outcome.interval_ms)
    if outcome.exec_status == ExecStatus.DONE:
        text = f"Result of {what} on {node}: rc={outcome.exit_status} ({outcome.exec_time_ms} ms)"
    else:
        text = f"Result of {what} on {node}: status={outcome.exec_status} rc={outcome.exit_status}"
    if outcome.exit_reason:
        text += f" ({outcome.exit_reason})"
    return Log("warning" if outcome.failed else "NOTICE", text)
