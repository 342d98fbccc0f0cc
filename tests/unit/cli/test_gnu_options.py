"""The older commands' parser behaves like getopt_long."""

import pytest

from hatools.cli.gnu_options import Entry, GnuProgram, Style, format_help, parse

ENTRIES = (
    Entry("help", "?", "\tThis text"),
    Entry("version", "$", "\tVersion information"),
    Entry("verbose", "V"),
    Entry(text="\nCommands:"),
    Entry("query", "Q", "\tQuery", 0),
    Entry("xml-text", "X", "Text", 1),
    Entry("xml-file", "x", "File", 1),
    Entry("show-access", "S", "Colours", 2),
    Entry(text="One paragraph.", style=Style.PARAGRAPH),
    Entry("old", "o", style=Style.HIDDEN),
)


def test_options_and_words_may_be_mixed() -> None:
    line = parse(ENTRIES, ["word", "-QX", "<a/>", "--xml-file=f", "-Scolor", "--", "-Q"], "prog")
    assert line.events == [("Q", None), ("X", "<a/>"), ("x", "f"), ("S", "color")]
    assert line.rest == ["word", "-Q"]
    assert line.errors == []


def test_the_beginning_of_a_long_option_is_enough_if_it_is_unambiguous() -> None:
    assert parse(ENTRIES, ["--que"], "prog").events == [("Q", None)]


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["--nope"], "prog: unrecognized option '--nope'"),
        (["-9"], "prog: invalid option -- '9'"),
        (["--ver"], "prog: option '--ver' is ambiguous; possibilities: '--version' '--verbose'"),
        (["--xml-text"], "prog: option '--xml-text' requires an argument"),
        (["-X"], "prog: option requires an argument -- 'X'"),
        (["--query=1"], "prog: option '--query' doesn't allow an argument"),
    ],
)
def test_a_mistake_is_answered_in_the_c_librarys_words(argv: list[str], text: str) -> None:
    assert parse(ENTRIES, argv, "prog").errors == [text]


def test_an_optional_argument_must_be_attached() -> None:
    assert parse(ENTRIES, ["-S", "color"], "prog").rest == ["color"]


def test_the_help_is_laid_out_with_tabs() -> None:
    program = GnuProgram("prog", "do things", "[options]", ENTRIES)
    assert format_help(program) == (
        "prog - do things\nUsage: prog [options]\nOptions:\n"
        " -?, --help\t\tThis text\n"
        " -$, --version\t\tVersion information\n"
        " -V, --verbose\t\n"
        "\nCommands:\n"
        " -Q, --query\t\tQuery\n"
        " -X, --xml-text=value\tText\n"
        " -x, --xml-file=value\tFile\n"
        " -S, --show-access[=value]\tColours\n"
        "One paragraph.\n\n"
        "\nReport bugs to users@clusterlabs.org\n"
    )
