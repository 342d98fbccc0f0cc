import pytest

from hatools.messaging.corosync.crypto import Suite
from hatools.messaging.heartbeat.authkeys import read_authkeys
from hatools.messaging.heartbeat.carriage import pack, ring_configuration, ring_secrets, ring_timing, unpack
from hatools.messaging.heartbeat.ha_cf import read_ha_cf
from hatools.messaging.heartbeat.messages import Message
from hatools.messaging.heartbeat.pinger import checksum, echo_request
from hatools.values.errors import RemoteError
from hatools.values.nodenumber import number_of_name

KEYS = read_authkeys("auth 2\n1 sha1 firstsecret\n2 sha1 secondsecret\n3 crc\n")


@pytest.mark.parametrize("deadtime", [0.5, 2.0, 4.0, 30.0, 120.0])
def test_nobody_is_given_up_before_deadtime_and_at_most_a_tenth_later(deadtime: float) -> None:
    timing = ring_timing(deadtime)

    assert deadtime <= timing.token + timing.consensus - timing.hold + 1e-9
    assert timing.token + timing.consensus + timing.hold <= 1.1 * deadtime


def test_the_ring_has_the_nodes_of_ha_cf_and_their_majority() -> None:
    configuration = read_ha_cf("bcast eth0\nnode b a c\ncrm on\ncluster mine\n")

    ring = ring_configuration(configuration, KEYS, configuration.nodes)

    assert {node.name: node.id for node in ring.nodes} == {name: number_of_name(name) for name in "abc"}
    assert (ring.cluster_name, ring.quorum.expected_votes, ring.quorum.two_node) == ("mine", 3, False)
    assert ring.protection.suite is Suite.GCM
    assert ring_configuration(configuration, KEYS, ["a", "b"]).quorum.two_node


def test_secrets_begin_with_the_active_key_and_leave_checksums_out() -> None:
    assert ring_secrets(KEYS) == (b"heartbeat sha1 secondsecret", b"heartbeat sha1 firstsecret")


def test_with_a_checksum_as_key_the_ring_is_plain_and_says_so() -> None:
    configuration = read_ha_cf("bcast eth0\nnode b a c\ncrm on\n")

    ring = ring_configuration(configuration, read_authkeys("auth 1\n1 crc\n"), configuration.nodes)

    assert ring.protection.suite is Suite.PLAIN
    assert ring.plain_on_purpose


@pytest.mark.parametrize(("targets", "hears"), [((), True), (("me",), True), (("me", "b"), True), (("a", "b"), False)])
def test_a_packet_is_for_those_it_names(targets: tuple[str, ...], hears: bool) -> None:
    fields, dest = pack(b"packet", targets)

    assert dest == (targets[0] if len(targets) == 1 else "")
    assert unpack(Message(fields), "me") == (b"packet" if hears else None)


def test_a_message_without_a_packet_is_refused() -> None:
    with pytest.raises(RemoteError):
        unpack(Message(()), "me")


def test_numbers_of_names_are_stable_and_positive() -> None:
    assert number_of_name("node1") == number_of_name("NODE1") == 1242755867
    assert len({number_of_name(f"node{index}") for index in range(5000)}) == 5000


def test_an_echo_request_has_a_right_checksum() -> None:
    import socket

    assert checksum(echo_request(socket.AF_INET, 7, 9)) == 0
