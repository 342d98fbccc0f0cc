"""Making a cluster of one node, which others join (:mod:`hatools.shell.joining`). I/O: files, daemons."""

import os
import secrets
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hatools.runtime.directories import Directories
from hatools.shell.commands import CommandError
from hatools.shell.corosync import conf_path
from hatools.values.records import dataclass, field

if TYPE_CHECKING:
    from hatools.shell.session import Session

DEFAULT_PORT = 7630
"""Where an invitation is answered."""

_KEY_BYTES = 256

_CONF = """totem {{
    version: 2
    cluster_name: {name}
    transport: udpu
    token: 1000
    config_version: 1
}}
nodelist {{
    node {{
{addresses}
        name: {node}
        nodeid: 1
    }}
}}
quorum {{
    provider: corosync_votequorum
    two_node: 0
}}
logging {{
    to_logfile: yes
    logfile: /var/log/cluster/corosync.log
    timestamp: on
}}
"""

_DEFAULTS = (
    ["rsc_defaults", "resource-stickiness=1", "migration-threshold=3"],
    ["op_defaults", "timeout=60", "record-pending=true"],
)
"""What is set in a new cluster: resources stay where they are, and go elsewhere when they fail again and again."""

_EXCUSED = {
    **dict.fromkeys(("-s", "--sbd-device", "-S", "--enable-sbd", "-w", "--watchdog"), "sbd is not part of this stack: "
        "fence with a device (`crm script list`, category Stonith)"),
    **dict.fromkeys(("-o", "--ocfs2-device", "-C", "--cluster-lvm2", "-m", "--mount-point"), "shared file systems "
        "are set up with `crm script run`"),
    **dict.fromkeys(("-U", "--multicast"), "the ring speaks unicast: no multicast address is needed"),
    **dict.fromkeys(("-A", "--admin-ip"), "use `crm script run virtual-ip id=admin-ip ip=ADDRESS`"),
    **dict.fromkeys(("-N", "--nodes"), "each node joins by itself, with a token of `crm cluster add`: no root ssh"),
    **dict.fromkeys(("--qnetd-hostname", "--qdevice-port", "--qdevice-algo", "--qdevice-tie-breaker", "--qdevice-tls",
        "--qdevice-heuristics", "--qdevice-heuristics-mode"), "a quorum device is added to a cluster that runs: "
        "quorum.device in corosync.conf (corosync-qdevice(8)), then `crm corosync push` and `reload`"),
}  # fmt: skip
"""Options of the original that are answered with what to use instead."""

_STAGES = {
    "ssh": "no root ssh is used: nodes join with a token of `crm cluster add`",
    "csync2": "files are copied with `crm cluster copy`",
    "sbd": "sbd is not part of this stack: fence with a device (`crm script list`, category Stonith)",
    "ocfs2": "use `crm script run ocfs2`",
    "vgfs": "use `crm script run lvm` or gfs2",
    "admin": "use `crm script run virtual-ip id=admin-ip ip=ADDRESS`",
    "qdevice": "set quorum.device in corosync.conf, then `crm corosync push` and `reload`",
    "geo": "tickets are managed with `crm site ticket`",
}


@dataclass(slots=True)
class Options:
    """What stands behind ``init``, ``add``, ``join`` or ``remove``."""

    yes: bool = False
    forced: bool = False
    name: str = "hacluster"
    host: str = ""
    addresses: list[str] = field(default_factory=list)
    token: str = ""
    port: int = DEFAULT_PORT
    words: list[str] = field(default_factory=list)


_NAMES = {
    **dict.fromkeys(("-n", "--name"), "name"),
    **dict.fromkeys(("-c", "--cluster-node"), "host"),
    **dict.fromkeys(("-i", "--interface", "--address"), "addresses"),
    "--token": "token",
    "--port": "port",
}


def read_options(args: Sequence[str], known: str, *, stages: Mapping[str, str] | None = None) -> Options:
    """Read the options of a command.

    Args:
        known: the options with values that take part, by name.
        stages: words that are refused, and why.

    Raises:
        CommandError: one is unknown, lacks its value, or is answered with what to use instead.
    """
    options = Options()
    words = list(args)
    while words:
        word, equals, value = words.pop(0).partition("=")
        if word in ("-y", "-q", "--yes", "--quiet", "-u", "--unicast", "-I", "-M", "--no-overwrite-sshkey"):
            options.yes = options.yes or word in ("-y", "--yes")
            continue
        if word in ("-F", "--force"):
            options.forced = True
            continue
        if word in _EXCUSED:
            raise CommandError(f"{word}: {_EXCUSED[word]}")
        if not word.startswith("-"):
            if stages and word in stages:
                raise CommandError(f"stage {word}: {stages[word]}")
            options.words.append(word + equals + value)
            continue
        target = _NAMES.get(word)
        if target is None or target not in known.split():
            listed = " ".join(name for name, meaning in _NAMES.items() if meaning in known.split())
            raise CommandError(f"unknown option {word}: expected -y {listed}".rstrip())
        if not equals:
            if not words:
                raise CommandError(f"{word} needs a value")
            value = words.pop(0)
        _set(options, target, word, value)
    return options


