"""Statements of the configure language, and what is said about those that are none."""

import re
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hatools.parser import syntax
from hatools.parser.errors import StatementError
from hatools.parser.grammar import STATEMENT_WORDS
from hatools.parser.pieces import BLOCK_WORDS
from hatools.parser.tokens import logical_lines

from .language import grammar, parse, parse_words, written


def test_a_primitive_has_agent_sets_and_operations() -> None:
    tree = parse("primitive a ocf:pacemaker:Dummy params b=1 meta c=2 op monitor interval=10s")
    assert isinstance(tree, syntax.Primitive)
    assert (tree.id, tree.agent) == ("a", syntax.Agent("ocf", "pacemaker", "Dummy"))
    params, meta, operations = tree.parts
    assert params == syntax.AttributeSet("params", pairs=(syntax.NvPair("b", "1"),))
    assert meta == syntax.AttributeSet("meta", pairs=(syntax.NvPair("c", "2"),))
    assert operations == syntax.Operations((syntax.Operation("monitor", (("interval", "10s"),)),))


def test_keywords_may_be_written_in_capitals() -> None:
    assert parse("PRIMITIVE a Dummy") == parse("primitive a Dummy")


def test_a_location_without_a_resource_name_takes_a_pattern() -> None:
    tree = parse("location x /a.*/ 5: n")
    assert isinstance(tree, syntax.Location)
    assert tree.pattern == "a.*"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("loction x a 1: n", "syntax: Unknown command near <loction> parsing 'loction x a 1: n'"),
        ("order x", "syntax in order: Expected at least 2 arguments near <order> parsing 'order x'"),
        ("colocation x a b", "syntax in colocation: Expected <score>: near <a> parsing 'colocation x a b'"),
    ],
)
def test_an_error_names_construct_expectation_and_place(text: str, message: str) -> None:
    with pytest.raises(StatementError, match=re.escape(message) + "$"):
        parse(text)


def test_an_explained_error_shows_line_column_marker_and_the_nearest_word() -> None:
    (line,) = logical_lines("\n\n  loction x \\\n  a 100: n\n")
    with pytest.raises(StatementError) as caught:
        parse(line.text)
    assert caught.value.explain(line, STATEMENT_WORDS).split("\n") == [
        "line 3, column 3: Unknown command",
        "  loction x a 100: n",
        "  ^^^^^^^",
        "  did you mean 'location'?",
    ]


def test_an_error_behind_the_last_word_points_at_the_end() -> None:
    with pytest.raises(StatementError) as caught:
        parse("location x a rule inf: #uname eq")
    assert caught.value.explain().split("\n") == [
        "line 1, column 33: Unexpected end of line",
        "  location x a rule inf: #uname eq",
        "                                  ^",
    ]


def test_an_error_that_names_a_word_points_at_it() -> None:
    with pytest.raises(StatementError) as caught:
        parse("order o Mandatry: a b")
    assert caught.value.explain(vocabulary=["Mandatory", "Optional"]).split("\n") == [
        "line 1, column 9: Invalid kind: Mandatry",
        "  order o Mandatry: a b",
        "          ^^^^^^^^^",
        "  did you mean 'Mandatory'?",
    ]


@pytest.mark.parametrize("schema", ["pacemaker-1.0", "pacemaker-2.10", "pacemaker-3.9"])
def test_every_schema_has_a_grammar(schema: str) -> None:
    assert isinstance(grammar(schema).parse(["primitive", "a", "Dummy"]), syntax.Primitive)


# Properties

_names = st.from_regex(r"[a-z][a-z0-9_-]{0,6}", fullmatch=True).filter(
    lambda name: name not in BLOCK_WORDS | set(STATEMENT_WORDS) | {"and", "or", "date", "defined", "not_defined"}
)
_values = st.from_regex(r"[A-Za-z0-9 ._/:,'\"$-]{1,10}", fullmatch=True).filter(lambda text: "\\" not in text)
_scores = st.sampled_from(["inf:", "-inf:", "0:", "100:", "-5:"])
_agents = st.sampled_from(["ocf:pacemaker:Dummy", "Dummy", "systemd:cron", "stonith:fence_dummy"])


