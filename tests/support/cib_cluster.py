"""A cluster of replicas in one process: virtual synchrony, disks and crashes, all by one random generator.

The network keeps the promises of ``messaging.views`` and nothing more: members receive at their own pace, a view
change comes at any moment, those who pass it together have delivered the same, and what a sender had not delivered
is sent again in its next view. A disk keeps what was synced when its node crashed, perhaps more.
"""

from collections import deque
from dataclasses import dataclass, field
from random import Random

from hatools.cib.document import Document
from hatools.cib.operations import Stamp
from hatools.daemons.cib.applying import stored_form
from hatools.daemons.cib.effects import (
    Answer,
    BroadcastToPeers,
    Changed,
    Effect,
    KeepBackup,
    Mark,
    Note,
    Persist,
    SendToPeer,
)
from hatools.daemons.cib.replica import Replica
from hatools.ipc.messages.cib import Change
from hatools.ipc.messages.messaging import GroupChanged, Member, ViewChanged
from hatools.values.ciboperation import CibOperation

START = Document.parse(
    '<cib crm_feature_set="3.16.1" validate-with="none" epoch="1" num_updates="0" admin_epoch="0"><configuration>'
    '<crm_config><cluster_property_set id="set"><nvpair id="count" value="0"/></cluster_property_set></crm_config>'
    "<nodes/><resources/><constraints/></configuration><status/></cib>"
)


@dataclass(slots=True)
class Ring:
    """One view and its order of messages: (sender, message); a message to one node has its number as target."""

    ring_id: str
    members: tuple[int, ...]
    quorate: bool
    order: list[tuple[int, int, object]] = field(default_factory=list)


@dataclass(slots=True)
class Disk:
    """What a node has on disk, and what it asked to be written since."""

    document: Document = START
    mark: Mark = field(default_factory=Mark)
    waiting: deque[Persist] = field(default_factory=deque)


@dataclass(slots=True)
class Node:
    """One node; ``replica`` is None while it is down."""

    id: int
    disk: Disk = field(default_factory=Disk)
    replica: Replica | None = None
    ring: Ring | None = None
    received: int = 0
    delivered: int = 0
    broadcasts: int = 0
    safe: int = 0
    outbox: list[tuple[int, object]] = field(default_factory=list)
    unanswered: dict[int, str] = field(default_factory=dict)


