"""How attribute daemons that come together share what they know. Pure.

A *company* are the members of the group that hold the same values, because they have delivered the same updates since
they last agreed. Whenever somebody arrives there are several, and they agree anew:

1. the lowest member asks for a *place* in the order, by a message; the first such message after the arrival is it, at
   every member, whoever sent it;
2. one member of each company dumps the state as it was at that place;
3. when the dumps cover all members, everybody takes from them what its own company could not know, and applies the
   updates ordered behind the place on top of it: so counting up is never lost, whoever does it when.

Whatever changes in the group meanwhile begins this anew, and a dump for an earlier place means nothing. Nobody keeps a
book about what the others have asked or answered, so nobody can be left out who was not there to see it.

A *fresh* daemon knows nothing, not even of its own node, which may have been there all the time: it is told by others.
"""

from hatools.daemons.attrd.attributes import Attributes, Change
from hatools.ipc.messages.attrd import PeerArrival, PeerDump, PeerPlace, UpdateAttribute
from hatools.values.records import dataclass


@dataclass(frozen=True, slots=True)
class _Removal:
    """All values of a node were removed."""

    node: str


class Peers:
    """Who is in the group, who writes, and whose state is still to come.

    Args:
        birth: tells this process from every other that ever was; it makes places unique.

    ``names`` are the nodes' names by id; ``is_fresh`` until this daemon knows what the others know.
    """

    def __init__(self, me: int, name: str, attributes: Attributes, birth: str) -> None:
        self._me = me
        self._name = name
        self._attributes = attributes
        self._birth = birth
        self.names: dict[int, str] = {me: name}
        self.members: frozenset[int] = frozenset()
        self.is_fresh = True
        self._company = frozenset({me})
        self._place = ""
        self._last_place = 0
        self._dumps: list[PeerDump] = []
        self._since: list[UpdateAttribute | _Removal] = []

    @property
    def writer(self) -> int:
        """Return the member that writes to the CIB: the lowest id; 0 while there is none."""
        return min(self.members, default=0)

    @property
    def agrees(self) -> bool:
        """Say whether this daemon holds what every member of the group holds."""
        return not self.is_fresh and self._company == self.members

    @property
    def is_writer(self) -> bool:
        return self.writer == self._me and self.agrees

    def view(self, members: dict[int, str], departed: tuple[int, ...] = ()) -> list[str]:
        """Note the members of the view; return the names of those that are gone, or were gone and are back."""
        gone = [
            name for node, name in self.names.items() if node != self._me and (node not in members or node in departed)
        ]
        self.names = dict(members)
        self.names.setdefault(self._me, self._name)
        return gone

    def group(self, members: frozenset[int], arrived: frozenset[int]) -> list[PeerArrival | PeerPlace]:
        """Note the members of the group.

        Our predecessor may have been in the group up to now, so that nobody sees us arrive: then we say it.
        """
        if not self.members and self._me not in arrived:
            self.members = members
            return [PeerArrival()]
        self.members = members
        return self._begin(arrived)

    def arrived(self, sender: int) -> list[PeerArrival | PeerPlace]:
        """Take the word of a member that it is another process than the one before."""
        return self._begin(frozenset({sender}))

    def _begin(self, arrived: frozenset[int]) -> list[PeerArrival | PeerPlace]:
        me = frozenset({self._me})
        self._company = me if self._me in arrived else (self._company & self.members) - arrived | me
        self._place = ""
        self._dumps = []
        self._since = []
        if self._company == self.members:
            # Alone, or all that is left is of one mind. Alone and fresh: there is nothing to know.
            self.is_fresh = self.is_fresh and self.members != me
            return []
        if self.writer != self._me:
            return []
        self._last_place += 1
        return [PeerPlace(f"{self._birth}.{self._last_place}")]

    def placed(self, place: str) -> list[PeerDump]:
        """Take a place in the order; it counts if one is wanted."""
        if self._place or self._company == self.members:
            return []
        self._place = place
        if min(self._company) != self._me:
            return []
        known = self._attributes.dump(self._holders())
        return [PeerDump(place, tuple(sorted(self._company)), not self.is_fresh, known)]

    def updated(self, update: UpdateAttribute) -> None:
        """Keep an update that a dump on its way does not contain."""
        if self._place:
            self._since.append(update)

    def removed(self, node: str) -> None:
        """Keep the removal of a node's values, as an update."""
        if self._place:
            self._since.append(_Removal(node))

    def dumped(self, dump: PeerDump) -> list[Change]:
        """Take a dump; return what became different."""
        if not self._place or dump.place != self._place:
            return []
        self._dumps.append(dump)
        if not self.members <= {node for known in self._dumps for node in known.company}:
            return []
        changes = self._merge()
        self.is_fresh = False
        self._company = self.members
        self._place = ""
        self._dumps = []
        self._since = []
        return changes

    def _merge(self) -> list[Change]:
        changes: list[Change] = []
        by_node = self._authorities()
        for dump in self._dumps:
            nodes = {node for node, chosen in by_node.items() if chosen is dump}
            # A company whose members took us for our predecessor does not speak for us.
            if nodes and (self.is_fresh or self._me not in dump.company):
                changes += self._attributes.load(sorted(nodes), dump.attributes)
                changes += self._repeat(nodes)
        return changes

    def _authorities(self) -> dict[str, PeerDump]:
        """Say whose word counts for each node: its own company's, else that of the first that knows anything.

        A fresh daemon has seen only what changed since it is here; that counts where nobody knows more.
        """
        by_node: dict[str, PeerDump] = {}
        for dump in sorted(self._dumps, key=lambda dump: (not dump.informed, dump.company)):
            for holder in sorted({node for item in dump.attributes for node in item.values}):
                by_node.setdefault(holder, dump)
        for dump in self._dumps:
            if dump.informed:
                by_node.update({self.names[member]: dump for member in dump.company if member in self.names})
        return by_node

    def _repeat(self, nodes: set[str]) -> list[Change]:
        changes: list[Change] = []
        for kept in self._since:
            if kept.node in nodes:
                if isinstance(kept, _Removal):
                    changes += self._attributes.remove_node(kept.node)
                else:
                    changes += self._attributes.apply(kept)
        return changes

    def _holders(self) -> set[str]:
        return {node for attribute in self._attributes for node in attribute.values}
