"""A real heartbeat 3.0.6 (``crm off``) and a hatools node on one network: each must take the other for its own kind.

Needs root and Debian's package heartbeat (it is unpacked beside the system where it is not installed).
"""

import re
import time
from collections.abc import Iterator

import pytest

from hatools.messaging.heartbeat.authkeys import read_authkeys
from hatools.messaging.heartbeat.messages import Message, decode
from hatools.values.errors import RemoteError
from tests.support.heartbeat import (
    KEYS,
    NETWORK,
    PORT,
    OurNode,
    RealNode,
    Relay,
    Segment,
    ha_cf,
    heartbeat_tree,
    segment,
    wait_until,
)

DEADTIME_S = 4.0
MEDIA = {
    "ucast": f"ucast eth0 {NETWORK}.1\nucast eth0 {NETWORK}.2",
    "bcast": "bcast eth0",
    "mcast": f"mcast eth0 239.0.0.5 {PORT} 1 0",
    "mcast6": f"mcast6 eth0 ff02::5 {PORT} 1 0",
}


def start_both(space: Segment, media: str, **more: str) -> tuple[RealNode, OurNode]:
    nodes = ["alpha", "beta"]
    real = space.start_real("alpha", ha_cf(nodes, media, crm="off", **more))
    ours = space.start_ours("beta", ha_cf(nodes, media, crm="respawn", **more))
    return real, ours


def wait_for_both(real: RealNode, ours: OurNode) -> None:
    wait_until(
        lambda: real.status_of("beta") == "active" and ours.status_of("alpha") == "active",
        30,
        lambda: real.log() + ours.log(),
    )


@pytest.fixture(autouse=True)
def a_real_heartbeat() -> None:
    heartbeat_tree()


@pytest.fixture
def space() -> Iterator[Segment]:
    with segment("alpha", "beta") as made:
        yield made


@pytest.mark.parametrize("medium", list(MEDIA))
def test_both_see_each_other_active(space: Segment, medium: str) -> None:
    real, ours = start_both(space, MEDIA[medium])

    wait_for_both(real, ours)

    assert real.on("cl_status", "hblinkstatus", "beta", "eth0") == (0, "up\n")
    state = ours.ask()
    assert state is not None
    assert {node.name: node.links for node in state.nodes}["alpha"] == {"eth0": "up"}


@pytest.mark.parametrize("key", ["1 md5 SomeKeyForMd5", "1 crc"])
def test_both_understand_each_other_with_every_method(space: Segment, key: str) -> None:
    nodes, keys = ["alpha", "beta"], f"auth 1\n{key}\n"
    real = space.start_real("alpha", ha_cf(nodes, MEDIA["ucast"], crm="off", msgfmt="netstring"), keys)
    ours = space.start_ours("beta", ha_cf(nodes, MEDIA["ucast"], crm="respawn"), keys)

    wait_for_both(real, ours)


def wait_for_usual_deadtime(began: float) -> None:
    """A starting node asks its peers to wait two seconds longer for it, for its first 4.5 seconds."""
    wait_until(lambda: time.monotonic() > began + 5.5, 10)


def test_a_death_is_seen_within_deadtime_by_both(space: Segment) -> None:
    real, ours = start_both(space, MEDIA["ucast"])
    wait_for_both(real, ours)
    wait_for_usual_deadtime(time.monotonic())

    ours.kill()
    by_real = wait_until(lambda: real.status_of("beta") == "dead", 10)
    ours.start()
    wait_for_both(real, ours)
    real.kill()
    by_ours = wait_until(lambda: ours.status_of("alpha") == "dead", 10)

    assert DEADTIME_S - 0.7 <= by_real <= DEADTIME_S + 1.2, by_real
    assert DEADTIME_S - 0.7 <= by_ours <= DEADTIME_S + 0.5, by_ours
    assert "Heartbeat restart on node beta" in real.log()


