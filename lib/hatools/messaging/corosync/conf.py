"""What corosync.conf(5) says, typed and checked. Pure.

All errors are shown at once, each with its place. What cannot be changed while the cluster runs is in
:func:`fixed_differences`; everything else is taken over by a reload.
"""

from collections.abc import Mapping

from hatools.messaging.corosync.conf_keys import (
    FREE_SECTIONS,
    KEYS,
    Finding,
    Findings,
    flag_of,
    number_of,
    problem_with,
    text_of,
)
from hatools.messaging.corosync.conf_nodelist import NodeEntry, read_nodelist
from hatools.messaging.corosync.conf_quorum import read_quorum
from hatools.messaging.corosync.conf_totem import LinkOptions, read_links, read_protection, read_timing
from hatools.messaging.corosync.crypto import Protection
from hatools.messaging.corosync.sections import Entry, Section, parse_sections
from hatools.messaging.corosync.totem.effects import Timing
from hatools.messaging.corosync.totem.ring import FlowLimits
from hatools.messaging.corosync.votequorum import QuorumOptions
from hatools.values.errors import ConfigError, SyntaxProblem
from hatools.values.records import dataclass, field, replace

__all__ = ["Configuration", "NodeEntry", "fixed_differences", "read_configuration"]


@dataclass(frozen=True, slots=True)
class LogTarget:
    """Where one subsystem's messages go. Priorities are syslog's words; ``debug`` is off, on or trace."""

    to_stderr: bool = True
    to_logfile: bool = False
    to_syslog: bool = True
    logfile: str = ""
    logfile_priority: str = "info"
    syslog_facility: str = "daemon"
    syslog_priority: str = "info"
    debug: str = "off"


@dataclass(frozen=True, slots=True)
class SocketAccess:
    """Users and groups (names or numbers) that may use the socket besides root and the cluster's group."""

    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


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
    links: tuple[LinkOptions, ...]
    """Of all links there could be, by number."""
    link_mode: str
    transport: str
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
    logging: LogTarget = LogTarget()
    subsystems: tuple[tuple[str, LogTarget], ...] = ()
    """(name, target) of every ``logger_subsys``."""
    access: SocketAccess = SocketAccess()
    warnings: tuple[Finding, ...] = field(default=())

    @property
    def ports(self) -> tuple[int, ...]:
        """Return the UDP port of each link."""
        return tuple(link.port for link in self.links)

    def quorum_of(self, node_id: int) -> QuorumOptions:
        """Return the quorum options of one node."""
        votes = next((node.votes for node in self.nodes if node.id == node_id), self.quorum.votes)
        return replace(self.quorum, votes=votes)


def read_configuration(
    text: str, name: str = "corosync.conf", overrides: Mapping[str, str] | None = None
) -> Configuration:
    """Read and check the text of a corosync.conf.

    Args:
        name: of the file, for messages.
        overrides: keys such as ``totem.token`` whose values replace those of the file.

    Raises:
        ConfigError: it cannot be used; every reason is listed with line and column.
    """
    try:
        root = parse_sections(text)
    except SyntaxProblem as problem:
        raise ConfigError(f"{name}: line {problem.line}, column {problem.column}: {problem}") from None
    for path, value in (overrides or {}).items():
        section, _, key = path.rpartition(".")
        if not root.named(section):
            root.sections.append(Section(section))
        root.named(section)[-1].entries.append(Entry(key, value, 0, 0))
    reader = _Reader(root)
    configuration = reader.read()
    errors = reader.findings.errors
    if errors or configuration is None:
        listed = sorted(errors, key=lambda finding: (finding.line, finding.column))
        raise ConfigError("\n".join(f"{name}: {finding}" for finding in listed))
    return configuration


def fixed_differences(running: Configuration, wanted: Configuration, me: int) -> list[str]:
    """Return what a reload would have to change and cannot, one sentence each.

    Args:
        me: our node id.
    """
    complaints = []
    fixed = {
        "totem.cluster_name": (running.cluster_name, wanted.cluster_name),
        "totem.crypto_cipher, totem.crypto_hash": (running.protection, wanted.protection),
        "totem.keyfile": (running.keyfile, wanted.keyfile),
        "totem.key": (running.key, wanted.key),
        "totem.netmtu": (running.netmtu, wanted.netmtu),
        "totem.transport": (running.transport, wanted.transport),
        "quorum.provider": (running.quorum.provider, wanted.quorum.provider),
    }
    for key, (old, new) in fixed.items():
        if old != new:
            complaints.append(f"{key} cannot be changed while the cluster runs: stop all nodes first")
    before, after = _entry(running, me), _entry(wanted, me)
    if before is not None and after is not None and before.name != after.name:
        complaints.append(f"the name of this node cannot be changed while it runs ({before.name} to {after.name})")
    return complaints


def _entry(configuration: Configuration, node_id: int) -> NodeEntry | None:
    return next((node for node in configuration.nodes if node.id == node_id), None)


