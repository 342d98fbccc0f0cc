"""The working copy of a configuration. Pure.

A workspace holds a private copy of a CIB and the objects in it. Edits change both; nothing reaches
the cluster until the shell commits. Ids, the order of elements and the follow-up changes to
constraints and tags are those of the original shell, because people diff and script against them.
"""

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from xml.etree.ElementTree import Element, SubElement

from hatools.cib.document import Version, children, format_xml
from hatools.parser import syntax
from hatools.parser.certainty import Certainty
from hatools.parser.from_cib import Translator
from hatools.parser.identities import IdStore, fill_ids, is_valid_id
from hatools.parser.printer import Layout, agent_text, print_statement, print_xml
from hatools.parser.to_cib import CHILD_REFERENCE, to_cib
from hatools.parser.tokens import join_lines
from hatools.shell.changeset.comparing import same_element
from hatools.shell.changeset.host import Host
from hatools.shell.changeset.merging import (
    add_comments,
    apply_template,
    comments_of,
    copy_pairs,
    is_comment,
    merge_attributes,
    merge_element,
    pair_value,
)
from hatools.shell.changeset.objects import (
    CONTAINER_WORDS,
    DEFAULT_IDS,
    DEFAULTS_TAGS,
    OBJECT_TAGS,
    PROPERTY_WORDS,
    TAG_OF,
    TOPOLOGY_ID,
    CibObject,
    child_resources,
    nested_objects,
    sorted_elements,
    sorted_objects,
)
from hatools.shell.changeset.reading import Reader, statement_words
from hatools.shell.changeset.sanitizing import drop_defaults, drop_status, normalize_comments, sanitize
from hatools.values.errors import SyntaxProblem

NEW_SECTIONS = ("crm_config", "nodes", "resources", "constraints")