class Cluster:
    """The whole world of one run; every method that takes a step draws from the same generator."""

    def __init__(self, size: int, random: Random) -> None:
        self.random = random
        self.nodes = {number: Node(number) for number in range(1, size + 1)}
        self.now = 0.0
        self.acknowledged: list[str] = []
        self.refused: list[str] = []
        self.notes: list[str] = []
        self._sequence = 0
        self._requests = 0
        self._lives = 0

    # -- the world changes

    def start(self, number: int) -> None:
        """Start a node that is down; it is alone until the next regrouping."""
        node = self.nodes[number]
        if node.replica is not None:
            return
        self._lives += 1
        document = stored_form(node.disk.document)
        document = Document.parse(str(document).replace("</configuration>", "</configuration><status/>"))
        node.replica = Replica(number, f"node{number}", document, node.disk.mark, str(self._lives))
        node.ring = None
        node.outbox.clear()
        node.unanswered.clear()

    def crash(self, number: int) -> None:
        """Kill a node: its disk keeps what was synced and perhaps some of what waits."""
        node = self.nodes[number]
        if node.replica is None:
            return
        for _ in range(self.random.randint(0, len(node.disk.waiting))):
            self._write(node, node.disk.waiting.popleft())
        node.disk.waiting.clear()
        node.replica = None
        node.ring = None

    def regroup(self, components: list[set[int]]) -> None:
        """Give the running nodes new views, one for each set."""
        running = {number for number, node in self.nodes.items() if node.replica is not None}
        for component in components:
            members = tuple(sorted(component & running))
            for ring, together in self._by_ring(members):
                if ring is not None:
                    self._finish_ring(ring, together)
        for component in components:
            members = tuple(sorted(component & running))
            if members:
                self._install(members)

    def _by_ring(self, members: tuple[int, ...]) -> list[tuple[Ring | None, list[Node]]]:
        groups: dict[int, tuple[Ring | None, list[Node]]] = {}
        for number in members:
            node = self.nodes[number]
            groups.setdefault(id(node.ring), (node.ring, []))[1].append(node)
        return list(groups.values())

    def _finish_ring(self, ring: Ring, together: list[Node]) -> None:
        """Those who leave a ring together deliver all that any of them has received."""
        end = max(node.received for node in together)
        for node in together:
            while node.delivered < end:
                self._deliver(node)
            for sender, target, message in ring.order[end:]:
                if sender == node.id:
                    node.outbox.append((target, message))

    def _install(self, members: tuple[int, ...]) -> None:
        self._sequence += 1
        quorate = len(members) * 2 > len(self.nodes)
        ring = Ring(f"{min(members):x}.{self._sequence:x}", members, quorate)
        view = ViewChanged(
            ring.ring_id,
            tuple(Member(number, f"node{number}") for number in members),
            quorate,
            votes={f"node{number}": 1 for number in members},
        )
        for number in members:
            node = self.nodes[number]
            previous = () if node.ring is None else node.ring.members
            node.ring = ring
            node.received = node.delivered = node.broadcasts = node.safe = 0
            resend, node.outbox = node.outbox, []
            assert node.replica is not None
            node.replica.set_quorum_votes(len(self.nodes) // 2 + 1)
            self._carry_out(node, node.replica.view_changed(view))
            arrived = tuple(other for other in members if other not in previous)
            self._carry_out(node, node.replica.group_changed(GroupChanged("cib", members, arrived)))
            # What was queued before the view goes first, as the ring sends it in the order it was given.
            for target, message in resend:
                ring.order.append((number, target, message))

    # -- steps

    def submit(self, number: int, label: str) -> None:
        """A client of a node asks for a write that counts up by one and leaves its label."""
        node = self.nodes[number]
        if node.replica is None:
            return
        self._requests += 1
        node.unanswered[self._requests] = label
        changes = (
            Change(CibOperation.MODIFY, "crm_config", xml=b'<nvpair id="count" value="value++"/>'),
            Change(
                CibOperation.CREATE,
                "resources",
                xml=f'<primitive id="{label}" class="ocf" provider="x" type="y"/>'.encode(),
            ),
        )
        self._carry_out(node, node.replica.submit(self._requests, changes, Stamp("now", f"node{number}")))

    def step(self) -> bool:
        """Let something happen somewhere; False if nothing can."""
        choices = [choice for node in self.nodes.values() for choice in self._choices(node)]
        if not choices:
            return False
        action, node = self.random.choice(choices)
        self.now += 0.001
        if action == "receive":
            node.received += 1
        elif action == "deliver":
            self._deliver(node)
        elif action == "safe":
            self._tell_safe(node)
        else:
            done = node.disk.waiting.popleft()
            self._write(node, done)
            assert node.replica is not None
            self._carry_out(node, node.replica.persisted(done.token))
        return True

    def settle(self, limit: int = 100_000) -> None:
        """Let everything happen that can."""
        for _ in range(limit):
            if not self.step():
                return
        raise AssertionError("the cluster does not come to rest")

    def _choices(self, node: Node) -> list[tuple[str, Node]]:
        if node.replica is None or node.ring is None:
            return []
        choices = []
        if node.received < len(node.ring.order):
            choices.append(("receive", node))
        if node.delivered < node.received:
            choices.append(("deliver", node))
        if node.disk.waiting:
            choices.append(("sync", node))
        if self._safe_sequence(node) > node.safe:
            choices.append(("safe", node))
        return choices

    def _safe_sequence(self, node: Node) -> int:
        """Return how many broadcasts that the node delivered are received by all members of its view."""
        assert node.ring is not None
        everywhere = min(
            self.nodes[number].received if self.nodes[number].ring is node.ring else 0 for number in node.ring.members
        )
        everywhere = min(everywhere, node.delivered)
        return sum(1 for _, target, _ in node.ring.order[:everywhere] if not target)

    def _tell_safe(self, node: Node) -> None:
        node.safe = self._safe_sequence(node)
        assert node.replica is not None
        self._carry_out(node, node.replica.became_safe(node.safe))

    def _deliver(self, node: Node) -> None:
        assert node.ring is not None and node.replica is not None
        sender, target, message = node.ring.order[node.delivered]
        node.delivered += 1
        node.received = max(node.received, node.delivered)
        if not target:
            node.broadcasts += 1
            self._carry_out(node, node.replica.delivered(self.now, sender, node.broadcasts, message))  # type: ignore[arg-type]
        elif target == node.id:
            self._carry_out(node, node.replica.direct(self.now, sender, message))  # type: ignore[arg-type]

    def _write(self, node: Node, persist: Persist) -> None:
        node.disk.document = persist.document
        node.disk.mark = persist.mark

    def _carry_out(self, node: Node, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case BroadcastToPeers(message):
                    self._send(node, 0, message)
                case SendToPeer(target, direct):
                    self._send(node, target, direct)
                case Persist():
                    node.disk.waiting.append(effect)
                case Answer(request, _, error):
                    label = node.unanswered.pop(request)
                    if error is not None:
                        self.refused.append(label)
                    elif node.ring is not None and node.ring.quorate:
                        self.acknowledged.append(label)
                case Note(_, text):
                    self.notes.append(f"node{node.id}: {text}")
                case KeepBackup() | Changed():
                    pass

    def _send(self, node: Node, target: int, message: object) -> None:
        if node.ring is None:
            node.outbox.append((target, message))
        else:
            node.ring.order.append((node.id, target, message))


def labels_of(document: Document) -> set[str]:
    """Return the labels of the writes a document has."""
    return {element.get("id", "") for element in document.root.iter("primitive")}


def count_of(document: Document) -> int:
    """Return how often a document was counted up."""
    pair = document.by_id("count")
    return int(pair.get("value", "0")) if pair is not None else -1
