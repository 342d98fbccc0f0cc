"""Command lines of the older commands (getopt_long, also getopt(1) in shell scripts). Pure but for :func:`show_help`.

These commands accept unambiguous beginnings of long options, print their whole help after a mistake, and lay the help
out with tabs. The error texts are the C library's.
"""

import sys
from enum import Enum

from hatools.cli.ending import Finished
from hatools.cli.identity import AUTHORS, VERSION, program_name
from hatools.values.exitcode import ExitCode
from hatools.values.records import dataclass, field

__all__ = [
    "Entry",
    "GnuLine",
    "GnuProgram",
    "Style",
    "begin",
    "format_help",
    "parse",
    "print_version",
    "refuse_words",
    "show_help",
    "wrong_use",
]


class Style(Enum):
    """How an entry of the help is laid out."""

    OPTION = "option"
    PARAGRAPH = "paragraph"
    EXAMPLE = "example"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Entry:
    """An option, or (without names) a line of text in the help.

    ``argument``: 0 none, 1 required, 2 optional (only attached with ``=`` or directly after the letter).
    """

    long: str = ""
    short: str = ""
    text: str = ""
    argument: int = 0
    style: Style = Style.OPTION


@dataclass(frozen=True, slots=True)
class GnuProgram:
    """A command's interface; the entries are in the order of its help."""

    name: str
    description: str
    usage: str
    entries: tuple[Entry, ...]


@dataclass(slots=True)
class GnuLine:
    """``events``: (short letter or, without one, long name; value) in order; ``errors``: complaints in order;
    ``rest``: the other words."""

    events: list[tuple[str, str | None]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)

    def has(self, name: str) -> bool:
        """Say whether an option was given."""
        return any(event == name for event, _ in self.events)

    def get(self, name: str) -> str | None:
        """Return the last value of an option."""
        return next((value for event, value in reversed(self.events) if event == name), None)


def parse(entries: tuple[Entry, ...], argv: list[str], program: str | None = None) -> GnuLine:
    """Read a command line as getopt_long does; errors are collected, an erroneous option gives the event ``?``."""
    line = GnuLine()
    name = program if program is not None else program_name()
    longs = {entry.long: entry for entry in entries if entry.long}
    shorts = {entry.short: entry for entry in entries if entry.short}
    at = 0
    while at < len(argv):
        word = argv[at]
        at += 1
        if word == "--":
            line.rest.extend(argv[at:])
            break
        if word.startswith("--"):
            at = _long(line, name, longs, argv, at)
        elif word.startswith("-") and len(word) > 1:
            at = _short(line, name, shorts, argv, at)
        else:
            line.rest.append(word)
    return line


def _fail(line: GnuLine, text: str) -> None:
    line.errors.append(text)
    line.events.append(("?", None))


def _long(line: GnuLine, name: str, longs: dict[str, Entry], argv: list[str], at: int) -> int:
    given, separator, value = argv[at - 1][2:].partition("=")
    entry = longs.get(given)
    if entry is None:
        matches = [long for long in longs if long.startswith(given)]
        if not matches:
            _fail(line, f"{name}: unrecognized option '{argv[at - 1] if separator else '--' + given}'")
            return at
        candidates = {(longs[long].short, longs[long].argument) if longs[long].short else long for long in matches}
        if len(candidates) > 1:
            shown = " ".join(f"'--{long}'" for long in matches)
            _fail(line, f"{name}: option '{argv[at - 1]}' is ambiguous; possibilities: {shown}")
            return at
        entry = longs[matches[0]]
    event = entry.short or entry.long
    if entry.argument == 0:
        if separator:
            _fail(line, f"{name}: option '--{entry.long}' doesn't allow an argument")
        else:
            line.events.append((event, None))
    elif separator:
        line.events.append((event, value))
    elif entry.argument == 2:
        line.events.append((event, None))
    elif at < len(argv):
        line.events.append((event, argv[at]))
        at += 1
    else:
        _fail(line, f"{name}: option '--{entry.long}' requires an argument")
    return at


def _short(line: GnuLine, name: str, shorts: dict[str, Entry], argv: list[str], at: int) -> int:
    letters = argv[at - 1][1:]
    for position, letter in enumerate(letters, 1):
        entry = shorts.get(letter)
        if entry is None:
            _fail(line, f"{name}: invalid option -- '{letter}'")
            continue
        if entry.argument == 0:
            line.events.append((letter, None))
            continue
        value = letters[position:]
        if value or entry.argument == 2:
            line.events.append((letter, value or None))
        elif at < len(argv):
            line.events.append((letter, argv[at]))
            at += 1
        else:
            _fail(line, f"{name}: option requires an argument -- '{letter}'")
        break
    return at


def format_help(program: GnuProgram) -> str:
    """Return the help screen."""
    parts = [f"{program.name} - {program.description}\nUsage: {program.name} {program.usage}\nOptions:\n"]
    for entry in program.entries:
        parts.append(_help_line(entry))
    parts.append("\nReport bugs to users@clusterlabs.org\n")
    return "".join(parts)


def _help_line(entry: Entry) -> str:
    if entry.style is Style.HIDDEN:
        return ""
    if entry.style is Style.PARAGRAPH:
        return f"{entry.text}\n\n"
    if entry.style is Style.EXAMPLE:
        return f"\t# {entry.text.lstrip('# ')}\n\n" if entry.text else "\n"
    if not entry.long:
        return f"{entry.text}\n"
    lead = f" -{entry.short}," if entry.short else "    "
    value = ("", "=value", "[=value]")[entry.argument]
    return f"{lead} --{entry.long}{value}\t{entry.text}\n"


def print_version() -> None:
    """Answer ``--version``."""
    print(f"Pacemaker {VERSION}\nWritten by {AUTHORS}")


def begin(program: GnuProgram, argv: list[str]) -> GnuLine:
    """Read a command's own command line.

    Raises:
        Finished: it is wrong, which was answered with the help.
    """
    line = parse(program.entries, argv)
    for complaint in line.errors:
        print(complaint, file=sys.stderr)
    # getopt answers "?" for an unknown option, so that -? counts as one where --help does not.
    if line.errors or not argv or "-?" in argv:
        raise wrong_use(program)
    return line


def refuse_words(program: GnuProgram, line: GnuLine) -> None:
    """Answer words that are no options.

    Raises:
        Finished: there are some.
    """
    if line.rest:
        print(f"non-option ARGV-elements: {' '.join(line.rest)} ")
        raise wrong_use(program)


def wrong_use(program: GnuProgram) -> Finished:
    """Print the help after a mistake that has been named; return what ends the command."""
    return Finished(show_help(program, ExitCode.USAGE))


def show_help(program: GnuProgram, code: int) -> int:
    """Print the help, after a mistake to standard error; return the exit status."""
    print(format_help(program), end="", file=sys.stderr if code else sys.stdout)
    return code
