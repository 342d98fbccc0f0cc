"""Where our own commands are, for agents to call back. I/O: looks at the disk."""

import os
import sys
from pathlib import Path

_MARK = "crm_attribute"
"""The command that agents call most: a folder that has it is ours."""


def commands_folder() -> str:
    """Return the folder of our commands: ``HATOOLS_COMMANDS``, a checkout's ``bin/``, or where we are installed.

    Empty if none is found; then the usual search path has to do.
    """
    named = os.environ.get("HATOOLS_COMMANDS")
    if named:
        return named
    checkout = Path(__file__).resolve().parents[3] / "bin"
    for folder in (checkout, Path(sys.argv[0] or ".").resolve().parent, Path(sys.executable).parent):
        if (folder / _MARK).is_file():
            return str(folder)
    return ""
