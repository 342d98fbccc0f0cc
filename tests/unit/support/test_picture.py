"""What is shown of a cluster when a test fails."""

from pathlib import Path

import pytest

from tests.support.picture import log_tail, pictures, watched

LOG = """\
Nov 23 12:50:13.969 node1 hatools-messaging[25] (_log_view) \tnotice: view 1.e; members: node1, node2
Nov 23 12:50:13.972 node1 pacemakerd  [23] (_fork) \tinfo: started cib as process 26
Nov 23 13:33:48  nginx(web)[90]:    INFO: nginx not running
"""


def test_a_log_is_shown_without_what_every_line_repeats(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("earlier\n" + LOG)
    assert log_tail(tmp_path / "log", 3).splitlines() == [
        "12:50:13.969 messaging notice: view 1.e; members: node1, node2",
        "12:50:13.972 pacemakerd info: started cib as process 26",
        "Nov 23 13:33:48  nginx(web)[90]:    INFO: nginx not running",
    ]


def test_a_picture_shows_every_node_even_if_one_does_not_answer(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("once upon a time\n")

    def run(node: str, command: str) -> str:
        if node == "node2":
            raise OSError("no such node")
        return f"<{command}>\n"

    with watched({"node1": tmp_path / "log", "node2": tmp_path / "none"}, run):
        shown = pictures()
    assert shown.splitlines()[:4] == [
        "<crm_mon -1>",
        "--- node1: <crmadmin -S node1>",
        "once upon a time",
        "--- node2: crmadmin -S node2 on node2: no such node",
    ]
    assert pictures() == ""


def test_a_cluster_that_ends_because_its_test_fails_has_its_picture_taken_before(tmp_path: Path) -> None:
    with pytest.raises(AssertionError), watched({"node1": tmp_path / "none"}, lambda node, command: "S_IDLE"):
        raise AssertionError("the test fails")
    assert "--- node1: S_IDLE" in pictures()
    assert pictures() == ""
