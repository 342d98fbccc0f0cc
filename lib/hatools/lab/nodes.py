"""The nodes of a lab: their folders, addresses and configuration files. I/O.

A lab lives below one folder (``$HATOOLS_LAB``, else ``$XDG_STATE_HOME/hatools/lab``)::

    lab.json            what the lab is made of
    control/NODE.sock   where each node's supervisor listens
    NODE/               the node's root
"""

import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path

from hatools.lab.heartbeat_files import ha_cf, write_heartbeat_files
from hatools.runtime.directories import Directories
from hatools.values.errors import AlreadyExistsError, InputError, NoSuchObjectError, UnavailableError
from hatools.values.nodenumber import number_of_name
from hatools.values.records import as_dict, dataclass

DEFAULT_PORT = 5505
"""Not corosync's 5405, so that a lab and a real cluster can share a machine."""

MAX_NODES = 32


def lab_folder(environ: Mapping[str, str] | None = None) -> Path:
    """Return the folder of the user's lab."""
    values = os.environ if environ is None else environ
    if values.get("HATOOLS_LAB"):
        return Path(values["HATOOLS_LAB"]).absolute()
    state = values.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return Path(state) / "hatools" / "lab"


@dataclass(frozen=True, slots=True)
class LabNode:
    """One node of a lab."""

    id: int
    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Lab:
    """A lab as it is written in ``lab.json``; ``token_ms`` is the totem token timeout, ``messaging`` the style."""

    folder: Path
    nodes: tuple[LabNode, ...]
    port: int = DEFAULT_PORT
    token_ms: int = 1000
    messaging: str = "corosync"

    @property
    def control(self) -> Path:
        """The folder of the supervisors' sockets (parameter ``control`` of fence_lab)."""
        return self.folder / "control"

    def node(self, name: str) -> LabNode:
        """Return a node by name.

        Raises:
            NoSuchObjectError: the lab has no such node; the message lists those it has.
        """
        for node in self.nodes:
            if node.name == name:
                return node
        raise NoSuchObjectError(f"the lab has no node {name}; it has {', '.join(node.name for node in self.nodes)}")

    def root(self, node: LabNode) -> Path:
        """Return the folder that stands for a node's whole file system."""
        return self.folder / node.name

    def directories(self, node: LabNode) -> Directories:
        """Return the paths of a node."""
        return Directories(self.root(node))

    def environment(self, node: LabNode) -> dict[str, str]:
        """Return the variables that make a process part of this node."""
        return {
            "HATOOLS_ROOT": str(self.root(node)),
            "HATOOLS_NODE_NAME": node.name,
            "HATOOLS_NODE_ADDRESS": node.address,
            "HATOOLS_KEEP_ROOT": "1",
        }

    def save(self) -> None:
        """Write ``lab.json``."""
        data = {
            "port": self.port,
            "token_ms": self.token_ms,
            "messaging": self.messaging,
            "nodes": [as_dict(node) for node in self.nodes],
        }
        temporary = self.folder / "lab.json.new"
        temporary.write_text(json.dumps(data, indent=1) + "\n")
        temporary.replace(self.folder / "lab.json")

    @classmethod
    def load(cls, folder: Path) -> "Lab":
        """Read a lab.

        Raises:
            NoSuchObjectError: there is none in the folder.
            InputError: its description cannot be read.
        """
        try:
            data = json.loads((folder / "lab.json").read_text())
            nodes = tuple(LabNode(**node) for node in data["nodes"])
            return cls(folder, nodes, data["port"], data["token_ms"], data.get("messaging", "corosync"))
        except FileNotFoundError:
            raise NoSuchObjectError(f"there is no lab in {folder}: make one with `crm lab start 3`") from None
        except (ValueError, TypeError, KeyError) as error:
            raise InputError(
                f"{folder / 'lab.json'} cannot be read ({error}): remove the lab with `crm lab destroy --force`"
            ) from None


