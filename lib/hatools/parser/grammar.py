"""The grammar: a statement's words to its tree. Pure.

One pyparsing rule per statement, built when the first statement under a dialect is read. The
grammar needs no backtracking: the next word decides, so parse actions run once and in order.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial

import pyparsing as pp

from hatools.parser import syntax
from hatools.parser.acl_words import OLD_ATTRIBUTES, PERMISSION_WORDS, RIGHTS, SHORTCUTS, expand_shortcut
from hatools.parser.dialect import Dialect
from hatools.parser.errors import StatementError
from hatools.parser.rules import ID_OR_REF, IDENTIFIER, SCORE, read_kind, read_score, rule_grammar
from hatools.parser.sets import SetReader
from hatools.parser.terminals import AnyWord, End, Fail, Match, Pair, WordLine, fail
from hatools.values.boolean import parse_boolean
from hatools.values.records import dataclass, field

BLOCK_WORDS = frozenset(
    ("params", "meta", "utilization", "operations", "op", "op_params", "op_meta", "rule", "attributes")
)
_RESOURCE = r"([a-z_#$][^=]*)$"
_ROLE = r"\$?role=(.+)$"
_XML_NAME = re.compile(r"[^\W\d][\w.-]*")
_DESCRIPTION = r"description=(.+)$"
_INITIAL_ID = r"(?:\$id=(?P<long>.*)|(?P<short>[\w-]+):)$"

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


class AgentProblem(Exception):
    """An agent's name cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What a grammar must ask others.

    Args:
        find_agent: completes ``[class:[provider:]]type``; raises :class:`AgentProblem`.
        convert_value: turns (attribute name, value) into the value that the schema knows.
        read_xml: parses the text behind ``xml``; raises ValueError with the reason.
    """

    find_agent: Callable[[str], syntax.Agent]
    convert_value: Callable[[str, str], str]
    read_xml: Callable[[str], syntax.XmlStatement]
    report: Callable[[str], None] = field(default=lambda text: None)


class Grammar:
    """All statements under one dialect."""

    def __init__(self, dialect: Dialect, environment: Environment) -> None:
        self._dialect = dialect
        self._environment = environment
        self._rules: dict[tuple[str, bool], pp.ParserElement] = {}
        self._rule = rule_grammar(dialect, partial(environment.convert_value, "role"))

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
        if keyword in _RELATIONS:
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

    # Pieces that several statements share

    def _converted(self, pair: syntax.NvPair) -> syntax.NvPair:
        """Return the pair with its value as the schema knows it (roles)."""
        if pair.id is not None or pair.ref is not None or pair.value is None or pair.name is None:
            return pair
        if pair.name not in ("role", "target-role"):
            return pair
        return syntax.NvPair(pair.name, self._environment.convert_value(pair.name, pair.value))

    def _pairs(self, terminators: frozenset[str] = BLOCK_WORDS) -> pp.ZeroOrMore:
        """Any number of pairs; yields one tuple."""
        pair = Pair(terminators).add_parse_action(lambda t: self._converted(t[0]))
        pairs = pp.ZeroOrMore(pair)
        pairs.set_parse_action(lambda t: [tuple(t)])
        return pairs

    def _attribute_list(self, terminators: frozenset[str]) -> pp.ParserElement:
        """``$id-ref=ID`` or ``[$id=ID] [SCORE:] [rule...] pair...``; yields an AttributeSet without word."""
        reference = Match(re.compile(r"\$id-ref=(.*)$", re.DOTALL))
        reference.set_parse_action(lambda t: syntax.AttributeSet("", ref=t[0][1]))
        rules = pp.ZeroOrMore(self._rule).set_parse_action(lambda t: [tuple(t)])

        def build(tokens: pp.ParseResults) -> syntax.AttributeSet:
            identity, score, found, pairs = tokens
            return syntax.AttributeSet(
                "", identity[2] if identity else None, None, score[1] if score else None, found, pairs
            )

        full = (_maybe(ID_OR_REF) + _maybe(SCORE) + rules + self._pairs(terminators)).set_parse_action(build)
        return reference | full

    def _named_sets(self, pattern: str, terminators: frozenset[str]) -> pp.ParserElement:
        """Any number of ``WORD attribute-list``."""
        single = Match(pattern) + self._attribute_list(terminators)
        single.set_parse_action(lambda t: _rename(t[1], t[0][0].lower()))
        return pp.ZeroOrMore(single)

    def _arguments(
        self,
        words: Sequence[str],
        *,
        implicit: str | None,
        terminators: frozenset[str] = BLOCK_WORDS,
        others: pp.ParserElement | None = None,
        other_words: frozenset[str] = frozenset(),
    ) -> pp.ParserElement:
        """Attribute blocks (and operations or a bundle's parts) in any order; yields one tuple.

        Only the last word of ``words`` must match whole: the original's patterns are open at the
        end, and ``metas`` opening a block is what people's files may contain.
        """
        pattern = "|".join(words) + "$"
        named = self._named_sets(pattern, terminators)
        exact = Match("(" + "|".join(words) + ")$")
        block = pp.FollowedBy(exact) + named
        if others is not None:
            block = (others + named) | block
        every = "|".join((*words, *sorted(other_words)))
        first: pp.ParserElement = named
        if implicit is not None:
            unnamed = self._attribute_list(terminators).copy()
            unnamed.add_parse_action(lambda t: _unless_empty(_rename(t[0], implicit)))
            first = (pp.FollowedBy(Match(pattern)) + named) | (unnamed + named)
        initial = pp.Opt(~Match(f"({every})$") + first)
        return (initial + pp.ZeroOrMore(_Progress(block))).set_parse_action(lambda t: [tuple(t)])

    # Nodes and resources

    def _node(self, keyword: str) -> pp.ParserElement:
        uname = Match(r"([^:]+)(:(normal|member|ping|remote))?$", "Expected uname[:type]")

        def build(tokens: pp.ParseResults) -> syntax.Node:
            identity, name, description, sets = tokens
            return syntax.Node(name[1], _initial(identity), name[3], _group(description), sets)

        arguments = self._arguments(("attributes", "utilization"), implicit="attributes")
        body = _maybe(_INITIAL_ID) + uname + _maybe(_DESCRIPTION) + arguments
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
                _group(description),
                parts,
                is_template,
            )

        arguments = self._arguments(
            ("params", "meta", "utilization"),
            implicit="params",
            others=self._operations(),
            other_words=frozenset(("operations", "op")),
        )
        body = Match(IDENTIFIER, "Expected identifier") + kind + _maybe(_DESCRIPTION) + arguments
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
        implicit.add_parse_action(lambda t: _unless_empty(_rename(t[0], "op_params")))
        first = (pp.FollowedBy(Match(r"op_params|op_meta$")) + named) | (implicit + named)
        body = Match(r"op$") + Match(IDENTIFIER, "Expected identifier") + pairs + first
        return body.set_parse_action(build)

    def _clone(self, keyword: str) -> pp.ParserElement:
        word = "clone" if keyword == "clone" else "ms"

        def build(tokens: pp.ParseResults) -> syntax.Container:
            identifier, child, description, sets = tokens
            return syntax.Container(word, identifier[0], (child[0],), _group(description), sets)

        arguments = self._arguments(("params", "meta"), implicit="params")
        body = Match(IDENTIFIER, "Expected identifier") + Match(_RESOURCE, "Expected resource")
        return (body + _maybe(_DESCRIPTION) + arguments).set_parse_action(build)

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
            return syntax.Container("group", identifier[0], names, _group(description), sets)

        head = Match(IDENTIFIER, "Expected identifier") + pp.ZeroOrMore(member)
        head.add_parse_action(distinct)
        arguments = self._arguments(("params", "meta"), implicit="params")
        return (head + _maybe(_DESCRIPTION) + arguments).set_parse_action(build)

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
                    # It would become the name of an attribute.
                    raise ValueError(f"Invalid attribute name '{pair.name}'")
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
            return syntax.Bundle(tokens[0][0], _group(tokens[1]), tokens[2])

        body = Match(IDENTIFIER, "Expected identifier") + _maybe(_DESCRIPTION) + arguments
        return body.set_parse_action(build)

    # Constraints

    def _location(self, keyword: str) -> pp.ParserElement:
        convert = self._environment.convert_value
        pattern = Match(r"/(.+)/$").set_parse_action(lambda t: {"pattern": t[0][1]})
        resource = Match(_RESOURCE, "Expected resource").set_parse_action(lambda t: {"resource": t[0][0]})
        braced = Match(r"\{$") + pp.ZeroOrMore(Match(r"(?!\}$)")) + Match(r"\}$", "Expected }")

        def sets(line: str, loc: int, tokens: pp.ParseResults) -> dict[str, object]:
            assert isinstance(line, WordLine)
            words = line.words[loc + 1 : loc + len(tokens) - 1]
            after = loc + len(tokens)
            if not words:
                raise fail(line, after, "Empty resource set")
            return {"sets": self._read_sets(line, after, words, "role")}

        braced.set_parse_action(sets)
        attribute = Match(r"\$?([^=]+)=(.*)$").set_parse_action(lambda t: (t[0][1], convert(t[0][1], t[0][2])))
        attributes = pp.ZeroOrMore(attribute).set_parse_action(lambda t: [tuple(t)])

        def preference(tokens: pp.ParseResults) -> dict[str, object]:
            score, node, role = tokens
            late = convert("role", role[1]) if role else None
            return {"score": read_score(score[1]), "node": node[0], "late_role": late}

        prefer = Match(SCORE) + Match(IDENTIFIER, "Expected identifier") + _maybe(_ROLE)
        prefer.set_parse_action(preference)
        rules = pp.OneOrMore(self._rule).set_parse_action(lambda t: {"rules": tuple(t)})
        wrong = Fail("expected <score>: <node> or <rule> [<rule> ...]")

        def build(tokens: pp.ParseResults) -> syntax.Location:
            identifier, what, found, how = tokens
            return syntax.Location(identifier[0], attributes=found, **what, **how)

        head = Match(IDENTIFIER, "Expected identifier") + (pattern | braced | resource)
        return (head + attributes + (prefer | rules | wrong)).set_parse_action(build)

    def _read_sets(self, line: WordLine, loc: int, words: Sequence[str], what: str) -> tuple[syntax.ResourceSet, ...]:
        """Read resource sets from words; errors are about ``what`` (role or action)."""

        def qualify(text: str) -> str | None:
            if what == "role":
                text = self._environment.convert_value("role", text)
            return _canonical(text, self._dialect.roles if what == "role" else self._dialect.actions)

        def fault(reason: str, near: str) -> StatementError:
            return fail(line, loc, reason, context=what, near=near)

        return SetReader(qualify, what, fault).read(words)

    def _relation(self, line: WordLine) -> syntax.Relation:
        """Read colocation, order or rsc_ticket.

        The option stands at the very end, behind any number of resources, so it is taken off the
        words before the resources are read.
        """
        word = _RELATIONS[line.context]
        what = "action" if word == "order" else "role"
        match = Match(IDENTIFIER, "Expected identifier").parseImpl(line, 1)[1]
        assert isinstance(match, re.Match)
        loc, score, ticket = self._relation_head(line, word)
        pattern, convert = _TAIL_OPTIONS[word]
        option = None
        tail = re.match(pattern, line.words[-1], re.IGNORECASE)
        if tail:
            option = (tail[1].lower(), convert(tail[2]))
            line = WordLine.of(line.words[:-1], line.context)
        count = 1 if word == "rsc_ticket" else 2
        if len(line.words) - loc == count:
            references = tuple(self._reference(line, loc + index, what) for index in range(count))
            return syntax.Relation(word, match[0], references, (), score, ticket, option)
        sets = self._read_sets(line, len(line.words), line.words[loc:], what)
        if not sets:
            expected = " ".join([f"<rsc>[:<{what}>]"] * count)
            raise fail(line, len(line.words), f"Expected {expected} | resource_sets")
        return syntax.Relation(word, match[0], (), sets, score, ticket, option)

    def _relation_head(self, line: WordLine, word: str) -> tuple[int, syntax.Score | None, str | None]:
        """Read what stands between id and resources: a score, a kind or a ticket."""
        found = re.match(SCORE, line.words[2]) if len(line.words) > 2 else None
        if word == "order":
            if not found:
                return 2, None, None
            kind = read_kind(found[1], self._dialect)
            if kind is None:
                raise fail(line, 3, f"Invalid kind: {found[1]}")
            return 3, kind, None
        if not found:
            raise fail(line, 2, "Expected <score>:" if word == "colocation" else "Expected <ticket-id>:")
        if word == "colocation":
            return 3, read_score(found[1]), None
        return 3, None, found[1]

    def _reference(self, line: WordLine, loc: int, what: str) -> syntax.ResourceRef:
        """Read ``RSC[:QUALIFIER]`` of a constraint without sets."""
        resource, qualifier = _split(line, loc)
        if not qualifier:
            return syntax.ResourceRef(resource)
        if what == "role":
            qualifier = self._environment.convert_value("role", qualifier)
        known = _canonical(qualifier, self._dialect.roles if what == "role" else self._dialect.actions)
        if known:
            return syntax.ResourceRef(resource, known, what)
        if qualifier.isdigit():
            return syntax.ResourceRef(resource, qualifier, "instance")
        raise fail(line, loc + 1, f"Invalid {what} '{qualifier}' for '{resource}'")

    # The rest

    def _monitor(self, keyword: str) -> pp.ParserElement:
        roles = self._dialect.roles

        def build(line: str, loc: int, tokens: pp.ParseResults) -> syntax.Monitor:
            assert isinstance(line, WordLine)
            resource, role = _split(line, loc)
            kind = None
            if role:
                known = _canonical(role, roles)
                if not known and not role.isdigit():
                    raise fail(line, loc + 1, f"Invalid role '{role}' for resource '{resource}'")
                role, kind = known or role, "role" if known else "instance"
            interval, timeout = _split(line, loc + 1)
            return syntax.Monitor(resource, role or None, kind, interval, timeout or None)

        return (AnyWord() + AnyWord()).set_parse_action(build)

    def _property(self, keyword: str, typed: bool) -> pp.ParserElement:
        pairs = self._pairs()
        if typed:
            pair = Pair(frozenset(), with_keys=False, allow_empty=False)
            pairs = pp.ZeroOrMore(pair.add_parse_action(lambda t: self._converted(t[0])))
            pairs.set_parse_action(lambda t: [tuple(t)])
        rules = pp.ZeroOrMore(self._rule).set_parse_action(lambda t: [tuple(t)])

        def build(tokens: pp.ParseResults) -> syntax.PropertySet:
            identity, reference, found, values = tokens
            return syntax.PropertySet(keyword, _initial(identity), reference[2] if reference else None, found + values)

        none = pp.Empty().add_parse_action(lambda: [None])
        initial = Match(_INITIAL_ID)
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
        return (name + _until_end(Match(_RESOURCE, "Expected resource"))).set_parse_action(build)

    def _acl_target(self, keyword: str) -> pp.ParserElement:
        identifier = Match(IDENTIFIER, "Expected identifier")

        def build(tokens: pp.ParseResults) -> syntax.AclTarget:
            return syntax.AclTarget(keyword, tokens[0][0], tuple(token[0] for token in tokens[1:]))

        return (identifier + _until_end(identifier.copy())).set_parse_action(build)

    def _user(self, keyword: str) -> pp.ParserElement:
        role = Match(r"role:(.+)$").set_parse_action(lambda t: t[0][1])

        def build(tokens: pp.ParseResults) -> syntax.AclUser:
            return syntax.AclUser(tokens[0][0], tuple(tokens[1:]))

        identifier = Match(IDENTIFIER, "Expected identifier")
        return (identifier + _until_end(role | _OldRule())).set_parse_action(build)

    def _role(self, keyword: str) -> pp.ParserElement:
        identifier = Match(IDENTIFIER, "Expected identifier")

        def build_old(tokens: pp.ParseResults) -> syntax.AclRole:
            return syntax.AclRole(tokens[0][0], None, tuple(tokens[1:]), is_old=True)

        def build(tokens: pp.ParseResults) -> syntax.AclRole:
            return syntax.AclRole(tokens[0][0], _group(tokens[1]), tuple(tokens[2:]))

        if not self._dialect.new_acls:
            return (identifier + _until_end(_OldRule())).set_parse_action(build_old)
        right = Match(rf"({'|'.join(RIGHTS)})$", f"Expected ({'|'.join(RIGHTS)})")
        words = "|".join((*PERMISSION_WORDS, *SHORTCUTS))
        spec = pp.FollowedBy(Match(re.compile(rf"({words})(:|$)"))) + Match(r"([^:]+)(?::(.+))?$", _PERM)
        spec.set_parse_action(_permission_attribute)
        permission = right + _maybe(_INITIAL_ID) + _maybe(_DESCRIPTION) + pp.ZeroOrMore(spec)
        permission.set_parse_action(_permissions)
        return (identifier + _maybe(_DESCRIPTION) + _until_end(permission)).set_parse_action(build)

    def _alert(self, keyword: str) -> pp.ParserElement:
        words = ("attributes", "meta")
        block = self._arguments(words, implicit=None, terminators=frozenset((*words, "to", "select")))
        block = (pp.FollowedBy(Match(re.compile(r"(attributes|meta)$"))) + block).add_parse_action(lambda t: list(t[0]))
        plain = self._arguments(words, implicit=None, terminators=frozenset((*words, "to")))
        braced = self._arguments(words, implicit=None, terminators=frozenset((*words, "to", "}")))

        def recipient(tokens: pp.ParseResults) -> syntax.Recipient:
            value, description, sets = tokens
            return syntax.Recipient(value, _group(description), sets)

        to = Match(r"to$", "Expected to").suppress()
        opened = (
            Match(r"\{$").suppress()
            + AnyWord()
            + _maybe(_DESCRIPTION)
            + braced
            + Match(r"\}$", "Expected }").suppress()
        )
        bare = AnyWord() + _maybe(_DESCRIPTION) + plain
        recipients = to + (opened.set_parse_action(recipient) | bare.set_parse_action(recipient))

        def build(tokens: pp.ParseResults) -> syntax.Alert:
            identifier, path, description, *parts = tokens
            return syntax.Alert(identifier[0], path[0], _group(description), tuple(parts))

        head = Match(IDENTIFIER, "Expected identifier") + Match(r"(.*)$", "Expected path") + _maybe(_DESCRIPTION)
        return (head + _until_end(block | _select() | recipients)).set_parse_action(build)

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


_PERM = "Expected <type>:<spec>"
_PROPERTIES = ("property", "rsc_defaults", "op_defaults")
_RELATIONS = {
    "colocation": "colocation",
    "collocation": "colocation",
    "order": "order",
    "rsc_ticket": "rsc_ticket",
}


def _canonical_boolean(text: str) -> str:
    return "true" if parse_boolean(text) else "false"


_TAIL_OPTIONS: dict[str, tuple[str, Callable[[str], str]]] = {
    "colocation": (r"(node-attribute)=(.+)$", str.lower),
    "order": (r"(symmetrical)=(true|false|yes|no|on|off)$", _canonical_boolean),
    "rsc_ticket": (r"(loss-policy)=(stop|demote|fence|freeze)$", str),
}
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


class _OldRule(pp.Token):
    """An access rule as before schema 2.0: ``right spec...``; yields :class:`AclPermission`."""

    def _generateDefaultName(self) -> str:
        return "RIGHT SPEC"

    def parseImpl(self, instring: str, loc: int, do_actions: bool = True) -> tuple[int, object]:
        assert isinstance(instring, WordLine)
        if loc >= len(instring.words) or instring.words[loc].lower() not in RIGHTS:
            raise fail(instring, loc, f"Expected ({'|'.join(RIGHTS)})")
        kind = instring.words[loc].lower()
        loc += 1
        eligible = set(OLD_ATTRIBUTES)
        attributes: list[tuple[str, str]] = []
        while loc < len(instring.words):
            name, separator, value = instring.words[loc].partition(":")
            if name in SHORTCUTS:
                expanded = expand_shortcut(name, value if separator else None)
                if expanded is None:
                    break
                name, separator, value = "xpath", ":", expanded
            if not separator or name not in eligible:
                break
            attributes.append((name, value))
            loc += 1
            eligible.discard(name)
            if name == "xpath":
                eligible -= {"ref", "tag"}
            elif name in ("ref", "tag"):
                eligible.discard("xpath")
            else:
                break
        return loc, syntax.AclPermission(kind, attributes=tuple(attributes))


class _Progress(pp.ParseElementEnhance):
    """The element, provided that it consumes at least a word (so that repeating it ends)."""

    def parseImpl(self, instring: str, loc: int, do_actions: bool = True) -> tuple[int, object]:
        assert self.expr is not None
        after, tokens = self.expr._parse(instring, loc, do_actions)
        if after == loc:
            raise pp.ParseException(instring, loc, "", self)
        return after, tokens


class _UntilEnd(pp.ParseElementEnhance):
    """The element again and again until no word is left."""

    def parseImpl(self, instring: str, loc: int, do_actions: bool = True) -> tuple[int, object]:
        assert isinstance(instring, WordLine)
        assert self.expr is not None
        found: list[object] = []
        while loc < len(instring.words):
            after, tokens = self.expr._parse(instring, loc, do_actions)
            if after == loc:
                break
            found += list(tokens)
            loc = after
        return loc, found


def _until_end(element: pp.ParserElement) -> pp.ParserElement:
    return _UntilEnd(element)


def _maybe(pattern: str) -> pp.ParserElement:
    """The word if it matches, otherwise None."""
    return Match(pattern) | pp.Empty().add_parse_action(lambda: [None])


def _group(match: re.Match[str] | None) -> str | None:
    return match[1] if match else None


def _initial(match: re.Match[str] | None) -> str | None:
    """Return the id from ``$id=ID`` or ``ID:``."""
    return (match["long"] if match["long"] is not None else match["short"]) if match else None


def _rename(block: syntax.AttributeSet, word: str) -> syntax.AttributeSet:
    return syntax.AttributeSet(word, block.id, block.ref, block.score, block.rules, block.pairs)


def _unless_empty(block: syntax.AttributeSet) -> list[syntax.AttributeSet]:
    """A block that nobody named counts only if it says something."""
    empty = (block.id, block.ref, block.score, block.rules, block.pairs) == (None, None, None, (), ())
    return [] if empty else [block]


def _canonical(text: str, known: Sequence[str]) -> str | None:
    """Return the known word that equals the text but for case."""
    return next((word for word in known if word.lower() == text.lower()), None)


def _split(line: WordLine, loc: int) -> tuple[str, str]:
    """Split ``value[:value]``."""
    if loc >= len(line.words):
        raise fail(line, loc, "Expected value[:value]")
    parts = line.words[loc].split(":")
    if len(parts) > 2:
        raise fail(line, loc, "Expected value[:value]")
    return parts[0], parts[1] if len(parts) == 2 else ""


def _permission_attribute(line: str, loc: int, tokens: pp.ParseResults) -> tuple[str, str]:
    """Return (attribute, value) of one part of a permission."""
    word, value = tokens[0][1], tokens[0][2]
    name = PERMISSION_WORDS.get(word, word)
    if name in SHORTCUTS:
        xpath = expand_shortcut(name, value)
        if xpath is None:
            wrong = "Missing argument to ACL shortcut" if value is None else "Too many arguments to ACL shortcut"
            raise fail(line, loc + 1, f"{wrong} {name}")
        return "xpath", xpath
    if value is None:
        raise fail(line, loc + 1, _PERM)
    return name, value


def _permissions(line: str, loc: int, tokens: pp.ParseResults) -> list[syntax.AclPermission]:
    """Split what was written into the combinations that the CIB knows: xpath, reference, type + attribute."""
    right, identity, description, *specs = tokens
    found = dict(specs)
    combinations: list[tuple[tuple[str, str], ...]] = []
    for name in ("xpath", "reference"):
        if name in found:
            combinations.append(((name, found[name]),))
    if "object-type" in found:
        names = [name for name in ("object-type", "attribute") if name in found]
        combinations.append(tuple((name, found[name]) for name in names))
    elif "attribute" in found:
        used = 1 + bool(identity) + bool(description) + len(specs)
        raise fail(line, loc + used, "attribute is only valid in combination with tag/object-type")
    return [
        syntax.AclPermission(right[1].lower(), _initial(identity), _group(description), combination)
        for combination in combinations
    ]


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
