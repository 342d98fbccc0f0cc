"""crm_resource and its relatives on a running cluster. No root needed."""

from collections.abc import Iterator

import pytest

from tests.support.lab import RunningLab, running_lab

CONFIGURATION = """
primitive d ocf:pacemaker:Dummy op monitor interval=10s
primitive p ocf:pacemaker:Stateful op monitor interval=10s role=Promoted op monitor interval=11s role=Unpromoted
clone pc p meta promotable=true
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    with running_lab(tmp_path_factory.mktemp("lab"), 2, port=15680) as lab:
        lab.configure(CONFIGURATION)
        lab.on("node1", "crm_resource", "--wait", "--timeout=60")
        yield lab


def where(lab: RunningLab, resource: str) -> str:
    return lab.on("node1", "crm_resource", "-Q", "-W", "-r", resource).strip()


def test_a_move_is_over_when_waiting_returns(lab: RunningLab) -> None:
    target = "node2" if where(lab, "d") == "node1" else "node1"
    lab.on("node1", "crm_resource", "-r", "d", "--move", "-N", target)
    lab.on("node1", "crm_resource", "--wait", "--timeout=60")
    assert where(lab, "d") == target
    assert "cli-prefer-d" in lab.on("node1", "crm_resource", "-r", "d", "--clear")


def test_a_restarted_resource_runs_again_and_keeps_no_trace(lab: RunningLab) -> None:
    said = lab.on("node1", "crm_resource", "-r", "d", "--restart", "--timeout=60")
    assert "Waiting for 1 resources to stop:\n * d\n" in said
    assert where(lab, "d")
    assert "target-role" not in lab.on("node1", "crm_resource", "-r", "d", "-q")


def test_a_failure_is_counted_and_forgotten(lab: RunningLab) -> None:
    node = where(lab, "d")
    lab.on("node1", "crm_resource", "-r", "d", "--fail", "-N", node)
    lab.on("node1", "crm_resource", "--wait", "--timeout=60")
    count = ("crm_failcount", "-Q", "-G", "-r", "d", "-N", node)
    assert lab.on("node1", *count) == "1\n"
    assert f"Cleaned up d on {node}" in lab.on("node1", "crm_resource", "-r", "d", "-C")
    lab.on("node1", "crm_resource", "--wait", "--timeout=60")
    assert lab.on("node1", *count) == "0\n"


def test_a_standby_node_is_left_and_taken_again(lab: RunningLab) -> None:
    lab.on("node1", "crm_standby", "-N", "node2", "-v", "on")
    lab.on("node1", "crm_resource", "--wait", "--timeout=60")
    assert lab.active("d") == lab.active("p") == ["node1"]
    lab.on("node1", "crm_standby", "-N", "node2", "-D")
    lab.on("node1", "crm_resource", "--wait", "--timeout=60")
    assert lab.active("p") == ["node1", "node2"]


def test_the_highest_promotion_score_is_promoted(lab: RunningLab) -> None:
    lab.on("node1", "crm_attribute", "-N", "node2", "-p", "p", "-v", "100")
    lab.on("node1", "crm_resource", "--wait", "--timeout=60")
    assert "node2 Promoted" in lab.on("node1", "crm_resource", "-W", "-r", "p")