class _Reader:
    """Collects findings while the sections are turned into a Configuration."""

    def __init__(self, root: Section) -> None:
        self.root = root
        self.findings = Findings()
        self.settings: dict[str, str] = {}

    def read(self) -> Configuration | None:
        self._check(self.root, "")
        totem, quorum, system = self._merged("totem"), self._merged("quorum"), self._merged("system")
        findings = self.findings
        if totem.find("version") is None:
            findings.error(totem if totem.line else self.root, "totem.version: 2 is required")
        transport = text_of(totem, "transport", "knet")
        nodes = read_nodelist(
            self.root,
            findings,
            generate_ids=transport in ("udp", "udpu"),
            clear_high_bit=text_of(totem, "clear_node_high_bit", "no") in ("yes", "on", "1"),
        )
        protection, plain_on_purpose = read_protection(totem, findings)
        if findings.errors:
            return None
        timing = read_timing(totem, len(nodes), findings, self.settings)
        links = read_links(totem, timing, {link for node in nodes for link in node.addresses}, findings)
        options = read_quorum(quorum, nodes, findings)
        target, subsystems = self._logging()
        if findings.errors:
            return None
        return Configuration(
            cluster_name=text_of(totem, "cluster_name", ""),
            config_version=number_of(totem, "config_version", 0),
            nodes=tuple(nodes),
            timing=timing,
            limits=FlowLimits(
                number_of(totem, "window_size", 50),
                number_of(totem, "max_messages", 17),
                number_of(totem, "miss_count_const", 5),
            ),
            protection=protection,
            keyfile=text_of(totem, "keyfile", ""),
            key=text_of(totem, "key", ""),
            links=links,
            link_mode=text_of(totem, "link_mode", "passive"),
            transport=transport,
            netmtu=number_of(totem, "netmtu", 0),
            block_unlisted=flag_of(totem, "block_unlisted_ips", True),
            sched_rr=flag_of(system, "sched_rr", True),
            ip_version=text_of(totem, "ip_version", "ipv4" if transport == "udp" else "ipv6-4"),
            quorum=options,
            plain_on_purpose=plain_on_purpose,
            settings=self.settings,
            logging=target,
            subsystems=subsystems,
            access=self._access(),
            warnings=tuple(findings.warnings),
        )

    def _merged(self, name: str) -> Section:
        """Return all sections of this name as one, as corosync treats them."""
        merged = Section(name)
        for section in self.root.named(name):
            merged.line = merged.line or section.line
            merged.column = merged.column or section.column
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
                self._check_entries(inner, inner_path, _setting_path(inner, inner_path, index))
                self._check(inner, inner_path)
            elif inner_path.startswith(FREE_SECTIONS):
                self._keep_free(inner, inner_path)
            else:
                self.findings.warn(inner, f'unknown section "{inner_path}" is ignored')
        if not path:
            for entry in section.entries:
                self.findings.warn(replace(entry, column=1), f'unknown key "{entry.key}" outside of a section')

    def _keep_free(self, section: Section, path: str) -> None:
        if path == "quorum.device.heuristics" and text_of(section, "mode", "off") != "off":
            self.findings.error(section, "quorum.device.heuristics is not supported; set mode: off")
        for entry in section.entries:
            self.settings[f"{path}.{entry.key}"] = entry.value
        for inner in section.sections:
            self._keep_free(inner, f"{path}.{inner.name}")

    def _check_entries(self, section: Section, path: str, setting_path: str) -> None:
        known = KEYS[path]
        for entry in section.entries:
            kind = known.get(entry.key)
            if kind is None:
                self.findings.warn(replace(entry, column=1), f'unknown key "{path}.{entry.key}" is ignored')
                continue
            problem = problem_with(kind, entry.value)
            if problem:
                self.findings.error(entry, f"{path}.{entry.key}: {problem}")
            if path != "uidgid" and (path, entry.key) != ("totem", "key"):  # the key is nobody's to read
                self.settings[f"{setting_path}.{entry.key}"] = entry.value

    def _logging(self) -> tuple[LogTarget, tuple[tuple[str, LogTarget], ...]]:
        merged = self._merged("logging")
        target = _log_target(merged, LogTarget())
        if target.to_logfile and not target.logfile:
            self.findings.error(merged, "logging.to_logfile needs logging.logfile")
        subsystems = []
        for section in merged.named("logger_subsys"):
            name = text_of(section, "subsys", "")
            if not name:
                self.findings.error(section, "logging.logger_subsys: subsys is required")
            subsystems.append((name, _log_target(section, target)))
        return target, tuple(subsystems)

    def _access(self) -> SocketAccess:
        sections = self.root.named("uidgid")
        entries = [entry for section in sections for entry in section.entries]
        for entry in entries:
            if entry.key in ("uid", "gid"):
                self.settings[f"uidgid.config.{entry.key}.{entry.value}"] = "1"
        return SocketAccess(
            tuple(entry.value for entry in entries if entry.key == "uid"),
            tuple(entry.value for entry in entries if entry.key == "gid"),
        )


def _setting_path(section: Section, path: str, index: int) -> str:
    if path == "nodelist.node":
        return f"nodelist.node.{index}"
    if path == "totem.interface":
        number = section.find("linknumber") or section.find("ringnumber")
        return f"totem.interface.{number.value if number else index}"
    if path == "logging.logger_subsys":
        return f"logging.logger_subsys.{text_of(section, 'subsys', str(index))}"
    return path


def _log_target(section: Section, default: LogTarget) -> LogTarget:
    return LogTarget(
        flag_of(section, "to_stderr", default.to_stderr),
        flag_of(section, "to_logfile", default.to_logfile),
        flag_of(section, "to_syslog", default.to_syslog),
        text_of(section, "logfile", default.logfile),
        text_of(section, "logfile_priority", default.logfile_priority),
        text_of(section, "syslog_facility", default.syslog_facility),
        text_of(section, "syslog_priority", default.syslog_priority),
        text_of(section, "debug", default.debug),
    )
