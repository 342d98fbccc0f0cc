"""The working copy of a configuration. Pure.

A workspace holds a private copy of a CIB and the objects in it. Edits change both; nothing reaches
the cluster until the shell commits. Ids, the order of elements and the follow-up changes to
constraints and tags are those of the original shell, because people diff and script against them.
"""

import copy
from collections.abc import Callable, Iterable, Sequence
from xml.etree.ElementTree import Element, SubElement

from hatools.cib.document import Version, children
from hatools.parser import syntax
from hatools.parser.identities import is_valid_id
from hatools.shell.changeset import removing
from hatools.shell.changeset.comparing import same_element
from hatools.shell.changeset.host import Host
from hatools.shell.changeset.merging import (
    copy_pairs,
    merge_attributes,
    merge_element,
)
from hatools.shell.changeset.objects import (
    DEFAULT_IDS,
    DEFAULTS_TAGS,
    OBJECT_TAGS,
    PROPERTY_WORDS,
    TOPOLOGY_ID,
    CibObject,
    child_resources,
    nested_objects,
    sorted_elements,
)
from hatools.shell.changeset.reading import Reader
from hatools.shell.changeset.references import rename_reference
from hatools.shell.changeset.sanitizing import drop_defaults, drop_status, normalize_comments, sanitize
from hatools.shell.changeset.wording import Wording

NEW_SECTIONS = ("crm_config", "nodes", "resources", "constraints")


