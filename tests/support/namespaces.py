"""A real cluster in namespaces: a node is a network, mount, PID, IPC and UTS namespace. Needs root.

Outside the nodes stand a switch (a namespace with a bridge), a client (a namespace on that bridge) and one
supervisor per node (:class:`hatools.lab.supervisor.NodeSupervisor`, the same that the lab uses), which is the power
switch that ``fence_lab`` talks to. Inside, a node runs ``pacemakerd`` on root ``/`` with private ``/run``, ``/var`` and
``/etc/corosync``, as a machine of its own would.
"""

import contextlib
import ctypes
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from hatools.lab.supervisor import NodeSupervisor, ask_supervisor
from hatools.values.records import dataclass, field
from tests.support.picture import watched

NETWORK = "10.89.11"
CLIENT_ADDRESS = f"{NETWORK}.200"
SERVICE_ADDRESS = f"{NETWORK}.100"
SOURCE = Path(__file__).resolve().parents[2]

_CLONE_NEWNS, _CLONE_NEWUTS, _CLONE_NEWIPC = 0x20000, 0x4000000, 0x8000000
_CLONE_NEWNET, _CLONE_NEWPID = 0x40000000, 0x20000000

RECORDER = """\
#!/bin/sh
# Runs the real agent of the same name and notes when each action began and ended, in a log outside the node.
note() {
    [ "$action" = meta-data ] && return
    read -r now rest </proc/uptime
    echo "$now $(hostname) $$ $OCF_RESOURCE_INSTANCE $action $1 $2" >>"$LOG"
}
action=$1
for provider in heartbeat pacemaker; do
    agent=/usr/lib/ocf/resource.d/$provider/${0##*/}
    [ -x "$agent" ] && break
done
note begin -
"$agent" "$@"
rc=$?
note end $rc
exit $rc
"""


ORIGINAL_MAIN = """\
corosync -f >>/var/log/corosync/stderr.log 2>&1 &
until corosync-cfgtool -s >/dev/null 2>&1; do sleep 0.05; done
exec pacemakerd -f >>/var/log/pacemaker/stderr.log 2>&1
"""


def _run(*command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=check, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)


def _unshare(flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags):
        raise OSError(ctypes.get_errno(), "unshare")


def uptime() -> float:
    """Return the seconds since boot, the clock of the recorder's log."""
    return float(Path("/proc/uptime").read_text().split()[0])


