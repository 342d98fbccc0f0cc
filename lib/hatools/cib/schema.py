"""Schemas: which there are, and whether a CIB satisfies the one it names. Pure but for reading our own grammar.

The grammar is RELAX NG, one file per family of elements in ``schemas/``. Parts that not every version has carry
``h:since`` and ``h:until`` (not included); for a version the files are filtered and joined into one grammar, which
libxml2 compiles once. ``<h:use template="..." slot="define"/>`` stands for a template with its slots filled in.

A document made from a valid one is checked only as far as it differs: all sections are lists of independent
objects, so the objects that are new are checked alone, and identifiers and references by an index. When that finds
a fault the whole document is validated for the full list of violations.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from hatools.cib.document import Document, Element, children, copy_element, format_xml
from hatools.values.errors import SchemaError
from hatools.values.records import dataclass, field

if TYPE_CHECKING:
    from lxml import etree

SCHEMAS = (
    "pacemaker-1.0",
    "pacemaker-1.2",
    "pacemaker-1.3",
    *(f"pacemaker-2.{minor}" for minor in range(11)),
    *(f"pacemaker-3.{minor}" for minor in range(10)),
    "pacemaker-next",
    "none",
)
"""All names in their order, oldest first."""

LATEST = "pacemaker-3.9"
_INDEX = {name: index for index, name in enumerate(SCHEMAS)}
ATTRIBUTE = "validate-with"

_RNG = "{http://relaxng.org/ns/structure/1.0}"
_OWN = "{urn:hatools:schema}"
_FILES = (
    "cib",
    "options",
    "nodes",
    "resources",
    "constraints",
    "fencing",
    "acls",
    "tags",
    "alerts",
    "rules",
    "pairs",
)


def schema_index(name: str | None) -> int:
    """Return the place of a schema in :data:`SCHEMAS` (a missing name counts as ``none``), -1 if it is unknown."""
    return _INDEX.get("none" if name is None else name.lower(), -1)


@dataclass(frozen=True, slots=True)
class Violation:
    """One fault of a CIB, in libxml2's words.

    Attributes:
        line: of the XML text that was validated, 0 if unknown.
        element: the element it was found at, empty if it has no place.
        kind: ``Relax-NG validity error`` or ``validity error`` (references).
    """

    line: int
    element: str
    kind: str
    text: str

    def __str__(self) -> str:
        place = f"element {self.element}: " if self.element else ""
        return f"{place}{self.kind} : {self.text}"


def validate(document: Document) -> None:
    """Check a whole CIB against the schema it names.

    Raises:
        SchemaError: it does not satisfy its schema; the message lists the violations.
    """
    name = document.root.get(ATTRIBUTE)
    if name is not None and schema_index(name) < 0:
        raise SchemaError(f"unknown schema {name!r}: the newest is {LATEST}")
    found = violations(document.root, name)
    if found:
        raise SchemaError(_summary(name, found))


def _summary(name: str | None, found: list[Violation]) -> str:
    lines = "; ".join(dict.fromkeys(str(violation) for violation in found))
    return f"the CIB does not satisfy {name}: {lines}"


def is_valid(root: Element, name: str) -> bool:
    """Say whether a CIB satisfies a schema, whatever it names itself."""
    if schema_index(name) < 0:
        return False
    if name == "none":
        return True
    return bool(_compiled(name).validate(_parsed(_without_status(root))))


def violations(root: Element, name: str | None) -> list[Violation]:
    """Return how a CIB violates a schema; places count the lines of ``format_xml(root)``."""
    if name is None or name == "none":
        return []
    if schema_index(name) < 0:
        return [Violation(0, "", "validity error", f"unknown schema {name}")]
    return _validate_tree(_parsed(_without_status(root)), name.lower())


def _without_status(root: Element) -> Element:
    """Return a CIB with an empty status, which most of a big one is: no schema says what may be in there."""
    status = None if len(root) < 2 else root[-1]
    if status is None or status.tag != "status":
        # Anywhere else it counts for the lines of what follows.
        return root
    copy = copy_element(root)
    copy[-1] = Element(status.tag, dict(status.attrib))
    return copy


def _parsed(root: Element) -> "etree._Element":
    from hatools.cib.libxml2 import etree

    return etree.fromstring(format_xml(root).encode("utf-8", "surrogateescape"), _huge_parser())


@lru_cache(maxsize=1)
def _huge_parser() -> "etree.XMLParser":
    from hatools.cib.libxml2 import etree

    return etree.XMLParser(huge_tree=True, resolve_entities=False)


def _validate_tree(tree: "etree._Element", name: str) -> list[Violation]:
    grammar = _compiled(name)
    if grammar.validate(tree):
        return []
    found = []
    places = _reference_places(tree, name)
    for entry in grammar.error_log:
        reference = _UNKNOWN_REFERENCE.fullmatch(entry.message)
        if reference is not None:
            element, line = next(places.get((reference[1], reference[2]), iter(())), ("", 0))
            found.append(Violation(line, element, "validity error", entry.message))
        else:
            element = re.sub(r"\[\d+\]$", "", (entry.path or "").rpartition("/")[2])
            found.append(Violation(entry.line, element, "Relax-NG validity error", entry.message))
    return found


_UNKNOWN_REFERENCE = re.compile(r'IDREF attribute (\S+) references an unknown ID "(.*)"', re.DOTALL)


def _reference_places(tree: "etree._Element", name: str) -> dict[tuple[str, str], Iterator[tuple[str, int]]]:
    """Return where references are, by attribute and value: libxml2 leaves that out when it reports one as unknown."""
    attributes = identifier_attributes(name)
    places: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for element in tree.iter():
        if isinstance(element.tag, str) and element.tag in attributes:
            for attribute in attributes[element.tag][1]:
                value = element.get(attribute)
                if value is not None:
                    places.setdefault((attribute, value), []).append((element.tag, _line(element)))
    return {key: iter(found) for key, found in places.items()}


def _line(element: "etree._Element") -> int:
    line = element.sourceline
    return line if isinstance(line, int) else 0


@lru_cache(maxsize=4)
def _compiled(name: str) -> "etree.RelaxNG":
    from hatools.cib.libxml2 import etree

    return etree.RelaxNG(_grammar(name, "start"))


@lru_cache(maxsize=16)
def _compiled_part(name: str, define: str) -> "etree.RelaxNG":
    from hatools.cib.libxml2 import etree

    return etree.RelaxNG(_grammar(name, define))


def _version_key(text: str) -> tuple[int, int]:
    if text == "next":
        return (99, 0)
    major, _, minor = text.partition(".")
    return int(major), int(minor)


def _grammar(name: str, start: str) -> "etree._Element":
    """Return the grammar of one version; ``start`` names a definition to begin with instead of the whole CIB."""
    from hatools.cib.libxml2 import etree

    version = _version_key(name.removeprefix("pacemaker-"))
    root = etree.Element(f"{_RNG}grammar", {"datatypeLibrary": "http://www.w3.org/2001/XMLSchema-datatypes"})
    templates: dict[str, etree._Element] = {}
    for family in _FILES:
        source = etree.fromstring(_source(family), etree.XMLParser(remove_comments=True, remove_blank_text=True))
        _drop_other_versions(source, version)
        for part in source:
            if part.tag == f"{_OWN}template":
                templates[part.get("name", "")] = part
            elif not (part.tag == f"{_RNG}start" and start != "start"):
                root.append(part)
    for use in list(root.iter(f"{_OWN}use")):
        _fill_in(use, templates[use.get("template", "")])
    if start != "start":
        _require(root, start)
        beginning = etree.SubElement(root, f"{_RNG}start")
        etree.SubElement(beginning, f"{_RNG}ref", {"name": start})
    return root


def _require(grammar: "etree._Element", name: str) -> None:
    """Make what a definition has as optional required: an optional root would let libxml2 accept any document."""
    for define in grammar.iter(f"{_RNG}define"):
        if define.get("name") == name and len(define) == 1 and define[0].tag == f"{_RNG}optional":
            define[:] = list(define[0])


@lru_cache(maxsize=len(_FILES))
def _source(family: str) -> bytes:
    # Not by importlib.resources, whose imports take as long as reading the grammar.
    with open(f"{__file__.removesuffix('schema.py')}schemas/{family}.rng", "rb") as file:
        return file.read()


def _drop_other_versions(source: "etree._Element", version: tuple[int, int]) -> None:
    """Remove what another version has, and the marks that say so."""
    from hatools.cib.libxml2 import etree

    marked = source.xpath("//*[@h:since or @h:until]", namespaces={"h": _OWN[1:-1]})
    assert isinstance(marked, list)
    for part in marked:
        assert isinstance(part, etree._Element)
        since, until = (str(part.attrib.pop(f"{_OWN}{limit}", "")) for limit in ("since", "until"))
        if (since and version < _version_key(since)) or (until and version >= _version_key(until)):
            parent = part.getparent()
            if parent is not None:
                parent.remove(part)


def _fill_in(use: "etree._Element", template: "etree._Element") -> None:
    from copy import deepcopy

    from hatools.cib.libxml2 import etree

    parent = use.getparent()
    assert parent is not None
    position = parent.index(use)
    parent.remove(use)
    for offset, part in enumerate(template):
        filled = deepcopy(part)
        for slot in list(filled.iter(f"{_OWN}slot")):
            home = slot.getparent()
            assert home is not None
            home.replace(slot, etree.Element(f"{_RNG}ref", {"name": use.get(slot.get("name", ""), "")}))
        parent.insert(position + offset, filled)


@lru_cache(maxsize=8)
def identifier_attributes(name: str) -> Mapping[str, tuple[frozenset[str], frozenset[str]]]:
    """Return for each element name which of its attributes are identifiers, and which refer to identifiers."""
    found: dict[str, tuple[set[str], set[str]]] = {}
    grammar = _grammar(name, "start")
    defines = {part.get("name"): part for part in grammar.iter(f"{_RNG}define")}

    def collect(tag: str, part: "etree._Element", seen: frozenset[str | None]) -> None:
        for child in part:
            if child.tag == f"{_RNG}attribute":
                for data in child.iter(f"{_RNG}data"):
                    kind = data.get("type")
                    if kind in ("ID", "IDREF"):
                        found.setdefault(tag, (set(), set()))[kind == "IDREF"].add((child.get("name") or "").strip())
            elif child.tag == f"{_RNG}ref":
                target = child.get("name")
                if target not in seen and target in defines:
                    collect(tag, defines[target], seen | {target})
            elif child.tag != f"{_RNG}element":
                collect(tag, child, seen)

    for element in grammar.iter(f"{_RNG}element"):
        tag = element.get("name")
        if tag is not None:
            collect(tag, element, frozenset())
    return {tag: (frozenset(ids), frozenset(refs)) for tag, (ids, refs) in found.items()}


_SECTION_DEFINES = {
    "nodes": "nodes",
    "resources": "resources",
    "constraints": "constraints",
    "fencing-topology": "fencing",
    "acls": "acls",
    "tags": "tags",
    "alerts": "alerts",
}
_OPTION_SECTIONS = ("crm_config", "rsc_defaults", "op_defaults")


_Names = tuple[str, ...]


@dataclass(slots=True)
class SchemaChecker:
    """Checks the successors of valid documents, remembering what it knows about parts they share."""

    _schema: str = ""
    _parts: dict[int, tuple[Element, _Names, _Names]] = field(default_factory=dict)
    _identifiers: Counter[str] = field(default_factory=Counter)
    _references: Counter[str] = field(default_factory=Counter)

    def check(self, old: Document | None, new: Document) -> None:
        """Check a document made from a valid one (None: from nothing).

        Raises:
            SchemaError: it does not satisfy its schema; the message lists the violations.
        """
        name = new.root.get(ATTRIBUTE)
        if name == "none":
            return
        if (
            old is None
            or name is None
            or old.root.get(ATTRIBUTE) != name
            or schema_index(name) < 0
            or not self._difference_is_valid(old, new, name.lower())
        ):
            validate(new)

    def _difference_is_valid(self, old: Document, new: Document, name: str) -> bool:
        """Say whether the parts that differ are valid; False also where that cannot be told so simply."""
        if not _shell_unchanged(old.root, new.root) and not _compiled(name).validate(_parsed(_shell(new.root))):
            return False
        if new.configuration is old.configuration:
            return True
        before = {id(part) for part in _objects(old)}
        for section in children(new.configuration):
            fresh = [part for part in section if id(part) not in before]
            if fresh and not _section_is_valid(section, fresh, name):
                return False
        return self._identifiers_fit(new, name)

    def _identifiers_fit(self, document: Document, name: str) -> bool:
        """Say whether identifiers are unique and references lead somewhere; look only at what came and went."""
        if self._schema != name:
            self._schema = name
            self._parts.clear()
            self._identifiers.clear()
            self._references.clear()
        attributes = identifier_attributes(name)
        present = {id(part): part for part in _objects(document)}
        # An element that is kept here cannot have given its id() to another, so the key alone tells.
        gone = [self._parts[key] for key in self._parts.keys() - present.keys()]
        come = [(part, *_identifiers_of(part, attributes)) for key, part in present.items() if key not in self._parts]
        self._count(come, gone)
        fits = all(self._identifiers[name] == 1 for _, names, _ in come for name in names)
        fits = fits and all(self._identifiers[name] for _, _, names in come for name in names)
        fits = fits and not any(
            self._references[name] and not self._identifiers[name] for _, names, _ in gone for name in names
        )
        if not fits:
            self._count(gone, come)
        return fits

    def _count(self, come: list[tuple[Element, _Names, _Names]], gone: list[tuple[Element, _Names, _Names]]) -> None:
        for part, identifiers, references in come:
            self._parts[id(part)] = (part, identifiers, references)
            self._identifiers.update(identifiers)
            self._references.update(references)
        for part, identifiers, references in gone:
            del self._parts[id(part)]
            self._identifiers.subtract(identifiers)
            self._references.subtract(references)


def _objects(document: Document) -> Iterator[Element]:
    configuration = document.configuration
    for section in () if configuration is None else configuration:
        yield from section


def _identifiers_of(
    part: Element, attributes: Mapping[str, tuple[frozenset[str], frozenset[str]]]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    identifiers: list[str] = []
    references: list[str] = []
    for element in part.iter():
        kinds = attributes.get(element.tag) if isinstance(element.tag, str) else None
        if kinds is not None:
            identifiers.extend(element.attrib[name] for name in kinds[0] if name in element.attrib)
            references.extend(element.attrib[name] for name in kinds[1] if name in element.attrib)
    return tuple(identifiers), tuple(references)


_VERSIONS_AND_STAMPS = frozenset(
    {
        "admin_epoch",
        "epoch",
        "num_updates",
        "cib-last-written",
        "update-origin",
        "update-client",
        "update-user",
    }
)


def _shell_unchanged(old: Element, new: Element) -> bool:
    """Say whether root attributes (but for versions and stamps), section names and attributes are the same."""
    return _outline(old) == _outline(new)


def _outline(root: Element) -> list[object]:
    attributes = {name: value for name, value in root.items() if name not in _VERSIONS_AND_STAMPS}
    outline: list[object] = [attributes]
    for child in children(root):
        outline.append((child.tag, dict(child.attrib) if child.tag == "configuration" else None))
        if child.tag == "configuration":
            outline.extend((section.tag, dict(section.attrib)) for section in children(child))
    return outline


def _shell(root: Element) -> Element:
    """Return the CIB with its sections emptied."""
    shell = Element(root.tag, dict(root.attrib))
    for child in children(root):
        part = Element(child.tag, dict(child.attrib) if child.tag == "configuration" else {})
        if child.tag == "configuration":
            part.extend(Element(section.tag, dict(section.attrib)) for section in children(child))
        shell.append(part)
    return shell


def _section_is_valid(section: Element, fresh: Iterable[Element], name: str) -> bool:
    part = Element(section.tag, dict(section.attrib))
    part.extend(fresh)
    if section.tag in _SECTION_DEFINES:
        grammar = _compiled_part(name, _SECTION_DEFINES[section.tag])
        tree = _parsed(part)
    elif section.tag in _OPTION_SECTIONS:
        # The three option sections are defined together: the part goes into an otherwise empty CIB.
        grammar = _compiled(name)
        tree = _parsed(_cib_around(part))
    else:
        return False
    if grammar.validate(tree):
        return True
    # References to what is outside the part are judged by the index of the whole document.
    return all(entry.message.startswith("IDREF attribute") for entry in grammar.error_log)


def _cib_around(part: Element) -> Element:
    root = Element("cib", {"admin_epoch": "0", "epoch": "0", "num_updates": "0"})
    configuration = Element("configuration")
    for tag in ("crm_config", "nodes", "resources", "constraints"):
        configuration.append(part if part.tag == tag else Element(tag))
    if part.tag in ("rsc_defaults", "op_defaults"):
        configuration.append(part)
    root.append(configuration)
    root.append(Element("status"))
    return root


def validate_change(old: Document, new: Document) -> None:
    """Check one successor of a valid document.

    Raises:
        SchemaError: see :func:`validate`.
    """
    SchemaChecker().check(old, new)