def _set(options: Options, target: str, word: str, value: str) -> None:
    if target == "port":
        if not value.isdigit() or not 0 < int(value) < 65536:
            raise CommandError(f"{word} needs a port number, not '{value}'")
        options.port = int(value)
    elif target == "addresses":
        options.addresses += [_address(part) for part in value.split(",")]
    else:
        setattr(options, target, value)


def _address(word: str) -> str:
    """Return an address that was given as such, as a host name, or as an interface of this node."""
    import contextlib
    import ipaddress

    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_address(word))
    from hatools.runtime.addresses import local_addresses

    for address, interface in local_addresses().items():
        if interface == word:
            return address
    try:
        return str(socket.getaddrinfo(word, None)[0][4][0])
    except OSError:
        raise CommandError(f"{word} is neither an address nor an interface of this node") from None


def own_address(host: str | None = None) -> str:
    """Return the address of this node from which others (or ``host``) are reached.

    Raises:
        CommandError: it has none.
    """
    try:
        family, _, _, _, place = socket.getaddrinfo(host or "192.0.2.1", 9, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(place)  # nothing is sent
            return str(probe.getsockname()[0])
    except OSError as error:
        if host is not None:
            raise CommandError(f"{host}: {error.strerror or error}") from None
        raise CommandError("no address of this node found: name it with -i") from None


def key_path() -> Path:
    """Return the file of the cluster's key."""
    return Directories.from_environment().corosync_authkey


def host_name() -> str:
    """Return what this node is called."""
    import platform

    return os.environ.get("HATOOLS_NODE_NAME") or platform.node()


def may_replace(session: "Session", options: Options, what: str) -> None:
    """Ask whether this node may leave its present cluster.

    Raises:
        CommandError: it may not.
    """
    if not conf_path().exists() or options.yes:
        return
    if not session.console.ask(f"{conf_path()} exists. Replace it and {what}?"):
        raise CommandError(f"{conf_path()} exists: this node belongs to a cluster already (-y replaces it)")


def start_node(session: "Session") -> bool:
    """Start the daemons of this node."""
    from hatools.shell.context import Context
    from hatools.shell.levels.cluster import Cluster
    from hatools.shell.levels.root import Root

    return Cluster(session).do_start(Context(session, Root))


def init(session: "Session", args: Sequence[str]) -> bool:
    """Set up a cluster of one node here, and start it."""
    from hatools.messaging.corosync.authkey import FILE_MODE
    from hatools.runtime.files import replace_file
    from hatools.shell.corosync import replace_text
    from hatools.shell.levels.cluster import is_running
    from hatools.shell.proposals import propose_fencing

    options = read_options(args, "name addresses", stages=_STAGES)
    if options.words and options.words != ["corosync"] and options.words != ["cluster"]:
        raise CommandError(f"unknown stage {options.words[0]}: expected corosync or cluster, or none for both")
    if options.words == ["cluster"]:
        return start_node(session) and _set_defaults(session)
    may_replace(session, options, "make a new cluster")
    if is_running():
        raise CommandError("the cluster runs on this node: `crm cluster stop` comes first")
    addresses = options.addresses or [own_address()]
    listed = "\n".join(f"        ring{link}_addr: {address}" for link, address in enumerate(addresses))
    conf_path().parent.mkdir(parents=True, exist_ok=True)
    replace_file(key_path(), secrets.token_bytes(_KEY_BYTES), FILE_MODE)
    replace_text(_CONF.format(name=options.name, addresses=listed, node=host_name()))
    session.console.info(f"{conf_path()} and {key_path()} written")
    if options.words == ["corosync"]:
        return True
    if not start_node(session) or not _set_defaults(session):
        return False
    session.console.info("other nodes join with the token that `crm cluster add` prints on this node")
    propose_fencing(session)
    return True


def _set_defaults(session: "Session") -> bool:
    """Give a new cluster careful defaults; what is set already stays."""
    from hatools.shell.running import wait_for_controller

    if not wait_for_controller(60.0):
        raise CommandError("no DC was elected within a minute: see `crm cluster health`")
    configuration = session.configuration
    if not configuration.load():
        return False
    workspace = configuration.workspace
    for words in _DEFAULTS:
        if not any(item.word == words[0] for item in workspace.objects):
            workspace.create(words)
    return configuration.commit() if configuration.has_changed else True
