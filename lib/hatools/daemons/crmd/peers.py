"""What a controller knows of its peers: who they are, who is there, who has joined. Pure."""

from hatools.daemons.crmd.throttle import Throttle
from hatools.values.records import dataclass


@dataclass(slots=True)
class Peer:
    """One cluster node.

    ``in_view``: its messaging is in our view; ``in_group``: its controller is in the group; ``joined``: the present DC
    took it in; ``leaving``: it was told that it may go; ``fenced``: it was fenced and
    is still in the view, until the ring notices; ``unclean``: it was lost while it was a member, and nobody has fenced
    it since; ``unwritten``: it was fenced while there was no DC to write that down. ``incarnation`` is that of its
    controller; ``arrived_in`` the ring it arrived in.
    """

    id: int
    name: str
    in_view: bool = False
    in_group: bool = False
    joined: bool = False
    leaving: bool = False
    fenced: bool = False
    unclean: bool = False
    unwritten: bool = False
    job_limit: int = 0
    cores: int = 1
    throttle: Throttle = Throttle.NONE
    style: str = ""
    incarnation: str = ""
    arrived_in: str = ""

    @property
    def node_id(self) -> str:
        """Return the id as the CIB writes it."""
        return str(self.id)

    def has_arrived_since(self, ring: str) -> bool:
        """Say whether it is in the view as another incarnation than it was in a ring (unknown: it is not)."""
        begun = _sequence(ring)
        return self.in_view and 0 < begun < _sequence(self.arrived_in)

    def has_begun_beside(self, ring: str) -> bool:
        """Say whether the ring it arrived in is another one of the same sequence; of ourselves it is our first one.

        Then this node was not yet there when the ring came to be: a ring that breaks gives both parts a new sequence.
        """
        return ring != self.arrived_in and 0 < _sequence(ring) == _sequence(self.arrived_in)


def _sequence(ring: str) -> int:
    """Return the sequence number in a ring's id (``LEADER.SEQUENCE``, hexadecimal); 0 if there is none."""
    try:
        return int(ring.rpartition(".")[2], 16)
    except ValueError:
        return 0


class Peers:
    """All nodes ever seen or configured, by id."""

    def __init__(self) -> None:
        self._peers: dict[int, Peer] = {}

    def all(self) -> list[Peer]:
        """Return every node, by id."""
        return [self._peers[key] for key in sorted(self._peers)]

    def get(self, node: int) -> Peer | None:
        return self._peers.get(node)

    def named(self, name: str) -> Peer | None:
        """Return a node by name."""
        return next((peer for peer in self._peers.values() if peer.name == name), None)

    def learn(self, node: int, name: str) -> Peer:
        """Return the node with this id, made known if it was not; a name replaces the one known."""
        peer = self._peers.get(node)
        if peer is None:
            peer = self._peers[node] = Peer(node, name)
        elif name:
            peer.name = name
        return peer

    def forget(self, name: str) -> bool:
        """Drop a node that is not in the view; return whether there was one."""
        peer = self.named(name)
        if peer is None or peer.in_view:
            return False
        del self._peers[peer.id]
        return True

    def in_group(self) -> list[Peer]:
        return [peer for peer in self.all() if peer.in_group]
