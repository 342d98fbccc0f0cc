"""CIBs as commands take them in: validated, and upgraded to a schema that the cluster still uses. I/O.

What is wrong goes to standard error in libxml2's and Pacemaker's words; the caller decides what
becomes of the command.
"""

import sys

from hatools.cib.document import Element
from hatools.values.errors import HatoolsError

__all__ = ["MINIMUM_SCHEMA", "complain_about_xml", "current_form", "is_valid_cib"]

MINIMUM_SCHEMA = "pacemaker-3.0"
"""The oldest schema whose configurations are understood as they are."""


def is_valid_cib(root: Element) -> bool:
    """Say whether a CIB satisfies the schema it names; print every violation."""
    from hatools.cib.schema import violations

    found = violations(root, root.get("validate-with"))
    for violation in found:
        print(violation, file=sys.stderr)
    return not found


def current_form(root: Element) -> Element | None:
    """Return a CIB upgraded as far as need be; None (after saying why) if that cannot be done."""
    from hatools.cib.schema import LATEST, schema_index

    claimed = root.get("validate-with")
    index = schema_index(claimed)
    if index >= schema_index("none"):
        print(
            "Schema validation of configuration is disabled (enabling is encouraged and prevents common "
            "misconfigurations)",
            file=sys.stderr,
        )
        return root
    if index >= schema_index(MINIMUM_SCHEMA):
        return root
    from hatools.cib.upgrade import upgrade

    try:
        upgraded = upgrade(root, "")
    except HatoolsError:
        upgraded = None
    if upgraded is not None and schema_index(upgraded.get("validate-with")) >= schema_index(MINIMUM_SCHEMA):
        return upgraded
    why = (
        f"does not validate with any schema from {claimed} to {LATEST}"
        if upgraded is None
        else f"would not upgrade past {upgraded.get('validate-with')}"
    )
    print(
        f"Cannot upgrade configuration (claiming schema {claimed}) to at least {MINIMUM_SCHEMA} because it {why}",
        file=sys.stderr,
    )
    return None


def complain_about_xml(data: bytes, path: str | None = None) -> None:
    """Print why text is no XML, as libxml2 puts it: the fault, the line, and a mark below the place."""
    from lxml import etree

    try:
        etree.fromstring(data)
    except (etree.XMLSyntaxError, ValueError) as error:
        log = [error.error_log[n] for n in range(len(error.error_log))] if hasattr(error, "error_log") else []
    else:
        return
    lines = data.decode("utf-8", "replace").splitlines() or [""]
    code, message = 1, "unknown error"
    for entry in log:
        code, message = entry.type, entry.message
        place = f"{path}:{entry.line}" if path is not None else f"Entity: line {entry.line}"
        context = lines[entry.line - 1] if 0 < entry.line <= len(lines) else ""
        mark = " " * max(0, entry.column - 1) + "^"
        for text in (f"{place}: parser error : {message}", context, mark):
            print(f"error: XML Error: {text}".rstrip(), file=sys.stderr)
    if path is not None:
        print(f"error: Parsing failed (domain=1, level=3, code={code}): {message}", file=sys.stderr)
        print(f"error: Couldn't parse {path}", file=sys.stderr)
