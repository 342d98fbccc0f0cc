"""Which objects a command is about, and their text. Pure but for the session it is given."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from hatools.cib.document import children
from hatools.parser.printer import Layout, plain, xml_text
from hatools.shell.changeset.objects import CibObject
from hatools.shell.changeset.references import refers_to
from hatools.shell.changeset.workspace import Workspace

if TYPE_CHECKING:
    from hatools.shell.session import Session


class Missing(Exception):
    """Nothing answers to a name."""


def select(workspace: Workspace, filters: Sequence[str]) -> list[CibObject]:
    """Return the objects that filters name: ids and patterns, ``changed``, ``type:``, ``tag:``, ``related:``.

    Filters add up; ``and`` keeps what both sides name.

    Raises:
        Missing: an id or pattern matches nothing.
    """
    if not filters:
        return list(workspace.objects)
    if filters[0] == "NOOBJ":
        return []
    found: dict[CibObject, None] = {}
    narrowed: dict[CibObject, None] | None = None
    for spec in filters:
        if spec == "or":
            continue
        if spec == "and":
            narrowed, found = found, {}
            continue
        found.update(dict.fromkeys(_select_one(workspace, spec)))
        if narrowed is not None:
            found = {item: None for item in found if item in narrowed}
            narrowed = None
    return list(found if narrowed is None else narrowed)


def _select_one(workspace: Workspace, spec: str) -> list[CibObject]:
    kind, _, name = spec.partition(":")
    if spec == "changed":
        return workspace.modified()
    if kind == "type":
        return workspace.of_word(name)
    if kind == "tag":
        tags = [tag for tag in workspace.of_word("tag") if tag.id == name]
        members = [workspace.find_resource(child.get("id")) for tag in tags for child in children(tag.node, "obj_ref")]
        return [member for member in members if member is not None]
    if kind == "related":
        return _related(workspace, name)
    objects = workspace.find_objects(spec)
    if not objects:
        raise Missing(spec)
    return objects


def _related(workspace: Workspace, name: str) -> list[CibObject]:
    found = workspace.find_objects(name)
    item = workspace.find_object(name)
    if item is not None and item.is_resource:
        found += [other for other in workspace.objects if _concerns(other.node, item.id or "")]
    parts = name.split(":")
    keys = {1: ("type",), 2: ("class", "type"), 3: ("class", "provider", "type")}.get(len(parts))
    if keys and parts[-1]:
        found += [
            other
            for other in workspace.objects
            if all(other.node.get(key) == part for key, part in zip(keys, parts, strict=True))
        ]
    return found


def _concerns(element: Element, resource: str) -> bool:
    """Say whether a constraint, tag or container has to do with a resource."""
    if element.tag.startswith("rsc_"):
        return refers_to(element, resource)
    if element.tag == "tag":
        return any(child.get("id") == resource for child in children(element, "obj_ref"))
    if element.tag in ("group", "clone", "master", "bundle"):
        return any(
            inner is not element
            and inner.get("id") == resource
            and inner.tag in ("primitive", "group", "clone", "master")
            for inner in element.iter()
        )
    return False


class Selection:
    """Chosen objects, as text or XML."""

    def __init__(self, session: "Session", filters: Sequence[str]) -> None:
        self.session = session
        self.workspace = session.configuration.workspace
        self.is_xml = bool(filters) and filters[0] == "xml"
        self.complete = True
        try:
            self.objects = select(self.workspace, filters[1:] if self.is_xml else filters)
        except Missing as missing:
            session.console.error(f"object {missing} does not exist")
            self.objects = []
            self.complete = False

    def text(
        self,
        *,
        painted: bool = False,
        broken: bool = True,
        comments: bool = True,
        obscured: Callable[[str], bool] = lambda name: False,
    ) -> str:
        """Return the objects' text, XML with its declaration if that was asked for."""
        if self.is_xml:
            return '<?xml version="1.0" ?>\n' + xml_text(self.document(obscured))
        layout = Layout(
            self.session.console.paint if painted else plain,
            obscured,
            len(self.workspace.node_names()),
            broken,
        )
        return "\n".join(
            self.workspace.text(item, layout, comments=comments) for item in self.workspace.sorted(self.objects)
        )

    def json(self, obscured: Callable[[str], bool] = lambda name: False) -> str:
        """Return the objects as a JSON list."""
        import json

        from hatools.parser.plain_data import element_data, statement_data

        found = []
        for item in self.workspace.sorted(self.objects):
            statement = None if item.is_xml else self.workspace.statement(item)
            found.append(
                element_data(item.node) if statement is None else statement_data(statement, item.word, obscured)
            )
        return json.dumps(found, indent=2, ensure_ascii=False)

    def document(self, obscured: Callable[[str], bool] = lambda name: False) -> Element:
        """Return a CIB with the objects."""
        root = self.workspace.document_of(self.objects)
        for pair in root.iter("nvpair"):
            name = pair.get("name")
            if name and "value" in pair.attrib and obscured(name):
                pair.set("value", "******")
        return root

    def take_over(self, text: str, *, remove: bool, merge: bool = False) -> bool:
        """Replace the objects by what a text says."""
        from hatools.shell.changeset.imports import import_text, import_xml
        from hatools.values.errors import SyntaxProblem

        if not self.is_xml:
            return import_text(self.workspace, self.objects, text, remove=remove, merge=merge)
        from hatools.cib.document import parse_xml

        try:
            root = parse_xml(text)
        except SyntaxProblem as error:
            self.session.console.error(str(error))
            self.session.console.info(f"offending string: {text}")
            return False
        return import_xml(self.workspace, self.objects, root, remove=remove)


def obscurer(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Return a function that says whether a parameter's value is to be hidden."""
    return lambda name: any(fnmatchcase(name, pattern) for pattern in patterns)


@contextmanager
def kept(workspace: Workspace) -> Iterator[None]:
    """Take back all changes if the block raises."""
    snapshot = workspace.snapshot()
    try:
        yield
    except BaseException:
        workspace.restore(snapshot)
        raise
