"""Patches: the difference of two CIBs as XML, format 2 of ``crm_diff``. Pure.

A patch names each change by the path of the element: ``delete``, ``create`` (with position), ``modify`` (the
attributes that changed, and the whole start tag after it) and ``move``. Positions count among the children of
the new parent. Unchanged subtrees that both documents share are skipped by identity, so a patch between a
document and its successor costs what changed.
"""

from collections.abc import Iterable, Iterator

from hatools.cib.document import Element, Version, copy_element
from hatools.cib.draft import Draft, Trail
from hatools.cib.xpath import path_of
from hatools.values.errors import InvalidChangeError, PatchAheadError, PatchError, StaleError
from hatools.values.exitcode import ExitCode
from hatools.values.integer import whole_number
from hatools.values.records import dataclass, field

VERSION_ATTRIBUTES = ("admin_epoch", "epoch", "num_updates")


def create_patch(
    old: Element, new: Element, *, attribute_order: bool = False, exact_comments: bool = False
) -> Element | None:
    """Return the patch that turns ``old`` into ``new`` (two elements of one name), None if there is no difference.

    ``attribute_order`` counts an attribute that only changed its place as changed, as ``crm_diff`` does.
    ``exact_comments``: as Pacemaker tells comments apart, one that moves among other changes may be created and not
    deleted; its tools refuse such a patch by its digest. What is to be applied for certain asks for exactness.
    """
    comparison = _Comparison(attribute_order, exact_comments)
    comparison.compare((), old, new)
    changes: list[Element] = []
    if comparison.differs:
        _report((new,), 0, comparison, changes)
    if not comparison.deletions and not changes:
        return None
    patch = Element("diff", {"format": "2"})
    version = Element("version")
    for tag, root in (("source", old), ("target", new)):
        version.append(Element(tag, {name: root.get(name, "1") for name in VERSION_ATTRIBUTES}))
    patch.append(version)
    patch.extend(comparison.deletions)
    patch.extend(changes)
    return patch


@dataclass(slots=True)
class _Notes:
    """What is known about one element of the new document."""

    created: bool = False
    moved: bool = False
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    below: bool = False


class _Comparison:
    """Walks both trees as Pacemaker does, since the order of changes and what counts as moved follow from the walk.

    A child is *passed over* once its move, creation or deletion is known; places leave such children out.
    """

    def __init__(self, attribute_order: bool, exact_comments: bool) -> None:
        self.attribute_order = attribute_order
        self._exact_comments = exact_comments
        self.deletions: list[Element] = []
        self.notes: dict[int, _Notes] = {}
        self.differs = False

    def compare(self, above: Trail, old: Element, new: Element) -> None:
        """Note what differs between two elements; ``above`` leads to the new one's parent."""
        if old is new or not _is_element(new) or id(new) in self.notes:
            return
        notes = _Notes()
        self.notes[id(new)] = notes
        notes.changed, notes.removed = _attribute_changes(old, new, self.attribute_order)
        if notes.changed or notes.removed:
            self._mark((*above, new))
        if [id(child) for child in old] != [id(child) for child in new]:
            self._compare_children(old, (*above, new))

    def _mark(self, trail: Iterable[Element]) -> None:
        self.differs = True
        for element in trail:
            self.notes[id(element)].below = True

    def _compare_children(self, old: Element, new_trail: Trail) -> None:
        old_part, new_part = _differing_part(old, new_trail[-1])
        in_old, in_new = _Places(old_part), _Places(new_part)
        if self._exact_comments and list(map(_signature, old_part)) != list(map(_signature, new_part)):
            self._replace_comments(old_part, new_trail, in_old, in_new)
        for index, child in enumerate(old_part):
            if in_old.is_passed(index):
                continue
            counterpart = in_new.find(child, in_old.place(index))
            if counterpart is not None:
                self.compare(new_trail, child, new_part[counterpart])
            else:
                self._deleted((*new_trail, child), None if _is_element(child) else in_old.place(index))
                in_old.pass_over(index)
                self._mark(new_trail)
        for index, child in enumerate(new_part):
            if in_new.is_passed(index):
                continue
            counterpart = in_old.find(child, in_new.place(index))
            if counterpart is None:
                in_new.pass_over(index)
                self.notes[id(child)] = _Notes(created=True)
                self._mark(new_trail)
                continue
            place_old, place_new = in_old.place(counterpart), in_new.place(index)
            if place_old != place_new:
                self.notes.setdefault(id(child), _Notes()).moved = True
                self._mark(new_trail)
                if place_old > place_new:
                    in_old.pass_over(counterpart)
                else:
                    in_new.pass_over(index)

    def _replace_comments(
        self, old_part: list[Element], new_trail: Trail, in_old: "_Places", in_new: "_Places"
    ) -> None:
        """Delete the old comments, the last first so that the places of the others stay, and create the new ones."""
        for index in range(len(old_part) - 1, -1, -1):
            if not _is_element(old_part[index]):
                self._deleted((*new_trail, old_part[index]), index)
                in_old.pass_over(index)
        for index, child in enumerate(new_trail[-1]):
            if not _is_element(child):
                self.notes[id(child)] = _Notes(created=True)
                in_new.pass_over(index)
        self._mark(new_trail)

    def _deleted(self, trail: Trail, position: int | None) -> None:
        change = Element("change", {"operation": "delete", "path": path_of(trail)})
        if position is not None:
            change.set("position", str(position))
        self.deletions.append(change)


