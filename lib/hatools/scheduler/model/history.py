"""Operation history: what ``lrm_rsc_op`` entries say. Pure data."""

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from hatools.values.records import dataclass
from hatools.values.result import ExecStatus

if TYPE_CHECKING:
    from hatools.scheduler.model.node import Node
    from hatools.scheduler.model.resource import Resource

PROBE_MASKED_RCS = (2, 5)
"""Probe results that only mean "cannot run here": invalid parameter, not installed."""


@dataclass(slots=True, eq=False)
class Operation:
    """One recorded operation; what is seldom asked for is read from its ``xml`` then.

    ``target_rc`` is -1 where the history does not say which result was expected. Times are
    seconds since the epoch. ``restart_digest`` may be replaced while the history is read: an
    expired failure forces the operation to be scheduled anew.
    """

    xml: Element
    id: str
    task: str | None
    key: str
    call_id: int
    rc: int
    status: int
    interval_ms: int
    target_rc: int
    last_change: int | None
    restart_digest: str | None

    @property
    def exit_reason(self) -> str:
        return self.xml.get("exit-reason") or ""

    @property
    def magic(self) -> str | None:
        return self.xml.get("transition-magic")

    @property
    def digest(self) -> str | None:
        return self.xml.get("op-digest")

    @property
    def secure_digest(self) -> str | None:
        return self.xml.get("op-secure-digest")

    @property
    def restart_params(self) -> str | None:
        return self.xml.get("op-force-restart")

    @property
    def secure_params(self) -> str | None:
        return self.xml.get("op-secure-params")

    @property
    def feature_set(self) -> str | None:
        return self.xml.get("crm_feature_set")

    @property
    def migrate_source(self) -> str | None:
        return self.xml.get("migrate_source")

    @property
    def migrate_target(self) -> str | None:
        return self.xml.get("migrate_target")

    @property
    def on_node(self) -> str | None:
        return self.xml.get("on_node")

    @property
    def is_probe(self) -> bool:
        """Say whether this was a one-time monitor."""
        return self.task == "monitor" and self.interval_ms == 0

    @property
    def masks_probe_failure(self) -> bool:
        """Say whether this is a failed probe that only shows that the resource cannot run there."""
        if not self.is_probe:
            return False
        return self.status == ExecStatus.NOT_INSTALLED or self.rc in PROBE_MASKED_RCS


@dataclass(slots=True, eq=False)
class FailedOperation:
    """A failure that status displays list: the operation, its resource and node, in history order."""

    operation: Operation
    resource: "Resource"
    node: "Node"


@dataclass(slots=True, eq=False)
class ResourceHistory:
    """All recorded operations of one resource on one node (``lrm_resource``), in document order."""

    xml: Element
    id: str
    operations: list[Operation]
    container: str | None
    shutdown_lock: int
