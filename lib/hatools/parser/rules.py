"""Grammar of rules and their expressions. Pure.

::

    rule :: rule [$id=ID|$id-ref=ID] [$role=ROLE] [SCORE:] expression [and|or expression]...
    expression :: ATTRIBUTE [type:]lt|gt|lte|gte|eq|ne VALUE | defined|not_defined ATTRIBUTE | date ...
"""

import re
from collections.abc import Callable

import pyparsing as pp

from hatools.parser.dialect import Dialect
from hatools.parser.syntax import Comparison, DateExpression, Rule, Score
from hatools.parser.terminals import AnyWord, Match, WordLine, fail

_SCORE_WORDS = {"advisory": "0", "mandatory": "INFINITY"}
_NUMERIC = re.compile(r"[+-]?(inf(inity)?|INF(INITY)?|[0-9]+)$")
_INFINITE = re.compile(r"inf(inity)?|INF(INITY)?")
_SPEC_NAMES = ("hours", "monthdays", "weekdays", "yearsdays", "months", "weeks", "years", "weekyears", "moon")
_RANGE_NAMES = ("start", "end", *_SPEC_NAMES)
_VALUE_SOURCE = re.compile(r"([^\s{}]+)\{(\S+)\}$")

IDENTIFIER = r"([a-z0-9_#$-][^=]*)$"
SCORE = r"([^:]+):$"
ID_OR_REF = r"(\$id-ref|\$id)=(.*)$"

Convert = Callable[[str], str]


def read_score(text: str) -> Score:
    """Read a score as rules, locations and colocations write it; what is no number names an attribute."""
    known = _SCORE_WORDS.get(text.lower())
    if known is not None:
        return Score("score", known)
    if _NUMERIC.match(text):
        return Score("score", _INFINITE.sub("INFINITY", text))
    return Score("score-attribute", text)


def read_kind(text: str, dialect: Dialect) -> Score | None:
    """Read what orders have in front: a kind, or a score that stands for one; None if neither."""
    if _NUMERIC.match(text):
        return Score("kind", "Optional" if text == "0" else "Mandatory")
    for kind in dialect.kinds:
        if kind.lower() == text.lower():
            return Score("kind", kind)
    return None


def _keyed(names: tuple[str, ...]) -> pp.ParserElement:
    """Match ``name=value`` or ``name`` for the given names; yields (name, value)."""
    joined = "|".join(names)
    valued = Match(re.compile(rf"({joined})=(.+)$")).set_parse_action(lambda t: (t[0][1], t[0][2]))
    bare = Match(re.compile(rf"({joined})$")).set_parse_action(lambda t: (t[0][1], ""))
    return valued | bare


def _several(names: tuple[str, ...], least: int) -> pp.ParserElement:
    """Match at least so many keyed pairs; yields one tuple of pairs."""

    def check(line: str, loc: int, tokens: pp.ParseResults) -> tuple[tuple[str, str], ...]:
        pairs = tuple(tokens)
        if len(pairs) < least:
            wanted = "one name-value pair" if least == 1 else f"{least} name-value pairs"
            raise fail(line, loc + len(pairs), f"Expected at least {wanted}")
        return pairs

    return pp.ZeroOrMore(_keyed(names)).add_parse_action(lambda s, loc, t: [check(s, loc, t)])


