"""How an arbiter decides which partition of a cluster gets its vote. Pure.

**ffsplit** (fifty-fifty split) gives one vote to exactly one partition of an even split; **lms** (last man
standing) gives all but one vote of the cluster to one partition, so that a single node may be left. As in
corosync-qnetd nothing is decided before the nodes that are connected agree on who is with whom.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from hatools.messaging.qdevice.messages import Algorithm, TieBreaker, TieMode
from hatools.messaging.views import RingId
from hatools.values.records import dataclass


@dataclass(slots=True)
class Voter:
    """A connected node of a cluster, as far as it has told about itself."""

    node_id: int
    tie_breaker: TieBreaker
    keep_active: bool = False
    configured: frozenset[int] = frozenset()
    ring_id: RingId | None = None
    members: frozenset[int] = frozenset()
    """Who is in its partition; empty until it has said so."""
    has_vote: bool = False
    """Whether it was given the vote last."""


class Electorate(Protocol):
    """What an algorithm sees of a cluster."""

    @property
    def voters(self) -> Mapping[int, Voter]:
        """Return the nodes that are connected."""

    @property
    def active(self) -> frozenset[int]:
        """Return the partition that had the vote last."""


def ffsplit(cluster: Electorate) -> frozenset[int] | None:
    """Return the partition that gets the vote (empty: none), None while nodes contradict each other."""
    voters = [voter for _, voter in sorted(cluster.voters.items()) if voter.members]
    if not _is_settled(voters, cluster.voters) or len({voter.configured for voter in voters}) > 1:
        return None
    majority = next((voter.members for voter in voters if 2 * len(voter.members) > len(voter.configured)), None)
    if majority is not None:
        return majority
    keeps = all(voter.keep_active for voter in cluster.voters.values())
    halves: dict[frozenset[int], tuple[int, bool, bool]] = {}
    for voter in voters:
        if 2 * len(voter.members) == len(voter.configured):
            was_active = keeps and bool(voter.members & cluster.active)
            halves[voter.members] = (_connected(cluster, voter.members), was_active, _preferred(voter) in voter.members)
    if not halves:
        return frozenset()
    best = max(halves.values())
    leading = [half for half, rank in halves.items() if rank == best]
    return leading[0] if len(leading) == 1 else frozenset()


def _connected(cluster: Electorate, members: frozenset[int]) -> int:
    return sum(1 for node in members if node in cluster.voters)


def _preferred(voter: Voter) -> int:
    match voter.tie_breaker.mode:
        case TieMode.LOWEST:
            return min(voter.configured, default=0)
        case TieMode.HIGHEST:
            return max(voter.configured, default=0)
    return voter.tie_breaker.node_id


def lms(cluster: Electorate) -> frozenset[int] | None:
    """Return the partition that gets the votes, None while nodes contradict each other."""
    voters = [voter for _, voter in sorted(cluster.voters.items()) if voter.members]
    if not voters or not _is_settled(voters, cluster.voters):
        return None
    partitions = sorted({voter.members for voter in voters}, key=sorted)
    if len(partitions) == 1:
        return partitions[0]
    # Who has been voting goes on; a newcomer must not take the vote away from those that work.
    holders = sorted({voter.members for voter in voters if voter.has_vote}, key=sorted)
    candidates = holders or partitions
    heaviest = max((_connected(cluster, partition), len(partition)) for partition in candidates)
    leading = [one for one in candidates if (_connected(cluster, one), len(one)) == heaviest]
    if len(leading) == 1:
        return leading[0]
    deciding = _deciding(voters)
    return next((partition for partition in leading if deciding in partition), frozenset())


def _deciding(voters: list[Voter]) -> int:
    """Return the connected node that decides a tie."""
    numbers = [voter.node_id for voter in voters]
    match voters[0].tie_breaker.mode:
        case TieMode.LOWEST:
            return min(numbers)
        case TieMode.HIGHEST:
            return max(numbers)
    return voters[0].tie_breaker.node_id


def _is_settled(voters: list[Voter], connected: Mapping[int, Voter]) -> bool:
    """Say whether the nodes of each partition that are connected have told of the same ring and members."""
    for voter in voters:
        for node in voter.members & connected.keys():
            other = connected[node]
            if (other.ring_id, other.members) != (voter.ring_id, voter.members):
                return False
    return True


ALGORITHMS: dict[Algorithm, Callable[[Electorate], frozenset[int] | None]] = {
    Algorithm.FFSPLIT: ffsplit,
    Algorithm.LMS: lms,
}
