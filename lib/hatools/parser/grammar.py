"""The grammar: a statement's words to its tree. Pure.

One pyparsing rule per statement, built when the first statement under a dialect is read. The
grammar needs no backtracking: the next word decides, so parse actions run once and in order.
"""

import re
from collections.abc import Sequence

import pyparsing as pp

from hatools.parser import syntax
from hatools.parser.access import AccessGrammar
from hatools.parser.constraints import RELATIONS, ConstraintGrammar
from hatools.parser.dialect import Dialect
from hatools.parser.errors import StatementError
from hatools.parser.pieces import (
    DESCRIPTION,
    INITIAL_ID,
    RESOURCE,
    Environment,
    captured,
    initial_id,
    maybe,
    until_end,
)
from hatools.parser.resources import ResourceGrammar
from hatools.parser.rules import IDENTIFIER
from hatools.parser.terminals import AnyWord, End, Match, Pair, WordLine, fail

STATEMENT_WORDS = (
    "node",
    "primitive",
    "group",
    "clone",
    "ms",
    "master",
    "rsc_template",
    "bundle",
    "location",
    "colocation",
    "collocation",
    "order",
    "rsc_ticket",
    "monitor",
    "property",
    "rsc_defaults",
    "op_defaults",
    "fencing-topology",
    "fencing_topology",
    "tag",
    "user",
    "role",
    "acl_target",
    "acl_group",
    "xml",
    "alert",
)

_PROPERTIES = ("property", "rsc_defaults", "op_defaults")
_LEAST_ARGUMENTS = {
    **dict.fromkeys(STATEMENT_WORDS, 2),
    **dict.fromkeys(("node", "property", "rsc_defaults", "op_defaults", "xml"), 1),
    **dict.fromkeys(("fencing-topology", "fencing_topology"), 0),
}
_BUILDERS = {
    "node": "node",
    "primitive": "primitive",
    "rsc_template": "primitive",
    "group": "group",
    "clone": "clone",
    "ms": "clone",
    "master": "clone",
    "bundle": "bundle",
    "location": "location",
    "monitor": "monitor",
    "fencing-topology": "fencing",
    "fencing_topology": "fencing",
    "tag": "tag",
    "user": "user",
    "role": "role",
    "acl_target": "acl_target",
    "acl_group": "acl_target",
    "xml": "xml",
    "alert": "alert",
}


