"""Patches of format 1, which Pacemaker still makes for XML that names no feature set, or one before 3.0.8. Pure.

Such a patch holds two trees, what was removed and what was added; the root of each removed or added part carries a
marker. It says nothing of order.
"""

from hatools.cib.document import Element, Version, copy_element
from hatools.cib.document_digest import VOLATILE_ATTRIBUTES, versioned_digest
from hatools.cib.patchset import VERSION_ATTRIBUTES, same_comment
from hatools.cib.version import FEATURE_SET, compare_versions
from hatools.values.errors import PatchError

MARKER = "__crm_diff_marker__"


def wants_format_1(root: Element) -> bool:
    """Say whether the difference from this XML is to be written in format 1."""
    feature_set = root.get("crm_feature_set")
    return feature_set is None or compare_versions("3.0.8", feature_set) >= 0


def create_patch_v1(old: Element, new: Element, *, configuration_changed: bool) -> Element:
    """Return the patch that leads from ``old`` to ``new``."""
    patch = Element("diff", {"crm_feature_set": FEATURE_SET})
    for tag, left, right, full in (("diff-removed", old, new, False), ("diff-added", new, old, True)):
        part = Element(tag)
        difference = _subtract(left, right, full, "removed:top" if tag == "diff-removed" else "added:top")
        if difference is not None:
            part.append(difference)
        _note_versions(part, left, full, configuration_changed)
        patch.append(part)
    patch.set("format", "1")
    patch.set("digest", versioned_digest(new, old.get("crm_feature_set")))
    return patch


def _note_versions(part: Element, root: Element, added: bool, configuration_changed: bool) -> None:
    cib = next((child for child in part if child.tag == "cib"), None)
    if cib is None:
        cib = Element("cib")
        part.append(cib)
    for name in VERSION_ATTRIBUTES:
        value = root.get(name)
        if value is not None:
            part.set(name, value)
            if not added and (configuration_changed or name == "num_updates"):
                cib.set(name, value)
    if added:
        for name, value in root.items():
            cib.set(name, value)


def _subtract(left: Element, right: Element | None, full: bool, marker: str) -> Element | None:
    """Return what ``left`` has and ``right`` has not, None if that is nothing."""
    if not isinstance(left.tag, str):
        return None if right is not None and same_comment(left, right) else left
    if right is None:
        copy = copy_element(left)
        copy.set(MARKER, marker)
        return copy
    result = Element(left.tag)
    changed = False
    for child in left:
        difference = _subtract(child, _counterpart(right, child), full, marker)
        if difference is not None:
            result.append(difference)
            changed = True
    identifier = left.get("id")
    if changed and full:
        result.attrib.update(left.attrib)
        return result
    for name, value in left.items():
        if name == "id":
            result.set("id", value)
        elif name not in VOLATILE_ATTRIBUTES and right.get(name) != value:
            changed = True
            if full:
                result.attrib.update(left.attrib)
                break
            result.set(name, value)
    if not changed:
        return None
    if not full and identifier is not None:
        result.set("id", identifier)
    return result


def _counterpart(parent: Element, needle: Element) -> Element | None:
    for child in parent:
        if not isinstance(needle.tag, str):
            if same_comment(child, needle):
                return child
        elif child.tag == needle.tag and (needle.get("id") is None or child.get("id") == needle.get("id")):
            return child
    return None


def patch_versions_v1(patch: Element) -> tuple[Version | None, Version | None]:
    """Return the versions a patch leads from and to, None where it does not say."""
    found: list[Version | None] = []
    for tag in ("diff-removed", "diff-added"):
        part = patch.find(tag)
        holder = None if part is None else part.find("cib")
        holder = part if holder is None else holder
        has_version = holder is not None and any(name in holder.attrib for name in VERSION_ATTRIBUTES)
        found.append(Version.of(holder) if has_version and holder is not None else None)
    return found[0], found[1]


def apply_patch_v1(root: Element, patch: Element) -> Element:
    """Return the root that a patch makes of another; one that holds neither part changes nothing.

    Raises:
        PatchError: it holds more than one tree.
    """
    result = root
    removed, added = patch.find("diff-removed"), patch.find("diff-added")
    for part in (removed, added):
        if part is not None and sum(1 for child in part if isinstance(child.tag, str)) > 1:
            raise PatchError("a patch of format 1 holds one tree to remove and one to add")
    if removed is not None and len(removed):
        remaining = _remove(result, removed[0])
        if remaining is None:
            raise PatchError("a patch cannot delete the whole CIB")
        result = remaining
    if added is not None and len(added):
        result = _add(result, added[0])
    return result


def _remove(target: Element, patch: Element) -> Element | None:
    if patch.get(MARKER) == "removed:top":
        return None
    if not isinstance(target.tag, str) or target.tag != patch.tag or target.get("id") != patch.get("id"):
        return target
    result = Element(target.tag, dict(target.attrib))
    for child in target:
        counterpart = _counterpart(patch, child)
        remaining = child if counterpart is None else _remove(child, counterpart)
        if remaining is not None:
            result.append(remaining)
    return result


def _add(target: Element, patch: Element) -> Element:
    result = copy_element(target)
    for name, value in patch.items():
        if name != MARKER:
            result.attrib.pop(name, None)
            result.set(name, value)
    for addition in patch:
        counterpart = _counterpart(result, addition)
        if counterpart is not None and isinstance(addition.tag, str):
            result[list(result).index(counterpart)] = _add(counterpart, addition)
        elif counterpart is None and (not isinstance(addition.tag, str) or addition.get(MARKER) == "added:top"):
            result.append(_unmarked(addition))
    return result


def _unmarked(element: Element) -> Element:
    copy = copy_element(element)
    if isinstance(copy.tag, str):
        copy.attrib.pop(MARKER, None)
    return copy
