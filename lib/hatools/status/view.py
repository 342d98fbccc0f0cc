"""What of a cluster status shall be shown. Pure.

The names of sections are those of ``crm_mon --include``.
"""

from enum import Flag, auto
from typing import Self

from hatools.values.records import dataclass, replace

__all__ = ["SECTION_NAMES", "Section", "Show", "View"]


class Section(Flag):
    """Parts of a status display."""

    NONE = 0
    STACK = auto()
    DC = auto()
    TIMES = auto()
    COUNTS = auto()
    OPTIONS = auto()
    MAINT_MODE = auto()
    NODES = auto()
    RESOURCES = auto()
    ATTRIBUTES = auto()
    FAILCOUNTS = auto()
    OPERATIONS = auto()
    FENCING_FAILED = auto()
    FENCING_PENDING = auto()
    FENCING_SUCCEEDED = auto()
    TICKETS = auto()
    BANS = auto()
    FAILURES = auto()

    SUMMARY = STACK | DC | TIMES | COUNTS | MAINT_MODE
    FENCING = FENCING_FAILED | FENCING_PENDING | FENCING_SUCCEEDED
    DEFAULT = SUMMARY | NODES | RESOURCES | FAILURES
    ALL = (
        SUMMARY
        | OPTIONS
        | NODES
        | RESOURCES
        | ATTRIBUTES
        | FAILCOUNTS
        | OPERATIONS
        | FENCING
        | TICKETS
        | BANS
        | FAILURES
    )


SECTION_NAMES = {
    "attributes": Section.ATTRIBUTES,
    "bans": Section.BANS,
    "counts": Section.COUNTS,
    "dc": Section.DC,
    "failcounts": Section.FAILCOUNTS,
    "failures": Section.FAILURES,
    "fencing": Section.FENCING,
    "fencing-failed": Section.FENCING_FAILED,
    "fencing-pending": Section.FENCING_PENDING,
    "fencing-succeeded": Section.FENCING_SUCCEEDED,
    "maint-mode": Section.MAINT_MODE,
    "nodes": Section.NODES,
    "operations": Section.OPERATIONS,
    "options": Section.OPTIONS,
    "resources": Section.RESOURCES,
    "stack": Section.STACK,
    "summary": Section.SUMMARY,
    "tickets": Section.TICKETS,
    "times": Section.TIMES,
}


class Show(Flag):
    """How much is said about what is shown."""

    NONE = 0
    BRIEF = auto()
    CLONE_DETAIL = auto()
    NODE_ID = auto()
    IMPLICIT = auto()
    TIMING = auto()
    INACTIVE = auto()
    BY_NODE = auto()
    PENDING = auto()
    RESOURCE_ONLY = auto()
    FAILURE_DETAIL = auto()
    FEATURE_SET = auto()

    DETAILS = CLONE_DETAIL | NODE_ID | IMPLICIT | FAILURE_DETAIL | FEATURE_SET


@dataclass(frozen=True, slots=True)
class View:
    """Sections, manner and filters of one display.

    ``nodes`` (names in lower case) and ``resources`` (ids) limit what is shown; None is no
    limit. ``ban_prefix`` selects bans by how their ids begin.
    """

    sections: Section = Section.DEFAULT
    show: Show = Show.NONE
    nodes: frozenset[str] | None = None
    resources: frozenset[str] | None = None
    ban_prefix: str | None = None

    def has(self, show: Show) -> bool:
        """Say whether all of these manners are asked for."""
        return self.show & show == show

    def with_show(self, add: Show, remove: Show = Show.NONE) -> Self:
        """Return the view in another manner."""
        return replace(self, show=(self.show | add) & ~remove)

    def for_all_resources(self) -> Self:
        """Return the view without a limit on resources."""
        return replace(self, resources=None)

    def shows_node(self, name: str | None) -> bool:
        """Say whether a node passes the filter."""
        return self.nodes is None or (name is not None and name.lower() in self.nodes)

    def names(self, *identifiers: str) -> bool:
        """Say whether the resource filter lets everything pass or names one of these ids."""
        return self.resources is None or any(identifier in self.resources for identifier in identifiers)
