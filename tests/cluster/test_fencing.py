"""stonithd of three lab nodes with real fence agents: who does it, what is tried next, who hears of it."""

import asyncio
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from hatools.ipc.blocking import BlockingConnection
from hatools.ipc.clients.stonith import StonithClient
from hatools.ipc.messages.cib import Change
from hatools.ipc.messages.stonith import Fence, FencingRecord, RunDevice
from hatools.lab.cluster import command_node
from hatools.values.ciboperation import CibOperation
from hatools.values.errors import DeadlineError, HatoolsError
from tests.support.lab import RunningLab, running_lab

PORT = 15650

AGENT = r"""#!/bin/sh
# A fence agent for tests: writes down what it is asked for, and answers as its parameter "mode" says.
[ "$1" != -o ] || action=$2
[ -n "$1" ] || while read -r line; do
    case $line in
    action=*) action=${line#*=} ;;
    port=*) port=${line#*=} ;;
    mode=*) mode=${line#*=} ;;
    log=*) log=${line#*=} ;;
    name=*) name=${line#*=} ;;
    esac
done
if [ "$action" = metadata ]; then
    cat <<END
<resource-agent name="fence_test" shortdesc="test"><parameters>
<parameter name="port"><content type="string"/></parameter>
<parameter name="mode"><content type="string"/></parameter>
<parameter name="name"><content type="string"/></parameter>
<parameter name="log"><content type="string"/></parameter>
</parameters><actions><action name="on"/><action name="off"/><action name="reboot"/><action name="status"/>
<action name="list"/><action name="monitor"/><action name="metadata"/></actions></resource-agent>
END
    exit 0
fi
case $action in monitor) exit 0 ;; list) echo "listed1,"; exit 0 ;; esac
echo "$name $action $port $HATOOLS_NODE_NAME" >>"$log"
case $mode in
fail) echo "no such plug" >&2; exit 1 ;;
hang) exec sleep 300 ;;
slow) sleep 2 ;;
esac
exit 0
"""

DEVICES = {
    "good": {"pcmk_host_list": "ghost1 ghost2 ghost3"},
    "second": {"pcmk_host_list": "ghost1 ghost2 ghost3"},
    "bad": {"pcmk_host_list": "ghost2 ghost4", "mode": "fail"},
    "hangs": {
        "pcmk_host_list": "ghost3 ghost5",
        "mode": "hang",
        "pcmk_off_timeout": "2s",
        "pcmk_reboot_timeout": "2s",
    },
    "listed": {},
    "mapped": {"pcmk_host_map": "ghost6:plug6;ghost7:plug7"},
    "slow": {"pcmk_host_list": "ghost8 ghost9", "mode": "slow"},
}

LEVELS = (
    ("ghost1", 1, "good,second"),
    ("ghost2", 1, "bad"),
    ("ghost2", 2, "good"),
    ("ghost3", 1, "hangs,good"),
    ("ghost3", 2, "good"),
)


def configuration(log: Path) -> str:
    """Return the devices and the topology as XML."""
    primitives = []
    for name, parameters in DEVICES.items():
        pairs = "".join(
            f'<nvpair id="{name}-{key}" name="{key}" value="{value}"/>'
            for key, value in {**parameters, "name": name, "log": str(log)}.items()
        )
        primitives.append(
            f'<primitive id="{name}" class="stonith" type="fence_test">'
            f'<instance_attributes id="{name}-p">{pairs}</instance_attributes></primitive>'
        )
    levels = "".join(
        f'<fencing-level id="{target}-{index}" target="{target}" index="{index}" devices="{devices}"/>'
        for target, index, devices in LEVELS
    )
    return (
        f"<configuration><resources>{''.join(primitives)}</resources>"
        f"<fencing-topology>{levels}</fencing-topology></configuration>"
    )