class Grammar(ResourceGrammar, ConstraintGrammar, AccessGrammar):
    """All statements under one dialect."""

    def __init__(self, dialect: Dialect, environment: Environment) -> None:
        super().__init__(dialect, environment)
        self._rules: dict[tuple[str, bool], pp.ParserElement] = {}

    def parse(self, words: Sequence[str], *, typed: bool = False) -> syntax.Statement:
        """Return the tree of a statement.

        Args:
            words: the statement's words, at least one.
            typed: the statement is a command's arguments, where properties need values.

        Raises:
            StatementError: the words are no statement.
        """
        keyword = words[0].lower()
        words = [keyword, *words[1:]]
        least = _LEAST_ARGUMENTS.get(keyword)
        if least is None:
            raise StatementError("Unknown command", "", keyword, words, 0)
        if len(words) <= least:
            raise StatementError(f"Expected at least {least} arguments", keyword, keyword, words, 0)
        line = WordLine.of(words, keyword)
        if keyword in RELATIONS:
            return self._relation(line)
        element = self._element(keyword, typed and keyword in _PROPERTIES)
        _, tokens = element._parse(line, 1)
        statement: syntax.Statement = tokens[0]
        return statement

    def _element(self, keyword: str, typed: bool) -> pp.ParserElement:
        """Return the pyparsing element behind the keyword, built on first use."""
        key = (keyword, typed)
        if key not in self._rules:
            if keyword in _PROPERTIES:
                built = self._property(keyword, typed)
            else:
                built = getattr(self, "_" + _BUILDERS[keyword])(keyword)
            element = built + End()
            self._rules[key] = element
        return self._rules[key]

    def _property(self, keyword: str, typed: bool) -> pp.ParserElement:
        pairs = self._pairs()
        if typed:
            pair = Pair(frozenset(), with_keys=False, allow_empty=False)
            pairs = pp.ZeroOrMore(pair.add_parse_action(lambda t: self._converted(t[0])))
            pairs.set_parse_action(lambda t: [tuple(t)])
        rules = pp.ZeroOrMore(self._rule).set_parse_action(lambda t: [tuple(t)])

        def build(tokens: pp.ParseResults) -> syntax.PropertySet:
            identity, reference, found, values = tokens
            shared = reference[2] if reference else None
            return syntax.PropertySet(keyword, initial_id(identity), shared, found + values)

        none = pp.Empty().add_parse_action(lambda: [None])
        initial = Match(INITIAL_ID)
        heads = (initial + none.copy()) | (none.copy() + (Match(r"(\$id-ref)=(.*)$") | none.copy()))
        return (heads + rules + pairs).set_parse_action(build)

    def _fencing(self, keyword: str) -> pp.ParserElement:
        attribute = Match(r"attr:([\w-]+)=([\w-]+)$")
        attribute.set_parse_action(lambda t: syntax.FencingTarget(attribute=t[0][1], value=t[0][2]))
        pattern = Match(r"pattern:(.+)$").set_parse_action(lambda t: syntax.FencingTarget(pattern=t[0][1]))
        node = Match(r"([^:]+):$").set_parse_action(lambda t: syntax.FencingTarget(node=t[0][1]))
        devices = Match(r"(.*)$").set_parse_action(lambda t: t[0][0])

        def build(tokens: pp.ParseResults) -> syntax.FencingTopology:
            target: syntax.FencingTarget | None = None
            levels: list[tuple[syntax.FencingTarget | None, str]] = []
            for token in tokens:
                if isinstance(token, syntax.FencingTarget):
                    target = token
                else:
                    levels.append((target, token))
            return syntax.FencingTopology(tuple(levels))

        return pp.ZeroOrMore(attribute | pattern | node | devices).set_parse_action(build)

    def _tag(self, keyword: str) -> pp.ParserElement:
        def build(line: str, loc: int, tokens: pp.ParseResults) -> syntax.Tag:
            if len(tokens) < 2:
                raise fail(line, loc + 1, "Expected at least one resource")
            return syntax.Tag(tokens[0][1], tuple(token[0] for token in tokens[1:]))

        name = Match(r"([a-zA-Z_][^\s:]*):?$", "Expected tag name")
        return (name + until_end(Match(RESOURCE, "Expected resource"))).set_parse_action(build)

    def _alert(self, keyword: str) -> pp.ParserElement:
        words = ("attributes", "meta")
        block = self._arguments(words, implicit=None, terminators=frozenset((*words, "to", "select")))
        block = (pp.FollowedBy(Match(re.compile(r"(attributes|meta)$"))) + block).add_parse_action(lambda t: list(t[0]))
        plain = self._arguments(words, implicit=None, terminators=frozenset((*words, "to")))
        braced = self._arguments(words, implicit=None, terminators=frozenset((*words, "to", "}")))

        def recipient(tokens: pp.ParseResults) -> syntax.Recipient:
            value, description, sets = tokens
            return syntax.Recipient(value, captured(description), sets)

        to = Match(r"to$", "Expected to").suppress()
        opened = (
            Match(r"\{$").suppress() + AnyWord() + maybe(DESCRIPTION) + braced + Match(r"\}$", "Expected }").suppress()
        )
        bare = AnyWord() + maybe(DESCRIPTION) + plain
        recipients = to + (opened.set_parse_action(recipient) | bare.set_parse_action(recipient))

        def build(tokens: pp.ParseResults) -> syntax.Alert:
            identifier, path, description, *parts = tokens
            return syntax.Alert(identifier[0], path[0], captured(description), tuple(parts))

        head = Match(IDENTIFIER, "Expected identifier") + Match(r"(.*)$", "Expected path") + maybe(DESCRIPTION)
        return (head + until_end(block | _select() | recipients)).set_parse_action(build)

    def _xml(self, keyword: str) -> pp.ParserElement:
        def build(line: str, loc: int, tokens: pp.ParseResults) -> syntax.XmlStatement:
            assert isinstance(line, WordLine)
            if not tokens:
                raise fail(line, loc, "Expected XML data")
            text = " ".join(tokens)
            try:
                return self._environment.read_xml(text)
            except ValueError as error:
                raise fail(line, len(line.words), str(error)) from None

        return pp.ZeroOrMore(Match(r"(.*)$").set_parse_action(lambda t: t[0][0])).set_parse_action(build)


def _select() -> pp.ParserElement:
    """``select nodes fencing resources attributes { NAME... }``; yields AlertSelect or nothing."""
    name = Match(rf"(?!\}}$){IDENTIFIER}")
    listed = Match(re.compile(r"attributes$")) + Match(re.compile(r"\{$")).suppress() + pp.ZeroOrMore(name)
    listed += Match(r"\}$", "Expected identifier").suppress()
    listed.set_parse_action(lambda t: ("attributes", tuple(token[0] for token in t[1:])))
    simple = Match(re.compile(r"(nodes|fencing|resources)$")).set_parse_action(lambda t: (t[0][0], ()))

    def build(tokens: pp.ParseResults) -> list[syntax.AlertSelect]:
        return [syntax.AlertSelect(tuple(tokens))] if tokens else []

    kinds = pp.ZeroOrMore(simple | listed).set_parse_action(build)
    return Match(re.compile(r"select$")).suppress() + kinds
