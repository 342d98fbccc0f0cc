"""Cluster options that the scheduler knows: defaults, validity, and their parsed values. Pure."""

from collections.abc import Callable
from enum import Enum

from hatools.values.boolean import is_true, parse_boolean
from hatools.values.duration import parse_interval_ms
from hatools.values.integer import leading_integer
from hatools.values.records import dataclass, field
from hatools.values.score import INFINITY, parse_score


class QuorumPolicy(Enum):
    """What happens to resources in a partition without quorum."""

    FREEZE = "freeze"
    STOP = "stop"
    IGNORE = "ignore"
    SUICIDE = "suicide"
    DEMOTE = "demote"


class HealthStrategy(Enum):
    """How node health attributes influence placement."""

    NONE = "none"
    MIGRATE_ON_RED = "migrate-on-red"
    ONLY_GREEN = "only-green"
    PROGRESSIVE = "progressive"
    CUSTOM = "custom"


def _one_of(*words: str) -> Callable[[str], bool]:
    return lambda value: value.lower() in words


def _boolean(value: str) -> bool:
    return parse_boolean(value) is not None


def _number(value: str) -> bool:
    return value.upper().lstrip("+-") == "INFINITY" or leading_integer(value) is not None


def _interval(value: str) -> bool:
    return parse_interval_ms(value) > 0 or value.strip().lstrip("+P")[:1] in ("0", "T")


_TABLE: dict[str, tuple[str, Callable[[str], bool]]] = {
    "no-quorum-policy": ("stop", _one_of("stop", "freeze", "ignore", "demote", "suicide")),
    "symmetric-cluster": ("true", _boolean),
    "maintenance-mode": ("false", _boolean),
    "start-failure-is-fatal": ("true", _boolean),
    "enable-startup-probes": ("true", _boolean),
    "shutdown-lock": ("false", _boolean),
    "shutdown-lock-limit": ("0", _interval),
    "stonith-enabled": ("true", _boolean),
    "stonith-action": ("reboot", lambda value: value in ("off", "reboot", "poweroff")),
    "stonith-timeout": ("60s", _interval),
    "have-watchdog": ("false", _boolean),
    "concurrent-fencing": ("false", _boolean),
    "startup-fencing": ("true", _boolean),
    "priority-fencing-delay": ("0", _interval),
    "cluster-delay": ("60s", _interval),
    "batch-limit": ("0", _number),
    "migration-limit": ("-1", _number),
    "stop-all-resources": ("false", _boolean),
    "stop-orphan-resources": ("true", _boolean),
    "stop-orphan-actions": ("true", _boolean),
    "remove-after-stop": ("false", _boolean),
    "pe-error-series-max": ("-1", _number),
    "pe-warn-series-max": ("5000", _number),
    "pe-input-series-max": ("4000", _number),
    "node-health-strategy": ("none", _one_of("none", "migrate-on-red", "only-green", "progressive", "custom")),
    "node-health-base": ("0", _number),
    "node-health-green": ("0", _number),
    "node-health-yellow": ("0", _number),
    "node-health-red": ("-INFINITY", _number),
    "placement-strategy": ("default", _one_of("default", "utilization", "minimal", "balanced")),
}