@dataclass
class NamespaceCluster:
    """A cluster of ``size`` nodes; use :func:`namespace_cluster`."""

    folder: Path
    size: int
    token_ms: int = 1000
    switch: str = "hatsw"
    client: str = "hatcl"
    environment: dict[str, str] = field(default_factory=dict)
    original: bool = False
    """Run the original (Debian's corosync and pacemaker) in the nodes instead of hatools, to measure against."""

    @property
    def programs(self) -> str:
        """The PATH inside the nodes."""
        system = "/usr/sbin:/usr/bin:/sbin:/bin"
        return system if self.original else f"{SOURCE / 'bin'}:{system}"

    @property
    def fence_agent(self) -> str:
        """The name under which the nodes know fence_lab; the original finds it in place of fence_dummy."""
        return "fence_dummy" if self.original else "fence_lab"

    @property
    def nodes(self) -> list[str]:
        return [f"node{n}" for n in range(1, self.size + 1)]

    @property
    def control(self) -> Path:
        return self.folder / "control"

    @property
    def cluster_logs(self) -> dict[str, Path]:
        """The log of each node's cluster software."""
        return {node: self.folder / node / "var/log/pacemaker/pacemaker.log" for node in self.nodes}

    @property
    def log(self) -> Path:
        """The recorder's log: ``uptime node pid resource operation begin|end rc`` a line."""
        return self.folder / "agents.log"

    def address(self, node: str) -> str:
        return f"{NETWORK}.{int(node.removeprefix('node'))}"

    def corosync_conf(self) -> str:
        nodes = "".join(
            f"  node {{\n    name: {node}\n    nodeid: {number}\n    ring0_addr: {self.address(node)}\n  }}\n"
            for number, node in enumerate(self.nodes, 1)
        )
        return (
            f"totem {{\n  version: 2\n  cluster_name: spaces\n  token: {self.token_ms}\n}}\n"
            f"nodelist {{\n{nodes}}}\nquorum {{\n  provider: corosync_votequorum\n}}\n"
            "logging {\n  to_syslog: no\n  to_logfile: yes\n  logfile: /var/log/corosync/corosync.log\n"
            "  timestamp: hires\n}\n"
        )

    def tell(self, node: str, command: str) -> dict[str, object]:
        """Send a command to a node's supervisor."""
        return ask_supervisor(self.control, node, command, timeout_s=150.0)

    def pid_inside(self, node: str) -> int:
        """Return the process that is PID 1 of a node, as seen from outside."""
        return int((self.folder / node / "init.pid").read_text())

    def command(self, node: str, *words: str) -> list[str]:
        """Return the command line that runs a command inside a node."""
        enter = ["nsenter", "-t", str(self.pid_inside(node)), "-m", "-u", "-i", "-n", "-p", "--"]
        return [*enter, "env", f"PATH={self.programs}", *words]

    def on(self, node: str, *words: str, check: bool = True, timeout: float = 60.0) -> str:
        """Run a command inside a node and return what it printed."""
        finished = subprocess.run(
            self.command(node, *words),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=timeout,
            check=False,
        )
        if check and finished.returncode != 0:
            raise AssertionError(
                f"{shlex.join(words)} on {node}: {finished.returncode}: {finished.stdout}{finished.stderr}"
            )
        return finished.stdout

    def set_link(self, node: str, state: str) -> None:
        """Take a node's cable out (``down``) or put it back (``up``), at the switch."""
        _run("ip", "-n", self.switch, "link", "set", node, state)


def _ip(namespace: str, *words: str, check: bool = True) -> None:
    _run("ip", "-n", namespace, *words, check=check)


def _enterable(path: Path) -> Path | None:
    """Return the topmost folder on the way to a path that other users may not enter."""
    for folder in reversed(path.parents):
        if not folder.stat().st_mode & 0o001:
            return folder
    return None


def _prepare_mounts(cluster: NamespaceCluster, node: str) -> None:
    base = cluster.folder / node
    _run("mount", "--make-rprivate", "/")
    _run("mount", "-t", "proc", "proc", "/proc")
    _run("mount", "-t", "sysfs", "sysfs", "/sys")
    _run("mount", "-t", "tmpfs", "-o", "mode=755", "run", "/run")
    _run("mount", "-t", "tmpfs", "-o", "mode=1777", "shm", "/dev/shm")
    for name in ("etc/corosync", "var/lib", "var/log", "etc/default"):
        source = base / name
        source.mkdir(parents=True, exist_ok=True)
        _run("mount", "--bind", str(source), f"/{name}")
    for name in ("lock", "home"):
        Path("/run", name).mkdir(mode=0o755)
    for name in ("/var/lib/nginx", "/var/log/nginx", "/var/lib/pacemaker"):
        Path(name).mkdir(parents=True, exist_ok=True)
    agents = Path("/usr/lib/ocf/resource.d")
    original = Path("/run/ocf-original")
    original.mkdir()
    _run("mount", "--bind", str(agents), str(original))
    _run("mount", "-t", "tmpfs", "-o", "mode=755", "agents", str(agents))
    for provider in original.iterdir():
        (agents / provider.name).mkdir()
        _run("mount", "--bind", str(provider), str(agents / provider.name))
    recorded = agents / "recorded"
    recorded.mkdir()
    for name in ("IPaddr2", "nginx", "Stateful", "Dummy", "ping"):
        (recorded / name).write_text(RECORDER.replace('"$LOG"', str(cluster.log)))
        (recorded / name).chmod(0o755)
    # Daemons that run as hacluster must be able to read this Python; it may live in a folder of root's.
    closed = _enterable(Path(sys.base_prefix) / "lib")
    if closed is not None:
        kept = Path("/run/python")
        kept.mkdir()
        _run("mount", "--bind", sys.base_prefix, str(kept))
        _run("mount", "-t", "tmpfs", "-o", "mode=755", "home", str(closed))
        Path(sys.base_prefix).mkdir(parents=True)
        _run("mount", "--bind", str(kept), sys.base_prefix)


