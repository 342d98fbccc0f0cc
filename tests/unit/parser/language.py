"""A grammar without a cluster around it, for tests."""

from collections.abc import Sequence

from hatools.parser import syntax
from hatools.parser.dialect import dialect_for
from hatools.parser.grammar import Grammar
from hatools.parser.pieces import Environment
from hatools.parser.printer import Layout, print_statement
from hatools.parser.tokens import logical_lines, split_words

SCHEMA = "pacemaker-3.9"


def _agent(text: str) -> syntax.Agent:
    parts = text.split(":")
    if len(parts) == 3:
        return syntax.Agent(*parts)
    return syntax.Agent(parts[0], "", parts[1]) if len(parts) == 2 else syntax.Agent("ocf", "heartbeat", text)


def _no_xml(text: str) -> syntax.XmlStatement:
    raise ValueError("no XML here")


def grammar(schema: str = SCHEMA) -> Grammar:
    """Return the grammar under a schema."""
    return Grammar(dialect_for(schema), Environment(_agent, lambda name, value: value, _no_xml))


GRAMMAR = grammar()


def parse(text: str) -> syntax.Statement:
    """Return the tree of a text with one statement."""
    (line,) = logical_lines(text)
    return parse_words([word.text for word in split_words(line.text)])


def parse_words(words: Sequence[str]) -> syntax.Statement:
    """Return the tree of words."""
    return GRAMMAR.parse(words)


def written(statement: syntax.Statement, *, broken: bool = True) -> str:
    """Return a tree's text."""
    return print_statement(statement, Layout(broken=broken))
