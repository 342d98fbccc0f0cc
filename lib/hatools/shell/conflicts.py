"""Changes that others made to the configuration while it was being edited. I/O: reads, asks, shows.

Before a commit the CIB is read again. If others changed it, theirs and ours are merged
(:mod:`hatools.shell.changeset.threeway`) and the merged configuration becomes the working copy, so that the
checks before the commit see what will be committed. What cannot be merged without a loss is shown, and the person
decides; the working copy stays as it is until they have.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from hatools.parser.printer import Layout
from hatools.shell.changeset.sanitizing import drop_defaults, drop_status
from hatools.shell.changeset.threeway import Collision, Merge, Side, merge
from hatools.shell.changeset.workspace import Workspace

if TYPE_CHECKING:
    from hatools.shell.session import Session

_ANSWERS = {
    "m": "merge: take both; where they collide, yours",
    "t": "merge: take both; where they collide, theirs",
    "e": "edit the objects in question, both versions at hand",
    "c": "cancel: commit nothing, keep your changes",
}
_REMARK = "#: "


def settle_changes_elsewhere(session: "Session", *, prefer: Side | None = None) -> bool:
    """Merge what others changed meanwhile into the working copy; return whether the commit may go on.

    Args:
        prefer: whose version stands where both changed the same; None: ask.
    """
    configuration = session.configuration
    current = configuration.read()
    if current is None:
        return False
    if configuration.is_current(current):
        return True
    drop_status(current)
    drop_defaults(current, editing=False)
    workspace = configuration.workspace
    merged = merge(workspace.original, workspace.root, current, prefer or Side.OURS)
    _tell(session, workspace, current, merged)
    if prefer is None and session.preferences.flag("core", "force"):
        prefer = Side.OURS
    if not merged.collisions or prefer is not None:
        configuration.adopt(merged.root, current)
        return True
    theirs = Workspace(current, workspace.host)
    _show(session, workspace, theirs, merged.collisions)
    match session.console.choose("Others changed the same. What shall be committed?", _ANSWERS):
        case "m":
            configuration.adopt(merged.root, current)
        case "t":
            configuration.adopt(merge(workspace.original, workspace.root, current, Side.THEIRS).root, current)
        case "e":
            return _edit(session, current, merged, theirs)
        case _:
            session.console.error(
                "commit refused, your changes are kept: `commit ours` or `commit theirs` says whose version stands "
                "where both changed the same, `refresh` drops yours"
            )
            return False
    return True


def _tell(session: "Session", workspace: Workspace, current: Element, merged: Merge) -> None:
    """Say who changed what."""
    console = session.console
    names = _changed(workspace.original, current)
    who = " ".join(
        f"{word} {value}"
        for word, value in (
            ("by", current.get("update-user")),
            ("with", current.get("update-client")),
            ("on", current.get("update-origin")),
        )
        if value
    )
    what = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    console.warning(
        f"the CIB was changed in the meantime{', last ' + who if who else ''}: {what or 'no object of yours'}"
    )
    if not merged.collisions:
        console.info("these changes and yours do not collide: both are taken")


def _changed(old: Element, new: Element) -> list[str]:
    """Return ids of the objects that differ between two CIBs, sorted."""
    from hatools.cib.document import format_xml
    from hatools.shell.changeset.objects import outer_objects

    before = {element.get("id") or element.tag: format_xml(element) for element in outer_objects(old)}
    after = {element.get("id") or element.tag: format_xml(element) for element in outer_objects(new)}
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def _show(session: "Session", ours: Workspace, theirs: Workspace, collisions: Sequence[Collision]) -> None:
    """Show both versions of each object in question, and in what they collide."""
    base = Workspace(ours.original, ours.host)
    for name in dict.fromkeys(collision.subject for collision in collisions):
        session.console.warning(f"{name} was changed by you and by others")
        for whose, workspace in (("as you found it", base), ("theirs", theirs), ("yours", ours)):
            print(f"--- {whose}\n{_text(workspace, name)}")
        for collision in collisions:
            if collision.subject == name and collision.what:
                print(f"*** {collision.what}: {_values(collision)}")


def _values(collision: Collision) -> str:
    found = (("was", collision.base), ("theirs", collision.theirs), ("yours", collision.ours))
    return ", ".join(f"{whose} {'(nothing)' if value is None else value}" for whose, value in found)


def _text(workspace: Workspace, name: str) -> str:
    item = workspace.find_object(name)
    return workspace.text(item, Layout()) if item is not None else "(not there)"


def _edit(session: "Session", current: Element, merged: Merge, theirs: Workspace) -> bool:
    """Let the person edit the merged objects, their version in remarks beside each."""
    from hatools.shell.editing import edit_text
    from hatools.shell.selection import Selection

    configuration = session.configuration
    before = configuration.workspace
    configuration.adopt(merged.root, current)
    names = list(dict.fromkeys(collision.subject for collision in merged.collisions))
    there = [name for name in names if configuration.workspace.find_object(name) is not None]
    selection = Selection(session, there or ["NOOBJ"])
    lines = [f"{_REMARK}Lines that begin with {_REMARK.strip()} are left out. Below stands your version."]
    for name in names:
        lines += [f"{_REMARK}theirs: {line}" for line in _text(theirs, name).split("\n")]
    text = "\n".join([*lines, selection.text()])

    def take(edited: str) -> bool:
        kept = [line for line in edited.split("\n") if not line.startswith(_REMARK.strip())]
        return selection.take_over("\n".join(kept), remove=True)

    if edit_text(session, text, take, is_unchanged_fine=True):
        return True
    configuration.put_back(before)
    session.console.error("commit refused, your changes are kept")
    return False
