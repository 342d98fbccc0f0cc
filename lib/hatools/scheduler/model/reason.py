"""Reasons of decisions, recorded while they are made. Pure data."""

from enum import StrEnum

from hatools.values.records import dataclass, field


class Cause(StrEnum):
    """What kind of thing decided."""

    LOCATION = "location"
    COLOCATION = "colocation"
    ORDERING = "ordering"
    TICKET = "ticket"
    FAILURE = "failure"
    QUORUM = "quorum"
    FENCING = "fencing"
    NODE_STATE = "node-state"
    TARGET_ROLE = "target-role"
    UNMANAGED = "unmanaged"
    BLOCKED = "blocked"
    STICKINESS = "stickiness"
    UTILIZATION = "utilization"
    HEALTH = "health"
    DEPENDENCY = "dependency"
    CLONE_LIMIT = "clone-limit"
    SHUTDOWN_LOCK = "shutdown-lock"
    ORPHAN = "orphan"
    NOT_ALLOWED = "not-allowed"
    PROMOTION = "promotion"


@dataclass(frozen=True, slots=True)
class ScoreReason:
    """One contribution to a resource's score on a node; ``node`` None means every node.

    ``evidence`` names the thing that contributed: the id of a constraint or rule, a ticket, an
    operation; ``constraint`` is the constraint that a rule belongs to.
    """

    cause: Cause
    evidence: str
    score: int
    node: str | None = None
    role: str | None = None
    constraint: str | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a resource (or an action of it) came out as it did."""

    cause: Cause
    evidence: str
    text: str
    node: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """One decisive fact about a resource (on a node, if ``node`` is set).

    ``evidence`` names the thing that decided: the id of a constraint, rule, operation or ticket, an
    option, a resource, a node. ``suggestion`` is the command that would change it, if one would.
    """

    resource: str
    cause: Cause
    evidence: str
    text: str
    node: str | None = None
    suggestion: str = ""

    def __str__(self) -> str:
        text = f"{self.text} [{self.cause.value}: {self.evidence}]" if self.evidence else self.text
        return f"{text}; to change it: {self.suggestion}" if self.suggestion else text

    def as_dict(self) -> dict[str, str | None]:
        """Return the fields for JSON."""
        return {
            "resource": self.resource,
            "node": self.node,
            "cause": self.cause.value,
            "evidence": self.evidence,
            "text": self.text,
            "suggestion": self.suggestion or None,
        }


@dataclass(slots=True)
class Reasons:
    """All recorded reasons, by resource id, in the order in which they were recorded."""

    scores: dict[str, list[ScoreReason]] = field(default_factory=dict)
    resources: dict[str, list[Reason]] = field(default_factory=dict)
    nodes: dict[str, list[Reason]] = field(default_factory=dict)

    def score(self, resource: str, reason: ScoreReason) -> None:
        """Record a contribution to a score."""
        self.scores.setdefault(resource, []).append(reason)

    def resource(self, resource: str, cause: Cause, evidence: str, text: str, node: str | None = None) -> None:
        """Record why something about a resource was decided."""
        self.resources.setdefault(resource, []).append(Reason(cause, evidence, text, node))

    def node(self, node: str, cause: Cause, evidence: str, text: str) -> None:
        """Record why something about a node was decided."""
        self.nodes.setdefault(node, []).append(Reason(cause, evidence, text, node))
