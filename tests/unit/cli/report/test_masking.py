"""Reports hide the values of variables that may be secret."""

import pytest

from hatools.cli.report.masking import Masker


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<nvpair id="x" name="passwd" value="s3cret"/>', '<nvpair id="x" name="passwd" value="******"/>'),
        ('<nvpair value="s3cret" name="password"/>', '<nvpair value="******" name="password"/>'),
        ('<nvpair name="ip" value="192.0.2.1"/>', '<nvpair name="ip" value="192.0.2.1"/>'),
        ("passwd=abc, host=b", "passwd=******, host=b"),
        ("token: 3000", "token: 3000"),
    ],
)
def test_values_of_matching_names_are_hidden(text: str, expected: str) -> None:
    assert Masker(["passw.*"]).mask(text) == expected


def test_masking_twice_is_masking_once() -> None:
    masker = Masker(["passw.*", "key"])
    once = masker.mask('key = abc <nvpair name="passwd" value="x"/>')
    assert masker.mask(once) == once


def test_neighbours_on_the_same_line_are_left_alone() -> None:
    text = '<a name="passwd" value="x"/><a name="ip" value="y"/>'
    assert Masker(["passw.*"]).mask(text) == '<a name="passwd" value="******"/><a name="ip" value="y"/>'
