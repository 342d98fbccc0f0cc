"""Recorded data that brings a program to measure with: ``make conformance DATA=FOLDER``.

Recordings of the commands (a folder ``cases/``) and of the crm shell (folders ``show/`` and ``cmd/``) come with a
program ``score`` that knows how to compare. It is given our commands and prints its tables.
"""

import os
import sys
from pathlib import Path
from typing import NoReturn

_SOURCE = Path(__file__).resolve().parents[2]


def has_own_score(folder: Path) -> bool:
    """Say whether a folder is measured by its own program."""
    return os.access(folder / "score", os.X_OK) and not (folder / "tests.tsv").exists()


def run_own_score(folder: Path, more: list[str]) -> NoReturn:
    """Become the folder's program; ``more`` are arguments for it."""
    if (folder / "cases").is_dir():
        ours = ["--bin", str(_SOURCE / "bin")]
    else:
        ours = ["--python-entry", "hatools.cli.crm:main", "--pythonpath", str(_SOURCE / "lib")]
    program = str(folder.resolve() / "score")
    os.execv(sys.executable, [sys.executable, program, *ours, *more])
