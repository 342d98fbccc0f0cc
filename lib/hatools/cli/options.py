"""Command lines of the newer commands (GLib's option parser as Pacemaker uses it). Pure but for :func:`begin`.

A command declares a :class:`Program`: groups of options with their help. Parsing, help screens, error texts and exit
codes follow from the declaration, exactly as the original words them, because scripts and other tools read them
(``pcs`` greps ``--help-all``, ``crmsh`` greps ``--help``).

Typical use::

    def main(argv: list[str]) -> int:
        try:
            line, out = begin(PROGRAM, argv)
        except Finished as finished:
            return finished.code
        ...
        return out.finish(code)
"""

import os
import sys

from hatools.cli.ending import Finished
from hatools.cli.identity import AUTHORS, FEATURES, VERSION, program_name
from hatools.cli.output import Output, OutputError, open_output
from hatools.values.exitcode import ExitCode
from hatools.values.records import dataclass, field

__all__ = [
    "AUTHORS",
    "FEATURES",
    "VERSION",
    "CommandLine",
    "CommandLineError",
    "Finished",
    "Group",
    "HelpWanted",
    "Option",
    "Program",
    "begin",
    "begin_or_fail",
    "format_help",
    "parse",
    "print_help",
    "program_name",
]

_PADDING = 4


@dataclass(frozen=True, slots=True)
class Option:
    """One option.

    ``argument`` is the placeholder in the help; empty means a flag. ``optional``: the argument may be left out.
    ``integer``: the argument is checked to be a number. ``hidden``: not in any help. ``unnamed``: the argument has no
    placeholder. ``also`` names further long spellings (hidden ones); events carry the name in ``long``.
    """

    long: str
    short: str = ""
    description: str = ""
    argument: str = ""
    optional: bool = False
    integer: bool = False
    hidden: bool = False
    also: tuple[str, ...] = ()
    unnamed: bool = False

    @property
    def takes_argument(self) -> bool:
        """Say whether an argument follows; one that is optional may have no placeholder."""
        return bool(self.argument) or self.optional or self.unnamed


@dataclass(frozen=True, slots=True)
class Group:
    """A titled block of options with its own ``--help-NAME``."""

    name: str
    title: str
    help: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """A command's whole interface.

    ``parameters`` follows ``[OPTION?]`` in the usage line. ``formats`` are the output formats, the default first; none
    means that the command has no output options. ``special`` lists short options whose argument may be written without
    a blank (``-n5``) and may start with a dash. ``indent`` is how far the further lines of a description are indented.
    """

    name: str
    summary: str
    groups: tuple[Group, ...] = ()
    options: tuple[Option, ...] = ()
    epilogue: str = ""
    parameters: str = ""
    formats: tuple[str, ...] = ("text", "xml")
    special: str = ""
    indent: int = 0


class CommandLineError(Exception):
    """The command line is wrong; the text is the original's."""


class HelpWanted(Exception):
    """The command line asks for a help screen; ``text`` is it."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


@dataclass(slots=True)
class CommandLine:
    """What was given: ``events`` in the order of the command line (long name, value), then the other words."""

    argv: list[str]
    events: list[tuple[str, str | None]] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)

    def has(self, name: str) -> bool:
        """Say whether an option was given."""
        return any(event[0] == name for event in self.events)

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the last value given for an option."""
        for event, value in reversed(self.events):
            if event == name:
                return default if value is None else value
        return default

    def last_of(self, names: tuple[str, ...]) -> str | None:
        """Return which of some options came last: of commands that exclude each other it counts."""
        return next((event for event, _ in reversed(self.events) if event in names), None)

    def all(self, name: str) -> list[str]:
        """Return every value given for an option, in order."""
        return [value for event, value in self.events if event == name and value is not None]

    def number(self, name: str, default: int = 0) -> int:
        """Return the last value of an option that was declared to be an integer."""
        value = self.get(name)
        return default if value is None else int(value, 0)

    @property
    def verbosity(self) -> int:
        """How often ``-V`` was given."""
        return sum(1 for event, _ in self.events if event == "verbose")


_COMMON = (
    Option("version", "$", "Display software version and exit"),
    Option("verbose", "V", "Increase debug output (may be specified multiple times)"),
)


_HTML_OPTIONS = (
    Option("html-cgi", "", "Add CGI headers (requires --output-as=html)"),
    Option("html-stylesheet", "", "Link to an external stylesheet (requires --output-as=html)", "URI"),
    Option("html-title", "", "Specify a page title (requires --output-as=html)", "TITLE"),
)