def _pairs(names: st.SearchStrategy[str] = _names, least: int = 1) -> st.SearchStrategy[list[str]]:
    pairs = st.dictionaries(names, _values, min_size=least, max_size=3)
    return pairs.map(lambda found: [f"{name}={value}" for name, value in found.items()])


_Words = list[str]


@st.composite
def _primitives(draw: Callable[[st.SearchStrategy[object]], object]) -> _Words:
    words: list[object] = ["primitive", draw(_names), draw(_agents)]
    for block in ("params", "meta", "utilization"):
        if draw(st.booleans()):
            words += [block, *draw(_pairs())]  # type: ignore[misc]
    for name in ("monitor", "start"):
        if draw(st.booleans()):
            words += ["op", name, f"interval={draw(st.integers(0, 90))}s"]
    return [str(word) for word in words]


_rules = st.lists(
    st.one_of(
        st.tuples(_names, st.sampled_from(["eq", "ne", "lt", "gte"]), _names).map(list),
        _names.map(lambda name: ["defined", name]),
        st.just(["date", "gt", "2030-01-01"]),
    ),
    min_size=1,
    max_size=3,
).map(lambda parts: [word for part in parts for word in ("and", *part)][1:])

STATEMENTS = st.one_of(
    _primitives(),
    st.tuples(_names, st.lists(_names, min_size=1, max_size=4, unique=True)).map(lambda t: ["group", t[0], *t[1]]),
    st.tuples(_names, _names, _pairs()).map(lambda t: ["clone", t[0], t[1], "meta", *t[2]]),
    st.tuples(_names, _pairs()).map(lambda t: ["node", t[0], "attributes", *t[1]]),
    st.tuples(_names, _names, _scores, _names).map(lambda t: ["location", *t]),
    st.tuples(_names, _names, _scores, _rules).map(lambda t: ["location", t[0], t[1], "rule", t[2], *t[3]]),
    st.tuples(_names, _scores, _names, _names).map(lambda t: ["colocation", *t]),
    st.tuples(_names, st.sampled_from(["Mandatory:", "Optional:", "Serialize:"]), _names, _names).map(
        lambda t: ["order", *t]
    ),
    st.tuples(_names, st.lists(_names, min_size=1, max_size=4, unique=True)).map(lambda t: ["tag", f"{t[0]}:", *t[1]]),
    _pairs().map(lambda pairs: ["property", *pairs]),
    _pairs().map(lambda pairs: ["rsc_defaults", *pairs]),
)


@given(STATEMENTS)
@example(["clone", "a", "a", "meta", 'a= \\":'])
def test_a_printed_tree_reads_back_as_the_same_tree(words: _Words) -> None:
    tree = parse_words(words)
    assert parse(written(tree)) == tree


@given(STATEMENTS)
def test_a_tree_is_the_same_on_one_line_and_on_many(words: _Words) -> None:
    tree = parse_words(words)
    assert parse(written(tree, broken=False)) == parse(written(tree, broken=True))


_LANGUAGE = [*sorted(BLOCK_WORDS | set(STATEMENT_WORDS)), "a", "inf:", "100:", "(", ")", "[", "]", "{", "}", "a=b"]
_LANGUAGE += ["$id=x", "$id-ref=y", "and", "date", "in", "spec", "eq", "#uname", "$role=Started", "to", "select", "@t"]


@given(st.lists(st.one_of(st.sampled_from(_LANGUAGE), st.text(min_size=1, max_size=8)), min_size=1, max_size=12))
def test_any_words_are_a_statement_or_an_error_with_its_place(words: _Words) -> None:
    try:
        tree = parse_words(words)
    except StatementError as error:
        assert 0 <= error.place <= len(words) * 8  # brackets are cut off words
        assert error.explain().startswith("line 1, column ")
    else:
        assert isinstance(tree, tuple)


@given(st.sampled_from(STATEMENT_WORDS), st.lists(st.sampled_from(_LANGUAGE), max_size=12))
def test_any_words_behind_a_keyword_are_a_statement_or_an_error(keyword: str, words: _Words) -> None:
    try:
        parse_words([keyword, *words])
    except StatementError as error:
        assert str(error).startswith("syntax")
