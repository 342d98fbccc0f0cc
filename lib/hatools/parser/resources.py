"""The grammar of nodes and resources. Pure."""

import re

import pyparsing as pp

from hatools.parser import syntax
from hatools.parser.errors import InvalidNameError
from hatools.parser.pieces import (
    BLOCK_WORDS,
    DESCRIPTION,
    INITIAL_ID,
    RESOURCE,
    AgentProblem,
    Environment,
    Pieces,
    captured,
    initial_id,
    maybe,
    renamed,
    unless_empty,
)
from hatools.parser.rules import ID_OR_REF, IDENTIFIER
from hatools.parser.terminals import Match, WordLine, fail

_XML_NAME = re.compile(r"[^\W\d][\w.-]*")


class ResourceGrammar(Pieces):
    """node, primitive, rsc_template, group, clone, bundle."""

    def _node(self, keyword: str) -> pp.ParserElement:
        uname = Match(r"([^:]+)(:(normal|member|ping|remote))?$", "Expected uname[:type]")

        def build(tokens: pp.ParseResults) -> syntax.Node:
            identity, name, description, sets = tokens
            return syntax.Node(name[1], initial_id(identity), name[3], captured(description), sets)

        arguments = self._arguments(("attributes", "utilization"), implicit="attributes")
        body = maybe(INITIAL_ID) + uname + maybe(DESCRIPTION) + arguments
        return body.set_parse_action(build)

    def _primitive(self, keyword: str) -> pp.ParserElement:
        is_template = keyword == "rsc_template"
        agent = _AgentWord(self._environment)
        kind = agent if is_template else (Match(r"@(.+)$").set_parse_action(lambda t: t[0][1]) | agent)

        def build(tokens: pp.ParseResults) -> syntax.Primitive:
            identifier, spec, description, parts = tokens
            return syntax.Primitive(
                identifier[0],
                spec if isinstance(spec, syntax.Agent) else None,
                spec if isinstance(spec, str) else None,
                captured(description),
                parts,
                is_template,
            )

        arguments = self._arguments(
            ("params", "meta", "utilization"),
            implicit="params",
            others=self._operations(),
            other_words=frozenset(("operations", "op")),
        )
        body = Match(IDENTIFIER, "Expected identifier") + kind + maybe(DESCRIPTION) + arguments
        return body.set_parse_action(build)

    def _operations(self) -> pp.ParserElement:
        """``[operations $id=ID|$id-ref=ID] op...``; yields Operations."""
        operation = self._operation()
        wanted = "Expected $id-ref=<id> or $id=<id>"

        def named(tokens: pp.ParseResults) -> syntax.Operations:
            spec = tokens[1]
            is_ref = spec[1].lower() == "$id-ref"
            found = tuple(tokens[2:])
            return syntax.Operations(found, None if is_ref else spec[2], spec[2] if is_ref else None)

        head = Match(r"operations$") + Match(ID_OR_REF, wanted) + pp.ZeroOrMore(operation)
        plain = pp.OneOrMore(operation).set_parse_action(lambda t: syntax.Operations(tuple(t)))
        return head.set_parse_action(named) | plain

    def _operation(self) -> pp.ParserElement:
        known = self._dialect.op_attributes

        def divide(line: str, loc: int, tokens: pp.ParseResults) -> list[object]:
            """Split the pairs into attributes of the operation and parameters."""
            attributes: dict[str, str] = {}
            loose: list[syntax.NvPair] = []
            pairs: tuple[syntax.NvPair, ...] = tokens[0]
            for pair in pairs:
                if pair.name is None or pair.name.lower() not in known:
                    loose.append(pair)
                    continue
                if loose:
                    reason = f"Attribute order error: {pair.name} must appear before any instance attribute"
                    raise fail(line, loc + len(pairs), reason)
                if pair.value is None:
                    raise fail(line, loc + len(pairs), f"Expected {pair.name}=<value>")
                attributes[pair.name] = pair.value
            if all(pair.name != "interval" for pair in pairs):
                if loose:
                    reason = "Attribute order error: interval must appear before any instance attribute"
                    raise fail(line, loc + len(pairs), reason)
                attributes["interval"] = "0"
            return [tuple(attributes.items()), tuple(loose)]

        def build(tokens: pp.ParseResults) -> syntax.Operation:
            _, name, attributes, loose = tokens[:4]
            return syntax.Operation(name[0], attributes, loose, tuple(tokens[4:]))

        pairs = self._pairs().add_parse_action(divide)
        named = self._named_sets(r"op_params|op_meta$", BLOCK_WORDS)
        implicit = self._attribute_list(BLOCK_WORDS).copy()
        implicit.add_parse_action(lambda t: unless_empty(renamed(t[0], "op_params")))
        first = (pp.FollowedBy(Match(r"op_params|op_meta$")) + named) | (implicit + named)
        body = Match(r"op$") + Match(IDENTIFIER, "Expected identifier") + pairs + first
        return body.set_parse_action(build)

    def _clone(self, keyword: str) -> pp.ParserElement:
        word = "clone" if keyword == "clone" else "ms"

        def build(tokens: pp.ParseResults) -> syntax.Container:
            identifier, child, description, sets = tokens
            return syntax.Container(word, identifier[0], (child[0],), captured(description), sets)

        arguments = self._arguments(("params", "meta"), implicit="params")
        body = Match(IDENTIFIER, "Expected identifier") + Match(RESOURCE, "Expected resource")
        return (body + maybe(DESCRIPTION) + arguments).set_parse_action(build)

    def _group(self, keyword: str) -> pp.ParserElement:
        member = Match(r"(?!(?:params|meta)$)[^=]+$")

        def distinct(line: str, loc: int, tokens: pp.ParseResults) -> None:
            children = [token[0] for token in tokens[1:]]
            for index, child in enumerate(children):
                if child in children[:index]:
                    reason = f"child {child} listed more than once in group {tokens[0][0]}"
                    raise fail(line, 3 + index, reason)

        def build(tokens: pp.ParseResults) -> syntax.Container:
            identifier, *members, description, sets = tokens
            names = tuple(member[0] for member in members)
            return syntax.Container("group", identifier[0], names, captured(description), sets)

        head = Match(IDENTIFIER, "Expected identifier") + pp.ZeroOrMore(member)
        head.add_parse_action(distinct)
        arguments = self._arguments(("params", "meta"), implicit="params")
        return (head + maybe(DESCRIPTION) + arguments).set_parse_action(build)

    def _bundle(self, keyword: str) -> pp.ParserElement:
        words = ("docker", "rkt", "network", "port-mapping", "storage")
        inner = self._pairs(frozenset(("network", "storage", "meta", "primitive")))

        def part(line: str, loc: int, tokens: pp.ParseResults) -> syntax.BundlePart:
            word, pairs = tokens[0][0].lower(), tokens[1]
            attributes: dict[str, str] = {}
            mappings: list[tuple[str, dict[str, str]]] = []
            for pair in pairs:
                if pair.name in ("port-mapping", "storage-mapping"):
                    mappings.append((pair.name, {}))
                elif pair.name is not None and not _XML_NAME.fullmatch(pair.name):
                    assert isinstance(line, WordLine)
                    place = next(i for i in range(loc, len(line.words)) if line.words[i].startswith(pair.name))
                    raise InvalidNameError(pair.name, line.context, line.words, place)
                elif pair.name is None or pair.value is None:
                    raise fail(line, loc + 1 + len(pairs), "Expected <name>=<value>")
                else:
                    (mappings[-1][1] if mappings else attributes)[pair.name] = pair.value
            return syntax.BundlePart(
                word, tuple(attributes.items()), tuple((name, tuple(found.items())) for name, found in mappings)
            )

        def primitive(line: str, loc: int, tokens: pp.ParseResults) -> syntax.BundlePrimitive:
            pairs = tokens[1]
            if len(pairs) != 1 or pairs[0].value or pairs[0].name is None:
                listed = ", ".join(f"{pair.name}={pair.value or ''}" for pair in pairs)
                raise fail(line, loc + 1 + len(pairs), f"Expected primitive reference, got {listed}")
            return syntax.BundlePrimitive(pairs[0].name)

        container = (Match(f"({'|'.join(words)})$") + inner).set_parse_action(part)
        reference = (Match(r"primitive$") + inner).set_parse_action(primitive)
        arguments = self._arguments(
            ("meta",),
            implicit=None,
            terminators=frozenset(("network", "storage", "primitive")),
            others=container | reference,
            other_words=frozenset((*words, "primitive")),
        )

        def build(tokens: pp.ParseResults) -> syntax.Bundle:
            return syntax.Bundle(tokens[0][0], captured(tokens[1]), tokens[2])

        body = Match(IDENTIFIER, "Expected identifier") + maybe(DESCRIPTION) + arguments
        return body.set_parse_action(build)


class _AgentWord(pp.Token):
    """``[class:[provider:]]type``; yields :class:`Agent`."""

    def __init__(self, environment: Environment) -> None:
        super().__init__()
        self.environment = environment

    def _generateDefaultName(self) -> str:
        return "[CLASS:[PROVIDER:]]TYPE"

    def parseImpl(self, instring: str, loc: int, do_actions: bool = True) -> tuple[int, object]:
        assert isinstance(instring, WordLine)
        if loc >= len(instring.words):
            raise fail(instring, loc, "Expected resource type")
        try:
            return loc + 1, self.environment.find_agent(instring.words[loc])
        except AgentProblem as problem:
            self.environment.report(str(problem))
            raise fail(instring, loc, "Unknown resource type") from None
