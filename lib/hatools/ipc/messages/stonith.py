"""Words of stonithd, the fencer. Pure."""

from hatools.values.records import dataclass


@dataclass(frozen=True, slots=True)
class Fence:
    """Request: carry out ``off``, ``on`` or ``reboot`` on a node, by whichever peer can. Answer: :class:`FencingDone`
    when it is confirmed; refused with a reason when every way failed. Times in milliseconds."""

    target: str
    action: str
    timeout_ms: int = 120_000
    tolerance_ms: int = 0
    delay_ms: int = 0
    client: str = ""
    tag: str = ""


@dataclass(frozen=True, slots=True)
class FencingDone:
    """Answer to :class:`Fence`: who carried it out. ``completed`` is epoch seconds."""

    target: str
    action: str
    executioner: str
    completed: float
    already_done: bool = False


@dataclass(frozen=True, slots=True)
class FencingRecord:
    """One entry of the history (and event, see :class:`FencingNotice`)."""

    id: str
    target: str
    action: str
    executioner: str
    client: str
    origin: str
    state: str
    """``pending``, ``success`` or ``failed`` (``st_exec_*`` in XML)."""
    completed: float
    reason: str = ""
    exit_reason: str = ""
    ring: str = ""
    """Id of the ring in which it was begun: a node that arrived in a later one is another incarnation of the target,
    to which this does not apply."""


@dataclass(frozen=True, slots=True)
class FencingNotice:
    """Event to subscribers on every node: a fencing operation began or ended."""

    record: FencingRecord


@dataclass(frozen=True, slots=True)
class SubscribeFencing:
    """Request: send :class:`FencingNotice` and :class:`DevicesChanged` events. Answer: Done."""


@dataclass(frozen=True, slots=True)
class DevicesChanged:
    """Event: a device or level was registered or removed."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class ConfirmDown:
    """Request: a person vouches that the node is safely down. Answer: FencingDone."""

    target: str
    client: str = ""


@dataclass(frozen=True, slots=True)
class RegisterDevice:
    """Request: add a device by hand, besides those of the CIB. Answer: Done."""

    name: str
    agent: str
    parameters: dict[str, str]
    provides_unfencing: bool = False


@dataclass(frozen=True, slots=True)
class DeregisterDevice:
    """Request: remove a device that was registered by hand. Answer: Done."""

    name: str


@dataclass(frozen=True, slots=True)
class RegisterLevel:
    """Request: add a topology level. ``target`` is ``NODE``, ``pattern@RE`` or ``NAME=VALUE``. Answer: Done."""

    target: str
    index: int
    devices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeregisterLevel:
    """Request: remove a topology level. Answer: Done."""

    target: str
    index: int


@dataclass(frozen=True, slots=True)
class QueryDevices:
    """Request: devices able to fence ``target``; all local ones if it is empty. Answer: :class:`DeviceList`."""

    target: str = ""
    timeout_ms: int = 120_000


@dataclass(frozen=True, slots=True)
class Device:
    """A fence device as a peer reports it."""

    name: str
    agent: str
    node: str
    parameters: dict[str, str]


@dataclass(frozen=True, slots=True)
class DeviceList:
    """Answer to :class:`QueryDevices`."""

    devices: tuple[Device, ...]


@dataclass(frozen=True, slots=True)
class RunDevice:
    """Request: run ``monitor``, ``status``, ``list`` or ``validate-all`` of one device here (also lrmd's executor for
    stonith resources: ``start`` registers and monitors, ``stop`` unregisters). Answer: :class:`DeviceResult`."""

    name: str
    action: str
    target: str = ""
    timeout_ms: int = 60_000
    agent: str = ""
    parameters: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class DeviceResult:
    """Answer to :class:`RunDevice`: an ``ExecStatus``, the agent's exit status and its words."""

    exec_status: int
    exit_status: int
    output: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class QueryHistory:
    """Request: fencing history, ``*`` for all targets. Answer: :class:`History`."""

    target: str = "*"


@dataclass(frozen=True, slots=True)
class History:
    """Answer to :class:`QueryHistory`, newest first."""

    records: tuple[FencingRecord, ...]


@dataclass(frozen=True, slots=True)
class CleanHistory:
    """Request: forget the history of ``target`` (``*``: all) on every node; with ``broadcast`` only re-merge it."""

    target: str = "*"
    broadcast: bool = False


# Between peers: payloads of the messaging group "stonith".


@dataclass(frozen=True, slots=True)
class PeerQuery:
    """Broadcast: a fencing operation begins; whoever could carry it out answers with :class:`PeerOffers`.

    In the total order, the first of several queries for the same target and action is the operation; later ones wait
    for its outcome.
    """

    id: str
    target: str
    action: str
    client: str
    origin: str
    ring: str = ""


@dataclass(frozen=True, slots=True)
class DeviceOffer:
    """A device with which a node could carry out an operation. Times in milliseconds.

    ``verified``: a monitor of it succeeded here. ``required``: for ``on``, the node must not run anything before
    it. ``on_target``: only the target itself can run it. ``off_on`` are the times of ``off`` and ``on``, for a
    topology level that has to be rebooted in two phases.
    """

    device: str
    timeout_ms: int
    delay_ms: int
    verified: bool = False
    required: bool = False
    on_target: bool = False
    priority: int = 0
    off_on: tuple[int, ...] = ()
    can_on: bool = True


@dataclass(frozen=True, slots=True)
class PeerOffers:
    """Direct to the origin: what this node could do."""

    id: str
    offers: tuple[DeviceOffer, ...]


@dataclass(frozen=True, slots=True)
class PeerRelay:
    """Direct: carry this request out for us (we are its target)."""

    query: PeerQuery
    timeout_ms: int
    delay_ms: int


@dataclass(frozen=True, slots=True)
class PeerExecute:
    """Direct: run a device. Answers: :class:`PeerAccepted` at once, :class:`PeerExecuted` at the end."""

    id: str
    step: int
    device: str
    action: str
    target: str
    timeout_ms: int
    delay_ms: int


@dataclass(frozen=True, slots=True)
class PeerAccepted:
    """Direct: the step is queued here."""

    id: str
    step: int


@dataclass(frozen=True, slots=True)
class PeerCancel:
    """Direct: forget the step if its agent has not been started yet."""

    id: str
    step: int


@dataclass(frozen=True, slots=True)
class PeerExecuted:
    """Direct: how a step ended."""

    id: str
    step: int
    result: DeviceResult


@dataclass(frozen=True, slots=True)
class PeerMerged:
    """Broadcast by a query's origin, or direct to it: the query ``id`` asks for what ``into`` does already."""

    id: str
    into: str


@dataclass(frozen=True, slots=True)
class PeerOutcome:
    """Broadcast: a fencing operation ended."""

    record: FencingRecord


@dataclass(frozen=True, slots=True)
class PeerArrival:
    """Broadcast: this is another process than the one before, which may have been in the group up to now."""


@dataclass(frozen=True, slots=True)
class PeerHistory:
    """Broadcast when nodes arrive: what is remembered. ``told`` are the peers there were when it was sent."""

    records: tuple[FencingRecord, ...]
    told: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PeerClean:
    """Broadcast: forget the history of a target (``*``: all)."""

    target: str
