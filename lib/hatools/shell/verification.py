"""Checking a configuration before it is committed, with ``crm_verify``. I/O."""

import re
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from hatools.cib.document import format_xml
from hatools.shell.programs import capture

if TYPE_CHECKING:
    from hatools.shell.session import Session

_SEVERITY = re.compile(r"(error|warning|notice|info): ")


def verify(session: "Session", root: Element) -> bool:
    """Check a CIB without status and show what is wrong; return whether it may be committed unforced."""
    answer = capture("crm_verify", ["-VV", "-X", format_xml(root, None)])
    lines = [line for line in answer.err.splitlines() if line.strip()]
    for position, line in enumerate(lines):
        text = _SEVERITY.sub(r"(verify) \t\1: ", line, count=1) if _SEVERITY.match(line) else line
        if position == 0 and "warning:" in line:
            session.console.warning(text)
        else:
            session.console.error(text)
    return answer.status in (0, 1)
