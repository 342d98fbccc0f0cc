"""Constraints after unpacking: ids resolved, roles and scores parsed. Pure data."""

from enum import Enum
from typing import TYPE_CHECKING

from hatools.values.records import dataclass, field
from hatools.values.role import Role

if TYPE_CHECKING:
    from hatools.scheduler.model.action import Action
    from hatools.scheduler.model.node import Discovery, Node, NodeScore
    from hatools.scheduler.model.resource import Resource


@dataclass(slots=True, eq=False)
class Location:
    """A preference of a resource (in a role, if ``role`` is set) for nodes.

    ``id`` is that of the rule if a rule gave it; ``constraint`` then is that of the constraint.
    """

    id: str
    resource: "Resource"
    role: Role
    scores: "list[NodeScore]"
    discovery: "Discovery"
    constraint: str | None = None


@dataclass(slots=True, eq=False)
class Colocation:
    """``dependent`` is placed with (or, with a negative score, away from) ``primary``.

    ``influence`` says whether the dependent may move the primary. ``attribute`` is the node
    attribute that must be equal, normally ``#uname``.
    """

    id: str
    attribute: str
    dependent: "Resource"
    primary: "Resource"
    dependent_role: Role
    primary_role: Role
    score: int
    influence: bool


@dataclass(slots=True, eq=False)
class Ordering:
    """``first`` before ``then``: each side an action or a resource and a task, resolved late."""

    id: int
    flags: int
    first_resource: "Resource | None"
    first_task: str | None
    first_action: "Action | None"
    then_resource: "Resource | None"
    then_task: str | None
    then_action: "Action | None"
    constraint: str = ""


class LossPolicy(Enum):
    """What happens to a resource when its ticket is revoked."""

    STOP = "stop"
    DEMOTE = "demote"
    FENCE = "fence"
    FREEZE = "freeze"


@dataclass(slots=True, eq=False)
class Ticket:
    """State of a ticket, as ``ticket_state`` tells it."""

    id: str
    granted: bool = False
    last_granted: int = -1
    standby: bool = False
    state: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class TicketConstraint:
    """A resource (in ``role``) needs a ticket."""

    id: str
    resource: "Resource"
    ticket: Ticket
    loss_policy: LossPolicy
    role: Role


@dataclass(slots=True, eq=False)
class Ban:
    """A location score as the unpacked configuration states it; crm_mon shows the negative ones."""

    location: Location
    node: "Node"
    score: int
