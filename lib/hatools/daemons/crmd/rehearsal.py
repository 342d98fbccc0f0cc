"""Rehearsing a failover, so that no code runs for the first time when one comes. Pure.

A scheduler that has never fenced loads and compiles what it needs for that, which takes longer than the calculation.
So every controller has its own scheduler calculate, once things are quiet, what would be done if the node it would
have to replace were lost. Nothing is done with the answer.
"""

from hatools.cib.document import Document
from hatools.daemons.crmd import status
from hatools.daemons.crmd.cluster import Cluster
from hatools.daemons.crmd.prediction import predict

QUIET_S = 4.0
"""Seconds after the last change at which it is rehearsed."""

MOST = 4
"""Rehearsals in a controller's life: the first finds the code cold, others are for agents and options that were new."""

LARGE = 500
"""A cluster with more resources keeps its scheduler warm, and a rehearsal would keep it from its work."""


class Rehearsal:
    """When to rehearse, and what."""

    def __init__(self) -> None:
        self.deadline: float | None = None
        self._left = MOST

    def plan(self, now: float) -> None:
        """Something is new: rehearse when it has been quiet for a while."""
        if self._left > 0:
            self.deadline = now + QUIET_S

    def plan_first(self, now: float) -> None:
        """Rehearse unless that was done before."""
        if self._left == MOST:
            self.plan(now)

    def expire(self, now: float, cluster: Cluster, dc: int) -> Document | None:
        """Return the document to calculate with, if it is time; ``dc`` is the id of the present DC."""
        if self.deadline is None or self.deadline > now:
            return None
        self.deadline = None
        self._left -= 1
        if sum(1 for _ in cluster.document.root.iter("primitive")) > LARGE:
            return None
        others = [peer for peer in cluster.peers.in_group() if peer.id != cluster.me.id]
        lost = next((peer for peer in others if peer.id == dc), others[0] if others else None)
        if lost is None:
            return None
        root = {"have-quorum": "1", "dc-uuid": cluster.me.node_id}
        standing = status.write_standing(lost.node_id, lost.name, status.LOST, "rehearsal")
        return predict(cluster.document, [standing, status.write_root(root)])
