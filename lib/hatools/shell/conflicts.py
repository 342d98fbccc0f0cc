"""Changes that others made to the configuration while it was being edited. I/O: reads, asks."""

from typing import TYPE_CHECKING

from hatools.parser.printer import Layout

if TYPE_CHECKING:
    from hatools.shell.session import Session


def resolve_conflicts(session: "Session") -> bool:
    """Show where others changed what we changed too, and ask whether our version wins.

    Changes to different objects are merged by the patch that a commit sends. Return whether to go on.
    """
    configuration = session.configuration
    if configuration.is_unchanged_elsewhere(silently=True):
        return True
    disputed = configuration.changes_elsewhere()
    if not disputed:
        session.console.info("the CIB changed in the meantime; your changes concern other objects and are merged")
        return True
    from hatools.shell.changeset.workspace import Workspace

    current = configuration.read()
    if current is None:
        return False
    ours = configuration.workspace
    theirs = Workspace(current, ours.host)
    for name in disputed:
        session.console.warning(f"{name} was changed by somebody else in the meantime")
        for whose, workspace in (("theirs", theirs), ("yours", ours)):
            item = workspace.find_object(name)
            text = workspace.text(item, Layout()) if item is not None else "(deleted)"
            print(f"--- {whose}\n{text}")
    if session.preferences.flag("core", "force") or session.console.ask("Overwrite their changes with yours?"):
        return True
    session.console.error("commit refused: `refresh` takes their version, `commit force` yours")
    return False
