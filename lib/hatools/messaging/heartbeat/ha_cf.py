"""What ha.cf(5) says, typed and checked. Pure.

The file is read from top to bottom as the original reads it, and the order matters: ``udpport`` holds for the
media that follow it. One table (``directives.py``) says what each directive takes. What nobody knows is a
warning with its line, what cannot be is an error with its line, and all errors are shown at once.
"""

from collections.abc import Callable
from enum import StrEnum

from hatools.values.errors import ConfigError
from hatools.values.records import dataclass, field

DEFAULT_PORT = 694
DEFAULT_CLUSTER = "linux-ha"
MAX_NODES = 100
MAX_MEDIA = 64


class Autojoin(StrEnum):
    """Who may be a member without a ``node`` line."""

    NONE = "none"
    OTHER = "other"
    ANY = "any"


class Transport(StrEnum):
    """How a medium carries datagrams; named as its directive."""

    UCAST = "ucast"
    UCAST6 = "ucast6"
    BCAST = "bcast"
    MCAST = "mcast"
    MCAST6 = "mcast6"


UNICAST = (Transport.UCAST, Transport.UCAST6)


@dataclass(frozen=True, slots=True)
class Medium:
    """One way to the peers. ``address`` is a peer's, a group's, or empty for a broadcast; ``ttl`` of multicast."""

    transport: Transport
    device: str
    address: str
    port: int
    ttl: int = 1
    loop: bool = False

    def __str__(self) -> str:
        """Return the medium as its directive is written."""
        return f"{self.transport} {self.device} {self.address}".rstrip()


@dataclass(frozen=True, slots=True)
class PingNode:
    """A pseudo member: alive while one of its addresses answers."""

    name: str
    addresses: tuple[str, ...]
    is_group: bool = False


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. ``initdead`` replaces ``deadtime`` until all nodes were heard once, or given up."""

    keepalive: float = 1.0
    warntime: float = 15.0
    deadtime: float = 30.0
    initdead: float = 60.0
    deadping: float = 30.0
    max_rexmit_delay: float = 0.25


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to tell about the file; 0 is the file as a whole."""

    line: int
    text: str

    def __str__(self) -> str:
        """Return the finding with its line before it."""
        return f"line {self.line}: {self.text}" if self.line else self.text


@dataclass(slots=True)
class Draft:
    """The file as far as it has been read; ``directives.py`` fills it in."""

    default_port: int = DEFAULT_PORT
    nodes: list[str] = field(default_factory=list)
    autojoin: Autojoin = Autojoin.NONE
    cluster_name: str = DEFAULT_CLUSTER
    port: int | None = None
    times: dict[str, float] = field(default_factory=dict)
    """Seconds, by directive."""
    max_rexmit_delay: float = 0.25
    media: list[Medium] = field(default_factory=list)
    ping_nodes: list[PingNode] = field(default_factory=list)
    hopfudge: int = 1
    manages_resources: bool = False
    realtime: bool = True
    sign_fields: bool = True
    generation_from_clock: bool = False
    uuid_from_name: bool = False
    log_bad_packets: bool = True
    auto_failback: str = "legacy"
    logfile: str = ""
    debugfile: str = ""
    logfacility: str = ""
    debug: int = 0
    settings: dict[str, str] = field(default_factory=dict)
    """Every directive's last value, as ``cl_status hbparameter`` shows it."""
    errors: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    line: int = 0

    def refuse(self, text: str) -> None:
        """Note an error at the line that is being read."""
        self.errors.append(Finding(self.line, text))

    def warn(self, text: str) -> None:
        """Note a warning at the line that is being read."""
        self.warnings.append(Finding(self.line, text))


@dataclass(frozen=True, slots=True)
class HaConfiguration:
    """A checked ha.cf."""

    nodes: tuple[str, ...]
    autojoin: Autojoin
    cluster_name: str
    timing: Timing
    media: tuple[Medium, ...]
    port: int
    """``udpport``."""
    ping_nodes: tuple[PingNode, ...]
    hopfudge: int
    manages_resources: bool
    """``crm`` (or ``pacemaker``) is on: a resource manager runs above."""
    realtime: bool
    sign_fields: bool
    """``msgfmt classic``: the fields are signed as well as the datagram."""
    generation_from_clock: bool
    uuid_from_name: bool
    log_bad_packets: bool
    logfile: str
    debugfile: str
    logfacility: str
    debug: int
    auto_failback: str
    settings: dict[str, str]
    warnings: tuple[Finding, ...]


Reader = Callable[[Draft, list[str]], None]


