"""CIBs as commands take them in: validated, and upgraded to a schema that the cluster still uses. I/O.

What is wrong goes to standard error in libxml2's and Pacemaker's words; the caller decides what
becomes of the command.
"""

import contextlib
import sys

from hatools.cib.document import Element, format_xml
from hatools.cli.findings import log_level, log_line
from hatools.values.errors import HatoolsError

__all__ = ["MINIMUM_SCHEMA", "complain_about_xml", "current_form", "is_valid_cib", "read_lenient", "read_source"]

MINIMUM_SCHEMA = "pacemaker-3.0"
"""The oldest schema whose configurations are understood as they are."""


def is_valid_cib(root: Element) -> bool:
    """Say whether a CIB satisfies the schema it names (without a name, any); print every violation."""
    from hatools.cib.schema import schema_index, violations

    if root.get("validate-with") is None:
        from hatools.cib.document import Document
        from hatools.ipc.clients.cib_file import report_all_schemas

        report_all_schemas(Document(root))
        return True
    if schema_index(root.get("validate-with")) < 0:
        return False
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


def read_source(path: str) -> bytes | None:
    """Return the content of a file (``.bz2`` unpacked) or, for ``-``, of standard input; None if it cannot be read."""
    try:
        if path == "-":
            return sys.stdin.buffer.read()
        with open(path, "rb") as file:
            data = file.read()
        if path.endswith(".bz2"):
            import bz2

            return bz2.decompress(data)
    except (OSError, ValueError):
        return None
    return data


def read_lenient(path: str | None, data: bytes, verbosity: int) -> Element | None:
    """Return the XML of a text, as much of it as makes sense; None if none does. What is wrong is logged.

    Args:
        path: the file's name, for the log; None for other sources.
    """
    from hatools.cib.document import parse_xml
    from hatools.values.errors import SyntaxProblem

    with contextlib.suppress(SyntaxProblem):
        return parse_xml(data, with_text=False)
    code, message = complain_about_xml(data, path, verbosity)
    root = _recover(data)
    if path is not None and log_level(verbosity) >= 0:
        log_line("filename2xml", "error", f"Parsing failed (domain=1, level=3, code={code}): {message}")
        log_line("filename2xml", "error", f"Couldn't {'' if root is None else 'fully '}parse {path}")
        for line in () if root is None else format_xml(root).splitlines():
            log_line("filename2xml", "error", f"Partial   {line}")
    return root


def _recover(data: bytes) -> Element | None:
    from hatools.cib.document import parse_xml
    from hatools.cib.libxml2 import etree

    root = etree.fromstring(data, etree.XMLParser(recover=True)) if data.strip() else None
    return None if root is None else parse_xml(etree.tostring(root))


def complain_about_xml(data: bytes, path: str | None, verbosity: int) -> tuple[int, str]:
    """Log why text is no XML, as libxml2 puts it: the fault, the line, and a mark below the place.

    Returns the number and text of the last fault.
    """
    from hatools.cib.libxml2 import etree

    entries = []
    try:
        etree.fromstring(data)
    except (etree.XMLSyntaxError, ValueError) as error:
        entries = list(getattr(error, "error_log", ()))
    lines = data.decode("utf-8", "replace").splitlines() or [""]
    code, message = 1, "unknown error"
    seen: set[tuple[int, int, str]] = set()
    for entry in entries:
        code, message = entry.type, entry.message
        if log_level(verbosity) < 0 or (entry.line, entry.column, message) in seen:
            continue
        seen.add((entry.line, entry.column, message))
        place = f"{path}:{entry.line}" if path is not None else f"Entity: line {entry.line}"
        context = lines[entry.line - 1] if 0 < entry.line <= len(lines) else ""
        shown = context[max(0, entry.column - 81) :][:80] if len(context) > 80 else context
        mark = " " * max(0, min(entry.column - 1, len(shown), 80)) + "^"
        for text in (f"{place}: parser error : {message}", shown, mark):
            log_line("log_xmllib_err", "error", f"XML Error: {text}".rstrip())
    return code, message
