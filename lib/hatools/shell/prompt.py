"""The interactive shell: prompt, history, completion, colours, the line at the bottom. I/O.

``Ctrl-C`` gives up the line being typed, never the working copy; ``Ctrl-D`` leaves like ``quit``.
"""

import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import ANSI, AnyFormattedText, StyleAndTextTuples
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.lexers import Lexer

from hatools.shell.commands import Command, Door, Level
from hatools.shell.completion import suggest

if TYPE_CHECKING:
    from hatools.shell.context import Context
    from hatools.shell.session import Session

_STATE_LIFE_S = 3.0
_REPAINT_S = 1.0


class _ShellCompleter(Completer):
    """Suggestions of :mod:`hatools.shell.completion` for prompt_toolkit."""

    def __init__(self, session: "Session", context: "Context") -> None:
        self._session = session
        self._context = context
        self.before = ""

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        line = self.before + document.text_before_cursor
        typed = document.get_word_before_cursor(WORD=True)
        for suggestion in suggest(self._session, type(self._context.level), line):
            yield Completion(suggestion.text, -len(typed), display_meta=suggestion.meaning)


class _Colours(Lexer):
    """Colours for the line being typed: what is a level or command, what cannot be one, names and values."""

    def __init__(self, context: "Context") -> None:
        self._context = context

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        lines = document.lines

        def paint(number: int) -> StyleAndTextTuples:
            return coloured(type(self._context.level), lines[number])

        return paint


def coloured(level: type[Level], line: str) -> StyleAndTextTuples:
    """Return a line in pieces, each with its style."""
    pieces: StyleAndTextTuples = []
    here: type[Level] | None = level
    for word in _words_and_blanks(line):
        if not word.strip():
            pieces.append(("", word))
        elif word.startswith("#"):
            pieces.append(("ansibrightblack", word))
        elif here is not None:
            entry = _entry(here, word)
            here = entry.open() if isinstance(entry, Door) else None
            pieces.append(("" if entry is None else "ansigreen bold", word))
        elif "=" in word:
            name, equals, value = word.partition("=")
            pieces += [("ansicyan", name), ("", equals), ("ansiyellow", value)]
        else:
            pieces.append(("ansiyellow" if word[0] in "'\"" else "", word))
    return pieces


def _entry(level: type[Level], word: str) -> Command | Door | None:
    try:
        return level.find(word)
    except ValueError:
        return None


def _words_and_blanks(line: str) -> Iterable[str]:
    piece = ""
    quote = ""
    for char in line:
        if char in "'\"" and quote in ("", char):
            quote = "" if quote else char
        is_blank = char.isspace() and not quote
        if piece and is_blank != (piece.isspace()):
            yield piece
            piece = ""
        piece += char
    if piece:
        yield piece


class _BottomLine:
    """What is pending, and how the cluster is; a thread asks the cluster, so that typing never waits for it."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._state = ""
        self._stopping = threading.Event()
        self._asking = threading.Thread(target=self._ask, daemon=True, name="cluster-state")

    def __enter__(self) -> "_BottomLine":
        self._asking.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()

    def _ask(self) -> None:
        while not self._stopping.is_set():
            self._state = cluster_state(self._session)
            self._stopping.wait(_STATE_LIFE_S)

    def __call__(self) -> AnyFormattedText:
        configuration = self._session.configuration
        pending = ""
        if configuration.has_changed:
            workspace = configuration.workspace
            count = len(workspace.modified()) + len(workspace.removed)
            pending = f"  {count} change{'s' * (count != 1)} not committed"
        return f" {self._state}{pending}"


def cluster_state(session: "Session") -> str:
    """Return a few words on the cluster, or on the file that stands for it."""
    from hatools.cib.document import children
    from hatools.values.errors import HatoolsError

    try:
        with session.open_cib() as cib:
            root = cib.query(no_children=True)
            nodes = sum(1 for _ in children(cib.query("nodes"), "node"))
            status = cib.query("status") if session.is_live else None
    except (HatoolsError, OSError):
        return "no cluster answers" if session.is_live else "the CIB cannot be read"
    if not session.is_live:
        name = f"shadow {session.cib_name}" if session.shadow else os.path.basename(os.environ.get("CIB_file", ""))
        return f"{name}, not the cluster  {nodes} nodes  {root.get('validate-with', '')}"
    online = sum(1 for state in children(status, "node_state") if state.get("crmd") == "online")
    quorum = "quorum" if root.get("have-quorum", "1") == "1" else "NO QUORUM"
    return f"{online} of {nodes} nodes online  {quorum}  {root.get('validate-with', '')}"


def _history() -> History:
    """Return the person's history, kept in their home if that can be written."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")) / "crm"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / "history"
        path.touch(mode=0o600)
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(path))


def _node_name(session: "Session") -> str:
    """Return this node's name, the host's if the cluster cannot be asked."""
    from hatools.values.errors import HatoolsError

    try:
        return session.node_name
    except HatoolsError:
        import platform

        return platform.node()


def prompt_text(session: "Session", context: "Context", node: str) -> str:
    """Return the prompt: CIB, node and level."""
    text = f"crm({session.cib_name}/{node}){context.path}# "
    return f"\033[32;1m{text}\033[0m" if session.console.has_colours else text


def interact(session: "Session", context: "Context") -> int:
    """Ask for lines and run them until the person leaves; the status is that of the last quit."""
    completer = _ShellCompleter(session, context)
    with _BottomLine(session) as bottom:
        prompts: PromptSession[str] = PromptSession(
            history=_history(),
            completer=completer,
            complete_while_typing=False,
            auto_suggest=AutoSuggestFromHistory(),
            bottom_toolbar=bottom,
            enable_history_search=True,
            lexer=_Colours(context) if session.console.has_colours else None,
            refresh_interval=_REPAINT_S,
        )
        here = _node_name(session)
        parts: list[str] = []
        while True:
            completer.before = "".join(parts)
            try:
                shown = "   > " if parts else prompt_text(session, context, here)
                text = prompts.prompt(ANSI(shown))
            except KeyboardInterrupt:
                parts = []
                continue
            except EOFError:
                text = "quit"
            for line in text.split("\n"):  # several, if they were pasted
                parts.append(line.strip())
                if parts[-1].endswith("\\"):
                    parts[-1] = parts[-1].rstrip("\\")
                    continue
                whole = "".join(parts)
                parts = []
                if not _run(context, whole):
                    break


def _run(context: "Context", line: str) -> bool:
    """Run a line; return False if the person interrupted it."""
    try:
        context.run(line)
    except KeyboardInterrupt:
        print("interrupted; the working copy is as it was")
        return False
    return True
