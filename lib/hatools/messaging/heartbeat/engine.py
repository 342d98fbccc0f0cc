"""The heartbeat style, whole: Heartbeat's protocol for who is alive, our ring inside it for order. Pure.

Datagrams and time go in, effects of ``views.py`` come out. Heartbeat's own view of the nodes (``cl_status``) and
the ring's views are kept by the same deadtime. ``source`` of a datagram is ``LINK ADDRESS``.
"""

from collections.abc import Callable, Mapping
from typing import assert_never

from hatools.messaging.corosync.conf import Configuration
from hatools.messaging.corosync.engine import CorosyncEngine, Identity
from hatools.messaging.corosync.rejections import Rejections
from hatools.messaging.groups import Card, Facts, Ruling
from hatools.messaging.heartbeat.authkeys import KeyRing
from hatools.messaging.heartbeat.carriage import (
    FRAME_OVERHEAD,
    RING_TYPE,
    pack,
    ring_configuration,
    ring_secrets,
    unpack,
)
from hatools.messaging.heartbeat.effects import (
    Deliver,
    LinkChanged,
    NodeMet,
    Noted,
    PingWanted,
    Settled,
    StatusChanged,
    Transmit,
    Warned,
)
from hatools.messaging.heartbeat.effects import Effect as ProtocolEffect
from hatools.messaging.heartbeat.ha_cf import HaConfiguration
from hatools.messaging.heartbeat.outgoing import LocalNode
from hatools.messaging.heartbeat.peers import Status
from hatools.messaging.heartbeat.protocol import Heartbeat
from hatools.messaging.views import Datagram, Effect, ForStyle, NodeIdentity, Remark, Severity, View
from hatools.values.errors import RemoteError
from hatools.values.nodenumber import number_of_name
from hatools.values.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Life:
    """What is this node's own. ``known`` are uuids of nodes met before; the sequences are those of
    :class:`hatools.messaging.corosync.engine.Identity`; ``mtu`` is that of the network."""

    local: LocalNode
    keys: KeyRing
    ring_sequence: int
    reserved_sequence: int
    mtu: int
    clock: Callable[[], int]
    load: Callable[[], str]
    randomness: Callable[[int], bytes]
    known: Mapping[str, bytes] = field(default_factory=dict)


class CarriedRing(CorosyncEngine):
    """The ring inside Heartbeat: a view is quorate only once a member of it knows of every node how it is."""

    style = "heartbeat"

    def __init__(self, configuration: Configuration, identity: Identity) -> None:
        super().__init__(configuration, identity)
        self._is_settled = False

    def settle(self, now: float) -> list[Effect]:
        """Say that this node has every node in its view, or has given it up."""
        self._is_settled = True
        return self._announce(now, {"settled": True})

    def _facts(self) -> Facts:
        return {**super()._facts(), "settled": self._is_settled}

    def _rule(self, cards: dict[int, Card], left: frozenset[int]) -> Ruling | None:
        ruling = super()._rule(cards, left)
        if ruling is None:
            return None
        is_settled = any(card.facts.get("settled") is True for card in cards.values())
        return Ruling(ruling.quorate and is_settled, ruling.votes)

    def _take_over_votes(self, facts: Facts) -> None:
        super()._take_over_votes(facts)
        if facts.get("settled") is True:
            self.groups.amend_cards({"settled": True})


