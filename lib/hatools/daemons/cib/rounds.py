"""Agreement on one content: what each member held, and whose wins. Pure.

A round begins whenever the view, or who takes part in it, changes. Every member says in the total order what it
holds; with the last such message all decide alike. What has the newest quorate lineage wins; within one lineage,
what belonged to it up to the newest version; then the newer version.
"""

import hashlib

from hatools.ipc.messages.cib_peers import PeerState
from hatools.values.records import dataclass, field


@dataclass(slots=True)
class Round:
    """One round, as one member sees it."""

    id: str
    members: frozenset[int]
    states: dict[int, PeerState] = field(default_factory=dict)
    winner: int | None = None
    agreement: str = ""
    """Names what was agreed on, unlike any other agreement; empty while undecided."""

    def add(self, sender: int, state: PeerState) -> bool:
        """Take a member's state; True if this was the last and the round is decided now."""
        if self.winner is not None or sender not in self.members or state.round != self.id:
            return False
        self.states[sender] = state
        if len(self.states) < len(self.members):
            return False
        self.winner = max(self.states, key=lambda node: (_rank(self.states[node]), -node))
        nonces = " ".join(sorted(member.nonce for member in self.states.values()))
        self.agreement = hashlib.sha256(nonces.encode()).hexdigest()
        return True

    @property
    def winning_state(self) -> PeerState:
        assert self.winner is not None
        return self.states[self.winner]

    def agrees(self, node: int) -> bool:
        """Say whether a node held the winning content already."""
        return self.states[node].digest == self.winning_state.digest

    def suppliers(self) -> list[int]:
        """Return the nodes that held the winning content, the winner first."""
        return sorted((node for node in self.states if self.agrees(node)), key=lambda node: (node != self.winner, node))


def _rank(state: PeerState) -> tuple[object, ...]:
    # Among equals one that has seen writes wins over one that just started: it knows which were made.
    return (parse_ring_id(state.lineage), state.base, state.version, state.digest, sum(state.writers.values()))


def parse_ring_id(text: str) -> tuple[int, int]:
    """Return (sequence, leader) of a ring id in text form; (0, 0) if it has none."""
    leader, dot, sequence = text.partition(".")
    try:
        return (int(sequence, 16), int(leader, 16)) if dot else (0, 0)
    except ValueError:
        return (0, 0)
