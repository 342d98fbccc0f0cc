"""What reading a CIB brought to light, for people who asked for more output. I/O.

The original logs such findings; its commands show the log on standard error: the first ``-V`` (or ``PCMK_stderr``)
shows errors, each further ``-V`` one level more.
"""

import os
import sys
from collections.abc import Iterable
from typing import Protocol

from hatools.values.boolean import is_true

__all__ = ["log_level", "show_findings"]

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
    # While functions are traced, the original names file and line, too; nobody relies on those.
    with_function = "PCMK_trace_functions" not in os.environ
    for finding in findings:
        if finding.severity in severities:
            function = function_of(finding.severity, finding.text) if with_function else None
            prefix = "" if function is None else f"({function}) \t"
            print(f"{prefix}{finding.severity}: {finding.text}", file=sys.stderr)
