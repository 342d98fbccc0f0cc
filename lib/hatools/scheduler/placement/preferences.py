"""What all that is colocated with a resource thinks of nodes, added up. Pure.

Placing a resource, the scheduler listens to whatever is colocated with it, and to what is colocated with that, weighed
by the constraints' scores on the way. A walk follows the colocations depth first and adds to a list of scores, one for
each node; it never enters a resource that it is inside of, so circles end.

What is met in several ways counts each time. That is no matter where colocations form trees, but the number of ways
grows exponentially where they are entangled (each of thirty resources apart from all others, say). Two things keep
such walks short:

* What a resource and all behind it made of certain scores is remembered, and under which circumstances: which
  resources it did not enter because the walk was inside of them, and which it did enter. Met again under the same
  circumstances, with the same scores, it makes the same of them. So this changes nothing but the time.
* If that is not enough, a plan's budget of repetitions runs out, and from then on a walk enters each resource once
  (later on, only the first). Pacemaker does not come to an end there.
"""

import struct
from dataclasses import dataclass
from functools import lru_cache

from hatools.scheduler.model.constraint import Colocation
from hatools.scheduler.model.node import Node, NodeScore, NodeTable
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.placement.node_scores import is_available
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.colocations import has_influence
from hatools.values.score import INFINITY

__all__ = ["Select", "add_colocated_scores", "factor_of"]

_TAKEN_OUT = INFINITY * -100
"""Marks nodes whose positive score turned negative, while positive effects only are wanted."""

_REPETITIONS = 1_000_000
"""How often the walks of one plan may come back to a resource (some seconds)."""

_LAST_STEPS = 1_000_000
"""How many colocations the walks of one plan may follow after that."""


_ENTANGLED = "Colocations are too entangled to follow all ways through them: what is met again does not count again"


class Select:
    """Which colocations :func:`add_colocated_scores` follows, and how."""

    DEFAULT = 0
    THIS_WITH = 1
    NONNEGATIVE = 2
    ACTIVE = 4


_pack, _unpack = struct.Struct("f").pack, struct.Struct("f").unpack


def _single(value: float) -> float:
    """Round to single precision, as scores are weighed by single precision factors."""
    result: float = _unpack(_pack(value))[0]
    return result


@lru_cache(maxsize=4096)
def factor_of(score: int, sign: float = 1.0) -> float:
    """Return the weight that a colocation's score gives to the other resource's preferences."""
    return _single(_single(sign * score) / INFINITY)


@lru_cache(maxsize=4096)
def _share(score: int, factor: float) -> int:
    """Return a share of a score, rounded; it does not vanish altogether."""
    share = _single(factor * score)
    weight = int(share - 0.5) if share < 0 else int(share + 0.5)
    if weight == 0 and score != 0:
        return 1 if factor > 0 else -1 if factor < 0 else 0
    return weight


def add_colocated_scores(
    plan: Plan, resource: Resource, nodes: NodeTable | None, attribute: str, factor: float, flags: int
) -> NodeTable | None:
    """Return a table with the preferences of a resource, and of all that is colocated with it, added.

    Args:
        nodes: what they are added to; None starts from the resource's own scores.
        attribute: nodes that share the value of this attribute count as the same.
        factor: the weight of the preferences; negative for anti-colocation.
        flags: bits of :class:`Select`.
    """
    table = _own_table(resource) if nodes is None else nodes
    if table is None or resource.merging:
        return nodes
    budget: _Budget = plan.scratch.setdefault("colocation budget", _Budget())
    given = None if nodes is None else [entry.score for entry in nodes.values()]
    for walk in (_Walk, _RememberingWalk, _OnceWalk):
        if walk is _OnceWalk:
            plan.say("warning", _ENTANGLED, once=_ENTANGLED)
        try:
            scores = walk(table, budget).visit(resource, given, attribute, factor, flags)
        except _Entangled:
            continue
        if scores is None or scores is given:
            return nodes
        return {
            node: NodeScore(node, score, entry.discovery)
            for (node, entry), score in zip(table.items(), scores, strict=True)
        }
    raise AssertionError("a walk that enters each resource once ends")


