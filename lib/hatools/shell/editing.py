"""Text from and to the outside: files, URLs, an editor, a filter. I/O."""

import os
import sys
import tempfile
from collections.abc import Callable
from typing import TYPE_CHECKING

from hatools.parser.tokens import split_words

if TYPE_CHECKING:
    from hatools.shell.selection import Selection
    from hatools.shell.session import Session

_MODELINE = "# vim: set filetype=pcmk:\n"
_URL_TIMEOUT_S = 30


def read_url(session: "Session", url: str) -> str | None:
    """Return the text of a file, of ``-`` (standard input) or of an URL; None, with a message, if it cannot be read."""
    try:
        if url == "-":
            return sys.stdin.read()
        if "://" in url:
            from urllib.request import urlopen

            with urlopen(url, timeout=_URL_TIMEOUT_S) as response:
                content: bytes = response.read()
            return content.decode("utf-8")
        with open(url, encoding="utf-8") as file:
            return file.read()
    except (OSError, ValueError) as error:
        session.console.error(f"could not open {url}: {error}")
        return None


def save_selection(session: "Session", selection: "Selection", path: str) -> bool:
    """Write objects to a file (``-``: standard output); return whether that worked."""
    text = selection.text() if selection.objects or selection.is_xml else ""
    if path == "-":
        print(text)
        return True
    is_taken = not session.is_batch and os.path.exists(path)
    if is_taken and not session.console.ask(f"File {path} exists. Do you want to overwrite it?"):
        return False
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text + "\n" if text else "")
    except OSError as error:
        session.console.error(str(error))
        return False
    return bool(text) or not selection.objects


def edit_selection(session: "Session", selection: "Selection") -> bool:
    """Let the person edit objects in the editor until the text can be taken over or is given up."""
    return edit_text(
        session,
        selection.text(),
        lambda edited: selection.take_over(edited, remove=True),
        suffix=".xml" if selection.is_xml else ".pcmk",
    )


def edit_text(
    session: "Session",
    text: str,
    take: Callable[[str], bool],
    *,
    suffix: str = ".pcmk",
    is_unchanged_fine: bool = False,
) -> bool:
    """Let the person edit a text until it can be taken or is given up; return False if the editor fails.

    Args:
        take: takes the edited text over; False if that cannot be.
        is_unchanged_fine: an unchanged text is to be taken as well; giving up is a failure then.
    """
    editor = session.preferences.get("core", "editor")
    if not editor:
        session.console.error("no editor found: set EDITOR or `options editor`")
        return False
    if os.path.basename(editor.split()[0]).startswith("vi"):
        text += "\n" + _MODELINE
    descriptor, path = tempfile.mkstemp(suffix=suffix)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        while True:
            if run_editor(session, path) != 0:
                session.console.error(f"{editor} failed; the configuration is unchanged")
                return False
            with open(path, encoding="utf-8") as file:
                edited = file.read()
            if edited == text and not is_unchanged_fine:
                return True
            if take(edited.replace(_MODELINE, "")):
                return True
            if session.preferences.flag("core", "force"):
                session.console.error("Save failed and --force is set, aborting edit to avoid infinite loop")
                return False
            if not session.console.ask("Edit or discard changes (yes to edit, no to discard)?"):
                return not is_unchanged_fine
    except OSError as error:
        session.console.error(str(error))
        return False
    finally:
        os.unlink(path)


def run_editor(session: "Session", path: str) -> int:
    """Run the person's editor on a file; return its exit status."""
    import shlex
    import subprocess

    try:
        return subprocess.run([*shlex.split(session.preferences.get("core", "editor")), path], check=False).returncode
    except OSError as error:
        session.console.error(str(error))
        return 127


def run_filter(session: "Session", line: str, text: str) -> str | None:
    """Send a text through a program, or several joined by ``|``; None if one fails.

    The programs are run directly: nothing of the line reaches a shell.
    """
    import subprocess

    programs: list[list[str]] = [[]]
    for word in split_words(line):
        if word.text == "|" and line[word.start : word.end] == "|":
            programs.append([])
        else:
            programs[-1].append(word.text)
    data = text.encode("utf-8")
    for program in programs:
        if not program:
            session.console.error(f"from: {line}: empty command")
            return None
        try:
            done = subprocess.run(program, input=data, stdout=subprocess.PIPE, check=False)
        except OSError as error:
            session.console.error(f"from: {line}: {error}")
            return None
        if done.returncode != 0:
            return None
        data = done.stdout
    return data.decode("utf-8", errors="replace")
