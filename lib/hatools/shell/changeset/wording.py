"""Between objects and their texts: what the language can say of them, and how a text becomes an element. Pure."""

import copy
from xml.etree.ElementTree import Element

from hatools.cib.document import format_xml
from hatools.parser import syntax
from hatools.parser.certainty import Certainty
from hatools.parser.from_cib import Translator
from hatools.parser.identities import IdStore, fill_ids, is_valid_id
from hatools.parser.printer import Layout, agent_text, print_statement, print_xml
from hatools.parser.to_cib import CHILD_REFERENCE, to_cib
from hatools.parser.tokens import join_lines
from hatools.shell.changeset.collection import Collection
from hatools.shell.changeset.comparing import same_element
from hatools.shell.changeset.host import Host
from hatools.shell.changeset.merging import add_comments, comments_of, is_comment
from hatools.shell.changeset.objects import (
    DEFAULT_IDS,
    DEFAULTS_TAGS,
    PROPERTY_WORDS,
    TAG_OF,
    TOPOLOGY_ID,
    CibObject,
)
from hatools.shell.changeset.reading import Reader, ascii_only, statement_words
from hatools.values.errors import SyntaxProblem


class Wording(Collection):
    """Objects that can be written in the crm language and read back.

    Attributes:
        ids: the ids in use.
        reader: reads statements as this CIB's schema allows them.
    """

    def __init__(self, root: Element, host: Host) -> None:
        super().__init__(root, host)
        self.ids = IdStore()
        self.reader = Reader(host, self, root.get("validate-with"))
        self._references: dict[str, str] = {}

    def can_be_said(self, item: CibObject) -> bool:
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
        rebuilt = self.finish(element, self.old_for(item), copy_children=False)
        return rebuilt is not None and same_element(item.node, rebuilt)

    def _certainty(self) -> Certainty:
        return Certainty(self.reader.dialect, self.reader.keeps_role, self._finds_agent)

    def _finds_agent(self, agent: syntax.Agent) -> bool:
        if not agent.type or any(char in agent.type for char in " '\"\\"):
            return False
        short = agent_text(agent)
        if ":" in short:
            has_provider = bool(agent.provider)
            return agent.standard != "" and (has_provider == (agent.standard == "ocf")) and short.count(":") < 3
        return agent.standard == "ocf" and self.host.agent(short) == agent

    def old_for(self, item: CibObject) -> Element:
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
            element = self.reader.element(words)
            if element is not None:
                add_comments(self._block(element), comments)
                comments = []
        return element

    def reread(self, item: CibObject, layout: Layout) -> Element | None:
        """Return an object's element as its text would be read, sets of two written plainly."""
        statement = self.statement(item)
        if statement is None:
            return None
        element = self._read_text(print_statement(statement, layout).replace("_rsc_set_ ", ""))
        return None if element is None else self.finish(element, self.old_for(item))

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

    def finish(
        self, element: Element, old: Element | None = None, *, hint: str | None = None, copy_children: bool = True
    ) -> Element | None:
        """Fill in ids and resolve references of a freshly read element; return the object's element."""
        if self.object_id(element, hint) is None:
            if element.tag == "op":
                return element
            text = format_xml(element, None).replace("&apos;", "'")  # libxml2 leaves them as they are
            self.messages.error(f"No ID found for {_word_of(element.tag)}: {ascii_only(text)}")
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


def _word_of(tag: str) -> str:
    return next((word for word, name in TAG_OF.items() if name == tag), tag)
