"""What the CIB will say once the writes under way are made. Pure.

A calculation need not wait for the ring: the DC knows what it is writing. It asks the scheduler about the document it
expects, and takes the answer if the document that comes is that one.
"""

from collections.abc import Iterable

from hatools.cib.document import Document, Element
from hatools.cib.operations import Edit, parse_update, perform_all
from hatools.ipc.messages.cib import Change
from hatools.values.errors import HatoolsError

_BOOKKEEPING = frozenset(
    {
        "admin_epoch",
        "epoch",
        "num_updates",
        "cib-last-written",
        "update-origin",
        "update-client",
        "update-user",
        "crm-debug-origin",
    }
)
"""Attributes that say who wrote what and when, which no decision rests on."""


def predict(document: Document, changes: Iterable[Change]) -> Document | None:
    """Return the document after some changes; None if one of them cannot be made."""
    try:
        edits = [
            Edit(
                change.operation,
                change.section,
                change.xpath,
                parse_update(change.xml) if change.xml else None,
                allow_create=change.allow_create,
            )
            for change in changes
        ]
        return perform_all(document, edits).document
    except HatoolsError:
        return None


def is_same_cluster(first: Document, second: Document) -> bool:
    """Say whether two documents differ in nothing that a decision may rest on."""
    return _is_same(first.root, second.root)


def _is_same(first: Element, second: Element) -> bool:
    if first is second:
        return True
    if first.tag != second.tag or len(first) != len(second):
        return False
    if first.attrib != second.attrib and _weighty(first) != _weighty(second):
        return False
    return all(map(_is_same, first, second))


def _weighty(element: Element) -> dict[str, str]:
    return {name: value for name, value in element.attrib.items() if name not in _BOOKKEEPING}
