"""The command line parser words everything as GLib's does in Pacemaker 2.1.5's commands."""

import pytest

from hatools.cli.options import (
    CommandLineError,
    Group,
    HelpWanted,
    Option,
    Program,
    format_help,
    parse,
    split_short_options,
)

PROGRAM = Program(
    "crm_example",
    "crm_example - show how options work",
    (
        Group(
            "queries",
            "Queries:",
            "Show query help",
            (
                Option("list", "l", "List things"),
                Option("find", "f", "Find a thing,\nwherever it is", "NAME"),
                Option("check", "", "Check, up to a level", "LEVEL", optional=True),
                Option("count", "c", "How many", "N", integer=True),
                Option("secret", "s", hidden=True, also=("old-secret",)),
            ),
        ),
    ),
    (Option("quiet", "q", "Say less"),),
    special="f",
    indent=4,
)


def test_events_keep_the_order_of_the_command_line() -> None:
    line = parse(PROGRAM, ["-q", "--find=a", "-l", "--find", "b", "word"])
    assert line.events == [("quiet", None), ("find", "a"), ("list", None), ("find", "b")]
    assert (line.get("find"), line.all("find"), line.rest) == ("b", ["a", "b"], ["word"])


def test_another_spelling_gives_the_event_of_the_option() -> None:
    assert parse(PROGRAM, ["--old-secret"]).events == [("secret", None)]


def test_an_optional_argument_does_not_swallow_an_option() -> None:
    assert parse(PROGRAM, ["--check", "-l"]).events == [("check", None), ("list", None)]
    assert parse(PROGRAM, ["--check", "10"]).events == [("check", "10")]


def test_words_after_two_dashes_are_no_options() -> None:
    assert parse(PROGRAM, ["-l", "--", "-q"]).rest == ["-q"]


def test_verbosity_counts_repeated_letters() -> None:
    assert parse(PROGRAM, ["-VV", "--verbose"]).verbosity == 3


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["--nope"], "Unknown option --nope"),
        (["--lis"], "Unknown option --lis"),
        (["-9"], "Unknown option -9"),
        (["-lx"], "Unknown option -x"),
        (["--find"], "Missing argument for --find"),
        (["-f"], "Missing argument for -f"),
        (["-c", "x"], "Cannot parse integer value “x” for -c"),
        (["--count=99999999999"], "Integer value “99999999999” for --count out of range"),
    ],
)
def test_a_mistake_is_answered_in_the_originals_words(argv: list[str], text: str) -> None:
    with pytest.raises(CommandLineError) as raised:
        parse(PROGRAM, argv)
    assert str(raised.value) == text


@pytest.mark.parametrize("word", ["--help", "-h", "-?", "--help-all", "--help-queries", "--help-output"])
def test_help_is_asked_for_in_many_ways(word: str) -> None:
    with pytest.raises(HelpWanted):
        parse(PROGRAM, [word])


def test_a_mistake_before_help_is_answered_first() -> None:
    with pytest.raises(CommandLineError):
        parse(PROGRAM, ["--nope", "--help"])


def test_joined_letters_are_taken_apart_but_numbers_are_not() -> None:
    assert split_short_options(["-lq", "-fname", "-f", "-x", "-25", "-INFINITY", "-"], "f") == [
        "-l",
        "-q",
        "-f",
        "name",
        "-f",
        "-x",
        "-25",
        "-INFINITY",
        "-",
    ]


def test_the_short_help_names_the_groups_but_not_their_options() -> None:
    assert format_help(PROGRAM) == (
        "Usage:\n"
        "  crm_example [OPTION…]\n"
        "\n"
        "crm_example - show how options work\n"
        "\n"
        "Help Options:\n"
        "  -h, --help             Show help options\n"
        "  --help-all             Show all help options\n"
        "  --help-output          Show output help\n"
        "  --help-queries         Show query help\n"
        "\n"
        "Application Options:\n"
        "  -$, --version          Display software version and exit\n"
        "  -V, --verbose          Increase debug output (may be specified multiple times)\n"
        "  -q, --quiet            Say less\n"
        "\n"
    )


def test_a_groups_help_indents_further_lines_and_hides_what_is_hidden() -> None:
    shown = format_help(PROGRAM, only=PROGRAM.groups[0])
    assert "  -f, --find=NAME        Find a thing,\n    wherever it is\n" in shown
    assert "secret" not in shown


def test_help_has_no_letter_of_its_own_where_a_command_uses_it() -> None:
    program = Program("x", "", options=(Option("history", "h"),), formats=())
    assert "  -?, --help" in format_help(program)
