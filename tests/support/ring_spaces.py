"""Messaging daemons in network namespaces: real interfaces, filters, and a relay that delays. Needs root.

Every node is a namespace with one interface per link (``net0``, ``net1``), all of a link on one bridge, which is in a
namespace of its own. With a :class:`Relay` instead of a bridge, frames are delayed and overtake each other.
"""

import contextlib
import heapq
import itertools
import os
import random
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from hatools.ipc.clients.messaging import BlockingMessaging
from hatools.ipc.messages.messaging import RingState
from hatools.runtime.directories import Directories
from hatools.values.errors import DisconnectedError

LIB = Path(__file__).resolve().parents[2] / "lib"
KEY = random.Random(11).randbytes(256)
_numbers = itertools.count(1)


def ip(*words: str, check: bool = True) -> None:
    """Run ip(8)."""
    subprocess.run(["ip", *words], check=check, capture_output=True, timeout=20)


class RingSpaces:
    """Nodes 1 to ``count``, each in a namespace, with ``links`` interfaces."""

    def __init__(self, folder: Path, count: int = 3, links: int = 1, *, bridged: bool = True) -> None:
        self.folder = folder
        self.count = count
        self.links = links
        self.processes: dict[int, subprocess.Popen[bytes]] = {}
        self._prefix = f"hr{os.getpid()}x{next(_numbers)}"
        self._bridged = bridged
        self.switch = f"{self._prefix}s"

    def space(self, number: int) -> str:
        """Return the name of a node's namespace."""
        return f"{self._prefix}n{number}"

    def address(self, number: int, link: int = 0) -> str:
        """Return a node's address on a link."""
        return f"10.98.{link}.{number}"

    def port(self, number: int, link: int = 0) -> str:
        """Return the name of the switch's end of a node's link."""
        return f"p{link}n{number}"

    def make(self) -> None:
        """Make namespaces and links."""
        ip("netns", "add", self.switch)
        for link in range(self.links):
            if self._bridged:
                ip("-n", self.switch, "link", "add", f"br{link}", "type", "bridge", "mcast_snooping", "0")
                ip("-n", self.switch, "link", "set", f"br{link}", "up")
        for number in range(1, self.count + 1):
            space = self.space(number)
            ip("netns", "add", space)
            ip("-n", space, "link", "set", "lo", "up")
            for link in range(self.links):
                port = self.port(number, link)
                ip("-n", self.switch, "link", "add", port, "type", "veth", "peer", "name", f"net{link}", "netns", space)
                ip("-n", space, "addr", "add", f"{self.address(number, link)}/24", "dev", f"net{link}")
                ip("-n", space, "link", "set", f"net{link}", "up")
                if self._bridged:
                    ip("-n", self.switch, "link", "set", port, "master", f"br{link}")
                ip("-n", self.switch, "link", "set", port, "up")

    def remove(self) -> None:
        """Kill the daemons and remove the namespaces."""
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()
        for space in (self.switch, *(self.space(number) for number in range(1, self.count + 1))):
            ip("netns", "delete", space, check=False)

    def directories(self, number: int) -> Directories:
        """Return a node's folders."""
        return Directories(self.folder / f"n{number}")

    def log(self, number: int) -> str:
        """Return a node's log."""
        return self.directories(number).log_file.read_text()

    def configure(self, totem: str = "", token_ms: int = 1000) -> None:
        """Write every node's corosync.conf and key."""
        nodes = ""
        for number in range(1, self.count + 1):
            addresses = "".join(f" ring{link}_addr: {self.address(number, link)}\n" for link in range(self.links))
            nodes += f"node {{\n nodeid: {number}\n name: n{number}\n{addresses}}}\n"
        text = (
            f"totem {{\n version: 2\n cluster_name: spaces\n token: {token_ms}\n{totem}}}\nnodelist {{\n{nodes}}}\n"
            "quorum {\n provider: corosync_votequorum\n}\n"
        )
        for number in range(1, self.count + 1):
            directories = self.directories(number)
            directories.prepare()
            directories.corosync_conf.parent.mkdir(parents=True, exist_ok=True)
            directories.corosync_conf.write_text(text)
            directories.corosync_authkey.write_bytes(KEY)
            directories.corosync_authkey.chmod(0o400)

    def start(self) -> None:
        """Start all daemons."""
        for number in range(1, self.count + 1):
            environment = {
                "HATOOLS_ROOT": str(self.directories(number).root),
                "HATOOLS_NODE_NAME": f"n{number}",
                "PYTHONPATH": str(LIB),
                "PATH": os.environ["PATH"],
            }
            command = ["ip", "netns", "exec", self.space(number), sys.executable, "-m", "hatools.daemons.messaging"]
            self.processes[number] = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)

    def filter(self, number: int, *rule: str) -> None:
        """Add a rule to a node's filter."""
        command = ["ip", "netns", "exec", self.space(number), "iptables", "-w", *rule]
        subprocess.run(command, check=True, capture_output=True, timeout=20)

    def set_port(self, number: int, state: str, link: int = 0) -> None:
        """Put the switch's end of a node's link up or down."""
        ip("-n", self.switch, "link", "set", self.port(number, link), state)

    def describe(self, number: int) -> RingState | None:
        """Return what a node says about the ring."""
        try:
            messaging = BlockingMessaging(self.directories(number), name="test")
        except DisconnectedError:
            return None
        with contextlib.closing(messaging):
            return messaging.describe()

    def members(self, number: int) -> set[int]:
        """Return who is in a node's view."""
        state = self.describe(number)
        return {member.id for member in state.members} if state else set()

    def wait_together(self, deadline_s: float = 10.0) -> None:
        """Wait until all share one view of all."""
        everybody = set(range(1, self.count + 1))
        end = time.monotonic() + deadline_s
        while not all(self.members(number) == everybody for number in everybody):
            assert time.monotonic() < end, "no common ring: " + self.log(1)[-2000:]
            time.sleep(0.05)


