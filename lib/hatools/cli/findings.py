"""What the scheduler found noteworthy, as commands log it to standard error. I/O.

Commands log nothing unless they are asked to: the first ``-V`` (or ``PCMK_stderr``) shows
errors, each further ``-V`` one level more.
"""

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from hatools.values.boolean import is_true

if TYPE_CHECKING:
    from hatools.scheduler.plan import Finding

__all__ = ["log_level", "print_findings"]

_LEVELS = {"error": 0, "warning": 1, "notice": 2, "info": 3}


def log_level(verbosity: int) -> int:
    """Return how much is logged: -1 nothing, 0 errors, 1 warnings too, 2 notices too."""
    return verbosity if is_true(os.environ.get("PCMK_stderr")) else verbosity - 1


def print_findings(findings: "Iterable[Finding]", verbosity: int) -> None:
    """Log findings to standard error as far as the verbosity asks for them."""
    level = log_level(verbosity)
    if level < 0:
        return
    sys.stdout.flush()
    for finding in findings:
        if _LEVELS.get(finding.severity, 3) <= level:
            print(f"{finding.severity}: {finding.text}", file=sys.stderr)