def _own_table(resource: Resource) -> NodeTable | None:
    """Return the scores that a walk without given ones starts from: a group's are its last member's."""
    if not resource.is_group:
        return resource.allowed
    return resource.children[-1].allowed if resource.children else None


class _Entangled(Exception):
    """A walk comes back to resources more often than it should."""


@dataclass(slots=True)
class _Budget:
    """What the walks of a plan may still do."""

    repetitions: int = _REPETITIONS
    last_steps: int = _LAST_STEPS


class _Walk:
    """One way through the colocations, adding to scores that belong to a fixed list of nodes."""

    __slots__ = ("_available", "_budget", "_entered", "_nodes", "_steps", "_table")

    def __init__(self, table: NodeTable, budget: _Budget) -> None:
        self._table = table
        self._nodes: list[Node] = list(table)
        self._available = [is_available(node) for node in self._nodes]
        self._budget = budget
        self._entered: dict[Resource, None] = {}
        self._steps = 0

    def visit(
        self, resource: Resource, scores: list[int] | None, attribute: str, factor: float, flags: int
    ) -> list[int] | None:
        """Return the scores with those of a resource and of all behind it; the very same list if nothing counts."""
        if resource.merging:
            return scores
        self._enter(resource)
        resource.merging = True
        try:
            return self._add(resource, scores, attribute, factor, flags)
        finally:
            resource.merging = False

    def _enter(self, resource: Resource) -> None:
        self._entered[resource] = None
        self._steps += 1
        if self._steps > 2 * len(self._entered) + 100:
            raise _Entangled

    def _add(
        self, resource: Resource, scores: list[int] | None, attribute: str, factor: float, flags: int
    ) -> list[int] | None:
        work = self._start(resource, scores, attribute, factor, flags)
        if work is None:
            return scores
        if self._any_usable(work):
            sign = -1.0 if factor < 0.0 else 1.0
            active = flags | Select.ACTIVE
            for colocation, other in _followed(resource, flags):
                share = factor_of(colocation.score, sign)
                work = self.visit(other, work, colocation.attribute, share, active) or work
        elif flags & Select.ACTIVE:
            return scores
        if flags & Select.NONNEGATIVE:
            work = [1 if score == _TAKEN_OUT else score for score in work]
        return work

    def _any_usable(self, scores: list[int]) -> bool:
        return any(score >= 0 and available for score, available in zip(scores, self._available, strict=True))

    def _start(
        self, resource: Resource, scores: list[int] | None, attribute: str, factor: float, flags: int
    ) -> list[int] | None:
        """Return new scores with what the resource alone thinks; None if it cannot think anything."""
        if resource.is_group:
            if not resource.children:
                return None
            member = resource.children[-1] if scores is None else resource.children[0]
            return self.visit(member, None if scores is None else list(scores), attribute, factor, flags)
        if scores is None:
            return [entry.score for entry in self._table.values()]
        return self._add_own(resource, scores, attribute, factor, bool(flags & Select.NONNEGATIVE))

    def _add_own(
        self, resource: Resource, scores: list[int], attribute: str, factor: float, only_positive: bool
    ) -> list[int]:
        """Add a share of a resource's own scores, for each node that of the nodes which share its attribute."""
        own = self._by_node(resource) if attribute in ("", "#uname") else self._by_attribute(resource, attribute)
        work = list(scores)
        for position, score in enumerate(own):
            if score == 0 or (factor < 0 and score < 0):
                # Two dislikes do not make a like.
                continue
            before = work[position]
            if before == _TAKEN_OUT:
                continue
            weight = score if factor == 1.0 else _share(score, factor)
            if weight <= -INFINITY or before <= -INFINITY:
                total = -INFINITY
            elif weight >= INFINITY or before >= INFINITY:
                total = INFINITY
            else:
                total = max(-INFINITY, min(INFINITY, weight + before))
            if only_positive and total < 0 <= before:
                if before > 0:
                    work[position] = _TAKEN_OUT
            else:
                work[position] = total
        return work

    def _by_node(self, resource: Resource) -> list[int]:
        allowed = resource.allowed
        return [
            entry.score if available and (entry := allowed.get(node)) is not None else -INFINITY
            for node, available in zip(self._nodes, self._available, strict=True)
        ]

    def _by_attribute(self, resource: Resource, attribute: str) -> list[int]:
        """Return the best score on the available nodes that have the same value of a node attribute."""
        best: dict[str | None, int] = {}
        for node, entry in resource.allowed.items():
            if entry.score > -INFINITY and is_available(node):
                value = _folded(node, attribute)
                best[value] = max(best.get(value, -INFINITY), entry.score)
        return [best.get(_folded(node, attribute), -INFINITY) for node in self._nodes]


