"""Which alerts are raised, and what their programs are told."""

from hatools.cib.document import Document
from hatools.daemons.crmd.alerts import Alerts, read_alerts
from hatools.daemons.crmd.cluster import Cluster, Identity
from hatools.daemons.crmd.effects import RunAlert
from hatools.ipc.messages.lrm import OperationDone
from hatools.ipc.messages.stonith import FencingRecord

PLAIN = """<alert id="a" path="/bin/plain">
  <instance_attributes id="i"><nvpair id="i1" name="colour" value="red"/></instance_attributes>
  <meta_attributes id="m"><nvpair id="m1" name="timeout" value="5s"/></meta_attributes>
  <recipient id="r1" value="one"/>
  <recipient id="r2" value="two">
    <instance_attributes id="j"><nvpair id="j1" name="colour" value="blue"/></instance_attributes>
    <meta_attributes id="n"><nvpair id="n1" name="timestamp-format" value="%s"/></meta_attributes>
  </recipient></alert>"""
SELECTED = """<alert id="b" path="/bin/some"><select><select_fencing/>
  <select_attributes><attribute id="x" name="standby"/></select_attributes></select></alert>"""


def cluster_with(*alerts: str) -> Cluster:
    cluster = Cluster(Identity(1, "node1", "u", "corosync", "c", "v"))
    cluster.document = Document.parse(f"<cib><configuration><alerts>{''.join(alerts)}</alerts></configuration></cib>")
    return cluster


def raised(cluster: Cluster) -> list[RunAlert]:
    return [effect for effect in cluster.effects if isinstance(effect, RunAlert)]


def done(operation: str, code: int, *, target: int = 0, status: int = 0) -> OperationDone:
    key = f"3:2:{target}:abc"
    return OperationDone("r", operation, 0, 5, key, status, code, "", "", 12, 0, 0, 0, {}, 20000)


def test_a_recipients_settings_win_over_those_of_its_alert() -> None:
    first, second = read_alerts(cluster_with(PLAIN).document)
    assert (first.recipient, first.environment, first.timeout_ms) == ("one", {"colour": "red"}, 5000)
    assert (second.recipient, second.environment, second.timestamp_format) == ("two", {"colour": "blue"}, "%s")


def test_each_recipient_is_told_and_calls_are_numbered() -> None:
    cluster = cluster_with(PLAIN)
    Alerts(cluster).node("2", "node2", "lost")
    told = [
        (call.environment["CRM_alert_recipient"], call.environment["CRM_alert_node_sequence"])
        for call in raised(cluster)
    ]
    assert told == [("one", "1"), ("two", "2")]
    environment = raised(cluster)[0].environment
    assert {name: environment[f"CRM_alert_{name}"] for name in ("kind", "node", "nodeid", "desc", "version")} == {
        "kind": "node",
        "node": "node2",
        "nodeid": "2",
        "desc": "lost",
        "version": "2.1.5",
    }
    assert environment["CRM_notify_node"] == "node2"
    assert environment["colour"] == "red"


def test_only_what_was_selected_is_told() -> None:
    cluster = cluster_with(SELECTED)
    alerts = Alerts(cluster)
    alerts.node("2", "node2", "lost")
    alerts.resource("node1", done("start", 0))
    alerts.attribute("2", "node2", "pingd", "1")
    alerts.attribute("2", "node2", "standby", "on")
    alerts.fencing(FencingRecord("id1", "node2", "reboot", "node1", "crmd.1", "node3", "success", 1.0))
    assert [call.environment["CRM_alert_kind"] for call in raised(cluster)] == ["attribute", "fencing"]
    assert raised(cluster)[1].environment["CRM_alert_desc"] == (
        "Operation reboot of node2 by node1 for crmd.1@node3: OK (ref=id1)"
    )


def test_attributes_are_told_only_where_they_are_selected() -> None:
    cluster = cluster_with(PLAIN)
    Alerts(cluster).attribute("2", "node2", "standby", "on")
    assert raised(cluster) == []


def test_an_operation_is_told_with_its_result_unless_it_is_a_probe_that_found_what_was_expected() -> None:
    cluster = cluster_with('<alert id="c" path="/bin/all"/>')
    alerts = Alerts(cluster)
    alerts.resource("node1", done("monitor", 7, target=7))
    alerts.resource("node1", done("monitor", 0, target=7))
    alerts.resource("node1", done("stop", 1, status=2))
    described = [(call.environment["CRM_alert_task"], call.environment["CRM_alert_desc"]) for call in raised(cluster)]
    assert described == [("monitor", "ok"), ("stop", "Timed Out")]
    assert raised(cluster)[0].environment["CRM_alert_target_rc"] == "7"