@contextlib.contextmanager
def ring_spaces(folder: Path, count: int = 3, links: int = 1, *, bridged: bool = True) -> Iterator[RingSpaces]:
    """Make nodes, and remove them afterwards."""
    spaces = RingSpaces(folder, count, links, bridged=bridged)
    try:
        spaces.make()
        yield spaces
    finally:
        spaces.remove()


class Relay(threading.Thread):
    """Carries frames between the ports of a switch, each after a time of its own.

    Args:
        delay_s: least and longest time.
    """

    def __init__(self, spaces: RingSpaces, delay_s: tuple[float, float]) -> None:
        super().__init__(daemon=True)
        self.carried = 0
        self._delay_s = delay_s
        self._dice = random.Random(5)
        self._ended = threading.Event()
        self._sockets = _packet_sockets(spaces)

    def run(self) -> None:
        """Carry frames until :meth:`end`."""
        waiting: list[tuple[float, int, socket.socket, bytes]] = []
        serial = itertools.count()
        while not self._ended.is_set():
            now = time.monotonic()
            while waiting and waiting[0][0] <= now:
                _, _, target, frame = heapq.heappop(waiting)
                with contextlib.suppress(OSError):
                    target.send(frame)
                self.carried += 1
            pause = min(waiting[0][0] - now, 0.05) if waiting else 0.05
            for source in select.select(self._sockets, [], [], max(pause, 0))[0]:
                frame, address = source.recvfrom(65536)
                if address[2] == socket.PACKET_OUTGOING:
                    continue
                frame = _without_checksum(frame)
                for target in self._sockets:
                    if target is not source:
                        due = time.monotonic() + self._dice.uniform(*self._delay_s)
                        heapq.heappush(waiting, (due, next(serial), target, frame))

    def end(self) -> None:
        """Stop carrying."""
        self._ended.set()
        self.join(5)
        for one in self._sockets:
            one.close()


def _without_checksum(frame: bytes) -> bytes:
    """Return a frame without UDP checksum: on a virtual link it is left to hardware that is not there."""
    if frame[12:14] == b"\x08\x00" and frame[23] == socket.IPPROTO_UDP:
        place = 14 + 4 * (frame[14] & 15) + 6
        return frame[:place] + bytes(2) + frame[place + 2 :]
    return frame


def _packet_sockets(spaces: RingSpaces) -> list[socket.socket]:
    """Return a raw socket for each port, opened inside the switch's namespace."""
    made: list[socket.socket] = []

    def open_all() -> None:
        with open(f"/run/netns/{spaces.switch}") as space:
            _setns(space.fileno())
        for number in range(1, spaces.count + 1):
            one = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3))
            one.bind((spaces.port(number), 0))
            made.append(one)

    # A thread has a network namespace of its own; this one ends with it.
    opener = threading.Thread(target=open_all)
    opener.start()
    opener.join()
    return made


def _setns(descriptor: int) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, 0x40000000):
        raise OSError(ctypes.get_errno(), "setns")
