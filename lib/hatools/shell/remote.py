"""Commands, files and the configuration on other nodes, with one result for each. I/O: the channel."""

import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hatools.runtime.directories import Directories
from hatools.shell.commands import CommandError
from hatools.shell.members import Member, Members, Outcome

if TYPE_CHECKING:
    from hatools.ipc.clients.channel import ChannelConnection
    from hatools.ipc.messages.channel import CommandOutput, FileContent
    from hatools.shell.session import Session

_SHELL_SIGNS = frozenset(";<>|&()")
_PROGRESS_S = 2.0


class Run:
    """A program on one node: what it printed, in the order it came, and how it ended."""

    def __init__(self) -> None:
        self.out = b""
        self.err = b""
        self.status = -1
        self.reason = ""

    def take(self, piece: "CommandOutput") -> None:
        """Keep a piece of output."""
        if piece.is_error:
            self.err += piece.data
        else:
            self.out += piece.data

    @property
    def text(self) -> str:
        """What it printed on standard output."""
        return self.out.decode("utf-8", "replace").rstrip("\n")

    @property
    def complaint(self) -> str:
        """What it printed on standard error, and what the node says of its end."""
        parts = (self.err.decode("utf-8", "replace").rstrip("\n"), self.reason)
        return "\n".join(part for part in parts if part)


def program_words(line: str) -> list[str]:
    """Return the words of a command line that is run without a shell.

    Raises:
        CommandError: it is empty, has unbalanced quotes, or uses what only a shell knows.
    """
    import shlex

    try:
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = list(lexer)
    except ValueError as error:
        raise CommandError(f"{line}: {error}") from None
    if not words:
        raise CommandError("Expected a command")
    quoted = shlex.split(line)
    for sign in words:
        if sign and set(sign) <= _SHELL_SIGNS:
            raise CommandError(f"'{sign}' is for a shell, and there is none between the nodes: run \"sh -c '...'\"")
    return quoted


def run_on(
    session: "Session",
    members: Members,
    chosen: Sequence[Member],
    argv: Sequence[str],
    *,
    stdin: bytes = b"",
    timeout_s: float = 0.0,
) -> list[Outcome[Run]]:
    """Run a program on nodes, all at once, and wait for all of them."""

    def ask(connection: "ChannelConnection") -> Run:
        result = Run()
        ended = connection.run(argv, on_output=result.take, stdin=stdin, timeout_s=timeout_s)
        result.status, result.reason = ended.status, ended.reason
        waiting.discard(connection.name)
        return result

    waiting = {member.name for member in chosen}
    done = threading.Event()
    if sys.stderr.isatty() and not session.is_batch:
        threading.Thread(target=_show_progress, args=(waiting, done), daemon=True).start()
    try:
        return members.ask(chosen, ask)
    finally:
        done.set()


def _show_progress(waiting: set[str], done: threading.Event) -> None:
    """Tell a person from time to time who is not done yet."""
    began = time.monotonic()
    while not done.wait(_PROGRESS_S):
        names = ", ".join(sorted(waiting))
        print(f"\rwaiting for {names} ({time.monotonic() - began:.0f} s) ", end="\033[K", file=sys.stderr, flush=True)
    if time.monotonic() - began > _PROGRESS_S:
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def show_runs(session: "Session", outcomes: Sequence[Outcome[Run]]) -> bool:
    """Tell what a program did on each node; return whether it succeeded on all."""
    succeeded = True
    for outcome in outcomes:
        name, run = outcome.member.name, outcome.answer
        if run is None:
            session.console.error(f"[{name}]: {outcome.problem}")
        elif run.status != 0:
            parts = (f"[{name}]: rc={run.status}", run.text, run.complaint)
            session.console.error("\n".join(part for part in parts if part))
        else:
            session.console.info("\n".join(part for part in (f"[{name}]", run.text, run.complaint) if part))
            continue
        succeeded = False
    return succeeded


def on_this_node(path: str) -> Path:
    """Return where an absolute path of this node is: below its root.

    Raises:
        CommandError: it is not absolute.
    """
    folders = Directories.from_environment()
    if folders.is_system:
        return Path(path).absolute()
    if not path.startswith("/") or ".." in path.split("/"):
        raise CommandError(f"{path}: expected an absolute path")
    return folders.root / path.lstrip("/")


def _path_words(path: str) -> str:
    """Return a path as other nodes are told of it."""
    return str(Path(path).absolute()) if Directories.from_environment().is_system else path


def copy_file(session: "Session", path: str, names: Sequence[str]) -> bool:
    """Copy a file of this node to the same place on others, by default on all."""
    members = Members()
    source = on_this_node(path)
    try:
        if not source.is_file():
            raise CommandError(f"{path}: no such file")
        content, mode = source.read_bytes(), source.stat().st_mode & 0o777
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None
    chosen = [member for member in members.chosen(names, default=members.others) if not member.is_local]
    target = _path_words(path)
    succeeded = True
    for outcome in members.ask(chosen, lambda connection: connection.write(target, content, mode)):
        if outcome.problem:
            session.console.error(f"Failed to push {path} to {outcome.member.name}: {outcome.problem}")
            succeeded = False
        else:
            session.console.info(outcome.member.name)
    return succeeded


def diff_file(session: "Session", path: str, words: Sequence[str]) -> bool:
    """Show how a file differs between nodes, or with ``--checksum`` its checksum on each.

    Two nodes that are not this one are compared with each other; any others with this one.
    """
    members = Members()
    by_checksum = "--checksum" in words
    names = [word for word in words if word != "--checksum"]
    chosen = members.chosen(names, default=members.all)
    contents: dict[str, bytes] = {}
    outcomes = members.ask(
        [member for member in chosen if not member.is_local], lambda connection: connection.read(_path_words(path))
    )
    for outcome in outcomes:
        contents[outcome.member.name] = _content(outcome)
    if by_checksum or len(chosen) != 2 or any(member.is_local for member in chosen):
        contents = {members.local.name: _local_content(path), **contents}
    if by_checksum:
        _print_checksums(path, contents)
        return True
    first, *others = contents
    if len(chosen) == 2 and first != members.local.name:
        session.console.show(_difference((first, contents[first]), (others[0], contents[others[0]])))
        return True
    for name in others:
        session.console.show(_difference((name, contents[name]), (first, contents[first])))
    return True


def _content(outcome: "Outcome[FileContent]") -> bytes:
    if outcome.answer is None:
        raise CommandError(f"Failed on {outcome.member.name}: {outcome.problem}")
    return outcome.answer.content


def _local_content(path: str) -> bytes:
    try:
        return on_this_node(path).read_bytes()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None


def _print_checksums(path: str, contents: dict[str, bytes]) -> None:
    import hashlib

    print(f"{'Host':<16}  SHA1 checksum of {path}")
    for name, content in contents.items():
        print(f"{name:<16}: {hashlib.sha1(content, usedforsecurity=False).hexdigest()}")


def _difference(first: tuple[str, bytes], second: tuple[str, bytes]) -> str:
    """Return a unified difference; empty if only white space differs."""
    import difflib

    lines = [content.decode("utf-8", "backslashreplace").splitlines() for _, content in (first, second)]
    if [line.split() for line in lines[0]] == [line.split() for line in lines[1]]:
        return ""
    return "\n".join(difflib.unified_diff(lines[0], lines[1], first[0], second[0], lineterm="", n=0))