class Workspace:
    """The objects of one CIB and their edits.

    Args:
        root: the CIB as read; it is not changed.
        original: the CIB that the cluster has, if ``root`` already holds changes to it.
    """

    def __init__(self, root: Element, host: Host, original: Element | None = None) -> None:
        self.host = host
        self.messages = host.messages
        self.root: Element = copy.deepcopy(root)
        self.original: Element = copy.deepcopy(root if original is None else original)
        self.version = Version.of(self.original)
        drop_status(self.original)
        drop_defaults(self.original, editing=False)
        sanitize(self.root)
        self.objects: list[CibObject] = []
        self.removed: list[CibObject] = []
        self.ids = IdStore()
        self.attributes: dict[str, str] = dict(root.attrib)
        self.new_schema = False
        self._references: dict[str, str] = {}
        self._by_id: dict[str, list[CibObject]] = {}
        self._reader = Reader(host, self, root.get("validate-with"))
        self._quiet_removal = False
        self.warn_unknown(self.root)
        self._populate()
        if original is not None:
            self._mark_changes()

    # Loading

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
                    self._append(CibObject(element.tag, block))
            else:
                self._append(CibObject(element.tag, element))
        for item in self.objects:
            normalize_comments(item.node)
        for item in self.objects:
            item.is_xml = not self._can_be_said(item)
        for item in self.objects:
            self._link(item)

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

    def _append(self, item: CibObject) -> None:
        self.objects.append(item)
        self._index(item)

    def _index(self, item: CibObject) -> None:
        for name in self._names(item):
            self._by_id.setdefault(name, []).append(item)

    def _unindex(self, item: CibObject) -> None:
        for found in self._by_id.values():
            if item in found:
                found.remove(item)

    def _names(self, item: CibObject) -> set[str]:
        uname = item.node.get("uname") if item.word == "node" else None
        return {name for name in (item.id, uname) if name}

    def _link(self, item: CibObject) -> None:
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
                self._detach(child)
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

    def _detach(self, item: CibObject) -> None:
        holder = self._holder(item)
        if holder is not None:
            holder.remove(item.node)

    # What the language can say

    def _can_be_said(self, item: CibObject) -> bool:
        """Say whether an object's text would be read back as the same object."""
        statement = self.statement(item)
        if statement is None:
            return False
        if self._certainty().certain(statement):
            element: Element | None = to_cib(statement, self)
            assert element is not None
            add_comments(self._block(element), comments_of(item.node))
        else:
            element = self._read_text(self._text(item, statement, broken=False))
        if element is None:
            return False
        rebuilt = self._finish(element, self._old_for(item), copy_children=False)
        return rebuilt is not None and same_element(item.node, rebuilt)

    def _certainty(self) -> Certainty:
        return Certainty(self._reader.dialect, self._reader.keeps_role, self._finds_agent)

    def _finds_agent(self, agent: syntax.Agent) -> bool:
        if not agent.type or any(char in agent.type for char in " '\"\\"):
            return False
        short = agent_text(agent)
        if ":" in short:
            has_provider = bool(agent.provider)
            return agent.standard != "" and (has_provider == (agent.standard == "ocf")) and short.count(":") < 3
        return agent.standard == "ocf" and self.host.agent(short) == agent

    def _old_for(self, item: CibObject) -> Element:
        """Return the element in which ids for a rewritten object are looked up."""
        if item.word in PROPERTY_WORDS:
            return self.section(item.section)
        return item.node

    @staticmethod
    def _block(element: Element) -> Element:
        """Return the element that an object consists of: for the defaults, the block inside."""
        return element[0] if element.tag in DEFAULTS_TAGS else element

    def statement(self, item: CibObject) -> syntax.Statement | None:
        """Return the tree of an object; None if the language has no words for it."""
        return Translator(self._is_referenced).statement(item.node, item.word)

    def _is_referenced(self, tag: str, identifier: str) -> bool:
        return self._references.get(identifier) == tag

    def text(self, item: CibObject, layout: Layout, *, comments: bool = True) -> str:
        """Return an object as text."""
        statement = None if item.is_xml else self.statement(item)
        if statement is None:
            return print_xml(item.node, layout)
        written = print_statement(statement, layout)
        remarks = comments_of(item.node) if comments else []
        return "\n".join([*remarks, written])

    def _text(self, item: CibObject, statement: syntax.Statement, *, broken: bool) -> str:
        layout = Layout(broken=broken, node_count=len(self.node_names()))
        return "\n".join([*comments_of(item.node), print_statement(statement, layout)])

    def _read_text(self, text: str) -> Element | None:
        """Return the element of a text with one statement; errors are reported."""
        element: Element | None = None
        comments: list[str] = []
        for line in join_lines(text):
            if line.startswith("#"):
                comments.append(line)
                continue
            try:
                words = statement_words(line)
            except SyntaxProblem as error:
                self.messages.error(str(error))
                return None
            element = self._reader.element(words)
            if element is not None:
                add_comments(self._block(element), comments)
                comments = []
        return element

    # Surroundings of the translation

    def resolve(self, tag: str, reference: str) -> str:
        """Return the id of the set that a reference means."""
        self._references[reference] = tag
        return self._resolve(tag, reference, self.find_resource(reference))

    def _resolve(self, tag: str, reference: str, item: CibObject | None) -> str:
        if item is not None:
            found = [element for element in item.node.iter(tag) if element is not item.node]
            if len(found) > 1:
                self.messages.warning(f"{item.id} contains more than one {tag}, using first")
            identifier = found[0].get("id") if found else None
            if identifier:
                return identifier
        self._check_reference(reference)
        return reference

    def _check_reference(self, reference: str) -> None:
        count = sum(element.get("id") == reference for element in self.root.iter() if not is_comment(element))
        if count == 0:
            self.messages.error(f"Reference not found: {reference}")
        elif count > 1:
            self.messages.error(f"Ambiguous reference to {reference}")

    def node_names(self) -> list[str]:
        """Return the names of the nodes, sorted."""
        return sorted(item.node.get("uname") or "" for item in self.objects if item.word == "node")

    # From a freshly read element to one that can be an object

    def object_id(self, element: Element, hint: str | None = None) -> str | None:
        """Return the id of a freshly read element, giving it one where there is a rule for that."""
        block = self._block(element)
        if element.tag == "fencing-topology":
            identifier: str | None = TOPOLOGY_ID
        else:
            identifier = block.get("id") or block.get("uname")
        if identifier is None:
            if element.tag == "op":
                prefix = element.get("rsc") if hint is None else hint
                identifier = self.ids.create(element, prefix or "")
                element.set("id", identifier)
            elif element.tag in DEFAULT_IDS:
                identifier = DEFAULT_IDS[element.tag]
                block.set("id", identifier)
                self.ids.save(identifier)
        if element.tag != "node" and identifier and not is_valid_id(identifier):
            self.messages.error(f"{identifier}: invalid object id")
            return None
        return identifier

    def _finish(
        self, element: Element, old: Element | None = None, *, hint: str | None = None, copy_children: bool = True
    ) -> Element | None:
        """Fill in ids and resolve references of a freshly read element; return the object's element."""
        if self.object_id(element, hint) is None:
            if element.tag == "op":
                return element
            self.messages.error(f"No ID found for {_word_of(element.tag)}: {format_xml(element, None)}")
            return None
        element = self._block(element)
        fill_ids(element, old, self.ids)
        self._resolve_references(element, copy_children)
        return element

    def _resolve_references(self, element: Element, copy_children: bool) -> None:
        for inner in element.iter():
            reference = None if is_comment(inner) else inner.get("id-ref")
            if reference is not None:
                inner.set("id-ref", self._resolve(inner.tag, reference, self.find_object(reference)))
        for child in list(element):
            if child.tag != CHILD_REFERENCE:
                continue
            name = child.get("id") or ""
            item = self.find_resource(name)
            if item is None:
                element.remove(child)
                self.messages.error(f"{element.get('id')} refers to missing object {name}")
            else:
                index = next(i for i, existing in enumerate(element) if existing is child)
                element[index] = copy.deepcopy(item.node) if copy_children else item.node

    # Finding

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

    # Making

    def create(self, words: Sequence[str]) -> bool:
        """Make an object from a command's words."""
        element = self._reader.element(words, typed=True)
        return element is not None and self.create_from_element(element) is not None

    def create_from_element(self, element: Element) -> CibObject | None:
        """Make an object from a freshly read element; properties and nodes merge into what exists."""
        tag = element.tag
        finished = self._finish(element)
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
            self._append(item)
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
        finished = self._finish(element, hint=item.id)
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
        self._redirect_constraints(item)
        self._normalize_parameters(item)
        item.is_xml = not self._can_be_said(item)
        self._append(item)
        self._link(item)
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
                self._move_to_top(child)
        for child in item.children:
            if child.parent and child.parent is not item and child.parent.id != item.id:
                self.messages.error(f"Cannot create {item}: Child {child} already in {child.parent}")
                return False
        return self._adopt_children(item)

    def _move_to_top(self, item: CibObject) -> None:
        self._detach(item)
        self.section(item.section).append(item.node)
        item.parent = None

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
                self._detach(child)
                child.node = new
            if child.children and not self._adopt_children(child):
                return False
            if child.parent:
                child.parent.updated = True
            child.parent = item
        return True

    # Changing

    def put_element(self, item: CibObject, new: Element) -> None:
        """Exchange an object's element in its place, without further ado."""
        holder = self._holder(item)
        if holder is not None:
            index = next(i for i, child in enumerate(holder) if child is item.node)
            holder[index] = new
        item.node = new

    def reread(self, item: CibObject, layout: Layout) -> Element | None:
        """Return an object's element as its text would be read, sets of two written plainly."""
        statement = self.statement(item)
        if statement is None:
            return None
        element = self._read_text(print_statement(statement, layout).replace("_rsc_set_ ", ""))
        return None if element is None else self._finish(element, self._old_for(item))

    def replace_element(self, item: CibObject, new: Element) -> bool:
        """Put another element in an object's place."""
        old = item.node
        if same_element(old, new):
            return True
        self.put_element(item, new)
        item.is_xml = False
        if not self._adjust_children(item):
            return False
        item.is_xml = not self._can_be_said(item)
        item.touch()
        return True

    def update_from_element(self, item: CibObject, element: Element, *, merge: bool) -> bool:
        """Replace an object by a freshly read element; properties can merge instead."""
        finished = self._finish(element, item.node)
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
        from hatools.shell.changeset.references import rename_reference

        for constraint in self.related_constraints(item):
            rename_reference(self, constraint, old, new)
        if item.node.get("id") == old:
            item.node.set("id", new)
        self._unindex(item)
        item.id = new
        self._index(item)
        if old in self.ids and new not in self.ids:
            self.ids.remove(old)
            self.ids.save(new)
        item.touch()
        return True

    # Removing

    def delete(self, identifiers: Sequence[str]) -> bool:
        """Remove objects, with containers that become empty and what hangs on them."""
        succeeded = True
        doomed: list[CibObject] = []
        for identifier in identifiers:
            item = self.find_object(identifier)
            if item is None:
                if not self.host.force:
                    self.messages.error(f"object {identifier} does not exist")
                    succeeded = False
                continue
            if not self.host.may_remove(identifier):
                self.messages.error(f"resource {identifier} is running, can't delete it")
                succeeded = False
                continue
            if item.word == "rsc_template":
                users = [
                    user
                    for user in self.of_word("primitive")
                    if user.node.get("template") == item.id and user not in doomed and user.id not in identifiers
                ]
                running = next((user for user in users if not self.host.may_remove(user.id or "")), None)
                if running is not None:
                    self.messages.error(f"resource {running.id} is running, can't delete it")
                    succeeded = False
                    continue
                for user in users:
                    self.messages.info(f"hanging {user} deleted")
                    doomed.append(user)
            doomed.append(item)
        for item in reversed(self.sorted(doomed)):
            self._delete_one(item)
        return succeeded

    def _delete_one(self, item: CibObject) -> None:
        if item.parent and len(item.parent.children) == 1:
            self._delete_one(item.parent)
        if item in self.objects:
            self._remove(item)

    def _remove(self, item: CibObject) -> None:
        from hatools.shell.changeset.references import delete_reference, is_pointless, is_simple, rename_reference

        for child in item.children:
            self._move_to_top(child)
        self.ids.remove_tree(item.node)
        self._detach(item)
        if item.parent:
            item.parent.children.remove(item)
        if item.from_cib:
            self.removed.append(item)
        self.objects.remove(item)
        self._unindex(item)
        for tag in self._tags_of(item):
            for reference in [child for child in children(tag.node) if child.get("id") == item.id]:
                tag.node.remove(reference)
            if tag.node.find("obj_ref") is None:
                self._remove(tag)
                if not self._quiet_removal:
                    self.messages.info(f"hanging {tag} deleted")
        for constraint in self.related_constraints(item):
            if is_simple(constraint.node) and item.children:
                rename_reference(self, constraint, item.id or "", item.children[0].id or "")
            deleted = delete_reference(self, constraint, item.id or "")
            if is_pointless(constraint.node, item.id or ""):
                self._remove(constraint)
                if not self._quiet_removal:
                    self.messages.info(f"hanging {constraint} deleted")
            elif deleted:
                self.messages.info(f"constraint {constraint} updated")

    def _tags_of(self, item: CibObject) -> list[CibObject]:
        return [tag for tag in self.of_word("tag") if any(child.get("id") == item.id for child in children(tag.node))]

    def related_constraints(self, item: CibObject) -> list[CibObject]:
        """Return the constraints that name a resource."""
        if not item.is_resource:
            return []
        from hatools.shell.changeset.references import refers_to

        return [other for other in self.objects if other.is_constraint and refers_to(other.node, item.id or "")]

    def _redirect_constraints(self, item: CibObject) -> None:
        """Constraints on a resource move to the container that now holds it."""
        from hatools.shell.changeset.references import is_pointless, rename_reference

        for child in item.children:
            for constraint in self.related_constraints(child):
                rename_reference(self, constraint, child.id or "", item.id or "")
        for constraint in self.related_constraints(item):
            if is_pointless(constraint.node, item.id or ""):
                self._quiet_removal = True
                self._remove(constraint)
                self._quiet_removal = False

    def erase(self, report: Callable[[str], None]) -> bool:
        """Remove everything but the nodes.

        Args:
            report: takes the names of what, against expectation, remains.
        """
        bottom = [item for item in self.objects if not item.children and not item.is_constraint and item.word != "node"]
        running = [item for item in bottom if not self.host.may_remove(item.id or "")]
        if running:
            for item in running:
                self.messages.warning(f"resource {item.id} is running, can't delete it")
            self.messages.error("CIB erase aborted (nothing was deleted)")
            return False
        self._quiet_removal = True
        for item in bottom:
            self.delete([item.id or ""])
        self._quiet_removal = False
        remaining = [item for item in self.objects if item.word != "node"]
        if remaining:
            self.messages.error("strange, but these objects remained:")
            for item in remaining:
                report(str(item))
            self.objects = []
            self._by_id = {}
        return True

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
        return word not in self._reader.dialect.unsupported

    @property
    def reader(self) -> Reader:
        """Reads statements as this CIB's schema allows them."""
        return self._reader

    def change_schema(self, name: str) -> None:
        """Name another schema, whose words count from now on."""
        self.attributes["validate-with"] = name
        self.root.set("validate-with", name)
        self._reader = Reader(self.host, self, name)
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
            self._index(item)

    def each(self, words: Iterable[str]) -> Iterator[CibObject]:
        """Yield the objects of several kinds."""
        wanted = frozenset(words)
        return (item for item in self.objects if item.word in wanted)


class Snapshot:
    """A remembered state of a workspace."""

    def __init__(
        self,
        state: tuple[Element, list[CibObject], list[CibObject], dict[str, str], dict[str, str]],
        ids: frozenset[str],
    ) -> None:
        self.state = state
        self.ids = ids


def _word_of(tag: str) -> str:
    return next((word for word, name in TAG_OF.items() if name == tag), tag)
