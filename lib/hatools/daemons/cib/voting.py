"""Which step of a round is on enough disks. Pure."""

from hatools.ipc.messages.messaging import ViewChanged
from hatools.values.records import dataclass, field


@dataclass(slots=True)
class Voting:
    """Votes of the view's members and what they have stored.

    ``quorum_votes`` is how many votes make a quorum (0: unknown): what that many members hold, every later quorate
    view has.
    """

    quorum_votes: int = 0
    stored: dict[int, int] = field(default_factory=dict)
    _votes: dict[int, int] = field(default_factory=dict)
    _quorate: bool = False

    def set_view(self, view: ViewChanged) -> None:
        """Take the members and their votes (one each where the view does not say)."""
        votes = view.votes or {}
        self._votes = {member.id: votes.get(member.name, 1) for member in view.members}
        self._quorate = view.quorate

    def forget_stored(self) -> None:
        self.stored.clear()

    @property
    def votes_needed(self) -> int:
        """Return the votes that must hold a write: a majority of the view, in a quorate view also a quorum."""
        total = sum(self._votes.values())
        majority = total // 2 + 1
        return min(total, max(majority, self.quorum_votes)) if self._quorate else majority

    def agreed_step(self) -> int:
        """Return the newest step that members with enough votes have on disk, -1 if there is none."""
        reached = sorted(((step, self._votes.get(node, 0)) for node, step in self.stored.items()), reverse=True)
        votes = 0
        for step, count in reached:
            votes += count
            if votes >= self.votes_needed:
                return step
        return -1
