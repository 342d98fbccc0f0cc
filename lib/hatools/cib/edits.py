"""The single operations on a CIB's tree: what each makes of it, before versions and stamps. Pure.

Each takes the root and an :class:`Edit` and returns the new root, or the very same if nothing changed.
"""

from collections.abc import Callable

from hatools.cib.document import (
    Element,
    Version,
    children,
    copy_element,
    empty_document,
    format_xml,
)
from hatools.cib.draft import Draft, Trail
from hatools.cib.merge import expand_expressions, merge, same_content
from hatools.cib.patchset import apply_patch
from hatools.cib.queries import section_trail
from hatools.cib.xpath import select
from hatools.values.ciboperation import CibOperation
from hatools.values.errors import (
    AlreadyExistsError,
    HatoolsError,
    InvalidChangeError,
    NoSuchObjectError,
    StaleError,
)
from hatools.values.records import dataclass, replace


@dataclass(frozen=True, slots=True)
class Edit:
    """One change.

    Attributes:
        section: a section's name, empty or ``all`` for the whole CIB.
        xpath: where to change; replaces ``section``.
        update: the XML that goes with the operation.
        allow_create: a modification may add what is not there.
        mixed: elements that carry ``__delete__`` after a modification are removed.
        schema: for an upgrade, the schema to stop at; empty for the newest.
    """

    operation: CibOperation
    section: str = ""
    xpath: str = ""
    update: Element | None = None
    allow_create: bool = False
    mixed: bool = False
    schema: str = ""


def _need_update(edit: Edit) -> Element:
    if edit.update is None:
        raise InvalidChangeError("the change lacks the XML to work with")
    return edit.update


def _modify(root: Element, edit: Edit) -> Element:
    update = _need_update(edit)
    if edit.xpath:
        return _modify_matches(root, edit.xpath, update)
    draft = Draft(root)
    trail = section_trail(root, edit.section)
    if trail is None:
        if edit.section == "status":
            parent: Trail = (root,)
        else:
            configuration = root.find("configuration")
            if configuration is None:
                raise InvalidChangeError("the CIB has no configuration")
            parent = (root, configuration)
        section = Element(edit.section)
        draft.writable(parent).append(section)
        trail = (*(draft.current(element) for element in parent), section)
    found = first_match(trail, update)
    if found is not None:
        merged = merge(found[-1], update)
        if merged is not found[-1]:
            draft.replace(found, merged)
    elif edit.allow_create:
        draft.writable(trail).append(expand_expressions(update))
    else:
        raise NoSuchObjectError(f"nothing in the CIB matches <{update.tag} id={update.get('id')!r}>")
    return _without_marked(draft.root) if edit.mixed else draft.root


def _modify_matches(root: Element, xpath: str, update: Element) -> Element:
    trails = select(root, xpath)
    if not trails:
        raise NoSuchObjectError(f"nothing in the CIB matches {xpath}")
    # Pacemaker tries the first match, and reports a failure even if a later one fits.
    found = first_match(trails[0], update)
    if found is None:
        raise NoSuchObjectError(f"what matches {xpath} has nothing like <{update.tag} id={update.get('id')!r}>")
    merged = merge(found[-1], update)
    draft = Draft(root)
    if merged is not found[-1]:
        draft.replace(found, merged)
    return draft.root


def first_match(trail: Trail, update: Element) -> Trail | None:
    """Return the first element, here or below, with the tag and the id (or lack of one) of another."""
    element = trail[-1]
    if element.tag == update.tag and element.get("id") == update.get("id"):
        return trail
    for child in children(element):
        found = first_match((*trail, child), update)
        if found is not None:
            return found
    return None


def _without_marked(root: Element) -> Element:
    draft = Draft(root)
    marked = [trail for trail in select(root, "//*[@__delete__]") if len(trail) > 1]
    for trail in marked:
        if not any(outer[-1] in trail[:-1] for outer in marked):
            draft.remove(trail)
    return draft.root


def _create(root: Element, edit: Edit) -> Element:
    update = _need_update(edit)
    # An XPath is no section, and what is no section means the whole CIB: creation does not look at it otherwise.
    section = edit.xpath or edit.section
    if section in ("", "all", "cib") or update.tag == "cib":
        return _modify(root, replace(edit, section=""))
    trail = section_trail(root, section)
    news = list(update) if update.tag == section else [update]
    draft = Draft(root)
    for new in news:
        if not isinstance(new.tag, str):
            continue
        try:
            if trail is None:
                raise InvalidChangeError(f"the CIB has no section {edit.section} to create <{new.tag}> in")
            parent = draft.current(trail[-1])
            if any(_is_equivalent(child, new) for child in children(parent, new.tag)):
                raise AlreadyExistsError(f"<{new.tag} id={new.get('id')!r}> exists already")
            draft.writable(trail).append(merge(Element(new.tag), new))
        except HatoolsError as error:
            error.details = format_xml(failed_update(new, edit.operation, error))
            raise
    return draft.root


def _is_equivalent(child: Element, new: Element) -> bool:
    return new.get("id") is None or child.get("id") == new.get("id")


def failed_update(target: Element, operation: CibOperation, error: HatoolsError) -> Element:
    """Describe a creation that failed the way Pacemaker answers it."""
    failed = Element("failed")
    update = Element("failed_update")
    identifier = target.get("id")
    if identifier is not None:
        update.set("id", identifier)
    update.set("object_type", target.tag)
    update.set("operation", operation)
    update.set("reason", error.system_text)
    update.append(target)
    failed.append(update)
    return failed


