"""The terminal of a live ``crm_mon``: painting without flicker, single keys. I/O.

Only lines that changed are written, all of them in one go, so nothing blinks and a slow line
stays usable. The screen is an alternate one: what was there before comes back at the end.
"""

import os
import sys
import termios
import tty

__all__ = ["Screen", "ScreenError"]


class ScreenError(Exception):
    """There is no terminal that could be painted on."""


class Screen:
    """Paints lines on the terminal; use it in ``with``."""

    def __init__(self) -> None:
        """Take over the terminal's names.

        Raises:
            ScreenError: standard input or output is no terminal.
        """
        kind = os.environ.get("TERM", "")
        if not (sys.stdin.isatty() and sys.stdout.isatty()) or kind in ("", "unknown", "dumb"):
            raise ScreenError(f"Error opening terminal: {kind or 'unknown'}.")
        self._input = sys.stdin.fileno()
        self._output = sys.stdout.fileno()
        self._saved: list[object] | None = None
        self._painted: list[str] = []
        self._size = (0, 0)

    def __enter__(self) -> "Screen":
        self._saved = list(termios.tcgetattr(self._input))
        tty.setcbreak(self._input, termios.TCSANOW)
        self._write("\x1b[?1049h\x1b[?25l\x1b[2J")
        return self

    def __exit__(self, *_: object) -> None:
        self._write("\x1b[?25h\x1b[?1049l")
        if self._saved is not None:
            termios.tcsetattr(self._input, termios.TCSANOW, self._saved)  # type: ignore[arg-type]  # as they were read

    def paint(self, text: str) -> None:
        """Show a text from the top of the screen; what does not fit is cut off."""
        columns, rows = os.get_terminal_size(self._output)
        size = (columns or 80, rows or 24)  # serial lines and some pipes of terminals know no size
        lines = [line.expandtabs()[: size[0]] for line in text.split("\n")][: size[1]]
        parts: list[str] = []
        if size != self._size:
            self._size = size
            self._painted = []
            parts.append("\x1b[2J")
        for number in range(max(len(lines), len(self._painted))):
            new = lines[number] if number < len(lines) else ""
            old = self._painted[number] if number < len(self._painted) else ""
            if new != old:
                parts.append(f"\x1b[{number + 1};1H{_printable(new)}\x1b[K")
        self._painted = lines
        if parts:
            self._write("".join(parts))

    def keys(self) -> str:
        """Return the keys that were pressed; call it when :meth:`fileno` is readable. Empty: the terminal is gone."""
        return os.read(self._input, 64).decode("utf-8", "replace")

    def fileno(self) -> int:
        """Return the descriptor that keys come from."""
        return self._input

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        while data:
            data = data[os.write(self._output, data) :]


def _printable(line: str) -> str:
    """Return a line with control characters (from names and reasons in the CIB) made harmless."""
    return "".join(letter if letter.isprintable() else "?" for letter in line)
