"""Messaging daemons in the heartbeat style on bad networks: nobody is lost that should be kept."""

import time
from collections.abc import Iterator

import pytest

from tests.support.heartbeat import NETWORK, OurNode, Segment, ha_cf, segment, wait_until

NAMES = ["alpha", "beta", "gamma"]


@pytest.fixture
def space() -> Iterator[Segment]:
    with segment(*NAMES, devices=("eth0", "eth1")) as made:
        yield made


def start(space: Segment, media: str) -> list[OurNode]:
    nodes = [space.start_ours(name, ha_cf(NAMES, media, crm="respawn")) for name in NAMES]
    wait_until(lambda: are_together(nodes), 20, nodes[0].log)
    return nodes


def are_together(nodes: list[OurNode]) -> bool:
    rings = [node.ring() for node in nodes]
    return all(ring is not None and ring.quorate and len(ring.members) == len(nodes) for ring in rings)


def losses(nodes: list[OurNode]) -> list[str]:
    return [line for node in nodes for line in node.log().splitlines() if "lost: " in line or "status dead" in line]


def link_of(node: OurNode, peer: str, link: str) -> str:
    state = node.ask()
    return next((entry.links[link] for entry in state.nodes if entry.name == peer), "") if state else ""


def watch(nodes: list[OurNode], seconds: float) -> None:
    """Let real time pass while the nodes are asked how they are."""
    until = time.monotonic() + seconds
    wait_until(lambda: are_together(nodes) and time.monotonic() > until, seconds + 10, losses(nodes))


def test_one_of_two_links_cut_costs_nobody_and_is_shown(space: Segment) -> None:
    nodes = start(space, "bcast eth0\nmcast eth1 239.1.1.1 694 1 0")

    space.set_link("beta", "down", 0)
    wait_until(lambda: link_of(nodes[0], "beta", "eth0") == "dead", 15)
    assert link_of(nodes[0], "beta", "eth1") == "up"
    watch(nodes, 3)
    space.set_link("beta", "up", 0)
    wait_until(lambda: link_of(nodes[0], "beta", "eth0") == "up", 15)

    assert losses(nodes) == []
    assert "replayed" not in nodes[0].log(), "copies on two links are not recordings"


def test_a_flapping_link_beside_a_good_one_costs_nobody(space: Segment) -> None:
    nodes = start(space, "mcast6 eth0 ff02::77 694 1 0\nbcast eth1")

    for _ in range(6):
        space.set_link("gamma", "down", 0)
        watch(nodes, 0.5)
        space.set_link("gamma", "up", 0)
        watch(nodes, 0.5)

    assert losses(nodes) == []


def test_a_fifth_lost_and_delays_of_50_ms_cost_nobody(space: Segment) -> None:
    nodes = start(space, "".join(f"ucast eth0 {space.address(name)}\n" for name in NAMES))
    for node in nodes:
        for peer in NAMES:
            if peer != node.name:
                node.set_fault(peer, loss_percent=10, delay_ms=25)  # at both ends: 19 %, 50 ms

    watch(nodes, 12)

    assert losses(nodes) == []


def test_a_one_way_filter_ends_in_views_that_agree(space: Segment) -> None:
    nodes = start(space, "".join(f"ucast eth0 {space.address(name)}\n" for name in NAMES))

    nodes[0].set_fault("gamma", drop=True)
    wait_until(lambda: any("lost: " in line for line in losses(nodes)), 20)
    nodes[0].set_fault("gamma")

    wait_until(lambda: are_together(nodes), 30, nodes[0].log)


def test_garbage_recordings_and_strangers_are_refused_once_per_peer_and_counted(space: Segment) -> None:
    nodes = start(space, "bcast eth0")
    code = (
        "import random, socket; dice = random.Random(3); "
        "peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); "
        "send = lambda data: peer.sendto(data, ('ADDRESS', 694)); "
        "[send(dice.randbytes(dice.randrange(1, 1400))) for _ in range(300)]; "
        "[send(b'###\\n' + dice.randbytes(dice.randrange(1, 1400))) for _ in range(300)]; "
        "[send(b'x' * 65000) for _ in range(5)]"
    ).replace("ADDRESS", f"{NETWORK}.1")
    space.run_in("beta", "python3", "-c", code)

    watch(nodes, 1)
    remarks = [line for line in nodes[0].log().splitlines() if "ignored a datagram" in line]
    assert 1 <= len(remarks) <= 6
    assert all(f"from {NETWORK}.2:" in line for line in remarks)
    assert nodes[0].rejected() >= 600
    assert losses(nodes) == []


def test_a_frozen_node_is_lost_and_ends_itself_when_it_wakes(space: Segment) -> None:
    nodes = start(space, "bcast eth0")

    nodes[2].freeze(True)
    wait_until(lambda: are_together(nodes[:2]), 15, nodes[0].log)
    watch(nodes[:2], 1)  # the peers' time ran from its last word, which came a little before it froze
    nodes[2].freeze(False)

    wait_until(lambda: nodes[2].has_ended(), 10, nodes[2].log)


def test_nodes_that_no_file_names_join_and_are_remembered(space: Segment) -> None:
    configuration = ha_cf([], "mcast eth0 239.1.1.1 694 1 0", crm="respawn", autojoin="any")
    nodes = [space.start_ours(name, configuration) for name in NAMES]

    wait_until(lambda: are_together(nodes), 30, nodes[0].log)

    known = nodes[0].directories.root / "var/lib/heartbeat/hostcache"
    wait_until(lambda: all(name in known.read_text() for name in NAMES), 10)
    nodes[0].stop()
    nodes[0].start()
    wait_until(lambda: are_together(nodes), 30, nodes[0].log)
    ring = nodes[0].ring()
    assert ring is not None
    assert ring.expected_votes == 3
