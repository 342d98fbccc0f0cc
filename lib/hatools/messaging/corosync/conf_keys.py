"""The keys of corosync.conf(5) and what their values may be. Pure.

One table per section. A key that nobody knows is a warning, a value that cannot be is an error with its
place; keys that only matter to Corosync's own transports are known, checked and kept.
"""

from hatools.messaging.corosync.sections import Entry, Section
from hatools.values.boolean import is_true, parse_boolean
from hatools.values.records import dataclass, field

MAX_LINKS = 8


@dataclass(frozen=True, slots=True)
class Number:
    """An integer between two bounds."""

    low: int = 0
    high: int = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Word:
    """One of a few words."""

    words: tuple[str, ...]


class Text:
    """Any text that is not empty."""


class Flag:
    """yes or no, on or off, 1 or 0."""


Kind = Number | Word | Text | Flag

_MS = Number(0, 3_600_000)
_PRIORITIES = Word(("alert", "crit", "debug", "emerg", "err", "info", "notice", "warning"))
_FACILITIES = Word(("daemon", *(f"local{number}" for number in range(8))))
_LOGGING: dict[str, Kind] = {
    "to_stderr": Flag(),
    "to_logfile": Flag(),
    "to_syslog": Flag(),
    "logfile": Text(),
    "logfile_priority": _PRIORITIES,
    "syslog_facility": _FACILITIES,
    "syslog_priority": _PRIORITIES,
    "debug": Word(("on", "off", "trace")),
}

KEYS: dict[str, dict[str, Kind]] = {
    "totem": {
        "version": Number(2, 2),
        "cluster_name": Text(),
        "config_version": Number(0, 2**64 - 1),
        "transport": Word(("knet", "udp", "udpu")),
        "ip_version": Word(("ipv4", "ipv6", "ipv4-6", "ipv6-4")),
        "crypto_model": Text(),
        "crypto_cipher": Word(("none", "aes128", "aes192", "aes256")),
        "crypto_hash": Word(("none", "md5", "sha1", "sha256", "sha384", "sha512")),
        "secauth": Flag(),
        "keyfile": Text(),
        "key": Text(),
        "link_mode": Word(("passive", "active", "rr")),
        "netmtu": Number(576, 65536),
        "clear_node_high_bit": Flag(),
        "token": Number(100, 3_600_000),
        "token_warning": Number(0, 100),
        "token_coefficient": _MS,
        "token_retransmit": Number(30, 3_600_000),
        "token_retransmits_before_loss_const": Number(1, 1000),
        "hold": Number(30, 3_600_000),
        "join": Number(30, 3_600_000),
        "send_join": _MS,
        "consensus": Number(30, 3_600_000),
        "merge": Number(30, 3_600_000),
        "downcheck": Number(30, 3_600_000),
        "fail_recv_const": Number(1),
        "seqno_unchanged_const": Number(1),
        "heartbeat_failures_allowed": Number(),
        "max_network_delay": _MS,
        "window_size": Number(1, 100_000),
        "max_messages": Number(1, 100_000),
        "miss_count_const": Number(1, 100_000),
        "knet_pmtud_interval": Number(),
        "knet_mtu": Number(0, 65535),
        "knet_compression_model": Text(),
        "knet_compression_threshold": Number(),
        "knet_compression_level": Text(),
        "block_unlisted_ips": Flag(),
        "cancel_token_hold_on_retransmit": Flag(),
        "ip_dscp": Number(0, 63),
        "rrp_mode": Text(),
        "vsftype": Text(),
    },
    "totem.interface": {
        "linknumber": Number(0, MAX_LINKS - 1),
        "ringnumber": Number(0, MAX_LINKS - 1),
        "knet_link_priority": Number(0, 255),
        "knet_ping_interval": _MS,
        "knet_ping_timeout": _MS,
        "knet_ping_precision": Number(),
        "knet_pong_count": Number(1, 255),
        "knet_transport": Word(("udp", "sctp")),
        "bindnetaddr": Text(),
        "broadcast": Flag(),
        "mcastaddr": Text(),
        "mcastport": Number(1, 65535),
        "ttl": Number(0, 255),
    },
    "nodelist": {},
    "nodelist.node": {
        "nodeid": Number(1),
        "name": Text(),
        "quorum_votes": Number(0, 65535),
        **{f"ring{number}_addr": Text() for number in range(MAX_LINKS)},
    },
    "quorum": {
        "provider": Word(("corosync_votequorum",)),
        "expected_votes": Number(1, 65535),
        "votes": Number(0, 65535),
        "two_node": Flag(),
        "wait_for_all": Flag(),
        "last_man_standing": Flag(),
        "last_man_standing_window": _MS,
        "auto_tie_breaker": Flag(),
        "auto_tie_breaker_node": Text(),
        "allow_downscale": Flag(),
        "expected_votes_tracking": Flag(),
    },
    "quorum.device": {
        "model": Word(("net",)),
        "votes": Number(0, 65535),
        "timeout": Number(1, 3_600_000),
        "sync_timeout": Number(1, 3_600_000),
    },
    "quorum.device.net": {
        "host": Text(),
        "port": Number(1, 65535),
        "tls": Word(("on", "off", "required")),
        "algorithm": Word(("ffsplit", "lms", "2nodelms", "test")),
        "tie_breaker": Text(),
        "connect_timeout": Number(1, 3_600_000),
        "force_ip_version": Word(("0", "4", "6")),
        "keep_active_partition_tie_breaker": Flag(),
        "cafile": Text(),
        "certfile": Text(),
        "keyfile": Text(),
    },
    "logging": {
        "timestamp": Word(("off", "on", "hires")),
        "fileline": Flag(),
        "function_name": Flag(),
        "blackbox": Flag(),
        **_LOGGING,
    },
    "logging.logger_subsys": {"subsys": Text(), **_LOGGING},
    "system": {
        "qb_ipc_type": Word(("native", "shm", "socket")),
        "sched_rr": Flag(),
        "priority": Text(),
        "move_to_root_cgroup": Word(("yes", "no", "auto")),
        "allow_knet_handle_fallback": Flag(),
        "state_dir": Text(),
    },
    "uidgid": {"uid": Text(), "gid": Text()},
}
"""Known keys by section."""

