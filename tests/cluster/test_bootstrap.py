"""`crm cluster init`, `add`, `join`, `remove`, `rename`, and the channel between the nodes. No root needed.

Three roots on addresses of their own; the tests stand in the order in which a cluster grows and shrinks.
"""

import contextlib
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hatools.ipc.clients.channel import ChannelConnection
from hatools.ipc.cluster_tls import client_context
from hatools.ipc.messages.channel import AskToJoin, CommandOutput, Membership
from hatools.ipc.stream import EnvelopeStream
from hatools.runtime.directories import Directories
from hatools.values.errors import (
    DisconnectedError,
    InputError,
    NoSuchObjectError,
    PermissionRefusedError,
    StaleError,
    UnavailableError,
)
from tests.support.lab import SOURCE

NETWORK = "127.0.43"


@dataclass(frozen=True)
class Machines:
    """Nodes that belong to no cluster yet."""

    folder: Path

    def root(self, number: int) -> Path:
        return self.folder / f"n{number}"

    def environment(self, number: int) -> dict[str, str]:
        return dict(os.environ) | {
            "HATOOLS_ROOT": str(self.root(number)),
            "HATOOLS_NODE_NAME": f"n{number}",
            "HATOOLS_KEEP_ROOT": "1",
            "HOME": str(self.folder),
            "PATH": f"{SOURCE / 'bin'}:{os.environ['PATH']}",
        }

    def start(self, number: int, *words: str) -> "subprocess.Popen[str]":
        """Start one of our commands on a node."""
        return subprocess.Popen(
            [sys.executable, str(SOURCE / "bin" / words[0]), *words[1:]],
            env=self.environment(number),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, number: int, *words: str, timeout: float = 90.0) -> tuple[int, str]:
        """Run a command on a node; return its exit status and what it printed."""
        process = self.start(number, *words)
        try:
            said, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return process.returncode, said

    def must(self, number: int, *words: str) -> str:
        status, said = self.run(number, *words)
        assert status == 0, f"{words} on n{number}: {status}: {said}"
        return said

    def files(self, number: int) -> dict[str, bytes]:
        """Return what makes a node a member."""
        folder = self.root(number) / "etc/corosync"
        return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}

    def key(self) -> bytes:
        return self.files(1)["authkey"]

    def connect(self, number: int, key: bytes | None = None) -> ChannelConnection:
        return ChannelConnection(f"n{number}", [f"{NETWORK}.{number}"], 5405, client_context(key or self.key()))

    @contextlib.contextmanager
    def invitation(self, *words: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
        """Have the first node invite; yields the process and the token."""
        process = self.start(1, "crm", "cluster", "add", *words)
        try:
            assert process.stdout is not None
            line = ""
            while "--token" not in line:
                line = process.stdout.readline()
                assert line, "the invitation ended"
            yield process, line.split()[-1]
        finally:
            process.kill()
            process.communicate()

    def join(self, number: int, token: str) -> tuple[int, str]:
        words = ("crm", "cluster", "join", "-c", f"{NETWORK}.1", "--token", token, "-i", f"{NETWORK}.{number}")
        return self.run(number, *words)

    def online(self, number: int, count: int) -> None:
        """Wait until a node sees so many members."""
        deadline = time.monotonic() + 60.0
        said = ""
        while time.monotonic() < deadline:
            said = self.run(number, "crm_node", "-p")[1]
            if len(said.split()) == count:
                return
            time.sleep(0.2)
        raise AssertionError(f"members of n{number}: {said}")


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    made = Machines(tmp_path_factory.mktemp("boot"))
    for number in (1, 2, 3):
        made.root(number).mkdir()
    try:
        yield made
    finally:
        for number in (1, 2, 3):
            with contextlib.suppress(subprocess.TimeoutExpired):
                made.run(number, "pacemakerd", "--shutdown", timeout=30.0)
            for name in ("pacemakerd", "channel"):
                with contextlib.suppress(OSError, ValueError):
                    os.kill(int(Directories(made.root(number)).pid_file(name).read_text()), signal.SIGKILL)


def test_a_cluster_of_one_starts_with_careful_defaults_and_proposes_fencing(machines: Machines) -> None:
    said = machines.must(1, "crm", "cluster", "init", "-n", "grown", "-i", f"{NETWORK}.1")
    assert "no fencing yet" in said and "stonith:fence_" in said
    assert (machines.root(1) / "etc/corosync/authkey").stat().st_mode & 0o777 == 0o400
    shown = machines.must(1, "crm", "configure", "show")
    assert "resource-stickiness=1" in shown and "cluster-name=grown" in shown
    assert "stonith-enabled" not in shown  # on, as it is by default


def test_a_second_init_is_refused(machines: Machines) -> None:
    before = machines.files(1)
    status, said = machines.run(1, "crm", "cluster", "init", "-i", f"{NETWORK}.1")
    assert status == 1 and "belongs to a cluster already" in said
    assert machines.files(1) == before


def test_wrong_tokens_change_nothing_on_either_side(machines: Machines) -> None:
    before = machines.files(1)
    with machines.invitation() as (_, token):
        port, fingerprint, secret = token.split("-")
        for wrong, answer in (
            (f"{port}-{fingerprint}-{'0' * len(secret)}", "wrong or used token"),
            (f"{port}-{'0' * len(fingerprint)}-{secret}", "not the node that made the token"),
            ("nonsense", "usage: join"),
        ):
            status, said = machines.join(2, wrong)
            assert status == 1 and answer in said
    assert machines.files(1) == before
    assert machines.files(2) == {}


def test_a_joining_node_that_dies_half_way_changes_nothing(machines: Machines) -> None:
    before = machines.files(1)
    with machines.invitation() as (invitation, token):
        port, _, secret = token.split("-")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection((f"{NETWORK}.1", int(port)), timeout=10) as plain,
            context.wrap_socket(plain) as secured,
        ):
            stream = EnvelopeStream(secured, "n1", limit=1 << 20)
            given = stream.request(AskToJoin(secret, "n2", (f"{NETWORK}.2",)), 10)
            assert isinstance(given, Membership)
        assert invitation.stdout is not None
        while "refused, nothing was changed" not in (line := invitation.stdout.readline()):
            assert line
        assert machines.files(1) == before
        # The token still works for the one it is for.
        status, said = machines.join(2, token)
        assert status == 0, said
    machines.online(1, 2)


