"""The environment file of a node, ``etc/default/pacemaker``. I/O: reads one file.

The form is that of a shell assignment file: ``NAME=value``, quotes optional, ``#`` comments. Nothing is
expanded and nothing is run.
"""

import re
import shlex
from pathlib import Path

_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)")


def read_environment_file(path: Path) -> tuple[dict[str, str], list[str]]:
    """Return the variables, and a warning for each line that is no assignment; a missing file is empty."""
    try:
        lines = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except FileNotFoundError:
        return {}, []
    variables: dict[str, str] = {}
    warnings: list[str] = []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        match = _ASSIGNMENT.fullmatch(text)
        try:
            words = shlex.split(match[2], comments=True) if match else []
        except ValueError:
            match = None
        if match is None or len(words) > 1:
            warnings.append(f"{path}:{number}: ignored, not of the form NAME=value: {text}")
            continue
        variables[match[1]] = words[0] if words else ""
    return variables, warnings
