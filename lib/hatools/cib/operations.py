"""How a CIB is changed: create, modify, replace, delete, erase, bump, patch. Pure.

The semantics are those of Pacemaker 2.1.5, as its commands show them. :func:`perform` takes a document and an
:class:`Edit` and returns an :class:`Outcome` with the document after it; nothing that exists is changed. A
change of the configuration raises ``epoch`` and sets ``num_updates`` to 0, any other change raises
``num_updates``, and a change that changes nothing leaves the document as it is.
"""

from collections.abc import Callable, Sequence

from hatools.cib.document import Document, Element, Version, children, copy_element, format_xml, parse_xml
from hatools.cib.edits import OPERATIONS, Edit, failed_update, first_match
from hatools.cib.patchset import create_patch
from hatools.cib.queries import section_trail
from hatools.cib.version import FEATURE_SET, compare_versions
from hatools.values.ciboperation import CibOperation
from hatools.values.errors import NoPermissionsError, NotSupportedError, StaleError
from hatools.values.records import dataclass, replace

__all__ = [
    "Check",
    "Counting",
    "Edit",
    "Outcome",
    "Stamp",
    "count_as_files_do",
    "parse_update",
    "perform",
    "perform_all",
]


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
    return parse_xml(text, with_text=False)


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
        root = OPERATIONS[edit.operation](root, edit)
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
        found = edit.update.tag == edit.section if trail is None else first_match(trail, edit.update) is not None
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
            error.details = format_xml(failed_update(first, edit.operation, error))
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
