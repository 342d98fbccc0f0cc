"""Alerts: programs of the administrator's that are called when something happens. Pure.

The ``alerts`` section names them, with recipients and what they want to hear of: nodes that come and go, fencing,
operations of resources, and (only if selected) node attributes. What they are told is in their environment, under the
names Pacemaker's documentation lists; the same values stand under ``CRM_notify_*``, which older programs read.
"""

from collections.abc import Iterator, Mapping

from hatools import COMPATIBLE_VERSION
from hatools.cib.document import Document, Element, children
from hatools.daemons.crmd.cluster import Cluster
from hatools.daemons.crmd.effects import RunAlert
from hatools.ipc.messages.lrm import OperationDone
from hatools.ipc.messages.stonith import FencingRecord
from hatools.values.boolean import is_true
from hatools.values.duration import parse_interval_ms
from hatools.values.ocfresult import ocf_result_text
from hatools.values.opkey import TransitionKey
from hatools.values.records import dataclass
from hatools.values.result import ExecStatus, exec_status_text

DEFAULT_TIMEOUT_MS = 30_000
DEFAULT_TIMESTAMP = "%H:%M:%S.%06N"
KINDS = ("node", "fencing", "resource", "attribute")
_ALWAYS = frozenset({"node", "fencing", "resource"})
"""What an alert without a selection hears of."""

_SELECTORS = {
    "select_nodes": "node",
    "select_fencing": "fencing",
    "select_resources": "resource",
    "select_attributes": "attribute",
}


@dataclass(frozen=True, slots=True)
class Alert:
    """One program for one recipient. ``attributes`` are those it wants to hear of, empty: all."""

    id: str
    path: str
    recipient: str
    environment: dict[str, str]
    timeout_ms: int
    timestamp_format: str
    kinds: frozenset[str]
    attributes: frozenset[str] = frozenset()


def read_alerts(document: Document) -> tuple[Alert, ...]:
    """Return the alerts of a configuration, one for each recipient, in their order."""
    return tuple(alert for element in children(document.section("alerts"), "alert") for alert in _read(element))


def _read(element: Element) -> Iterator[Alert]:
    selection = element.find("select")
    kinds, attributes = _ALWAYS, frozenset[str]()
    if selection is not None:
        kinds = frozenset(_SELECTORS[each.tag] for each in children(selection, *_SELECTORS))
        wanted = children(selection.find("select_attributes"), "attribute")
        attributes = frozenset(each.get("name", "") for each in wanted)
    recipients: list[Element | None] = list(children(element, "recipient"))
    for recipient in recipients or [None]:
        meta = _pairs(element, "meta_attributes") | _pairs(recipient, "meta_attributes")
        if not is_true(meta.get("enabled", "true")):
            continue
        yield Alert(
            id=element.get("id", ""),
            path=element.get("path", ""),
            recipient="" if recipient is None else recipient.get("value", ""),
            environment=_pairs(element, "instance_attributes") | _pairs(recipient, "instance_attributes"),
            timeout_ms=parse_interval_ms(meta.get("timeout")) or DEFAULT_TIMEOUT_MS,
            timestamp_format=meta.get("timestamp-format", DEFAULT_TIMESTAMP),
            kinds=kinds,
            attributes=attributes,
        )


def _pairs(parent: Element | None, tag: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for group in children(parent, tag):
        for pair in children(group, "nvpair"):
            found.setdefault(pair.get("name", ""), pair.get("value", ""))
    return found


class Alerts:
    """Turns what happens into calls. Calls are numbered, so that programs can put them in order."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._section: Element | None = None
        self._alerts: tuple[Alert, ...] = ()
        self._sequence = 0

    def node(self, node_id: str, node: str, state: str) -> None:
        """A node became a ``member`` or was ``lost``."""
        self._raise("node", {"node": node, "nodeid": node_id, "desc": state})

    def fencing(self, record: FencingRecord) -> None:
        """A fencing operation ended."""
        succeeded = record.state == "success"
        result = "OK" if succeeded else record.reason or "Error"
        by = record.executioner or "the cluster"
        values = {
            "node": record.target,
            "task": record.action,
            "rc": "0" if succeeded else "-61",
            "desc": f"Operation {record.action} of {record.target} by {by} for {record.client}@{record.origin}: "
            f"{result} (ref={record.id})",
        }
        self._raise("fencing", values)

    def resource(self, node: str, done: OperationDone) -> None:
        """An operation of ours ended; a probe that found what was expected is no news."""
        key = TransitionKey.parse(done.tag)
        expected = 0 if key is None or key.target_rc < 0 else key.target_rc
        if done.interval_ms == 0 and done.operation == "monitor" and done.exit_status == expected:
            return
        is_done = done.exec_status == ExecStatus.DONE
        values = {
            "node": node,
            "rsc": done.resource,
            "task": done.operation,
            "interval": str(done.interval_ms),
            "target_rc": str(expected),
            "status": str(int(done.exec_status)),
            "rc": str(done.exit_status),
            "exec_time": str(done.exec_time_ms),
            "desc": ocf_result_text(done.exit_status) if is_done else exec_status_text(done.exec_status),
        }
        self._raise("resource", values)

    def attribute(self, node_id: str, node: str, name: str, value: str | None) -> None:
        """A node attribute has another value in the CIB."""
        values = {"node": node, "nodeid": node_id, "attribute_name": name, "attribute_value": value or ""}
        self._raise("attribute", values)

    def _raise(self, kind: str, values: Mapping[str, str]) -> None:
        for alert in self._configured():
            is_wanted = kind in alert.kinds and not (
                kind == "attribute" and alert.attributes and values["attribute_name"] not in alert.attributes
            )
            if not is_wanted:
                continue
            self._sequence += 1
            told = {
                "kind": kind,
                "version": COMPATIBLE_VERSION,
                "node_sequence": str(self._sequence),
                "recipient": alert.recipient,
                **values,
            }
            environment = dict(alert.environment)
            for prefix in ("CRM_alert_", "CRM_notify_"):
                environment.update({f"{prefix}{name}": value for name, value in told.items()})
            self._cluster.emit(RunAlert(alert.id, alert.path, environment, alert.timeout_ms, alert.timestamp_format))

    def _configured(self) -> tuple[Alert, ...]:
        section = self._cluster.document.section("alerts")
        if section is not self._section:
            self._section = section
            self._alerts = read_alerts(self._cluster.document)
        return self._alerts