def _boot(cluster: NamespaceCluster, node: str, prepare: Callable[[str], None] | None) -> int:
    """Become a node: called in a child of its supervisor; returns when the node has ended."""
    ready_read, ready_write = os.pipe()
    go_read, go_write = os.pipe()
    init = os.fork()
    if init == 0:
        status = 70
        try:
            _unshare(_CLONE_NEWNS | _CLONE_NEWUTS | _CLONE_NEWIPC | _CLONE_NEWNET | _CLONE_NEWPID)
            first = os.fork()
            if first == 0:
                os.close(ready_read)
                os.read(go_read, 1)
                status = _be_init(cluster, node, prepare)
            else:
                new = cluster.folder / node / "init.pid.new"
                new.write_text(str(first))
                new.replace(cluster.folder / node / "init.pid")  # nobody reads half of it
                os.write(ready_write, b"1")
                _, result = os.waitpid(first, 0)
                status = os.waitstatus_to_exitcode(result) & 0xFF
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(ready_write)
    if not os.read(ready_read, 1):
        return 70
    number = cluster.nodes.index(node) + 1
    pid = cluster.pid_inside(node)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGTERM))
    _ip(cluster.switch, "link", "del", node, check=False)
    mac = f"02:00:00:00:0b:{number:02x}"
    _ip(cluster.switch, "link", "add", node, "type", "veth", "peer", "name", "eth0", "address", mac, "netns", str(pid))
    _ip(cluster.switch, "link", "set", node, "master", "br0", "up")
    os.write(go_write, b"1")
    _, result = os.waitpid(init, 0)
    return os.waitstatus_to_exitcode(result) & 0xFF


def _be_init(cluster: NamespaceCluster, node: str, prepare: Callable[[str], None] | None) -> int:
    """PID 1 of a node: set it up, run pacemakerd, reap what is left behind."""
    _prepare_mounts(cluster, node)
    _run("hostname", node)
    _run("ip", "link", "set", "lo", "up")
    _run("ip", "address", "add", f"{cluster.address(node)}/24", "dev", "eth0")
    _run("ip", "link", "set", "eth0", "up")
    Path("/etc/corosync/corosync.conf").write_text(cluster.corosync_conf())
    key = Path("/etc/corosync/authkey")
    if not key.exists():
        key.write_bytes((cluster.folder / "authkey").read_bytes())
        key.chmod(0o400)
    if cluster.original:
        _prepare_original(cluster)
    if prepare is not None:
        prepare(node)
    environment = {
        "PATH": cluster.programs,
        "HOME": "/run/home",
        "LC_ALL": "C",
        "PYTHONDONTWRITEBYTECODE": "1",
        **cluster.environment,
    }
    if cluster.original:
        command = ["sh", "-c", ORIGINAL_MAIN]
    else:
        command = [sys.executable, str(SOURCE / "bin" / "pacemakerd"), "-f"]
    main = subprocess.Popen(command, env=environment, cwd="/")
    signal.signal(signal.SIGTERM, lambda *_: main.send_signal(signal.SIGTERM))
    while True:
        pid, status = os.wait()
        if pid == main.pid:
            return os.waitstatus_to_exitcode(status) & 0xFF


