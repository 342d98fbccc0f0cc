"""The interactive shell: prompt, history, completion, colours, the line at the bottom. I/O.

``Ctrl-C`` gives up the line being typed, never the working copy; ``Ctrl-D`` leaves like ``quit``.
"""

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import ANSI, AnyFormattedText
from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from hatools.shell.completion import suggest

if TYPE_CHECKING:
    from hatools.shell.context import Context
    from hatools.shell.session import Session

_STATE_LIFE_S = 5.0


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


class _BottomLine:
    """What is pending and how the cluster is; the cluster is asked at most every few seconds."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._asked = 0.0
        self._state = ""

    def __call__(self) -> AnyFormattedText:
        now = time.monotonic()
        if not self._asked or now - self._asked > _STATE_LIFE_S:
            self._asked, self._state = now, _cluster_state(self._session)
        configuration = self._session.configuration
        pending = ""
        if configuration.has_changed:
            workspace = configuration.workspace
            pending = f"  {len(workspace.modified()) + len(workspace.removed)} changes not committed"
        return f" {self._state}{pending}"


def _cluster_state(session: "Session") -> str:
    """Return a few words on the cluster."""
    from hatools.cib.document import children
    from hatools.values.errors import HatoolsError

    try:
        with session.open_cib() as cib:
            root = cib.query()
    except (HatoolsError, OSError):
        return "no cluster answers"
    nodes = [node.get("uname") for node in children(root.find("configuration/nodes"), "node")]
    online = [s for s in children(root.find("status"), "node_state") if s.get("crmd") == "online"]
    quorum = "quorum" if root.get("have-quorum", "1") == "1" else "NO QUORUM"
    name = "" if session.is_live else f"{session.cib_name}  "
    return f"{name}{len(online)} of {len(nodes)} nodes online  {quorum}  {root.get('validate-with', '')}"


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
    prompts: PromptSession[str] = PromptSession(
        history=_history(),
        completer=completer,
        complete_while_typing=False,
        auto_suggest=AutoSuggestFromHistory(),
        bottom_toolbar=_BottomLine(session),
        enable_history_search=True,
    )
    parts: list[str] = []
    here = _node_name(session)
    while True:
        completer.before = "".join(parts)
        try:
            shown = "   > " if parts else prompt_text(session, context, here)
            line = prompts.prompt(ANSI(shown)).strip()
        except KeyboardInterrupt:
            parts = []
            continue
        except EOFError:
            context.quit(0)
            continue
        if line.endswith("\\"):
            parts.append(line.rstrip("\\"))
            continue
        whole = "".join([*parts, line])
        parts = []
        try:
            context.run(whole)
        except KeyboardInterrupt:
            print("interrupted; the working copy is as it was")
