"""How the ring travels inside Heartbeat's messages, and what of its configuration ha.cf decides. Pure.

Heartbeat repeats lost messages but does not order them, so order and views come from the ring of the corosync
style. Its packets travel as messages of type ``NS_hatools``: Heartbeat neither numbers nor repeats what begins
with ``NS_``, which is right because the ring does both itself, and real heartbeat daemons skip the type. The
packets are encrypted and kept from replay by the ring's own envelope, with keys made of those in authkeys.
"""

from collections.abc import Iterable

from hatools.messaging.corosync.conf import Configuration, read_configuration
from hatools.messaging.corosync.crypto import Protection, Suite
from hatools.messaging.corosync.totem.effects import Timing
from hatools.messaging.corosync.votequorum import QuorumOptions
from hatools.messaging.heartbeat.authkeys import KeyRing, Method
from hatools.messaging.heartbeat.ha_cf import HaConfiguration
from hatools.messaging.heartbeat.messages import Field, FieldType, Message
from hatools.values.errors import ConfigError, RemoteError
from hatools.values.nodenumber import number_of_name
from hatools.values.records import replace

RING_TYPE = "NS_hatools"
_PACKET = "ring"
_TARGETS = "to"
_CONSENSUS_SHARE = 1.2
"""Consensus timeout in token timeouts, as corosync.conf(5) has it."""
_HOLD_SHARE = 0.02
"""How long an idle token rests, in deadtimes."""
_LONGEST_HOLD_S = 0.3
FRAME_OVERHEAD = 300
"""Most bytes that Heartbeat's frame adds to a packet, names not counted."""


def number_nodes(names: Iterable[str]) -> dict[str, int]:
    """Return the number of each node.

    Raises:
        ConfigError: two names have the same number.
    """
    numbers = {name: number_of_name(name) for name in names}
    owners: dict[int, str] = {}
    for name, number in numbers.items():
        if number in owners:
            raise ConfigError(
                f"the names {owners[number]} and {name} cannot be told apart by number: rename one of them"
            )
        owners[number] = name
    return numbers


def ring_timing(deadtime: float) -> Timing:
    """Return timers with which a silent member is given up after deadtime, and never before.

    Token and consensus timeout pass one after the other. The token may have rested for ``hold`` before its
    holder died, so that comes on top.
    """
    hold = min(_HOLD_SHARE * deadtime, _LONGEST_HOLD_S)
    token = (deadtime + hold) / (1 + _CONSENSUS_SHARE)
    retransmit = max(hold / 0.75, 0.03)
    join = min(0.05, token / 10)
    return Timing(
        token=token,
        retransmit=retransmit,
        hold=hold,
        join=join,
        consensus=token * _CONSENSUS_SHARE,
        merge=max(0.1, min(0.2, token / 5)),
    )


def ring_protection(keys: KeyRing) -> Protection:
    """Return how packets are protected: by encryption, unless the active key is a mere checksum."""
    return Protection(Suite.PLAIN if keys.active.method is Method.CRC else Suite.GCM)


def ring_secrets(keys: KeyRing) -> tuple[bytes, ...]:
    """Return what the ring's keys are made of, that of the active key first."""
    others = (key for key in keys.keys.values() if key is not keys.active)
    return tuple(
        f"heartbeat {key.method} ".encode() + key.secret
        for key in (keys.active, *others)
        if key.method is not Method.CRC
    )


def ring_configuration(configuration: HaConfiguration, keys: KeyRing, names: Iterable[str]) -> Configuration:
    """Return the ring's configuration for a cluster of these nodes.

    The majority of the nodes has quorum. Of two nodes each is quorate alone, as with Heartbeat's ccm, and fencing
    decides; at the start nobody is before all nodes were heard or initdead has passed.
    """
    numbers = number_nodes(names)
    count = len(numbers)
    frame = read_configuration(_frame(numbers))
    return replace(
        frame,
        cluster_name=configuration.cluster_name,
        timing=ring_timing(configuration.timing.deadtime),
        protection=ring_protection(keys),
        sched_rr=configuration.realtime,
        quorum=QuorumOptions(expected_votes=count, two_node=count == 2),
        plain_on_purpose=not keys.is_authenticated,
        settings=frame.settings
        | {"totem.transport": "udp"}
        | {f"heartbeat.{name}": value for name, value in configuration.settings.items()},
    )


def _frame(numbers: dict[str, int]) -> str:
    """Return a corosync.conf with the nodes. There are two links, so that copies of a packet are expected."""
    nodes = "".join(
        f"node {{\nnodeid: {number}\nname: {name}\nring0_addr: {name}\nring1_addr: second-{name}\n}}\n"
        for name, number in sorted(numbers.items(), key=lambda entry: entry[1])
    )
    return f"totem {{\nversion: 2\n}}\nnodelist {{\n{nodes}}}\nquorum {{\nprovider: corosync_votequorum\n}}\n"


def pack(packet: bytes, targets: tuple[str, ...]) -> tuple[tuple[Field, ...], str]:
    """Return the fields that carry a packet, and the one node they are for; () means all nodes."""
    body = Field(_PACKET, packet, FieldType.BINARY)
    if len(targets) > 1:
        return (Field(_TARGETS, " ".join(targets)), body), ""
    return (body,), targets[0] if targets else ""


def unpack(message: Message, me: str) -> bytes | None:
    """Return the packet that a message carries, None if it is not for us.

    Raises:
        RemoteError: it carries none.
    """
    packet = message.data(_PACKET)
    if packet is None:
        raise RemoteError(f"a message {RING_TYPE} without a packet")
    targets = message.text(_TARGETS)
    return packet if targets is None or me in targets.split() else None
