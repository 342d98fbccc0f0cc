"""The grammar of constraints, and of the words that refer to resources like them. Pure."""

import re
from collections.abc import Callable, Sequence

import pyparsing as pp

from hatools.parser import syntax
from hatools.parser.errors import StatementError
from hatools.parser.pieces import (
    RESOURCE,
    ROLE,
    Pieces,
    maybe,
)
from hatools.parser.rules import IDENTIFIER, SCORE, read_kind, read_score
from hatools.parser.sets import SetReader
from hatools.parser.terminals import AnyWord, Fail, Match, WordLine, fail
from hatools.values.boolean import parse_boolean


def _canonical_boolean(text: str) -> str:
    return "true" if parse_boolean(text) else "false"


_TAIL_OPTIONS: dict[str, tuple[str, Callable[[str], str]]] = {
    "colocation": (r"(node-attribute)=(.+)$", str.lower),
    "order": (r"(symmetrical)=(true|false|yes|no|on|off)$", _canonical_boolean),
    "rsc_ticket": (r"(loss-policy)=(stop|demote|fence|freeze)$", str),
}

RELATIONS = {
    "colocation": "colocation",
    "collocation": "colocation",
    "order": "order",
    "rsc_ticket": "rsc_ticket",
}


class ConstraintGrammar(Pieces):
    """location, colocation, order, rsc_ticket, monitor."""

    def _location(self, keyword: str) -> pp.ParserElement:
        convert = self._environment.convert_value
        pattern = Match(r"/(.+)/$").set_parse_action(lambda t: {"pattern": t[0][1]})
        resource = Match(RESOURCE, "Expected resource").set_parse_action(lambda t: {"resource": t[0][0]})
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

        prefer = Match(SCORE) + Match(IDENTIFIER, "Expected identifier") + maybe(ROLE)
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
        word = RELATIONS[line.context]
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
