"""Real heartbeat daemons and hatools messaging daemons on one network of namespaces. Needs root.

A real heartbeat calls reboot(2) itself when something goes wrong. So it runs without CAP_SYS_BOOT, as the first
process of a PID namespace (where reboot(2) would end that namespace only), with its own mounts, network and host
name. Its files come from Debian's packages, unpacked beside the system if they are not installed.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hatools.ipc.blocking import BlockingConnection
from hatools.ipc.messages.messaging import DescribeHeartbeat, DescribeRing, HeartbeatState, RingState, SetFault
from hatools.runtime.directories import Directories
from hatools.values.errors import HatoolsError
from hatools.values.nodenumber import number_of_name
from tests.support import requires

SOURCE = Path(__file__).resolve().parents[2]
NETWORK = "10.87.6"
PORT = 694
KEYS = "auth 1\n1 sha1 InteropTestKey\n2 md5 OtherInteropKey\n"
_PROGRAM = "usr/libexec/heartbeat/heartbeat"
_PACKAGES = ("heartbeat", "libheartbeat2")
_TREE_VARIABLE = "HATOOLS_HEARTBEAT_TREE"

_NODE = """\
set -e
mount --make-rprivate /
hostname "$NAME"
mount -t proc proc /proc
if [ "$TREE" != / ]; then mount -t overlay heartbeat -o "lowerdir=$TREE/usr:/usr" /usr; fi
mount -t tmpfs -o mode=755 run /run
mkdir -p /run/heartbeat/ccm /run/heartbeat/crm /run/heartbeat/rsctmp /run/lock
mount --bind "$FOLDER/ha.d" /etc/ha.d
mount --bind "$FOLDER/varlib" /var/lib/heartbeat
mount --bind "$FOLDER/log" /var/log
chown hacluster:haclient /run/heartbeat/ccm /run/heartbeat/crm
exec capsh --drop=cap_sys_boot -- -c '
    /usr/libexec/heartbeat/heartbeat; echo "rc=$?"
    while sleep 1000; do :; done'
"""


def heartbeat_tree() -> Path:
    """Return the folder below which the real heartbeat is installed: ``/``, or packages unpacked elsewhere."""
    requires.root()
    requires.program("unshare")
    requires.program("capsh", "libcap2-bin")
    if (Path("/") / _PROGRAM).exists():
        return Path("/")
    requires.file("/usr/lib/libplumb.so.2", "cluster-glue")
    tree = Path(os.environ.get(_TREE_VARIABLE) or Path(tempfile.gettempdir()) / f"hatools-heartbeat-{os.geteuid()}")
    if not (tree / _PROGRAM).exists():
        _unpack(tree)
    return tree


def _unpack(tree: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for command in (["apt-get", "download", *_PACKAGES],):
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
            if done.returncode != 0:
                requires.missing(f"Debian's package heartbeat cannot be had: {done.stderr.strip()[-200:]}")
        tree.mkdir(parents=True, exist_ok=True)
        for package in Path(folder).glob("*.deb"):
            subprocess.run(["dpkg", "-x", str(package), str(tree)], check=True, timeout=60)


def _run(*words: str, check: bool = True) -> str:
    done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False, stdin=subprocess.DEVNULL)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(words)}: {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def wait_until(condition: Callable[[], bool], deadline_s: float, what: object = "") -> float:
    """Wait for a condition; return the seconds it took."""
    begin = time.monotonic()
    while not condition():
        if time.monotonic() - begin > deadline_s:
            said = what() if callable(what) else what
            raise AssertionError(f"not true within {deadline_s:g} s: {said}")
        time.sleep(0.05)
    return time.monotonic() - begin


def ha_cf(nodes: list[str], media: str, **more: str) -> str:
    """Return a ha.cf with short times; ``more`` are further directives."""
    lines = {
        "use_logd": "off",
        "logfacility": "none",
        "logfile": "/var/log/ha-log",
        "keepalive": "500ms",
        "warntime": "2",
        "deadtime": "4",
        "initdead": "10",
        "realtime": "off",
        "auto_failback": "off",
        "autojoin": "none",
        **more,
    }
    text = "".join(f"{name} {value}\n" for name, value in lines.items())
    return f"{text}{media}\n" + "".join(f"node {node}\n" for node in nodes)


@dataclass
class Segment:
    """A network segment: a bridge in a namespace of its own, and a namespace for every node."""

    folder: Path
    names: list[str]
    tag: str = ""
    devices: tuple[str, ...] = ("eth0",)
    """Every node's interfaces; each is on a bridge of its own."""
    real: dict[str, "RealNode"] = field(default_factory=dict)
    ours: dict[str, "OurNode"] = field(default_factory=dict)
    relays: list["Relay"] = field(default_factory=list)

    def address(self, name: str) -> str:
        return f"{NETWORK}.{self.names.index(name) + 1}"

    def namespace(self, name: str) -> str:
        return f"hb{self.tag}{name}"

    def open(self) -> None:
        _run("ip", "netns", "add", self.switch)
        for number, _ in enumerate(self.devices):
            _run("ip", "-n", self.switch, "link", "add", f"br{number}", "type", "bridge", "mcast_snooping", "0")
            _run("ip", "-n", self.switch, "link", "set", f"br{number}", "up")
        for name in self.names:
            space = self.namespace(name)
            _run("ip", "netns", "add", space)
            _run("ip", "-n", space, "link", "set", "lo", "up")
            for number, device in enumerate(self.devices):
                self._plug(name, number, device)

    def _plug(self, name: str, number: int, device: str) -> None:
        space, plug = self.namespace(name), self.plug(name, number)
        address = self.address(name).replace(NETWORK, f"{NETWORK.rpartition('.')[0]}.{6 + number}")
        _run("ip", "-n", self.switch, "link", "add", plug, "type", "veth", "peer", "name", device, "netns", space)
        _run("ip", "-n", self.switch, "link", "set", plug, "master", f"br{number}", "up")
        _run("ip", "netns", "exec", space, "sysctl", "-q", f"net.ipv6.conf.{device}.accept_dad=0")
        _run("ip", "-n", space, "address", "add", f"{address}/24", "broadcast", "+", "dev", device)
        _run("ip", "-n", space, "link", "set", device, "up")

    def plug(self, name: str, number: int) -> str:
        """Return the name of a node's plug at the switch."""
        return f"{name}.{number}"

    def run_in(self, name: str, *words: str) -> str:
        """Run a command in a node's network namespace; return what it printed."""
        return _run("ip", "netns", "exec", self.namespace(name), *words)

    @property
    def switch(self) -> str:
        return f"hb{self.tag}switch"

    def set_link(self, name: str, state: str, number: int = 0) -> None:
        """Take one of a node's cables out (``down``) or put it back (``up``)."""
        _run("ip", "-n", self.switch, "link", "set", self.plug(name, number), state)

    def close(self) -> None:
        for node in self.real.values():
            node.kill()
        for ours in self.ours.values():
            ours.kill()
        for relay in self.relays:
            relay.close()
        for space in (self.switch, *map(self.namespace, self.names)):
            _run("ip", "netns", "del", space, check=False)

    def start_real(self, name: str, configuration: str, keys: str = KEYS) -> "RealNode":
        node = self.real[name] = RealNode(self, name, configuration, keys)
        node.start()
        return node

    def start_ours(self, name: str, configuration: str, keys: str = KEYS) -> "OurNode":
        node = self.ours[name] = OurNode(self, name, configuration, keys)
        node.start()
        return node

    def start_relay(self, name: str, between: tuple[str, str]) -> "Relay":
        relay = Relay(self, name, between)
        self.relays.append(relay)
        return relay