def _output_group(formats: tuple[str, ...]) -> Group:
    shown = ", ".join(f"{name} (default)" if number == 0 else name for number, name in enumerate(formats))
    return Group(
        "output",
        "Output Options:",
        "Show output help",
        (
            Option("output-as", "", f"Specify output format as one of: {shown}", "FORMAT"),
            Option("output-to", "", 'Specify file name for output (or "-" for stdout)', "DEST"),
            *(_HTML_OPTIONS if "html" in formats else ()),
            *(
                (Option("text-fancy", "", "Use more highly formatted output (requires --output-as=text)"),)
                if "text" in formats
                else ()
            ),
        ),
    )


def _all_groups(program: Program) -> tuple[Group, ...]:
    return ((_output_group(program.formats),) if program.formats else ()) + program.groups


def _main_options(program: Program) -> tuple[Option, ...]:
    return _COMMON + program.options


def program_groups(program: Program) -> tuple[Group, ...]:
    """Return every group of a program's options, the output's and the application's own included."""
    return (*_all_groups(program), Group("application", "Application Options:", "", _main_options(program)))


# Parsing


def parse(program: Program, argv: list[str]) -> CommandLine:
    """Read a command line.

    Raises:
        CommandLineError: it is wrong.
        HelpWanted: it asks for help before anything wrong.
    """
    return _Parser(program, argv).run()


class _Parser:
    """One pass over the words, after joined short options have been taken apart."""

    def __init__(self, program: Program, argv: list[str]) -> None:
        self.program = program
        self.line = CommandLine(list(argv))
        self.words = split_short_options(argv, program.special)
        self.at = 0
        self.long: dict[str, Option] = {}
        self.short: dict[str, Option] = {}
        for option in (*_main_options(program), *(o for group in _all_groups(program) for o in group.options)):
            for name in (option.long, *option.also):
                self.long.setdefault(name, option)
            if option.short:
                self.short.setdefault(option.short, option)

    def run(self) -> CommandLine:
        while self.at < len(self.words):
            word = self.words[self.at]
            self.at += 1
            if word == "--":
                self.line.rest.extend(self.words[self.at :])
                break
            if word.startswith("--"):
                self._long(word)
            elif word.startswith("-") and len(word) > 1:
                self._short(word)
            else:
                self.line.rest.append(word)
        return self.line

    def _long(self, word: str) -> None:
        name, separator, value = word[2:].partition("=")
        option = self.long.get(name)
        if option is None:
            if not separator:
                self._help(name)
            raise CommandLineError(f"Unknown option {word}")
        if not option.takes_argument:
            self.line.events.append((option.long, None))
        elif separator:
            self._add(option, value, f"--{name}")
        else:
            self._add(option, self._next(option, f"--{name}"), f"--{name}")

    def _short(self, word: str) -> None:
        for letter in word[1:]:
            if letter == "?" or (letter == "h" and "h" not in self.short):
                raise HelpWanted(format_help(self.program))
            option = self.short.get(letter)
            if option is None:
                raise CommandLineError(f"Unknown option {word}")
            if option.takes_argument:
                self._add(option, self._next(option, f"-{letter}"), f"-{letter}")
            else:
                self.line.events.append((option.long, None))

    def _next(self, option: Option, shown: str) -> str | None:
        if self.at < len(self.words):
            word = self.words[self.at]
            if not option.optional or not word.startswith("-"):
                self.at += 1
                return word
        if option.optional:
            return None
        raise CommandLineError(f"Missing argument for {shown}")

    def _add(self, option: Option, value: str | None, shown: str) -> None:
        if option.integer and value is not None:
            value = str(_integer(value, shown))
        self.line.events.append((option.long, value))

    def _help(self, name: str) -> None:
        if name == "help":
            raise HelpWanted(format_help(self.program))
        if name == "help-all":
            raise HelpWanted(format_help(self.program, every_group=True))
        for group in _all_groups(self.program):
            if name == f"help-{group.name}":
                raise HelpWanted(format_help(self.program, only=group))


def _integer(text: str, shown: str) -> int:
    """Read a number as GLib does: decimal, octal with 0, hexadecimal with 0x, 32 bits."""
    stripped = text.strip()
    digits = stripped.lstrip("+-")
    try:
        value = int(stripped, 8) if len(digits) > 1 and digits[0] == "0" and digits.isdigit() else int(stripped, 0)
    except ValueError:
        raise CommandLineError(f"Cannot parse integer value “{text}” for {shown}") from None
    if not -(2**31) <= value < 2**31:
        raise CommandLineError(f"Integer value “{text}” for {shown} out of range")
    return value


