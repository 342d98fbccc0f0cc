"""Words of lrmd, the local executor. Pure."""

from hatools.values.records import dataclass


@dataclass(frozen=True, slots=True)
class RegisterResource:
    """Request: make a resource known. ``standard`` is ocf, lsb, systemd, service or stonith. Answer: Done."""

    resource: str
    standard: str
    provider: str
    type: str


@dataclass(frozen=True, slots=True)
class UnregisterResource:
    """Request: forget a resource; its recurring operations are cancelled. Answer: Done."""

    resource: str


@dataclass(frozen=True, slots=True)
class Execute:
    """Request: run an operation. Answer: :class:`Accepted`; :class:`OperationDone` events follow.

    Times in milliseconds; ``interval_ms`` above 0 makes it recurring until cancelled. ``parameters`` become
    ``OCF_RESKEY_*`` (``CRM_meta_*`` and ``crm_feature_set`` included, ready made by the caller). ``tag`` comes back
    with each result (the transition key).
    """

    resource: str
    operation: str
    interval_ms: int = 0
    timeout_ms: int = 20_000
    start_delay_ms: int = 0
    parameters: dict[str, str] | None = None
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Answer to :class:`Execute`: the call id its results carry."""

    call_id: int


@dataclass(frozen=True, slots=True)
class CancelOperation:
    """Request: stop a recurring operation. Answer: Done, NoSuchObjectError if there is none."""

    resource: str
    operation: str
    interval_ms: int


@dataclass(frozen=True, slots=True)
class OperationDone:
    """Event to every subscriber: an operation ended (recurring: first result, then changes only).

    ``exec_status`` is an ``ExecStatus``; ``last_run``/``last_change`` are epoch seconds, the other times milliseconds.
    """

    resource: str
    operation: str
    interval_ms: int
    call_id: int
    tag: str
    exec_status: int
    exit_status: int
    exit_reason: str
    output: str
    exec_time_ms: int
    queue_time_ms: int
    last_run: int
    last_change: int
    parameters: dict[str, str]
    timeout_ms: int
    start_delay_ms: int = 0
    deleted: bool = False
    """True when the operation ended because it was cancelled or its resource unregistered."""


@dataclass(frozen=True, slots=True)
class SubscribeOperations:
    """Request: send :class:`OperationDone` events to this client. Answer: Done."""


@dataclass(frozen=True, slots=True)
class ListResources:
    """Request: what is registered. Answer: :class:`ResourceList`."""


@dataclass(frozen=True, slots=True)
class RecurringOperation:
    """An operation that repeats."""

    operation: str
    interval_ms: int
    timeout_ms: int
    call_id: int


@dataclass(frozen=True, slots=True)
class RegisteredResource:
    """A resource known to lrmd with its recurring operations."""

    resource: str
    standard: str
    provider: str
    type: str
    recurring: tuple[RecurringOperation, ...] = ()
    active_operation: str = ""


@dataclass(frozen=True, slots=True)
class ResourceList:
    """Answer to :class:`ListResources`."""

    resources: tuple[RegisteredResource, ...]


@dataclass(frozen=True, slots=True)
class RunAlertAgent:
    """Request: call the program of an alert, with these variables beside the usual ones. Answer: Done, at once."""

    id: str
    path: str
    environment: dict[str, str]
    timeout_ms: int


@dataclass(frozen=True, slots=True)
class GetMetadata:
    """Request: an agent's metadata, from the cache if possible. Answer: :class:`Metadata`."""

    standard: str
    provider: str
    type: str
    timeout_ms: int = 30_000


@dataclass(frozen=True, slots=True)
class Metadata:
    """Answer to :class:`GetMetadata`."""

    xml: bytes
