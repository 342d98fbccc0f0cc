"""A quorum device between real daemons and an arbiter: ours, and the real corosync-qnetd."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.test_messaging import KEY, Ring, free_port, ring, wait_until
from tests.support import requires

__all__ = ["ring"]
ROOT = Path(__file__).resolve().parents[2]


class ArbiterProcess:
    """An arbiter on 127.0.0.1."""

    def __init__(self, command: list[str], port: int, environment: dict[str, str], log: Path) -> None:
        self.port = port
        self._command = command
        self._environment = environment
        self.log = log
        self.process: subprocess.Popen[bytes]
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as file:
            self.process = subprocess.Popen(self._command, env=self._environment, stdout=file, stderr=file)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def ours(folder: Path, *options: str) -> ArbiterProcess:
    port = free_port()
    environment = os.environ | {"HATOOLS_ROOT": str(folder), "PYTHONPATH": str(ROOT / "lib")}
    script = "from hatools.cli.corosync_qnetd import main; import sys; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", script, "-l", "127.0.0.1", "-p", str(port), *options]
    return ArbiterProcess(command, port, environment, folder / "qnetd.log")


def the_original(folder: Path) -> ArbiterProcess:
    program = os.environ.get("HATOOLS_QNETD") or requires.program("corosync-qnetd", "corosync-qnetd")
    port = free_port()
    # Its lock and socket are in /run/corosync-qnetd: a mount namespace keeps them to ourselves.
    script = f"mount -t tmpfs run /run && mkdir /run/corosync-qnetd && exec {program} -f -s off -l 127.0.0.1 -p {port}"
    command = ["unshare", "-m", "sh", "-c", script]
    return ArbiterProcess(command, port, dict(os.environ), folder / "qnetd.log")


def with_device(ring: Ring, count: int, port: int, net: str = "") -> None:
    """Give nodes 1 to ``count`` a configuration with a device."""
    for number in range(1, count + 1):
        ring._write(number, KEY)
        path = ring.directories(number).corosync_conf
        head, _, _ = path.read_text().partition("nodelist {")
        nodes = "".join(
            f"node {{\n nodeid: {n}\n name: n{n}\n ring0_addr: 127.0.0.{n}\n}}\n" for n in range(1, count + 1)
        )
        device = (
            " device {\n  model: net\n  votes: 1\n  timeout: 1500\n  sync_timeout: 6000\n"
            f"  net {{\n   host: 127.0.0.1\n   port: {port}\n   algorithm: ffsplit\n{net}  }}\n }}\n"
        )
        path.write_text(f"{head}nodelist {{\n{nodes}}}\nquorum {{\n provider: corosync_votequorum\n{device}}}\n")


def is_quorate(ring: Ring, number: int) -> bool:
    state = ring.describe(number)
    return state is not None and state.quorate


def total_votes(ring: Ring, number: int) -> int:
    state = ring.describe(number)
    return state.total_votes if state else 0


@pytest.fixture(params=["ours", "the original"])
def arbiter(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ArbiterProcess]:
    if request.param == "ours":
        process = ours(tmp_path, "-s", "off")
    else:
        requires.root()
        process = the_original(tmp_path)
    try:
        yield process
    finally:
        process.stop()


def test_the_survivor_of_two_nodes_keeps_quorum_by_the_arbiters_vote(ring: Ring, arbiter: ArbiterProcess) -> None:
    with_device(ring, 2, arbiter.port, "   tls: off\n")
    ring.start(1, 2)
    wait_until(lambda: total_votes(ring, 1) == 3 and total_votes(ring, 2) == 3, 15)

    ring.processes[2].kill()
    ring.wait_for({1}, 1, deadline_s=20)
    wait_until(lambda: total_votes(ring, 1) == 2, 15)

    state = ring.describe(1)
    assert state is not None
    assert (state.quorate, state.expected_votes, state.quorum) == (True, 3, 2)
    assert state.flags == ("Quorate", "Qdevice")


def test_without_its_arbiter_the_survivor_is_not_quorate_and_is_again_when_it_is_back(
    ring: Ring, arbiter: ArbiterProcess
) -> None:
    with_device(ring, 2, arbiter.port, "   tls: off\n")
    ring.start(1, 2)
    wait_until(lambda: total_votes(ring, 1) == 3, 15)

    arbiter.stop()
    wait_until(lambda: total_votes(ring, 1) == 2, 10)
    assert is_quorate(ring, 1), "both nodes are enough"
    ring.processes[2].kill()
    ring.wait_for({1}, 1, deadline_s=20)
    assert not is_quorate(ring, 1)
    arbiter.start()

    wait_until(lambda: is_quorate(ring, 1), 20)


def test_tls_with_certificates_of_our_own(ring: Ring, tmp_path: Path) -> None:
    from hatools.messaging.qdevice.keys import make_authority, make_client

    folder = tmp_path / "etc/corosync/qnetd"
    make_authority(folder)
    make_client(folder, "test", tmp_path / "cluster.pem")
    process = ours(tmp_path, "-s", "req")
    try:
        with_device(ring, 2, process.port, "   tls: required\n   certfile: /cluster.pem\n   cafile: /ca.pem\n")
        for number in (1, 2):
            root = ring.directories(number).root
            (root / "cluster.pem").write_bytes((tmp_path / "cluster.pem").read_bytes())
            (root / "ca.pem").write_bytes((folder / "ca.pem").read_bytes())
        ring.start(1, 2)

        wait_until(lambda: total_votes(ring, 1) == 3 and total_votes(ring, 2) == 3, 15)
    finally:
        process.stop()


def test_an_arbiter_of_another_authority_is_refused_by_name(ring: Ring, tmp_path: Path) -> None:
    from hatools.messaging.qdevice.keys import make_authority

    make_authority(tmp_path / "etc/corosync/qnetd")
    make_authority(tmp_path / "other")
    process = ours(tmp_path, "-s", "on", "-c", "off")
    try:
        with_device(ring, 2, process.port, "   tls: required\n   cafile: /ca.pem\n")
        for number in (1, 2):
            (ring.directories(number).root / "ca.pem").write_bytes((tmp_path / "other/ca.pem").read_bytes())
        ring.start(1, 2)

        ring.wait_for({1, 2}, 1)
        wait_until(lambda: "no connection to the arbiter 127.0.0.1: TLS failed" in ring.log(1), 15)
        assert total_votes(ring, 1) == 2
    finally:
        process.stop()
