"""Colours of the line that is being typed."""

from hatools.shell.levels.root import Root
from hatools.shell.prompt import coloured


def test_levels_commands_names_and_values_are_told_apart() -> None:
    assert coloured(Root, "configure property a='b c' d") == [
        ("ansigreen bold", "configure"),
        ("", " "),
        ("ansigreen bold", "property"),
        ("", " "),
        ("ansicyan", "a"),
        ("", "="),
        ("ansiyellow", "'b c'"),
        ("", " "),
        ("", "d"),
    ]


def test_what_is_no_command_stays_plain() -> None:
    assert coloured(Root, "nonsense x") == [("", "nonsense"), ("", " "), ("", "x")]
    assert coloured(Root, "# a remark")[0] == ("ansibrightblack", "#")