def _folded(node: Node, attribute: str) -> str | None:
    value = node.attributes.get(attribute)
    return None if value is None else value.lower()


def _followed(resource: Resource, flags: int) -> list[tuple[Colocation, Resource]]:
    """Return the colocations that a walk follows from a resource, and whom it meets there."""
    if flags & Select.THIS_WITH:
        return [(each, each.primary) for each in resource.this_with]
    owner = resource.children[-1] if resource.is_group else resource
    return [(each, each.dependent) for each in owner.with_this if has_influence(each)]


class _RememberingWalk(_Walk):
    """A walk that does nothing twice under the same circumstances."""

    __slots__ = ("_avoided", "_behind", "_bits", "_inside", "_known")

    def __init__(self, table: NodeTable, budget: _Budget) -> None:
        super().__init__(table, budget)
        self._known: dict[_Key, list[_Memory]] = {}
        self._bits: dict[Resource, int] = {}
        self._inside = 0
        self._avoided = 0
        self._behind = 0

    def visit(
        self, resource: Resource, scores: list[int] | None, attribute: str, factor: float, flags: int
    ) -> list[int] | None:
        bit = self._bits.setdefault(resource, 1 << len(self._bits))
        if resource.merging:
            self._avoided |= bit & self._inside
            return scores
        if resource in self._entered:
            self._budget.repetitions -= 1
        memories: list[_Memory] = []
        if scores is not None:
            memories = self._known.setdefault((resource, attribute, factor, flags, tuple(scores)), memories)
        for memory in memories:
            if not memory.avoided & ~self._inside and not memory.entered & self._inside:
                self._avoided |= memory.avoided
                self._behind |= memory.entered
                return memory.scores
        avoided, behind = self._avoided, self._behind
        self._avoided, self._behind = 0, bit
        self._inside |= bit
        result = super().visit(resource, scores, attribute, factor, flags)
        self._inside &= ~bit
        self._avoided &= ~bit
        memories.append(_Memory(self._avoided, self._behind, result))
        self._avoided |= avoided
        self._behind |= behind
        return result

    def _enter(self, resource: Resource) -> None:
        if self._budget.repetitions <= 0:
            raise _Entangled
        self._entered[resource] = None


class _OnceWalk(_Walk):
    """A walk that enters each resource once, and in the end none but the first."""

    __slots__ = ()

    def visit(
        self, resource: Resource, scores: list[int] | None, attribute: str, factor: float, flags: int
    ) -> list[int] | None:
        if self._entered:
            self._budget.last_steps -= 1
            if resource in self._entered or self._budget.last_steps <= 0:
                return scores
        return super().visit(resource, scores, attribute, factor, flags)

    def _enter(self, resource: Resource) -> None:
        self._entered[resource] = None


_Key = tuple[Resource, str, float, int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class _Memory:
    """What came of a visit while the walk was inside of all of ``avoided`` and of none of ``entered`` (bit sets)."""

    avoided: int
    entered: int
    scores: list[int] | None
