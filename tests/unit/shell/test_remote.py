"""Command lines for other nodes, and how files differ between them."""

import pytest

from hatools.shell.commands import CommandError
from hatools.shell.remote import _difference, program_words


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("df -h", ["df", "-h"]),
        ("sh -c 'ls | wc -l; echo $HOME'", ["sh", "-c", "ls | wc -l; echo $HOME"]),
        ('grep "a;b" /etc/x', ["grep", "a;b", "/etc/x"]),
        ("echo * ~ $HOME", ["echo", "*", "~", "$HOME"]),
        ("a\\ b c", ["a b", "c"]),
    ],
)
def test_a_line_is_split_and_nothing_in_it_is_expanded(line: str, words: list[str]) -> None:
    assert program_words(line) == words


@pytest.mark.parametrize("line", ["a | b", "a;b", "a && b", "a > /etc/passwd", "(a)", "a &", "", "   ", "a 'b"])
def test_what_only_a_shell_understands_is_refused(line: str) -> None:
    with pytest.raises(CommandError):
        program_words(line)


def test_files_that_differ_in_white_space_only_are_the_same() -> None:
    assert _difference(("a", b"x:  1\n"), ("b", b"x: 1\n")) == ""
    assert _difference(("a", b"x: 1\ny\n"), ("b", b"x: 2\ny\n")) == "--- a\n+++ b\n@@ -1 +1 @@\n-x: 1\n+x: 2"
    assert "\\xff" in _difference(("a", b"\xff\n"), ("b", b"\n1"))
