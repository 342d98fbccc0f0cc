"""History entries: which ids an outcome leaves and what they say."""

import pytest

from hatools.agents.metadata import Action, AgentMetadata, Parameter
from hatools.daemons.crmd.history import Outcome, ResourceIdentity, history_entries
from hatools.values.result import ExecStatus

RESOURCE = ResourceIdentity("r", "ocf", "heartbeat", "Dummy")
UUID = "2b1a1c4e-0000-4000-8000-000000000000"
METADATA = AgentMetadata(
    "Dummy",
    parameters=(
        Parameter("state"),
        Parameter("fake", reloadable=True),
        Parameter("passwd"),
    ),
    actions=(Action("start"), Action("reload-agent")),
)


def outcome(
    operation: str, code: int, *, interval_ms: int = 0, target: int = 0, status: int = 0, **parameters: str
) -> Outcome:
    return Outcome(
        RESOURCE, operation, interval_ms, f"1:2:{target}:{UUID}", status, code, call_id=7, parameters=parameters
    )


def ids(found: Outcome) -> list[str]:
    return [entry.get("id", "") for entry in history_entries(found, "n1", None, "test")]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (outcome("start", 0), ["r_last_0"]),
        (outcome("start", 1), ["r_last_failure_0", "r_last_0"]),
        (outcome("monitor", 7, target=7), ["r_last_0"]),
        (outcome("monitor", 0, target=7), ["r_last_failure_0", "r_last_0"]),
        (outcome("monitor", 0, interval_ms=10000), ["r_monitor_10000"]),
        (outcome("monitor", 7, interval_ms=10000), ["r_last_failure_0"]),
        (outcome("stop", 1, status=int(ExecStatus.TIMEOUT)), ["r_last_failure_0", "r_last_0"]),
        (outcome("migrate_to", 0), ["r_migrate_to_0"]),
        (outcome("start", 193, status=int(ExecStatus.PENDING)), ["r_last_0"]),
    ],
)
def test_the_entries_of_an_outcome(found: Outcome, expected: list[str]):
    assert ids(found) == expected


def test_an_entry_says_what_pacemaker_says():
    (entry,) = history_entries(outcome("start", 0), "n1", None, "test")
    assert dict(entry.attrib) == {
        "id": "r_last_0",
        "operation_key": "r_start_0",
        "operation": "start",
        "crm-debug-origin": "test",
        "crm_feature_set": "3.16.1",
        "transition-key": f"1:2:0:{UUID}",
        "transition-magic": f"0:0;1:2:0:{UUID}",
        "exit-reason": "",
        "on_node": "n1",
        "call-id": "7",
        "rc-code": "0",
        "op-status": "0",
        "interval": "0",
        "last-rc-change": "0",
        "exec-time": "0",
        "queue-time": "0",
        "op-digest": "f2317cad3d54cec5d7d7aa7d0bf35cf8",
    }


def test_parameters_that_need_a_restart_and_private_ones_are_listed():
    found = outcome("start", 0, state="/x", fake="1", passwd="secret", CRM_meta_timeout="20000")
    (entry,) = history_entries(found, "n1", METADATA, "test")
    assert entry.get("op-force-restart") == "  state passwd  "
    assert entry.get("op-secure-params") == "  passwd  "
    assert entry.get("op-restart-digest") != entry.get("op-digest")
    assert entry.get("op-secure-digest") not in (entry.get("op-digest"), None)


def test_a_recurring_operation_has_no_list_of_restart_parameters():
    (entry,) = history_entries(outcome("monitor", 0, interval_ms=5000, state="/x"), "n1", METADATA, "test")
    assert entry.get("op-force-restart") is None


def test_a_timeout_of_a_recurring_operation_changes_its_digest():
    first, second = (
        history_entries(
            outcome("monitor", 0, interval_ms=5000, CRM_meta_interval="5000", CRM_meta_timeout=timeout),
            "n1",
            None,
            "test",
        )[0]
        for timeout in ("1000", "2000")
    )
    assert first.get("op-digest") != second.get("op-digest")
