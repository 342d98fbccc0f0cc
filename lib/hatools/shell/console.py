"""What the shell says to the person: messages, questions, colours and long texts. I/O."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from hatools.shell.preferences import Preferences

_LEVEL_COLOURS = {"ERROR": "\033[31m", "WARNING": "\033[33m", "INFO": "\033[32m"}
_LONGEST = 5000  # characters of a message, which may quote what was typed
_CODES = {
    "black": 30,
    "red": 31,
    "green": 32,
    "yellow": 33,
    "blue": 34,
    "magenta": 35,
    "cyan": 36,
    "white": 37,
    "bold": 1,
    "dim": 2,
    "underline": 4,
    "blink": 5,
    "reverse": 7,
    "normal": 0,
}


class Console:
    """Messages, questions and colours.

    Errors go to standard error, everything else to standard output. ``number``, when above 0, is
    the statement that messages are about.
    """

    def __init__(self, preferences: "Preferences") -> None:
        self._preferences = preferences
        self.number = 0
        self.asks_no = False
        self.may_ask = False

    def error(self, text: str) -> None:
        self._say("ERROR", text, sys.stderr)

    def warning(self, text: str) -> None:
        self._say("WARNING", text, sys.stdout)

    def info(self, text: str) -> None:
        self._say("INFO", text, sys.stdout)

    def detail(self, describe: Callable[[], str]) -> None:
        """Say more about the error before, if a person reads: programs know the errors without it."""
        if sys.stderr.isatty() or self._preferences.flag("core", "debug"):
            print(describe(), file=sys.stderr, flush=True)

    def _say(self, level: str, text: str, stream: TextIO) -> None:
        if len(text) > _LONGEST:
            half = _LONGEST // 2
            text = f"{text[:half]} ... ({len(text) - 2 * half} characters) ... {text[-half:]}"
        number = f"{self.number}: " if self.number > 0 else ""
        if stream.isatty():
            level = f"{_LEVEL_COLOURS[level]}{level}\033[0m"
        print(f"{level}: {number}{text}", file=stream, flush=True)

    @contextmanager
    def numbering(self) -> Iterator[Callable[[int], None]]:
        """While open, messages carry the number that the yielded function is told."""
        saved, self.number = self.number, 0

        def tell(number: int) -> None:
            self.number = number

        try:
            yield tell
        finally:
            self.number = saved

    def ask(self, question: str) -> bool:
        """Ask a question that is answered by yes or no.

        Forced, the answer is yes and said so; where nobody can be asked it is no.
        """
        if self._preferences.flag("core", "force"):
            self.info(f"{question} [YES]")
            return True
        if self.asks_no or not self.may_ask:
            return False
        prompt = f"{question.removesuffix('?')} (y/n)? "
        while True:
            try:
                answer = input(prompt).strip().lower()
            except EOFError:
                return False
            if answer[:1] in ("y", "n"):
                return answer[0] == "y"

    def ask_or_stay(self, question: str) -> bool | None:
        """Ask like :meth:`ask`, but let the person also give no answer (``c``, or the end of input): None."""
        if self._preferences.flag("core", "force") or self.asks_no or not self.may_ask:
            return self.ask(question)
        prompt = f"{question.removesuffix('?')} (y/n/c)? "
        while True:
            try:
                answer = input(prompt).strip().lower()[:1]
            except EOFError:
                print()
                return None
            if answer and answer in "ync":
                return None if answer == "c" else answer == "y"

    def choose(self, question: str, answers: Mapping[str, str]) -> str:
        """Ask for one of several answers, each given by its first letter; empty if nobody can be asked.

        Args:
            answers: what each letter means, in the order in which they are shown.
        """
        if self.asks_no or not self.may_ask:
            return ""
        print(question)
        for letter, meaning in answers.items():
            print(f"  {letter}  {meaning}")
        prompt = f"Your choice ({'/'.join(answers)})? "
        while True:
            try:
                answer = input(prompt).strip().lower()
            except EOFError:
                return ""
            if answer[:1] in answers:
                return answer[:1]

    @property
    def has_colours(self) -> bool:
        """Whether texts are painted."""
        styles = self._preferences.get("color", "style").replace(",", " ").split()
        if "plain" in styles:
            return False
        return "color-always" in styles or ("color" in styles and sys.stdout.isatty())

    def paint(self, text: str, role: str) -> str:
        """Paint a text by its role (``keyword``, ``attr_name`` ...), as the preferences say."""
        if role == "keyword" and "uppercase" in self._preferences.get("color", "style"):
            text = text.upper()
        if not text or not self.has_colours:
            return text
        codes = ";".join(str(_CODES[name]) for name in self._preferences.colours(role) if name in _CODES)
        return f"\033[{codes}m{text}\033[0m"

    def show(self, text: str) -> None:
        """Print a text, through the pager if it is longer than an interactive screen."""
        if not text:
            return
        pager = self._preferences.get("core", "pager")
        if not self.may_ask or not sys.stdout.isatty() or not pager or not _is_long(text):
            print(text)
            return
        import shlex
        import subprocess

        environment = {**os.environ, "LESS": os.environ.get("LESS", "-RFX")}
        try:
            subprocess.run(shlex.split(pager), input=text + "\n", text=True, env=environment, check=False)
        except OSError as error:
            self.error(f"pager {pager}: {error.strerror}")
            print(text)


def _is_long(text: str) -> bool:
    import shutil

    size = shutil.get_terminal_size()
    lines = sum(1 + len(line) // max(1, size.columns) for line in text.split("\n"))
    return lines >= size.lines


def in_columns(words: list[str]) -> Iterator[str]:
    """Yield lines that list words in columns, as wide as the terminal allows."""
    if not words:
        return
    import shutil

    width = shutil.get_terminal_size().columns
    per_line = max(1, width // (max(8, *map(len, words)) + 2))
    cell = width // per_line
    for start in range(0, len(words), per_line):
        row = words[start : start + per_line]
        padded = [f"{word:<{cell}}" for word in row]
        if len(row) == per_line and per_line > 1:
            padded[-1] = row[-1]
        yield "".join(padded)
