"""What can be done to a CIB: query, create, modify, replace, delete, erase, bump, patch. Pure.

The semantics are those of Pacemaker 2.1.5, as its commands show them. :func:`perform` takes a document and an
:class:`Edit` and returns an :class:`Outcome` with the document after it; nothing that exists is changed. A
change of the configuration raises ``epoch`` and sets ``num_updates`` to 0, any other change raises
``num_updates``, and a change that changes nothing leaves the document as it is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hatools.cib.document import (
    CONFIGURATION_SECTIONS,
    Document,
    Element,
    Version,
    children,
    copy_element,
    empty_document,
    format_xml,
    parse_xml,
)
from hatools.cib.draft import Draft, Trail
from hatools.cib.merge import expand_expressions, merge, same_content, without_text
from hatools.cib.patchset import apply_patch, create_patch
from hatools.cib.version import FEATURE_SET, compare_versions
from hatools.cib.xpath import path_of, select
from hatools.values.ciboperation import CibOperation
from hatools.values.errors import (
    AlreadyExistsError,
    HatoolsError,
    InputError,
    InvalidChangeError,
    NoPermissionsError,
    NoSuchObjectError,
    NotSupportedError,
    StaleError,
)


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


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who changed the configuration, and when (``cib-last-written``, in the form of C's ctime)."""

    written: str
    origin: str = ""
    client: str = ""
    user: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The document after an edit, and whether anything, and the configuration, became different."""

    document: Document
    changed: bool
    configuration_changed: bool


Check = Callable[[Document, Document], None]
"""Raises if the second document, made from the first, must be refused (schema, access)."""


def parse_update(text: str | bytes) -> Element:
    """Read the XML of a change, its text dropped: a CIB holds none.

    Raises:
        SyntaxProblem: it is not well-formed.
    """
    return without_text(parse_xml(text))


def query(document: Document, *, section: str = "", xpath: str = "", no_children: bool = False) -> Element:
    """Return a section, or what an XPath matches: the element, or an ``<xpath-query>`` around several.

    Raises:
        NoSuchObjectError: there is no such section or match.
    """
    if xpath:
        matches = [trail[-1] for trail in select(document.root, xpath)]
        if not matches:
            raise NoSuchObjectError(f"nothing in the CIB matches {xpath}")
        if no_children:
            matches = [Element(match.tag, dict(match.attrib)) for match in matches]
        if len(matches) == 1:
            return matches[0]
        answer = Element("xpath-query")
        answer.extend(matches)
        return answer
    trail = section_trail(document.root, section)
    if trail is None:
        raise NoSuchObjectError(f"the CIB has no section {section}")
    element = trail[-1]
    return Element(element.tag, dict(element.attrib)) if no_children else element


def query_paths(document: Document, xpath: str) -> list[str]:
    """Return the paths of all elements an XPath matches.

    Raises:
        NoSuchObjectError: there are none.
    """
    trails = select(document.root, xpath)
    if not trails:
        raise NoSuchObjectError(f"nothing in the CIB matches {xpath}")
    return [path_of(trail) for trail in trails]


def perform(
    document: Document,
    edit: Edit,
    *,
    stamp: Stamp | None = None,
    permit: Check | None = None,
    check: Check | None = None,
    counting: "Counting | None" = None,
) -> Outcome:
    """Carry out one edit.

    Args:
        stamp: what to note in the CIB when its configuration changes; None notes nothing (CIB files).
        permit: called with the documents before and after, the latter before version and stamps are set.
        check: called with the documents before and after; neither is called when nothing changed.
        counting: what of the version grows; None: the epoch when the configuration differs, else ``num_updates``.

    Raises:
        NoSuchObjectError, AlreadyExistsError, InvalidChangeError, StaleError, PatchError: the edit cannot be
            made; ``details`` may hold a ``<failed>`` element.
        PermissionRefusedError, SchemaError: from ``permit`` and ``check``.
    """
    return perform_all(document, (edit,), stamp=stamp, permit=permit, check=check, counting=counting)


def perform_all(
    document: Document,
    edits: Sequence[Edit],
    *,
    stamp: Stamp | None = None,
    permit: Check | None = None,
    check: Check | None = None,
    counting: "Counting | None" = None,
) -> Outcome:
    """Carry out several edits as one: all or none, and one step of the version. See :func:`perform`."""
    root = document.root
    for edit in edits:
        if edit.update is not None and edit.update.tag == "cib" and edit.section:
            inner = section_trail(edit.update, edit.section)
            edit = replace(edit, update=None if inner is None else inner[-1])
        root = _OPERATIONS[edit.operation](root, edit)
    return _finish(document, root, edits, _Rules(stamp, permit, check, counting or _count_plainly))


Counting = Callable[[Document, Element, Sequence[Edit]], tuple[bool, bool]]
"""Says whether a raw result counts as a change at all, and as one of the configuration."""


@dataclass(frozen=True, slots=True)
class _Rules:
    stamp: Stamp | None
    permit: Check | None
    check: Check | None
    counting: Counting


def _count_plainly(document: Document, root: Element, edits: Sequence[Edit]) -> tuple[bool, bool]:
    return True, root.find("configuration") is not document.configuration


def count_as_files_do(document: Document, root: Element, edits: Sequence[Edit]) -> tuple[bool, bool]:
    """Count as Pacemaker's tools do with a CIB file.

    They overlook elements without attributes that a merge adds, and take an element that a modification adds as a
    whole (``--allow-create``) for a change outside the configuration.
    """
    differs = root.find("configuration") is not document.configuration
    edit = edits[0]
    if len(edits) > 1 or edit.operation not in (CibOperation.MODIFY, CibOperation.CREATE):
        return True, differs
    if edit.operation is CibOperation.MODIFY and not edit.xpath and edit.update is not None:
        trail = section_trail(document.root, edit.section)
        found = edit.update.tag == edit.section if trail is None else _first_match(trail, edit.update) is not None
        if not found:
            return True, False
    patch = create_patch(document.root, root)
    created = [] if patch is None else [change for change in patch if change.get("operation") == "create"]
    if patch is None or len(created) + 1 < len(patch):
        return True, differs
    parts = [part for change in created for part in change.iter() if part is not change]
    if any(isinstance(part.tag, str) and part.attrib for part in parts):
        return True, differs
    return any(not isinstance(part.tag, str) for part in parts), False


def _finish(document: Document, root: Element, edits: Sequence[Edit], rules: _Rules) -> Outcome:
    """Turn the raw result of operations into the successor of a document: versions, stamps, checks."""
    if root is document.root:
        return Outcome(document, False, False)
    if rules.permit is not None:
        _ask_permission(document, root, edits, rules.permit)
    _check_feature_set(root)
    _check_not_backwards(document.root, root)
    changed, configuration_changed = rules.counting(document, root, edits)
    successor = copy_element(root)
    version = Version.of(root)
    if configuration_changed:
        successor.set("num_updates", "0")
        successor.set("epoch", str(version.epoch + 1))
        if rules.stamp is not None:
            _apply_stamp(successor, rules.stamp)
    elif changed:
        successor.set("num_updates", str(version.num_updates + 1))
    result = Document(successor)
    if rules.check is not None:
        rules.check(document, result)
    return Outcome(result, True, configuration_changed)


def _ask_permission(document: Document, root: Element, edits: Sequence[Edit], permit: Check) -> None:
    try:
        permit(document, Document(root))
    except NoPermissionsError as error:
        # Who has no permissions at all fails while an object is being created, and is told which.
        edit = edits[0]
        if edit.operation is CibOperation.CREATE and edit.section and edit.update is not None:
            first = next(children(edit.update), edit.update) if edit.update.tag == edit.section else edit.update
            error.details = format_xml(_failed(first, edit.operation, error))
        raise


def _apply_stamp(root: Element, stamp: Stamp) -> None:
    root.set("cib-last-written", stamp.written)
    for name, value in (
        ("update-origin", stamp.origin),
        ("update-client", stamp.client),
        ("update-user", stamp.user),
    ):
        if value:
            root.set(name, value)
        else:
            root.attrib.pop(name, None)


def _check_feature_set(root: Element) -> None:
    wanted = root.get("crm_feature_set")
    if wanted is not None and compare_versions(wanted, FEATURE_SET) > 0:
        raise NotSupportedError(
            f"the CIB is of feature set {wanted}, newer than ours ({FEATURE_SET}): update the software on this node"
        )


def _check_not_backwards(old: Element, new: Element) -> None:
    before, after = Version.of(old), Version.of(new)
    if (after.admin_epoch, after.epoch) < (before.admin_epoch, before.epoch):
        raise StaleError(f"the change would take the CIB back from version {before} to {after}")


def section_trail(root: Element, section: str) -> Trail | None:
    """Return the way to a section: the whole CIB for an empty or unknown name, None if it is known but absent."""
    if section in ("configuration", "status"):
        found = root.find(section)
        return None if found is None else (root, found)
    if section in CONFIGURATION_SECTIONS:
        configuration = root.find("configuration")
        found = None if configuration is None else configuration.find(section)
        return None if configuration is None or found is None else (root, configuration, found)
    return (root,)


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
    found = _first_match(trail, update)
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
    found = _first_match(trails[0], update)
    if found is None:
        raise NoSuchObjectError(f"what matches {xpath} has nothing like <{update.tag} id={update.get('id')!r}>")
    merged = merge(found[-1], update)
    draft = Draft(root)
    if merged is not found[-1]:
        draft.replace(found, merged)
    return draft.root


def _first_match(trail: Trail, update: Element) -> Trail | None:
    """Return the first element, here or below, with the tag and the id (or lack of one) of another."""
    element = trail[-1]
    if element.tag == update.tag and element.get("id") == update.get("id"):
        return trail
    for child in children(element):
        found = _first_match((*trail, child), update)
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
            error.details = format_xml(_failed(new, edit.operation, error))
            raise
    return draft.root


def _is_equivalent(child: Element, new: Element) -> bool:
    return new.get("id") is None or child.get("id") == new.get("id")


def _failed(target: Element, operation: CibOperation, error: HatoolsError) -> Element:
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


_OPERATIONS: dict[CibOperation, Callable[[Element, Edit], Element]] = {
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


def read_edit(
    operation: CibOperation,
    *,
    section: str = "",
    xpath: str = "",
    xml: bytes = b"",
    allow_create: bool = False,
    mixed: bool = False,
) -> Edit:
    """Build an edit from the parts a client sends.

    Raises:
        SyntaxProblem: the XML is not well-formed.
        InputError: the XML is not of a form an operation can use.
    """
    update = parse_update(xml) if xml else None
    if update is not None and not isinstance(update.tag, str):
        raise InputError("the XML of a change must be an element")
    return Edit(operation, section, xpath, update, allow_create, mixed)