def test_a_used_token_is_refused(machines: Machines) -> None:
    with machines.invitation() as (_, token):
        status, said = machines.join(3, token)
        assert status == 0, said
        status, said = machines.join(3, token)
        assert status == 1 and "the cluster runs on this node" in said
        machines.must(3, "crm", "cluster", "stop")
        before = machines.files(3)
        words = ("-c", f"{NETWORK}.1", "--token", token, "-y")
        status, said = machines.run(3, "crm", "cluster", "join", *words)
        assert status == 1 and "the token was used" in said
        assert machines.files(3) == before
        machines.must(3, "crm", "cluster", "start")
    for number in (1, 2, 3):
        machines.online(number, 3)
    assert machines.files(1) == machines.files(2) == machines.files(3)


def test_three_nodes_have_no_two_node(machines: Machines) -> None:
    assert machines.must(2, "crm", "corosync", "get", "quorum.two_node") == "0\n"
    assert "Quorate" in machines.must(2, "crm", "corosync", "status", "quorum")


def test_a_program_runs_on_all_nodes_or_those_named(machines: Machines) -> None:
    said = machines.must(2, "crm", "cluster", "run", "crm_node -n")
    assert said == "INFO: [n1]\nn1\nINFO: [n2]\nn2\nINFO: [n3]\nn3\n"
    assert machines.must(2, "crm", "cluster", "run", "crm_node -n", "n3") == "INFO: [n3]\nn3\n"


def test_a_program_that_fails_is_told_with_its_node(machines: Machines) -> None:
    status, said = machines.run(1, "crm", "cluster", "run", "sh -c 'echo out; echo err >&2; exit 3'", "n2")
    assert (status, said) == (1, "ERROR: [n2]: rc=3\nout\nerr\n")
    status, said = machines.run(1, "crm", "cluster", "run", "no_such_program", "n2")
    assert status == 1 and "command not found" in said
    status, said = machines.run(1, "crm", "cluster", "run", "true", "n7")
    assert status == 1 and "n7 is not configured in cluster" in said


