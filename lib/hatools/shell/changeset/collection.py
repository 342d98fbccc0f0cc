"""The objects of a configuration: where they stand, and how they are found. Pure.

Every object's element hangs in one tree, ``root``; containers share the elements of the resources inside them with
those resources' own objects.
"""

import copy
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from xml.etree.ElementTree import Element, SubElement

from hatools.cib.document import children
from hatools.shell.changeset.host import Host
from hatools.shell.changeset.merging import apply_template, pair_value
from hatools.shell.changeset.objects import CONSTRAINT_TAGS, CONTAINER_WORDS, CibObject, child_resources, sorted_objects
from hatools.shell.changeset.references import refers_to


class Collection:
    """Objects, by id, in a tree of their own.

    Args:
        root: the CIB as read; it is not changed.
    """

    def __init__(self, root: Element, host: Host) -> None:
        self.host = host
        self.messages = host.messages
        self.root: Element = copy.deepcopy(root)
        self.objects: list[CibObject] = []
        self.removed: list[CibObject] = []
        self._by_id: dict[str, list[CibObject]] = {}

    def append(self, item: CibObject) -> None:
        """Take an object in."""
        self.objects.append(item)
        self.index(item)

    def index(self, item: CibObject) -> None:
        """Make an object known under its names."""
        for name in self._names(item):
            self._by_id.setdefault(name, []).append(item)

    def unindex(self, item: CibObject) -> None:
        """Forget an object's names."""
        for found in self._by_id.values():
            if item in found:
                found.remove(item)

    def _names(self, item: CibObject) -> set[str]:
        uname = item.node.get("uname") if item.word == "node" else None
        return {name for name in (item.id, uname) if name}

    def link(self, item: CibObject) -> None:
        """Connect a container with the objects inside it, sharing their elements."""
        item.children = []
        if item.word not in CONTAINER_WORDS:
            return
        for element in child_resources(item.node):
            child = self._child_object(element)
            if child is None:
                self.messages.error(f"object {element.tag}:{element.get('id')} missing (shouldn't have happened)")
                continue
            if element is not child.node:
                self.detach(child)
                child.node = element
            child.parent = item
            item.children.append(child)

    def _child_object(self, element: Element) -> CibObject | None:
        found = self._by_id.get(element.get("id") or "", [])
        return next((item for item in reversed(found) if item.node.tag == element.tag), None)

    def section(self, name: str) -> Element:
        """Return a section of the configuration, made if it is missing."""
        configuration = self.root.find("configuration")
        if configuration is None:
            configuration = SubElement(self.root, "configuration")
        if name == "configuration":
            return configuration
        found = configuration.find(name)
        return SubElement(configuration, name) if found is None else found

    def _holder(self, item: CibObject) -> Element | None:
        """Return the element whose child the object's element is."""
        candidates = [item.parent.node] if item.parent else []
        candidates.append(self.section(item.section))
        for candidate in candidates:
            if any(child is item.node for child in candidate):
                return candidate
        return None

    def detach(self, item: CibObject) -> None:
        """Take an object's element out of the tree."""
        holder = self._holder(item)
        if holder is not None:
            holder.remove(item.node)

    def put_element(self, item: CibObject, new: Element) -> None:
        """Exchange an object's element in its place, without further ado."""
        holder = self._holder(item)
        if holder is not None:
            index = next(i for i, child in enumerate(holder) if child is item.node)
            holder[index] = new
        item.node = new

    def move_to_top(self, item: CibObject) -> None:
        """Put a resource out of its container into the section."""
        self.detach(item)
        self.section(item.section).append(item.node)
        item.parent = None

    def forget_all(self) -> None:
        """Drop all objects, leaving the tree as it is."""
        self.objects = []
        self._by_id = {}

    def find_objects(self, pattern: str) -> list[CibObject]:
        """Return the objects whose id (or node name) equals or matches a pattern."""
        if not any(char in pattern for char in "*?["):
            return list(self._by_id.get(pattern, []))
        return [item for item in self.objects if any(fnmatchcase(name, pattern) for name in self._names(item))]

    def find_object(self, identifier: str | None) -> CibObject | None:
        """Return the object with this id, a resource or constraint rather than a node."""
        found = self.find_objects(identifier or "")
        return next((item for item in found if item.word != "node"), found[0] if found else None)

    def find_resource(self, identifier: str | None) -> CibObject | None:
        """Return the object with this id that is no node."""
        return next((item for item in self.find_objects(identifier or "") if item.word != "node"), None)

    def find_node(self, identifier: str | None) -> CibObject | None:
        """Return the node with this id or name."""
        return next((item for item in self.find_objects(identifier or "") if item.word == "node"), None)

    def of_word(self, word: str) -> list[CibObject]:
        """Return all objects of one kind."""
        return [item for item in self.objects if item.word == word]

    def each(self, words: Iterable[str]) -> Iterator[CibObject]:
        """Yield the objects of several kinds."""
        wanted = frozenset(words)
        return (item for item in self.objects if item.word in wanted)

    def modified(self) -> list[CibObject]:
        """Return the objects that were made or changed."""
        return [item for item in self.objects if item.is_modified]

    @property
    def has_changed(self) -> bool:
        return bool(self.removed) or any(item.is_modified for item in self.objects)

    def property_value(self, name: str, word: str = "property") -> str | None:
        """Return the value of a cluster property or default."""
        for item in self.of_word(word):
            value = pair_value(item.node, name)
            if value is not None:
                return value
        return None

    def merged(self, element: Element) -> Element | None:
        """Return a primitive together with its template; None if that does not exist."""
        template = element.get("template")
        if not template:
            return element
        item = self.find_object(template)
        return None if item is None else apply_template(element, item.node)

    def sorted(self, items: Iterable[CibObject]) -> list[CibObject]:
        """Return objects in the order in which they are shown."""
        return sorted_objects(items, by_id=self.host.sort_by_id)

    def node_names(self) -> list[str]:
        """Return the names of the nodes, sorted."""
        return sorted(item.node.get("uname") or "" for item in self.objects if item.word == "node")

    def tags_of(self, item: CibObject) -> list[CibObject]:
        """Return the tags that name an object."""
        return [tag for tag in self.of_word("tag") if any(child.get("id") == item.id for child in children(tag.node))]

    def related_constraints(self, item: CibObject) -> list[CibObject]:
        """Return the constraints that name a resource."""
        if not item.is_resource:
            return []
        name = item.id or ""
        return [other for other in self.objects if other.node.tag in CONSTRAINT_TAGS and refers_to(other.node, name)]
