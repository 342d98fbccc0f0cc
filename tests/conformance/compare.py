"""Compares our ``crm_simulate`` with the original's on one CIB: the decisions and what they lead to."""

import io
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from hatools.cli.crm_simulate import main

_SECTIONS = ("Transition Summary:", "Revised Cluster Status:")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What both said; ``difference`` is empty where they agree."""

    expected: str
    actual: str
    difference: str


def original_output(program: str, path: Path) -> str:
    """Return what the original prints for ``-S``."""
    done = subprocess.run(
        [program, "-x", str(path), "-S"],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": "/usr/sbin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "HOME": "/tmp"},
        check=False,
    )
    return done.stdout


def our_output(path: Path) -> str:
    """Return what we print for ``-S``."""
    out = io.StringIO()
    argv0, sys.argv[0] = sys.argv[0], "crm_simulate"
    try:
        with redirect_stdout(out), redirect_stderr(io.StringIO()):
            main(["-x", str(path), "-S"])
    finally:
        sys.argv[0] = argv0
    return out.getvalue()


def decisions(output: str) -> list[str]:
    """Return the lines of the transition summary and of the status afterwards."""
    kept: list[str] = []
    inside = False
    for line in output.splitlines():
        if line and not line.startswith(" "):
            inside = line in _SECTIONS
        if inside and line.strip():
            kept.append(line)
    return kept


def compare(program: str, path: Path) -> Comparison:
    """Run both on a CIB."""
    expected, actual = decisions(original_output(program, path)), decisions(our_output(path))
    difference = "\n".join(unified_diff(expected, actual, "original", "ours", lineterm="", n=30))
    return Comparison("\n".join(expected), "\n".join(actual), difference)