def _date_grammar(dialect: Dialect) -> pp.ParserElement:
    words = "|".join((*dialect.date_operations, "spec", "in"))

    def simple(tokens: pp.ParseResults) -> DateExpression:
        operation, value = tokens[0][0], tokens[1]
        if operation.lower() == "lt":
            return DateExpression(operation, end=value)
        return DateExpression(operation, start=value)

    def in_range(tokens: pp.ParseResults) -> DateExpression:
        pairs = dict(tokens[1])
        limits = {name: value for name, value in pairs.items() if name in ("start", "end")}
        fields = tuple((name, value) for name, value in pairs.items() if name not in limits)
        return DateExpression(
            "in_range", limits.get("start"), limits.get("end"), fields, has_fields=set(pairs) != {"start", "end"}
        )

    def specification(tokens: pp.ParseResults) -> DateExpression:
        return DateExpression("date_spec", fields=tuple(dict(tokens[1]).items()), has_fields=True)

    def unknown(line: str, loc: int, tokens: pp.ParseResults) -> None:
        reason = f"Unknown date operation '{tokens[0][0]}', please upgrade crmsh"
        raise fail(line, loc + 1, reason)

    compare = (Match(r"(lt|gt)$") + AnyWord()).set_parse_action(simple)
    spanning = (Match(re.compile(r"(in_range|in)$")) + _several(_RANGE_NAMES, 2)).set_parse_action(in_range)
    matching = (Match(re.compile(r"(date_spec|spec)$")) + _several(_SPEC_NAMES, 1)).set_parse_action(specification)
    other = Match(rf"({words})$", f"Expected ({words})$").set_parse_action(unknown)
    return Match(r"date$").suppress() + (compare | spanning | matching | other)


def _comparison_grammar(dialect: Dialect) -> pp.ParserElement:
    types = "|".join(dialect.expression_types)
    operator = rf"(({types}):)?(lt|gt|lte|gte|eq|ne)$"

    def unary(tokens: pp.ParseResults) -> Comparison:
        return Comparison(tokens[1][0], tokens[0][1])

    def binary(tokens: pp.ParseResults) -> Comparison:
        attribute, sign, value = tokens[0][0], tokens[1], tokens[2]
        source = _VALUE_SOURCE.match(value)
        if source:
            return Comparison(attribute, sign[3], source[2], sign[2], source[1])
        return Comparison(attribute, sign[3], value, sign[2])

    identifier = Match(IDENTIFIER, "Expected identifier")
    test = (Match(r"(defined|not_defined)$") + identifier).set_parse_action(unary)
    compare = (identifier + Match(operator, f"Expected {operator.rstrip('$')}") + AnyWord()).set_parse_action(binary)
    return test | compare


def rule_grammar(dialect: Dialect, convert_role: Convert) -> pp.ParserElement:
    """Return the grammar of one rule; yields :class:`Rule`.

    Args:
        convert_role: turns a role's name into the one that the schema knows.
    """
    expression = _date_grammar(dialect) | _comparison_grammar(dialect)

    def build(tokens: pp.ParseResults) -> Rule:
        identity, role, score, (joined_by, expressions) = tokens
        return Rule(
            id=identity[2] if identity else None,
            role=convert_role(role[1]) if role else None,
            score=read_score(score[1]) if score else Score("score", "INFINITY"),
            boolean_op=joined_by,
            expressions=expressions,
        )

    def refer(tokens: pp.ParseResults) -> Rule:
        return Rule(ref=tokens[0][2], role=convert_role(tokens[1][1]) if tokens[1] else None)

    nothing = pp.Empty().add_parse_action(lambda: [None])
    role = Match(r"\$?role=(.+)$") | nothing
    expressions = _Joined(expression)
    reference = (Match(re.compile(r"(\$id-ref)=(.*)$", re.DOTALL)) + role).set_parse_action(refer)
    full = ((Match(ID_OR_REF) | nothing) + role + (Match(SCORE) | nothing) + expressions).set_parse_action(build)
    return Match(r"rule$").suppress() + (reference | full)


class _Joined(pp.ParseElementEnhance):
    """Expressions joined by one and the same of ``and`` and ``or``; yields (joining word, expressions)."""

    def parseImpl(self, instring: str, loc: int, do_actions: bool = True) -> tuple[int, object]:
        assert isinstance(instring, WordLine)
        assert self.expr is not None
        loc, tokens = self.expr._parse(instring, loc, do_actions)
        expressions = [tokens[0]]
        joined_by: str | None = None
        while loc < len(instring.words) and instring.words[loc].lower() in ("and", "or"):
            word = instring.words[loc]
            loc += 1
            if joined_by and word != joined_by:
                raise fail(instring, loc, f"Mixing bool ops not allowed: {joined_by} != {word}")
            joined_by = word
            loc, tokens = self.expr._parse(instring, loc, do_actions)
            expressions.append(tokens[0])
        return loc, (joined_by, tuple(expressions))
