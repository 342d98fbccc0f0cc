"""Real messaging daemons on 127.0.0.1 to 127.0.0.3: formation, death, freeze, bad input, large transfers."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hatools.ipc.blocking import BlockingConnection
from hatools.ipc.clients.messaging import BlockingMessaging, GroupEvent, MessagingClient
from hatools.ipc.messages.messaging import Delivered, GroupChanged, RingState, ViewChanged
from hatools.runtime.daemon import EXIT_LEFT_CLUSTER, EXIT_STAY_DOWN
from hatools.runtime.directories import Directories
from hatools.values.errors import DisconnectedError

LIB = Path(__file__).resolve().parents[2] / "lib"
KEY = random.Random(7).randbytes(256)
TOKEN_S = 1.0


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Ring:
    """Three roots below a folder, and the daemons that run in them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.processes: dict[int, subprocess.Popen[bytes]] = {}
        for number in (1, 2, 3):
            self._write(number, KEY)

    def _write(self, number: int, key: bytes, extra: str = "", second: str = "") -> None:
        directories = self.directories(number)
        directories.prepare()
        nodes = "".join(
            f"node {{\n nodeid: {n}\n name: n{n}\n ring0_addr: 127.0.0.{n}\n{second.format(n=n)}}}\n" for n in (1, 2, 3)
        )
        directories.corosync_conf.parent.mkdir(parents=True, exist_ok=True)
        directories.corosync_conf.write_text(
            f"totem {{\n version: 2\n cluster_name: test\n token: {int(TOKEN_S * 1000)}\n token_coefficient: 0\n"
            f"{extra} interface {{\n  linknumber: 0\n  mcastport: {self.port}\n }}\n}}\nnodelist {{\n{nodes}}}\n"
            "quorum {\n provider: corosync_votequorum\n}\n"
        )
        directories.corosync_authkey.unlink(missing_ok=True)
        directories.corosync_authkey.write_bytes(key)
        directories.corosync_authkey.chmod(0o400)

    def directories(self, number: int) -> Directories:
        return Directories(self.folder / f"n{number}")

    def log(self, number: int) -> str:
        return self.directories(number).log_file.read_text()

    def start(self, *numbers: int) -> None:
        for number in numbers:
            environment = {
                "HATOOLS_ROOT": str(self.directories(number).root),
                "HATOOLS_NODE_NAME": f"n{number}",
                "PYTHONPATH": str(LIB),
                "PATH": os.environ["PATH"],
                "PCMK_debug": os.environ.get("PCMK_debug", ""),
            }
            self.processes[number] = subprocess.Popen(
                [sys.executable, "-m", "hatools.daemons.messaging"], env=environment, stderr=subprocess.DEVNULL
            )

    def stop(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()

    def describe(self, number: int) -> RingState | None:
        try:
            messaging = BlockingMessaging(self.directories(number), name="test")
        except DisconnectedError:
            return None
        try:
            return messaging.describe()
        except DisconnectedError:
            return None
        finally:
            messaging.close()

    def members(self, number: int) -> set[int]:
        state = self.describe(number)
        return {member.id for member in state.members} if state else set()

    def wait_for(self, members: set[int], *numbers: int, deadline_s: float = 30.0) -> float:
        return wait_until(lambda: all(self.members(number) == members for number in numbers), deadline_s)


def wait_until(condition: Callable[[], bool], deadline_s: float) -> float:
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < deadline_s, "the condition did not come to hold in time"
        time.sleep(0.01)
    return time.monotonic() - begin


@pytest.fixture
def ring(tmp_path: Path) -> Iterator[Ring]:
    made = Ring(tmp_path)
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def formed(ring: Ring) -> Ring:
    ring.start(1, 2, 3)
    ring.wait_for({1, 2, 3}, 1, 2, 3)
    return ring


def test_three_daemons_form_a_quorate_ring(formed: Ring) -> None:
    state = formed.describe(2)

    assert state is not None
    assert (state.quorate, state.total_votes, state.quorum, state.encrypted) == (True, 3, 2, True)
    assert state.cluster_name == "test"


def test_messages_from_all_nodes_arrive_in_one_order(formed: Ring) -> None:
    logs = asyncio.run(_talk(formed, 60))

    assert len(logs[1]) == 180
    assert logs[1] == logs[2] == logs[3]


async def _talk(ring: Ring, count: int) -> dict[int, list[tuple[int, bytes]]]:
    logs: dict[int, list[tuple[int, bytes]]] = {1: [], 2: [], 3: []}
    together = {number: asyncio.Event() for number in logs}
    done = asyncio.Event()

    def listener(number: int) -> Callable[[GroupEvent], None]:
        def on_event(event: GroupEvent) -> None:
            if isinstance(event, Delivered):
                logs[number].append((event.sender, event.payload))
                if all(len(log) == 3 * count for log in logs.values()):
                    done.set()
            elif isinstance(event, GroupChanged) and event.members == (1, 2, 3):
                together[number].set()

        return on_event

    async with asyncio.timeout(20):
        clients = {}
        for number in logs:
            path = ring.directories(number).socket("messaging")
            clients[number] = await MessagingClient.open(path, name="test", on_event=listener(number))
            await clients[number].join("talk")
        for event in together.values():
            await event.wait()
        for index in range(count):
            for number, client in clients.items():
                client.broadcast("talk", b"%d from %d" % (index, number))
        await done.wait()
    for client in clients.values():
        client.close()
    return logs


def test_a_transfer_of_64_mib_arrives_while_small_messages_pass_it(formed: Ring) -> None:
    sizes = asyncio.run(_transfer(formed))

    assert 64 * 1024 * 1024 in sizes
    assert sizes.index(64 * 1024 * 1024) > 3, "small messages of another group were held up"


async def _transfer(ring: Ring) -> list[int]:
    sizes: list[int] = []
    done = asyncio.Event()
    ready = asyncio.Event()

    def on_event(event: GroupEvent) -> None:
        if isinstance(event, GroupChanged) and event.group == "small" and 1 in event.members:
            ready.set()
        elif isinstance(event, Delivered):
            sizes.append(len(event.payload))
            if event.group == "bulk":
                done.set()

    async with asyncio.timeout(120):
        receiver = await MessagingClient.open(ring.directories(2).socket("messaging"), name="test", on_event=on_event)
        await receiver.join("bulk")
        await receiver.join("small")
        sender = await MessagingClient.open(
            ring.directories(1).socket("messaging"), name="test", on_event=lambda _: None
        )
        await sender.join("bulk")
        await sender.join("small")
        await ready.wait()
        sender.broadcast("bulk", bytes(64 * 1024 * 1024)).add_done_callback(asyncio.Future.exception)
        while not done.is_set():
            await sender.broadcast("small", b"tick")
            await asyncio.sleep(0.05)
    sender.close()
    receiver.close()
    return sizes


def test_a_killed_daemon_is_lost_after_the_margin_and_not_before(formed: Ring) -> None:
    margin = TOKEN_S * 2.2
    wait_until(lambda: "operational" in formed.log(1), 5)
    time.sleep(0.5)

    formed.processes[3].kill()
    took = formed.wait_for({1, 2}, 1, 2)

    assert margin <= took <= margin * 1.1 + 0.25
    assert "lost: n3" in formed.log(1)


def test_a_stopped_daemon_has_left_at_once(formed: Ring) -> None:
    formed.processes[3].terminate()
    took = formed.wait_for({1, 2}, 1, 2)

    assert took < TOKEN_S
    assert "left: n3" in formed.log(1)
    assert formed.processes[3].wait(5) == 0


def test_a_daemon_that_was_frozen_longer_than_the_token_ends_as_lost(formed: Ring) -> None:
    formed.processes[2].send_signal(signal.SIGSTOP)
    formed.wait_for({1, 3}, 1, 3)
    formed.processes[2].send_signal(signal.SIGCONT)

    assert formed.processes[2].wait(5) == EXIT_LEFT_CLUSTER
    assert "lost: n2" in formed.log(1)


def test_a_daemon_that_was_frozen_for_less_than_the_token_stays(formed: Ring) -> None:
    before = formed.describe(1)
    formed.processes[2].send_signal(signal.SIGSTOP)
    time.sleep(TOKEN_S * 0.5)
    formed.processes[2].send_signal(signal.SIGCONT)
    time.sleep(TOKEN_S * 3)

    after = formed.describe(1)

    assert before is not None and after is not None
    assert before.ring_id == after.ring_id


def test_a_restarted_daemon_comes_back_as_a_new_one(formed: Ring) -> None:
    formed.processes[3].kill()
    formed.processes[3].wait()
    formed.start(3)
    wait_until(lambda: "arrived: n3; lost: n3" in formed.log(1) or "lost: n3" in formed.log(1), 10)

    formed.wait_for({1, 2, 3}, 1, 2, 3)


def test_cut_links_split_the_ring_and_healing_joins_it(formed: Ring) -> None:
    messaging = BlockingMessaging(formed.directories(3), name="test")
    for node in (1, 2):
        messaging.set_fault(node, drop=True)
    formed.wait_for({1, 2}, 1, 2)
    formed.wait_for({3}, 3)
    state = formed.describe(3)
    assert state is not None and not state.quorate

    for node in (1, 2):
        messaging.set_fault(node)

    formed.wait_for({1, 2, 3}, 1, 2, 3)
    messaging.close()


def test_the_ring_goes_over_the_second_link_when_the_first_one_is_dead(ring: Ring) -> None:
    for number in (1, 2, 3):
        # On link 0 every node has a port of its own, so nobody hears anybody there.
        interface = f" interface {{\n  linknumber: 1\n  mcastport: {ring.port}\n }}\n"
        ring._write(number, KEY, interface, "ring1_addr: 127.0.1.{n}\n")
        conf = ring.directories(number).corosync_conf
        first = "interface {\n  linknumber: 0\n  mcastport: "
        conf.write_text(conf.read_text().replace(f"{first}{ring.port}", f"{first}{ring.port + number}"))
        ring.start(number)

    ring.wait_for({1, 2, 3}, 1, 2, 3)

    time.sleep(TOKEN_S * 2)
    state = ring.describe(2)
    assert state is not None and {link.address for link in state.links} >= {"127.0.0.1", "127.0.1.1"}
    assert {(link.link, link.connected) for link in state.links if link.node_id == 1} == {(0, False), (1, True)}


def test_two_links_deliver_everything_once(ring: Ring) -> None:
    for number in (1, 2, 3):
        interface = f" interface {{\n  linknumber: 1\n  mcastport: {ring.port + 1}\n }}\n"
        ring._write(number, KEY, interface, "ring1_addr: 127.0.1.{n}\n")
    ring.start(1, 2, 3)
    ring.wait_for({1, 2, 3}, 1, 2, 3)

    logs = asyncio.run(_talk(ring, 30))

    assert len(logs[1]) == 90
    assert logs[1] == logs[2] == logs[3]
    assert "replayed" not in ring.log(1)


def test_garbage_truncated_and_foreign_datagrams_change_nothing(formed: Ring) -> None:
    before = formed.describe(1)
    generator = random.Random(3)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as attacker:
        attacker.bind(("127.0.0.3", 0))
        for size in (0, 1, 10, 28, 100, 1400, 60_000):
            for _ in range(20):
                attacker.sendto(generator.randbytes(size), ("127.0.0.1", formed.port))
    time.sleep(TOKEN_S)

    after = formed.describe(1)

    assert before is not None and after is not None
    assert (before.ring_id, after.state) == (after.ring_id, "operational")


def test_recorded_datagrams_played_back_change_nothing(ring: Ring) -> None:
    """What node 1 received from node 2 is recorded on the way and played back later, from node 2's address."""
    ring.start(1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as recorder:
        recorder.bind(("127.0.0.3", ring.port))  # node 3 is us: what is sent to all is sent to us, too
        recorder.settimeout(0.3)
        ring.start(2)
        ring.wait_for({1, 2}, 1, 2)
        recorded = []
        end = time.monotonic() + 1
        while time.monotonic() < end:
            recorded.append(recorder.recvfrom(65536))
    from_two = [data for data, source in recorded if source[0] == "127.0.0.2"]
    assert from_two

    ring.processes[2].kill()
    ring.processes[2].wait()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as player:
        player.bind(("127.0.0.2", ring.port))
        for data in from_two:
            player.sendto(data, ("127.0.0.1", ring.port))
    ring.wait_for({1}, 1)

    assert "replayed" in ring.log(1)


def test_a_node_with_another_key_stays_outside_and_is_named(ring: Ring) -> None:
    ring._write(3, KEY[::-1])
    ring.start(1, 2, 3)
    ring.wait_for({1, 2}, 1, 2)
    ring.wait_for({3}, 3)
    wait_until(lambda: "ignored a datagram from 127.0.0.3" in ring.log(1), 5)

    assert ring.log(1).count("ignored a datagram from 127.0.0.3") < 3


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [("mode", "chmod 0400"), ("short", "a key has 128 to 4096"), ("missing", "corosync-keygen"),
     ("conf", "line 5, column 9")],
)  # fmt: skip
def test_a_bad_key_or_configuration_stops_the_daemon_with_the_reason(ring: Ring, spoil: str, reason: str) -> None:
    key = ring.directories(1).corosync_authkey
    match spoil:
        case "mode":
            key.chmod(0o644)
        case "short":
            ring._write(1, KEY[:100])
        case "missing":
            key.unlink()
        case "conf":
            conf = ring.directories(1).corosync_conf
            conf.write_text(conf.read_text().replace("token_coefficient: 0", " hold: soon"))
    ring.start(1)

    assert ring.processes[1].wait(10) == EXIT_STAY_DOWN
    assert reason in ring.log(1)


def test_a_client_that_must_join_first_is_told_so(formed: Ring) -> None:
    from hatools.ipc.messages.messaging import Broadcast
    from hatools.values.errors import NoSuchObjectError

    with (
        BlockingConnection(formed.directories(1).socket("messaging"), "messaging", name="test") as connection,
        pytest.raises(NoSuchObjectError, match="join the group"),
    ):
        connection.request(Broadcast("nowhere", b"x"))


def test_a_client_is_told_the_view_when_it_joins(formed: Ring) -> None:
    from hatools.ipc.messages.messaging import JoinGroup

    with BlockingConnection(formed.directories(1).socket("messaging"), "messaging", name="test") as connection:
        connection.request(JoinGroup("late"))
        view = connection.next_event(5)
        group = connection.next_event(5)

    assert isinstance(view, ViewChanged) and {member.id for member in view.members} == {1, 2, 3}
    assert isinstance(group, GroupChanged) and group.members == (1,)
