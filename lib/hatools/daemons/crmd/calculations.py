"""What the DC asks the scheduler, and which answers count. Pure.

An answer counts if nothing happened since it was asked for. While only writes of our own are waited for, the scheduler
is asked about the document that will follow from them (a *guess*); if that is the one that comes, its answer is there
already.
"""

from hatools.cib.document import Document
from hatools.daemons.crmd import status
from hatools.daemons.crmd.cluster import Cluster
from hatools.daemons.crmd.effects import ComputeTransition
from hatools.daemons.crmd.events import Instant, Scheduled
from hatools.daemons.crmd.prediction import is_same_cluster, predict
from hatools.values.records import dataclass

SLOW_S = 0.25
"""Where a calculation takes longer, a wrong guess would cost more than a right one spares."""

GUESS_LIFE_S = 5.0
"""Time is part of what is decided, so that a guess does not stay good."""


@dataclass(slots=True)
class _Guess:
    """``answer`` None: it is still being calculated."""

    request: int
    document: Document
    made: float
    answer: Scheduled | None = None


class Calculations:
    """The questions to the scheduler."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._last = 0
        self._awaited: int | None = None
        self._asked_at = 0.0
        self.took = 0.0
        """Seconds that the last calculation took."""
        self.is_under_way = False
        """Whether the scheduler is busy with our last question, whether or not the answer counts."""
        self._guess: _Guess | None = None
        self._looked_at: tuple[Document, frozenset[int]] | None = None

    @property
    def is_awaited(self) -> bool:
        """Say whether an answer is on its way that counts."""
        return self._awaited is not None

    def void(self) -> None:
        """Something happened: an answer that is on its way rests on an older state."""
        self._awaited = None

    def ask(self, at: Instant) -> Scheduled | None:
        """Have the next transition calculated; return it, if that has been guessed and is done."""
        guess, self._guess = self._guess, None
        is_fresh = guess is not None and at.now - guess.made < GUESS_LIFE_S
        if guess is not None and is_fresh and is_same_cluster(guess.document, self._cluster.document):
            self._awaited = guess.request if guess.answer is None else None
            return guess.answer
        self._awaited = self._request(at, self._cluster.document)
        return None

    def guess(self, at: Instant, root: dict[str, str]) -> None:
        """Ask about the document that is to be expected; ``root`` are attributes that a DC will give it."""
        cluster = self._cluster
        looks_at = (cluster.document, frozenset(cluster.writes))
        if self.took > SLOW_S or self._looked_at == looks_at:
            return
        self._looked_at = looks_at
        if self._guess is not None and self._guess.answer is None:
            return
        changes = [change for write in cluster.writes.values() for change in write]
        expected = predict(cluster.document, [*changes, status.write_root(root)])
        if expected is None or not self._are_members_in(expected):
            return
        if self._guess is None or not is_same_cluster(self._guess.document, expected):
            self._guess = _Guess(self._request(at, expected, ahead=True), expected, at.now)

    def take(self, at: Instant, event: Scheduled) -> bool:
        """Take an answer; return whether it is the one that is waited for."""
        if event.request == self._last:
            self.took = at.now - self._asked_at
            self.is_under_way = False
        if self._guess is not None and event.request == self._guess.request:
            self._guess.answer = event
            self._guess = self._guess if event.graph is not None else None
            return False
        if event.request != self._awaited:
            return False
        self._awaited = None
        return True

    def _request(self, at: Instant, document: Document, *, ahead: bool = False) -> int:
        self._last += 1
        self._asked_at = at.now
        self.is_under_way = True
        self._cluster.emit(ComputeTransition(self._last, document, ahead))
        return self._last

    def _are_members_in(self, document: Document) -> bool:
        """Say whether a document shows all controllers that are here as members: else who joins is still open."""
        states = status.node_states(document)
        return all(
            status.standing_of(states.get(peer.node_id)) == status.MEMBER for peer in self._cluster.peers.in_group()
        )
