"""Heartbeat's protocol at one node, with its peers played by hand."""

from dataclasses import replace

import pytest

from hatools.messaging.heartbeat.authkeys import read_authkeys
from hatools.messaging.heartbeat.effects import (
    Deliver,
    Effect,
    LinkChanged,
    NodeMet,
    Noted,
    PingWanted,
    Settled,
    StatusChanged,
    Transmit,
    Warned,
)
from hatools.messaging.heartbeat.ha_cf import HaConfiguration, read_ha_cf
from hatools.messaging.heartbeat.messages import Field, FieldType, Message, decode, encode
from hatools.messaging.heartbeat.outgoing import HISTORY, LocalNode
from hatools.messaging.heartbeat.peers import MAX_MISSING, Arrival, Sequence, Status
from hatools.messaging.heartbeat.protocol import Heartbeat
from hatools.values.errors import RemoteError

KEYS = read_authkeys("auth 1\n1 sha1 secretsecret\n")
CONF = read_ha_cf(
    "keepalive 500ms\ndeadtime 4\nwarntime 2\ninitdead 10\nbcast eth0\nnode me you third\nping 10.0.0.9\ncrm on\n"
)
TWO = replace(CONF, nodes=("me", "you"), ping_nodes=())
UUIDS = {"you": b"y" * 16, "third": b"t" * 16, "me": b"m" * 16}


def core(configuration: HaConfiguration = TWO) -> Heartbeat:
    me = LocalNode("me", UUIDS["me"], 7)
    return Heartbeat(
        me, configuration, KEYS, clock=lambda: 0x5F, load=lambda: "0 0 0 1/1 1", randomness=lambda count: bytes(count)
    )


def message(kind: str, number: int | None = None, *, src: str = "you", generation: int = 3, **fields: str) -> bytes:
    parts = [Field("t", kind), *(Field(name, value) for name, value in fields.items()), Field("src", src)]
    parts.append(Field("srcuuid", UUIDS.get(src, src.encode().ljust(16)), FieldType.BINARY))
    if number is not None:
        parts.append(Field("seq", f"{number:x}"))
    parts += [Field("hg", f"{generation:x}"), Field("ts", "5f"), Field("ttl", "3")]
    return encode(Message(tuple(parts)), KEYS, inner=True)


def status(number: int, word: str = "active", **more: object) -> bytes:
    return message("status", number, st=word, dt="fa0", protocol="1", **more)  # type: ignore[arg-type]


def sent(effects: list[Effect]) -> list[dict[str, str]]:
    found = []
    for effect in effects:
        if isinstance(effect, Transmit):
            fields = decode(effect.data, KEYS).fields
            found.append({field.name: field.value for field in fields if isinstance(field.value, str)})
    return found


def kinds(effects: list[Effect]) -> list[str]:
    return [fields["t"] for fields in sent(effects)]


def started(configuration: HaConfiguration = TWO) -> Heartbeat:
    node = core(configuration)
    node.start(0.0)
    node.expire(0.1)
    return node


def settled() -> Heartbeat:
    """A node that has heard its peer and got the node list from it."""
    node = started()
    node.receive(0.2, status(1), "eth0")
    node.expire(0.2)
    node.receive(0.3, message("repnodes", 2, dest="me", nodelist="me you ", delnodelist=" "), "eth0")
    assert node.status is Status.ACTIVE
    return node


def test_a_start_says_init_then_up_with_a_longer_deadtime() -> None:
    node = core()

    first, second = sent(node.start(0.0)), sent(node.expire(0.06))

    assert [(fields["st"], fields["seq"], fields["dt"]) for fields in first + second] == [
        ("init", "1", "1770"),
        ("up", "2", "1770"),
    ]
    assert first[0] | {"auth": ""} == {
        "t": "status", "st": "init", "dt": "1770", "protocol": "1", "src": "me", "seq": "1", "hg": "7", "ts": "5f",
        "ld": "0 0 0 1/1 1", "ttl": "3", "auth": "",
    }  # fmt: skip


