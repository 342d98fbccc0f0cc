"""Checks that make sense of objects: agents' metadata, names of options, things that do not exist. I/O."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hatools.shell.session import Session


def check_if_wanted(session: "Session", item: object) -> int:
    """Check one object if the preferences say always; 0 fine, 1 warnings, 2 errors."""
    if session.preferences.get("core", "check_frequency") != "always":
        return 0
    from hatools.shell.semantics import check_object

    return check_object(session, item)