def test_a_goodbye_is_seen_at_once_by_the_real_daemon(space: Segment) -> None:
    real, ours = start_both(space, MEDIA["ucast"])
    wait_for_both(real, ours)

    ours.stop()

    assert wait_until(lambda: real.status_of("beta") == "dead", 10) < DEADTIME_S / 2


def through_relay(space: Segment) -> tuple[RealNode, OurNode, Relay]:
    relay = space.start_relay("relay", ("alpha", "beta"))
    real, ours = start_both(space, f"ucast eth0 {space.address('relay')}")
    wait_for_both(real, ours)
    return real, ours, relay


def messages_of(relay: Relay, address: str, kind: str) -> list[Message]:
    keys = read_authkeys(KEYS)
    found = []
    for host, data in list(relay.seen):
        message = decode(data, keys)
        if host == address and message.text("t") == kind:
            found.append(message)
    return found


class DropStatus:
    """Loses some status messages of one sender, each once."""

    def __init__(self, address: str, count: int) -> None:
        self.address = address
        self.left = count
        self.lost: list[int] = []

    def __call__(self, host: str, data: bytes) -> bool:
        match = re.search(rb"\(0\)seq=([0-9a-f]+)", data)
        if host != self.address or self.left == 0 or match is None or b"t=status" not in data:
            return False
        number = int(match[1], 16)
        if number in self.lost:
            return False
        self.left -= 1
        self.lost.append(number)
        return True


@pytest.mark.parametrize("sender", ["alpha", "beta"])
def test_what_is_lost_is_asked_for_and_sent_again(sender: str) -> None:
    with segment("alpha", "beta", "relay") as space:
        real, ours, relay = through_relay(space)
        asker = "beta" if sender == "alpha" else "alpha"
        drop = DropStatus(space.address(sender), 2)
        relay.drops = drop

        def is_repaired() -> bool:
            asked = {message.number("firstseq") for message in messages_of(relay, space.address(asker), "NS_rexmit")}
            sent = [message.number("seq", 16) for message in messages_of(relay, space.address(sender), "status")]
            return len(drop.lost) == 2 and asked >= set(drop.lost) and all(sent.count(n) >= 2 for n in drop.lost)

        wait_until(is_repaired, 15, lambda: (drop.lost, real.log(), ours.log()))
        assert real.status_of("beta") == "active" and ours.status_of("alpha") == "active"


def test_a_fifth_of_all_datagrams_lost_kills_nobody() -> None:
    with segment("alpha", "beta", "relay") as space:
        real, ours, relay = through_relay(space)
        count = iter(range(1_000_000))
        relay.drops = lambda host, data: next(count) % 5 == 0

        wait_until(lambda: len(relay.seen) > 150, 40)

        assert "is dead" not in real.log()
        assert "status dead" not in ours.log()


def test_a_wrong_key_is_refused_by_both(space: Segment) -> None:
    nodes = ["alpha", "beta"]
    real = space.start_real("alpha", ha_cf(nodes, MEDIA["ucast"], crm="off"))
    ours = space.start_ours("beta", ha_cf(nodes, MEDIA["ucast"], crm="respawn"), "auth 1\n1 sha1 AnotherSecret\n")

    wait_until(lambda: real.status_of("beta") == "dead" and ours.status_of("alpha") == "dead", 25)

    assert ours.log().count(f"ignored a datagram from {NETWORK}.1") == 1
    assert "wrong signature" in ours.log()
    with pytest.raises(RemoteError):
        decode(b"###\n", read_authkeys(KEYS))


IN_THE_WILD = """\
use_logd off
logfile /var/log/ha-log
debugfile /var/log/ha-debug
crm {crm}
autojoin none
mcast6 eth3 ff02::1 694 1 0
#mcast eth3 224.0.0.1 694 1 0
node charlie-brown
node snoopy
pacemaker
"""
KEY_IN_THE_WILD = "auth 1\n1 sha1 (stdin)= df6973cd744d4de118b85c72eee3625\n"