def test_a_status_goes_out_every_keepalive_and_later_with_the_usual_deadtime() -> None:
    node = settled()

    effects = node.expire(6.0)

    assert sent(effects)[0]["dt"] == "fa0"
    assert node.deadline == pytest.approx(6.0) or node.deadline == pytest.approx(6.5)


def test_when_all_were_heard_the_node_asks_for_the_list_and_becomes_active() -> None:
    node = started()

    heard = node.receive(0.2, status(1, "up"), "eth0")
    asked = node.expire(0.2)
    answered = node.receive(0.3, message("repnodes", 2, dest="me", nodelist="me you ", delnodelist=" "), "eth0")

    assert StatusChanged("you", Status.INIT, Status.UP, "it says so") in heard
    assert Settled() in heard
    assert LinkChanged("you", "eth0", True) in heard
    assert [(fields["t"], fields["dest"]) for fields in sent(asked)] == [("reqnodes", "you")]
    assert [fields["st"] for fields in sent(answered)] == ["active"]


def test_who_is_never_heard_is_dead_after_initdead_and_the_node_goes_on_alone() -> None:
    node = started()
    effects: list[Effect] = []
    while node.deadline is not None and node.deadline <= 10.2:
        effects += node.expire(node.deadline)

    assert StatusChanged("you", Status.INIT, Status.DEAD, "it was never heard") in effects
    assert Settled() in effects
    assert node.status is Status.ACTIVE


def test_silence_for_the_senders_own_deadtime_is_death() -> None:
    node = settled()
    node.receive(1.0, status(3), "eth0")
    effects: list[Effect] = []
    while node.deadline is not None and node.deadline < 4.99:
        effects += node.expire(node.deadline)
    assert not [effect for effect in effects if isinstance(effect, StatusChanged)]

    effects = node.expire(5.0)

    assert StatusChanged("you", Status.ACTIVE, Status.DEAD, "silent for 4.000 s") in effects
    assert LinkChanged("you", "eth0", False) in effects


def test_our_own_pause_is_not_the_peers_silence() -> None:
    node = settled()
    node.receive(1.0, status(3), "eth0")

    effects = node.expire(4.9 + 3.0)

    assert not [effect for effect in effects if isinstance(effect, StatusChanged)]


def test_a_late_heartbeat_is_warned_about() -> None:
    node = settled()
    node.receive(1.0, status(3), "eth0")

    effects = node.receive(3.5, status(4), "eth0")

    assert Warned("Late heartbeat: Node you: interval 2500 ms") in effects


def test_a_goodbye_is_believed_at_once_and_said_ourselves() -> None:
    node = settled()

    effects = node.receive(1.0, status(3, "dead"), "eth0")
    farewell = sent(node.leave(2.0))

    assert StatusChanged("you", Status.ACTIVE, Status.DEAD, "it says goodbye") in effects
    assert [fields["st"] for fields in farewell] == ["dead"] * 3
    assert len({fields["seq"] for fields in farewell}) == 1
    assert node.deadline is None


def test_a_node_that_returns_after_a_partition_is_told_from_a_restart() -> None:
    node = settled()
    node.receive(1.0, status(3), "eth0")
    while node.deadline is not None and node.deadline <= 5.0:
        node.expire(node.deadline)

    stale = node.receive(5.1, status(3), "eth0")
    back = node.receive(5.2, status(9), "eth0")
    restart = node.receive(6.0, status(1, "init", generation=4), "eth0")

    assert not [effect for effect in stale if isinstance(effect, StatusChanged)]
    assert Warned("Cluster node you returning after partition.") in back
    assert StatusChanged("you", Status.DEAD, Status.ACTIVE, "it says so") in back
    assert Warned("Heartbeat restart on node you") in restart


