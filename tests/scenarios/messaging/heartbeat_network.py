"""The simulated cluster of ``network.py`` with engines of the heartbeat style, on one broadcast segment.

Nodes have names, and the numbers that engines make of them; tests go on saying 1, 2, 3. With odd seeds every
datagram reaches every node, as on a medium ``bcast``, so what is for one node alone is seen by all.
"""

from hatools.messaging.corosync.totem.effects import SEQUENCE_RESERVE
from hatools.messaging.heartbeat.authkeys import KeyRing, read_authkeys
from hatools.messaging.heartbeat.engine import HeartbeatEngine, Life
from hatools.messaging.heartbeat.ha_cf import HaConfiguration, read_ha_cf
from hatools.messaging.heartbeat.messages import Field, Message, encode
from hatools.messaging.heartbeat.outgoing import LocalNode
from hatools.messaging.views import Datagram, Effect, ForStyle
from hatools.values.nodenumber import number_of_name
from tests.scenarios.messaging import network as base
from tests.scenarios.messaging.network import GROUP, Network, Node
from tests.scenarios.messaging.schedules import Schedule, Story

KEYS = "auth 1\n1 sha1 a-secret-of-the-simulation\n"
DEADTIME_S = 2.0


def ha_cf(count: int, extra: str = "") -> HaConfiguration:
    """Return a ha.cf of nodes n1, n2 and so on."""
    names = " ".join(f"n{number}" for number in range(1, count + 1))
    return read_ha_cf(
        f"keepalive 250ms\ndeadtime {DEADTIME_S}\nwarntime 1\ninitdead 10\nbcast eth0\nnode {names}\ncrm on\n{extra}"
    )


class SimulatedEngine(HeartbeatEngine):
    """The engine, with the parts that the simulated network looks at by their names in the other style."""

    @property
    def groups(self) -> object:
        return self.ring.groups

    @property
    def totem(self) -> object:
        return self.ring.totem


class HeartbeatNetwork(Network):
    """A cluster of the heartbeat style."""

    def __init__(self, count: int, seed: int, *, conf: HaConfiguration | None = None) -> None:
        super().__init__(count, seed)
        self.ha_configuration = conf or ha_cf(count)
        self.own_ha_configurations: dict[int, HaConfiguration] = {}
        self.keys: dict[int, KeyRing] = {}
        """Of nodes that have others."""
        self.names = {number: f"n{number}" for number in self.nodes}
        self.number_of = {number_of_name(name): number for number, name in self.names.items()}
        for number, node in self.nodes.items():
            node.id = number_of_name(self.names[number])
        self._everybody_hears = bool(seed % 2)
        self.two_quorate_partitions_allowed = count == 2

    def engine(self, number: int) -> HeartbeatEngine:
        """Return a running node's engine."""
        engine = self.nodes[number].engine
        assert isinstance(engine, HeartbeatEngine)
        return engine

    def start(self, number: int) -> None:
        """Start a node, or start it again after a crash."""
        node = self.nodes[number]
        node.epoch += 1
        node.epochs += 1
        first = node.ring_sequence
        node.ring_sequence += SEQUENCE_RESERVE
        name = self.names[number]
        life = Life(
            local=LocalNode(name, f"machine {number}".encode().ljust(16, b"."), node.epoch),
            keys=self.keys.get(number) or read_authkeys(KEYS),
            ring_sequence=first,
            reserved_sequence=node.ring_sequence,
            mtu=1500,
            clock=lambda: int(self.now + node.clock),
            load=lambda: "0.00 0.00 0.00 1/1 1",
            randomness=self.random.randbytes,
        )
        configuration = self.own_ha_configurations.get(number, self.ha_configuration)
        node.engine = SimulatedEngine(configuration, life)  # type: ignore[assignment]
        node.life = base.Life(node.id)
        node.due = None
        node.paused_until = 0.0
        self.lives.append(node.life)
        self._perform(node, self.engine(number).start(self.now))
        self._perform(node, self.engine(number).join_group(self.now, GROUP))

    def crash(self, number: int) -> None:
        """The node is gone at once."""
        super().crash(self.number_of.get(number, number))

    def pause(self, number: int, seconds: float) -> None:
        """The node does nothing for a while; datagrams wait in its socket."""
        node = self.nodes[number]
        node.paused_until = self.now + seconds
        if seconds > DEADTIME_S and node.engine is not None and not node.engine.is_alone:
            self.at(node.paused_until, lambda: self.crash(number))

    def reload_somewhere(self) -> None:
        """This style reads its files once."""

    def attack(self, number: int, count: int) -> None:
        """Somebody without the key sends a node what was recorded, what was recorded and changed, and garbage."""
        dice = self._dice
        foreign = read_authkeys("auth 1\n1 sha1 another-secret-of-a-stranger\n")
        for _ in range(count):
            data = dice.choice(self._recorded) if self._recorded else b""
            match dice.randrange(4):
                case 1 if data:
                    place = dice.randrange(len(data))
                    data = data[:place] + bytes([data[place] ^ 1 << dice.randrange(8)]) + data[place + 1 :]
                case 2:
                    data = data[: dice.randrange(len(data) + 1)] + dice.randbytes(dice.choice((0, 3, 2000)))
                case 3:
                    fields = {"t": "status", "st": "dead", "src": "n1", "seq": "ffff", "hg": "ffff", "ts": "1"}
                    message = Message(tuple(Field(name, value) for name, value in fields.items()))
                    data = encode(message, foreign, inner=True)
            self.at(self.now + dice.uniform(0, 0.5), lambda data=data: self._arrive(number, number, data))

    def _perform(self, node: Node, effects: list[Effect]) -> None:
        others = tuple(other.id for other in self.nodes.values() if other is not node)
        expanded: list[Effect] = []
        for effect in effects:
            if isinstance(effect, Datagram):
                only = effect.targets if effect.targets and not self._everybody_hears else others
                expanded.append(Datagram(only, effect.data))
            elif not isinstance(effect, ForStyle):
                expanded.append(effect)
        super()._perform(node, expanded)

    def _transmit(self, source: int, target: int, data: bytes) -> None:
        super()._transmit(self.number_of.get(source, source), self.number_of.get(target, target), data)


class HeartbeatStory(Story):
    """A schedule, played on a cluster of the heartbeat style."""

    def __init__(self, schedule: Schedule) -> None:
        super().__init__(schedule)
        weather = self.network.fair
        self.network = HeartbeatNetwork(schedule.count, schedule.seed)
        self.network.fair = self.network.weather = weather
