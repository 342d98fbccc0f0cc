"""One run: a cluster starts, faults come at random, they end, and the cluster must come to rest with nothing lost."""

from collections.abc import Callable

from hatools.cib.document import Document
from hatools.daemons.crmd.fsa import State
from hatools.ipc.messages.cib import Change
from hatools.values.ciboperation import CibOperation
from tests.scenarios.whole.planner import plan
from tests.scenarios.whole.world import Violation, World

RESOURCES = ("a", "b")
STORM_S = 60.0
SETTLE_S = 90.0

START = Document.parse(
    '<cib crm_feature_set="3.16.1" validate-with="none" epoch="1" num_updates="0" admin_epoch="0"><configuration>'
    '<crm_config><cluster_property_set id="set"><nvpair id="stonith" name="stonith-enabled" value="true"/>'
    '</cluster_property_set></crm_config><nodes><node id="1" uname="node1"/><node id="2" uname="node2"/>'
    '<node id="3" uname="node3"/></nodes><resources>'
    + "".join(f'<primitive id="{name}" class="ocf" provider="hatools" type="Model"/>' for name in RESOURCES)
    + "</resources><constraints/></configuration><status/></cib>"
)


class Storm:
    """The story of one seed."""

    def __init__(self, seed: int, *, fencing: bool = True) -> None:
        start = START if fencing else Document.parse(str(START).replace('value="true"', 'value="false"'))
        self.world = World(3, seed, plan, start)
        self.world.resources = list(RESOURCES)
        self.random = self.world.random
        self._labels = 0

    def run(self) -> None:
        """Start, let faults come, end them, and check."""
        world = self.world
        for number in world.machines:
            world.at(self.random.uniform(0, 1), lambda n=number: world.boot(n))  # type: ignore[misc]
        world.run(self.random.uniform(3, 10))
        end = world.now + STORM_S
        world.start_failures = self.random.choice((0.0, 0.0, 0.05))
        while world.now < end:
            self._fault()
            world.run(self.random.uniform(0.2, 12.0))
            self._administrator()
        self._calm()
        if not world.run_until(self._is_settled, SETTLE_S):
            raise Violation(f"the cluster does not come to rest: {self._states()}")
        world.run(1.0)  # what is still on its way to a replica arrives
        self._check_end()

    def cut_off(self) -> None:
        """Without fencing: cut off the node that has the resources; it must stop them before the others start them."""
        world = self.world
        for number in world.machines:
            world.boot(number)
        if not world.run_until(self._is_settled, SETTLE_S):
            raise Violation(f"the cluster does not come to rest: {self._states()}")
        world.run(self.random.uniform(0, 5))
        (holder,) = [machine.id for machine in world.machines.values() if RESOURCES[0] in machine.agents.held]
        world.partition({holder}, set(world.machines) - {holder})
        world.run(20.0)
        holders = [machine.id for machine in world.machines.values() if RESOURCES[-1] in machine.agents.held]
        if world.double_starts or holders == [holder] or len(holders) != 1:
            raise Violation(f"held by {holders} after node {holder} was cut off; {world.double_starts}")

    @property
    def figures(self) -> str:
        """Return what happened, in numbers."""
        fencings = sum(" fences " in line for line in self.world.log)
        faults = sum("loses power" in line or "freezes" in line or "partition" in line for line in self.world.log)
        return f"{self.world.now:.0f} s, {faults} faults, {fencings} fencings, {self.world.calculations} calculations"

    # --- faults

    def _fault(self) -> None:
        world = self.world
        number = self.random.choice(list(world.machines))
        faults: list[Callable[[], None]] = [
            lambda: self._crash(number),
            lambda: world.freeze(number, self.random.choice((0.5, 3.0, 10.0))),
            lambda: world.partition({number}, set(world.machines) - {number}),
            world.heal,
            world.heal,
            lambda: world.kill_controller(number),
            lambda: world.keep_unaware(number, self.random.choice((1.0, 8.0, 30.0, 80.0))),
            self._loss,
            self._break_fencing,
        ]
        self.random.choice(faults)()

    def _crash(self, number: int) -> None:
        world = self.world
        machine = world.machines[number]
        if machine.powered:
            world.crash(number)
            world.at(world.now + self.random.uniform(2, 20), lambda: self._boot(number))

    def _boot(self, number: int) -> None:
        if not self.world.machines[number].powered:
            self.world.note(f"node{number} is switched on")
            self.world.boot(number)

    def _loss(self) -> None:
        self.world.loss = self.random.choice((0.0, 0.02, 0.1))

    def _break_fencing(self) -> None:
        world = self.world
        world.fence_works = False
        world.at(world.now + self.random.uniform(1, 15), lambda: setattr(world, "fence_works", True))

    def _administrator(self) -> None:
        """Change the configuration through any node; what is acknowledged must last."""
        if self.random.random() < 0.7:
            self._labels += 1
            label = f"mark-{self._labels}"
            xml = (
                f'<cluster_property_set id="set"><nvpair id="{label}" name="{label}" value="1"/></cluster_property_set>'
            )
            change = Change(CibOperation.MODIFY, "crm_config", xml=xml.encode(), allow_create=True)
            self.world.submit(self.random.choice(list(self.world.machines)), [change], label)

    def _calm(self) -> None:
        """End all faults and bring every machine up."""
        world = self.world
        world.note("the storm is over")
        world.heal()
        world.fence_works = True
        world.start_failures = 0.0
        for number, machine in world.machines.items():
            if machine.unaware_until > world.now:
                world.keep_unaware(number, 0.0)
            if not machine.powered:
                world.at(world.now + 1.0, lambda n=number: self._boot(n))  # type: ignore[misc]

    # --- the end

    def _is_settled(self) -> bool:
        world = self.world
        lives = [m.processes for m in world.machines.values() if m.paused_until <= world.now]
        if any(life is None for life in lives) or len(lives) < len(world.machines):
            return False
        states = sorted(life.controller.state.value for life in lives if life is not None)
        if states != sorted([State.IDLE.value, State.NOT_DC.value, State.NOT_DC.value]):
            return False
        dc = next(life.controller for life in lives if life is not None and life.controller.coordinator.active)
        is_pending = any(entry.get("op-status") == "-1" for entry in dc.cluster.document.root.iter("lrm_rsc_op"))
        return dc.describe().settled and not is_pending and not plan(dc.cluster.document, 0)

    def _states(self) -> str:
        return ", ".join(
            f"{m.name}: {'down' if m.processes is None else m.processes.controller.state.value}"
            for m in self.world.machines.values()
        )

    def _check_end(self) -> None:
        world = self.world
        world.check_contents()
        documents = [m.processes.replica.document for m in world.machines.values() if m.processes is not None]
        if len({str(document) for document in documents}) != 1:
            raise Violation("the replicas differ at rest")
        options = {pair.get("id") for pair in documents[0].root.iter("nvpair")}
        lost = [label for label in world.acknowledged if label not in options]
        if lost:
            raise Violation(f"acknowledged changes are lost: {lost}")
        for entry in documents[0].root.iter("lrm_rsc_op"):
            if entry.get("op-status") == "-1":
                raise Violation(f"{entry.get('id')} is pending at rest")
        for resource in RESOURCES:
            holders = [m.name for m in world.machines.values() if resource in m.agents.held]
            if len(holders) > 1:
                raise Violation(f"{resource} is held by {holders} at rest")
