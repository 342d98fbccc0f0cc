"""Where history comes from: the nodes of the running cluster, a report's folder, or a report's archive. I/O.

A live cluster is asked through the channel; what its nodes say is kept in a folder of the same form as a report: a
folder for each node, with its logs and ``pengine/``. So everything behind this file knows reports only.
"""

import io
import os
import re
import shutil
import tarfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hatools.runtime.directories import Directories
from hatools.shell.commands import CommandError
from hatools.shell.history.logs import Line, merged, parse_lines
from hatools.values.records import dataclass

if TYPE_CHECKING:
    from hatools.shell.session import Session

INPUT_NAME = re.compile(r"pe-(input|warn|error)-(\d+)(?:\.bz2)?$")
_LOGS = ("pacemaker.log", "corosync.log", "ha-log.txt", "ha-log", "messages", "journal.log", "heartbeat.log")
_FRESH_S = 10.0
"""So long what the nodes of a live cluster said is taken for the present."""

_LONGEST_LOG = 256 << 20


@dataclass(frozen=True, slots=True)
class Input:
    """A scheduler input of a node."""

    path: Path
    node: str
    number: int
    written: datetime


class Archive:
    """A folder with what is known of each node."""

    def __init__(self, source: str, folder: Path) -> None:
        self.source = source
        self.folder = folder
        self._lines: list[Line] | None = None
        self._inputs: list[Input] | None = None

    @property
    def nodes(self) -> list[str]:
        """The nodes of which there is something."""
        return sorted(
            path.name
            for path in self.folder.iterdir()
            if path.is_dir() and ((path / "pengine").is_dir() or any((path / name).exists() for name in _LOGS))
        )

    def _node_folders(self) -> list[tuple[str, Path]]:
        folders = [(name, self.folder / name) for name in self.nodes]
        return folders or [(os.uname().nodename, self.folder)]

    def lines(self) -> list[Line]:
        """Return the lines of all logs by time."""
        if self._lines is None:
            now = datetime.now()
            self._lines = merged(list(parse_lines(text, node, now)) for node, text in self._log_texts())
        return self._lines

    def _log_texts(self) -> Iterator[tuple[str, str]]:
        for node, folder in self._node_folders():
            for name in _LOGS:
                path = folder / name
                if path.is_file():
                    with path.open("rb") as file:
                        file.seek(max(0, path.stat().st_size - _LONGEST_LOG))
                        yield node, file.read().decode("utf-8", "replace")

    def inputs(self) -> list[Input]:
        """Return the scheduler's inputs, oldest first."""
        if self._inputs is None:
            found = []
            for node, folder in self._node_folders():
                for path in (*folder.glob("pengine/pe-*"), *folder.glob("pe-*")):
                    match = INPUT_NAME.search(path.name)
                    if match is not None:
                        written = datetime.fromtimestamp(path.stat().st_mtime)
                        found.append(Input(path, node, int(match[2]), written))
            self._inputs = sorted(found, key=lambda entry: (entry.written, entry.number))
        return self._inputs

    def configurations(self) -> list[Path]:
        """Return the CIBs that the nodes had when the report was made, the newest first."""
        found = [folder / "cib.xml" for _, folder in self._node_folders() if (folder / "cib.xml").is_file()]
        return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def cache_folder() -> Path:
    """Return where histories are kept between calls."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = Path(base) / "crm/history"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def open_report(source: str) -> Archive:
    """Open a report, packed or not.

    Raises:
        CommandError: it is none.
    """
    path = Path(source)
    if path.is_dir():
        return Archive(source, _innermost(path))
    if not path.is_file():
        raise CommandError(f"{source}: no such folder or report")
    status = path.stat()
    target = cache_folder() / f"report-{path.name}-{status.st_mtime_ns:x}-{status.st_size:x}"
    if not target.is_dir():
        scratch = target.with_name(f"{target.name}.{os.getpid()}")
        try:
            with tarfile.open(path) as packed:
                packed.extractall(scratch, filter="data")
            scratch.rename(target)
        except (OSError, tarfile.TarError) as error:
            shutil.rmtree(scratch, ignore_errors=True)
            raise CommandError(f"{source}: {error}") from None
    return Archive(source, _innermost(target))


def _innermost(folder: Path) -> Path:
    """Return the folder that holds the nodes: reports are packed with a folder of their own name around them."""
    while True:
        inner = [path for path in folder.iterdir() if not path.name.startswith(".")]
        if len(inner) != 1 or not inner[0].is_dir() or (inner[0] / "pengine").is_dir():
            return folder
        if any((inner[0] / name).exists() for name in _LOGS):
            return folder
        folder = inner[0]


def open_live(session: "Session", *, since: str, renew: bool = False) -> Archive:
    """Ask the nodes of the cluster, unless they were asked a moment ago.

    Args:
        since: how far back, as ``crm_report -f`` takes it.
    """
    root = str(Directories.from_environment().root).strip("/").replace("/", "-")
    folder = cache_folder() / f"live-{root}"[-200:]
    mark = folder / ".complete"
    if renew or not mark.exists() or time.time() - mark.stat().st_mtime > _FRESH_S:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        _collect(session, folder, since)
        mark.touch()
    return Archive("live", folder)


def _collect(session: "Session", folder: Path, since: str) -> None:
    """Have every node say what it knows; nodes that cannot be reached are told and left out."""
    from hatools.shell.members import Members
    from hatools.shell.remote import Run, run_on

    local, others = _local_part(session, since)
    _unpack(local, folder)
    if not others:
        return
    try:
        members = Members()
    except CommandError as error:
        session.console.warning(f"only this node's history: {error}")
        return
    words = ["crm_report", "--collect", "-f", since, "--history"]
    try:
        outcomes = run_on(session, members, members.others, words, timeout_s=120.0)
    except CommandError as error:
        session.console.warning(f"only this node's history: {error}")
        return
    for outcome in outcomes:
        run: Run | None = outcome.answer
        if run is None or run.status != 0:
            problem = outcome.problem if run is None else run.complaint
            session.console.warning(f"{outcome.member.name}: nothing of its history: {problem}")
        else:
            _unpack(run.out, folder)


def _local_part(session: "Session", since: str) -> tuple[bytes, bool]:
    """Return this node's part of a report, and whether there are other nodes to ask."""
    from hatools.cli.crm_report import packed_history
    from hatools.shell.corosync import conf_path

    return packed_history(since), session.is_live and conf_path().exists()


def _unpack(data: bytes, folder: Path) -> None:
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:*") as packed:
            packed.extractall(folder, filter="data")
    except (OSError, tarfile.TarError) as error:
        raise CommandError(f"a node's history cannot be read: {error}") from None
