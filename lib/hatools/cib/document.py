"""The CIB document as a value. Pure.

A document wraps the root ``<cib>`` element (``xml.etree.ElementTree``). Nobody changes an
element that belongs to a document: an operation builds new elements along the path from the
root to the change and shares everything else, so holding an old document costs nothing and
comparing identity tells what did not change. Comments are kept (their ``tag`` is not a
string), so iterate with :func:`children`.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Self
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from hatools.values.errors import SyntaxProblem
from hatools.values.integer import whole_number
from hatools.values.records import dataclass, field

__all__ = [
    "Document",
    "Element",
    "Version",
    "children",
    "copy_element",
    "empty_document",
    "format_xml",
    "parse_xml",
]

CONFIGURATION_SECTIONS = (
    "crm_config",
    "nodes",
    "resources",
    "constraints",
    "rsc_defaults",
    "op_defaults",
    "fencing-topology",
    "tags",
    "acls",
    "alerts",
)


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """The version triple of a CIB; compares the way newer and older are decided."""

    admin_epoch: int
    epoch: int
    num_updates: int

    @classmethod
    def of(cls, element: Element) -> Self:
        """Read the triple from a ``<cib>`` element; missing or unreadable parts count as 0."""
        return cls(*(_number(element.get(name)) for name in ("admin_epoch", "epoch", "num_updates")))

    def __str__(self) -> str:
        return f"{self.admin_epoch}.{self.epoch}.{self.num_updates}"


def _number(text: str | None) -> int:
    return whole_number(text)


@dataclass(frozen=True, slots=True)
class Document:
    """A whole CIB."""

    root: Element
    _ids: dict[str, Element] = field(default_factory=dict, compare=False, repr=False)

    @property
    def version(self) -> Version:
        return Version.of(self.root)

    @property
    def configuration(self) -> Element | None:
        return self.root.find("configuration")

    @property
    def status(self) -> Element | None:
        return self.root.find("status")

    def section(self, name: str) -> Element | None:
        """Return ``cib``, ``configuration``, ``status`` or a section of the configuration; None if absent."""
        if name == "cib":
            return self.root
        if name in ("configuration", "status"):
            return self.root.find(name)
        return self.root.find(f"configuration/{name}")

    def by_id(self, identifier: str) -> Element | None:
        """Return the configuration element with this XML id, by an index built on first use."""
        if not self._ids:
            configuration = self.configuration
            for element in () if configuration is None else configuration.iter():
                name = element.get("id")
                if name is not None:
                    self._ids.setdefault(name, element)
        return self._ids.get(identifier)

    @classmethod
    def parse(cls, text: str | bytes) -> Self:
        """Read a document.

        Raises:
            SyntaxProblem: the text is not well-formed XML.
        """
        return cls(parse_xml(text))

    def __str__(self) -> str:
        return format_xml(self.root)


def children(element: Element | None, *tags: str) -> Iterator[Element]:
    """Yield the child elements, comments left out; with tags, only those so named."""
    if element is None:
        return
    for child in element:
        if isinstance(child.tag, str) and (not tags or child.tag in tags):
            yield child


def copy_element(element: Element) -> Element:
    """Return a new element with its own attributes and child list that shares the children."""
    copy = Element(element.tag, dict(element.attrib))
    copy.text = element.text
    copy.tail = element.tail
    copy.extend(element)
    return copy


def parse_xml(text: str | bytes, *, with_text: bool = True) -> Element:
    """Read XML text, keeping comments and dropping white space between elements.

    Args:
        with_text: keep other text between tags; without, only comments have any.

    Raises:
        SyntaxProblem: with the line and column (1-based) where the parser stopped.
    """
    parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
    try:
        parser.feed(text)
        root: Element = parser.close()
    except ElementTree.ParseError as error:
        line, column = error.position
        raise SyntaxProblem(f"not well-formed XML: {error}", line, column + 1) from None
    if with_text:
        _strip(root)
    else:
        _drop_text(root)
    return root


def _drop_text(root: Element) -> None:
    for part in root.iter():
        if part.text is not None and isinstance(part.tag, str):
            part.text = None
        part.tail = None


def _strip(root: Element) -> None:
    """Drop white space that only lays out elements."""
    for element in root.iter():
        if element.text is not None and len(element) and not element.text.strip():
            element.text = None
        if element.tail is not None and not element.tail.strip():
            element.tail = None


_TEXT_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ATTRIBUTE_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;", "\n": "&#10;", "\t": "&#9;", "\r": "&#13;"}
)


@lru_cache(maxsize=8192)
def _escaped(value: str) -> str:
    """Return an attribute's value as it is written; the same few values come again and again."""
    return value.translate(_ATTRIBUTE_ESCAPES)


def format_xml(element: Element, indent: int | None = 2) -> str:
    """Write an element with its children, each on a line; ``indent=None`` writes one line.

    The result ends in a newline unless ``indent`` is None.
    """
    parts: list[str] = []
    _write(element, 0, indent, parts)
    return "".join(parts)


def _write(element: Element, depth: int, indent: int | None, parts: list[str]) -> None:
    lead = "" if indent is None else " " * (depth * indent)
    end = "" if indent is None else "\n"
    if not isinstance(element.tag, str):
        parts.append(f"{lead}<!--{element.text or ''}-->{end}")
        return
    attributes = "".join([f' {name}="{_escaped(value)}"' for name, value in element.items()])
    text = element.text.translate(_TEXT_ESCAPES) if element.text else ""
    if not len(element):
        parts.append(
            f"{lead}<{element.tag}{attributes}>{text}</{element.tag}>{end}"
            if text
            else f"{lead}<{element.tag}{attributes}/>{end}"
        )
        return
    parts.append(f"{lead}<{element.tag}{attributes}>{text}{end}")
    for child in element:
        _write(child, depth + 1, indent, parts)
    parts.append(f"{lead}</{element.tag}>{end}")


def empty_document() -> Document:
    """Return the CIB a cluster starts from (as ``cibadmin --empty`` of 2.1.5 prints it)."""
    return Document.parse(
        '<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0">'
        "<configuration><crm_config/><nodes/><resources/><constraints/></configuration><status/></cib>"
    )