def load(lab: RunningLab, xml: str) -> None:
    """Add to the configuration."""
    path = lab.lab.directories(lab.lab.node("node1")).socket("cib")
    with BlockingConnection(path, "cib", name="test") as connection:
        connection.request(Change(CibOperation.MODIFY, section="configuration", xml=xml.encode(), allow_create=True))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningLab, Path]]:
    """A lab whose nodes have the test's agent and devices; yields it and the agent's log."""
    folder = tmp_path_factory.mktemp("fencing")
    agents = folder / "agents"
    agents.mkdir()
    (agents / "fence_test").write_text(AGENT)
    (agents / "fence_test").chmod(0o755)
    log = folder / "calls"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HATOOLS_FENCE_AGENTS", str(agents))
        with running_lab(folder / "lab", port=PORT) as lab:
            load(lab, configuration(log))
            wait_until(lambda: "listed" in lab.on("node3", "stonith_admin", "-L"), "the devices are known")
            yield lab, log


def wait_until(condition: Callable[[], bool], what: str, limit_s: float = 60.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"it did not come true: {what}"
        time.sleep(0.05)


def calls(log: Path, target: str) -> list[str]:
    """Return the calls that concerned a target: device, action and node of each."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [line.replace(f" {target}", "") for line in lines if target in line.split()]


def actions(log: Path, target: str) -> list[str]:
    """Return device and action of the calls that concerned a target."""
    return [" ".join(call.split()[:2]) for call in calls(log, target)]


def history(lab: RunningLab, node: str, target: str) -> list[tuple[str, str]]:
    """Return action and state of what a node remembers of a target, newest first."""

    async def ask() -> tuple[FencingRecord, ...]:
        path = lab.lab.directories(lab.lab.node(node)).socket("stonithd")
        client = await StonithClient.connect(path, name="test")
        return await client.history(target)

    return [(record.action, record.state) for record in asyncio.run(ask())]


def admin(lab: RunningLab, node: str, *words: str) -> subprocess.CompletedProcess[str]:
    return lab.command(node, "stonith_admin", *words)


def test_every_device_of_a_level_works_and_a_reboot_is_off_and_then_on(site: tuple[RunningLab, Path]) -> None:
    lab, log = site
    assert admin(lab, "node1", "-B", "ghost1").returncode == 0
    assert actions(log, "ghost1") == ["good off", "second off", "good on", "second on"]


def test_a_level_that_fails_is_left_for_the_next_after_two_tries_on_each_node(site: tuple[RunningLab, Path]) -> None:
    lab, log = site
    assert admin(lab, "node2", "-F", "ghost2", "-t", "20").returncode == 0
    found = actions(log, "ghost2")
    assert found[-1] == "good off"
    assert set(found[:-1]) == {"bad off"}
    assert len(found) >= 3
    wait_until(lambda: all(history(lab, node, "ghost2") for node in lab.names), "all nodes know")
    assert {tuple(history(lab, node, "ghost2")) for node in lab.names} == {(("off", "success"),)}


def test_an_agent_that_hangs_is_killed_and_the_next_level_is_tried(site: tuple[RunningLab, Path]) -> None:
    lab, log = site
    began = time.monotonic()
    assert admin(lab, "node1", "-F", "ghost3", "-t", "20").returncode == 0
    assert time.monotonic() - began < 30
    assert actions(log, "ghost3")[-1] == "good off"


def test_when_every_way_fails_the_reason_is_given_and_remembered_by_all(site: tuple[RunningLab, Path]) -> None:
    lab, _ = site
    done = admin(lab, "node1", "-F", "ghost4", "-t", "5")
    assert done.returncode == 1
    assert done.stderr == "stonith_admin: Couldn't fence ghost4: No data available (no such plug)\n"
    wait_until(lambda: all(history(lab, node, "ghost4") == [("off", "failed")] for node in lab.names), "all nodes know")
    assert "failed (no such plug)" in lab.on("node3", "stonith_admin", "-H", "ghost4", "-V")


def test_what_takes_too_long_is_a_timeout(site: tuple[RunningLab, Path]) -> None:
    lab, _ = site
    done = admin(lab, "node1", "-F", "ghost5", "-t", "2")
    assert done.returncode == 124
    assert "Timer expired" in done.stderr


def test_a_node_that_nobody_can_fence_is_said_so_at_once(site: tuple[RunningLab, Path]) -> None:
    lab, _ = site
    done = admin(lab, "node1", "-F", "nobody")
    assert (done.returncode, done.stderr) == (105, "stonith_admin: Couldn't fence nobody: No such device\n")


def test_hosts_are_found_by_list_and_by_map(site: tuple[RunningLab, Path]) -> None:
    lab, log = site
    assert lab.on("node1", "stonith_admin", "-l", "listed1") == "listed\n1 fence device found\n"
    assert lab.on("node1", "stonith_admin", "-s", "listed") == "listed1\n1 fence target found\n"
    assert admin(lab, "node1", "-B", "ghost6").returncode == 0
    assert actions(log, "plug6") == ["mapped reboot"]


def test_two_requests_for_the_same_are_one_operation(site: tuple[RunningLab, Path]) -> None:
    lab, log = site
    results: list[int] = []

    def ask(node: str) -> None:
        results.append(admin(lab, node, "-F", "ghost8").returncode)

    threads = [threading.Thread(target=ask, args=(node,)) for node in lab.names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [0, 0, 0]
    assert 1 <= len(calls(log, "ghost8")) < 3


def test_a_recent_success_is_tolerated(site: tuple[RunningLab, Path]) -> None:
    lab, log = site
    assert admin(lab, "node1", "-B", "ghost7").returncode == 0
    assert admin(lab, "node2", "-B", "ghost7", "--tolerance", "60").returncode == 0
    assert actions(log, "plug7") == ["mapped reboot"]


def test_a_persons_word_is_known_everywhere_and_ends_what_is_under_way(site: tuple[RunningLab, Path]) -> None:
    lab, _ = site
    results: list[int] = []
    thread = threading.Thread(target=lambda: results.append(admin(lab, "node1", "-F", "ghost5", "-t", "40").returncode))
    thread.start()
    wait_until(lambda: ("off", "pending") in history(lab, "node2", "ghost5"), "it is under way")
    assert admin(lab, "node2", "-C", "ghost5").returncode == 0
    thread.join(20)
    assert results == [0]
    assert "delegate=a human" in lab.on("node3", "stonith_admin", "-H", "ghost5", "-V")


def test_what_a_killed_fencer_had_begun_fails_and_can_be_asked_for_again(site: tuple[RunningLab, Path]) -> None:
    lab, _ = site
    thread = threading.Thread(target=lambda: admin(lab, "node2", "-F", "ghost9"))
    thread.start()
    wait_until(lambda: ("off", "pending") in history(lab, "node1", "ghost9"), "it is under way")
    os.kill(lab.pid("node2", "stonithd"), signal.SIGKILL)
    thread.join(30)
    wait_until(lambda: ("off", "pending") not in history(lab, "node1", "ghost9"), "it has ended")
    assert admin(lab, "node1", "-F", "ghost9", "-t", "20").returncode == 0
    lab.settle()
    wait_until(lambda: history(lab, "node2", "ghost9")[:1] == [("off", "success")], "the new one was told")


def test_a_frozen_fencer_is_passed_over(site: tuple[RunningLab, Path]) -> None:
    """Its node offered nothing yet, or its task is not confirmed: somebody else does it within seconds."""
    lab, log = site
    frozen = lab.pid("node3", "stonithd")
    os.kill(frozen, signal.SIGSTOP)
    try:
        before = len(calls(log, "ghost8"))
        began = time.monotonic()
        assert admin(lab, "node1", "-F", "ghost8", "-t", "30").returncode == 0
        assert time.monotonic() - began < 15
        assert len(calls(log, "ghost8")) == before + 1
    finally:
        os.kill(frozen, signal.SIGCONT)
    lab.settle()


def test_a_node_can_be_fenced_by_its_own_request(site: tuple[RunningLab, Path]) -> None:
    """The request is passed to a peer; the victim is dead before that is reported, and comes back."""
    lab, _ = site
    events = lab.lab.control / "node3.events"
    before = events.read_text().count("boot")
    admin(lab, "node3", "-B", "node3")
    wait_until(lambda: events.read_text().count("boot") > before, "node3 was booted again")
    wait_until(lambda: history(lab, "node1", "node3")[:1] == [("reboot", "success")], "the others know")
    assert not any("node3 reboot" in call for call in lab.on("node1", "stonith_admin", "-H", "node3", "-V"))
    lab.settle()


def test_a_node_that_came_back_remembers_what_happened_before(site: tuple[RunningLab, Path]) -> None:
    lab, _ = site
    wait_until(lambda: history(lab, "node3", "ghost1") == [("reboot", "success")], "node3 was told")


def test_a_request_that_is_wrong_changes_nothing(site: tuple[RunningLab, Path]) -> None:
    lab, _ = site
    path = lab.lab.directories(lab.lab.node("node1")).socket("stonithd")
    with BlockingConnection(path, "stonithd", name="test") as connection:
        for request in (Fence("node2", "explode"), Fence("", "off"), RunDevice("none", "monitor")):
            with pytest.raises(HatoolsError):
                connection.request(request)


def test_a_frozen_node_cannot_answer_but_is_killed_all_the_same(site: tuple[RunningLab, Path]) -> None:
    lab, _ = site
    command_node(lab.lab, lab.lab.node("node2"), "pause")
    try:
        path = lab.lab.directories(lab.lab.node("node1")).socket("stonithd")
        with BlockingConnection(path, "stonithd", name="test") as connection:
            connection.request(Fence("node2", "reboot", timeout_ms=30_000), timeout_s=60)
    except DeadlineError:
        pytest.fail("a frozen node was not fenced in time")
    lab.settle()


def test_outputs_have_the_shape_that_other_programs_read(site: tuple[RunningLab, Path]) -> None:
    """Texts and XML as Pacemaker 2.1.5 was seen to print them (a history of one success and one failure)."""
    lab, _ = site
    admin(lab, "node1", "-B", "ghost6")
    admin(lab, "node1", "-C", "human1")
    text = lab.on("node1", "stonith_admin", "-H", "human1")
    assert re.fullmatch(
        r"turning off of human1 successful: delegate=a human, client=stonith_admin\.\d+, origin=node1, "
        r"last-successful='\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(Z| [+-]\d\d:\d\d)'\n1 event found\n",
        text,
    )
    assert re.fullmatch(r"\d+\n0 events found\n", lab.on("node1", "stonith_admin", "-H", "human1", "-q"))
    assert re.fullmatch(
        r"Node human1 last fenced at: \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\n",
        lab.on("node1", "stonith_admin", "-h", "human1"),
    )
    assert lab.on("node1", "stonith_admin", "-h", "never") == "Node never has never been fenced\n"
    result = ElementTree.fromstring(lab.on("node1", "stonith_admin", "-H", "human1", "-V", "--output-as=xml"))
    (event,) = result.iter("fence_event")
    assert list(event.attrib) == ["action", "target", "client", "origin", "status", "delegate", "completed"]
    assert (event.get("status"), event.get("delegate")) == ("success", "a human")
    listing = result.find("list")
    assert listing is not None
    assert listing.attrib == {"name": "fencing history", "count": "1"}
    page = lab.on("node1", "stonith_admin", "-H", "human1", "--output-as=html")
    assert '<h2>Fencing history</h2>\n<ul><li class="successful-stonith-event">turning off of human1' in page
    assert lab.command("node1", "stonith_admin", "-r", "n1", "-i", "20", "-v", "good").stderr == (
        "Can't register topology level 20 for n1: Invalid argument\n"
    )


def test_levels_registered_by_hand_are_followed(site: tuple[RunningLab, Path]) -> None:
    lab, log = site
    assert admin(lab, "node1", "-r", "@^hand[0-9]$", "-i", "1", "-v", "byhand").returncode == 0
    assert admin(
        lab, "node1", "-R", "byhand", "-a", "fence_test", "-o", f"log={log}", "-o", "name=byhand", "-o",
        "pcmk_host_check=none",
    ).returncode == 0  # fmt: skip
    assert admin(lab, "node1", "-B", "hand1").returncode == 0
    assert actions(log, "hand1") == ["byhand reboot"]
    assert admin(lab, "node1", "-d", "@^hand[0-9]$", "-i", "1").returncode == 0
    assert admin(lab, "node1", "-D", "byhand").returncode == 0
    assert "byhand" not in lab.on("node1", "stonith_admin", "-L")
    assert admin(lab, "node1", "-B", "hand1").returncode == 105
