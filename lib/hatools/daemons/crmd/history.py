"""History entries (``lrm_rsc_op``): what an operation's result looks like in the CIB. Pure.

Written as Pacemaker 2.1.5 writes them, attribute by attribute, because the scheduler and many programs read them:
``RSC_last_0`` for the last operation that does not recur, ``RSC_monitor_MS`` for each recurring one and
``RSC_last_failure_0`` for the last that did not end as expected. The digests let the scheduler see whether the
definition has changed since.
"""

from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement

from hatools.agents.metadata import AgentMetadata
from hatools.cib.digest import filter_for_digest, only, operation_digest
from hatools.values.opkey import TransitionKey, format_magic, format_operation_key
from hatools.values.records import dataclass, field
from hatools.values.result import ExecStatus

FEATURE_SET = "3.16.1"
FEATURE_ATTRIBUTE = "#feature-set"
"""The node attribute by which displays know what a node's software can do."""

PENDING_EXIT_STATUS = 193
_MIGRATIONS = ("migrate_to", "migrate_from")
_NEED_METADATA = frozenset(
    {"start", "monitor", "promote", "reload", "reload-agent", "migrate_to", "migrate_from", "notify"}
)
_CLASSES_WITH_PARAMETERS = frozenset({"ocf", "stonith"})


@dataclass(frozen=True, slots=True)
class ResourceIdentity:
    """A resource as history names it, and its agent."""

    name: str
    standard: str
    provider: str
    type: str

    @property
    def has_metadata(self) -> bool:
        return self.standard in _CLASSES_WITH_PARAMETERS


@dataclass(frozen=True, slots=True)
class Outcome:
    """An operation and how it ended (or that it runs).

    ``key`` is its transition key; ``parameters`` are those it was called with, ``CRM_meta_*`` included. Times as in
    ``OperationDone``. ``call_id`` -1 while it runs.
    """

    resource: ResourceIdentity
    operation: str
    interval_ms: int
    key: str
    exec_status: int
    exit_status: int
    call_id: int = -1
    exit_reason: str = ""
    exec_time_ms: int = 0
    queue_time_ms: int = 0
    last_change: int = 0
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def is_pending(self) -> bool:
        return self.exec_status == ExecStatus.PENDING

    @property
    def failed(self) -> bool:
        """Say whether the result is not what the transition expected."""
        if self.is_pending or self.exec_status == ExecStatus.CANCELLED:
            return False
        if self.exec_status != ExecStatus.DONE:
            return True
        key = TransitionKey.parse(self.key)
        return self.exit_status != (0 if key is None or key.target_rc < 0 else key.target_rc)


def needs_metadata(resource: ResourceIdentity, operation: str) -> bool:
    """Say whether the entry of this operation records digests that depend on the agent's metadata."""
    return resource.has_metadata and operation in _NEED_METADATA


def history_entries(outcome: Outcome, node: str, metadata: AgentMetadata | None, origin: str) -> list[Element]:
    """Return the entries an outcome leaves: none for notifications that are running, two for most failures."""
    identifiers = _entry_ids(outcome)
    return [_entry(identifier, outcome, node, metadata, origin) for identifier in identifiers]


def _entry_ids(outcome: Outcome) -> list[str]:
    name = outcome.resource.name
    key = format_operation_key(name, outcome.operation, outcome.interval_ms)
    if outcome.operation == "notify":
        kind = outcome.parameters.get("CRM_meta_notify_type", "n")
        what = outcome.parameters.get("CRM_meta_notify_operation", "n")
        return [f"{name}_{kind}_notify_{what}_0"]
    if outcome.operation in _MIGRATIONS:
        # Both ends of a migration are looked at later, so neither overwrites the last operation.
        return [f"{name}_last_failure_0", key] if outcome.failed else [key]
    if outcome.interval_ms > 0:
        return [f"{name}_last_failure_0"] if outcome.failed else [key]
    last = f"{name}_last_0"
    return [f"{name}_last_failure_0", last] if outcome.failed else [last]


def _entry(identifier: str, outcome: Outcome, node: str, metadata: AgentMetadata | None, origin: str) -> Element:
    name = outcome.resource.name
    if outcome.operation == "notify":
        operation_key = identifier
    else:
        operation_key = format_operation_key(name, outcome.operation, outcome.interval_ms)
    status, code = outcome.exec_status, outcome.exit_status
    if outcome.operation == "notify" and not outcome.is_pending:
        # A notification cannot fail.
        status, code = int(ExecStatus.DONE), 0
    entry = Element(
        "lrm_rsc_op",
        {
            "id": identifier,
            "operation_key": operation_key,
            "operation": outcome.operation,
            "crm-debug-origin": origin,
            "crm_feature_set": FEATURE_SET,
            "transition-key": outcome.key,
            "transition-magic": format_magic(status, code, outcome.key),
            "exit-reason": outcome.exit_reason,
            "on_node": node,
            "call-id": str(outcome.call_id),
            "rc-code": str(code),
            "op-status": str(status),
            "interval": str(outcome.interval_ms),
        },
    )
    if outcome.last_change or not outcome.is_pending:
        entry.set("last-rc-change", str(outcome.last_change))
        entry.set("exec-time", str(outcome.exec_time_ms))
        entry.set("queue-time", str(outcome.queue_time_ms))
    if outcome.operation in _MIGRATIONS:
        for end in ("source", "target"):
            value = outcome.parameters.get(f"CRM_meta_migrate_{end}")
            if value is not None:
                entry.set(f"migrate_{end}", value)
    entry.set("op-digest", operation_digest(filter_for_digest(outcome.parameters)))
    if metadata is not None and needs_metadata(outcome.resource, outcome.operation):
        _add_restart_list(entry, outcome, metadata)
        _add_secure_list(entry, outcome, metadata)
    return entry


def _add_restart_list(entry: Element, outcome: Outcome, metadata: AgentMetadata) -> None:
    names = metadata.restart_parameters
    if outcome.interval_ms > 0 or names is None:
        return
    entry.set("op-force-restart", _word_list(names))
    entry.set("op-restart-digest", operation_digest(only(outcome.parameters, names)))


def _add_secure_list(entry: Element, outcome: Outcome, metadata: AgentMetadata) -> None:
    private = metadata.private_parameters
    if not private:
        return
    declared = [parameter.name for parameter in metadata.parameters]
    entry.set("op-secure-params", _word_list(name for name in declared if name in private))
    visible = (name for name in declared if name not in private)
    entry.set("op-secure-digest", operation_digest(only(outcome.parameters, visible)))


def _word_list(names: Iterable[str]) -> str:
    """Write names so that a search for `` NAME `` finds each: blanks around the whole and between."""
    words = list(names)
    return f"  {' '.join(words)}  " if words else ""


def node_status(node_id: str, node: str) -> Element:
    """Return a ``node_state`` that only names its node, to hang changes into."""
    return Element("node_state", {"id": node_id, "uname": node})


def status_with_history(node_id: str, node: str, resource: ResourceIdentity, entries: list[Element]) -> Element:
    """Return the piece of status that carries entries of one resource to their place."""
    state = node_status(node_id, node)
    resources = SubElement(SubElement(state, "lrm", {"id": node_id}), "lrm_resources")
    attributes = {"id": resource.name, "type": resource.type, "class": resource.standard}
    if resource.provider:
        attributes["provider"] = resource.provider
    SubElement(resources, "lrm_resource", attributes).extend(entries)
    return state
