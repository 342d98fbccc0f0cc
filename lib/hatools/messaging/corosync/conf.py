"""What corosync.conf(5) says, typed and checked. Pure.

One table per section says which keys there are and what their values may be. A key that nobody knows
is a warning; a value that cannot be is an error with its place, and all errors are shown at once.
Keys of Corosync that have no meaning for our ring (knet's and the like) are accepted and kept.
"""

from hatools.messaging.corosync.crypto import Protection, Suite
from hatools.messaging.corosync.sections import Entry, Section, parse_sections
from hatools.messaging.corosync.totem.effects import Timing
from hatools.messaging.corosync.totem.packets import MAX_NODES
from hatools.messaging.corosync.totem.ring import FlowLimits
from hatools.messaging.corosync.votequorum import QuorumOptions, TieBreaker
from hatools.values.boolean import is_true, parse_boolean
from hatools.values.errors import ConfigError, SyntaxProblem
from hatools.values.records import dataclass, field, replace

MAX_LINKS = 8
DEFAULT_PORT = 5405
"""Of link 0; link N has this plus N."""


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
_LEVELS = Word(("alert", "crit", "debug", "emerg", "err", "info", "notice", "warning"))
_FACILITIES = Word(("daemon", *(f"local{number}" for number in range(8))))
_LOGGING: dict[str, Kind] = {
    "to_stderr": Flag(),
    "to_logfile": Flag(),
    "to_syslog": Flag(),
    "logfile": Text(),
    "logfile_priority": _LEVELS,
    "syslog_facility": _FACILITIES,
    "syslog_priority": _LEVELS,
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
        "knet_pong_count": Number(),
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

_FREE_SECTIONS = ("resources", "nozzle", "quorum.device", "service", "aisexec", "event", "amf", "qb")
_NOT_YET = ("expected_votes_tracking",)
"""Quorum rules that would change who has quorum and are not built: refused when set, never ignored."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something worth telling about the file; line and column from 1."""

    line: int
    column: int
    text: str

    def __str__(self) -> str:
        """Return the finding with its place before it."""
        return f"line {self.line}, column {self.column}: {self.text}"


@dataclass(frozen=True, slots=True)
class NodeEntry:
    """A node of the nodelist; ``addresses`` by link number (names or numeric)."""

    id: int
    name: str
    addresses: dict[int, str]
    votes: int
    is_named: bool


@dataclass(frozen=True, slots=True)
class Configuration:
    """A checked corosync.conf."""

    cluster_name: str
    config_version: int
    nodes: tuple[NodeEntry, ...]
    timing: Timing
    limits: FlowLimits
    protection: Protection
    keyfile: str
    key: str
    ports: tuple[int, ...]
    """UDP port of each link."""
    netmtu: int
    """0: not set."""
    block_unlisted: bool
    sched_rr: bool
    ip_version: str
    quorum: QuorumOptions
    """For the cluster as a whole; a node's own votes are in its :class:`NodeEntry`."""
    plain_on_purpose: bool
    """Both crypto keys are written as none: to be shown wherever the status is."""
    settings: dict[str, str]
    """Every key with its path, as cmap names it."""
    warnings: tuple[Finding, ...] = field(default=())

    def quorum_of(self, node_id: int) -> QuorumOptions:
        """Return the quorum options of one node."""
        votes = next((node.votes for node in self.nodes if node.id == node_id), self.quorum.votes)
        return replace(self.quorum, votes=votes)


def read_configuration(text: str, name: str = "corosync.conf") -> Configuration:
    """Read and check the text of a corosync.conf.

    Args:
        name: of the file, for messages.

    Raises:
        ConfigError: it cannot be used; every reason is listed with line and column.
    """
    try:
        root = parse_sections(text)
    except SyntaxProblem as problem:
        raise ConfigError(f"{name}: line {problem.line}, column {problem.column}: {problem}") from None
    reader = _Reader(root)
    configuration = reader.read()
    if reader.errors or configuration is None:
        listed = "\n".join(f"{name}: {finding}" for finding in sorted(reader.errors, key=lambda f: (f.line, f.column)))
        raise ConfigError(listed)
    return configuration


class _Reader:
    """Collects findings while the sections are turned into a Configuration."""

    def __init__(self, root: Section) -> None:
        self.root = root
        self.errors: list[Finding] = []
        self.warnings: list[Finding] = []
        self.settings: dict[str, str] = {}

    def read(self) -> Configuration | None:
        self._check(self.root, "")
        totem = self._merged("totem")
        quorum = self._merged("quorum")
        if totem.find("version") is None:
            self._error(
                self.root.named("totem")[0] if self.root.named("totem") else self.root, "totem.version: 2 is required"
            )
        nodes = self._nodes()
        protection, plain_on_purpose = self._protection(totem)
        if self.errors:
            return None
        timing = self._timing(totem, len(nodes))
        options = self._quorum(quorum, nodes)
        if self.errors:
            return None
        mtu = _number(totem, "netmtu", 0)
        limits = FlowLimits(
            _number(totem, "window_size", 50), _number(totem, "max_messages", 17), _number(totem, "miss_count_const", 5)
        )
        return Configuration(
            cluster_name=_text(totem, "cluster_name", ""),
            config_version=_number(totem, "config_version", 0),
            nodes=nodes,
            timing=timing,
            limits=limits,
            protection=protection,
            keyfile=_text(totem, "keyfile", ""),
            key=_text(totem, "key", ""),
            ports=self._ports(totem),
            netmtu=mtu,
            block_unlisted=_flag(totem, "block_unlisted_ips", True),
            sched_rr=_flag(self._merged("system"), "sched_rr", True),
            ip_version=_text(totem, "ip_version", "ipv6-4"),
            quorum=options,
            plain_on_purpose=plain_on_purpose,
            settings=self.settings,
            warnings=tuple(self.warnings),
        )

    def _error(self, place: Entry | Section, text: str) -> None:
        self.errors.append(Finding(max(place.line, 1), max(place.column, 1), text))

    def _merged(self, name: str) -> Section:
        """Return all sections of this name as one, as corosync treats them."""
        merged = Section(name)
        for section in self.root.named(name):
            merged.line = merged.line or section.line
            merged.entries += section.entries
            merged.sections += section.sections
        return merged

    def _check(self, section: Section, path: str) -> None:
        """Check keys and values below ``path`` and note them as settings."""
        counts: dict[str, int] = {}
        for inner in section.sections:
            inner_path = f"{path}.{inner.name}" if path else inner.name
            if inner_path in KEYS:
                index = counts.get(inner.name, 0)
                counts[inner.name] = index + 1
                self._check_entries(inner, inner_path, self._setting_path(inner, inner_path, index))
                self._check(inner, inner_path)
            elif inner_path.startswith(_FREE_SECTIONS):
                self._keep_free(inner, inner_path)
            else:
                self.warnings.append(Finding(inner.line, inner.column, f'unknown section "{inner_path}" is ignored'))
        if not path:
            for entry in section.entries:
                self.warnings.append(Finding(entry.line, 1, f'unknown key "{entry.key}" outside of a section'))

    def _setting_path(self, section: Section, path: str, index: int) -> str:
        if path == "nodelist.node":
            return f"nodelist.node.{index}"
        if path == "totem.interface":
            number = section.find("linknumber") or section.find("ringnumber")
            return f"totem.interface.{number.value if number else index}"
        if path == "logging.logger_subsys":
            subsystem = section.find("subsys")
            return f"logging.logger_subsys.{subsystem.value if subsystem else index}"
        return path

    def _keep_free(self, section: Section, path: str) -> None:
        if path == "quorum.device":
            self._error(section, "a quorum device is not supported yet; remove quorum.device")
        for entry in section.entries:
            self.settings[f"{path}.{entry.key}"] = entry.value
        for inner in section.sections:
            self._keep_free(inner, f"{path}.{inner.name}")

    def _check_entries(self, section: Section, path: str, setting_path: str) -> None:
        known = KEYS[path]
        for entry in section.entries:
            kind = known.get(entry.key)
            if kind is None:
                self.warnings.append(Finding(entry.line, 1, f'unknown key "{path}.{entry.key}" is ignored'))
                continue
            problem = _problem(kind, entry.value)
            if problem:
                self._error(entry, f"{path}.{entry.key}: {problem}")
            self.settings[f"{setting_path}.{entry.key}"] = entry.value

    def _nodes(self) -> tuple[NodeEntry, ...]:
        sections = [node for nodelist in self.root.named("nodelist") for node in nodelist.named("node")]
        nodes: list[NodeEntry] = []
        for section in sections:
            addresses = {
                number: entry.value
                for number in range(MAX_LINKS)
                if (entry := section.find(f"ring{number}_addr")) is not None
            }
            if 0 not in addresses:
                self._error(section, "nodelist.node: ring0_addr is required")
                continue
            number = section.find("nodeid")
            if number is None or not number.value.isdigit():
                if number is None:
                    self._error(section, "nodelist.node: nodeid is required")
                continue
            name = section.find("name")
            node_id = int(number.value)
            node_name = name.value if name else addresses[0]
            for other in nodes:
                if other.id == node_id:
                    self._error(number, f"nodeid {node_id} is used twice ({other.name} and {node_name})")
                if other.name == node_name:
                    self._error(name or section, f'the name "{node_name}" is used twice')
                for link in addresses.keys() & other.addresses.keys():
                    if addresses[link] == other.addresses[link]:
                        place = section.find(f"ring{link}_addr") or section
                        self._error(place, f"{addresses[link]} is the address of {other.name} already")
            votes = section.find("quorum_votes")
            nodes.append(
                NodeEntry(
                    node_id,
                    node_name,
                    addresses,
                    int(votes.value) if votes and votes.value.isdigit() else 1,
                    name is not None,
                )
            )
        if not sections:
            self._error(self.root, "a nodelist with at least one node is required")
        else:
            self._links_match(nodes, sections[0])
        if len(nodes) > MAX_NODES:
            self._error(self.root.named("nodelist")[0], f"at most {MAX_NODES} nodes are supported")
        return tuple(nodes)

    def _ports(self, totem: Section) -> tuple[int, ...]:
        ports = [DEFAULT_PORT + number for number in range(MAX_LINKS)]
        for index, section in enumerate(totem.named("interface")):
            number = _number(section, "linknumber", _number(section, "ringnumber", min(index, MAX_LINKS - 1)))
            ports[number] = _number(section, "mcastport", ports[number])
        return tuple(ports)

    def _links_match(self, nodes: list[NodeEntry], place: Section) -> None:
        """Every node must be on every link, or some could not reach each other over it."""
        for node in nodes:
            missing = nodes[0].addresses.keys() ^ node.addresses.keys()
            if missing:
                link = min(missing)
                self._error(
                    place, f"ring{link}_addr is given for some nodes only: compare {nodes[0].name} and {node.name}"
                )

    def _protection(self, totem: Section) -> tuple[Protection, bool]:
        cipher, hashing = totem.find("crypto_cipher"), totem.find("crypto_hash")
        secauth = is_true(_text(totem, "secauth", ""))
        if cipher is None and hashing is None:
            return Protection(), False
        cipher_name = cipher.value if cipher else "aes256" if secauth else "none"
        hash_name = hashing.value if hashing else "sha256" if secauth else "none"
        if hash_name == "none" and cipher_name == "none":
            if cipher is None or hashing is None:
                missing = "crypto_hash" if hashing is None else "crypto_cipher"
                self._error(
                    cipher or hashing or totem, f"without protection only if {missing}: none is written as well"
                )
            return Protection(Suite.PLAIN, "", ""), True
        if hash_name == "none":
            if cipher_name == "aes256" and cipher is None:
                return Protection(), False
            self._error(
                cipher or totem, f"crypto_cipher {cipher_name} requires crypto_hash to be one of md5 ... sha512"
            )
            return Protection(), False
        if cipher_name == "none":
            return Protection(Suite.HASH, "", hash_name), False
        return Protection(Suite.CBC, cipher_name, hash_name), False

    def _timing(self, totem: Section, node_count: int) -> Timing:
        token = _number(totem, "token", 3000)
        if node_count > 2:
            token += (node_count - 2) * _number(totem, "token_coefficient", 650)
        before_loss = _number(totem, "token_retransmits_before_loss_const", 4)
        retransmit = _number(totem, "token_retransmit", int(token / (before_loss + 0.2)))
        hold = _number(totem, "hold", max(30, int(retransmit * 0.8 - 10)))
        consensus = _number(totem, "consensus", int(token * 1.2))
        join = _number(totem, "join", 50)
        if retransmit >= token:
            self._error(
                totem.find("token_retransmit") or totem,
                f"token_retransmit {retransmit} must be below the token {token}",
            )
        if hold >= retransmit:
            self._error(totem.find("hold") or totem, f"hold {hold} must be below token_retransmit {retransmit}")
        if consensus < join:
            self._error(totem.find("consensus") or totem, f"consensus {consensus} must be at least join {join}")
        runtime = {
            "token": token,
            "token_retransmit": retransmit,
            "hold": hold,
            "consensus": consensus,
            "join": join,
        }
        for key, value in runtime.items():
            self.settings[f"runtime.config.totem.{key}"] = str(value)
        return Timing(
            token / 1000,
            retransmit / 1000,
            hold / 1000,
            join / 1000,
            consensus / 1000,
            _number(totem, "merge", 200) / 1000,
            _number(totem, "fail_recv_const", 2500),
            _number(totem, "seqno_unchanged_const", 30),
            _number(totem, "token_warning", 75) / 100,
        )

    def _quorum(self, quorum: Section, nodes: tuple[NodeEntry, ...]) -> QuorumOptions:
        provider = quorum.find("provider") is not None
        votes = sum(node.votes for node in nodes)
        expected = _number(quorum, "expected_votes", votes)
        two_node = _flag(quorum, "two_node", False)
        wait_for_all = _flag(quorum, "wait_for_all", two_node)
        if two_node and expected != 2:
            place = quorum.find("two_node") or quorum
            self._error(place, f"two_node needs exactly 2 expected votes, not {expected}")
        for key in _NOT_YET:
            entry = quorum.find(key)
            if entry is not None and is_true(entry.value):
                self._error(entry, f"quorum.{key} is not supported yet")
        standing = _flag(quorum, "last_man_standing", False)
        tie_breaker, deciding = self._tie_breaker(quorum)
        self._check_combinations(quorum, nodes, wait_for_all)
        return QuorumOptions(
            provider=provider,
            votes=_number(quorum, "votes", 1),
            expected_votes=expected,
            two_node=two_node,
            wait_for_all=wait_for_all,
            last_man_standing=standing,
            last_man_standing_window=_number(quorum, "last_man_standing_window", 10000) / 1000,
            tie_breaker=tie_breaker,
            tie_breaker_nodes=deciding,
            allow_downscale=_flag(quorum, "allow_downscale", False),
        )

    def _tie_breaker(self, quorum: Section) -> tuple[TieBreaker, tuple[int, ...]]:
        if not _flag(quorum, "auto_tie_breaker", False):
            return TieBreaker.NONE, ()
        entry = quorum.find("auto_tie_breaker_node")
        match entry.value if entry else "lowest":
            case "lowest":
                return TieBreaker.LOWEST, ()
            case "highest":
                return TieBreaker.HIGHEST, ()
            case words:
                numbers = words.split()
                if entry is not None and not all(number.isdecimal() for number in numbers):
                    self._error(entry, f'quorum.auto_tie_breaker_node: "{words}" is not lowest, highest or node ids')
                    return TieBreaker.NONE, ()
                return TieBreaker.LIST, tuple(int(number) for number in numbers)

    def _check_combinations(self, quorum: Section, nodes: tuple[NodeEntry, ...], wait_for_all: bool) -> None:
        """Refuse the combinations that votequorum(5) rules out."""

        def place(key: str) -> Entry | Section:
            return quorum.find(key) or quorum

        breaks_ties = _flag(quorum, "auto_tie_breaker", False)
        standing = _flag(quorum, "last_man_standing", False)
        is_odd = len(nodes) % 2 == 1
        if breaks_ties and _flag(quorum, "two_node", False):
            self._error(place("auto_tie_breaker"), "auto_tie_breaker and two_node exclude each other")
        if breaks_ties and is_odd and standing:
            self._error(
                place("auto_tie_breaker"), "with an odd number of nodes auto_tie_breaker excludes last_man_standing"
            )
        if breaks_ties and is_odd and not wait_for_all:
            self._error(place("auto_tie_breaker"), "with an odd number of nodes auto_tie_breaker requires wait_for_all")
        if standing and any(node.votes != 1 for node in nodes):
            self._error(place("last_man_standing"), "last_man_standing requires one vote for every node")
        if _flag(quorum, "allow_downscale", False) and quorum.find("expected_votes") is None:
            self._error(place("allow_downscale"), "allow_downscale requires expected_votes, below which it does not go")


def _problem(kind: Kind, value: str) -> str:
    """Return what is wrong with a value and what would be right, empty if nothing."""
    match kind:
        case Number(low, high):
            if not value.isdecimal():
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


def _number(section: Section, key: str, default: int) -> int:
    entry = section.find(key)
    return int(entry.value) if entry else default


def _flag(section: Section, key: str, default: bool) -> bool:
    entry = section.find(key)
    return is_true(entry.value) if entry else default


def _text(section: Section, key: str, default: str) -> str:
    entry = section.find(key)
    return entry.value if entry else default
