"""``crm report``: what is needed to look at a problem, with the options that the original's has. I/O.

``crm_report`` does the work; here its words are put for those of the shell.
"""

import getopt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hatools.shell.commands import CommandError
from hatools.shell.programs import call

if TYPE_CHECKING:
    from hatools.shell.session import Session

_SHORT = "f:t:l:u:X:p:L:e:E:n:b:MSDZAVsvhdQqC"
_LONG = ["from=", "to=", "nodes=", "single-node", "as-directory", "help"]
_SAME = ("-t", "-u", "-p", "-L", "-n", "-M", "-S", "-d", "--to", "--nodes", "--single-node", "--as-directory")
_WITHOUT_MEANING = ("-X", "-e", "-D", "-A", "-V", "-s", "-v", "-Q", "-q", "-C", "-b")
"""Editors, ssh's options and amounts of talk: nothing is edited, and secrets are always masked."""


def collect_report(session: "Session", argv: Sequence[str]) -> bool:
    """Collect a report, by default of the last twelve hours."""
    try:
        options, rest = getopt.gnu_getopt(list(argv), _SHORT, _LONG)
    except getopt.GetoptError as error:
        raise CommandError(f"{error}: see `crm_report --help`") from None
    start = session.preferences.get("report", "from_time") or "-12H"
    words: list[str] = []
    replaces = False
    for name, value in options:
        if name in ("-h", "--help"):
            return call("crm_report", "--help") == 0
        if name in ("-f", "--from"):
            if value.startswith("cts:"):
                raise CommandError("reports of Pacemaker's own test suite are not supported")
            start = value
        elif name in ("-l", "-E"):
            words += ["-l", value]
        elif name == "-Z":
            replaces = True
        elif name in _SAME:
            words += [name, value] if value else [name]
        elif name not in _WITHOUT_MEANING:
            raise CommandError(f"unknown option {name}")
    if len(rest) > 1:
        raise CommandError(f"one destination, not {len(rest)}: {' '.join(rest)}")
    if replaces and rest:
        _remove(rest[0])
    return call("crm_report", "-f", start, *words, *rest) == 0


def _remove(destination: str) -> None:
    """Remove a former report of that name."""
    import shutil
    from pathlib import Path

    folder = Path(destination)
    if (folder / "description.txt").is_file():
        shutil.rmtree(folder)
    folder.with_name(f"{folder.name}.tar.bz2").unlink(missing_ok=True)