def _differing_part(old: Element, new: Element) -> tuple[list[Element], list[Element]]:
    """Return the children without those both begin and end with, if what remains can be told apart by ids alone."""
    before, after = list(old), list(new)
    start, shorter = 0, min(len(before), len(after))
    while start < shorter and before[start] is after[start]:
        start += 1
    end = 0
    while end < shorter - start and before[-1 - end] is after[-1 - end]:
        end += 1
    old_part, new_part = before[start : len(before) - end], after[start : len(after) - end]
    if all(_is_element(child) and child.get("id") is not None for child in (*old_part, *new_part)):
        return old_part, new_part
    return before, after


class _Places:
    """Children of one element: found by tag and id, with places that leave out those passed over."""

    def __init__(self, children: list[Element]) -> None:
        self._children = children
        self._passed = bytearray(len(children))
        self._tree = [0] * (len(children) + 1)  # a Fenwick tree over _passed
        self._by_key: dict[tuple[str, str | None], int] = {}
        for index, child in enumerate(children):
            if _is_element(child):
                self._by_key.setdefault((child.tag, child.get("id")), index)
                self._by_key.setdefault((child.tag, None), index)

    def find(self, needle: Element, place: int) -> int | None:
        """Return the index of the counterpart of another element's child at a place; a comment's has the same place."""
        if _is_element(needle):
            return self._by_key.get((needle.tag, needle.get("id")))
        for index, candidate in enumerate(self._children):
            if self.place(index) > place:
                return None
            if self.place(index) == place and not self._passed[index]:
                return index if same_comment(candidate, needle) else None
        return None

    def place(self, index: int) -> int:
        """Return how many children before this index are not passed over."""
        count, node = index, index
        while node:
            count -= self._tree[node]
            node &= node - 1
        return count

    def is_passed(self, index: int) -> bool:
        return bool(self._passed[index])

    def pass_over(self, index: int) -> None:
        """Leave a child out of the places of those behind it."""
        if self._passed[index]:
            return
        self._passed[index] = 1
        node = index + 1
        while node < len(self._tree):
            self._tree[node] += 1
            node += node & -node


def _signature(node: Element) -> tuple[str, str | None]:
    """Return what tells a child from its siblings."""
    return (node.tag, node.get("id")) if _is_element(node) else ("", node.text)


def _is_element(node: Element) -> bool:
    return isinstance(node.tag, str)


def same_comment(first: Element, second: Element) -> bool:
    """Say whether both are comments of the same text (case does not count)."""
    return (
        not _is_element(first) and not _is_element(second) and (first.text or "").lower() == (second.text or "").lower()
    )


def _attribute_changes(old: Element, new: Element, order_counts: bool) -> tuple[list[str], list[str]]:
    """Return the names of attributes set to another value (in the new order), and of those gone (in the old)."""
    before, after = old.attrib, new.attrib
    if before == after and (not order_counts or list(before) == list(after)):
        return [], []
    removed = [name for name in before if name not in after]
    changed = {name for name, value in after.items() if before.get(name) != value}
    if order_counts:
        changed |= _moved_attributes(list(before), list(after), changed)
    return [name for name in after if name in changed], removed


