"""What the working copy needs from the shell around it. Pure."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from hatools.parser import syntax
from hatools.values.records import dataclass, field


class Messages(Protocol):
    """Where messages to the person go."""

    def error(self, text: str) -> None: ...

    def warning(self, text: str) -> None: ...

    def info(self, text: str) -> None: ...

    def detail(self, describe: Callable[[], str]) -> None:
        """Say more about the error before, to a person only; ``describe`` is called if there is one."""


def _assume_heartbeat(text: str) -> syntax.Agent:
    parts = text.split(":")
    if len(parts) == 3:
        return syntax.Agent(*parts)
    return syntax.Agent(parts[0], "", parts[1]) if len(parts) == 2 else syntax.Agent("ocf", "heartbeat", text)


@dataclass(slots=True)
class Host:
    """The shell's side.

    Attributes:
        find_agent: completes an agent's name; raises ``AgentProblem``.
        parameters_of: (resource, ...) names of the parameters that an agent knows; None if unknown.
        announce: told of the agent of each new resource, to warn if there is none.
        may_remove: says whether a resource may go (it is not running).
        check: examines a created or changed object; 0 fine, 1 warnings, 2 errors.
        force: go on where one would be asked; missing objects are no error.
        sort_by_id: show objects by kind and id rather than by kind alone.
        upgrade_roles: write the new names of roles even where the old ones were typed.
        numbering: while open, messages carry the number of the statement that it is told.
        is_live: the objects are those of a running cluster.
    """

    messages: Messages
    find_agent: Callable[[str], syntax.Agent] = _assume_heartbeat
    parameters_of: Callable[[syntax.Agent], frozenset[str] | None] = lambda agent: None
    announce: Callable[[syntax.Agent], None] = lambda agent: None
    may_remove: Callable[[str], bool] = lambda identifier: True
    check: Callable[[object], int] = lambda item: 0
    force: bool = False
    sort_by_id: bool = True
    upgrade_roles: bool = False
    is_live: bool = False
    numbering: Callable[[], AbstractContextManager[Callable[[int], None]]] = lambda: nullcontext(lambda number: None)
    known_agents: dict[str, syntax.Agent] = field(default_factory=dict)

    def agent(self, text: str) -> syntax.Agent:
        """Complete an agent's name, remembering the answer."""
        if text not in self.known_agents:
            self.known_agents[text] = self.find_agent(text)
        return self.known_agents[text]
