"""Taking over a whole text: what is new, what changes, what goes. Pure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from hatools.cib.document import children, format_xml
from hatools.parser.to_cib import CHILD_REFERENCE
from hatools.parser.tokens import check_characters, logical_lines
from hatools.shell.changeset.merging import add_comments
from hatools.shell.changeset.objects import (
    CHILD_TAGS,
    CONTAINER_TAGS,
    DEFAULTS_TAGS,
    CibObject,
    child_resources,
    outer_objects,
    sorted_elements,
)
from hatools.shell.changeset.reading import statement_words
from hatools.shell.changeset.references import referenced_resources
from hatools.shell.changeset.sanitizing import sanitize
from hatools.values.errors import SyntaxProblem

if TYPE_CHECKING:
    from hatools.shell.changeset.workspace import Workspace


class Import:
    """New versions of a selection of objects.

    Args:
        selection: the objects that are being replaced.
        numbered: called with the number of the statement being read, for messages.
    """

    def __init__(self, workspace: "Workspace", selection: Sequence[CibObject]) -> None:
        self._workspace = workspace
        self._selection = list(selection)
        self._nodes: dict[str, Element] = {}
        self._others: dict[str, Element] = {}

    def add(self, element: Element) -> bool:
        """Add a freshly read element; its id may come but once."""
        messages = self._workspace.messages
        identifier = self._workspace.object_id(element)
        if identifier is None:
            messages.error(f"element {format_xml(element)} has no id!")
            return False
        if element.tag == "node":
            if identifier in self._nodes:
                messages.error(f"Duplicate node: {identifier}")
                return False
            self._nodes[identifier] = element
            return True
        if identifier in self._others:
            messages.error(f"Duplicate resource: {identifier}")
            return False
        self._others[identifier] = element
        return True

    def apply(self, *, is_xml: bool, remove: bool, merge: bool) -> bool:
        """Make the changes, nodes first; if anything fails, everything is taken back.

        Args:
            is_xml: the elements came as XML, complete with ids.
            remove: selected objects that were not added are removed.
            merge: properties are merged into the existing ones.
        """
        before = self._workspace.snapshot()
        for added, is_node in ((self._nodes, True), (self._others, False)):
            existing = {item.id or "": item for item in self._selection if (item.word == "node") is is_node}
            if remove and not self._may_replace(added, existing):
                self._workspace.restore(before)
                return False
            doomed = [name for name in existing if name not in added] if remove else []
            step = _XmlStep if is_xml else _TextStep
            if not step(self._workspace, added, list(existing), doomed, merge).run():
                self._workspace.restore(before)
                return False
        return True

    def _may_replace(self, added: dict[str, Element], existing: dict[str, CibObject]) -> bool:
        """Check that nothing outside the selection is redefined and nothing running is dropped."""
        workspace = self._workspace
        chosen = {item.id for item in self._selection}
        outside = [item.id or "" for item in workspace.objects if item.id not in chosen]
        succeeded = True
        taken = [name for name in added if name in outside]
        if taken:
            workspace.messages.error(f"Elements {', '.join(taken)} already exist")
            succeeded = False
        running = [name for name in existing if name not in added and not workspace.host.may_remove(name)]
        if running:
            workspace.messages.error(f"Cannot delete running resources: {', '.join(running)}")
            succeeded = False
        return succeeded


class _Step:
    """One of the two steps of an import: nodes, then everything else."""

    def __init__(
        self,
        workspace: "Workspace",
        added: dict[str, Element],
        existing: Sequence[str],
        doomed: Sequence[str],
        merge: bool,
    ) -> None:
        self.workspace = workspace
        self.created = [element for name, element in added.items() if name not in existing]
        self.changed = {name: element for name, element in added.items() if name in existing}
        self.doomed = doomed
        self.merge = merge

    def find(self, name: str) -> CibObject | None:
        """Return the object that a changed element stands for."""
        if self.changed[name].tag == "node":
            return self.workspace.find_node(name)
        return self.workspace.find_resource(name)

    def changes(self) -> list[tuple[str, Element]]:
        """Return what changes, containers that give a resource away before those that take it."""
        waiting = dict(self.changed)
        order: list[tuple[str, Element]] = []
        while waiting:
            free = [name for name, element in waiting.items() if not self._givers(name, element) & waiting.keys()]
            for name in free or [next(iter(waiting))]:
                order.append((name, waiting.pop(name)))
        return order

    def _givers(self, name: str, element: Element) -> set[str]:
        """Return the containers that still hold what an element is to contain."""
        items = (
            self.workspace.find_resource(child.get("id"))
            for child in element
            if child.tag in (CHILD_REFERENCE, *CHILD_TAGS)
        )
        return {item.parent.id or "" for item in items if item is not None and item.parent} - {name}

    def verify(self, items: Sequence[CibObject]) -> bool:
        """Check all objects, even after one failed."""
        succeeded = True
        for item in items:
            succeeded = verify_object(self.workspace, item) and succeeded
        return succeeded


class _TextStep(_Step):
    def run(self) -> bool:
        workspace = self.workspace
        constraints, containers, others = [], [], []
        for name in self.doomed:
            item = workspace.find_resource(name)
            if item is not None and item.is_constraint:
                constraints.append(name)
            elif item is not None and item.is_container:
                containers.append(name)
            else:
                others.append(name)
        # First what refers to others, in case those move elsewhere.
        if not workspace.delete(constraints) or not workspace.delete(containers):
            return False
        items: list[CibObject] = []
        for element in sorted_elements(self.created):
            created = workspace.create_from_element(element)
            if created is None:
                return False
            items.append(created)
        for name, element in self.changes():
            item = self.find(name)
            if item is None or not workspace.update_from_element(item, element, merge=self.merge):
                return False
            items.append(item)
        if not workspace.delete(list(reversed(others))):
            return False
        return self.verify(items) & is_consistent(workspace)


class _XmlStep(_Step):
    def run(self) -> bool:
        items: list[CibObject] = []
        for element in sorted_elements(self.created):
            created = create_from_xml(self.workspace, element)
            if created is None:
                return False
            items.append(created)
        for name, element in self.changes():
            item = self.find(name)
            if item is None or not self._update(item, element):
                return False
            items.append(item)
        if not self.workspace.delete(list(self.doomed)):
            return False
        return self.verify(items) & is_consistent(self.workspace)

    def _update(self, item: CibObject, element: Element) -> bool:
        workspace = self.workspace
        workspace.ids.remove_tree(item.node)
        clashes = workspace.ids.clashes(element)
        for name in clashes:
            workspace.messages.error(f"{name}: id is already in use")
            workspace.messages.error(f"id_store: id {name} is in use")
        workspace.ids.save_tree(item.node if clashes else element)
        return workspace.replace_element(item, element)


def create_from_xml(workspace: "Workspace", element: Element) -> CibObject | None:
    """Make an object from an element that came as XML, and the objects inside it."""
    tag = element.tag
    if tag in DEFAULTS_TAGS:
        block = element.find("meta_attributes")
        if block is None:
            return None
        element = block
    if tag in CONTAINER_TAGS:
        import copy

        for child in child_resources(element):
            is_known = workspace.find_resource(child.get("id")) is not None
            if not is_known and create_from_xml(workspace, copy.deepcopy(child)) is None:
                return None
    item = workspace.new_object(tag, element, element.get("id"))
    return item if item is not None and workspace.add(item) else None


def is_consistent(workspace: "Workspace") -> bool:
    """Say whether every object stands inside the one that contains it; a container cannot lose its last resource."""
    consistent = True
    for item in workspace.objects:
        if item.parent and not any(child is item.node for child in item.parent.node):
            above = item.parent
            workspace.messages.error(
                f"object {item.id} node is not a child of its parent {above.id}, but {above.node.tag}:{above.id}"
            )
            consistent = False
    return consistent


def verify_object(workspace: "Workspace", item: CibObject) -> bool:
    """Check that what an object contains or refers to exists and fits, and the agent's rules."""
    if item.tag not in DEFAULTS_TAGS:
        if item.is_container and not _verify_children(workspace, item):
            return False
        if item.is_constraint and not _verify_constraint(workspace, item):
            return False
    return workspace.host.check(item) <= 1


