"""A program on a pseudo-terminal, seen as a person sees it: what is on the screen, not what was written to it. I/O.

``pexpect`` runs the program, ``pyte`` is the terminal: it keeps the screen and answers the program's questions
(where is the cursor?).
"""

import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pexpect
import pyte

SOURCE = Path(__file__).resolve().parents[2]
KEYS = {
    "enter": "\r",
    "tab": "\t",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "left": "\x1b[D",
    "home": "\x01",
    "end": "\x05",
    "backspace": "\x7f",
    "escape": "\x1b",
    "ctrl-c": "\x03",
    "ctrl-d": "\x04",
    "ctrl-r": "\x12",
    "ctrl-w": "\x17",
}


class _Screen(pyte.HistoryScreen):
    """A screen that can answer what the program asks of its terminal."""

    answer: Callable[[str], object]

    def write_process_input(self, data: str) -> None:
        self.answer(data)


class Terminal:
    """One of our commands on a terminal of its own.

    Args:
        words: the command's name in ``bin/`` and its arguments; or any program's path and arguments.
        environment: the whole environment of the command.
    """

    def __init__(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        *,
        rows: int = 40,
        columns: int = 120,
        folder: Path | None = None,
        timeout_s: float = 30.0,
    ) -> None:
        self.timeout_s = timeout_s
        self._screen = _Screen(columns, rows, history=5000)
        self._stream = pyte.Stream(self._screen)
        program = (
            list(words) if words[0].startswith("/") else [sys.executable, str(SOURCE / "bin" / words[0]), *words[1:]]
        )
        self.child: Any = pexpect.spawn(
            program[0],
            program[1:],
            env={**environment, "TERM": "xterm", "PROMPT_TOOLKIT_COLOR_DEPTH": "DEPTH_1_BIT"},
            dimensions=(rows, columns),
            cwd=str(folder) if folder is not None else None,
            encoding="utf-8",
            timeout=timeout_s,
        )
        self.child.delaybeforesend = None
        self._screen.answer = self.child.send

    def type(self, text: str, *keys: str) -> None:
        """Type a text, then press keys named as in ``KEYS``."""
        self.child.send(text)
        self.press(*keys)

    def enter(self, line: str) -> None:
        """Type a line and its end."""
        self.type(line, "enter")

    def press(self, *keys: str) -> None:
        """Press keys."""
        for key in keys:
            self.child.send(KEYS.get(key, key))

    def resize(self, rows: int, columns: int) -> None:
        """Change the size of the window."""
        self._screen.resize(rows, columns)
        self.child.setwinsize(rows, columns)

    @property
    def lines(self) -> list[str]:
        """What is on the screen, without blanks at the ends of lines."""
        return [str(line).rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        return "\n".join(self.lines).strip("\n")

    @property
    def scrollback(self) -> str:
        """All that was shown, what scrolled away included."""
        width = self._screen.columns
        gone = ["".join(row[column].data for column in range(width)).rstrip() for row in self._screen.history.top]
        return "\n".join([*gone, *self.lines]).strip("\n")

    @property
    def bottom(self) -> str:
        """The last line that is not empty."""
        return next((line for line in reversed(self.lines) if line), "")

    @property
    def cursor(self) -> str:
        """The line in which the cursor stands, up to the cursor."""
        return str(self._screen.display[self._screen.cursor.y])[: self._screen.cursor.x]

    def wait_until(
        self, condition: Callable[["Terminal"], bool], what: str = "", timeout_s: float | None = None
    ) -> str:
        """Wait until the screen is as wanted; return its text."""
        deadline = time.monotonic() + (timeout_s or self.timeout_s)
        while not condition(self):
            left = deadline - time.monotonic()
            assert left > 0, f"never came: {what or condition}; the screen:\n{self.text}"
            self._read(min(left, 0.2))
        return self.text

    def shows(self, pattern: str, timeout_s: float | None = None) -> str:
        """Wait until a pattern is on the screen; return its text."""
        return self.wait_until(lambda t: re.search(pattern, t.text, re.M) is not None, pattern, timeout_s)

    def prompt(self, level: str = "", timeout_s: float | None = None) -> str:
        """Wait for an empty prompt of the crm shell at a level; return the screen's text."""
        return self.wait_until(
            lambda t: t.cursor.startswith("crm(") and t.cursor.endswith(f"){level}# "),
            f"prompt of {level!r}",
            timeout_s,
        )

    def run(self, line: str, level: str = "") -> str:
        """Enter a line at the crm shell and wait for the next prompt; return what the line put out."""
        before = self.scrollback.count(f"# {line}")
        self.enter(line)
        self.wait_until(lambda t: t._is_done(line, before, level), f"end of {line!r}")
        whole = self.scrollback
        start = whole.rfind(f"# {line}")
        return whole[start + len(line) + 2 : whole.rfind("\ncrm(")].strip("\n")

    def _is_done(self, line: str, before: int, level: str) -> bool:
        """Say whether a prompt follows the line, which was on the screen ``before`` times already."""
        is_prompt = self.cursor.startswith("crm(") and self.cursor.endswith(f"){level}# ")
        return is_prompt and self.scrollback.count(f"# {line}") > before

    def _read(self, timeout_s: float) -> None:
        try:
            self._stream.feed(self.child.read_nonblocking(65536, timeout_s))
        except pexpect.TIMEOUT:
            return
        except pexpect.EOF:
            self.child.wait() if self.child.isalive() else None
            raise AssertionError(f"the program ended ({self.child.exitstatus}); the screen:\n{self.text}") from None

    def end(self) -> int:
        """Wait for the end of the program; return its exit status, minus a signal that killed it."""
        deadline = time.monotonic() + self.timeout_s
        while time.monotonic() < deadline:
            try:
                self._stream.feed(self.child.read_nonblocking(65536, 0.2))
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                break
        self.child.close()
        return int(self.child.exitstatus if self.child.exitstatus is not None else -self.child.signalstatus)

    def close(self) -> None:
        """End the program whatever it does."""
        self.child.close(force=True)