class HeartbeatEngine:
    """The heartbeat style at one node; a :class:`GroupEngine`."""

    def __init__(self, configuration: HaConfiguration, life: Life) -> None:
        self.configuration = configuration
        self.rejections = Rejections()
        self.heartbeat = Heartbeat(
            life.local,
            configuration,
            life.keys,
            clock=life.clock,
            load=life.load,
            randomness=life.randomness,
            known=life.known,
        )
        names = self.heartbeat.node_names
        longest = max(len(name) for name in names)
        identity = Identity(
            node_id=number_of_name(life.local.name),
            epoch=life.local.generation,
            ring_sequence=life.ring_sequence,
            reserved_sequence=life.reserved_sequence,
            mtu=life.mtu - FRAME_OVERHEAD - 2 * longest - sum(len(name) + 1 for name in names),
            secrets=ring_secrets(life.keys),
            randomness=life.randomness,
        )
        self.ring = CarriedRing(ring_configuration(configuration, life.keys, names), identity)
        self._name_of = {number_of_name(name): name for name in names}
        self._has_heard_all = False
        self._settle_at: float | None = None
        """When we no longer wait at the start for nodes that Heartbeat hears and the ring does not have."""

    # -- what is asked of every engine

    @property
    def view(self) -> View | None:
        """Return the current view; None before the first."""
        return self.ring.view

    @property
    def is_alone(self) -> bool:
        """Say whether nobody would miss this node."""
        return self.ring.is_alone

    @property
    def nodes(self) -> tuple[NodeIdentity, ...]:
        """Return all nodes of the cluster."""
        return tuple(NodeIdentity(number, name) for number, name in sorted(self._name_of.items()))

    def name_of(self, node: int) -> str:
        """Return a node's name, empty if there is no such node."""
        return self._name_of.get(node, "")

    @property
    def deadline(self) -> float | None:
        """Return when :meth:`expire` wants to be called."""
        settle_at = self._settle_at if self._has_heard_all else None
        times = [time for time in (self.heartbeat.deadline, self.ring.deadline, settle_at) if time is not None]
        return min(times, default=None)

    def waiting_bytes(self, group: str) -> int:
        """Return how much waits to be sent to a group."""
        return self.ring.waiting_bytes(group)

    def start(self, now: float) -> list[Effect]:
        """Begin: alone, until others are heard."""
        self._settle_at = now + self.configuration.timing.initdead
        return self._perform(now, self.heartbeat.start(now)) + self._carry(now, self.ring.start(now))

    def receive(self, now: float, datagram: bytes, source: str) -> list[Effect]:
        """Process a datagram; whatever is wrong with it changes nothing and is remarked once."""
        link, _, address = source.partition(" ")
        try:
            return self._perform(now, self.heartbeat.receive(now, datagram, link, address))
        except RemoteError as error:
            return self.reject(address or link, str(error))

    def reject(self, source: str, cause: str) -> list[Effect]:
        """Note that a datagram was ignored."""
        text = self.rejections.note(source, cause)
        return [Remark(Severity.WARNING, text)] if text and self.configuration.log_bad_packets else []

    def expire(self, now: float) -> list[Effect]:
        """Act on the deadlines that have passed."""
        effects: list[Effect] = []
        if self.heartbeat.deadline is not None and self.heartbeat.deadline <= now:
            effects += self._perform(now, self.heartbeat.expire(now))
        if self.ring.deadline is not None and self.ring.deadline <= now:
            effects += self._carry(now, self.ring.expire(now))
        return effects + self._try_to_settle(now)

    def join_group(self, now: float, group: str) -> list[Effect]:
        """Take part in a group."""
        return self._carry(now, self.ring.join_group(now, group))

    def leave_group(self, now: float, group: str) -> list[Effect]:
        """Leave a group."""
        return self._carry(now, self.ring.leave_group(now, group))

    def members_of(self, group: str) -> frozenset[int]:
        """Return the nodes that have a client in the group."""
        return self.ring.members_of(group)

    def broadcast(self, now: float, group: str, pieces: tuple[bytes, ...], tag: int) -> list[Effect]:
        """Send to the group's clients on all members."""
        return self._carry(now, self.ring.broadcast(now, group, pieces, tag))

    def broadcast_many(self, now: float, group: str, bundle: bytes) -> list[Effect]:
        """Send several messages to the group's clients on all members."""
        return self._carry(now, self.ring.broadcast_many(now, group, bundle))

    def send_to(self, now: float, group: str, node_id: int, pieces: tuple[bytes, ...]) -> list[Effect]:
        """Send to the group's client on one node."""
        return self._carry(now, self.ring.send_to(now, group, node_id, pieces))

    def depart(self, now: float) -> list[Effect]:
        """Say goodbye; the ring is left when all members know."""
        return self._carry(now, self.ring.depart(now))

    def leave(self, now: float) -> list[Effect]:
        """Leave the ring, and tell every node that listens that we stop."""
        return self._carry(now, self.ring.leave(now)) + self._perform(now, self.heartbeat.leave(now))

    # -- what only this style has

    def ping_answered(self, now: float, node: str) -> list[Effect]:
        """Note that a ping node is there."""
        return self._perform(now, self.heartbeat.ping_answered(now, node))

    def change_ring(self, now: float, effects: list[Effect]) -> list[Effect]:
        """Send what a call on ``ring`` (votes and the like) asked for."""
        return self._carry(now, effects)

    # -- from Heartbeat upwards, from the ring downwards

    def _perform(self, now: float, effects: list[ProtocolEffect]) -> list[Effect]:
        result: list[Effect] = []
        for effect in effects:
            match effect:
                case Transmit(data, dest):
                    result.append(Datagram((number_of_name(dest),) if dest else (), data))
                case Deliver(source, message):
                    if message.text("t") == RING_TYPE:
                        packet = unpack(message, self.heartbeat.me.name)
                        if packet is not None:
                            result += self._carry(now, self.ring.receive(now, packet, f"node {source}"))
                case StatusChanged(node, old, new, cause):
                    severity = Severity.WARNING if new is Status.DEAD else Severity.NOTICE
                    result.append(Remark(severity, f"node {node}: status {new} (was {old}): {cause}"))
                    result.append(ForStyle(effect))
                case LinkChanged(node, link, is_up):
                    result.append(Remark(Severity.INFO, f"Link {node}:{link} {'up' if is_up else 'dead'}."))
                case Settled():
                    self._has_heard_all = True
                    result += self._try_to_settle(now)
                case NodeMet(node):
                    result += self._take_in(now, node)
                case PingWanted():
                    result.append(ForStyle(effect))
                case Warned(text):
                    result.append(Remark(Severity.WARNING, text))
                case Noted(text):
                    result.append(Remark(Severity.INFO, text))
                case _:
                    assert_never(effect)
        return result

    def _carry(self, now: float, effects: list[Effect]) -> list[Effect]:
        """Replace the ring's datagrams by messages of Heartbeat that hold them."""
        result: list[Effect] = []
        everybody = len(self._name_of) - 1
        for effect in effects:
            if isinstance(effect, Datagram):
                targets = tuple(self._name_of[target] for target in effect.targets if target in self._name_of)
                fields, dest = pack(effect.data, () if len(targets) == everybody > 1 else targets)
                sent = self.heartbeat.carry(now, RING_TYPE, fields, dest)
                result.append(Datagram((number_of_name(dest),) if dest else (), sent.data))
            else:
                result.append(effect)
        return result + self._try_to_settle(now)

    def _try_to_settle(self, now: float) -> list[Effect]:
        """Let views be quorate once all nodes that Heartbeat hears are in ours.

        Without that each of two nodes would be quorate alone for the moment until their rings have merged. Nodes
        that never come, such as real heartbeat daemons, are waited for until initdead.
        """
        if self._settle_at is None or not self._has_heard_all:
            return []
        members = self.view.member_ids if self.view is not None else frozenset()
        peers = self.heartbeat.peers.values()
        outside = [p for p in peers if p.is_alive and not p.is_ping and number_of_name(p.name) not in members]
        if outside and now < self._settle_at:
            return []
        self._settle_at = None
        return self._carry(now, self.ring.settle(now))

    def _take_in(self, now: float, name: str) -> list[Effect]:
        """Let a node that joined by itself take part in the ring."""
        names = self.heartbeat.node_names
        self._name_of = {number_of_name(known): known for known in names}
        configuration = ring_configuration(self.configuration, self.heartbeat.keys, names)
        remark = Remark(Severity.NOTICE, f"node {name} joins the cluster by itself (autojoin)")
        effects = self._carry(now, self.ring.reconfigure(now, configuration))
        return [remark, ForStyle(NodeMet(name)), *effects]