class RealNode:
    """A real heartbeat daemon in its namespaces."""

    def __init__(self, segment: Segment, name: str, configuration: str, keys: str) -> None:
        self._segment = segment
        self.name = name
        self.folder = segment.folder / f"real-{name}"
        for part in ("ha.d", "varlib", "log"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        (self.folder / "ha.d/ha.cf").write_text(configuration)
        (self.folder / "ha.d/haresources").write_text("")
        key_file = self.folder / "ha.d/authkeys"
        key_file.write_text(keys)
        key_file.chmod(0o600)
        tree = heartbeat_tree()
        for part in ("harc", "rc.d"):
            source, target = tree / "etc/ha.d" / part, self.folder / "ha.d" / part
            if source.is_dir() and not target.exists():
                shutil.copytree(source, target)
            elif source.is_file():
                shutil.copy(source, target)
        self._environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "NAME": name,
            "FOLDER": str(self.folder),
            "TREE": str(tree),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = ["ip", "netns", "exec", self._segment.namespace(self.name)]
        command += ["unshare", "-m", "-u", "-p", "-f", "--kill-child=KILL", "--", "/bin/sh", "-c", _NODE]
        console = (self.folder / "console").open("ab")
        self._process = subprocess.Popen(
            command, env=self._environment, stdin=subprocess.DEVNULL, stdout=console, stderr=console
        )
        wait_until(lambda: "rc=" in self.console(), 20, self.console)

    def console(self) -> str:
        return (self.folder / "console").read_text(errors="replace")

    def log(self) -> str:
        path = self.folder / "log/ha-log"
        return path.read_text(errors="replace") if path.exists() else ""

    def on(self, *words: str, errors: bool = True) -> tuple[int, str]:
        """Run a command inside; return its exit code and what it printed, on both outputs or on the first."""
        assert self._process is not None
        child = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()[0]
        command = ["nsenter", "-t", child, "-m", "-u", "-n", "-p", "--", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False, env=self._environment)
        return done.returncode, done.stdout + (done.stderr if errors else "")

    def status_of(self, node: str) -> str:
        return self.on("cl_status", "nodestatus", node)[1].strip()

    def kill(self) -> None:
        """End everything in the namespace at once, as a power cut does."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


class OurNode:
    """A hatools messaging daemon in a network namespace, with a root of its own."""

    def __init__(self, segment: Segment, name: str, configuration: str, keys: str) -> None:
        self._segment = segment
        self.name = name
        self.directories = Directories(segment.folder / f"our-{name}")
        self.directories.prepare()
        folder = self.directories.heartbeat
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "ha.cf").write_text(configuration)
        key_file = folder / "authkeys"
        key_file.write_text(keys)
        key_file.chmod(0o600)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {
            "HATOOLS_ROOT": str(self.directories.root),
            "HATOOLS_NODE_NAME": self.name,
            "HATOOLS_MESSAGING": "heartbeat",
            "PYTHONPATH": str(SOURCE / "lib"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PATH": os.environ["PATH"],
        }
        self._process = subprocess.Popen(
            [
                "ip", "netns", "exec", self._segment.namespace(self.name),
                sys.executable, "-m", "hatools.daemons.messaging",
            ],
            env=environment,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_until(lambda: self.ask() is not None or self.has_ended(), 20, self.log)
        assert not self.has_ended(), self.log()

    def rejected(self) -> int:
        """Return how many datagrams the node has ignored."""
        ring = self.ring()
        return int(ring.settings["stats.heartbeat.rejected_datagrams"]) if ring else 0

    def has_ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def log(self) -> str:
        return self.directories.log_file.read_text() if self.directories.log_file.exists() else ""

    def ask(self) -> HeartbeatState | None:
        """Return how the daemon sees the nodes; None if it does not answer."""
        answer = self._ask(DescribeHeartbeat())
        return answer if isinstance(answer, HeartbeatState) else None

    def ring(self) -> RingState | None:
        answer = self._ask(DescribeRing())
        return answer if isinstance(answer, RingState) else None

    def cl_status(self, *words: str) -> tuple[int, str]:
        """Run our cl_status as if on the node; return its exit code and what it printed on its first output."""
        environment = {**os.environ, "HATOOLS_ROOT": str(self.directories.root), "HATOOLS_NODE_NAME": self.name}
        done = subprocess.run(
            [sys.executable, str(SOURCE / "bin/cl_status"), *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        return done.returncode, done.stdout

    def set_fault(self, node: str, *, drop: bool = False, delay_ms: int = 0, loss_percent: int = 0) -> None:
        """Disturb the traffic with another node, in both directions."""
        fault = SetFault(number_of_name(node), drop, delay_ms, loss_percent)
        wait_until(lambda: self._ask(fault) is not None, 10, self.log)

    def _ask(self, message: object) -> object:
        try:
            connection = BlockingConnection(self.directories.socket("messaging"), "messaging", name="test")
        except (HatoolsError, OSError):
            return None
        try:
            return connection.request(message)
        except HatoolsError:
            return None
        finally:
            connection.close()

    def status_of(self, node: str) -> str:
        state = self.ask()
        return next((entry.status for entry in state.nodes if entry.name == node), "") if state else ""

    def stop(self) -> None:
        """Let the daemon say goodbye."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(timeout=10)

    def freeze(self, frozen: bool) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


class Relay:
    """Passes datagrams between two nodes that know only its address, and loses those that ``drops`` chooses."""

    def __init__(self, segment: Segment, name: str, between: tuple[str, str]) -> None:
        self.drops: Callable[[str, bytes], bool] = lambda source, data: False
        """Gets the sender's address and the datagram."""
        self.seen: list[tuple[str, bytes]] = []
        one, other = (segment.address(node) for node in between)
        self._peer = {one: other, other: one}
        self._stopping = threading.Event()
        self._ready = threading.Event()
        self._space = segment.namespace(name)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    def _serve(self) -> None:
        import socket

        # A thread may enter a network namespace by itself; its sockets belong there.
        with open(f"/run/netns/{self._space}", "rb") as space:
            _enter_network(space.fileno())
        relay = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        relay.bind(("0.0.0.0", PORT))
        relay.settimeout(0.1)
        self._ready.set()
        while not self._stopping.is_set():
            with contextlib.suppress(OSError):
                data, (host, _) = relay.recvfrom(65536)
                self.seen.append((host, data))
                if host in self._peer and not self.drops(host, data):
                    relay.sendto(data, (self._peer[host], PORT))
        relay.close()

    def close(self) -> None:
        self._stopping.set()
        self._thread.join(2)


def _enter_network(descriptor: int) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, 0x40000000):
        raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def segment(*names: str, devices: tuple[str, ...] = ("eth0",)) -> Iterator[Segment]:
    """Make a segment for nodes of these names; everything is gone at the end."""
    requires.root()
    requires.program("unshare")
    folder = Path(tempfile.mkdtemp(prefix="hatools-heartbeat-"))
    folder.chmod(0o755)
    made = Segment(folder, list(names), tag=str(os.getpid() % 100000), devices=devices)
    try:
        made.open()
        yield made
    finally:
        made.close()
        shutil.rmtree(folder, ignore_errors=True)
