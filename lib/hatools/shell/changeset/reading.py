"""From words to elements, inside a working copy. Pure.

Joins the grammar with what only the working copy knows: which sets are referred to, what nodes
there are, and how the names of roles are spelled under the schema.
"""

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from hatools.cib.document import parse_xml
from hatools.parser import syntax
from hatools.parser.dialect import Dialect, dialect_for
from hatools.parser.errors import InvalidNameError, StatementError
from hatools.parser.from_cib import STATEMENT_OF
from hatools.parser.to_cib import to_cib
from hatools.shell.changeset.host import Host
from hatools.values.errors import SyntaxProblem

if TYPE_CHECKING:
    from hatools.parser.grammar import Grammar
    from hatools.parser.to_cib import Surroundings
    from hatools.parser.tokens import LogicalLine

_DOWNGRADE = {"Promoted": "Master", "Unpromoted": "Slave"}
_QUALIFIERS = ("Mandatory", "Optional", "Serialize", "Started", "Stopped", "Promoted", "Unpromoted", "start", "stop")
_BLOCK_TAGS = {
    "params": "instance_attributes",
    "attributes": "instance_attributes",
    "meta": "meta_attributes",
    "utilization": "utilization",
    "operations": "operations",
}
_UPGRADE = {old: new for new, old in _DOWNGRADE.items()}


class Reader:
    """Reads statements under one schema.

    Args:
        surroundings: answers what statements refer to.
    """

    def __init__(self, host: Host, surroundings: "Surroundings", schema: str | None) -> None:
        self._host = host
        self._surroundings = surroundings
        self.dialect: Dialect = dialect_for(schema)
        self._grammar: Grammar | None = None

    def tree(self, words: Sequence[str], *, typed: bool = False) -> syntax.Statement:
        """Return the tree of a statement.

        Raises:
            StatementError: the words are no statement.
        """
        if self._grammar is None:
            from hatools.parser.grammar import Grammar
            from hatools.parser.pieces import Environment

            environment = Environment(self._host.agent, self.convert_value, self._read_xml, self._report)
            self._grammar = Grammar(self.dialect, environment)
        return self._grammar.parse(words, typed=typed)

    def element(
        self, words: Sequence[str], *, typed: bool = False, line: "LogicalLine | None" = None
    ) -> Element | None:
        """Return the element of a statement; None, with the error reported, if it is none."""
        try:
            return to_cib(self.tree(words, typed=typed), self._surroundings)
        except InvalidNameError:
            raise
        except StatementError as error:
            problem = error
        self._resolve_read(problem)
        self._report(str(problem))
        self._host.messages.detail(lambda: problem.explain(line, self._vocabulary(problem)))
        return None

    def _resolve_read(self, problem: StatementError) -> None:
        """Tell of references that lead nowhere, as far as the statement was read."""
        read = problem.words[: problem.place]
        for before, word in pairwise(read):
            if before in _BLOCK_TAGS and word.startswith("$id-ref="):
                self._surroundings.resolve(_BLOCK_TAGS[before], word.removeprefix("$id-ref="))

    @staticmethod
    def _vocabulary(problem: StatementError) -> Collection[str]:
        """Return the words of the language that could stand at the place."""
        from hatools.parser.grammar import STATEMENT_WORDS
        from hatools.parser.pieces import BLOCK_WORDS

        return (*BLOCK_WORDS, *_QUALIFIERS) if problem.place else STATEMENT_WORDS

    def _report(self, text: str) -> None:
        self._host.messages.error(text)

    def _read_xml(self, text: str) -> syntax.XmlStatement:
        try:
            element = parse_xml(text)
        except SyntaxProblem as error:
            self._report(f"Cannot parse XML data: {text}")
            raise ValueError(_xml_reason(text, str(error))) from None
        if element.tag not in STATEMENT_OF or element.tag == "op":
            raise ValueError(f"Element {element.tag} not recognized")
        return syntax.XmlStatement(element)

    def keeps_role(self, value: str) -> bool:
        """Say whether a role's name is written as it is under this schema."""
        if value in _DOWNGRADE:
            return self.dialect.has_promoted_roles
        return not (value in _UPGRADE and self.dialect.has_promoted_roles and self._host.upgrade_roles)

    def convert_value(self, name: str, value: str) -> str:
        """Return an attribute's value with the role's name that the schema knows, telling so."""
        if name not in ("role", "target-role") or self.keeps_role(value):
            return value
        if value in _DOWNGRADE:
            new = _DOWNGRADE[value]
            self._host.messages.warning(
                f'Convert "{value}" to "{new}" since the current schema version is old and not upgraded yet. '
                'Please consider "crm configure upgrade force"'
            )
            return new
        new = _UPGRADE[value]
        self._host.messages.info(f'Convert deprecated "{value}" to "{new}"')
        return new


def _xml_reason(text: str, fallback: str) -> str:
    """Return libxml2's wording of what is wrong with XML, which people know from the original."""
    try:
        from hatools.cib.libxml2 import etree
    except ImportError:
        return fallback
    try:
        etree.fromstring(text)
    except (etree.XMLSyntaxError, ValueError) as error:
        return str(error)
    return fallback


def ascii_only(text: str) -> str:
    """Write characters beyond ASCII as XML character references."""
    return text.encode("ascii", errors="xmlcharrefreplace").decode("ascii")


def statement_words(text: str) -> list[str]:
    """Cut a logical line into words; what stands behind ``xml`` keeps its quotes.

    Raises:
        SyntaxProblem: a quotation is not closed.
    """
    from hatools.parser.tokens import split_words

    text = ascii_only(text)
    if text.startswith("xml"):
        return text.split()
    return [word.text for word in split_words(text)]
