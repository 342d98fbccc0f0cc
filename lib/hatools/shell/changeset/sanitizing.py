"""Bringing a loaded CIB into the form in which objects are compared. Pure.

What only repeats a default goes, and the resources inside a container move behind its attributes,
as the language writes them.
"""

from xml.etree.ElementTree import Element

from hatools.cib.document import children
from hatools.shell.changeset.merging import is_comment
from hatools.shell.changeset.objects import CHILD_TAGS, CONTAINER_TAGS

_OPTIONAL_DEFAULTS = {
    "node": {"type": "normal"},
    "resource_set": {"sequential": "true", "require-all": "true"},
    "rule": {"boolean-op": "and"},
}
_WRITTEN = str.maketrans({"\t": "    ", "\n": "\\n", "\r": "\\r"})
_BLANKS = str.maketrans("\t\n\r", "   ")
_EDITING_DEFAULTS = {"rule": {"boolean-op": "and"}, "expression": {"type": "string"}}


def flatten_blanks(root: Element) -> None:
    """Write tabs and line ends in attributes as the original's tools do whenever a CIB passes through them.

    A tab becomes four blanks, a line end a backslash and an ``n``; behind a character beyond ASCII,
    where the original gives up, each becomes one blank.
    """
    for element in root.iter():
        for name, value in element.attrib.items():
            if not value.isprintable():
                element.set(name, _flat(value))


def _flat(value: str) -> str:
    beyond = next((index for index, char in enumerate(value) if char > "\x7f"), len(value))
    return value[:beyond].translate(_WRITTEN) + value[beyond:].translate(_BLANKS)


def drop_status(root: Element) -> None:
    """Remove the status section."""
    for status in list(children(root, "status")):
        root.remove(status)


def drop_defaults(root: Element, *, editing: bool) -> None:
    """Remove attributes that repeat a default, and text that only lays out.

    Args:
        editing: also drop what the language never writes; not for the copy that a patch is made from.
    """
    for element in root.iter():
        if is_comment(element):
            element.tail = None
            continue
        element.text = element.tail = None
        for table in (_OPTIONAL_DEFAULTS, _EDITING_DEFAULTS) if editing else (_OPTIONAL_DEFAULTS,):
            for name, value in table.get(element.tag, {}).items():
                if element.get(name) == value:
                    del element.attrib[name]


def sort_containers(root: Element) -> None:
    """Move the resources inside containers behind everything else there."""
    for element in root.iter():
        if element.tag in CONTAINER_TAGS:
            inner = [child for child in element if child.tag in CHILD_TAGS]
            if inner and list(element)[-len(inner) :] != inner:
                for child in inner:
                    element.remove(child)
                element.extend(inner)


def normalize_comments(element: Element) -> None:
    """Make the comments of an object begin with ``#``."""
    for child in element:
        if is_comment(child):
            text = (child.text or "").strip()
            child.text = text if text.startswith("#") else f"# {text}"


def sanitize(root: Element) -> None:
    """Prepare a CIB for editing."""
    drop_status(root)
    sort_containers(root)
    drop_defaults(root, editing=True)
