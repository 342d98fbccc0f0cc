"""CIBs as commands take them in: validated, and upgraded to a schema that the cluster still uses. I/O.

What is wrong goes to standard error in libxml2's and Pacemaker's words; the caller decides what
becomes of the command.
"""

import sys

from hatools.cib.document import Element
from hatools.values.errors import HatoolsError

__all__ = ["MINIMUM_SCHEMA", "current_form", "is_valid_cib"]

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
