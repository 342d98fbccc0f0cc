"""Bad networks between real daemons in namespaces: the ring keeps whom it should keep."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hatools.ipc.clients.messaging import GroupEvent, MessagingClient
from hatools.ipc.messages.messaging import Delivered, GroupChanged, RingState
from tests.support import requires
from tests.support.ring_spaces import Relay, RingSpaces, ring_spaces

EVERYBODY = {1, 2, 3}


@pytest.fixture
def spaces(tmp_path: Path) -> Iterator[RingSpaces]:
    requires.root()
    requires.program("ip", "iproute2")
    with ring_spaces(tmp_path) as made:
        yield made


@pytest.fixture
def two_links(tmp_path: Path) -> Iterator[RingSpaces]:
    requires.root()
    requires.program("ip", "iproute2")
    with ring_spaces(tmp_path, links=2) as made:
        yield made


def talk(spaces: RingSpaces, seconds: float, meanwhile: Callable[[float], None] = lambda _: None) -> int:
    """Let all nodes send for a while; assert that all get everything in one order, and return how much that was."""
    return asyncio.run(_talk(spaces, seconds, meanwhile))


async def _talk(spaces: RingSpaces, seconds: float, meanwhile: Callable[[float], None]) -> int:
    nodes = range(1, spaces.count + 1)
    logs: dict[int, list[tuple[int, bytes]]] = {number: [] for number in nodes}
    together = {number: asyncio.Event() for number in nodes}

    def listener(number: int) -> Callable[[GroupEvent], None]:
        def on_event(event: GroupEvent) -> None:
            if isinstance(event, Delivered):
                logs[number].append((event.sender, event.payload))
            elif isinstance(event, GroupChanged) and len(event.members) == spaces.count:
                together[number].set()

        return on_event

    sent = 0
    async with asyncio.timeout(seconds + 20):
        clients = {}
        for number in nodes:
            path = spaces.directories(number).socket("messaging")
            clients[number] = await MessagingClient.open(path, name="test", on_event=listener(number))
            await clients[number].join("talk")
        for event in together.values():
            await event.wait()
        begin = time.monotonic()
        while (passed := time.monotonic() - begin) < seconds:
            for number, client in clients.items():
                client.broadcast("talk", f"{sent} from {number}".encode().ljust(900))
                sent += 1
            await asyncio.sleep(0.1)
            await asyncio.to_thread(meanwhile, passed)
        while not all(len(log) == sent for log in logs.values()):
            await asyncio.sleep(0.05)
    for client in clients.values():
        client.close()
    assert logs[1] == logs[2] == logs[3]
    return sent


def assert_nobody_was_lost(spaces: RingSpaces) -> None:
    for number in EVERYBODY:
        assert spaces.members(number) == EVERYBODY
        assert "lost:" not in spaces.log(number), spaces.log(number)[-1500:]


def test_a_fifth_of_all_datagrams_lost_costs_no_member_and_no_message(spaces: RingSpaces) -> None:
    requires.program("iptables", "iptables")
    spaces.configure()
    spaces.start()
    spaces.wait_together()
    for number in EVERYBODY:
        random_loss = ("-m", "statistic", "--mode", "random", "--probability", "0.2", "-j", "DROP")
        spaces.filter(number, "-A", "INPUT", "-p", "udp", *random_loss)

    assert talk(spaces, 10) > 100

    assert_nobody_was_lost(spaces)


def test_datagrams_that_take_10_to_90_ms_and_overtake_each_other_cost_nobody(tmp_path: Path) -> None:
    requires.root()
    with ring_spaces(tmp_path, bridged=False) as spaces:
        relay = Relay(spaces, (0.010, 0.090))
        relay.start()
        try:
            spaces.configure()
            spaces.start()
            spaces.wait_together(15)

            assert talk(spaces, 8) > 50

            assert_nobody_was_lost(spaces)
            assert relay.carried > 100
        finally:
            relay.end()


def test_a_link_that_is_gone_again_and_again_for_less_than_the_token_costs_nobody(spaces: RingSpaces) -> None:
    spaces.configure()
    spaces.start()
    spaces.wait_together()

    def flap(passed: float) -> None:
        spaces.set_port(2, "down" if passed % 2.0 < 0.6 else "up")

    talk(spaces, 10, flap)
    spaces.set_port(2, "up")

    assert_nobody_was_lost(spaces)


@pytest.mark.parametrize("mode", ["passive", "active", "rr"])
def test_one_link_of_two_may_be_cut_and_comes_back(two_links: RingSpaces, mode: str) -> None:
    spaces = two_links
    spaces.configure(f" link_mode: {mode}\n")
    spaces.start()
    spaces.wait_together()

    def cut(passed: float) -> None:
        if passed > 1:
            spaces.set_port(2, "down", 0)

    talk(spaces, 6, cut)
    state = spaces.describe(1)
    assert state is not None
    shown = {(link.link, link.node_id): link.connected for link in state.links}
    assert not shown[0, 2] and shown[1, 2] and shown[0, 3] and shown[1, 3]
    assert "link 0 to node 2 is down" in spaces.log(1)

    spaces.set_port(2, "up", 0)
    end = time.monotonic() + 8
    while "link 0 to node 2 is up" not in spaces.log(1):
        assert time.monotonic() < end, spaces.log(1)[-1500:]
        time.sleep(0.1)
    assert_nobody_was_lost(spaces)


def test_with_priorities_large_datagrams_take_the_preferred_link(two_links: RingSpaces) -> None:
    spaces = two_links
    spaces.configure(" interface {\n  linknumber: 1\n  knet_link_priority: 9\n }\n")
    spaces.start()
    spaces.wait_together()

    talk(spaces, 3)

    state = spaces.describe(1)
    assert state is not None
    first, second = (int(state.settings[f"stats.link.{link}.tx_packets"]) for link in (0, 1))
    assert second > first * 1.05
    assert_nobody_was_lost(spaces)


def test_who_is_not_heard_by_one_member_stays_if_the_others_can_hand_on(spaces: RingSpaces) -> None:
    """Node 3 does not hear node 1; the token goes 1, 2, 3, 1 and node 2 sends again what node 3 lacks."""
    requires.program("iptables", "iptables")
    spaces.configure()
    spaces.start()
    spaces.wait_together()
    spaces.filter(3, "-A", "INPUT", "-p", "udp", "-s", spaces.address(1), "-j", "DROP")

    assert talk(spaces, 6) > 50

    assert_nobody_was_lost(spaces)


def test_a_filter_that_stops_the_token_leaves_a_quorate_pair_that_stays(spaces: RingSpaces) -> None:
    """Node 1 does not hear node 3, to whom the token would go next: one of the two has to go, and it stays so."""
    requires.program("iptables", "iptables")
    spaces.configure()
    spaces.start()
    spaces.wait_together()
    spaces.filter(1, "-A", "INPUT", "-p", "udp", "-s", spaces.address(3), "-j", "DROP")

    def pair() -> RingState | None:
        states = [spaces.describe(number) for number in EVERYBODY]
        return next(
            (state for state in states if state is not None and state.quorate and len(state.members) == 2), None
        )

    end = time.monotonic() + 15
    while pair() is None:
        assert time.monotonic() < end
        time.sleep(0.1)
    time.sleep(2)
    settled = pair()
    assert settled is not None
    time.sleep(4)
    later = pair()

    assert later is not None and later.ring_id == settled.ring_id


@pytest.mark.parametrize(
    "interface", [" interface {\n  mcastaddr: 239.192.7.7\n }\n", " interface {\n  broadcast: yes\n }\n", ""]
)
def test_messages_to_all_may_go_by_multicast_or_broadcast(spaces: RingSpaces, interface: str) -> None:
    spaces.configure(f" transport: udp\n{interface}")
    spaces.start()
    spaces.wait_together()
    before = spaces.describe(1)

    talk(spaces, 2)

    after = spaces.describe(1)
    assert before is not None and after is not None
    sent = int(after.settings["stats.link.0.tx_packets"]) - int(before.settings["stats.link.0.tx_packets"])
    messages = int(after.settings["stats.srp.mcast_tx"]) - int(before.settings["stats.srp.mcast_tx"])
    tokens = int(after.settings["stats.srp.orf_token_tx"]) - int(before.settings["stats.srp.orf_token_tx"])
    assert sent < messages + tokens * 1.2 + 20, "each message went out once, not once per peer"
    assert_nobody_was_lost(spaces)
