"""What the grammars of several statements are made of. Pure."""

import re
from collections.abc import Callable, Sequence
from functools import partial

import pyparsing as pp

from hatools.parser import syntax
from hatools.parser.dialect import Dialect
from hatools.parser.rules import ID_OR_REF, SCORE, rule_grammar
from hatools.parser.terminals import Match, Pair, WordLine
from hatools.values.records import dataclass, field

BLOCK_WORDS = frozenset(
    ("params", "meta", "utilization", "operations", "op", "op_params", "op_meta", "rule", "attributes")
)

RESOURCE = r"([a-z_#$][^=]*)$"

ROLE = r"\$?role=(.+)$"

DESCRIPTION = r"description=(.+)$"

INITIAL_ID = r"(?:\$id=(?P<long>.*)|(?P<short>[\w-]+):)$"


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


class Pieces:
    """Parts that statements share, under one dialect."""

    def __init__(self, dialect: Dialect, environment: Environment) -> None:
        self._dialect = dialect
        self._environment = environment
        self._rule = rule_grammar(dialect, partial(environment.convert_value, "role"))

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

        full = (maybe(ID_OR_REF) + maybe(SCORE) + rules + self._pairs(terminators)).set_parse_action(build)
        return reference | full

    def _named_sets(self, pattern: str, terminators: frozenset[str]) -> pp.ParserElement:
        """Any number of ``WORD attribute-list``."""
        single = Match(pattern) + self._attribute_list(terminators)
        single.set_parse_action(lambda t: renamed(t[1], t[0][0].lower()))
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
            unnamed.add_parse_action(lambda t: unless_empty(renamed(t[0], implicit)))
            first = (pp.FollowedBy(Match(pattern)) + named) | (unnamed + named)
        initial = pp.Opt(~Match(f"({every})$") + first)
        return (initial + pp.ZeroOrMore(_Progress(block))).set_parse_action(lambda t: [tuple(t)])


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


def until_end(element: pp.ParserElement) -> pp.ParserElement:
    return _UntilEnd(element)


def maybe(pattern: str) -> pp.ParserElement:
    """The word if it matches, otherwise None."""
    return Match(pattern) | pp.Empty().add_parse_action(lambda: [None])


def captured(match: re.Match[str] | None) -> str | None:
    return match[1] if match else None


def initial_id(match: re.Match[str] | None) -> str | None:
    """Return the id from ``$id=ID`` or ``ID:``."""
    return (match["long"] if match["long"] is not None else match["short"]) if match else None


def renamed(block: syntax.AttributeSet, word: str) -> syntax.AttributeSet:
    return syntax.AttributeSet(word, block.id, block.ref, block.score, block.rules, block.pairs)


def unless_empty(block: syntax.AttributeSet) -> list[syntax.AttributeSet]:
    """A block that nobody named counts only if it says something."""
    empty = (block.id, block.ref, block.score, block.rules, block.pairs) == (None, None, None, (), ())
    return [] if empty else [block]
