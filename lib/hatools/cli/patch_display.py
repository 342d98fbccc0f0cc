"""Patches as text, the way Pacemaker logs them and ``crm_shadow --diff`` shows them. Pure."""

from collections.abc import Iterator

from hatools.cib.document import Element, children, format_xml
from hatools.cib.patchset import patch_versions


def describe_patch(patch: Element, prefix: str = "") -> Iterator[str]:
    """Yield the lines that say what a patch changes."""
    source, target = patch_versions(patch)
    if source != target and source is not None and target is not None:
        yield f"Diff: --- {source} {patch.get('format', '')}"
        yield f"Diff: +++ {target} {patch.get('digest', '(null)')}"
    elif source is not None and target is not None and any((target.admin_epoch, target.epoch, target.num_updates)):
        yield f"{prefix}: Local-only Change: {target}"
    for change in children(patch, "change"):
        yield from _describe(change)


def _describe(change: Element) -> Iterator[str]:
    path = change.get("path", "")
    match change.get("operation"):
        case "create":
            yield from _created(path, change)
        case "move":
            yield f"+~ {path} moved to offset {change.get('position')}"
        case "modify":
            yield from _modified(path, change)
        case "delete":
            position = change.get("position")
            yield f"-- {path}" if position is None else f"-- {path} ({position})"


def _created(path: str, change: Element) -> Iterator[str]:
    lead = f"++ {path}:  "
    for element in change:
        first, *others = format_xml(element).splitlines()
        # 2.1.5 closes the tag of a new element even where its content follows.
        yield lead + (f"{first[:-1]}/>" if others else first)
        yield from ("++" + " " * (len(lead) - 2) + line for line in others)


def _modified(path: str, change: Element) -> Iterator[str]:
    set_to: list[str] = []
    unset: list[str] = []
    for attribute in children(change.find("change-list"), "change-attr"):
        name = attribute.get("name", "")
        if attribute.get("operation") == "set":
            set_to.append(f"@{name}={attribute.get('value', '')}")
        else:
            unset.append(f"@{name}")
    if set_to:
        yield f"+  {path}:  {', '.join(set_to)}"
    if unset:
        yield f"-- {path}:  {', '.join(unset)}"
