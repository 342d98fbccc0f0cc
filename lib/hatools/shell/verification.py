"""Checking a configuration as ``crm_verify`` does: the schema first, then what the scheduler makes of it. I/O."""

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from hatools.cib.document import Document
from hatools.values.errors import SchemaError

if TYPE_CHECKING:
    from hatools.shell.session import Session


def verify(session: "Session", root: Element) -> bool:
    """Check a CIB without status and show what is wrong; return whether it may be committed unforced."""
    findings, is_valid = findings_of(Document(root))
    for position, finding in enumerate(findings):
        if position == 0 and "warning:" in finding:
            session.console.warning(finding)
        else:
            session.console.error(("" if position == 0 else " " * 7) + finding)
    return is_valid


def findings_of(document: Document) -> tuple[list[str], bool]:
    """Return findings as crm_verify words them, and whether none of them is an error."""
    from hatools.cib.schema import validate

    try:
        validate(document)
    except SchemaError as error:
        lines = [line for line in str(error).splitlines() if line]
        lines.append("(main) \terror: CIB did not pass schema validation")
        lines.append("crm_verify: Errors found during check: config not valid")
        return lines, False
    return [], True
