"""Who shall be in the next ring: the votes of GATHER and the plan of RECOVERY. Pure.

In GATHER every node sends joins: the candidates it knows of and those among them it holds for failed.
Sets only grow while one gathering lasts, so nodes that hear each other end with equal ones; when all
candidates that are not failed voted the same, the lowest of them creates the commit token. A vote
counts only from a node that hears us, so that a link that works in one direction forms no ring.
"""

from enum import Enum

from hatools.messaging.corosync.totem.packets import Commit, CommitEntry, Join, Message
from hatools.messaging.corosync.totem.ring import Ring
from hatools.messaging.views import NO_RING, RingId
from hatools.values.records import dataclass, field


class Vote(Enum):
    """What a join did to our gathering."""

    IGNORED = "ignored"
    AGREED = "agreed"
    CHANGED = "changed"


@dataclass(slots=True)
class Gathering:
    """Our own vote, and who agrees with it."""

    me: int
    candidates: frozenset[int]
    failed: frozenset[int] = frozenset()
    agreed: set[int] = field(default_factory=set)

    @property
    def proposed(self) -> frozenset[int]:
        """Return the members of the ring that we vote for."""
        return self.candidates - self.failed

    def restart(self) -> None:
        """Forget who agreed, after our vote changed."""
        self.agreed = {self.me}

    def is_complete(self) -> bool:
        """Say whether everybody who shall be a member agrees."""
        return self.proposed <= self.agreed

    def receive(self, sender: int, join: Join, members: frozenset[int]) -> Vote:
        """Take a vote into account.

        Args:
            members: our last ring. A stranger's opinion on who failed does not count for its members.
        """
        if join.leaving:
            if sender in self.failed or sender not in self.candidates:
                return Vote.IGNORED
            self.failed |= {sender}
            return Vote.CHANGED
        if sender in self.failed:
            return Vote.IGNORED
        if self.me in join.failed:
            # It wants a ring without us; whom it wants in it (perhaps the dead) is none of our business.
            if sender not in self.candidates:
                return Vote.IGNORED
            self.failed |= {sender}
            return Vote.CHANGED
        if join.candidates == self.candidates and join.failed == self.failed:
            if self.me not in join.heard or sender in self.agreed:
                return Vote.IGNORED
            self.agreed.add(sender)
            return Vote.AGREED
        if join.candidates <= self.candidates and join.failed <= self.failed:
            return Vote.IGNORED
        before = (self.candidates, self.failed)
        self.candidates |= join.candidates
        if sender in members:
            self.failed |= join.failed
        else:
            self.failed |= join.failed - members
        return Vote.CHANGED if before != (self.candidates, self.failed) else Vote.IGNORED

    def give_up_silent(self) -> frozenset[int]:
        """Hold those who did not agree in time for failed; return them."""
        silent = self.proposed - self.agreed - {self.me}
        self.failed |= silent
        return silent


def survivors_of(entries: tuple[CommitEntry, ...], me: int) -> frozenset[int]:
    """Return the members that come from the same old ring as we do, ourselves included."""
    own = next(entry.old_ring for entry in entries if entry.node == me)
    if own == NO_RING:
        return frozenset({me})
    return frozenset(entry.node for entry in entries if entry.old_ring == own)


def messages_to_recover(entries: tuple[CommitEntry, ...], me: int, old: Ring) -> list[Message]:
    """Return the messages of our old ring that we have to hand on to its other survivors.

    Up to the highest aru the lowest node with that aru hands on; above it everyone what it has.
    """
    old_ring = next(entry.old_ring for entry in entries if entry.node == me)
    peers = [entry for entry in entries if entry.old_ring == old_ring]
    if len(peers) == 1:
        return []
    low = min(entry.aru for entry in peers)
    high = max(entry.aru for entry in peers)
    first = high if min(entry.node for entry in peers if entry.aru == high) != me else low
    return [old.messages[number] for number in sorted(old.messages) if number > first]


def fill_entry(commit: Commit, me: int, old_ring: RingId, aru: int, highest: int) -> tuple[CommitEntry, ...]:
    """Return the entries with our own filled."""
    own = CommitEntry(me, True, old_ring, aru, highest)
    return tuple(own if entry.node == me else entry for entry in commit.entries)