def test_the_files_found_in_the_wild_mean_the_same_to_both() -> None:
    with segment("charlie-brown", "snoopy", devices=("eth3",)) as space:
        real = space.start_real("charlie-brown", IN_THE_WILD.format(crm="off"), KEY_IN_THE_WILD)
        ours = space.start_ours("snoopy", IN_THE_WILD.format(crm="on"), KEY_IN_THE_WILD)

        wait_until(
            lambda: real.status_of("snoopy") == "active" and ours.status_of("charlie-brown") == "active",
            30,
            lambda: real.log() + ours.log(),
        )

        assert "the key is the word '(stdin)='" in ours.log()
        assert "pacemaker has no value" in ours.log()
        assert (ours.directories.root / "var/log/ha-log").exists()


def test_two_of_ours_form_a_view_beside_a_real_daemon() -> None:
    with segment("alpha", "beta", "gamma") as space:
        media = f"mcast eth0 239.0.0.5 {PORT} 1 0"
        real = space.start_real("alpha", ha_cf(space.names, media, crm="off"))
        ours = [space.start_ours(name, ha_cf(space.names, media, crm="respawn")) for name in ("beta", "gamma")]

        def is_formed() -> bool:
            rings = [node.ring() for node in ours]
            return all(ring is not None and ring.quorate and len(ring.members) == 2 for ring in rings)

        wait_until(is_formed, 20, lambda: ours[0].log())
        wait_until(lambda: [real.status_of(name) for name in ("beta", "gamma")] == ["active", "active"], 20)
        ring = ours[0].ring()
        assert ring is not None
        assert (ring.expected_votes, ring.total_votes, ring.quorum) == (3, 2, 2)

        ours[1].kill()
        wait_until(lambda: real.status_of("gamma") == "dead" and ours[0].status_of("gamma") == "dead", 15)
        wait_until(lambda: (state := ours[0].ring()) is not None and not state.quorate, 10)


CL_STATUS = [
    "hbstatus", "hbstatus -m", "listnodes", "listnodes -n", "listnodes -p", "listnodes -m", "listnodes -v",
    "nodestatus alpha", "nodestatus -m beta", "nodestatus nosuch", "nodestatus", "nodetype beta",
    "nodetype -m alpha", "nodetype nosuch", "nodeweight beta", "nodesite beta", "nodeweight -m beta",
    "nodeweight nosuch", "nodesite -m beta", "nodesite", "clientstatus alpha nosuch", "clientstatus nosuch crmd",
    "clientstatus alpha", "listhblinks alpha", "listhblinks -m beta", "listhblinks -v alpha",
    "listhblinks nosuch", "listhblinks", "hblinkstatus alpha eth0",
    "hblinkstatus -m beta eth0", "hblinkstatus alpha eth7", "hblinkstatus alpha", "hbparameter -p deadtime",
    "hbparameter -m -p deadtime", "hbparameter -p keepalive", "hbparameter -p warntime", "hbparameter -p initdead",
    "hbparameter -p udpport", "hbparameter -p logfile", "hbparameter -p auto_failback", "hbparameter -p debug",
    "hbparameter -p nosuch", "hbparameter -p node", "hbparameter", "nosuch", "", "-h",
]  # fmt: skip


def test_cl_status_answers_as_the_original_does(space: Segment) -> None:
    real, ours = start_both(space, MEDIA["ucast"], udpport=str(PORT), debug="0")
    wait_for_both(real, ours)
    wait_until(lambda: ours.cl_status("hblinkstatus", "beta", "eth0") == (0, "up\n"), 10)

    theirs = {line: real.on("cl_status", *line.split(), errors=False) for line in CL_STATUS}

    assert {line: ours.cl_status(*line.split()) for line in CL_STATUS} == theirs
