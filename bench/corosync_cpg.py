"""Three real Corosync daemons in namespaces of their own, knet, encrypted, for ``bench.messaging``.

Run inside a fresh network namespace: ``corosync_cpg.py FOLDER TOKEN_MS``. It brings them up, with a listener on two
nodes and a sender on the first that use CPG directly, and our messaging daemons in the external style beside (roots
``FOLDER/x1`` to ``x3``); says ``ready``, and passes lines ``SIZE COUNT OUTSTANDING`` on to the sender, which answers
with ``MESSAGES_PER_S OWN_DELIVERY_S``. Ends with its input.
"""

import ctypes
import os
import select
import statistics
import subprocess
import sys
import time
from pathlib import Path

NODES = (1, 2, 3)


class Name(ctypes.Structure):
    """cpg_name."""

    _fields_ = [("length", ctypes.c_uint32), ("value", ctypes.c_char * 128)]


class Vector(ctypes.Structure):
    """iovec."""

    _fields_ = [("base", ctypes.c_char_p), ("length", ctypes.c_size_t)]


DELIVER = ctypes.CFUNCTYPE(
    None, ctypes.c_uint64, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_size_t
)


class Callbacks(ctypes.Structure):
    """cpg_callbacks_t; the membership callback is not needed."""

    _fields_ = [("deliver", DELIVER), ("changed", ctypes.c_void_p)]


