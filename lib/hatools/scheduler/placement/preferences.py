"""What all that is colocated with a resource thinks of nodes, added up. Pure.

Placing a resource, the scheduler listens to whatever is colocated with it, and to what is colocated with that, weighed
by the constraints' scores on the way. A walk follows the colocations depth first and adds to a list of scores, one for
each node; it never enters a resource that it is inside of, so circles end.

Most walks are a step or two. Long chains are walked again for each of their resources, though, and what is met in
several ways counts each time: where colocations are entangled (each of thirty resources apart from all others, say),
the number of ways is exponential. Two things keep such walks short:

* What a resource and all behind it made of certain scores is remembered, and under which circumstances: which
  resources were not entered because the walk was inside of them, and which were entered. Met again under the same
  circumstances, with the same scores, they make the same of them, as long as none of them is being assigned. So this
  changes nothing but the time.
* If that is not enough, a plan's budget of repetitions runs out, and from then on a walk enters each resource once
  (later on, only the first). Pacemaker does not come to an end there.
"""

import struct
from functools import lru_cache

from hatools.scheduler.model.constraint import Colocation
from hatools.scheduler.model.node import Node, NodeScore, NodeTable
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.placement.node_scores import is_available
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.colocations import has_influence
from hatools.values.records import dataclass, field
from hatools.values.score import INFINITY

__all__ = ["Select", "add_colocated_scores", "factor_of", "scores_change"]

_TAKEN_OUT = INFINITY * -100
"""Marks nodes whose positive score turned negative, while positive effects only are wanted."""

_REPETITIONS = 300_000
"""How often the walks of one plan may come back to a resource (some seconds)."""

_LAST_STEPS = 500_000
"""How many colocations the walks of one plan may follow after that."""

_LONG_WALK = 30
"""Steps after which it pays to look for what is remembered."""

_CIRCUMSTANCES = 4
"""Under so many different circumstances, the latest ones, the same visit is remembered."""

_MOST_MEMORIES = 50_000
"""As many are kept from walk to walk."""

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
    state = _state(plan)
    given = None if nodes is None else [entry.score for entry in nodes.values()]
    for walk in (_Walk, _RememberingWalk, _OnceWalk):
        if walk is _OnceWalk:
            plan.say("warning", _ENTANGLED, once=_ENTANGLED)
        try:
            scores = walk(table, state).visit(resource, given, attribute, factor, flags)
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


def scores_change(plan: Plan, resource: Resource) -> None:
    """Take note that a resource is being assigned: its scores may differ from now on."""
    state = _state(plan)
    if resource.is_remote_connection:
        # Its node becomes available, or no longer is, and that counts for all resources.
        state.known.clear()
    elif resource in state.bits:
        state.changing |= state.bits[resource]


class _Entangled(Exception):
    """A walk is long, or comes back to resources more often than it should."""


