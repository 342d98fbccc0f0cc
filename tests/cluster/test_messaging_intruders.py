"""Strangers beside real daemons: named once with their address, counted, ignored."""

import socket
import time

import pytest

from tests.cluster.test_messaging import KEY, Ring, formed, ring, wait_until

__all__ = ["formed", "ring"]


def counted(ring: Ring, number: int, part: str) -> int:
    state = ring.describe(number)
    assert state is not None
    return sum(int(value) for key, value in state.settings.items() if key.startswith("stats.rejected.") and part in key)


@pytest.mark.parametrize("protection", ["", " crypto_cipher: none\n crypto_hash: none\n"])
def test_a_cluster_of_another_name_on_the_same_port_is_ignored(ring: Ring, protection: str) -> None:
    for number in (1, 2, 3):
        ring._write(number, KEY, protection)
    conf = ring.directories(3).corosync_conf
    conf.write_text(conf.read_text().replace("cluster_name: test", "cluster_name: other"))
    ring.start(1, 2, 3)
    ring.wait_for({1, 2}, 1, 2)
    ring.wait_for({3}, 3)

    wait_until(lambda: "ignored a datagram from 127.0.0.3" in ring.log(1), 5)
    time.sleep(1)

    assert counted(ring, 1, "127_0_0_3") > 5
    assert ring.log(1).count("ignored a datagram from 127.0.0.3") == 1
    assert ring.members(1) == {1, 2}


def test_a_second_machine_with_a_node_id_in_use_is_ignored(ring: Ring) -> None:
    """It has the key and the id of node 3, at an address that the others do not know."""
    conf = ring.directories(2).corosync_conf
    ring.start(1, 3)
    ring.wait_for({1, 3}, 1, 3)
    conf.write_text(conf.read_text().replace("127.0.0.3", "127.0.0.9").replace("nodeid: 2", "nodeid: 7"))
    conf.write_text(conf.read_text().replace("127.0.0.2", "127.0.0.7").replace("n2", "n7").replace("n3", "n2"))
    ring.start(2)
    wait_until(lambda: "127.0.0.9" in ring.log(1), 10)

    assert "it is not an address of the nodelist (block_unlisted_ips)" in ring.log(1)
    assert ring.members(1) == {1, 3}
    assert counted(ring, 1, "127_0_0_9") > 0


def test_oversized_truncated_and_foreign_datagrams_are_counted_by_cause(formed: Ring) -> None:
    conf = formed.directories(1).corosync_conf
    conf.write_text(conf.read_text().replace(" token:", " block_unlisted_ips: no\n token:"))
    for number in (2, 3):
        formed.directories(number).corosync_conf.write_text(conf.read_text())
    from tests.cluster.test_messaging_reload import cfgtool

    assert cfgtool(formed, 1, "-R").returncode == 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.77", 0))
        for data in (b"", b"x", b"\xc1\x71", bytes(60_000), b"GET / HTTP/1.0\r\n\r\n" * 3):
            for _ in range(10):
                stranger.sendto(data, ("127.0.0.1", formed.port))
    wait_until(lambda: counted(formed, 1, "127_0_0_77") == 50, 5)

    assert counted(formed, 1, "127_0_0_77.too_short") == 30
    assert counted(formed, 1, "not_a_datagram_of_ours") == 20
    assert formed.log(1).count("ignored a datagram from 127.0.0.77") == 2
    assert formed.members(1) == {1, 2, 3}