MESSAGING_STYLES = ("corosync", "heartbeat")
"""Those a lab can have."""


def create_lab(
    folder: Path, count: int, *, port: int = DEFAULT_PORT, token_ms: int = 1000, messaging: str = "corosync"
) -> Lab:
    """Make the folders and configuration of a new lab; nothing is started.

    Raises:
        InputError: the number of nodes or the port is out of range, or there is no such style.
        AlreadyExistsError: the folder holds a lab already.
        UnavailableError: an address and port that the lab needs is in use.
    """
    if not 1 <= count <= MAX_NODES:
        raise InputError(f"a lab has 1 to {MAX_NODES} nodes, not {count}")
    if not 1024 <= port <= 65535:
        raise InputError(f"the port must be from 1024 to 65535, not {port}")
    if messaging not in MESSAGING_STYLES:
        raise InputError(f"the messaging style of a lab is one of {', '.join(MESSAGING_STYLES)}, not {messaging!r}")
    if (folder / "lab.json").exists():
        raise AlreadyExistsError(f"{folder} holds a lab already")
    nodes = tuple(LabNode(_number(n, messaging), f"node{n}", f"127.0.0.{n}") for n in range(1, count + 1))
    lab = Lab(folder, nodes, port, token_ms, messaging)
    require_free_ports(lab)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    lab.control.mkdir(exist_ok=True)
    key = os.urandom(256)
    for node in lab.nodes:
        _write_node(lab, node, key)
    lab.save()
    return lab


def _number(position: int, messaging: str) -> int:
    """Return a node's id: its position, or, in a style where nodes have only names, the number made of its name."""
    return number_of_name(f"node{position}") if messaging == "heartbeat" else position


def require_free_ports(lab: Lab) -> None:
    """Raise UnavailableError if another program holds an address and port of the lab."""
    for node in lab.nodes:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((node.address, lab.port))
            except OSError as error:
                raise UnavailableError(
                    f"UDP port {lab.port} on {node.address} cannot be used ({error.strerror}): "
                    "stop what uses it or choose another with `crm lab start --port PORT`"
                ) from None


def corosync_conf(lab: Lab) -> str:
    """Return the corosync.conf that all nodes of the lab share."""
    nodes = "".join(
        f"    node {{\n        ring0_addr: {node.address}\n"
        f"        name: {node.name}\n        nodeid: {node.id}\n    }}\n"
        for node in lab.nodes
    )
    two_node = "    two_node: 1\n" if len(lab.nodes) == 2 else ""
    return (
        "# Written by `crm lab start`; all nodes of the lab have the same file.\n"
        f"totem {{\n    version: 2\n    cluster_name: lab\n    transport: udpu\n    token: {lab.token_ms}\n"
        f"    interface {{\n        linknumber: 0\n        mcastport: {lab.port}\n    }}\n}}\n\n"
        f"nodelist {{\n{nodes}}}\n\n"
        f"quorum {{\n    provider: corosync_votequorum\n{two_node}}}\n\n"
        "logging {\n    to_logfile: yes\n    logfile: var/log/corosync.log\n    to_syslog: no\n}\n"
    )


def _write_node(lab: Lab, node: LabNode, key: bytes) -> None:
    directories = lab.directories(node)
    if lab.messaging == "heartbeat":
        text = ha_cf({each.name: each.address for each in lab.nodes}, lab.port, lab.token_ms)
        write_heartbeat_files(directories, text, key)
    else:
        _write_corosync_files(lab, directories, key)
    directories.defaults_file.parent.mkdir(parents=True, exist_ok=True)
    directories.defaults_file.write_text(f"HATOOLS_MESSAGING={lab.messaging}\n")


def _write_corosync_files(lab: Lab, directories: Directories, key: bytes) -> None:
    directories.corosync_conf.parent.mkdir(parents=True, exist_ok=True)
    directories.corosync_conf.write_text(corosync_conf(lab))
    descriptor = os.open(directories.corosync_authkey, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o400)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
