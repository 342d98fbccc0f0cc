"""What a CIB schema lets the language say. Pure.

The words that the language accepts depend on the schema in ``validate-with``: roles got new names
in 3.7, integer comparisons came with 3.5, ``requires`` left the operations with 3.0. The facts are
those of Pacemaker's published schemas.
"""

import re
from functools import cache

from hatools.values.records import dataclass

_ACTIONS = ("start", "promote", "demote", "stop")
_DATE_OPERATIONS = ("in_range", "gt", "lt", "date_spec")
_KINDS = ("Optional", "Mandatory", "Serialize")
_OP_ATTRIBUTES = (
    "id",
    "name",
    "interval",
    "description",
    "start-delay",
    "interval-origin",
    "timeout",
    "enabled",
    "record-pending",
    "role",
)
_ON_FAIL = ("ignore", "block", "stop", "restart", "standby", "fence")
KNOWN_VERSIONS = (
    "1.0",
    "1.2",
    "1.3",
    *tuple(f"2.{minor}" for minor in range(11)),
    *tuple(f"3.{minor}" for minor in range(10)),
    "next",
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """The vocabulary under one schema; tuples keep the order in which messages list words."""

    schema: str
    roles: tuple[str, ...]
    actions: tuple[str, ...]
    date_operations: tuple[str, ...]
    expression_types: tuple[str, ...]
    kinds: tuple[str, ...]
    op_attributes: frozenset[str]
    op_values: tuple[tuple[str, tuple[str, ...]], ...]
    new_acls: bool
    has_promoted_roles: bool
    unsupported: frozenset[str]


def schema_version(name: str | None) -> tuple[int, int] | None:
    """Return (major, minor) of a ``pacemaker-X.Y`` schema name; None if it is none."""
    match = re.fullmatch(r"(?:pacemaker-)?(\d+)\.(\d+)", name or "")
    return (int(match[1]), int(match[2])) if match else None


def is_known_schema(name: str) -> bool:
    """Say whether a schema of this name exists."""
    return name.startswith("pacemaker-") and name.removeprefix("pacemaker-") in KNOWN_VERSIONS


@cache
def dialect_for(schema: str | None) -> Dialect:
    """Return the vocabulary of a schema name; an unknown name is taken for the newest."""
    version = schema_version(schema) or (99, 0)
    promoted = version >= (3, 7)
    requires = version < (3, 0)
    on_fail: tuple[str, ...] = _ON_FAIL
    if version >= (3, 4):
        on_fail = ("ignore", "block", "demote", "stop", "restart", "standby", "fence")
    if version >= (1, 2):
        on_fail = (*on_fail, "restart-container")
    roles = ("Stopped", "Started", *(("Promoted", "Unpromoted") if promoted else ()), "Master", "Slave")
    op_values: list[tuple[str, tuple[str, ...]]] = [("on-fail", on_fail), ("role", roles)]
    if requires:
        levels = ("nothing", "quorum", "fencing", "unfencing")
        op_values.append(("requires", levels if version >= (1, 3) else levels[:3]))
    return Dialect(
        schema=schema or "",
        roles=roles,
        actions=_ACTIONS,
        date_operations=_DATE_OPERATIONS,
        expression_types=("string", *(("integer",) if version >= (3, 5) else ()), "number", "version"),
        kinds=_KINDS,
        op_attributes=frozenset((*_OP_ATTRIBUTES, *(("requires",) if requires else ()), "on-fail")),
        op_values=tuple(op_values),
        new_acls=version >= (2, 0),
        has_promoted_roles=promoted,
        unsupported=_unsupported(version),
    )


def _unsupported(version: tuple[int, int]) -> frozenset[str]:
    """Return the statements that the schema has no element for."""
    words = {"user"} if version >= (2, 0) else {"acl_target", "acl_group"}
    if version < (2, 8):
        words.add("bundle")
    if version < (2, 5):
        words.add("alert")
    if version < (1, 3):
        words.add("tag")
    if version < (1, 2):
        words |= {"rsc_template", "rsc_ticket", "fencing_topology", "role", "user"}
    return frozenset(words)
