"""The controller's states, as a table. Pure.

``TABLE[state, input]`` is the next state and what to do on the way, in order. A missing entry means that the
input cannot come in that state: it is an error by definition.
"""

from enum import Enum, StrEnum, auto

from hatools.values.errors import LocalError


class State(StrEnum):
    """Where a controller stands; the values are what ``crmadmin -S`` shows."""

    STARTING = "S_STARTING"
    PENDING = "S_PENDING"
    ELECTION = "S_ELECTION"
    INTEGRATION = "S_INTEGRATION"
    FINALIZE_JOIN = "S_FINALIZE_JOIN"
    NOT_DC = "S_NOT_DC"
    POLICY_ENGINE = "S_POLICY_ENGINE"
    TRANSITION_ENGINE = "S_TRANSITION_ENGINE"
    IDLE = "S_IDLE"
    STOPPING = "S_STOPPING"
    TERMINATE = "S_TERMINATE"


DC_STATES = frozenset(
    {
        State.INTEGRATION,
        State.FINALIZE_JOIN,
        State.POLICY_ENGINE,
        State.TRANSITION_ENGINE,
        State.IDLE,
    }
)
"""The states only a DC is in."""


class Input(Enum):
    """What happened."""

    GROUP_JOINED = auto()
    """We are in the group of controllers."""
    NO_DC = auto()
    """The group has no DC: votes decide."""
    WON = auto()
    """The votes say that we are the DC."""
    LOST = auto()
    """The votes say that somebody else is the DC."""
    ACCEPTED = auto()
    """The DC took us in."""
    JOIN_NEEDED = auto()
    """Members are waiting to be taken in."""
    INTEGRATED = auto()
    """Every member answered our offer."""
    FINALIZED = auto()
    """Every member confirmed and the CIB says so."""
    CALCULATE = auto()
    """The cluster's state changed: a new transition is needed."""
    CALCULATED = auto()
    """The scheduler answered."""
    TRANSITION_DONE = auto()
    """The transition ended and nothing changed meanwhile."""
    STOP = auto()
    """This controller shall end."""
    STOPPED = auto()
    """All is put in order for the end."""


class Action(Enum):
    """What a step does besides changing the state."""

    TAKE_OVER = auto()
    """Write what a new DC writes, offer everybody to join."""
    RELEASE = auto()
    """Forget a DC's duties: transition, joins, timers."""
    OFFER = auto()
    """Offer the members that are not in yet to join."""
    FINALIZE = auto()
    """Write the members to the CIB and acknowledge their requests."""
    SCHEDULE = auto()
    """Ask the scheduler."""
    CANCEL_TRANSITION = auto()
    """Start nothing more of the present transition."""
    RUN = auto()
    """Execute the new graph."""
    SETTLE = auto()
    """Tell who waits for the end of work; arm the recheck timer."""
    LEAVE = auto()
    """Stop acting: cancel what recurs, leave the group."""
    END = auto()
    """End the process."""


Step = tuple[State, tuple[Action, ...]]