def _moved_attributes(before: list[str], after: list[str], changed: set[str]) -> set[str]:
    moved: set[str] = set()
    passed_old: set[str] = set()
    passed_new: set[str] = set()
    for index, name in enumerate(before):
        if name not in after or name in changed:
            continue
        place_old = sum(1 for other in before[:index] if other not in passed_old)
        place_new = sum(1 for other in after[: after.index(name)] if other not in passed_new)
        if place_old != place_new:
            moved.add(name)
            (passed_old if place_old > place_new else passed_new).add(name)
    return moved


def _report(trail: Trail, position: int, comparison: _Comparison, changes: list[Element]) -> None:
    """Append the changes of an element and of what is below it, in document order."""
    element = trail[-1]
    notes = comparison.notes.get(id(element))
    if notes is None:
        return
    if notes.created:
        change = Element("change", {"operation": "create", "path": path_of(trail[:-1]), "position": str(position)})
        change.append(element)
        changes.append(change)
        return
    if notes.changed or notes.removed:
        changes.append(_modification(trail, notes))
    if notes.below:
        for place, child in enumerate(element):
            _report((*trail, child), place, comparison, changes)
    if notes.moved:
        changes.append(Element("change", {"operation": "move", "path": path_of(trail), "position": str(position)}))


def _modification(trail: Trail, notes: _Notes) -> Element:
    element = trail[-1]
    change = Element("change", {"operation": "modify", "path": path_of(trail)})
    listed = Element("change-list")
    for name in notes.changed:
        listed.append(Element("change-attr", {"name": name, "operation": "set", "value": element.get(name, "")}))
    for name in notes.removed:
        listed.append(Element("change-attr", {"name": name, "operation": "unset"}))
    result = Element("change-result")
    result.append(Element(element.tag, dict(element.attrib)))
    change.extend((listed, result))
    return change


def patch_versions(patch: Element) -> tuple[Version | None, Version | None]:
    """Return the versions a patch leads from and to, None where it does not say."""
    if patch.get("format", "1") == "1":
        from hatools.cib.patchset_v1 import patch_versions_v1

        return patch_versions_v1(patch)
    version = patch.find("version")
    if version is None:
        return None, None
    source, target = version.find("source"), version.find("target")
    return (None if source is None else Version.of(source)), (None if target is None else Version.of(target))


def check_patch_version(root: Element, patch: Element) -> None:
    """Refuse a patch that does not start from the document's version.

    Raises:
        StaleError: the document is newer, or the patch does not lead to a newer version.
        PatchAheadError: the document is older.
    """
    current = Version.of(root)
    source, target = patch_versions(patch)
    if source is not None:
        if current < source:
            raise PatchAheadError(f"the patch starts from version {source}, but the CIB is at {current}")
        if current > source:
            raise StaleError(f"the patch starts from version {source}, but the CIB is at {current} already")
        if target is not None and not _any_part_grows(source, target):
            raise StaleError(f"the patch does not lead to a newer version than {source}")


def _any_part_grows(source: Version, target: Version) -> bool:
    pairs = zip(
        (source.admin_epoch, source.epoch, source.num_updates),
        (target.admin_epoch, target.epoch, target.num_updates),
        strict=True,
    )
    return any(after > before for before, after in pairs)


def apply_patch(root: Element, patch: Element, *, check_version: bool = True) -> Element:
    """Return the root that a patch makes of another.

    Raises:
        StaleError, PatchAheadError: see :func:`check_patch_version`.
        InvalidChangeError: the patch is of an unknown format.
        PatchError: what it changes is not there.
    """
    if patch.get("format", "1") == "1":
        from hatools.cib.patchset_v1 import apply_patch_v1

        if check_version and patch.find("diff-removed") is not None:
            check_patch_version(root, patch)
        return apply_patch_v1(root, patch)
    if check_version:
        check_patch_version(root, patch)
    if patch.get("format") != "2":
        raise InvalidChangeError(f"cannot apply a patch of format {patch.get('format')}: only 1 and 2 are known")
    try:
        return _apply(Draft(root), patch)
    except ValueError:
        raise PatchError("a patch changes what it deletes") from None


