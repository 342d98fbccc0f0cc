"""Trees as data for JSON."""

import json

from hypothesis import given

from hatools.parser.plain_data import statement_data

from .language import parse, parse_words
from .test_grammar import STATEMENTS


def test_what_a_statement_does_not_say_is_left_out() -> None:
    assert statement_data(parse("location x a 100: n"), "location") == {
        "statement": "location",
        "id": "x",
        "resource": "a",
        "score": {"attribute": "score", "value": "100"},
        "node": "n",
    }


def test_a_secret_is_hidden() -> None:
    tree = parse("primitive a Dummy params password=secret user=joe")
    text = json.dumps(statement_data(tree, "primitive", lambda name: name.startswith("pass")))
    assert "secret" not in text
    assert "joe" in text


@given(STATEMENTS)
def test_every_tree_can_be_written_as_json(words: list[str]) -> None:
    assert json.loads(json.dumps(statement_data(parse_words(words), words[0])))["statement"] == words[0]
