"""Lines and words of the crm language."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatools.parser.tokens import logical_lines, split_words
from hatools.values.errors import SyntaxProblem


def _texts(line: str) -> list[str]:
    return [word.text for word in split_words(line)]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a b  c", ["a", "b", "c"]),
        ("a='b c' d", ["a=b c", "d"]),
        ('a="b \\"c\\" d"', ['a=b "c" d']),
        ('"\\d"', ["\\d"]),
        ("a\\ b", ["a b"]),
        ("''", [""]),
        ("  ", []),
    ],
)
def test_words_are_cut_as_a_posix_shell_cuts_them(line: str, words: list[str]) -> None:
    assert _texts(line) == words


@pytest.mark.parametrize("line", ["a 'b", 'a "b', "a b\\"])
def test_an_open_quotation_is_an_error_with_its_place(line: str) -> None:
    with pytest.raises(SyntaxProblem) as caught:
        split_words(line)
    assert caught.value.column == 3 + (line[-1] == "\\")


def test_a_word_knows_where_it_stands() -> None:
    line = "a  'b c' d"
    assert [line[word.start : word.end] for word in split_words(line)] == ["a", "'b c'", "d"]


def test_a_backslash_joins_lines_and_blank_lines_vanish() -> None:
    lines = list(logical_lines("a \\\n  b\n\n# note\nc\n"))
    assert [(line.text, line.number) for line in lines] == [("a b", 1), ("# note", 4), ("c", 5)]


def test_a_place_in_a_joined_line_is_found_in_the_text() -> None:
    text = "primitive a \\\n    params b=1 \\\n\tmeta c=2"
    (line,) = logical_lines(text)
    for word in ("primitive", "params", "b=1", "meta", "c=2"):
        number, column = line.place(line.text.index(word))
        assert text.split("\n")[number - 1][column - 1 :].startswith(word)


@given(st.text(max_size=60))
def test_any_text_is_cut_or_refused_with_a_place(text: str) -> None:
    try:
        words = split_words(text)
    except SyntaxProblem as error:
        assert 1 <= (error.column or 0) <= len(text)
    else:
        assert all(0 <= word.start < word.end <= len(text) for word in words)
        assert all(one.end <= other.start for one, other in itertools.pairwise(words))