def read_ha_cf(text: str, name: str = "ha.cf", *, default_port: int = DEFAULT_PORT) -> HaConfiguration:
    """Read and check the text of a ha.cf.

    Args:
        name: of the file, for messages.
        default_port: of the service ``ha-cluster`` on this machine.

    Raises:
        ConfigError: it cannot be used; every reason is listed with its line.
    """
    from hatools.messaging.heartbeat.directives import DIRECTIVES

    draft = Draft(default_port=default_port)
    for number, raw in enumerate(text.splitlines(), 1):
        words = raw.partition("#")[0].split()
        if not words:
            continue
        draft.line = number
        directive = DIRECTIVES.get(words[0])
        if directive is None:
            draft.warn(f"{words[0]!r} is no directive of ha.cf and is not read; Heartbeat itself would refuse to start")
        elif len(words) == 1:
            draft.warn(f"{words[0]} has no value and is not read{_HINTS.get(words[0], '')}")
        else:
            draft.settings[words[0]] = " ".join(words[1:])
            directive(draft, words[1:])
    draft.line = 0
    timing = _timing(draft)
    _check_whole(draft)
    if draft.errors:
        raise ConfigError("\n".join(f"{name}: {finding}" for finding in draft.errors))
    return _finished(draft, timing)


_HINTS = {
    "pacemaker": "; to have a resource manager write 'pacemaker respawn'",
    "crm": "; to have a resource manager write 'crm respawn'",
}


def local_name(configuration: HaConfiguration, host_name: str, path: str) -> str:
    """Return the name of this node: its host name, in lower case.

    Raises:
        ConfigError: no ``node`` line has it.
    """
    name = host_name.lower()
    if name in configuration.nodes or configuration.autojoin is Autojoin.ANY:
        return name
    listed = ", ".join(configuration.nodes) or "none"
    raise ConfigError(
        f"{path}: no node line names this machine: uname -n says {host_name}, the nodes are {listed}. "
        f"Write 'node {name}', or change the host name"
    )


def _timing(draft: Draft) -> Timing:
    given = draft.times
    keepalive = given.get("keepalive", 1.0)
    deadtime = given.get("deadtime", 30.0)
    usual = deadtime if deadtime > 10 else 12.0 if deadtime < 6 else 2 * deadtime
    initdead = given.get("initdead", usual)
    if deadtime <= 2 * keepalive:
        draft.refuse(f"deadtime {deadtime:g} s is not more than twice keepalive {keepalive:g} s")
    if initdead < deadtime:
        draft.refuse(f"initdead {initdead:g} s is less than deadtime {deadtime:g} s")
    elif initdead < 10:
        draft.warn(f"initdead {initdead:g} s is short: slow networks and disks make nodes late at boot")
    warntime = given.get("warntime", deadtime / 2)
    if warntime >= deadtime:
        draft.warn(f"warntime {warntime:g} s is not less than deadtime {deadtime:g} s: there will be no warnings")
    elif warntime < keepalive:
        draft.warn(f"warntime {warntime:g} s is less than keepalive {keepalive:g} s: every heartbeat will be late")
    return Timing(keepalive, warntime, deadtime, initdead, given.get("deadping", deadtime), draft.max_rexmit_delay)


def _check_whole(draft: Draft) -> None:
    if not draft.media:
        draft.refuse("no medium is configured: it needs a line bcast, mcast, mcast6, ucast or ucast6")
    if len(draft.media) > MAX_MEDIA:
        draft.refuse(f"there are {len(draft.media)} media, at most {MAX_MEDIA} are possible")
    if not draft.nodes and draft.autojoin is Autojoin.NONE:
        draft.refuse("no node is configured and autojoin is none: it needs node lines")
    if len(draft.nodes) > MAX_NODES:
        draft.refuse(f"there are {len(draft.nodes)} nodes, at most {MAX_NODES} are possible")
    clash = sorted({node.name for node in draft.ping_nodes} & set(draft.nodes))
    if clash:
        draft.refuse(f"{', '.join(clash)}: a cluster node cannot be a ping node as well")
    if not draft.manages_resources:
        draft.warn(
            "crm is not on: a haresources file is not used by hatools; take it over with 'crm import haresources FILE'"
        )


def _finished(draft: Draft, timing: Timing) -> HaConfiguration:
    return HaConfiguration(
        nodes=tuple(draft.nodes),
        autojoin=draft.autojoin,
        cluster_name=draft.cluster_name,
        timing=timing,
        media=tuple(draft.media),
        port=draft.default_port if draft.port is None else draft.port,
        ping_nodes=tuple(draft.ping_nodes),
        hopfudge=draft.hopfudge,
        manages_resources=draft.manages_resources,
        realtime=draft.realtime,
        sign_fields=draft.sign_fields,
        generation_from_clock=draft.generation_from_clock,
        uuid_from_name=draft.uuid_from_name,
        log_bad_packets=draft.log_bad_packets,
        logfile=draft.logfile,
        debugfile=draft.debugfile,
        logfacility=draft.logfacility,
        debug=draft.debug,
        auto_failback=draft.auto_failback,
        settings=draft.settings,
        warnings=tuple(draft.warnings),
    )
