"""What the parts of a controller's core share: the cluster as it is seen from here, and the way out. Pure."""

from collections.abc import Iterator
from itertools import count

from hatools.cib.document import Document, Version, empty_document
from hatools.daemons.crmd import status
from hatools.daemons.crmd.effects import Effect, Log, SendToPeer, WriteCib
from hatools.daemons.crmd.fsa import Input
from hatools.daemons.crmd.peers import Peer, Peers
from hatools.ipc.messages.cib import Change
from hatools.ipc.messages.crmd import ActionDone, PerformAction
from hatools.values.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are and which cluster this is. ``uuid`` marks the keys of the transitions we run as DC."""

    id: int
    name: str
    uuid: str
    style: str
    cluster_name: str
    version: str
    job_limit: int = 0
    cores: int = 1
    start_state: str = ""

    @property
    def node_id(self) -> str:
        return str(self.id)


@dataclass(slots=True)
class Cluster:
    """The cluster as this node sees it.

    ``effects`` and ``inputs`` collect what is to be done and what the state table has to be told; the
    controller drains both. ``writes`` are the CIB writes that have not ended, by their tags.
    """

    me: Identity
    peers: Peers = field(default_factory=Peers)
    document: Document = field(default_factory=empty_document)
    has_document: bool = False
    ring: str = ""
    quorate: bool = False
    agreed_ring: str = ""
    """The last ring in which the CIB's replicas were known to agree."""
    electing: bool = False
    """Votes are missing: who is the DC is open."""
    started: float = 0.0
    """When this controller began, monotonic seconds."""
    effects: list[Effect] = field(default_factory=list)
    inputs: list[Input] = field(default_factory=list)
    to_perform: list[PerformAction] = field(default_factory=list)
    to_report: list[ActionDone] = field(default_factory=list)
    writes: dict[int, tuple[Change, ...]] = field(default_factory=dict)
    newest: Version = field(default_factory=lambda: Version(0, 0, 0))
    """The newest version that a write of ours is known to be part of."""
    tags: Iterator[int] = field(default_factory=lambda: count(1))

    def emit(self, effect: Effect) -> None:
        if isinstance(effect, WriteCib):
            self.writes[effect.tag] = effect.changes
        self.effects.append(effect)

    def write(self, *changes: Change) -> int:
        """Emit a write of several changes as one; return its tag."""
        tag = next(self.tags)
        self.emit(WriteCib(tag, changes))
        return tag

    def log(self, level: str, text: str) -> None:
        self.effects.append(Log(level, text))

    def post(self, cause: Input) -> None:
        """Tell the state table."""
        self.inputs.append(cause)

    def ask(self, node: int, action: PerformAction) -> None:
        """Have a node perform an action, this one included."""
        if node == self.me.id:
            self.to_perform.append(action)
        else:
            self.emit(SendToPeer(node, action))

    @property
    def is_current(self) -> bool:
        """Say whether the document shows everything we have written."""
        return self.has_document and not self.writes and self.document.version >= self.newest

    def standing(self, peer: Peer) -> status.NodeStanding | None:
        """Read from the CIB how a node stands."""
        return status.standing_of(status.node_states(self.document).get(peer.node_id))
