"""How levels and commands are declared. Pure.

A level is a class; a command is one of its methods under :func:`command`, a way into another level
is a :class:`Door`. What a command is called, its aliases and the skill it takes stand in the
declaration; what it does and how it is used are told by the help text of the same name.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from hatools.values.records import dataclass

if TYPE_CHECKING:
    from hatools.shell.context import Context
    from hatools.shell.session import Session

OPERATOR, ADMINISTRATOR, EXPERT = range(3)
SKILLS = ("operator", "administrator", "expert")
LONGEST_NAME = 100
"""No name is longer: a longer word abbreviates nothing, and would take seconds to become a pattern."""

_F = TypeVar("_F", bound=Callable[..., Any])


class CommandError(ValueError):
    """A command cannot go on; the message names neither command nor level."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command's declaration."""

    name: str
    function: Callable[..., Any]
    aliases: tuple[str, ...] = ()
    skill: int = OPERATOR
    waits: bool = False

    def check_arguments(self, count: int) -> None:
        """Raise CommandError unless the command takes so many arguments."""
        code = self.function.__code__
        names = code.co_varnames[2 : code.co_argcount]
        defaults = len(self.function.__defaults__ or ())
        required = len(names) - defaults
        has_rest = bool(code.co_flags & 0x04)
        words = [*names[:required], *(f"[{name}]" for name in names[required:])]
        if has_rest:
            words.append(f"[{code.co_varnames[code.co_argcount]} ...]")
        listed = " ".join(words)
        if required == len(names) and not has_rest and count != required:
            raise CommandError(f"Expected ({listed}), takes exactly {required} arguments ({count} given)")
        if count < required:
            raise CommandError(f"Expected ({listed}), takes at least {required} arguments ({count} given)")
        if not has_rest and count > len(names):
            raise CommandError(f"Expected ({listed}), takes at most {len(names)} arguments ({count} given)")


@dataclass(frozen=True, slots=True)
class Door:
    """The way into a sublevel, which is imported when somebody goes there."""

    name: str
    module: str
    class_name: str
    aliases: tuple[str, ...] = ()

    def open(self) -> "type[Level]":
        """Return the level's class."""
        from importlib import import_module

        level: type[Level] = getattr(import_module(f"hatools.shell.levels.{self.module}"), self.class_name)
        return level


def command(name: str = "", *aliases: str, skill: int = OPERATOR, waits: bool = False) -> Callable[[_F], _F]:
    """Declare a method a command.

    Args:
        name: what it is called, by default the method's name without ``do_``.
        skill: the least skill level at which it is offered.
        waits: with ``-w`` the shell waits until the cluster has settled after it.
    """

    def declare(function: _F) -> _F:
        own_name = name or function.__name__.removeprefix("do_")
        function.declaration = Command(own_name, function, aliases, skill, waits)  # type: ignore[attr-defined]  # the mark that the table looks for
        return function

    return declare


class Level:
    """A level of the shell: the commands of one subject.

    Class attributes:
        name: as it is entered and shown in the prompt; the outermost is ``root``.
        doors: ways into sublevels.
    """

    name = ""
    doors: tuple[Door, ...] = ()

    def __init__(self, session: "Session") -> None:
        self.session = session
        self.console = session.console

    def is_usable(self) -> bool:
        """Say whether the level can be entered; if not, the reason has been shown."""
        return True

    def leave(self, *, silently: bool = False) -> bool:
        """Finish when the person leaves; return False if something went wrong."""
        return True

    def should_wait(self) -> bool:
        """Say whether leaving the level will have changed the cluster."""
        return False

    @classmethod
    def entries(cls) -> dict[str, Command | Door]:
        """Return commands and doors by name and alias, in the order in which matching tries them."""
        cached = cls.__dict__.get("_entries")
        if cached is not None:
            found: dict[str, Command | Door] = cached
            return found
        table: dict[str, Command | Door] = {}
        for attribute in sorted(dir(cls)):
            declaration = getattr(getattr(cls, attribute), "declaration", None)
            if isinstance(declaration, Command) and not (attribute == "do_up" and cls.name == "root"):
                for name in (declaration.name, *declaration.aliases):
                    table[name] = declaration
        for door in cls.doors:
            for name in (door.name, *door.aliases):
                table[name] = door
        cls._entries = table  # type: ignore[attr-defined]  # made once per class
        return table

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of commands and sublevels, without aliases."""
        return sorted({entry.name for entry in cls.entries().values()})

    @classmethod
    def find(cls, word: str) -> Command | Door | None:
        """Return what a word means: a name, else the only one it begins, else the only one it abbreviates."""
        entries = cls.entries()
        if word in entries:
            return entries[word]
        if len(word) > LONGEST_NAME:
            return None
        try:
            patterns = (re.compile(word + ".*", re.IGNORECASE), re.compile(".*".join(word) + ".*", re.IGNORECASE))
        except re.error as error:
            raise CommandError(str(error)) from None
        for pattern in patterns:
            matching = [entry for name, entry in entries.items() if pattern.match(name)]
            if len(matching) == 1:
                return matching[0]
        return None

    # Commands that every level has

    @command("up", "end", "back")
    def do_up(self, context: "Context") -> bool:
        succeeded = context.up()
        context.remember_level()
        return succeeded

    @command()
    def do_ls(self, context: "Context") -> None:
        names = sorted(name for name in self.names() if name[0] not in "-_")
        if context.has_upper_level:
            names.insert(0, "..")
        rows = max(1, len(names) // 3)
        width = max(16, *map(len, names)) + 2
        for row in range(rows):
            print("".join(f"{name:<{width}} " for name in names[row::rows]))

    @command()
    def do_cd(self, context: "Context", optarg: str = "..") -> bool:
        head, _, rest = optarg.partition("/")
        if head == "..":
            context.up()
        elif head not in (".", ""):
            door = context.level.find(head)
            if not isinstance(door, Door):
                raise CommandError(f"{head} not found in {context.level.name or 'root'}")
            context.enter(door)
        if rest:
            self.do_cd(context, rest)
        context.remember_level()
        return True

    @command("quit", "bye", "exit")
    def do_quit(self, context: "Context") -> None:
        context.quit()

    @command("help", "?", "-h", "--help")
    def do_help(self, context: "Context", subject: str | None = None, subtopic: str | None = None) -> None:
        from hatools.shell.help import help_text

        text = help_text(context.level, subject, subtopic)
        if text is None:
            raise CommandError(f"No help found for '{subtopic or subject}'! 'overview' lists all help entries")
        self.console.show(text)
