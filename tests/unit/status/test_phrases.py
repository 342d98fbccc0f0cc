"""The words for single facts are those of Pacemaker 2.1.5."""

from dataclasses import replace

import pytest

from hatools.status.model import FailedAction, FencingEvent, FencingState, NodeKind, OperationStatus
from hatools.status.phrases import (
    failure_line,
    fencing_line,
    node_display_name,
    node_state,
    operation_line,
    primitive_line,
)
from hatools.status.view import Show
from hatools.values.duration import format_readable_interval
from hatools.values.role import Role
from tests.support.status_models import clone, node, primitive, ref

FAILURE = FailedAction(
    resource="db",
    key="db_monitor_10000",
    id="db_last_failure_0",
    node="alpha",
    rc=1,
    status=0,
    task="monitor",
    interval_ms=10000,
    call="7",
    exit_reason="port closed",
    last_change=None,
    exec_time="2500",
    queue_time="0",
)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "db\t(ocf:heartbeat:Dummy):\t Started node1"),
        ({"failed": True}, "db\t(ocf:heartbeat:Dummy):\t FAILED node1"),
        ({"orphaned": True}, "db\t(ocf:heartbeat:Dummy):\t ORPHANED Started node1"),
        ({"managed": False}, "db\t(ocf:heartbeat:Dummy):\t Started node1 (unmanaged)"),
        ({"blocked": True, "managed": False}, "db\t(ocf:heartbeat:Dummy):\t Started node1 (blocked)"),
        ({"target_role": "Stopped"}, "db\t(ocf:heartbeat:Dummy):\t Started node1 (disabled)"),
        ({"pending_task": "stop"}, "db\t(ocf:heartbeat:Dummy):\t Stopping node1"),
        ({"pending_task": "monitor"}, "db\t(ocf:heartbeat:Dummy):\t Started node1 (Monitoring)"),
        ({"standard": "lsb", "provider": "x"}, "db\t(lsb:Dummy):\t Started node1"),
        ({"failure_ignored": True}, "db\t(ocf:heartbeat:Dummy):\t Started node1 (failure ignored)"),
    ],
)
def test_a_primitive_is_told_with_its_state_and_what_is_special(changes: dict[str, object], line: str) -> None:
    assert primitive_line(primitive("db", ref("node1"), **changes), Show.PENDING) == line


def test_a_primitive_that_is_active_twice_lists_its_nodes() -> None:
    twice = primitive("db", ref("node1"), ref("node2"), description="the ledger")
    assert primitive_line(twice, Show.NONE) == "db\t(ocf:heartbeat:Dummy):\t Started the ledger [ node1 node2 ]"


def test_a_primitive_on_an_unclean_node_that_is_away_is_marked() -> None:
    lost = primitive("db", ref("node1", online=False, unclean=True))
    assert primitive_line(lost, Show.NONE) == "db\t(ocf:heartbeat:Dummy):\t Started node1 (UNCLEAN)"


def test_a_started_instance_of_a_promotable_clone_is_called_unpromoted() -> None:
    instance = primitive("db:0", ref("node1"))
    clone("db-clone", instance, hosts=("node1",), promotable=True)
    assert primitive_line(instance, Show.NONE) == "db\t(ocf:heartbeat:Dummy):\t Unpromoted node1"
    instance.failed, instance.role = True, Role.PROMOTED
    assert primitive_line(instance, Show.NONE) == "db\t(ocf:heartbeat:Dummy):\t FAILED Promoted node1"


def test_a_stopped_primitive_tells_why_it_cannot_run() -> None:
    stopped = primitive("db", probe_failures={"node1": 5})
    assert primitive_line(stopped, Show.NONE) == "db\t(ocf:heartbeat:Dummy):\t Stopped (not installed) "


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0, "0s"), (500, "500ms"), (1000, "1000ms"), (2500, "2.500s"), (60_000, "60s"), (90_000, "1m30s")],
)
def test_an_interval_is_written_in_units_that_it_exceeds(milliseconds: int, text: str) -> None:
    assert format_readable_interval(milliseconds) == text


def test_a_failure_is_told_in_everyday_words() -> None:
    line = failure_line(FAILURE, technical=False)
    assert line == "db 10s-interval monitor on alpha returned 'error' (port closed) after 2.500s"


def test_a_failure_that_did_not_run_tells_the_reason() -> None:
    probe = replace(FAILURE, key="db_monitor_0", status=2, exit_reason="", exec_time="0")
    assert failure_line(probe, technical=False) == "db probe on alpha could not be executed (Timed Out)"


def test_a_failure_is_told_in_technical_words() -> None:
    assert failure_line(FAILURE, technical=True) == (
        "db_monitor_10000 on alpha 'error' (1): call=7, status='complete', exitreason='port closed', "
        "queued=0ms, exec=2500ms"
    )


def test_an_operation_is_told_with_timing_if_wanted() -> None:
    monitor = OperationStatus("12", "monitor", "10000", 0, 0, "25", "0")
    assert operation_line(monitor, timing=False) == '(12) monitor: interval="10000ms"'
    assert operation_line(monitor, timing=True) == (
        '(12) monitor: interval="10000ms" exec-time="25ms" queue-time="0ms" rc=0 (ok)'
    )
    assert operation_line(OperationStatus("3", "start", "0", 0, 0, None, None), timing=False) == "(3) start"


def test_a_failed_fencing_tells_who_made_it_good() -> None:
    event = FencingEvent(
        "reboot", "beta", "crmd.1", "alpha", FencingState.FAILED, 0, "alpha", "no route", later_success="gamma"
    )
    assert fencing_line(event, full=False, technical=False).startswith(
        "reboot of beta by alpha for crmd.1@alpha last failed (no route) at "
    )
    assert fencing_line(event, full=True, technical=True).endswith(" (a later attempt from gamma succeeded)")


def test_pending_fencing_has_no_time() -> None:
    event = FencingEvent("off", "beta", "crmd.1", "alpha", FencingState.PENDING)
    assert fencing_line(event, full=True, technical=False) == "turning off of beta for crmd.1@alpha pending"


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "online"),
        ({"online": False}, "OFFLINE"),
        ({"unclean": True}, "UNCLEAN (online)"),
        ({"unclean": True, "online": False}, "UNCLEAN (offline)"),
        ({"unclean": True, "online": False, "pending": True}, "UNCLEAN (pending)"),
        ({"pending": True}, "pending"),
        ({"standby": True}, "standby"),
        ({"standby": True, "online": False}, "OFFLINE (standby)"),
        ({"standby_on_fail": True}, "standby (on-fail)"),
        ({"maintenance": True}, "maintenance"),
        ({"maintenance": True, "online": False}, "OFFLINE (maintenance)"),
    ],
)
def test_a_node_state_has_one_name(changes: dict[str, object], state: str) -> None:
    assert node_state(node("node1", **changes)) == state


def test_details_of_a_node_are_its_host_and_id() -> None:
    assert node_display_name(node("node1"), detail=True) == "node1 (1)"
    assert node_display_name(node("g", id="g", kind=NodeKind.GUEST, host="node1"), detail=True) == "g@node1"
    assert node_display_name(node("node1"), detail=False) == "node1"
