"""``crm report``: what is needed to look at a problem. I/O."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hatools.shell.programs import call

if TYPE_CHECKING:
    from hatools.shell.session import Session


def collect_report(session: "Session", argv: Sequence[str]) -> bool:
    """Collect a report with ``crm_report``."""
    return call("crm_report", *argv) == 0