def _verify_constraint(workspace: "Workspace", item: CibObject) -> bool:
    succeeded = True
    for name in referenced_resources(item.node):
        if workspace.find_resource(name) is None:
            workspace.messages.error(f"constraint {item.id} references a resource {name} which doesn't exist")
            succeeded = False
    return succeeded


def _verify_children(workspace: "Workspace", item: CibObject) -> bool:
    succeeded = True
    seen: set[str] = set()
    for child in children(item.node):
        if child.tag not in CHILD_TAGS and child.tag not in ("clone", "master", "bundle", "template"):
            continue
        name = child.get("id") or ""
        if not _verify_child(workspace, name, item):
            succeeded = False
        if name in seen:
            workspace.messages.error(f"in group {item.id} child {name} listed more than once")
            succeeded = False
        seen.add(name)
    for other in workspace.objects:
        if other is not item and other.is_container:
            shared = [child for child in item.children if child in other.children]
            if shared:
                names = ",".join(child.id or "" for child in shared)
                workspace.messages.error(f"{names} contained in both {item.id} and {other.id}")
                succeeded = False
    return succeeded


def _verify_child(workspace: "Workspace", name: str, item: CibObject) -> bool:
    child = workspace.find_resource(name)
    messages = workspace.messages
    if child is None:
        messages.error(f"object {name} does not exist")
        return False
    if item.node.tag == "group" and child.word != "primitive":
        messages.error(f"a group may contain only primitives; {name} is {child.word}")
        return False
    if child.parent and child.parent.id != item.id:
        messages.error(f"{name} already in use at {child.parent.id}")
        return False
    if child.node.tag not in CHILD_TAGS:
        messages.error(f"{item.node.tag} may contain a primitive or a group; {name} is {child.word}")
        return False
    return True