def _replace(root: Element, edit: Edit) -> Element:
    if edit.xpath:
        return _replace_match(root, edit)
    update = _need_update(edit)
    if update.tag == "cib":
        if Version.of(update) < Version.of(root):
            raise StaleError(f"the replacement is of version {Version.of(update)}, the CIB of {Version.of(root)}")
        return expand_expressions(_keep_shared(root, update))
    section = "" if edit.section == update.tag else edit.section
    trail = section_trail(root, section)
    found = None if trail is None else _first_replaceable(trail, update)
    if found is None:
        raise NoSuchObjectError(f"nothing in the CIB matches <{update.tag} id={update.get('id')!r}>")
    draft = Draft(root)
    successor = expand_expressions(_keep_shared(found[-1], update))
    if successor is not found[-1]:
        draft.replace(found, successor)
    return draft.root


def _replace_match(root: Element, edit: Edit) -> Element:
    trails = select(root, edit.xpath)
    if not trails:
        raise NoSuchObjectError(f"nothing in the CIB matches {edit.xpath}")
    if len(trails[0]) == 1:
        raise InvalidChangeError("the XPath addresses the whole CIB")
    draft = Draft(root)
    draft.remove(trails[0])
    if edit.update is not None:
        draft.writable(trails[0][:-1]).append(expand_expressions(edit.update))
    return draft.root


def _keep_shared(old: Element, new: Element) -> Element:
    """Return ``new``, with each part that is the same as in ``old`` replaced by the old part."""
    if same_content(old, new):
        return old
    known = {(child.tag, child.get("id")): child for child in children(old)}
    result = Element(new.tag, dict(new.attrib))
    result.text = new.text
    for child in new:
        counterpart = known.get((child.tag, child.get("id"))) if isinstance(child.tag, str) else None
        result.append(child if counterpart is None else _keep_shared(counterpart, child))
    return result


def _first_replaceable(trail: Trail, update: Element, *, delete: bool = False) -> Trail | None:
    """Return the first element below with the tag and, if given, the id of another; to delete, all attributes."""
    element = trail[-1]
    if len(trail) > 1 and element.tag == update.tag and _fits(element, update, delete):
        return trail
    for child in children(element):
        found = _first_replaceable((*trail, child), update, delete=delete)
        if found is not None:
            return found
    return None


def _fits(element: Element, update: Element, whole: bool) -> bool:
    if update.get("id") is not None and element.get("id") != update.get("id"):
        return False
    return not whole or all(value.lower() == element.get(name, "\0").lower() for name, value in update.items())


def _delete(root: Element, edit: Edit) -> Element:
    if edit.xpath:
        return _delete_matches(root, edit.xpath, every=edit.operation is CibOperation.DELETE_ALL)
    update = _need_update(edit)
    trail = section_trail(root, edit.section)
    victims = list(children(update)) if update.tag == edit.section else [update]
    draft = Draft(root)
    for victim in victims:
        if trail is None:
            break
        found = _find_victim(tuple(draft.current(element) for element in trail), victim)
        if found is not None:
            draft.remove(found)
    return draft.root


def _find_victim(trail: Trail, victim: Element) -> Trail | None:
    """Return the first element strictly below a trail's end that is to be deleted."""
    for child in children(trail[-1]):
        found = _first_replaceable((*trail, child), victim, delete=True)
        if found is not None:
            return found
    return None


def _delete_matches(root: Element, xpath: str, *, every: bool) -> Element:
    trails = select(root, xpath)
    if any(len(trail) == 1 for trail in (trails if every else trails[:1])):
        raise InvalidChangeError("the XPath addresses the whole CIB")
    chosen = {id(trail[-1]): trail for trail in (trails if every else trails[:1])}
    draft = Draft(root)
    for trail in chosen.values():
        if not any(id(element) in chosen for element in trail[:-1]):
            draft.remove(trail)
    return draft.root


def _erase(root: Element, edit: Edit) -> Element:
    empty = empty_document().root
    empty.set("epoch", "0")
    for name, value in root.items():
        empty.set(name, value)
    empty.set("admin_epoch", str(Version.of(root).admin_epoch + 1))
    return _keep_shared(root, empty)


def _bump(root: Element, edit: Edit) -> Element:
    successor = copy_element(root)
    successor.set("epoch", str(Version.of(root).epoch + 1))
    return successor


def _patch(root: Element, edit: Edit) -> Element:
    if edit.update is None:
        return root
    return _keep_shared(root, apply_patch(root, edit.update))


def _upgrade(root: Element, edit: Edit) -> Element:
    from hatools.cib.upgrade import upgrade

    # A schema's name alone makes no other configuration: what was not rewritten stays shared.
    upgraded = _keep_shared(root, upgrade(root, edit.schema))
    upgraded.set("admin_epoch", str(Version.of(root).admin_epoch + 1))
    upgraded.set("epoch", "1")
    upgraded.set("num_updates", "1")
    return upgraded


def _nothing(root: Element, edit: Edit) -> Element:
    return root


OPERATIONS: dict[CibOperation, Callable[[Element, Edit], Element]] = {
    CibOperation.CREATE: _create,
    CibOperation.MODIFY: _modify,
    CibOperation.REPLACE: _replace,
    CibOperation.DELETE: _delete,
    CibOperation.DELETE_ALL: _delete,
    CibOperation.ERASE: _erase,
    CibOperation.BUMP: _bump,
    CibOperation.PATCH: _patch,
    CibOperation.UPGRADE: _upgrade,
    CibOperation.SYNC: _nothing,
    CibOperation.NOOP: _nothing,
}
