"""Help, from one source: ``manual.txt`` beside this file. I/O: reads that file.

The file also makes the man page (:func:`man_page`) and tells completion what commands do. Its form:
``= level: NAME`` or ``= topic: NAME`` begins a chapter and ``== command: NAME`` a command of the
level; ``short:`` and ``usage:`` lines follow, then a blank line and the text.
"""

from functools import cache
from importlib.resources import files

from hatools.shell.commands import Command, Door, Level
from hatools.values.records import dataclass, field

_GENERAL = {
    "up": ("go back to the upper level", "up"),
    "ls": ("list levels and commands", "ls"),
    "cd": ("go to another level", "cd [<level>|..[/<level>]]"),
    "quit": ("leave the shell", "quit"),
    "help": ("show help", "help [<topic>|<level>|<command>] [<command>]"),
}


@dataclass(slots=True)
class Entry:
    """Help on one thing."""

    name: str
    short: str = ""
    usage: list[str] = field(default_factory=list)
    text: str = ""


@dataclass(slots=True)
class Manual:
    """The whole manual: levels, their commands by (level, command), and topics."""

    levels: dict[str, Entry] = field(default_factory=dict)
    commands: dict[tuple[str, str], Entry] = field(default_factory=dict)
    topics: dict[str, Entry] = field(default_factory=dict)


@cache
def manual() -> Manual:
    """Read the manual."""
    return parse_manual(files("hatools.shell").joinpath("manual.txt").read_text(encoding="utf-8"))


def parse_manual(source: str) -> Manual:
    """Read the text of a manual."""
    result = Manual()
    level = ""
    entry: Entry | None = None
    for line in source.splitlines():
        if line.startswith(("= ", "== ")):
            kind, _, name = line.lstrip("= ").partition(": ")
            entry = Entry(name)
            if kind == "level":
                level = name
                result.levels[name] = entry
            elif kind == "topic":
                result.topics[name] = entry
            else:
                result.commands[level, name] = entry
        elif entry is not None and line.startswith("short: ") and not entry.text:
            entry.short = line.removeprefix("short: ")
        elif entry is not None and line.startswith("usage: ") and not entry.text:
            entry.usage.append(line.removeprefix("usage: "))
        elif entry is not None and (line or entry.text):
            entry.text += line + "\n"
    for every in (result.levels, result.topics):
        for found in every.values():
            found.text = found.text.rstrip("\n")
    for found in result.commands.values():
        found.text = found.text.rstrip("\n")
    return result


def short_help(level: str, name: str) -> str:
    """Return one line on a command or level."""
    if name in _GENERAL:
        return _GENERAL[name][0]
    entry = manual().commands.get((level, name)) or manual().levels.get(name)
    return entry.short if entry is not None else ""


def help_text(level: Level, subject: str | None, subtopic: str | None) -> str | None:
    """Return help on a subject as seen from a level; None if there is none."""
    book = manual()
    if subject is None or subject == "overview":
        return _level_text(level.name, type(level))
    if subject == "topics":
        return "\n".join(f"{entry.name:<34} {entry.short}" for entry in book.topics.values())
    if subtopic is not None:
        entry = book.commands.get((subject, subtopic))
        return _entry_text(entry) if entry is not None else None
    found = None
    try:
        found = level.find(subject)
    except ValueError:
        return None
    name = found.name if found is not None else subject
    if name in _GENERAL:
        short, usage = _GENERAL[name]
        return _entry_text(Entry(name, short, [usage]))
    entry = book.topics.get(subject)
    if entry is None and isinstance(found, Door):
        return _level_text(name, found.open())
    if entry is None:
        entry = book.commands.get((level.name, name))
    if entry is None and subject in book.levels:
        return _level_text(subject, None)
    if entry is None and isinstance(found, Command):
        entry = Entry(name, "", [name])
    return _entry_text(entry) if entry is not None else None


def _entry_text(entry: Entry) -> str:
    parts = [f"{entry.name}: {entry.short}" if entry.short else entry.name]
    if entry.usage:
        parts.append("Usage:\n" + "\n".join(f"    {line}" for line in entry.usage))
    if entry.text:
        parts.append(entry.text)
    return "\n\n".join(parts)


def _level_text(name: str, level: type[Level] | None) -> str:
    """Return what a level is about and what it offers."""
    from tabulate import tabulate

    book = manual()
    entry = book.levels.get(name)
    parts = [f"{name}: {entry.short}", entry.text] if entry is not None else [name]
    if level is not None:
        names = [known for known in level.names() if not known.startswith(("_", "-"))]
    else:
        names = [command for where, command in book.commands if where == name]
    rows = [(command, short_help(name, command)) for command in names]
    parts.append(tabulate(rows, tablefmt="plain"))
    if name == "root":
        parts.append("Topics (help <topic>): " + ", ".join(book.topics))
    return "\n\n".join(part for part in parts if part)


def man_page() -> str:
    """Return the manual as a man page."""
    book = manual()
    lines = ['.TH CRM 8 "" "hatools" "Cluster administration"', ".SH NAME", "crm \\- shell for the cluster"]
    lines += [".SH SYNOPSIS", ".B crm", "[OPTIONS] [COMMAND [ARGUMENTS]]", ".SH DESCRIPTION"]
    lines += _paragraphs(book.topics["Introduction"].text)
    lines += [".SH OPTIONS", *_paragraphs(book.topics["CommandLine"].text)]
    for level, entry in book.levels.items():
        lines += [f".SH LEVEL {_escape(level.upper())}", *_paragraphs(entry.text)]
        for (where, _), command in book.commands.items():
            if where != level:
                continue
            lines += [f".SS {_escape(command.name)}", _escape(command.short) + "."]
            for usage in command.usage:
                lines += [".PP", f".B {_escape(usage)}"]
            lines += _paragraphs(command.text)
    lines.append(".SH TOPICS")
    for topic in book.topics.values():
        lines += [f".SS {_escape(topic.name)}", *_paragraphs(topic.text)]
    lines += [".SH SEE ALSO", "crm_mon(8), crm_resource(8), crm_verify(8), cibadmin(8)"]
    return "\n".join(lines) + "\n"


def _escape(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("-", "\\-")
    return "\\&" + escaped if escaped[:1] in (".", "'") else escaped


def _paragraphs(text: str) -> list[str]:
    """Turn text into man source; indented lines are examples."""
    lines: list[str] = [".PP"] if text else []
    in_example = False
    for line in text.splitlines():
        is_example = line.startswith("    ")
        if is_example and not in_example:
            lines.append(".nf")
        if in_example and not is_example:
            lines.append(".fi")
        in_example = is_example
        lines.append(_escape(line) if line else ".PP")
    return [*lines, ".fi"] if in_example else lines
