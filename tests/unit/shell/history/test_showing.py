"""How two texts differ, word by word."""

from hatools.shell.history.showing import word_difference


def test_words_that_went_and_came_are_marked() -> None:
    old, new = ["primitive a Dummy", "node n"], ["primitive b Dummy", "node n x"]
    assert word_difference(old, new) == "primitive [-a-] {+b+} Dummy\nnode n {+x+}"
    assert word_difference(old, old) == "primitive a Dummy\nnode n"