def test_missing_numbers_are_asked_for_and_a_refusal_ends_it() -> None:
    node = settled()
    node.receive(1.0, status(6), "eth0")

    first = node.expire(1.06)
    again = node.expire(1.32)
    node.receive(1.4, status(4), "eth0")
    refused = node.receive(1.5, message("NS_nak_rexmit", dest="me", firstseq="3"), "eth0")

    wanted = [(fields["firstseq"], fields["lastseq"]) for fields in sent(first) if fields["t"] == "NS_rexmit"]
    assert wanted == [("3", "3"), ("4", "4"), ("5", "5")]
    assert kinds(again).count("NS_rexmit") == 3
    assert Noted("message 3 of you is lost for good") in refused
    assert set(node.peers["you"].sequence.missing) == {5}


def test_the_same_bytes_are_sent_again_but_not_too_often_nor_what_was_acknowledged() -> None:
    node = core()
    (original,) = [effect for effect in node.start(0.0) if isinstance(effect, Transmit)]
    node.receive(0.01, status(1), "eth0")
    request = message("NS_rexmit", dest="me", firstseq="1", lastseq="1")

    assert node.receive(1.0, request, "eth0") == [original]
    assert node.receive(1.1, request, "eth0") == []
    assert node.receive(1.3, request, "eth0") == [original]
    node.receive(1.4, message("NS_ackmsg", dest="me", ackseq="1"), "eth0")
    assert node.receive(2.0, request, "eth0") == []


def test_what_is_too_old_to_be_sent_again_is_refused() -> None:
    node = settled()
    for index in range(HISTORY + 20):
        node.expire(10.0 + index)

    effects = node.receive(9000.0, message("NS_rexmit", dest="me", firstseq="2", lastseq="2"), "eth0")

    (refusal,) = [fields for fields in sent(effects) if fields["t"] == "NS_nak_rexmit"]
    assert (refusal["firstseq"], refusal["dest"]) == ("2", "you")


def test_every_tenth_message_in_sequence_is_acknowledged() -> None:
    node = started()
    effects: list[Effect] = []
    for number in range(1, 41):
        effects += node.receive(0.2 + number / 100, status(number), "eth0")

    acknowledged = [fields["ackseq"] for fields in sent(effects) if fields["t"] == "NS_ackmsg"]
    assert acknowledged == ["a", "14", "1e", "28"]


def test_the_node_list_is_told_to_who_asks() -> None:
    node = settled()

    effects = node.receive(1.0, message("reqnodes", 3, dest="me"), "eth0")

    (answer,) = [fields for fields in sent(effects) if fields["t"] == "repnodes"]
    assert (answer["dest"], answer["nodelist"], answer["delnodelist"]) == ("you", "me you ", " ")


def test_other_node_lists_are_warned_about() -> None:
    node = started()
    node.receive(0.2, status(1), "eth0")

    effects = node.receive(0.3, message("repnodes", 2, dest="me", nodelist="you other ", delnodelist=" "), "eth0")

    assert Warned("you knows a node other that our ha.cf does not have") in effects
    assert Warned("you does not know me: make the ha.cf files equal") in effects


def test_messages_of_others_are_handed_on_if_they_are_for_us() -> None:
    node = settled()

    ours = node.receive(1.0, message("NS_x", dest="me"), "eth0")
    foreign = node.receive(1.0, message("NS_x", dest="third"), "eth0")
    numbered = node.receive(1.0, message("ccm", 3), "eth0")

    assert [type(effect) for effect in ours] == [Deliver]
    assert foreign == []
    assert [effect.source for effect in numbered if isinstance(effect, Deliver)] == ["you"]


def test_a_client_that_is_asked_for_is_not_there() -> None:
    node = settled()

    effects = node.receive(1.0, message("query-cstatus", 3, dest="me", cn="crmd", from_id="55"), "eth0")

    (answer,) = [fields for fields in sent(effects) if fields["t"] == "respond-cstatus"]
    assert (answer["cn"], answer["cs"], answer["to_id"]) == ("crmd", "offline", "55")


