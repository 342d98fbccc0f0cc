"""A whole cluster in one process: messaging engines, CIB replicas, controllers, a model of agents, on virtual time.

Nothing sleeps and no socket is opened. The cores are those of the daemons; between them are queues with a delay that
stand for the sockets of a node, and between nodes a network that loses, delays and is cut. A machine that freezes
processes nothing, but what runs on it goes on running; one that loses power holds nothing any more. Everything random
comes from one generator, so a seed that fails can be replayed.
"""

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random

from hatools.cib.document import Document, Element, empty_document
from hatools.cib.operations import Stamp
from hatools.daemons.cib import effects as cib
from hatools.daemons.cib.applying import stored_form
from hatools.daemons.cib.replica import Replica
from hatools.daemons.crmd import effects as crmd
from hatools.daemons.crmd.cluster import Identity as ControllerIdentity
from hatools.daemons.crmd.controller import Controller
from hatools.daemons.crmd.events import (
    CibSeen,
    Event,
    FencingEnded,
    FencingSeen,
    Instant,
    MetadataRead,
    PeerSaid,
    RecurringCancelled,
    ResourceForgotten,
    RingDescribed,
    Scheduled,
    Synchronised,
    Written,
)
from hatools.daemons.crmd.fsa import State
from hatools.ipc.codec import Envelope, Kind, decode, encode
from hatools.ipc.messages.attrd import ClearFailures, RemovePeer, UpdateAttribute
from hatools.ipc.messages.cib import Change
from hatools.ipc.messages.lrm import OperationDone
from hatools.ipc.messages.messaging import GroupChanged, Member, ViewChanged
from hatools.messaging.corosync.conf import Configuration, read_configuration
from hatools.messaging.corosync.engine import CorosyncEngine
from hatools.messaging.corosync.engine import Identity as EngineIdentity
from hatools.messaging.corosync.totem.effects import SEQUENCE_RESERVE
from hatools.messaging.views import (
    Datagram,
    Departed,
    DirectMessage,
    Effect,
    GroupMembersChanged,
    GroupMessage,
    Keep,
    Remark,
    SafeUpTo,
    View,
    ViewInstalled,
)
from hatools.transition.graph import Graph
from hatools.values.ciboperation import CibOperation
from tests.scenarios.whole.agents import Agents

EPOCH = 1_700_000_000
Scheduler = Callable[[Document, int], Graph]

IPC_DELAY = (0.0002, 0.003)
NETWORK_DELAY = (0.0002, 0.002)


def configuration(count: int) -> Configuration:
    """Return the corosync.conf of the simulated cluster; its packets are not encrypted, that is tested elsewhere."""
    nodes = "".join(
        f"node {{\n nodeid: {number}\n name: node{number}\n ring0_addr: 10.0.0.{number}\n}}\n"
        for number in range(1, count + 1)
    )
    return read_configuration(
        "totem {\n version: 2\n cluster_name: sim\n token: 1000\n seqno_unchanged_const: 4\n"
        " crypto_cipher: none\n crypto_hash: none\n}\n"
        f"nodelist {{\n{nodes}}}\nquorum {{\n provider: corosync_votequorum\n}}\n"
    )


@dataclass(slots=True)
class Processes:
    """The daemons of one life of a machine."""

    engine: CorosyncEngine
    replica: Replica
    controller: Controller
    due: dict[str, float] = field(default_factory=dict)
    channels: dict[str, float] = field(default_factory=dict)
    awaited_ring: str = ""
    group_sequence: dict[str, int] = field(default_factory=dict)
    contents: dict[str, Document] = field(default_factory=dict)
    """The CIBs of the present view, by version."""


@dataclass(slots=True)
class Machine:
    """A computer: its disk, its power, what runs on it."""

    id: int
    agents: Agents
    disk: Document
    mark: cib.Mark = field(default_factory=cib.Mark)
    waiting: list[cib.Persist] = field(default_factory=list)
    processes: Processes | None = None
    epoch: int = 0
    ring_sequence: int = 0
    paused_until: float = 0.0
    unaware_until: float = 0.0
    """Until when its controller does not learn that the replicas agree, and so answers no offer."""
    powered: bool = True

    @property
    def name(self) -> str:
        return f"node{self.id}"


class Violation(AssertionError):
    """An invariant does not hold."""


