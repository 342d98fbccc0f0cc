"""Decoders under mutated and random input: an error that says what is wrong, or a value; nothing else."""

import random

import pytest

from hatools.messaging.corosync.ballots import ballot_of, facts_of
from hatools.messaging.corosync.conf import read_configuration
from hatools.messaging.corosync.crypto import Envelope, Keys, Protection, Suite
from hatools.messaging.corosync.totem.packets import (
    Commit,
    CommitEntry,
    HoldCancel,
    Join,
    Merge,
    Message,
    Probe,
    Token,
    decode,
    encode,
    unwrap_message,
    wrap_message,
)
from hatools.messaging.corosync.votequorum import Ballot, DeviceState
from hatools.messaging.packing import Inbox
from hatools.messaging.views import RingId
from hatools.values.errors import ConfigError, RemoteError

RING = RingId(8, 1)
SOME = frozenset({1, 2, 3})
PACKETS = [
    Token(RING, 2, 5, 9, 8, 1, 3, 4, True, [(1, 2), (5, 9)]),
    Message(RING, 4, 2, False, b"payload"),
    Merge(RING, SOME, frozenset({1}), frozenset({2})),
    Join(SOME, frozenset({2}), SOME, 12, False, frozenset({3})),
    Commit(RING, 1, 1, (CommitEntry(1, True, RING, 3, 4), CommitEntry(2, False, RING, 0, 0))),
    HoldCancel(RING),
    Probe(3, True, 2**50),
]
PROTECTIONS = [
    Protection(),
    Protection(Suite.CBC, "aes128", "sha1"),
    Protection(Suite.HASH, "", "md5"),
    Protection(Suite.PLAIN, "", ""),
]
CONF = """totem {
    version: 2
    cluster_name: x
    interface {
        linknumber: 0
        mcastport: 5405
    }
}
nodelist {
    node {
        ring0_addr: 10.0.0.1
        nodeid: 1
        quorum_votes: 2
    }
}
quorum {
    provider: corosync_votequorum
    expected_votes: 2
    device {
        model: net
        votes: 1
        net {
            host: q
            algorithm: ffsplit
        }
    }
}
logging {
    logger_subsys {
        subsys: QUORUM
        debug: on
    }
}
uidgid {
    uid: 5
}
"""


def mutated(data: bytes, dice: random.Random) -> bytes:
    """Return data with some bytes changed, taken out, doubled or added."""
    changed = bytearray(data)
    for _ in range(dice.randint(1, 6)):
        place = dice.randrange(len(changed) + 1)
        match dice.randrange(4):
            case 0 if place < len(changed):
                changed[place] = dice.randrange(256)
            case 1:
                del changed[place : place + dice.randint(1, 8)]
            case 2:
                changed[place:place] = dice.randbytes(dice.randint(1, 8))
            case 3:
                changed[place:place] = changed[: dice.randint(0, 12)]
    return bytes(changed)


@pytest.mark.parametrize("packet", PACKETS, ids=lambda packet: type(packet).__name__)
def test_packets_survive_a_round_trip(packet: Message) -> None:
    assert decode(encode(packet)) == packet


@pytest.mark.parametrize("seed", range(40))
def test_mutated_packets_decode_or_are_refused(seed: int) -> None:
    dice = random.Random(seed)
    for packet in PACKETS:
        for _ in range(20):
            try:
                again = decode(mutated(encode(packet), dice))
            except RemoteError:
                continue
            encode(again)


@pytest.mark.parametrize("seed", range(20))
def test_mutated_recovered_messages_and_chunks_are_refused_or_read(seed: int) -> None:
    dice = random.Random(seed)
    inbox = Inbox(lambda chunk: True)
    for _ in range(100):
        try:
            unwrap_message(mutated(wrap_message(Message(RING, 4, 2, False, b"payload")), dice))
            inbox.feed(1, mutated(b"\x00\x01\x03\x00\x02ab\x00\x01\x01\x00\x01c", dice))
        except RemoteError:
            continue


@pytest.mark.parametrize("protection", PROTECTIONS, ids=lambda protection: protection.suite.name)
def test_no_mutated_datagram_is_taken_for_genuine(protection: Protection) -> None:
    dice = random.Random(3)
    keys = Keys(bytes(range(200)), "sim", protection, dice.randbytes)
    sender = Envelope(1, (keys,), 5, frozenset({1, 2}), dice.randbytes)
    receiver = Envelope(2, (keys,), 5, frozenset({1, 2}), dice.randbytes)
    for hello in range(3):  # the receiver asks who this is, and is answered
        opened = receiver.open(float(hello), sender.seal(b"\x05hello"))
        for _, challenge in opened.replies:
            for _, answer in sender.open(float(hello), challenge).replies:
                receiver.open(float(hello), answer)
    assert receiver.open(9.0, sender.seal(b"\x05genuine")).bodies == (b"\x05genuine",)

    for _ in range(600):
        datagram = sender.seal(b"\x05" + dice.randbytes(40))
        changed = mutated(datagram, dice)
        if changed == datagram:
            continue
        try:
            bodies = receiver.open(9.0, changed).bodies
        except RemoteError:
            continue
        assert bodies == ()


@pytest.mark.parametrize("seed", range(60))
def test_mutated_configurations_are_read_or_refused_with_their_place(seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(15):
        text = mutated(CONF.encode(), dice).decode("utf-8", errors="replace")
        try:
            read_configuration(text, "c")
        except ConfigError as error:
            assert all(line.startswith("c: line ") for line in str(error).splitlines()), str(error)


def test_a_ballot_survives_its_card_and_nonsense_counts_nothing() -> None:
    ballot = Ballot(2, 5, True, False, frozenset({1, 9}), 12, DeviceState(True, True, False))

    assert ballot_of(facts_of(ballot)) == ballot
    assert ballot_of({"votes": "many", "last_quorate": 7, "device": False}) == Ballot(0, 0, False, False)
