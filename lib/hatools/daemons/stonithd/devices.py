"""The fence devices a node may use: which node each can fence, and how many actions it takes at once. Pure."""

from collections.abc import Iterator, Mapping
from enum import Enum

from hatools.agents.fence import (
    action_limit,
    action_timeout_ms,
    fencing_delay,
    parse_host_list,
    parse_host_map,
)
from hatools.agents.metadata import AgentMetadata
from hatools.daemons.stonithd.configuration import DeviceConfig, wants_unfencing
from hatools.ipc.messages.stonith import DeviceOffer
from hatools.values.errors import LocalError, NoSuchObjectError
from hatools.values.records import dataclass, field

LIST_LIFETIME_S = 60.0
"""How long the answer of a device's ``list`` is believed when it does not name the target."""

STATUS_LIFETIME_S = 60.0


class HostCheck(Enum):
    """How a device knows what it can fence (``pcmk_host_check``)."""

    STATIC = "static-list"
    LIST = "dynamic-list"
    STATUS = "status"
    NONE = "none"


class Verdict(Enum):
    """Whether a device can fence a node, or what has to be asked to know."""

    YES = "yes"
    NO = "no"
    ASK_LIST = "ask its list"
    ASK_STATUS = "ask the status of the target"


@dataclass(slots=True)
class Device:
    """A device as it is registered here.

    ``from_cib`` and ``by_hand`` say who registered it; it goes when both are gone. ``started``: the cluster runs its
    resource here; ``verified``: its last monitor here succeeded.
    """

    config: DeviceConfig
    metadata: AgentMetadata | None = None
    from_cib: bool = False
    by_hand: bool = False
    started: bool = False
    verified: bool = False
    listed: tuple[str, ...] | None = None
    listed_at: float = 0.0
    statuses: dict[str, tuple[bool, float]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.config.name

    def host_check(self) -> HostCheck:
        """Return how this device knows its targets, chosen by its parameters and abilities if not configured."""
        parameters = self.config.parameters
        named = parameters.get("pcmk_host_check", "").lower()
        for check in HostCheck:
            if named == check.value:
                return check
        if parameters.get("pcmk_host_list") or parameters.get("pcmk_host_map"):
            return HostCheck.STATIC
        if self.metadata is None or self.metadata.supports("list"):
            return HostCheck.LIST
        return HostCheck.STATUS if self.metadata.supports("status") else HostCheck.NONE

    def static_targets(self) -> tuple[str, ...]:
        """Return the nodes named in the configuration."""
        parameters = self.config.parameters
        names = dict.fromkeys(parse_host_list(parameters.get("pcmk_host_list", "")))
        names.update(dict.fromkeys(parse_host_map(parameters.get("pcmk_host_map", ""))))
        return tuple(names)

    def plug(self, target: str) -> str:
        """Return what the device calls a node."""
        hosts = parse_host_map(self.config.parameters.get("pcmk_host_map", ""))
        lowered = {name.lower(): plug for name, plug in hosts.items()}
        return lowered.get(target.lower(), target)

    def can_fence(self, target: str, now: float) -> Verdict:
        """Say whether this device can fence a node."""
        match self.host_check():
            case HostCheck.NONE:
                return Verdict.YES
            case HostCheck.STATIC:
                return _yes_no(_contains(self.static_targets(), target))
            case HostCheck.LIST:
                if self.listed is not None and _contains(self.listed, self.plug(target)):
                    return Verdict.YES
                fresh = self.listed is not None and now - self.listed_at < LIST_LIFETIME_S
                return Verdict.NO if fresh else Verdict.ASK_LIST
            case HostCheck.STATUS:
                known = self.statuses.get(target)
                if known is None or now - known[1] > STATUS_LIFETIME_S:
                    return Verdict.ASK_STATUS
                return _yes_no(known[0])

    def offer(self, action: str, target: str) -> DeviceOffer:
        """Describe what this device could do for an operation."""
        parameters = self.config.parameters
        delay = 0 if action == "on" else fencing_delay(parameters, target).longest_ms
        return DeviceOffer(
            device=self.name,
            timeout_ms=action_timeout_ms(parameters, action),
            delay_ms=delay,
            verified=self.verified,
            required=action == "on" and self.is_required_for_on(),
            on_target=self.runs_on_target(action),
            priority=self.config.priority,
            off_on=(action_timeout_ms(parameters, "off"), action_timeout_ms(parameters, "on")),
            can_on=self.metadata is None or self.metadata.supports("on"),
        )

    def is_required_for_on(self) -> bool:
        """Say whether a node must be unfenced by this device before it may run anything."""
        action = None if self.metadata is None else self.metadata.action("on")
        return wants_unfencing(self.config) or (action is not None and action.automatic)

    def runs_on_target(self, action: str) -> bool:
        """Say whether only the target itself can carry out the action."""
        found = None if self.metadata is None else self.metadata.action(action)
        return found is not None and found.on_target

    def effective_action(self, action: str) -> str:
        """Return what is asked of the agent: ``off`` for the ``reboot`` that it does not know."""
        if action == "reboot" and self.metadata is not None and not self.metadata.supports("reboot"):
            return "off"
        return action


def _contains(names: tuple[str, ...], target: str) -> bool:
    lowered = target.lower()
    return any(name.lower() == lowered for name in names)


def _yes_no(answer: bool) -> Verdict:
    return Verdict.YES if answer else Verdict.NO


class DeviceTable:
    """The devices registered on this node."""

    def __init__(self) -> None:
        self._devices: dict[str, Device] = {}

    def __iter__(self) -> Iterator[Device]:
        return iter(tuple(self._devices.values()))

    def get(self, name: str) -> Device | None:
        """Return a device; None if it is not registered."""
        return self._devices.get(name)

    def find(self, name: str) -> Device:
        """Return a device.

        Raises:
            NoSuchObjectError: it is not registered.
        """
        device = self._devices.get(name)
        if device is None:
            raise NoSuchObjectError(f"fence device {name} is not registered here")
        return device

    def configure(self, configs: Mapping[str, DeviceConfig]) -> tuple[list[Device], list[str]]:
        """Take over the devices of the CIB; return those that are new or changed, and the names that went."""
        changed = []
        gone = []
        for name, device in list(self._devices.items()):
            if device.from_cib and name not in configs:
                device.from_cib = False
                if not device.by_hand:
                    del self._devices[name]
                    gone.append(name)
        for name, config in configs.items():
            present = self._devices.get(name)
            if present is not None and present.config == config:
                present.from_cib = True
                continue
            changed.append(self._put(config, from_cib=True))
        return changed, gone

    def register(self, config: DeviceConfig) -> Device | None:
        """Register a device by hand; what the CIB says about it stays in force. None: nothing changed."""
        present = self._devices.get(config.name)
        if present is not None and (present.from_cib or present.config == config):
            present.by_hand = True
            return None
        device = self._put(config, from_cib=False)
        device.by_hand = True
        return device

    def deregister(self, name: str) -> bool:
        """Undo :meth:`register`; True if the device is gone now, False if the CIB still has it.

        Raises:
            NoSuchObjectError: it is not registered.
        """
        device = self.find(name)
        device.by_hand = False
        device.started = False
        device.verified = False
        if device.from_cib:
            return False
        del self._devices[name]
        return True

    def _put(self, config: DeviceConfig, *, from_cib: bool) -> Device:
        """Register a device anew, keeping who holds it: what was found out about it is void."""
        old = self._devices.get(config.name)
        device = Device(config, from_cib=from_cib)
        if old is not None:
            device.by_hand = old.by_hand
            device.from_cib = device.from_cib or old.from_cib
            device.started = old.started
        self._devices[config.name] = device
        return device


class ActionQueue:
    """Which actions of one device run and which wait. Fencing goes before everything else that waits."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self._running: set[int] = set()
        self._urgent: list[int] = []
        self._waiting: list[int] = []

    @classmethod
    def of(cls, config: DeviceConfig) -> "ActionQueue":
        """Make the queue that a device's ``pcmk_action_limit`` asks for."""
        return cls(action_limit(config.parameters))

    @property
    def idle(self) -> bool:
        return not (self._running or self._urgent or self._waiting)

    def add(self, job: int, *, urgent: bool) -> list[int]:
        """Queue a job; return the jobs that may start now."""
        (self._urgent if urgent else self._waiting).append(job)
        return self._start()

    def remove(self, job: int) -> list[int]:
        """Take out a job that has ended or is not wanted any more; return the jobs that may start now."""
        if job in self._running:
            self._running.remove(job)
        elif job in self._urgent:
            self._urgent.remove(job)
        elif job in self._waiting:
            self._waiting.remove(job)
        else:
            raise LocalError(f"job {job} is not in the queue")
        return self._start()

    def _start(self) -> list[int]:
        started = []
        while (self.limit is None or len(self._running) < self.limit) and (self._urgent or self._waiting):
            job = self._urgent.pop(0) if self._urgent else self._waiting.pop(0)
            self._running.add(job)
            started.append(job)
        return started