def _prepare_original(cluster: NamespaceCluster) -> None:
    """Make what Debian's packages would have made below the private /var, and let them find our fence agent."""
    for name, mode in (("cib", 0o750), ("pengine", 0o750), ("blackbox", 0o750), ("cores", 0o750)):
        folder = Path("/var/lib/pacemaker", name)
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(mode)
        _run("chown", "hacluster:haclient", str(folder))
    for folder in (Path("/var/lib/corosync"), Path("/var/log/corosync"), Path("/var/log/pacemaker")):
        folder.mkdir(parents=True, exist_ok=True)
    _run("chown", "hacluster:haclient", "/var/log/pacemaker", "/var/lib/pacemaker")
    agent = SOURCE / "lib/hatools/agents/shipped/fence/fence_lab"
    _run("mount", "--bind", str(agent), "/usr/sbin/fence_dummy")


@contextlib.contextmanager
def namespace_cluster(
    size: int = 3,
    *,
    token_ms: int = 1000,
    prepare: Callable[[str], None] | None = None,
    original: bool = False,
) -> Iterator[NamespaceCluster]:
    """Bring up nodes, switch and client; take everything down at the end, whatever happened.

    ``prepare(node)`` runs inside each node at every boot, before its daemons start.
    """
    folder = Path(tempfile.mkdtemp(prefix="hatools-spaces-"))
    folder.chmod(0o755)
    tag = f"{os.getpid() % 100000}"
    cluster = NamespaceCluster(folder, size, token_ms, switch=f"hatsw{tag}", client=f"hatcl{tag}", original=original)
    cluster.control.mkdir()
    cluster.log.touch()
    cluster.log.chmod(0o666)
    (folder / "authkey").write_bytes(os.urandom(256))
    supervisors: list[int] = []
    try:
        _make_switch(cluster)
        for node in cluster.nodes:
            (folder / node).mkdir()
            supervisors.append(_fork_supervisor(cluster, node, prepare))
        wait_until(lambda: all((cluster.control / f"{node}.sock").exists() for node in cluster.nodes), 20.0)
        wait_until(lambda: all((folder / node / "init.pid").exists() for node in cluster.nodes), 20.0)
        with watched(cluster.cluster_logs, lambda node, line: cluster.on(node, *line.split(), check=False, timeout=15)):
            yield cluster
    finally:
        _take_down(cluster, supervisors)


def _make_switch(cluster: NamespaceCluster) -> None:
    _run("ip", "netns", "add", cluster.switch)
    _ip(cluster.switch, "link", "add", "br0", "type", "bridge")
    _ip(cluster.switch, "link", "set", "br0", "up")
    _run("ip", "netns", "add", cluster.client)
    _ip(cluster.switch, "link", "add", "client", "type", "veth", "peer", "name", "eth0", "netns", cluster.client)
    _ip(cluster.switch, "link", "set", "client", "master", "br0", "up")
    _ip(cluster.client, "address", "add", f"{CLIENT_ADDRESS}/24", "dev", "eth0")
    _ip(cluster.client, "link", "set", "eth0", "up")
    _ip(cluster.client, "link", "set", "lo", "up")


def _fork_supervisor(cluster: NamespaceCluster, node: str, prepare: Callable[[str], None] | None) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        console = os.open(cluster.folder / node / "console.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(console, 1)
        os.dup2(console, 2)
        socket_path = cluster.control / f"{node}.sock"
        NodeSupervisor(node, socket_path, lambda: _boot(cluster, node, prepare)).run()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


def _take_down(cluster: NamespaceCluster, supervisors: list[int]) -> None:
    for node in cluster.nodes:
        with contextlib.suppress(OSError, ValueError):
            cluster.tell(node, "quit")
    for pid in supervisors:
        deadline = time.monotonic() + 10
        while os.waitpid(pid, os.WNOHANG)[0] == 0:
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)
    for name in (cluster.switch, cluster.client):
        _run("ip", "netns", "del", name, check=False)


def wait_until(condition: Callable[[], bool], timeout_s: float, interval_s: float = 0.05) -> float:
    """Wait for a condition; return the seconds it took.

    Raises:
        AssertionError: it did not come true in time.
    """
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > timeout_s:
            raise AssertionError(f"not true within {timeout_s:g} s")
        time.sleep(interval_s)
    return time.monotonic() - began
