"""What the external agent of crm_mon is told."""

import time
from pathlib import Path
from xml.etree.ElementTree import fromstring

from hatools.cli.mon_agent import Happening, happenings, run_agent

PATCH = """
<diff format="2"><change operation="{operation}" path="/cib/status/node_state[@id='2']/lrm[@id='2']/lrm_resources">
  <lrm_resource id="web"><lrm_rsc_op id="web_last_0" operation_key="web_{task}"
    transition-magic="{magic};12:3:{target}:11111111-2222-3333-4444-555555555555" {more}/></lrm_resource>
</change></diff>"""


def told(task: str, magic: str, target: int, more: str = "", operation: str = "create") -> list[Happening]:
    text = PATCH.format(task=task, magic=magic, target=target, more=more, operation=operation)
    return list(happenings(fromstring(text)))


def test_a_success() -> None:
    assert told("start_0", "0:0", 0, 'on_node="beta"') == [Happening("beta", "web", "start", 0, 0, 0, "OK")]


def test_a_failure_and_a_node_known_by_its_id_only() -> None:
    assert told("monitor_20000", "0:7", 0) == [Happening("2", "web", "monitor", 0, 7, 0, "not running")]


def test_an_operation_that_could_not_be_carried_out() -> None:
    (found,) = told("stop_0", "2:1", 0)
    assert (found.status, found.description) == (2, "Timed Out")


def test_a_probe_that_found_nothing_is_not_news() -> None:
    assert told("monitor_0", "0:7", 7) == []


def test_what_is_deleted_is_not_news() -> None:
    assert told("start_0", "0:0", 0, operation="delete") == []


def test_the_agent_gets_it_in_its_environment(tmp_path: Path) -> None:
    program, result = tmp_path / "agent", tmp_path / "result"
    program.write_text(
        f"#!/bin/sh\necho $CRM_notify_node $CRM_notify_rsc $CRM_notify_rc $CRM_notify_recipient >{result}.new\n"
        f"mv {result}.new {result}\n"
    )
    program.chmod(0o755)
    assert run_agent(str(program), "admin", Happening("beta", "web", "start", 0, 5, 0, "x")) is None
    deadline = time.monotonic() + 30
    while not result.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert result.read_text() == "beta web 5 admin\n"


def test_an_agent_that_is_not_there_is_reported(tmp_path: Path) -> None:
    path = str(tmp_path / "none")
    assert run_agent(path, None, Happening("a", None, "off", 0, 0, 0, "x")) == (
        f"{path} cannot be run: No such file or directory"
    )