def import_text(
    workspace: "Workspace", selection: Sequence[CibObject], text: str, *, remove: bool, merge: bool
) -> bool:
    """Take over a text in the crm language; return whether it could be.

    All statements are read, so that all errors are shown, before anything is changed.
    """
    try:
        check_characters(text)
    except SyntaxProblem as error:
        workspace.messages.error(str(error))
        return False
    change = Import(workspace, selection)
    succeeded = True
    comments: list[str] = []
    with workspace.host.numbering() as number:
        for count, line in enumerate(logical_lines(text), 1):
            number(count)
            if line.text.startswith("#"):
                comments.append(line.text)
                continue
            try:
                words = statement_words(line.text)
            except SyntaxProblem as error:
                workspace.messages.error(str(error))
                succeeded = False
                continue
            element = workspace.reader.element(words, line=line)
            if element is None:
                succeeded = False
                continue
            add_comments(element[0] if element.tag in DEFAULTS_TAGS else element, comments)
            comments = []
            succeeded = succeeded and change.add(element)
    return succeeded and change.apply(is_xml=False, remove=remove, merge=merge)


def import_xml(workspace: "Workspace", selection: Sequence[CibObject], root: Element, *, remove: bool) -> bool:
    """Take over the objects of a CIB given as XML."""
    sanitize(root)
    configuration = root.find("configuration")
    if configuration is None:
        workspace.messages.warning("CIB has no configuration element")
        return False
    if not workspace.warn_unknown(root):
        return False
    change = Import(workspace, selection)
    succeeded = True
    for element in outer_objects(root):
        succeeded = change.add(element)
    return succeeded and change.apply(is_xml=True, remove=remove, merge=False)