@pytest.mark.parametrize("line", ["ls | wc", "true; reboot", "echo $(id) > /tmp/x", "true && false"])
def test_no_shell_sees_what_is_run(machines: Machines, line: str) -> None:
    status, said = machines.run(1, "crm", "cluster", "run", line)
    assert status == 1 and "for a shell" in said


def test_what_was_run_is_in_the_log_of_the_node(machines: Machines) -> None:
    machines.must(1, "crm", "cluster", "run", "echo traceable", "n3")
    assert "runs ('echo', 'traceable')" in Directories(machines.root(3)).log_file.read_text()


def test_files_are_copied_and_compared(machines: Machines) -> None:
    (machines.root(2) / "etc/motd").write_text("one\ntwo\n")
    (machines.root(2) / "etc/motd").chmod(0o640)
    assert machines.must(2, "crm", "cluster", "copy", "/etc/motd") == "INFO: n1\nINFO: n3\n"
    copy = machines.root(3) / "etc/motd"
    assert copy.read_text() == "one\ntwo\n" and copy.stat().st_mode & 0o777 == 0o640
    assert machines.must(2, "crm", "cluster", "diff", "/etc/motd") == ""
    copy.write_text("one\nTWO\n")
    assert "-TWO\n+two\n" in machines.must(2, "crm", "cluster", "diff", "/etc/motd")
    assert "-two\n+TWO\n" in machines.must(2, "crm", "cluster", "diff", "/etc/motd", "n1", "n3")
    sums = machines.must(2, "crm", "cluster", "diff", "/etc/motd", "--checksum")
    assert len(set(re.findall(r": (\w{40})$", sums, re.MULTILINE))) == 2
    status, said = machines.run(2, "crm", "cluster", "copy", "/etc/nothing")
    assert status == 1 and "no such file" in said


def test_the_ring_takes_a_setting_that_was_pushed(machines: Machines) -> None:
    machines.must(1, "crm", "corosync", "set", "totem.token", "1700")
    assert "+    token: 1700" in machines.must(1, "crm", "corosync", "diff")
    assert machines.must(1, "crm", "corosync", "push") == "INFO: n2\nINFO: n3\n"
    machines.must(1, "crm", "corosync", "reload")
    assert "totem.token (u32) = 1700" in machines.must(3, "corosync-cmapctl")
    assert "No change." in machines.must(3, "crm", "corosync", "pull", "n1")


def test_an_older_configuration_is_not_pushed_over_a_newer_one(machines: Machines) -> None:
    path = machines.root(3) / "etc/corosync/corosync.conf"
    newest = path.read_text()
    path.write_text(re.sub(r"config_version: \d+", "config_version: 1", newest))
    status, said = machines.run(3, "crm", "corosync", "push")
    assert status == 1 and said.count("is newer: config_version") == 2
    machines.must(3, "crm", "corosync", "pull", "n1")
    assert path.read_text() == newest


def test_history_and_reports_have_what_all_nodes_know(machines: Machines) -> None:
    machines.must(1, "crm", "-F", "configure", "property", "stonith-enabled=false")
    machines.must(1, "crm", "-w", "configure", "primitive", "told", "ocf:hatools:Dummy")
    machines.must(1, "crm", "-w", "resource", "restart", "told")
    info = machines.must(2, "crm", "history", "info")
    assert "Nodes: n1 n2 n3\n" in info and "Resources: told\n" in info
    events = machines.must(2, "crm", "history", "resource", "told")
    assert "Result of told_stop_0" in events and "Initiating told_start_0" in events
    assert "pe-input-" in machines.must(2, "crm", "history", "transitions")
    report = machines.folder / "report"
    machines.must(3, "crm", "report", "-f", "-1H", str(report))
    in_report = machines.must(3, "crm", "-H", f"{report}.tar.bz2", "history", "info")
    assert "Nodes: n1 n2 n3\n" in in_report
    assert "n1 " in machines.must(3, "crm", "-H", f"{report}.tar.bz2", "history", "log", "n1")
    status, said = machines.run(3, "crm", "-H", f"{report}.tar.bz2", "history", "log", "n9")
    assert status == 1 and "nothing is known of this node" in said