_Key = tuple[Resource, str, float, int, int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class _Memory:
    """What came of a visit while the walk was inside of all of ``avoided`` and of none of ``entered`` (bit sets)."""

    walk: int
    avoided: int
    entered: int
    scores: list[int] | None


@dataclass(slots=True)
class _State:
    """What the walks of a plan remember, and what they may still do.

    ``bits`` gives each resource a bit; those in ``changing`` may have other scores in the next walk. ``node_lists``
    numbers the lists of nodes that scores were for. ``remembers`` is False once it was found not to pay.
    """

    repetitions: int
    last_steps: int
    remembers: bool = True
    walks: int = 0
    memories: int = 0
    used: int = 0
    changing: int = 0
    known: dict[_Key, list[_Memory]] = field(default_factory=dict)
    bits: dict[Resource, int] = field(default_factory=dict)
    node_lists: dict[tuple[Node, ...], int] = field(default_factory=dict)
    edges: dict[tuple[Resource, bool], list[tuple[Resource, Colocation]]] = field(default_factory=dict)

    def bit_of(self, resource: Resource) -> int:
        bit = self.bits.get(resource)
        if bit is None:
            bit = self.bits[resource] = 1 << len(self.bits)
            if not _stands_alone(resource) or not resource.provisional or resource.assigning:
                # Parts of a collection are assigned in rounds; only what stands alone is sure to stay as it is.
                self.changing |= bit
        return bit

    def followed(self, resource: Resource, this_with: bool) -> list[tuple[Resource, Colocation]]:
        """Return whom a walk meets behind a resource, and through which colocations."""
        known = self.edges.get((resource, this_with))
        if known is None:
            owner = resource.children[-1] if resource.is_group and not this_with else resource
            if this_with:
                known = [(each.primary, each) for each in owner.this_with]
            else:
                known = [(each.dependent, each) for each in owner.with_this if has_influence(each)]
            if _stands_alone(resource):
                # A group hands its colocations to its members when it is assigned.
                self.edges[resource, this_with] = known
        return known

    def begin_walk(self) -> None:
        """Forget what only counted for the last walk if it grows too much."""
        self.walks += 1
        if self.memories > _MOST_MEMORIES or not self.remembers:
            self.remembers = self.remembers and self.used > self.memories // 10
            self.known.clear()
            self.memories = self.used = 0


def _stands_alone(resource: Resource) -> bool:
    return resource.parent is None and not resource.children


def _state(plan: Plan) -> _State:
    state: _State | None = plan.scratch.get("colocated preferences")
    if state is None:
        state = plan.scratch["colocated preferences"] = _State(_REPETITIONS, _LAST_STEPS)
    return state


class _Walk:
    """One way through the colocations, adding to scores that belong to a fixed list of nodes."""

    __slots__ = ("_available", "_entered", "_nodes", "_state", "_steps", "_table")

    def __init__(self, table: NodeTable, state: _State) -> None:
        self._table = table
        self._nodes: list[Node] = list(table)
        self._available = [is_available(node) for node in self._nodes]
        self._state = state
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
        if self._steps > _LONG_WALK and (self._state.remembers or self._steps > 2 * len(self._entered) + 100):
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
            for other, colocation in self._state.followed(resource, bool(flags & Select.THIS_WITH)):
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


class _RememberingWalk(_Walk):
    """A walk that does nothing that was done before under the same circumstances."""

    __slots__ = ("_avoided", "_behind", "_inside", "_list")

    def __init__(self, table: NodeTable, state: _State) -> None:
        super().__init__(table, state)
        state.begin_walk()
        self._list = state.node_lists.setdefault(tuple(self._nodes), len(state.node_lists))
        self._inside = 0
        self._avoided = 0
        self._behind = 0

    def visit(
        self, resource: Resource, scores: list[int] | None, attribute: str, factor: float, flags: int
    ) -> list[int] | None:
        state = self._state
        bit = state.bit_of(resource)
        if resource.merging:
            if bit & self._inside:
                self._avoided |= bit
            else:
                # Promotion keeps its clone out of its walks.
                self._behind |= bit
            return scores
        if resource in self._entered:
            state.repetitions -= 1
        memories: list[_Memory] = []
        if scores is not None:
            key = (resource, attribute, factor, flags, self._list, tuple(scores))
            memories = state.known.setdefault(key, memories)
        memory = next((each for each in memories if self._is_same(each)), None)
        if memory is not None:
            state.used += 1
            self._avoided |= memory.avoided
            self._behind |= memory.entered
            return memory.scores
        avoided, behind = self._avoided, self._behind
        self._avoided, self._behind = 0, bit
        self._inside |= bit
        result = super().visit(resource, scores, attribute, factor, flags)
        self._inside &= ~bit
        self._avoided &= ~bit
        del memories[: 1 - _CIRCUMSTANCES]
        memories.append(_Memory(state.walks, self._avoided, self._behind, result))
        state.memories += 1
        self._avoided |= avoided
        self._behind |= behind
        return result

    def _is_same(self, memory: _Memory) -> bool:
        """Say whether the circumstances of a memory are those of now."""
        if memory.avoided & ~self._inside or memory.entered & self._inside:
            return False
        return memory.walk == self._state.walks or not memory.entered & self._state.changing

    def _enter(self, resource: Resource) -> None:
        if self._state.repetitions <= 0:
            raise _Entangled
        self._entered[resource] = None


class _OnceWalk(_Walk):
    """A walk that enters each resource once, and in the end none but the first."""

    __slots__ = ()

    def visit(
        self, resource: Resource, scores: list[int] | None, attribute: str, factor: float, flags: int
    ) -> list[int] | None:
        if self._entered:
            self._state.last_steps -= 1
            if resource in self._entered or self._state.last_steps <= 0:
                return scores
        return super().visit(resource, scores, attribute, factor, flags)

    def _enter(self, resource: Resource) -> None:
        self._entered[resource] = None
