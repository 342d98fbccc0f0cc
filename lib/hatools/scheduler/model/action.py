"""Actions and the orderings between them. Pure data.

Flags of actions and orderings are true flag words of the domain: propagation combines and
compares whole sets of them, so they are integers with named bits.
"""

from collections.abc import Iterator
from enum import Enum, IntEnum
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from hatools.values.records import dataclass, field
from hatools.values.role import Role

if TYPE_CHECKING:
    from hatools.scheduler.model.node import Node
    from hatools.scheduler.model.resource import Resource


class ActionFlag:
    """Bits of :attr:`Action.flags`."""

    PSEUDO = 0x00001
    RUNNABLE = 0x00002
    OPTIONAL = 0x00004
    PRINT_ALWAYS = 0x00008
    HAVE_NODE_ATTRIBUTES = 0x00010
    IMPLIED_BY_FENCING = 0x00040
    MIGRATE_RUNNABLE = 0x00080
    DUMPED = 0x00100
    PROCESSED = 0x00200
    DANGLE = 0x00800
    REQUIRES_ANY = 0x01000
    RESCHEDULE = 0x02000
    TRACKING = 0x04000
    DEDUP = 0x08000
    DC = 0x10000


class Order:
    """Bits of an ordering: what ``first`` being unrunnable or required means for ``then`` and back."""

    NONE = 0x0
    OPTIONAL = 0x1
    APPLY_FIRST_NON_MIGRATABLE = 0x2
    IMPLIES_FIRST = 0x10
    IMPLIES_THEN = 0x20
    PROMOTED_IMPLIES_FIRST = 0x40
    IMPLIES_FIRST_MIGRATABLE = 0x80
    RUNNABLE_LEFT = 0x100
    PSEUDO_LEFT = 0x200
    IMPLIES_THEN_ON_NODE = 0x400
    PROBE = 0x800
    RESTART = 0x1000
    STONITH_STOP = 0x2000
    SERIALIZE_ONLY = 0x4000
    SAME_NODE = 0x8000
    IMPLIES_FIRST_PRINTED = 0x10000
    IMPLIES_THEN_PRINTED = 0x20000
    ASYMMETRICAL = 0x100000
    LOAD = 0x200000
    ONE_OR_MORE = 0x400000
    ANTI_COLOCATION = 0x800000
    PRESERVE = 0x1000000
    THEN_CANCELS_FIRST = 0x2000000


class OnFail(IntEnum):
    """What a failure of an operation leads to; compare with :func:`on_fail_rank`, not by number."""

    IGNORE = 0
    RECOVER = 1
    MIGRATE = 2
    BLOCK = 3
    STOP = 4
    STANDBY = 5
    FENCE = 6
    RESTART_CONTAINER = 7
    RESET_REMOTE = 8
    DEMOTE = 9


_SEVERITY = (
    OnFail.IGNORE,
    OnFail.DEMOTE,
    OnFail.RECOVER,
    OnFail.RESET_REMOTE,
    OnFail.RESTART_CONTAINER,
    OnFail.MIGRATE,
    OnFail.BLOCK,
    OnFail.STOP,
    OnFail.STANDBY,
    OnFail.FENCE,
)
_RANKS = {reaction: rank for rank, reaction in enumerate(_SEVERITY)}


def on_fail_rank(reaction: OnFail) -> int:
    """Return how severe a reaction is; of several failures the most severe reaction counts."""
    return _RANKS[reaction]


class Needs(Enum):
    """What must hold before an action may run."""

    NOTHING = "nothing"
    QUORUM = "quorum"
    FENCING = "fencing"


class LinkState(Enum):
    """Whether an ordering became an input of a synapse."""

    NOT_DUMPED = 0
    DUMPED = 1
    DUPLICATE = 2


@dataclass(slots=True, eq=False)
class Link:
    """One end of an ordering as the other end's action holds it."""

    action: "Action"
    type: int
    state: LinkState = LinkState.NOT_DUMPED


@dataclass(slots=True, eq=False)
class Action:
    """Something to be done, or a point in time that others are ordered by (a pseudo action).

    ``before`` and ``after`` hold links in the order they were made; walk them newest first with
    :meth:`newest_before` and :meth:`newest_after`, which is safe while links are added.
    """

    id: int
    key: str
    task: str
    resource: "Resource | None"
    node: "Node | None"
    config: Element | None = None
    flags: int = ActionFlag.RUNNABLE
    priority: int = 0
    cancel_task: str | None = None
    reason: str | None = None
    needs: Needs = Needs.NOTHING
    on_fail: OnFail = OnFail.IGNORE
    fail_role: Role = Role.UNKNOWN
    meta: dict[str, str] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)
    runnable_before: int = 0
    required_runnable_before: int = 0
    before: list[Link] = field(default_factory=list)
    after: list[Link] = field(default_factory=list)
    successors: "dict[Action, int]" = field(default_factory=dict)
    device_resource: "Resource | None" = None
    interval_ms: int = 0

    def has(self, flags: int) -> bool:
        """Say whether all of these flags are set."""
        return self.flags & flags == flags

    @property
    def optional(self) -> bool:
        return bool(self.flags & ActionFlag.OPTIONAL)

    @property
    def runnable(self) -> bool:
        return bool(self.flags & ActionFlag.RUNNABLE)

    @property
    def pseudo(self) -> bool:
        return bool(self.flags & ActionFlag.PSEUDO)

    def set(self, flags: int) -> None:
        self.flags |= flags

    def clear(self, flags: int) -> None:
        self.flags &= ~flags

    def set_reason(self, reason: str | None, overwrite: bool = False) -> None:
        """Record why the action is needed or cannot run; the first reason stays unless overwritten."""
        if self.reason is None or overwrite:
            self.reason = reason

    def newest_before(self) -> Iterator[Link]:
        """Yield links to the actions ordered before this one, newest first."""
        return reversed(self.before)

    def newest_after(self) -> Iterator[Link]:
        """Yield links to the actions ordered after this one, newest first."""
        return reversed(self.after)

    def __repr__(self) -> str:
        return f"Action({self.key}{' on ' + self.node.name if self.node else ''})"


def order_actions(first: Action | None, then: Action | None, flags: int) -> bool:
    """Order two actions; an ordering that shares a flag with an existing one between them adds nothing."""
    if not flags or first is None or then is None:
        return False
    known = first.successors.get(then, 0)
    if known & flags:
        return False
    first.successors[then] = known | flags
    first.after.append(Link(then, flags))
    then.before.append(Link(first, flags))
    return True
