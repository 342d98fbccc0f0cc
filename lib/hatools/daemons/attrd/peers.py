"""How attribute daemons that come together share what they know. Pure.

Two cases. *Companies* meet (partitions heal): one member of each dumps the state of its nodes as it was where the
others arrived. A *fresh* daemon (just started, or restarted while its node stayed) asks, and one member answers with
everything as it was where the question was delivered. Updates ordered behind that place are kept and applied again on
top of the dump: so counting up is never lost, whoever does it when.
"""

from hatools.daemons.attrd.attributes import Attributes, Change
from hatools.ipc.messages.attrd import PeerDump, PeerQuestion, UpdateAttribute


class Peers:
    """Who is in the group, who writes, and whose state is still to come.

    ``names`` are the nodes' names by id; ``is_fresh`` until this daemon knows what the others know.
    """

    def __init__(self, me: int, name: str, attributes: Attributes) -> None:
        self._me = me
        self._name = name
        self._attributes = attributes
        self.names: dict[int, str] = {me: name}
        self.members: frozenset[int] = frozenset()
        self.is_fresh = True
        self._fresh: set[int] = set()
        self._awaited: set[int] = set()
        self._since: list[UpdateAttribute] = []

    @property
    def writer(self) -> int:
        """Return the member that writes to the CIB: the lowest id; 0 while there is none."""
        return min(self.members, default=0)

    @property
    def is_writer(self) -> bool:
        return self.writer == self._me and not self.is_fresh and not self._awaited

    def view(self, members: dict[int, str], departed: tuple[int, ...] = ()) -> list[str]:
        """Note the members of the view; return the names of those that are gone, or were gone and are back."""
        gone = [
            name for node, name in self.names.items() if node != self._me and (node not in members or node in departed)
        ]
        self.names = dict(members)
        self.names.setdefault(self._me, self._name)
        return gone

    def group(self, members: frozenset[int], arrived: frozenset[int]) -> list[PeerDump | PeerQuestion]:
        """Note the members of the group."""
        stayed = self.members & members - arrived
        is_first = not self.members
        someone_left = bool(self.members - members)
        self.members = members
        self._awaited &= members
        self._fresh = (self._fresh & members) - arrived
        if self.is_fresh:
            # Whoever was about to answer may be among those who left.
            # Our predecessor may have been in the group up to now, so that we are no arrival.
            return [PeerQuestion()] if is_first or self._me in arrived or someone_left else []
        if not arrived - {self._me}:
            return []
        company = stayed | {self._me}
        self._since = []
        self._awaited = set(members - company)
        if min(company) != self._me:
            return []
        nodes = tuple(sorted({self.names.get(node, "") for node in company}))
        return [PeerDump(nodes, self._attributes.dump(nodes))]

    def asked(self, sender: int) -> list[PeerDump | PeerQuestion]:
        """Note a question; the lowest member that is not fresh answers it."""
        self._fresh.add(sender)
        self._awaited.discard(sender)
        if sender == self._me:
            self._since = []
        if self.is_fresh:
            if self._fresh >= self.members:
                # Nobody knows anything: that is all there is to know.
                self._become_informed()
            return []
        informed = self.members - self._fresh
        if min(informed, default=0) != self._me:
            return []
        nodes = set(self.names.values()) | self._holders()
        return [PeerDump(tuple(sorted(nodes)), self._attributes.dump(nodes), self.names.get(sender, ""))]

    def updated(self, update: UpdateAttribute) -> None:
        """Keep an update that a dump on its way may not contain."""
        if self._awaited or self.is_fresh:
            self._since.append(update)

    def dumped(self, dump: PeerDump) -> list[Change]:
        """Take a dump; return what became different."""
        self._fresh -= {node for node, name in self.names.items() if name == dump.answer_to}
        if self.is_fresh:
            if dump.answer_to != self._name:
                return []
            changes = self._load(dump, list(dump.nodes))
            self._become_informed()
            return changes
        ids = {node for node, name in self.names.items() if name in dump.nodes}
        if dump.answer_to or not self._awaited & ids:
            return []
        changes = self._load(dump, [self.names[node] for node in sorted(ids & self._awaited)])
        self._awaited -= ids
        return changes

    def _load(self, dump: PeerDump, nodes: list[str]) -> list[Change]:
        changes = self._attributes.load(nodes, dump.attributes)
        for update in self._since:
            if update.node in nodes:
                changes += self._attributes.apply(update)
        return changes

    def _become_informed(self) -> None:
        self.is_fresh = False
        self._fresh = set()
        self._awaited = set()
        self._since = []

    def _holders(self) -> set[str]:
        return {node for attribute in self._attributes for node in attribute.values}
