"""Histories that are kept under a name: what was looked at, and how. I/O: files in the person's cache."""

import json
import shutil
from datetime import datetime
from pathlib import Path

from hatools.shell.commands import CommandError
from hatools.shell.history.archive import Archive, cache_folder
from hatools.shell.history.logs import View

_STATE = ".session.json"


def _base() -> Path:
    path = cache_folder() / "sessions"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def folder(name: str) -> Path:
    """Return where a session is kept."""
    return _base() / name


def names() -> list[str]:
    """Return the names of all sessions."""
    return sorted(path.name for path in _base().iterdir() if path.is_dir())


def save(name: str, archive: Archive, view: View) -> None:
    """Keep what is looked at under a name, in the place of what is kept there."""
    target = folder(name)
    if archive.folder != target:
        scratch = target.with_name(f".{name}.new")
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.copytree(archive.folder, scratch)
        shutil.rmtree(target, ignore_errors=True)
        scratch.rename(target)
    state = {
        "source": archive.source,
        "start": view.start.isoformat() if view.start is not None else None,
        "end": view.end.isoformat() if view.end is not None else None,
        "nodes": view.nodes,
        "excluded": view.excluded,
        "detail": view.detail,
    }
    (target / _STATE).write_text(json.dumps(state) + "\n", encoding="utf-8")


def load(name: str) -> View:
    """Return how a session looks at what it kept.

    Raises:
        CommandError: there is none of that name, or it cannot be read.
    """
    try:
        state = json.loads((_existing(name) / _STATE).read_text(encoding="utf-8"))
        start, end = (datetime.fromisoformat(state[key]) if state[key] else None for key in ("start", "end"))
        return View(start, end, list(state["nodes"]), list(state["excluded"]), int(state["detail"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, CommandError):
            raise
        raise CommandError(f"session {name} cannot be read: {error}") from None


def delete(name: str) -> None:
    """Forget a session."""
    shutil.rmtree(_existing(name))


def pack(name: str) -> str:
    """Write a session as a report's archive into the present folder; return its path."""
    return shutil.make_archive(name, "bztar", _existing(name).parent, name)


def _existing(name: str) -> Path:
    path = folder(name)
    if not path.is_dir():
        raise CommandError(f"{name}: no such session")
    return path