@pytest.mark.parametrize(
    ("datagram", "reason"),
    [
        (message("status", 1, src="stranger", st="up"), "node stranger is not in ha.cf"),
        (message("status", 1, src="10.0.0.9", st="up"), "not in ha.cf"),
        (message("status", src="you", st="up"), "without generation or number"),
        (status(5, "nonsense"), "a status that does not exist"),
        (status(5, "ping"), "cannot be a ping node"),
        (status(5, generation=2), "an earlier life of you"),
        (message("NS_ackmsg", dest="me", ackseq="ffff"), "was never sent"),
        (message("NS_rexmit", dest="me", firstseq="x", lastseq="1"), "no number"),
        (message("status", 3, src="me", generation=9, st="up"), "another machine calls itself me"),
        (encode(Message((Field("t", "status"),)), KEYS, inner=False), "without type, sender or time"),
        (b"garbage", "not a message of Heartbeat"),
    ],
)
def test_what_is_wrong_is_refused_and_changes_nothing(datagram: bytes, reason: str) -> None:
    node = settled()
    before = repr(node.peers)

    with pytest.raises(RemoteError, match=reason):
        node.receive(1.0, datagram, "eth1")

    assert repr(node.peers) == before


def test_a_second_machine_with_a_peers_name_and_copied_uuids_are_refused() -> None:
    node = started(CONF)
    node.receive(0.2, status(1), "eth0")
    node.receive(0.2, status(1, src="third"), "eth0")

    def with_uuid(uuid: bytes, src: str) -> bytes:
        fields = (
            Field("t", "NS_x"), Field("src", src), Field("srcuuid", uuid, FieldType.BINARY), Field("hg", "3"),
            Field("ts", "5f"),
        )  # fmt: skip
        return encode(Message(fields), KEYS, inner=False)

    for uuid, src, reason in (
        (b"z" * 16, "you", "a second machine calls itself you"),
        (UUIDS["third"], "you", "you has the uuid of third"),
        (UUIDS["me"], "you", "you has the uuid of this node"),
    ):
        with pytest.raises(RemoteError, match=reason):
            node.receive(0.3, with_uuid(uuid, src), "eth0")


def test_autojoin_takes_in_who_has_the_key() -> None:
    node = started(read_ha_cf("bcast eth0\nautojoin other\nnode me\ncrm on\n"))

    effects = node.receive(0.2, status(1, src="new"), "eth0")

    assert NodeMet("new") in effects
    assert node.node_names == ["me", "new"]


def test_ping_nodes_live_while_they_answer() -> None:
    node = started(CONF)
    asked = node.expire(0.5)
    up = node.ping_answered(0.6, "10.0.0.9")
    effects: list[Effect] = []
    while node.deadline is not None and node.deadline <= 4.6:
        effects += node.expire(node.deadline)

    assert PingWanted("10.0.0.9") in asked
    assert StatusChanged("10.0.0.9", Status.INIT, Status.PING, "it answers") in up
    assert StatusChanged("10.0.0.9", Status.PING, Status.DEAD, "silent for 4.000 s") in effects


def test_a_gap_too_large_begins_the_tracking_anew() -> None:
    tracked = Sequence()
    assert tracked.arrive(1, 0.0) is Arrival.NEW
    assert tracked.arrive(1, 0.0) is Arrival.DUPLICATE
    assert tracked.arrive(4, 0.0) is Arrival.NEW
    assert set(tracked.missing) == {2, 3}
    assert tracked.arrive(2, 0.0) is Arrival.NEW
    assert tracked.arrive(2, 0.0) is Arrival.OLD

    assert tracked.arrive(5 + MAX_MISSING + 1, 0.0) is Arrival.NEW

    assert not tracked.missing
