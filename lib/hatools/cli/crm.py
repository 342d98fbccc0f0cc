"""``crm``: the crm shell's command line. I/O.

With a command it runs that and ends; with a level, or nothing, on a terminal it asks for more;
without a terminal it reads commands from standard input.
"""

import gc
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hatools.shell.context import Context
    from hatools.shell.session import Session

VERSION_TEXT = "crm 4.4.0"
_USAGE = """usage: crm [-h|--help] [OPTIONS] [SUBCOMMAND ARGS...]
or crm help SUBCOMMAND

For a list of available subcommands, use crm help.

Use crm without arguments for an interactive session.
Call a subcommand directly for a "single-shot" use.
Call crm with a level name as argument to start an interactive
session from that level.

See the crm(8) man page or call crm help for more details."""
_OPTIONS_HELP = """
options:
  -h, --help            show this help message and exit
  --version             show the version and exit
  -f FILE, --file FILE  read commands from a file; - is standard input
  -c CIB, --cib CIB     work on this shadow CIB, as after `cib use CIB`
  -D OUTPUT_TYPE, --display OUTPUT_TYPE
                        plain, color, color-always or uppercase
  -F, --force           go on where the shell would ask
  -n, --no              answer every question with no
  -w, --wait            wait after each command until the cluster has settled
  -H DIR|FILE|SESSION, --history DIR|FILE|SESSION
                        the report or saved session that `history` examines
  -d, --debug           show debugging output
  -R, --regression-tests
                        show each command before it is run
  --scriptdir DIR       more folders with cluster scripts, separated by ;
  -X PROFILE            write profiling data to a file
  -o OPTION=VALUE, --opt OPTION=VALUE
                        change a preference for this run, may be repeated
  --output-as FORMAT    text or json, for `status` and `configure show`"""

_FLAGS = {
    "-F": "force",
    "--force": "force",
    "-n": "no",
    "--no": "no",
    "-w": "wait",
    "--wait": "wait",
    "-d": "debug",
    "--debug": "debug",
    "-R": "regression",
    "--regression-tests": "regression",
    "-h": "help",
    "--help": "help",
    "--version": "version",
}
_VALUED = {
    "-f": "file",
    "--file": "file",
    "-c": "cib",
    "--cib": "cib",
    "-D": "display",
    "--display": "display",
    "-H": "history",
    "--history": "history",
    "--scriptdir": "scriptdir",
    "-X": "profile",
    "-o": "opt",
    "--opt": "opt",
    "--output-as": "output",
}


class _CommandLine:
    """The options, and the words of the subcommand behind them."""

    def __init__(self) -> None:
        self.flags: set[str] = set()
        self.values: dict[str, list[str]] = {}
        self.words: list[str] = []
        self.problem = ""

    def value(self, name: str) -> str:
        return self.values.get(name, [""])[-1]


def _read_command_line(argv: Sequence[str]) -> _CommandLine:
    """Read options up to the first word; what is no option of ours is ignored, as it always was."""
    line = _CommandLine()
    index = 0
    while index < len(argv):
        word = argv[index]
        index += 1
        name, equals, attached = word.partition("=")
        if word in _FLAGS:
            line.flags.add(_FLAGS[word])
        elif word in _VALUED or (word.startswith("--") and equals and name in _VALUED):
            if not equals:
                if index >= len(argv):
                    line.problem = f"argument {_spellings(word)}: expected one argument"
                    break
                attached = argv[index]
                index += 1
            line.values.setdefault(_VALUED[name], []).append(attached)
        elif word[:2] in _VALUED and not word.startswith("--") and len(word) > 2:
            line.values.setdefault(_VALUED[word[:2]], []).append(word[2:])
        elif not word.startswith("-") or word == "-":
            line.words = list(argv[index - 1 :])
            break
    return line


def _spellings(option: str) -> str:
    return "/".join(name for name, meaning in _VALUED.items() if meaning == _VALUED[option])


def main(argv: list[str]) -> int:
    """Run the shell; return the exit status."""
    if argv[:1] == ["--compgen"]:
        from hatools.shell.completion.outside import complete_for_bash

        return complete_for_bash(argv[1:])
    line = _read_command_line(argv)
    if line.problem:
        print(f"{_USAGE}\ncrm: error: {line.problem}", file=sys.stderr)
        return 2
    if "help" in line.flags:
        print(_USAGE + "\n" + _OPTIONS_HELP)
        return 0
    if "version" in line.flags:
        print(VERSION_TEXT)
        return 0
    if line.words and line.words[0] == "lab":
        # What follows may be a command line for a node: it must reach it word for word.
        from hatools.lab.command import main as run_lab

        return run_lab(list(line.words[1:]))
    if line.values.get("profile"):
        return _profiled(line)
    return _run(line)


