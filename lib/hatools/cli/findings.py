"""What reading a CIB brought to light, for people who asked for more output. I/O.

The original logs such findings; its commands show the log on standard error: the first ``-V`` (or ``PCMK_stderr``)
shows errors, each further ``-V`` one level more.
"""

import os
import sys
from collections.abc import Iterable
from typing import Protocol

from hatools.values.boolean import is_true

__all__ = ["log_level", "log_line", "show_findings"]

_SEVERITIES = ("error", "warning", "notice")


class _Finding(Protocol):
    @property
    def severity(self) -> str: ...
    @property
    def text(self) -> str: ...


def log_level(verbosity: int) -> int:
    """Return how much is logged: -1 nothing, 0 errors, 1 warnings too, 2 notices too."""
    return verbosity if is_true(os.environ.get("PCMK_stderr")) else verbosity - 1


def show_findings(findings: Iterable[_Finding], verbosity: int) -> None:
    """Print the findings that ``verbosity`` times ``-V`` lets through."""
    severities = _SEVERITIES[: log_level(verbosity) + 1]
    if not severities:
        return
    from hatools.cli.log_labels import function_of

    sys.stdout.flush()
    for finding in findings:
        if finding.severity in severities:
            log_line(function_of(finding.severity, finding.text), finding.severity, finding.text)


def log_line(function: str | None, severity: str, text: str) -> None:
    """Print a line of the log, with the name of the original's function that writes it."""
    # While functions are traced, the original names file and line, too; nobody relies on those.
    known = function is not None and "PCMK_trace_functions" not in os.environ
    prefix = f"({function}) \t" if known else ""
    print(f"{prefix}{severity}: {text}", file=sys.stderr)
