"""Every path of a node, below its root. I/O: only :meth:`Directories.prepare` and :func:`cluster_ids` touch the disk.

A node is a folder plus an address: everything a node reads or writes hangs below one root
(``--root DIR`` or ``HATOOLS_ROOT``, default ``/``).
"""

import grp
import os
import pwd
from collections.abc import Mapping
from pathlib import Path

from hatools.values.records import dataclass

CLUSTER_USER = "hacluster"
CLUSTER_GROUP = "haclient"


@dataclass(frozen=True, slots=True)
class Directories:
    """The paths of one node."""

    root: Path

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> "Directories":
        """Take the root from ``HATOOLS_ROOT``, ``/`` if unset."""
        values = os.environ if environ is None else environ
        return cls(Path(values.get("HATOOLS_ROOT") or "/"))

    @property
    def is_system(self) -> bool:
        """Say whether this is the machine itself and not a lab node."""
        return self.root == Path("/")

    @property
    def corosync_conf(self) -> Path:
        """The ring and the quorum, as the administrator wants them."""
        return self.root / "etc/corosync/corosync.conf"

    @property
    def corosync_authkey(self) -> Path:
        """The cluster's key; only root reads it."""
        return self.root / "etc/corosync/authkey"

    @property
    def heartbeat(self) -> Path:
        """The folder of ``ha.cf``; ``etc/heartbeat`` is the same folder on systems that link it."""
        return self.root / "etc/ha.d"

    @property
    def defaults_file(self) -> Path:
        """The daemons' environment (``HATOOLS_MESSAGING`` and the like)."""
        return self.root / "etc/default/pacemaker"

    @property
    def run(self) -> Path:
        """Sockets and pid files; 0750 root:haclient."""
        return self.root / "run/hatools"

    @property
    def state(self) -> Path:
        """What must survive a restart."""
        return self.root / "var/lib/pacemaker"

    @property
    def cib(self) -> Path:
        """The CIB, its backups and shadow copies."""
        return self.state / "cib"

    @property
    def pengine(self) -> Path:
        """Inputs of the scheduler, one file a transition."""
        return self.state / "pengine"

    @property
    def lrm(self) -> Path:
        """What the executor must remember, and secrets."""
        return self.state / "lrm"

    @property
    def cores(self) -> Path:
        """Where daemons dump their core."""
        return self.state / "cores"

    @property
    def messaging(self) -> Path:
        """Ring ids and quorum state that must survive a restart."""
        return self.root / "var/lib/corosync"

    @property
    def log(self) -> Path:
        """The folder of all logs."""
        return self.root / "var/log/pacemaker"

    @property
    def log_file(self) -> Path:
        """The log that all daemons share."""
        return self.log / "pacemaker.log"

    @property
    def agent_run(self) -> Path:
        """Where OCF agents keep transient state (``HA_RSCTMP``)."""
        return self.root / "run/resource-agents"

    def socket(self, daemon: str) -> Path:
        """Return the socket of a daemon (``cib``, ``crmd`` ...)."""
        return self.run / f"{daemon}.sock"

    def pid_file(self, daemon: str) -> Path:
        """Return where a daemon writes its process id."""
        return self.run / f"{daemon}.pid"

    def prepare(self) -> None:
        """Make the folders the daemons need, with their modes; as root they belong to the cluster user."""
        owner = cluster_ids() if os.geteuid() == 0 else None
        for path, mode, owned in (
            (self.run, 0o750 if self.is_system else 0o700, "group"),
            (self.state, 0o750, "user"),
            (self.cib, 0o750, "user"),
            (self.pengine, 0o750, "user"),
            (self.lrm, 0o750, "root"),
            (self.cores, 0o750, "user"),
            (self.messaging, 0o755, "root"),
            (self.log, 0o770 if self.is_system else 0o700, "user"),
            (self.agent_run, 0o755, "root"),
        ):
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(mode)
            if owner is not None and owned != "root":
                os.chown(path, owner[0] if owned == "user" else 0, owner[1])


def cluster_ids() -> tuple[int, int] | None:
    """Return uid and gid of the cluster's user and group; None where they do not exist."""
    try:
        return pwd.getpwnam(CLUSTER_USER).pw_uid, grp.getgrnam(CLUSTER_GROUP).gr_gid
    except KeyError:
        return None