class World:
    """All machines, the clock, the network, the fence device, and what must always hold."""

    def __init__(self, count: int, seed: int, scheduler: Scheduler, start: Document | None = None) -> None:
        self.random = Random(seed)
        self.now = 0.0
        self.configuration = configuration(count)
        self.scheduler = scheduler
        document = start or empty_document()
        self.machines = {n: Machine(n, Agents(self, f"node{n}"), document) for n in range(1, count + 1)}
        self.blocked: set[tuple[int, int]] = set()
        self.loss = 0.0
        self.fence_works = True
        self.must_be_exclusive = True
        self.start_failures = 0.0
        self.resources: list[str] = []
        self.double_starts: list[str] = []
        self.log: list[str] = []
        self.acknowledged: list[str] = []
        self.contents: dict[tuple[str, str], tuple[str, dict[str, Document]]] = {}
        self.calculations = 0
        self._unanswered: dict[tuple[int, int], str] = {}
        self._writers: dict[tuple[int, int], tuple[Controller | None, int]] = {}
        self._requests = 0
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._serial = 0

    # --- time

    def at(self, time: float, action: Callable[[], None]) -> None:
        self._serial += 1
        heapq.heappush(self._queue, (time, self._serial, action))

    def run(self, seconds: float) -> None:
        """Let virtual time pass."""
        end = self.now + seconds
        while self._queue and self._queue[0][0] <= end:
            time, _, action = heapq.heappop(self._queue)
            self.now = max(self.now, time)
            action()
        self.now = end

    def run_until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Let time pass until the condition holds; say whether it came to that."""
        end = self.now + seconds
        while self.now < end:
            if condition():
                return True
            self.run(0.1)
        return condition()

    def note(self, text: str) -> None:
        self.log.append(f"{self.now:9.3f} {text}")

    # --- what happens to machines

    def boot(self, number: int) -> None:
        """Switch a machine on, or start its cluster software again."""
        machine = self.machines[number]
        machine.powered = True
        machine.paused_until = 0.0
        self._start_processes(machine)

    def crash(self, number: int) -> None:
        """The machine loses power: whatever ran there runs no more."""
        machine = self.machines[number]
        self.note(f"{machine.name} loses power")
        machine.powered = False
        machine.processes = None
        machine.agents.power_off()
        kept = self.random.randint(0, len(machine.waiting))
        for persist in machine.waiting[:kept]:
            machine.disk, machine.mark = persist.document, persist.mark
        machine.waiting.clear()

    def freeze(self, number: int, seconds: float) -> None:
        """The machine's processes are stopped for a while; what runs there holds what it holds."""
        machine = self.machines[number]
        if machine.processes is None:
            return
        self.note(f"{machine.name} freezes for {seconds:.1f} s")
        machine.paused_until = max(machine.paused_until, self.now + seconds)
        life = machine.processes
        if seconds > self.configuration.timing.token and len(life.engine.totem.members) > 1:
            # Messaging finds that it was out for too long, and everything begins anew.
            self.at(machine.paused_until, lambda: self._restart_processes(machine, life))

    def keep_unaware(self, number: int, seconds: float) -> None:
        """For a while, its controller does not learn that the replicas agree: it is there, and joins nobody."""
        machine = self.machines[number]
        self.note(f"the controller of {machine.name} hears nothing of its replica for {seconds:.1f} s")
        machine.unaware_until = self.now + seconds
        self.at(machine.unaware_until, lambda: self._replica(machine, []))

    def kill_controller(self, number: int) -> None:
        """The controller dies; its node stays, and a new one comes."""
        machine = self.machines[number]
        life = machine.processes
        if life is None:
            return
        self.note(f"the controller of {machine.name} dies")
        self._engine(machine, life.engine.leave_group(self.now, "crmd"))
        machine.agents.controller_gone()
        life.controller = self._new_controller(machine)
        life.due.pop("controller", None)
        self.at(self.now + 0.3, lambda: self._controller_back(machine, life, life.controller))

    def partition(self, *sides: set[int]) -> None:
        """Cut all traffic between nodes of different sides."""
        self.note(f"partition {sides}")
        side = {number: index for index, members in enumerate(sides) for number in members}
        self.blocked = {(a, b) for a in self.machines for b in self.machines if side.get(a) != side.get(b)}

    def heal(self) -> None:
        self.note("the network is whole")
        self.blocked.clear()
        self.loss = 0.0

    def alive(self) -> list[Machine]:
        """Return the machines whose processes run and are not frozen."""
        return [m for m in self.machines.values() if m.processes is not None and m.paused_until <= self.now]

    def submit(self, number: int, changes: Iterable[Change], label: str = "") -> None:
        """A client of a node's cib asks for a change; with a label its acknowledgement is remembered."""
        machine = self.machines[number]
        life = machine.processes
        if life is None:
            return
        self._requests += 1
        if label:
            self._unanswered[machine.epoch, self._requests] = label
        self._replica(machine, life.replica.submit(self._requests, tuple(changes), self._stamp(machine)))

    def check_contents(self) -> None:
        """Compare what those that are in one view now have held in it."""
        for machine in self.machines.values():
            if machine.processes is not None:
                self._check_contents(machine, machine.processes, "")

    # --- what must always hold of the agents

    def check_start(self, node: str, resource: str) -> None:
        """A start begins: nobody else may hold the resource, and what it stands on must be there."""
        for machine in self.machines.values():
            if machine.name != node and machine.powered and resource in machine.agents.held:
                self.double_starts.append(f"{self.now:.3f}: {resource} on {node} and {machine.name}")
                if self.must_be_exclusive:
                    raise Violation(f"{resource} is started on {node} while {machine.name} holds it")
        place = self.resources.index(resource)
        held = self.machines[int(node[4:])].agents.held
        if place and self.resources[place - 1] not in held:
            raise Violation(f"{resource} is started on {node} before {self.resources[place - 1]}")

    def check_stop(self, node: str, resource: str) -> None:
        """A stop begins: what stands on the resource must be stopped."""
        place = self.resources.index(resource)
        held = self.machines[int(node[4:])].agents.held
        above = [name for name in self.resources[place + 1 :] if name in held]
        if above and resource in held:
            raise Violation(f"{resource} is stopped on {node} before {above}")

    # --- processes

    def _start_processes(self, machine: Machine) -> None:
        machine.epoch += 1
        first = machine.ring_sequence
        machine.ring_sequence += SEQUENCE_RESERVE
        identity = EngineIdentity(
            machine.id, machine.epoch, first, machine.ring_sequence, 8000, (b"",), self.random.randbytes
        )
        engine = CorosyncEngine(self.configuration, identity)
        text = str(stored_form(machine.disk))
        document = Document.parse(text.replace("</configuration>", "</configuration><status/>"))
        replica = Replica(machine.id, machine.name, document, machine.mark, str(machine.epoch))
        replica.set_quorum_votes(len(self.machines) // 2 + 1)
        life = Processes(engine, replica, self._new_controller(machine))
        machine.processes = life
        machine.waiting.clear()
        self._engine(machine, engine.start(self.now))
        self._engine(machine, engine.join_group(self.now, "cib"))
        names = {number: other.name for number, other in self.machines.items()}
        self._control(machine, life, RingDescribed(names))
        self._control(machine, life, CibSeen(replica.document))
        self._engine(machine, engine.join_group(self.now, "crmd"))

    def _new_controller(self, machine: Machine) -> Controller:
        identity = ControllerIdentity(
            machine.id,
            machine.name,
            f"{machine.name}-{self.random.getrandbits(64):016x}",
            "corosync",
            "sim",
            "2.1.5-sim",
        )
        return Controller(identity, self.instant())

    def _controller_back(self, machine: Machine, life: Processes, controller: Controller) -> None:
        if machine.processes is not life or life.controller is not controller:
            return
        names = {number: other.name for number, other in self.machines.items()}
        self._feed(machine, life, RingDescribed(names))
        self._feed(machine, life, CibSeen(life.replica.document))
        if life.engine.view is not None:
            self._feed(machine, life, _view_changed(life.engine.view))
        members = life.engine.members_of("crmd")
        if machine.id in members:
            # Its predecessor's leaving was never told: then messaging shows a new client the group as it is.
            self._feed(machine, life, GroupChanged("crmd", tuple(sorted(members)), (), ()), controller)
        self._engine(machine, life.engine.join_group(self.now, "crmd"))

    def _restart_processes(self, machine: Machine, life: Processes) -> None:
        if machine.processes is life and machine.powered:
            self.note(f"{machine.name} was out for too long: its daemons begin anew")
            machine.processes = None
            machine.agents.controller_gone()
            self.at(self.now + 0.5, lambda: self._restart_if_down(machine))

    def _restart_if_down(self, machine: Machine) -> None:
        if machine.powered and machine.processes is None:
            self._start_processes(machine)

    def instant(self) -> Instant:
        return Instant(self.now, EPOCH + int(self.now))

    def _stamp(self, machine: Machine) -> Stamp:
        return Stamp(str(int(self.now)), machine.name, "sim")

    def _later(self, machine: Machine, channel: str, action: Callable[[], None]) -> None:
        """Do something in a process of a machine after the delay of a socket, in order per channel."""
        life = machine.processes
        assert life is not None
        time = max(life.channels.get(channel, 0.0), self.now + self.random.uniform(*IPC_DELAY))
        life.channels[channel] = time

        def carry_out() -> None:
            if machine.processes is not life:
                return
            if machine.paused_until > self.now:
                self.at(machine.paused_until, carry_out)
            else:
                action()

        self.at(time, carry_out)

    # --- messaging

    def _engine(self, machine: Machine, effects: list[Effect]) -> None:
        life = machine.processes
        if life is None:
            return
        for effect in effects:
            match effect:
                case Datagram(targets, data):
                    for target in targets:
                        self._transmit(machine.id, target, data)
                case ViewInstalled(view):
                    self._view(machine, life, view)
                case GroupMembersChanged(group, members, arrived, left):
                    self._tell_group(machine, life, group, GroupChanged(group, members, arrived, left))
                case GroupMessage():
                    self._ordered(machine, life, effect)
                case DirectMessage(group, sender, payload):
                    self._direct(machine, life, group, sender, payload)
                case SafeUpTo(sequence):
                    self._later(machine, "messaging-cib", lambda s=sequence: self._safe(machine, life, s))
                case Keep(_, value):
                    machine.ring_sequence = value
                case Remark() | Departed():
                    continue
        self._arm(machine, life, "engine")

    def _safe(self, machine: Machine, life: Processes, sequence: int) -> None:
        self._replica(machine, life.replica.became_safe(sequence))

    def _view(self, machine: Machine, life: Processes, view: View) -> None:
        event = _view_changed(view)
        self.note(f"{machine.name} view {event.ring_id} {[m.name for m in event.members]} quorate={view.quorate}")
        self._later(machine, "messaging-cib", lambda: self._enter_view(machine, life, event))
        self._later(machine, "messaging-crmd", lambda: self._feed(machine, life, event))

    def _enter_view(self, machine: Machine, life: Processes, event: ViewChanged) -> None:
        if event.ring_id != life.replica.ring_id:
            self._check_contents(machine, life, event.ring_id)
        self._replica(machine, life.replica.view_changed(event))

    def _tell_group(self, machine: Machine, life: Processes, group: str, event: GroupChanged) -> None:
        if group == "cib":
            self._later(machine, "messaging-cib", lambda: self._replica(machine, life.replica.group_changed(event)))
        elif group == "crmd" and machine.id in event.members:
            controller = life.controller
            self._later(machine, "messaging-crmd", lambda: self._feed(machine, life, event, controller))

    def _ordered(self, machine: Machine, life: Processes, message: GroupMessage) -> None:
        content = decode(message.payload).message
        sender, sequence = message.sender, message.sequence
        if message.group == "cib":
            self._later(
                machine,
                "messaging-cib",
                lambda: self._replica(machine, life.replica.delivered(self.now, sender, sequence, content)),
            )
        else:
            self._later(machine, "messaging-crmd", lambda: self._feed(machine, life, PeerSaid(sender, content, True)))

    def _direct(self, machine: Machine, life: Processes, group: str, sender: int, payload: bytes) -> None:
        content = decode(payload).message
        if group == "cib":
            self._later(
                machine, "messaging-cib", lambda: self._replica(machine, life.replica.direct(self.now, sender, content))
            )
        else:
            self._later(machine, "messaging-crmd", lambda: self._feed(machine, life, PeerSaid(sender, content, False)))

    def _transmit(self, source: int, target: int, data: bytes) -> None:
        if (source, target) in self.blocked or self.random.random() < self.loss:
            return
        self.at(self.now + self.random.uniform(*NETWORK_DELAY), lambda: self._arrive(source, target, data))

    def _arrive(self, source: int, target: int, data: bytes) -> None:
        machine = self.machines[target]
        life = machine.processes
        if life is None or (source, target) in self.blocked:
            return
        if machine.paused_until > self.now:
            self.at(machine.paused_until, lambda: self._arrive(source, target, data))
            return
        self._engine(machine, life.engine.receive(self.now, data, f"10.0.0.{source}"))

    # --- timers

    def _arm(self, machine: Machine, life: Processes, part: str) -> None:
        deadline = self._part(life, part).deadline
        due = life.due.get(part)
        if deadline is not None and (due is None or deadline < due):
            life.due[part] = max(deadline, self.now)
            self.at(life.due[part], lambda: self._expire(machine, life, part))

    def _part(self, life: Processes, part: str) -> CorosyncEngine | Replica | Controller:
        return {"engine": life.engine, "replica": life.replica, "controller": life.controller}[part]

    def _expire(self, machine: Machine, life: Processes, part: str) -> None:
        if machine.processes is not life:
            return
        if machine.paused_until > self.now:
            self.at(machine.paused_until, lambda: self._expire(machine, life, part))
            return
        if life.due.get(part, self.now + 1) <= self.now:
            del life.due[part]
        deadline = self._part(life, part).deadline
        if deadline is None or deadline > self.now:
            self._arm(machine, life, part)
        elif part == "engine":
            self._engine(machine, life.engine.expire(self.now))
        elif part == "replica":
            self._replica(machine, life.replica.expire(self.now))
        else:
            self._controller(machine, life, life.controller.expire(self.instant()))

    # --- the CIB

    def _replica(self, machine: Machine, effects: list[cib.Effect]) -> None:
        life = machine.processes
        if life is None:
            return
        for effect in effects:
            match effect:
                case cib.BroadcastToPeers(message):
                    payload = encode(Envelope(Kind.EVENT, 0, message))
                    self._engine(machine, life.engine.broadcast(self.now, "cib", (payload,), 0))
                case cib.SendToPeer(node, direct):
                    payload = encode(Envelope(Kind.EVENT, 0, direct))
                    self._engine(machine, life.engine.send_to(self.now, "cib", node, (payload,)))
                case cib.Persist():
                    self._persist(machine, life, effect)
                case cib.Answer():
                    self._answer(machine, life, effect)
                case cib.Changed(_, after):
                    if life.replica.is_synchronised:
                        life.contents[str(after.version)] = after
                    self._control(machine, life, CibSeen(after))
                case cib.Note(level, text):
                    self.note(f"{machine.name} cib {level}: {text[:160]}")
                case cib.KeepBackup():
                    continue
        if life.awaited_ring and life.replica.is_synchronised and life.engine.view is not None:
            ring = str(life.engine.view.ring_id)
            is_told = machine.unaware_until <= self.now
            if is_told and ring == life.awaited_ring and life.replica.ring_id == ring:
                life.awaited_ring = ""
                self._control(machine, life, Synchronised(ring, life.replica.is_adopted))
        self._arm(machine, life, "replica")

    def _persist(self, machine: Machine, life: Processes, persist: cib.Persist) -> None:
        machine.waiting.append(persist)

        def synced() -> None:
            machine.waiting.remove(persist)
            machine.disk, machine.mark = persist.document, persist.mark
            self._replica(machine, life.replica.persisted(persist.token))

        self._later(machine, "disk", synced)

    def _answer(self, machine: Machine, life: Processes, answer: cib.Answer) -> None:
        label = self._unanswered.pop((machine.epoch, answer.request), "")
        if label:
            if answer.error is None and life.replica.is_quorate:
                self.acknowledged.append(label)
            return
        error = "" if answer.error is None else str(answer.error)
        version = life.replica.document.version if answer.error is None else None
        controller, tag = self._writers.pop((machine.epoch, answer.request), (None, 0))
        if controller is life.controller:
            self._control(machine, life, Written(tag, version, error))

    def _check_contents(self, machine: Machine, life: Processes, next_ring: str) -> None:
        """Who go from one view to the next together hold the same content at the same version in the first.

        Who does not come along may have seen a message that nobody else ever will: that promise messaging does not
        make (:mod:`hatools.messaging.views`), which is why an acknowledgement waits for a majority.
        """
        contents, life.contents = life.contents, {}
        companion, others = self.contents.setdefault((life.replica.ring_id, next_ring), (machine.name, contents))
        for version in contents.keys() & others.keys():
            if not _is_alike(contents[version].root, others[version].root):
                raise Violation(
                    f"{machine.name} and {companion} held different CIBs of version {version} in view "
                    f"{life.replica.ring_id}"
                )

    # --- the controller

    def _control(self, machine: Machine, life: Processes, event: Event) -> None:
        controller = life.controller
        self._later(machine, "to-crmd", lambda: self._feed(machine, life, event, controller))

    def _feed(self, machine: Machine, life: Processes, event: Event, only: Controller | None = None) -> None:
        if only is not None and life.controller is not only:
            return
        self._controller(machine, life, life.controller.handle(self.instant(), event))

    def _controller(self, machine: Machine, life: Processes, effects: list[crmd.Effect]) -> None:
        for effect in effects:
            if machine.processes is life:
                self._carry_out(machine, life, effect)
        self._arm(machine, life, "controller")

    def _carry_out(self, machine: Machine, life: Processes, effect: crmd.Effect) -> None:
        match effect:
            case crmd.BroadcastToPeers(message):
                payload = encode(Envelope(Kind.EVENT, 0, message))
                self._later(
                    machine,
                    "crmd-messaging",
                    lambda: self._engine(machine, life.engine.broadcast(self.now, "crmd", (payload,), 0)),
                )
            case crmd.SendToPeer(node, message):
                direct = encode(Envelope(Kind.EVENT, 0, message))
                self._later(
                    machine,
                    "crmd-messaging",
                    lambda: self._engine(machine, life.engine.send_to(self.now, "crmd", node, (direct,))),
                )
            case crmd.WriteCib():
                self._later(machine, "crmd-cib", lambda c=life.controller: self._write(machine, life, c, effect))
            case crmd.AwaitReplica(ring):
                life.awaited_ring = ring
                self._later(machine, "crmd-cib", lambda: self._replica(machine, []))
            case crmd.ComputeTransition(request, document, ahead):
                if not ahead:
                    self._check_only_dc(machine, life)
                self._schedule(machine, life, request, document)
            case crmd.Rehearse() | crmd.RunAlert():
                return
            case crmd.RunOperation():
                machine.agents.run(effect, self._reporter(machine, life))
            case crmd.CancelRecurring(resource, operation, interval_ms, key):
                machine.agents.cancel(resource, operation, interval_ms)
                if key:
                    self._control(machine, life, RecurringCancelled(key))
            case crmd.ForgetResource(resource, key):
                machine.agents.forget(resource)
                self._control(machine, life, ResourceForgotten(key, resource))
            case crmd.ReadMetadata(resource):
                self._control(machine, life, MetadataRead(resource, None))
            case crmd.FenceNode():
                self._fence(machine, life, effect)
            case crmd.SetAttributes(request):
                self._attribute(machine, life, request)
            case crmd.Log(level, text):
                self.note(f"{machine.name} {level}: {text}")
            case crmd.EndProcess(status, reason):
                self._end(machine, life, status, reason)
            case crmd.Announce(state):
                if state.state == State.TRANSITION_ENGINE.value:
                    self._check_only_dc(machine, life)

    def _write(self, machine: Machine, life: Processes, controller: Controller, write: crmd.WriteCib) -> None:
        self._requests += 1
        self._writers[machine.epoch, self._requests] = (controller, write.tag)
        early = not write.certain
        self._replica(machine, life.replica.submit(self._requests, write.changes, self._stamp(machine), early=early))

    def _schedule(self, machine: Machine, life: Processes, request: int, document: Document) -> None:
        self.calculations += 1
        graph = self.scheduler(document, EPOCH + int(self.now))
        delay = self.random.uniform(0.005, 0.05)
        controller = life.controller
        self.at(self.now + delay, lambda: self._scheduled(machine, life, controller, request, graph))

    def _check_only_dc(self, machine: Machine, life: Processes) -> None:
        ring = life.controller.cluster.ring
        for other in self.alive():
            core = other.processes.controller if other.processes is not None else None
            if core is None or core is life.controller or core.cluster.ring != ring:
                continue
            if core.coordinator.active and not core.cluster.electing:
                raise Violation(f"{machine.name} and {other.name} are both DC in view {ring}")

    def _scheduled(self, machine: Machine, life: Processes, controller: Controller, request: int, graph: Graph) -> None:
        if machine.processes is life and life.controller is controller:
            self._control(machine, life, Scheduled(request, graph))

    def _reporter(self, machine: Machine, life: Processes) -> Callable[[OperationDone], None]:
        controller = life.controller

        def report(done: OperationDone) -> None:
            if machine.processes is life and life.controller is controller:
                self._control(machine, life, done)

        return report

    def _fence(self, machine: Machine, life: Processes, request: crmd.FenceNode) -> None:
        target = next(m for m in self.machines.values() if m.name == request.target)
        controller = life.controller
        self.note(f"{machine.name} fences {target.name}")

        ring = "" if life.engine.view is None else str(life.engine.view.ring_id)
        # Some machines boot faster than the news of their death travels.
        is_quick = self.random.random() < 0.25
        boots_after = self.random.uniform(0.0, 0.5) if is_quick else self.random.uniform(3, 12)
        told_after = self.random.uniform(0.0, 3.0) if is_quick else 0.0

        def when_awake(step: Callable[[], None]) -> None:
            """Go on if the fencer's machine lives: dead it does nothing, frozen it goes on later."""
            if machine.processes is not life:
                return
            if machine.paused_until > self.now:
                self.at(machine.paused_until, lambda: when_awake(step))
            else:
                step()

        def act() -> None:
            works = self.fence_works
            if works:
                self.crash(target.id)
                self.at(self.now + boots_after, lambda: self._reboot(target))
            self.at(self.now + told_after, lambda: when_awake(lambda: tell(works)))

        def tell(works: bool) -> None:
            if works:
                for other in self.alive():
                    if (machine.id, other.id) not in self.blocked and other.processes is not None:
                        self._control(other, other.processes, FencingSeen(target.name, request.action, ring))
            if life.controller is controller:
                self._control(machine, life, FencingEnded(request.key, request.target, works, "the device is broken"))

        self.at(self.now + self.random.uniform(0.1, 1.0), lambda: when_awake(act))

    def _reboot(self, machine: Machine) -> None:
        if not machine.powered:
            self.note(f"{machine.name} boots")
            self.boot(machine.id)

    def _attribute(
        self, machine: Machine, life: Processes, request: UpdateAttribute | ClearFailures | RemovePeer
    ) -> None:
        """Do what attrd would: here the value goes straight into the CIB."""
        changes: list[Change] = []
        match request:
            case UpdateAttribute(name, value, node):
                number = next(m.id for m in self.machines.values() if m.name == node)
                identifier = f"status-{number}-{name}".replace("#", ".")
                xml = (
                    f'<node_state id="{number}" uname="{node}"><transient_attributes id="{number}">'
                    f'<instance_attributes id="status-{number}"><nvpair id="{identifier}" name="{name}" '
                    f'value="{value}"/></instance_attributes></transient_attributes></node_state>'
                )
                changes.append(Change(CibOperation.MODIFY, "status", xml=xml.encode(), allow_create=True))
            case RemovePeer(node):
                xpath = f"/cib/status/node_state[@uname='{node}']/transient_attributes"
                changes.append(Change(CibOperation.DELETE_ALL, "status", xpath=xpath))
            case ClearFailures():
                return
        self._later(machine, "attrd-cib", lambda: self.submit(machine.id, changes))

    def _end(self, machine: Machine, life: Processes, status: int, reason: str) -> None:
        self.note(f"{machine.name} ends its controller: {reason}")
        machine.processes = None
        machine.agents.controller_gone()
        if status == 100:
            self.at(self.now + 5.0, lambda: self._restart_if_down(machine))


def _is_alike(first: Element, second: Element) -> bool:
    """Say whether two elements are written alike, byte for byte."""
    if first is second:
        return True
    return (
        first.tag == second.tag
        and first.text == second.text
        and list(first.items()) == list(second.items())
        and len(first) == len(second)
        and all(map(_is_alike, first, second))
    )


def _view_changed(view: View) -> ViewChanged:
    return ViewChanged(
        str(view.ring_id),
        tuple(Member(member.id, member.name) for member in view.members),
        view.quorate,
        view.arrived,
        view.left,
        view.lost,
        dict(view.votes),
    )