class Workspace(Wording):
    """The objects of one CIB and their edits.

    Args:
        root: the CIB as read; it is not changed.
        original: the CIB that the cluster has, if ``root`` already holds changes to it.
    """

    def __init__(self, root: Element, host: Host, original: Element | None = None) -> None:
        super().__init__(root, host)
        self.original: Element = copy.deepcopy(root if original is None else original)
        self.version = Version.of(self.original)
        drop_status(self.original)
        drop_defaults(self.original, editing=False)
        sanitize(self.root)
        self.attributes: dict[str, str] = dict(root.attrib)
        self.new_schema = False
        self.quiet_removal = False
        self.warn_unknown(self.root)
        self._populate()
        if original is not None:
            self._mark_changes()

    def warn_unknown(self, root: Element) -> bool:
        """Warn of elements in a CIB that are no objects; return whether there are none."""
        clean = True
        for section in children(root.find("configuration")):
            if section.tag in DEFAULTS_TAGS or section.tag == "fencing-topology":
                continue
            for element in children(section):
                if element.tag not in OBJECT_TAGS and element.tag != "op":
                    self.messages.warning(f"unrecognized CIB element {element.tag}")
                    clean = False
        return clean

    def _populate(self) -> None:
        for element in sorted_elements(nested_objects(self.root)):
            if element.tag in DEFAULTS_TAGS:
                for block in children(element, "meta_attributes"):
                    self.append(CibObject(element.tag, block))
            else:
                self.append(CibObject(element.tag, element))
        for item in self.objects:
            normalize_comments(item.node)
        for item in self.objects:
            item.is_xml = not self.can_be_said(item)
        for item in self.objects:
            self.link(item)

    def _mark_changes(self) -> None:
        """Find out which objects differ from the original, and which are gone."""
        before = Workspace(self.original, Host(self.messages))
        known = {(item.tag, item.id): item for item in before.objects}
        for item in self.objects:
            old = known.pop((item.tag, item.id), None)
            if old is None:
                item.from_cib = False
            elif not same_element(old.node, item.node):
                item.touch()
        self.removed += known.values()

    # Making

    def create(self, words: Sequence[str]) -> bool:
        """Make an object from a command's words."""
        element = self.reader.element(words, typed=True)
        return element is not None and self.create_from_element(element) is not None

    def create_from_element(self, element: Element) -> CibObject | None:
        """Make an object from a freshly read element; properties and nodes merge into what exists."""
        tag = element.tag
        finished = self.finish(element)
        if finished is None:
            return None
        if tag in DEFAULT_IDS:
            return self._set_properties(tag, finished)
        if tag == "op":
            return self._add_typed_operation(finished)
        item_id = TOPOLOGY_ID if tag == "fencing-topology" else finished.get("id") or finished.get("uname")
        if tag == "node":
            node = self.find_node(item_id)
            if node is not None:
                self.merge(node, finished)
                return node
        item = self.new_object(tag, finished, item_id)
        return item if item is not None and self.add(item) else None

    def new_object(self, tag: str, element: Element, identifier: str | None) -> CibObject | None:
        """Return a new object unless its id is taken."""
        item = CibObject(tag, element, identifier, from_cib=False)
        existing = self.find_object(identifier)
        if existing is not None and [item.word, existing.word].count("node") != 1:
            self.messages.error(
                f"Cannot create {item.word} with ID '{identifier}': Found existing {existing.word} with same ID."
            )
            return None
        return item

    def _set_properties(self, tag: str, block: Element) -> CibObject | None:
        identifier = block.get("id") or DEFAULT_IDS[tag]
        item = self.find_object(identifier)
        if item is None:
            if not is_valid_id(identifier):
                self.messages.error(f"{identifier}: invalid object id")
                return None
            element = Element(block.tag, {"id": identifier})
            item = self.new_object(tag, element, identifier)
            if item is None:
                return None
            self.section(item.section).append(element)
            self.append(item)
        copy_pairs(item.node, block, self.ids)
        item.touch()
        return item

    def _add_typed_operation(self, element: Element) -> CibObject | None:
        resource = element.get("rsc") or ""
        item = self.find_resource(resource)
        if item is None:
            self.messages.error(f"object {resource} does not exist")
            return None
        if item.word != "primitive":
            self.messages.error(f"{resource} is not a primitive")
            return None
        finished = self.finish(element, hint=item.id)
        if finished is None:
            return None
        del finished.attrib["rsc"]
        from hatools.shell.changeset.operations import add_operation

        return add_operation(self, item, finished)

    def add(self, item: CibObject) -> bool:
        """Put a new object into the configuration."""
        item.set_id()
        section = self.section(item.section)
        if not self._adjust_children(item):
            return False
        section.append(item.node)
        removing.redirect_constraints(self, item)
        self._normalize_parameters(item)
        item.is_xml = not self.can_be_said(item)
        self.append(item)
        self.link(item)
        return True

    def _normalize_parameters(self, item: CibObject) -> None:
        """Write ``foo_bar`` for ``foo-bar`` where the agent knows only the former."""
        if item.word not in ("primitive", "rsc_template"):
            return
        merged = self.merged(item.node)
        if merged is None:
            return
        agent = syntax.Agent(merged.get("class", ""), merged.get("provider", ""), merged.get("type", ""))
        self.host.announce(agent)
        pairs = [
            pair
            for block in children(item.node, "instance_attributes")
            for pair in children(block, "nvpair")
            if "-" in (pair.get("name") or "")
        ]
        if not pairs:
            return
        known = self.host.parameters_of(agent)
        for pair in pairs if known else ():
            name = pair.attrib["name"]
            if known is not None and name not in known and name.replace("-", "_") in known:
                pair.set("name", name.replace("-", "_"))

    # Containers

    def _adjust_children(self, item: CibObject) -> bool:
        """Make the resources named inside an element its object's children."""
        names = [child.get("id") for child in child_resources(item.node)]
        if not names:
            return True
        before = [child for child in item.children if child.parent is item]
        found = [self.find_resource(name) for name in names]
        item.children = [child for child in found if child is not None]
        for child in before:
            if child not in item.children:
                self.move_to_top(child)
        for child in item.children:
            if child.parent and child.parent is not item and child.parent.id != item.id:
                self.messages.error(f"Cannot create {item}: Child {child} already in {child.parent}")
                return False
        return self._adopt_children(item)

    def _adopt_children(self, item: CibObject) -> bool:
        for child in item.children:
            new = next(
                (e for e in children(item.node, child.node.tag) if e.get("id") == child.id),
                None,
            )
            if new is None:
                self.messages.error(f"Child found in children list but not in node: {item}, {child}")
                return False
            if new is not child.node:
                self.detach(child)
                child.node = new
            if child.children and not self._adopt_children(child):
                return False
            if child.parent:
                child.parent.updated = True
            child.parent = item
        return True

    # Changing

    def replace_element(self, item: CibObject, new: Element) -> bool:
        """Put another element in an object's place."""
        old = item.node
        if same_element(old, new):
            return True
        self.put_element(item, new)
        item.is_xml = False
        if not self._adjust_children(item):
            return False
        item.is_xml = not self.can_be_said(item)
        item.touch()
        return True

    def update_from_element(self, item: CibObject, element: Element, *, merge: bool) -> bool:
        """Replace an object by a freshly read element; properties can merge instead."""
        finished = self.finish(element, item.node)
        if finished is None:
            return False
        if merge and item.word in PROPERTY_WORDS:
            self.merge(item, finished)
            return True
        return self.replace_element(item, finished)

    def merge(self, item: CibObject, element: Element) -> None:
        """Take the blocks of another element over into an object."""
        if item.word in PROPERTY_WORDS:
            changed = merge_attributes(item.node, element, "nvpair")
        else:
            changed = merge_element(item.node, element)
        if changed:
            item.touch()

    def rename(self, old: str, new: str) -> bool:
        """Give an object another id, in the constraints as well."""
        if not new:
            return False
        if new in self.ids:
            self.messages.error(f"{new}: id is already in use")
            return False
        item = self.find_object(old)
        if item is None:
            self.messages.error(f"object {old} does not exist")
            return False
        if item.tag == "fencing-topology":
            return False
        if not self.host.may_remove(item.id or ""):
            self.messages.error(f"cannot rename a running resource ({item.id})")
            return False
        if not self.host.is_live and item.node.tag == "node":
            self.messages.error("cannot rename nodes")
            return False
        for constraint in self.related_constraints(item):
            rename_reference(self, constraint, old, new)
        if item.node.get("id") == old:
            item.node.set("id", new)
        self.unindex(item)
        item.id = new
        self.index(item)
        if old in self.ids and new not in self.ids:
            self.ids.remove(old)
            self.ids.save(new)
        item.touch()
        return True

    # Removing

    def delete(self, identifiers: Sequence[str]) -> bool:
        """Remove objects, with containers that become empty and what hangs on them."""
        return removing.delete(self, identifiers)

    def erase(self, report: Callable[[str], None]) -> bool:
        """Remove everything but the nodes.

        Args:
            report: takes the names of what, against expectation, remains.
        """
        return removing.erase(self, report)

    def erase_nodes(self) -> None:
        """Remove the nodes."""
        for item in self.of_word("node"):
            self.delete([item.id or ""])

    # Whole documents

    def document_of(self, items: Iterable[CibObject]) -> Element:
        """Return a CIB with the given objects, each with what contains it."""
        root = Element("cib", self.attributes)
        configuration = SubElement(root, "configuration")
        for name in NEW_SECTIONS:
            SubElement(configuration, name)
        for item in dict.fromkeys(item.top() for item in items):
            name = item.section
            if name == "configuration":
                configuration.append(copy.deepcopy(item.node))
                continue
            section = configuration.find(name)
            if section is None:
                section = SubElement(configuration, name)
            section.append(copy.deepcopy(item.node))
        return root

    @property
    def schema(self) -> str:
        """The schema that the CIB names."""
        return self.attributes.get("validate-with", "")

    def is_supported(self, word: str) -> bool:
        """Say whether the schema has an element for a statement."""
        return word not in self.reader.dialect.unsupported

    def change_schema(self, name: str) -> None:
        """Name another schema, whose words count from now on."""
        self.attributes["validate-with"] = name
        self.root.set("validate-with", name)
        self.reader = Reader(self.host, self, name)
        self.new_schema = True

    # Going back

    def snapshot(self) -> "Snapshot":
        """Remember everything, for :meth:`restore`."""
        state = copy.deepcopy((self.root, self.objects, self.removed, self._references, self.attributes))
        return Snapshot(state, self.ids.snapshot())

    def restore(self, snapshot: "Snapshot") -> None:
        """Go back to a snapshot."""
        self.root, self.objects, self.removed, self._references, self.attributes = snapshot.state
        self.ids.restore(snapshot.ids)
        self._by_id = {}
        for item in self.objects:
            self.index(item)


class Snapshot:
    """A remembered state of a workspace."""

    def __init__(
        self,
        state: tuple[Element, list[CibObject], list[CibObject], dict[str, str], dict[str, str]],
        ids: frozenset[str],
    ) -> None:
        self.state = state
        self.ids = ids