def _apply(draft: Draft, patch: Element) -> Element:
    delayed: list[tuple[int, Trail, Element]] = []
    failures: list[str] = []
    for change in patch:
        if not _is_element(change) or (operation := change.get("operation")) is None:
            continue
        path = change.get("path", "")
        trail = locate(draft.root, path, _position(change) if operation == "delete" else None)
        if trail is None:
            if operation != "delete":
                failures.append(path)
        elif operation == "delete":
            if len(trail) == 1:
                raise PatchError("a patch cannot delete the whole CIB")
            draft.remove(trail)
        elif operation == "modify":
            _apply_modification(draft, trail, change)
        elif operation in ("create", "move"):
            delayed.append((_position(change), trail, change))
            if operation == "move" and len(trail) > 1:
                _move(draft, trail, len(draft.writable(trail[:-1])))
        else:
            raise PatchError(f"unknown operation {operation!r} in a patch")
    if failures:
        raise PatchError(f"nothing is at {', '.join(failures)}")
    for position, trail, change in sorted(delayed, key=lambda item: item[0]):
        if change.get("operation") == "create":
            parent = draft.writable(trail)
            children = list(change)
            if children:
                parent.insert(min(position, len(parent)), children[0])
        elif len(trail) > 1:
            _move(draft, trail, position)
    return draft.root


def _position(change: Element) -> int:
    text = change.get("position", "")
    return max(-1, whole_number(text, -1))


def _apply_modification(draft: Draft, trail: Trail, change: Element) -> None:
    result = change.find("change-result")
    model = next((child for child in result if _is_element(child)), None) if result is not None else None
    if model is None:
        error = PatchError(f"a modification of {change.get('path', '')} lacks its result")
        error.system_text = "No message of desired type"
        error.exit_code = ExitCode.PROTOCOL
        raise error
    element = draft.writable(trail)
    element.attrib.clear()
    element.attrib.update(model.attrib)


def _move(draft: Draft, trail: Trail, position: int) -> None:
    """Put a child at a position among its siblings."""
    parent = draft.writable(trail[:-1])
    child = draft.current(trail[-1])
    siblings = [sibling for sibling in parent if sibling is not child]
    siblings.insert(min(position, len(siblings)), child)
    parent[:] = siblings


def _steps(path: str) -> Iterator[tuple[str, str | None]]:
    """Take ``/tag[@id='x']/...`` apart; an id may contain slashes."""
    position = 0
    while position < len(path):
        if path[position] != "/":
            raise PatchError(f"cannot read the path {path!r} of a patch")
        end = position + 1
        while end < len(path) and path[end] not in "/[":
            end += 1
        tag = path[position + 1 : end]
        identifier = None
        if end < len(path) and path[end] == "[":
            close = path.find("']", end)
            if not path.startswith("[@id='", end) or close < 0:
                raise PatchError(f"cannot read the path {path!r} of a patch")
            identifier = path[end + len("[@id='") : close]
            end = close + 2
        yield tag, identifier
        position = end


def locate(root: Element, path: str, position: int | None = None) -> Trail | None:
    """Return the trail a path of a patch leads to, None if nothing is there; ``position`` tells comments apart."""
    steps = list(_steps(path))
    if not steps or steps[0][0] != root.tag:
        return None
    if steps[0][1] is not None and root.get("id") != steps[0][1]:
        return None
    trail: Trail = (root,)
    for number, (tag, identifier) in enumerate(steps[1:], 2):
        last = number == len(steps)
        found = _child(trail[-1], tag, identifier, position if last else None)
        if found is None:
            return None
        trail = (*trail, found)
    return trail


def _child(parent: Element, tag: str, identifier: str | None, position: int | None) -> Element | None:
    for place, child in enumerate(parent):
        if _is_element(child):
            if child.tag == tag and (identifier is None or child.get("id") == identifier):
                return child
        elif tag == "comment" and (position is None or position < 0 or place == position):
            return child
    return None


def without_version(patch: Element) -> Element:
    """Return a patch that applies to any version, as ``crm_diff --no-version`` prints it."""
    copy = copy_element(patch)
    version = copy.find("version")
    if version is not None:
        copy.remove(version)
    return copy
