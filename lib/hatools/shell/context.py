"""Where the person is in the tree of levels, and how a line is run there."""

import sys
from typing import TYPE_CHECKING

from hatools.parser.tokens import check_characters, split_words
from hatools.shell.commands import LONGEST_NAME, SKILLS, Command, CommandError, Door, Level
from hatools.values.errors import HatoolsError

if TYPE_CHECKING:
    from hatools.shell.session import Session


class Leave(Exception):
    """The person leaves the shell; carries the exit status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class UnknownCommandError(CommandError):
    """A word names neither a command nor a level."""


def _nearest(level: Level, word: str) -> str:
    """Return what could have been meant by a word."""
    from difflib import get_close_matches

    names = [name for name in level.entries() if name[0] not in "_-"]
    found = get_close_matches(word[:LONGEST_NAME], names, n=3, cutoff=0.6)
    if not found:
        return f"`ls` lists what there is{' in ' + level.name if level.name != 'root' else ''}"
    return f"  did you mean {' or '.join(repr(name) for name in found)}?"


class Context:
    """A stack of levels.

    A line may pass through levels to a command (``configure show``); afterwards the person is back
    where the line began, unless the line ended at a level.
    """

    def __init__(self, session: "Session", root: type[Level]) -> None:
        self.session = session
        self._stack: list[Level] = [root(session)]
        self._mark = 0
        self._passing = False
        self._waits = False
        self.word = "None"  # what messages about the very first line have always called it
        self.arguments: list[str] = []

    @property
    def level(self) -> Level:
        """The level the person is at."""
        return self._stack[-1]

    @property
    def has_upper_level(self) -> bool:
        return len(self._stack) > 1

    @property
    def path(self) -> str:
        """Names of the levels below the root, as the prompt shows them."""
        return " ".join(level.name for level in self._stack[1:])

    @property
    def command_name(self) -> str:
        """The command being run with its levels, for messages."""
        return ".".join([*(level.name for level in self._stack[1:]), self.word])

    def run(self, line: str) -> bool:
        """Run a line; return whether it succeeded."""
        line = line.strip()
        if not line or line.startswith("#"):
            return True
        self._mark = len(self._stack)
        self._passing = self._waits = False
        is_command = False
        succeeded = True
        try:
            check_characters(line)
            words = [word.text for word in split_words(line)]
            if len(words) > 1 and words[-1] in ("-h", "--help") and words[-2] == "property":
                words[-2:] = ["help", "property"]
            entry = self._walk(words)
            if entry is not None:
                is_command = True
                succeeded = self._execute(entry)
        except (CommandError, HatoolsError, ValueError, OSError) as error:
            self.session.console.error(f"{self.command_name}: {error}")
            if isinstance(error, UnknownCommandError):
                level, word = self.level, self.word
                self.session.console.detail(lambda: _nearest(level, word))
            succeeded = False
        if is_command or not succeeded:
            succeeded = self._return() and succeeded
        if succeeded and self._waits:
            return self.session.wait_until_settled(self.word)
        return succeeded

    def _walk(self, words: list[str]) -> Command | None:
        """Enter the levels that the line names; return the command at its end, if there is one."""
        remaining = list(words)
        while remaining:
            self.word = remaining.pop(0)
            self.arguments = remaining
            entry = self.level.find(self.word)
            if entry is None:
                raise UnknownCommandError("No such command")
            self._tell_spelling(entry)
            self.word = entry.name
            if isinstance(entry, Command):
                return entry
            self.enter(entry)
        return None

    def _tell_spelling(self, entry: Command | Door) -> None:
        console = self.session.console
        if self.word in entry.aliases and self.word not in ("-h", "--help"):
            console.warning(f"This command '{self.word}' is deprecated, please use '{entry.name}'")
        if self.word != entry.name:
            console.info(f'"{self.word}" is accepted as "{entry.name}"')

    def _execute(self, entry: Command) -> bool:
        entry.check_arguments(len(self.arguments))
        preferences = self.session.preferences
        if SKILLS.index(preferences.get("core", "skill_level")) < entry.skill:
            raise CommandError(f"ACL {SKILLS[entry.skill]} skill level required")
        result = entry.function(self.level, self, *self.arguments)
        if result and preferences.flag("core", "wait"):
            self._waits = entry.waits or (
                self.level.should_wait() and (self._passing or not self.session.is_interactive)
            )
        return result is not False

    def enter(self, door: Door) -> None:
        """Go into a sublevel."""
        if not self.session.is_interactive and not self.arguments:
            self.session.become_interactive()
        self._passing = True
        level = door.open()(self.session)
        if not level.is_usable():
            raise CommandError("Missing requirements")
        self._stack.append(level)

    def up(self) -> bool:
        """Go up one level, letting the level finish; return whether it could."""
        succeeded = True
        if self.has_upper_level:
            succeeded = self.level.leave(silently=self._passing)
            if not succeeded and self.session.is_interactive:
                return False  # what could not be committed is still there to be corrected
            self._stack.pop()
        return succeeded

    def remember_level(self) -> None:
        """Make the present level the one to which the line returns."""
        self._mark = len(self._stack)

    def _return(self) -> bool:
        succeeded = True
        while self._mark > 0 and len(self._stack) > self._mark:
            depth = len(self._stack)
            succeeded = self.up() and succeeded
            if len(self._stack) == depth:
                break
        return succeeded

    def quit(self, status: int = 0) -> None:
        """Leave the shell from wherever the person is."""
        # A person may be in a level above which another has something pending; a file ends where it ends.
        leaving = reversed(self._stack) if self.session.is_interactive else [self.level]
        succeeded = all(level.leave() for level in leaving)
        if not succeeded and self.session.is_interactive and not status:
            raise CommandError("not left: what is pending would be lost")
        if self.session.is_interactive and not self.session.is_batch:
            print("bye")
        sys.stdout.flush()
        raise Leave(status if succeeded or status else 1)

    def fail(self, text: str) -> None:
        """Give up the command with a message."""
        raise CommandError(text)

    def info(self, text: str) -> None:
        """Tell something in the command's name."""
        self.session.console.info(f"{self.command_name}: {text}")

    def warning(self, text: str) -> None:
        """Warn in the command's name."""
        self.session.console.warning(f"{self.command_name}: {text}")

    def error(self, text: str) -> None:
        """Tell of an error in the command's name, and go on."""
        self.session.console.error(f"{self.command_name}: {text}")
