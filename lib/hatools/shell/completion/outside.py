"""Completion for the shells from which ``crm`` is called: one process per question. I/O: prints the answer."""

from collections.abc import Sequence

from hatools.shell.completion import suggest


def complete_for_bash(argv: Sequence[str]) -> int:
    """Print suggestions for bash, ``--compgen POINT LINE``, or for zsh, ``--compgen POINT LINE whole``."""
    from hatools.shell.levels.root import Root
    from hatools.shell.session import Session

    if len(argv) < 2:
        return 0
    line = argv[1][: int(argv[0])] if argv[0].isdigit() else argv[1]
    at = line.find("crm")
    line = line[at + 3 :].lstrip() if at >= 0 else line
    last = "" if line.endswith(" ") or not line else line.split()[-1]
    cut = 0 if "whole" in argv[2:] else max(map(last.rfind, ":=")) + 1  # where bash begins a new word
    for suggestion in suggest(Session(), Root, line):
        print(suggestion.text[cut:])
    return 0
