"""The cluster's state at a glance: ``crm status`` and ``crm verify``. I/O."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hatools.shell.programs import call, capture

if TYPE_CHECKING:
    from hatools.shell.session import Session

_OPTIONS = {
    "bynode": "-n",
    "inactive": "-r",
    "ops": "-o",
    "timing": "-t",
    "failcounts": "-f",
    "verbose": "-V",
    "quiet": "-Q",
    "html": "--output-as=html",
    "xml": "--output-as=xml",
    "simple": "-s",
    "tickets": "-c",
    "noheaders": "-D",
    "detail": "-R",
    "brief": "-b",
    "full": "-ncrft",
    "json": "--output-as=json",
}
STATUS_WORDS = tuple(_OPTIONS)
_GOOD = re.compile(r"\b(Promoted|Unpromoted|Started|Online|online|ok)\b")
_BAD = re.compile(r"(not running|not installed|not configured|OFFLINE|UNCLEAN|FAILED|Failed|unknown|Unknown|Timed Out)")
_HEAD = re.compile(r"^(Cluster Summary|Node List|Full List of Resources|Active Resources|[A-Z][A-Za-z ]+:)$")


def show_status(session: "Session", words: Sequence[str]) -> bool:
    """Show the cluster's status as ``crm_mon -1`` does, on a terminal with its warnings."""
    argv = [_OPTIONS.get(word, word) for word in words] or ["-r"]
    if session.output_format == "json":
        argv.append("--output-as=json")
    if not session.console.has_colours:
        status = call("crm_mon", "-1", "-j", *argv)
        if status != 0:
            raise OSError(f"crm_mon (rc={status})")
        return True
    answer = capture("crm_mon", ["-1", "-j", "--warnings", *argv])
    if answer.status != 0:
        raise OSError(f"crm_mon (rc={answer.status}): {answer.out}{answer.err}".rstrip())
    session.console.show("\n".join(_painted(session, line) for line in answer.out.splitlines()))
    return True


def _painted(session: "Session", line: str) -> str:
    paint = session.console.paint
    if _HEAD.match(line):
        return paint(line, "help_header")
    if line.startswith("Warning: "):
        return paint(line, "warn")
    line = _GOOD.sub(lambda match: paint(match[0], "ok"), line)
    return _BAD.sub(lambda match: paint(match[0], "error"), line)


def verify_cluster(session: "Session", scores: bool) -> bool:
    """Check the running cluster's configuration and what it is about to do."""
    checked = capture("crm_verify", ["-LVVV"])
    planned = capture("crm_simulate", ["-Lj", *(["-s"] if scores else [])])
    text = "\n".join(part.rstrip("\n") for part in (planned.out, checked.err, planned.err) if part.strip())
    session.console.show(text)
    return checked.status == 0 and planned.status == 0
