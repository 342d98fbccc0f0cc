"""Corosync's CPG under the same load, for ``bench.messaging``: three nodes in namespaces of their own, knet, encrypted.

Run inside a fresh network namespace: ``corosync_cpg.py FOLDER TOKEN_MS SIZE:COUNT:OUTSTANDING ...``; prints
``SIZE MESSAGES_PER_S OWN_DELIVERY_S`` for each load.
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
ONLY_BY_NAME = True


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


def main(folder: Path, token_ms: str, loads: list[str]) -> None:
    """Measure and print; everything started ends with us."""
    _configure(folder, token_ms)
    children: list[subprocess.Popen[bytes]] = []
    subprocess.run(["ip", "link", "add", "br0", "type", "bridge"], check=True)
    subprocess.run(["ip", "link", "set", "br0", "up"], check=True)
    holders = {}
    try:
        for number in NODES:
            holder = subprocess.Popen(["unshare", "-n", "-m", "sh", "-c", "mount -t tmpfs run /run && exec sleep 600"])
            children.append(holder)
            holders[number] = holder.pid
        time.sleep(0.3)
        for number, pid in holders.items():
            peer = ["type", "veth", "peer", "name", "eth0", "netns", str(pid)]
            subprocess.run(["ip", "link", "add", f"v{number}", *peer], check=True)
            subprocess.run(["ip", "link", "set", f"v{number}", "master", "br0", "up"], check=True)
            for words in ("link set lo up", "link set eth0 up", f"addr add 10.7.7.{number}/24 dev eth0"):
                subprocess.run(_in_namespace(pid, "ip", *words.split()), check=True)
            with (folder / f"log{number}").open("wb") as log:
                corosync = _in_namespace(pid, "corosync", "-f", "-c", str(folder / f"conf{number}"))
                environment = {**os.environ, "HOSTNAME": f"n{number}"}
                children.append(subprocess.Popen(corosync, env=environment, stdout=log, stderr=log))
        time.sleep(4)
        listeners = [
            subprocess.Popen(_in_namespace(holders[number], sys.executable, __file__, "listen"), stdout=subprocess.PIPE)
            for number in NODES[1:]
        ]
        children += listeners
        for listener in listeners:
            assert listener.stdout is not None and listener.stdout.readline() == b"ready\n"
        sender = _in_namespace(holders[1], sys.executable, __file__, "send", *loads)
        print(subprocess.run(sender, check=True, capture_output=True, text=True, timeout=120).stdout, end="")
    finally:
        for child in reversed(children):
            child.terminate()
        for child in children:
            child.wait()


def _send(loads: list[str]) -> None:
    group = Group()
    for load in loads:
        size, count, outstanding = map(int, load.split(":"))
        rate, _ = group.flood(size, count, outstanding)
        _, own = group.flood(size, 300, 1)
        print(size, rate, own, flush=True)


def run() -> None:
    """It is no benchmark by itself."""
    print("bench.corosync_cpg is a part of bench.messaging")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["listen"]:
            _listen()
        case ["send", *given]:
            _send(given)
        case [place, token, *given]:
            main(Path(place), token, given)
