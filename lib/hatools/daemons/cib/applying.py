"""How a write becomes a change of the document: the same on every node. Pure."""

from collections.abc import Iterable

from hatools.cib.acl import Subject, require_permission
from hatools.cib.document import Document, Element, Version, copy_element
from hatools.cib.operations import Edit, Outcome, Stamp, parse_update, perform_all
from hatools.cib.patchset import create_patch
from hatools.cib.schema import SchemaChecker
from hatools.ipc.messages.cib import Change
from hatools.ipc.messages.cib_peers import PeerWrite
from hatools.values.errors import HatoolsError, StaleError
from hatools.values.records import dataclass, field

VOLATILE = frozenset({"num_updates", "have-quorum", "dc-uuid", "execution-date"})
"""Root attributes whose change alone is not worth a disk write."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of a write. ``durable`` says that it changed what is kept on disk."""

    document: Document
    changed: bool = False
    durable: bool = False
    configuration_changed: bool = False
    error: HatoolsError | None = None


def edit_of(change: Change) -> Edit:
    """Read a change as a client sent it.

    Raises:
        SyntaxProblem: its XML is not well-formed.
    """
    update = parse_update(change.xml) if change.xml else None
    return Edit(
        change.operation,
        change.section,
        change.xpath,
        update,
        allow_create=change.allow_create,
        mixed=change.mixed,
        schema=change.schema,
    )


@dataclass(slots=True)
class Applier:
    """Applies writes, with what has been learnt about the schema's verdict on parts that stay."""

    _checker: SchemaChecker = field(default_factory=SchemaChecker)

    def apply(self, document: Document, write: PeerWrite) -> Applied:
        """Make the document that follows from a write."""
        stamp = Stamp(write.written, write.origin, write.client, write.user)
        try:
            outcome = self.rehearse(document, write.changes, stamp, Subject(write.acl_user, write.groups))
        except HatoolsError as error:
            return Applied(document, error=error)
        if not outcome.changed:
            return Applied(document)
        return Applied(
            outcome.document,
            changed=True,
            durable=_is_durable(document, outcome),
            configuration_changed=outcome.configuration_changed,
        )

    def rehearse(self, document: Document, changes: Iterable[Change], stamp: Stamp | None, subject: Subject) -> Outcome:
        """Carry out changes on a document.

        Raises:
            HatoolsError: one of them is refused.
        """
        edits = []
        only_status = True
        for change in changes:
            if change.expected is not None and Version(*change.expected) != document.version:
                raise StaleError(f"the CIB is at version {document.version}, not {Version(*change.expected)}")
            edits.append(edit_of(change))
            only_status = only_status and change.section == "status"

        def permit(old: Document, new: Document) -> None:
            require_permission(old, new, subject)

        return perform_all(
            document, edits, stamp=stamp, permit=permit, check=None if only_status else self._checker.check
        )


def _is_durable(before: Document, outcome: Outcome) -> bool:
    if outcome.configuration_changed:
        return True
    old, new = before.root.attrib, outcome.document.root.attrib
    names = (old.keys() | new.keys()) - VOLATILE
    return any(old.get(name) != new.get(name) for name in names)


def stored_form(document: Document) -> Document:
    """Return what of a document is kept on disk: no status, ``num_updates`` 0."""
    root = copy_element(document.root)
    root.set("num_updates", "0")
    root[:] = [child for child in root if child.tag != "status"]
    return Document(root)


def patch_between(old: Document, new: Document) -> Element | None:
    """Return the patch from one document to the next."""
    return create_patch(old.root, new.root, exact_comments=True)