def split_short_options(argv: list[str], special: str) -> list[str]:
    """Take joined short options apart (``-VQ`` to ``-V -Q``).

    Negative numbers and ``-INFINITY`` stay whole; so does whatever follows an option in ``special``.
    """
    words: list[str] = []
    take_next = False
    for number, word in enumerate(argv):
        if word == "--":
            words.extend(argv[number:])
            break
        if take_next or word in ("-", "-INFINITY") or not word.startswith("-") or word.startswith("--"):
            words.append(word)
            take_next = False
        elif "1" <= word[1] <= "9" and word[1:].isdigit():
            words.append(word)
        else:
            take_next = _split_one(word, special, words)
    return words


def _split_one(word: str, special: str, words: list[str]) -> bool:
    for position, letter in enumerate(word[1:], 1):
        words.append(f"-{letter}")
        if letter in special:
            value = word[position + 1 :]
            if not value:
                return True
            words.append(value)
            return False
    return False


# Help


def format_help(program: Program, every_group: bool = False, only: Group | None = None) -> str:
    """Return a help screen: the short one, ``--help-all`` or that of one group."""
    groups = _all_groups(program)
    has_h = any(option.short == "h" for group in groups for option in group.options) or any(
        option.short == "h" for option in program.options
    )
    help_option = Option("help", "?" if has_h else "h", "Show help options")
    help_entries = (
        help_option,
        *((Option("help-all", "", "Show all help options"),) if groups else ()),
        *(Option(f"help-{group.name}", "", group.help) for group in groups),
    )
    everything = (*help_entries, *_main_options(program), *(option for group in groups for option in group.options))
    width = max(_width(option) for option in everything if not option.hidden) + _PADDING
    usage = f"{program.name} [OPTION…]" + (f" {program.parameters}" if program.parameters else "")
    parts = [f"Usage:\n  {usage}\n\n"]
    if program.summary:
        parts.append(f"{program.summary}\n\n")
    if only is not None:
        parts.append(_block(only.title, only.options, width, program.indent))
    else:
        parts.append(_block("Help Options:", help_entries, width, 0))
        if every_group:
            parts.extend(_block(group.title, group.options, width, program.indent) for group in groups)
        parts.append(_block("Application Options:", _main_options(program), width, program.indent))
    if program.epilogue:
        parts.append(f"{program.epilogue}\n")
    return "".join(parts)


def _width(option: Option) -> int:
    return len(option.long) + (4 if option.short else 0) + (1 + len(option.argument) if option.argument else 0)


def _block(title: str, options: tuple[Option, ...], width: int, indent: int) -> str:
    lines = [title]
    for option in options:
        if option.hidden:
            continue
        left = f"  -{option.short}, --{option.long}" if option.short else f"  --{option.long}"
        if option.argument:
            left += f"={option.argument}"
        description = option.description.replace("\n", "\n" + " " * indent)
        lines.append(f"{left.ljust(width + _PADDING)} {description}")
    return "\n".join(lines) + "\n\n"


# The start of a command


def begin(program: Program, argv: list[str]) -> tuple[CommandLine, Output]:
    """Parse the command line and open the output.

    Help, ``--version`` and errors are answered here.

    Raises:
        Finished: there is nothing left to do.
    """
    try:
        return begin_or_fail(program, argv)
    except CommandLineError as error:
        print(f"{program.name}: {error}", file=sys.stderr)
        raise Finished(ExitCode.USAGE) from None
    except OutputError as error:
        print(f"{program.name}: {error}", file=sys.stderr)
        raise Finished(ExitCode.ERROR) from None


def begin_or_fail(program: Program, argv: list[str]) -> tuple[CommandLine, Output]:
    """Do what :func:`begin` does for a command that words its own errors.

    Raises:
        Finished: help or the version was printed.
        CommandLineError, OutputError: what is wrong.
    """
    try:
        line = parse(program, argv)
    except HelpWanted as wanted:
        print_help(wanted.text)
        raise Finished(ExitCode.OK) from None
    out = open_output(
        line.get("output-as") or (program.formats[0] if program.formats else "text"),
        line.get("output-to"),
        known=program.formats or ("text",),
        request=[program.name, *argv],
        fancy=line.has("text-fancy"),
    )
    if line.has("version"):
        out.version("Pacemaker", VERSION, AUTHORS, FEATURES)
        raise Finished(out.finish(ExitCode.OK))
    return line, out


def print_help(text: str) -> None:
    """Print a help screen."""
    sys.stdout.write(_for_terminal(text))


def _for_terminal(text: str) -> str:
    """Replace what the locale's character set lacks, as GLib does; the C locale is ASCII."""
    name = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or "C"
    if "utf" in name.lower():
        return text
    return text.encode("ascii", "replace").decode("ascii")