WIZARD = """
version: 2.2
category: Basic
shortdesc: Says who is there
parameters:
  - {name: id, type: resource, required: true}
actions:
  - call: crm_node -n
    nodes: all
  - cib: |
      primitive {{id}} ocf:hatools:Dummy
"""


def test_a_wizard_acts_on_all_nodes_and_on_the_configuration(machines: Machines) -> None:
    folder = machines.folder / "wizards"
    folder.mkdir()
    (folder / "who.yml").write_text(WIZARD)
    crm = ("crm", f"--scriptdir={folder}", "script")
    tried = machines.must(2, *crm, "run", "who", "id=wizard", "dry_run=yes")
    assert "** all - sh -c crm_node -n" in tried
    assert "wizard" not in machines.must(2, "crm", "configure", "show")
    said = machines.must(2, *crm, "run", "who", "id=wizard")
    assert sorted(set(said.split()) & {"n1", "n2", "n3"}) == ["n1", "n2", "n3"]
    assert "primitive wizard" in machines.must(1, "crm", "configure", "show", "wizard")
    status, said = machines.run(2, *crm, "run", "who", "id=a b")
    assert status == 1 and "invalid resource identifier" in said


def test_resources_are_tried_out_on_all_nodes(machines: Machines) -> None:
    machines.must(1, "crm", "-w", "configure", "primitive", "tried", "ocf:hatools:Dummy", "meta", "target-role=Stopped")
    said = machines.must(1, "crm", "configure", "rsctest", "tried")
    assert [f"testing on {name}: tried" in said for name in ("n1", "n2", "n3")] == [True] * 3
    status, said = machines.run(1, "crm", "configure", "rsctest", "told")
    assert status == 1 and "Stop all resources before testing!" in said


# The channel itself


def test_another_key_is_refused(machines: Machines) -> None:
    with pytest.raises((PermissionRefusedError, UnavailableError)):
        machines.connect(2, key=os.urandom(256))


def test_a_caller_without_certificate_is_refused(machines: Machines) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    received = b"?"
    with (
        contextlib.suppress(OSError),
        socket.create_connection((f"{NETWORK}.2", 5405), timeout=10) as plain,
        context.wrap_socket(plain) as secured,
    ):
        secured.sendall(b"\0" * 64)
        received = secured.recv(100)
    assert received in (b"?", b"")


@pytest.mark.parametrize("noise", [b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"A" * 1000, b""])
def test_noise_does_not_disturb_the_listener(machines: Machines, noise: bytes) -> None:
    with socket.create_connection((f"{NETWORK}.2", 5405), timeout=10) as plain:
        plain.sendall(noise)
    with machines.connect(2) as connection:
        assert connection.about().name == "n2"


@pytest.mark.parametrize("path", ["relative", "/../../etc/passwd", "/etc/mo\0td"])
def test_paths_out_of_the_node_are_refused(machines: Machines, path: str) -> None:
    with machines.connect(2) as connection:
        with pytest.raises(InputError):
            connection.read(path)
        with pytest.raises(InputError):
            connection.write(path, b"x", 0o644)
        with pytest.raises(NoSuchObjectError):  # and the connection is as good as before
            connection.read("/etc/nothing")


def test_a_broken_configuration_is_refused(machines: Machines) -> None:
    before = machines.files(2)
    with machines.connect(2) as connection:
        with pytest.raises(Exception, match="version: 2 is required"):
            connection.store_configuration("totem {\n}\n")
        with pytest.raises(StaleError):
            connection.store_configuration(
                "totem {\n version: 2\n}\nnodelist {\n node {\n ring0_addr: 10.0.0.1\n nodeid: 1\n }\n}\n"
            )
    assert machines.files(2) == before


def test_a_node_that_runs_does_not_forget_its_cluster(machines: Machines) -> None:
    with machines.connect(2) as connection, pytest.raises(UnavailableError, match="stop them first"):
        connection.forget_cluster()