FREE_SECTIONS = ("resources", "nozzle", "quorum.device.heuristics", "service", "aisexec", "event", "amf", "qb")
"""Sections whose keys are kept as they are."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something worth telling about the file; line and column from 1."""

    line: int
    column: int
    text: str

    def __str__(self) -> str:
        """Return the finding with its place before it."""
        return f"line {self.line}, column {self.column}: {self.text}"


@dataclass(slots=True)
class Findings:
    """What was found in a file: errors forbid its use, warnings do not."""

    errors: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)

    def error(self, place: Entry | Section, text: str) -> None:
        """Note a reason not to use the file."""
        self.errors.append(Finding(max(place.line, 1), max(place.column, 1), text))

    def warn(self, place: Entry | Section, text: str) -> None:
        """Note something that is probably not meant."""
        self.warnings.append(Finding(max(place.line, 1), max(place.column, 1), text))


def problem_with(kind: Kind, value: str) -> str:
    """Return what is wrong with a value and what would be right, empty if nothing."""
    match kind:
        case Number(low, high):
            if not (value.isascii() and value.isdecimal()):
                return f'"{value}" is not a number between {low} and {high}'
            if not low <= int(value) <= high:
                return f"{value} is not between {low} and {high}" if low != high else f"{value} must be {low}"
        case Word(words):
            if value not in words:
                return f'"{value}" is not one of {", ".join(words)}'
        case Flag():
            if parse_boolean(value) is None:
                return f'"{value}" is neither yes nor no'
        case Text():
            if not value:
                return "a value is missing"
    return ""


def number_of(section: Section, key: str, default: int) -> int:
    """Return the number of a key that has been checked."""
    entry = section.find(key)
    return int(entry.value) if entry else default


def flag_of(section: Section, key: str, default: bool) -> bool:
    """Return the flag of a key that has been checked."""
    entry = section.find(key)
    return is_true(entry.value) if entry else default


def text_of(section: Section, key: str, default: str) -> str:
    """Return the text of a key."""
    entry = section.find(key)
    return entry.value if entry else default


def place_of(section: Section, key: str) -> Entry | Section:
    """Return where to point at for a key: its value, or the section that lacks it."""
    return section.find(key) or section