class Group:
    """A member of one CPG group that counts deliveries."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL("libcpg.so.4")
        self.library.cpg_dispatch.argtypes = [ctypes.c_uint64, ctypes.c_int]
        self.library.cpg_join.argtypes = [ctypes.c_uint64, ctypes.POINTER(Name)]
        self.library.cpg_fd_get.argtypes = [ctypes.c_uint64, ctypes.POINTER(ctypes.c_int)]
        self.library.cpg_mcast_joined.argtypes = [ctypes.c_uint64, ctypes.c_int, ctypes.POINTER(Vector), ctypes.c_uint]
        self.delivered = 0
        self.handle = ctypes.c_uint64()
        self._callback = DELIVER(self._on_deliver)
        self._callbacks = Callbacks(self._callback, None)
        self._wait(lambda: self.library.cpg_initialize(ctypes.byref(self.handle), ctypes.byref(self._callbacks)))
        name = Name(5, b"bench")
        self._wait(lambda: self.library.cpg_join(self.handle, ctypes.byref(name)))
        descriptor = ctypes.c_int()
        self.library.cpg_fd_get(self.handle, ctypes.byref(descriptor))
        self.descriptor = descriptor.value

    def _on_deliver(self, *_: object) -> None:
        self.delivered += 1

    @staticmethod
    def _wait(call: object) -> None:
        for _ in range(1000):
            if call() == 1:  # type: ignore[operator]
                return
            time.sleep(0.02)
        raise RuntimeError("corosync does not answer")

    def dispatch(self, timeout_s: float) -> None:
        if select.select([self.descriptor], [], [], timeout_s)[0]:
            self.library.cpg_dispatch(self.handle, 2)

    def send(self, payload: bytes) -> bool:
        vector = Vector(payload, len(payload))
        return bool(self.library.cpg_mcast_joined(self.handle, 2, ctypes.byref(vector), 1) == 1)

    def flood(self, size: int, count: int, outstanding: int) -> tuple[float, float]:
        payload = bytes(size)
        first, sent, taken, stamps = self.delivered, 0, [], []
        begin = time.perf_counter()
        while self.delivered - first < count:
            while sent < count and sent - (self.delivered - first) < outstanding and self.send(payload):
                stamps.append(time.perf_counter())
                sent += 1
            before = self.delivered - first
            self.dispatch(0.01)
            now = time.perf_counter()
            taken += [now - stamps[index] for index in range(before, self.delivered - first)]
        return count / (time.perf_counter() - begin), statistics.median(taken)


def _listen() -> None:
    group = Group()
    print("ready", flush=True)
    while True:
        group.dispatch(1.0)


def _configure(folder: Path, token_ms: str) -> None:
    nodes = "".join(f"node {{\n nodeid: {n}\n name: n{n}\n ring0_addr: 10.7.7.{n}\n}}\n" for n in NODES)
    (folder / "authkey").write_bytes(os.urandom(256))
    for number in NODES:
        state = folder / f"state{number}"
        state.mkdir()
        (folder / f"conf{number}").write_text(
            f"totem {{\n version: 2\n cluster_name: bench\n transport: knet\n token: {token_ms}\n"
            f" crypto_cipher: aes256\n crypto_hash: sha256\n keyfile: {folder}/authkey\n}}\n"
            f"nodelist {{\n{nodes}}}\nquorum {{\n provider: corosync_votequorum\n}}\n"
            f"logging {{\n to_stderr: yes\n to_syslog: no\n}}\nsystem {{\n sched_rr: no\n state_dir: {state}\n}}\n"
        )


def _in_namespace(pid: int, *command: str) -> list[str]:
    return ["nsenter", "-t", str(pid), "-n", "-m", *command]


def _make_node(number: int, pid: int) -> None:
    peer = ["type", "veth", "peer", "name", "eth0", "netns", str(pid)]
    subprocess.run(["ip", "link", "add", f"v{number}", *peer], check=True)
    subprocess.run(["ip", "link", "set", f"v{number}", "master", "br0", "up"], check=True)
    for words in ("link set lo up", "link set eth0 up", f"addr add 10.7.7.{number}/24 dev eth0"):
        subprocess.run(_in_namespace(pid, "ip", *words.split()), check=True)


def _start_ours(folder: Path, number: int, pid: int) -> "subprocess.Popen[bytes]":
    root = folder / f"x{number}"
    for name in ("run/hatools", "var/log/pacemaker", "var/lib/corosync"):
        (root / name).mkdir(parents=True)
    (root / "run/hatools").chmod(0o700)
    environment = {**os.environ, "HATOOLS_ROOT": str(root), "HATOOLS_MESSAGING": "external"}
    command = _in_namespace(pid, sys.executable, "-m", "hatools.daemons.messaging")
    return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)


def main(folder: Path, token_ms: str) -> None:
    """Serve floods until the input ends; everything started ends with us."""
    _configure(folder, token_ms)
    children: list[subprocess.Popen[bytes]] = []
    subprocess.run(["ip", "link", "add", "br0", "type", "bridge"], check=True)
    subprocess.run(["ip", "link", "set", "br0", "up"], check=True)
    holders = {}
    try:
        for number in NODES:
            holder = subprocess.Popen(["unshare", "-n", "-m", "sh", "-c", "mount -t tmpfs run /run && exec sleep 3600"])
            children.append(holder)
            holders[number] = holder.pid
        time.sleep(0.3)
        for number, pid in holders.items():
            _make_node(number, pid)
            with (folder / f"log{number}").open("wb") as log:
                corosync = _in_namespace(pid, "corosync", "-f", "-c", str(folder / f"conf{number}"))
                children.append(subprocess.Popen(corosync, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        time.sleep(4)
        children += [_start_ours(folder, number, pid) for number, pid in holders.items()]
        listeners = [
            subprocess.Popen(
                _in_namespace(holders[number], sys.executable, __file__, "listen"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
            )
            for number in NODES[1:]
        ]
        children += listeners
        for listener in listeners:
            assert listener.stdout is not None and listener.stdout.readline() == b"ready\n"
        subprocess.run(_in_namespace(holders[1], sys.executable, __file__, "send"), check=True)
    finally:
        for child in reversed(children):
            child.terminate()
        for child in children:
            child.wait()


def _send() -> None:
    group = Group()
    print("ready", flush=True)
    for line in sys.stdin:
        size, count, outstanding = map(int, line.split())
        rate, own = group.flood(size, count, outstanding)
        print(rate, own, flush=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["listen"]:
            _listen()
        case ["send"]:
            _send()
        case [place, token]:
            main(Path(place), token)