def test_a_program_is_killed_when_its_time_is_up_or_its_caller_is_gone(machines: Machines) -> None:
    with machines.connect(2) as connection:
        ended = connection.run(["sleep", "60"], on_output=lambda piece: None, timeout_s=0.5)
        assert (ended.status, "killed" in ended.reason) == (124, True)
    pids: list[int] = []
    connection = machines.connect(2)

    def note(piece: CommandOutput) -> None:
        pids.append(int(piece.data))
        connection.close()

    with pytest.raises((DisconnectedError, OSError, ValueError)):
        connection.run(["sh", "-c", "echo $$; exec sleep 61"], on_output=note)
    deadline = time.monotonic() + 20.0
    while Path(f"/proc/{pids[0]}").exists():
        assert time.monotonic() < deadline, "the program goes on without its caller"
        time.sleep(0.2)


def test_large_output_arrives_whole(machines: Machines) -> None:
    received = bytearray()
    with machines.connect(3) as connection:
        ended = connection.run(
            ["head", "-c", "5000000", "/dev/zero"], on_output=lambda piece: received.extend(piece.data)
        )
    assert ended.status == 0
    assert len(received) == 5_000_000


def test_many_callers_are_served_at_once(machines: Machines) -> None:
    names: list[str] = []

    def ask() -> None:
        with machines.connect(3) as connection:
            connection.run(["sleep", "0.5"], on_output=lambda piece: None)
            names.append(connection.about().name)

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert names == ["n3"] * 12


# Other nodes


def test_other_nodes_are_stopped_and_started_from_here(machines: Machines) -> None:
    assert machines.must(1, "crm", "cluster", "stop", "n2") == "INFO: The cluster stack stopped on n2\n"
    machines.online(1, 2)
    assert machines.must(1, "crm", "cluster", "start", "n2") == "INFO: The cluster stack started on n2\n"
    machines.online(1, 3)


def test_an_unreachable_node_stops_a_change_of_the_node_list(machines: Machines) -> None:
    machines.must(1, "crm", "cluster", "stop", "n3")
    os.kill(int(Directories(machines.root(3)).pid_file("channel").read_text()), signal.SIGKILL)
    before = machines.files(1)
    status, said = machines.run(1, "crm", "-F", "cluster", "rename", "other")
    assert status == 1 and "cannot be reached" in said and "n3" in said
    status, said = machines.run(1, "crm", "cluster", "run", "true")
    assert status == 1 and "[n3]" in said and "INFO: [n2]" in said
    assert machines.files(1) == before
    machines.must(3, "crm", "cluster", "start")
    machines.online(1, 3)


def test_a_renamed_cluster_comes_back_with_all_nodes(machines: Machines) -> None:
    status, said = machines.run(2, "crm", "cluster", "rename", "other")
    assert status == 1 and "not renamed" in said
    machines.must(2, "crm", "-F", "cluster", "rename", "other")
    machines.online(1, 3)
    assert machines.must(1, "crm", "configure", "get_property", "cluster-name") == "other\n"
    assert machines.files(1) == machines.files(3)


def test_a_removed_node_is_gone_everywhere(machines: Machines) -> None:
    status, said = machines.run(1, "crm", "cluster", "remove", "n3")
    assert status == 1 and "-y" in said
    machines.must(1, "crm", "cluster", "remove", "-y", "n3")
    machines.online(2, 2)
    assert "authkey" not in machines.files(3) and "corosync.conf" not in machines.files(3)
    assert "n3" not in machines.must(2, "crm_node", "-l")
    assert "n3" not in machines.must(2, "cibadmin", "-Q")
    assert machines.must(2, "crm", "corosync", "get", "nodelist.node.name") == "n1\nn2\n"
    assert machines.must(2, "crm", "corosync", "get", "quorum.two_node") == "1\n"


def test_a_removed_node_may_join_again(machines: Machines) -> None:
    with machines.invitation("n3") as (_, token):
        status, said = machines.join(3, token)
        assert status == 0, said
    machines.online(2, 3)


def test_a_node_has_itself_removed_only_when_forced(machines: Machines) -> None:
    status, said = machines.run(3, "crm", "cluster", "remove", "-y", "n3")
    assert status == 1 and "--force" in said
    machines.must(3, "crm", "cluster", "remove", "-y", "--force", "n3")
    machines.online(1, 2)
    assert "authkey" not in machines.files(3)