@dataclass(slots=True)
class ClusterOptions:
    """The ``crm_config`` properties as the scheduler uses them.

    ``raw`` holds every property as written. Times are in seconds unless the name says otherwise.
    """

    raw: dict[str, str] = field(default_factory=dict)
    invalid: list[tuple[str, str]] = field(default_factory=list)
    startup_probes: bool = True
    fencing_enabled: bool = True
    fencing_action: str = "reboot"
    fencing_timeout_ms: int = 60000
    concurrent_fencing: bool = False
    startup_fencing: bool = False
    priority_fencing_delay: int = 0
    stop_all: bool = False
    symmetric: bool = True
    quorum_policy: QuorumPolicy = QuorumPolicy.STOP
    stop_orphan_resources: bool = True
    stop_orphan_actions: bool = True
    remove_after_stop: bool = False
    maintenance: bool = False
    start_failure_fatal: bool = True
    placement_strategy: str = "default"
    shutdown_lock: bool = False
    shutdown_lock_limit: int = 0
    health_strategy: HealthStrategy = HealthStrategy.NONE
    health_base: int = 0
    score_red: int = 0
    score_yellow: int = 0
    score_green: int = 0

    def value(self, name: str) -> str:
        """Return an option as written if it is valid, otherwise its default."""
        default, valid = _TABLE[name]
        value = self.raw.get(name)
        return value if value is not None and valid(value) else default

    def is_on(self, name: str) -> bool:
        """Return a boolean option."""
        return is_true(self.value(name))

    def interval_ms(self, name: str) -> int:
        """Return an option that is a duration, in milliseconds."""
        return parse_interval_ms(self.value(name))

    def score(self, text: str | None) -> int:
        """Read a score; the health colours mean what the health strategy says."""
        if text is not None:
            match text.lower():
                case "red":
                    return self.score_red
                case "yellow":
                    return self.score_yellow
                case "green":
                    return self.score_green
        return parse_score(text)

    @classmethod
    def from_properties(cls, raw: dict[str, str]) -> "ClusterOptions":
        """Parse properties; invalid values are listed in ``invalid`` and replaced by defaults."""
        options = cls(raw=raw)
        for name, (_, valid) in _TABLE.items():
            if name in raw and not valid(raw[name]):
                options.invalid.append((name, raw[name]))
        options.startup_probes = options.is_on("enable-startup-probes")
        options.fencing_enabled = options.is_on("stonith-enabled")
        options.fencing_action = options.value("stonith-action")
        if options.fencing_action == "poweroff":
            options.fencing_action = "off"
        options.fencing_timeout_ms = options.interval_ms("stonith-timeout")
        options.concurrent_fencing = options.is_on("concurrent-fencing")
        options.priority_fencing_delay = options.interval_ms("priority-fencing-delay") // 1000
        options.stop_all = options.is_on("stop-all-resources")
        options.symmetric = options.is_on("symmetric-cluster")
        options.quorum_policy = QuorumPolicy(options.value("no-quorum-policy").lower())
        options.stop_orphan_resources = options.is_on("stop-orphan-resources")
        options.stop_orphan_actions = options.is_on("stop-orphan-actions")
        options.remove_after_stop = options.is_on("remove-after-stop")
        options.maintenance = options.is_on("maintenance-mode")
        options.start_failure_fatal = options.is_on("start-failure-is-fatal")
        options.startup_fencing = options.fencing_enabled and options.is_on("startup-fencing")
        options.placement_strategy = options.value("placement-strategy").lower()
        options.shutdown_lock = options.is_on("shutdown-lock")
        if options.shutdown_lock:
            options.shutdown_lock_limit = options.interval_ms("shutdown-lock-limit") // 1000
        options._parse_health()
        return options

    def _parse_health(self) -> None:
        self.health_strategy = HealthStrategy(self.value("node-health-strategy").lower())
        match self.health_strategy:
            case HealthStrategy.NONE:
                self.score_red = self.score_yellow = self.score_green = 0
            case HealthStrategy.MIGRATE_ON_RED:
                self.score_red = -INFINITY
            case HealthStrategy.ONLY_GREEN:
                self.score_red = self.score_yellow = -INFINITY
            case HealthStrategy.PROGRESSIVE | HealthStrategy.CUSTOM:
                self.score_red = parse_score(self.value("node-health-red"))
                self.score_green = parse_score(self.value("node-health-green"))
                self.score_yellow = parse_score(self.value("node-health-yellow"))
                if self.health_strategy is HealthStrategy.PROGRESSIVE:
                    self.health_base = parse_score(self.value("node-health-base"))