def _table() -> dict[tuple[State, Input], Step]:
    table: dict[tuple[State, Input], Step] = {
        (State.STARTING, Input.GROUP_JOINED): (State.PENDING, ()),
        (State.PENDING, Input.ACCEPTED): (State.NOT_DC, ()),
        (State.NOT_DC, Input.ACCEPTED): (State.NOT_DC, ()),
        (State.INTEGRATION, Input.INTEGRATED): (State.FINALIZE_JOIN, (Action.FINALIZE,)),
        (State.FINALIZE_JOIN, Input.FINALIZED): (State.POLICY_ENGINE, (Action.SCHEDULE,)),
        (State.IDLE, Input.CALCULATE): (State.POLICY_ENGINE, (Action.SCHEDULE,)),
        (State.TRANSITION_ENGINE, Input.CALCULATE): (State.POLICY_ENGINE, (Action.SCHEDULE,)),
        (State.POLICY_ENGINE, Input.CALCULATE): (State.POLICY_ENGINE, (Action.SCHEDULE,)),
        # A join ends with a calculation anyway.
        (State.INTEGRATION, Input.CALCULATE): (State.INTEGRATION, ()),
        (State.FINALIZE_JOIN, Input.CALCULATE): (State.FINALIZE_JOIN, ()),
        (State.POLICY_ENGINE, Input.CALCULATED): (State.TRANSITION_ENGINE, (Action.RUN,)),
        (State.TRANSITION_ENGINE, Input.TRANSITION_DONE): (State.IDLE, (Action.SETTLE,)),
        (State.STOPPING, Input.STOPPED): (State.TERMINATE, (Action.END,)),
        (State.STOPPING, Input.STOP): (State.STOPPING, ()),
    }
    voters = (State.PENDING, State.ELECTION, State.NOT_DC)
    for state in voters:
        table[state, Input.NO_DC] = (State.ELECTION, ())
        table[state, Input.WON] = (State.INTEGRATION, (Action.TAKE_OVER, Action.OFFER))
        table[state, Input.LOST] = (State.PENDING, ())
    for state in DC_STATES:
        table[state, Input.WON] = (state, ())
        table[state, Input.NO_DC] = (State.ELECTION, (Action.CANCEL_TRANSITION, Action.RELEASE))
        table[state, Input.LOST] = (State.PENDING, (Action.CANCEL_TRANSITION, Action.RELEASE))
        table[state, Input.JOIN_NEEDED] = (State.INTEGRATION, (Action.CANCEL_TRANSITION, Action.OFFER))
        table[state, Input.STOP] = (State.STOPPING, (Action.CANCEL_TRANSITION, Action.RELEASE, Action.LEAVE))
    for state in (State.STARTING, *voters):
        table[state, Input.STOP] = (State.STOPPING, (Action.LEAVE,))
    for source in (State.STOPPING, State.TERMINATE):
        # What still arrives while we go changes nothing any more.
        for cause in Input:
            table.setdefault((source, cause), (source, ()))
    return table


TABLE = _table()


def step(state: State, cause: Input) -> Step:
    """Return the next state and the actions on the way.

    Raises:
        LocalError: the input cannot come in this state.
    """
    try:
        return TABLE[state, cause]
    except KeyError:
        raise LocalError(f"{cause.name} cannot come in {state.value}") from None


_DC_INPUTS = frozenset(
    {
        Input.JOIN_NEEDED,
        Input.INTEGRATED,
        Input.FINALIZED,
        Input.CALCULATE,
        Input.CALCULATED,
        Input.TRANSITION_DONE,
    }
)

_OUT_OF_DATE: dict[State, tuple[Input, ...]] = {
    State.INTEGRATION: (Input.FINALIZED, Input.TRANSITION_DONE, Input.CALCULATED),
    State.FINALIZE_JOIN: (Input.TRANSITION_DONE, Input.CALCULATED, Input.INTEGRATED),
    State.POLICY_ENGINE: (Input.FINALIZED, Input.TRANSITION_DONE, Input.INTEGRATED),
    State.TRANSITION_ENGINE: (Input.FINALIZED, Input.INTEGRATED),
    State.IDLE: (Input.FINALIZED, Input.INTEGRATED, Input.TRANSITION_DONE),
    State.NOT_DC: (),
}
"""Inputs that an earlier input of the same event has overtaken."""


def is_overtaken(state: State, cause: Input, *, is_dc: bool) -> bool:
    """Say whether an input that was posted has been made void by what came before it."""
    if cause in _DC_INPUTS and not is_dc:
        return True  # it was the DC's when it was posted, and this controller is none any more
    return cause in _OUT_OF_DATE.get(state, ())


def diagram() -> str:
    """Return the table as a diagram in Mermaid's language, without the inputs that change nothing."""
    edges: dict[tuple[State, State], list[str]] = {}
    for (source, cause), (target, actions) in TABLE.items():
        if source is not target or actions:
            edges.setdefault((source, target), []).append(cause.name)
    order = list(State)
    lines = ["stateDiagram-v2", f"    [*] --> {State.STARTING.value}"]
    for (source, target), causes in sorted(edges.items(), key=lambda item: tuple(map(order.index, item[0]))):
        lines.append(f"    {source.value} --> {target.value}: {', '.join(causes)}")
    lines.append(f"    {State.TERMINATE.value} --> [*]")
    return "\n".join(lines) + "\n"