def _profiled(line: _CommandLine) -> int:
    import cProfile

    profile = cProfile.Profile()
    try:
        return profile.runcall(_run, line)
    finally:
        profile.dump_stats(line.value("profile"))


def _run(line: _CommandLine) -> int:
    from hatools.shell.context import Context, Leave
    from hatools.shell.levels.root import Root
    from hatools.shell.session import Session

    gc.set_threshold(200_000)  # most runs are too short for garbage to matter
    session = Session()
    try:
        _apply(session, line)
    except ValueError as error:
        session.console.error(str(error))
        return 1
    context = Context(session, Root)
    try:
        return _serve(session, context, line)
    except Leave as leave:
        return leave.status
    except KeyboardInterrupt:
        print("Ctrl-C, leaving")
        return 1


def _apply(session: "Session", line: _CommandLine) -> None:
    """Apply the options.

    Raises:
        ValueError: an option's value is wrong.
    """
    preferences = session.preferences
    if line.value("display"):
        preferences.set("color", "style", line.value("display"))
    for name in ("force", "wait", "debug"):
        if name in line.flags:
            preferences.set("core", name, "true")
    for setting in line.values.get("opt", []):
        option, equals, value = setting.partition("=")
        section, dot, name = option.partition(".")
        if not equals or not dot:
            reason = "not enough values to unpack (expected 2, got 1)"
            raise ValueError(f"Expected -o <section>.<name>=<value>: {reason}")
        preferences.set(section, name, value)
    session.console.asks_no = "no" in line.flags
    session.history_source = line.value("history")
    session.script_folder = line.value("scriptdir")
    session.output_format = line.value("output") or "text"
    if session.output_format not in ("text", "json"):
        raise ValueError(f"Expected --output-as text or json, not '{session.output_format}'")
    session.traces = "regression" in line.flags
    session.is_batch = bool(line.value("file")) or not (sys.stdin.isatty() and sys.stdout.isatty())
    session.is_interactive = not session.is_batch
    session.console.may_ask = sys.stdin.isatty() and sys.stdout.isatty() and not line.value("file")


def _serve(session: "Session", context: "Context", line: _CommandLine) -> int:
    if line.value("cib") and not context.run("cib use " + line.value("cib")):
        return 1
    if len(line.words) == 1 and line.words[0].startswith("conf"):
        if not context.run("configure"):
            return 1
    elif line.words:
        session.is_interactive = False
        if not context.run(" ".join(_with_quotes(session, line.words))):
            return 1
        if not context.has_upper_level:
            return 0
        session.become_interactive()
    if session.is_interactive:
        from hatools.shell.prompt import interact

        return interact(session, context)
    return _run_lines(session, context, line.value("file"))


def _with_quotes(session: "Session", words: Sequence[str]) -> Iterator[str]:
    """Quote words with blanks again, so that nobody has to protect quotes from the calling shell."""
    for word in words:
        if session.preferences.flag("core", "add_quotes") and (" " in word or word == ""):
            quote = "'" if '"' in word else '"'
            yield word if quote in word else f"{quote}{word}{quote}"
        else:
            yield word


def _run_lines(session: "Session", context: "Context", path: str) -> int:
    """Run the lines of a file or of standard input; the status tells whether all succeeded."""
    if path and path != "-":
        try:
            with open(path, encoding="utf-8", errors="surrogateescape") as file:
                lines = file.read().split("\n")
        except OSError as error:
            session.console.error(str(error))
            print(_USAGE.split("\n", 1)[0], file=sys.stderr)
            return 2
    else:
        lines = sys.stdin.read().split("\n")
    status = 0
    for line in _joined(lines):
        if not context.run(line):
            status = 1
            if session.configuration.was_rejected:
                # The cluster refused the configuration: what follows counted on it.
                return 1
    context.quit(status)
    return status


def _joined(lines: Sequence[str]) -> Iterator[str]:
    """Join lines that end in a backslash with the next ones."""
    parts: list[str] = []
    for line in lines:
        stripped = line.strip()
        if stripped.endswith("\\"):
            parts.append(stripped.rstrip("\\"))
        else:
            yield "".join([*parts, stripped])
            parts = []
    if parts:
        yield "".join(parts)
