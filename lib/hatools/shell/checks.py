"""Checks that make sense of objects: agents' metadata, names of options, things that do not exist. I/O."""

from typing import TYPE_CHECKING

from hatools.parser import syntax

if TYPE_CHECKING:
    from hatools.shell.session import Session


def check_if_wanted(session: "Session", item: object) -> int:
    """Check one object if a person typed it and the preferences say always; 0 fine, 1 warnings, 2 errors.

    Elsewhere the check before the commit is enough.
    """
    if not session.is_interactive or session.preferences.get("core", "check_frequency") != "always":
        return 0
    from hatools.shell.semantics import check_object

    return check_object(session, item)


def warn_if_missing(session: "Session", agent: syntax.Agent) -> None:
    """Say so if there is no such agent here, unless that does not interest the person."""
    if session.preferences.flag("core", "ignore_missing_metadata"):
        return
    from hatools.shell.agents import exists

    if not exists(agent):
        name = ":".join(part for part in (agent.standard, agent.provider, agent.type) if part)
        session.console.error(f"{name}: got no meta-data, does this RA exist?")
