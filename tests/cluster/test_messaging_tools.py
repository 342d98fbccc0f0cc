"""The corosync-* commands on real daemons: output and exit codes as Corosync 3.1.7 gave them on three nodes."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hatools.ipc.blocking import BlockingConnection
from hatools.ipc.messages.messaging import JoinGroup
from tests.cluster.test_messaging import KEY, Ring, formed, ring, wait_until

__all__ = ["formed", "ring"]
BIN = Path(__file__).resolve().parents[2] / "bin"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ring]:
    made = Ring(tmp_path_factory.mktemp("tools"))
    try:
        made.start(1, 2, 3)
        made.wait_for({1, 2, 3}, 1, 2, 3)
        yield made
    finally:
        made.stop()


def run(ring: Ring, line: str, number: int = 1) -> tuple[int, str, str]:
    command, *arguments = line.split()
    environment = os.environ | {"HATOOLS_ROOT": str(ring.directories(number).root)}
    done = subprocess.run(
        [sys.executable, str(BIN / command), *arguments], env=environment, capture_output=True, text=True, timeout=30
    )
    return done.returncode, re.sub(r"(Date: +|Ring ID: +1\.).*", r"\1?", done.stdout), done.stderr


MEMBERS = """
Membership information
----------------------
    Nodeid      Votes Name
         1          1 n1 (local)
         2          1 n2
         3          1 n3
"""
WITH_DEVICE = MEMBERS.replace("Votes Name", "Votes    Qdevice Name").replace(" 1 n", " 1         NR n")
STATUS = f"""\
Quorum information
------------------
Date:             ?
Quorum provider:  corosync_votequorum
Nodes:            3
Node ID:          1
Ring ID:          1.?
Quorate:          Yes

Votequorum information
----------------------
Expected votes:   3
Highest expected: 3
Total votes:      3
Quorum:           2  
Flags:            Quorate 
{MEMBERS}"""  # noqa: W291 (the original's blanks)
LINKS = """\
Local node ID 1, transport knet
LINK ID 0 udp
	addr	= 127.0.0.1
	status:
		nodeid:          1:	localhost
		nodeid:          2:	connected
		nodeid:          3:	connected
"""


@pytest.mark.parametrize(
    ("line", "code", "output", "complaint"),
    [
        ("corosync-quorumtool", 0, STATUS, ""),
        ("corosync-quorumtool -s", 0, STATUS, ""),
        ("corosync-quorumtool -l", 0, MEMBERS, ""),
        ("corosync-quorumtool -l -p", 0, WITH_DEVICE, ""),
        ("corosync-quorumtool -l -i", 0, re.sub(r"\bn(\d)", r"127.0.0.\1", MEMBERS), ""),
        ("corosync-quorumtool -l -H", 0, re.sub(r"^ +(\d) ", r"0x0000000\1 ", MEMBERS, flags=re.M), ""),
        ("corosync-quorumtool -o z", 1, "",
         "Invalid ordering option. valid orders are a(address), i(node ID) or n(name)\n"),
        ("corosync-quorumtool -e 0", 1, "", "New expected votes value was not valid, try a positive number\n"),
        ("corosync-quorumtool -n x", 1, "", "The nodeid was not valid, try a positive number\n"),
        ("corosync-quorumtool -v x", 1, "", "New votes value was not valid, try a positive number or zero\n"),
        ("corosync-quorumtool -v 1 -n 9", 1, "", "Unable to set votes 1 for nodeid: 9: CS_ERR_NAME_NOT_FOUND\n"),
        ("corosync-quorumtool -e 2", 1, "", "Unable to set expected votes: CS_ERR_INVALID_PARAM\n"),
        ("corosync-quorumtool -e 6", 1, "", "Unable to set expected votes: CS_ERR_INVALID_PARAM\n"),
        ("corosync-quorumtool -f", 0, "", ""),
        ("corosync-cfgtool -s", 0, LINKS, ""),
        ("corosync-cfgtool -s -i 7", 0, LINKS, ""),
        ("corosync-cfgtool -sb", 0, LINKS.partition("\tstatus:")[0] + "\tstatus\t= n33\n", ""),
        ("corosync-cfgtool -a 2", 0, "127.0.0.2\n", ""),
        ("corosync-cfgtool -a 9", 1, "", "Could not get node address for nodeid 9\n"),
        ("corosync-cfgtool -k 9", 1, "Killing node 9\n", "Could not kill node (error = CS_ERR_NOT_EXIST)\n"),
        ("corosync-cfgtool -k x", 1, "", "The nodeid was not valid, try a positive number\n"),
        ("corosync-cfgtool -L", 0, "", ""),
        ("corosync-cfgtool -R", 0, "Reloading corosync.conf...\nDone\n", ""),
        ("corosync-cfgtool -z", 1, "", "corosync-cfgtool: invalid option -- 'z'\n"),
        ("corosync-cmapctl -g nope", 1, "", "Can't get key nope. Error CS_ERR_NOT_EXIST\n"),
        ("corosync-cmapctl totem.clu", 0, "totem.cluster_name (str) = test\n", ""),
        ("corosync-cmapctl -q -g totem.cluster_name totem.version", 0, "test\n2\n", ""),
        ("corosync-cmapctl zzz", 1, "", ""),
        ("corosync-cmapctl -g", 1, "", "Expected key after options\n"),
        ("corosync-cmapctl -s a.b", 1, "", "At least 3 parameters are expected for set\n"),
        ("corosync-cmapctl -s a.b u8 500", 1, "", "500 is not valid u8 integer\n"),
        ("corosync-cmapctl -s a.b zz 5", 1, "", "Unknown type zz\n"),
        ("corosync-cmapctl -s a.b u8 x", 1, "", "x is not valid u8 type value\n"),
        ("corosync-cmapctl -s totem.cluster_name str x", 1, "",
         "Failed to set key totem.cluster_name. Error CS_ERR_ACCESS\n"),
        ("corosync-cmapctl -s runtime.config.totem.token u32 9", 1, "",
         "Failed to set key runtime.config.totem.token. Error CS_ERR_ACCESS\n"),
        ("corosync-cmapctl -d nope", 1, "", "Can't delete key nope. Error CS_ERR_NOT_EXIST\n"),
        ("corosync-cmapctl -D totem.cl", 0, "", "Can't delete key totem.cluster_name. Error CS_ERR_ACCESS\n"),
        ("corosync-cmapctl -C foo", 1, "", "argument to -C should be 'knet', 'ipc', 'totem', 'schedmiss' or 'all'\n"),
        ("corosync-cmapctl -C all", 0, "", ""),
        ("corosync-cmapctl -m foo", 1, "", "invalid map name, must be 'default', 'icmap' or 'stats'\n"),
        ("corosync-cpgtool -z", 1, "", "corosync-cpgtool: invalid option -- 'z'\n"),
    ],
)  # fmt: skip
def test_commands_answer_as_the_originals(cluster: Ring, line: str, code: int, output: str, complaint: str) -> None:
    assert run(cluster, line) == (code, output, complaint)


def test_nodes_are_listed_with_their_links(cluster: Ring) -> None:
    code, output, _ = run(cluster, "corosync-cfgtool -n")

    assert code == 0
    assert re.fullmatch(
        r"Local node ID 1, transport knet\n"
        r"nodeid: 2 reachable\n   LINK: 0 udp \(127\.0\.0\.1->127\.0\.0\.2\) enabled connected mtu: \d+\n\n"
        r"nodeid: 3 reachable\n   LINK: 0 udp \(127\.0\.0\.1->127\.0\.0\.3\) enabled connected mtu: \d+\n\n",
        output,
    )


@pytest.mark.parametrize(
    "command", ["corosync-quorumtool -s", "corosync-cfgtool -s", "corosync-cmapctl", "corosync-cpgtool"]
)
def test_without_a_daemon_the_answer_is_an_error(tmp_path: Path, command: str) -> None:
    dead = Ring(tmp_path)

    code, output, complaint = run(dead, command)

    assert code == 1 and not output
    assert complaint in (
        "Cannot initialize CMAP service\n",
        "Could not initialize corosync configuration API error 2\n",
        "Failed to initialize the cmap API. Error CS_ERR_LIBRARY\n",
        "Could not initialize corosync cpg API error 2\n",
    )


def test_keys_of_ones_own_can_be_set_shown_and_deleted(cluster: Ring, tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"vm\n\\")
    settings = tmp_path / "settings"
    settings.write_text("# a comment\n\nmine.loaded u16 7\n^mine.f\n^^mine.g\n")
    for line in ("mine.f flt 1.5", "mine.g.d dbl 2.25", "mine.b bin " + str(tmp_path / "bytes"), "mine.s str text"):
        assert run(cluster, f"corosync-cmapctl -s {line}") == (0, "", "")

    shown = run(cluster, "corosync-cmapctl -b mine")[1]
    loaded = run(cluster, f"corosync-cmapctl -p {settings}")
    after = run(cluster, "corosync-cmapctl mine")[1]
    deleted = run(cluster, "corosync-cmapctl -D mine")

    assert shown == (
        "mine.b (bin) = vm\\x0A\\\\\nmine.f (flt) = 1.500000\nmine.g.d (dbl) = 2.250000\nmine.s (str) = text\n"
    )
    assert loaded == (0, "", "")
    assert after == "mine.b (bin)\nmine.loaded (u16) = 7\nmine.s (str) = text\n"
    assert deleted == (0, "", "") and run(cluster, "corosync-cmapctl mine")[0] == 1


def test_a_timer_set_by_hand_holds_on_this_node_and_wrong_ones_change_nothing(cluster: Ring) -> None:
    assert run(cluster, "corosync-cmapctl -s totem.token u32 1500", 2) == (0, "", "")
    assert run(cluster, "corosync-cmapctl -s totem.hold u32 4000", 2)[0] == 1

    assert run(cluster, "corosync-cmapctl -g runtime.config.totem.token", 2)[1].endswith("= 1500\n")
    assert run(cluster, "corosync-cmapctl -g runtime.config.totem.token", 1)[1].endswith("= 1000\n")
    assert run(cluster, "corosync-cmapctl -d totem.token", 2)[0] == 0
    assert run(cluster, "corosync-cmapctl -g runtime.config.totem.token", 2)[1].endswith("= 1000\n")


def test_changes_of_keys_are_told_as_they_happen(cluster: Ring) -> None:
    environment = os.environ | {"HATOOLS_ROOT": str(cluster.directories(1).root)}
    command = [sys.executable, str(BIN / "corosync-cmapctl"), "-T", "seen."]
    tracker = subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert tracker.stdout is not None and tracker.stdin is not None
    assert tracker.stdout.readline() == 'Type "q" to finish\n'

    run(cluster, "corosync-cmapctl -s seen.a u8 1")
    created = tracker.stdout.readline()
    run(cluster, "corosync-cmapctl -s seen.a u8 2")
    modified = tracker.stdout.readline()
    run(cluster, "corosync-cmapctl -d seen.a")
    deleted = tracker.stdout.readline()
    tracker.communicate("q\n", timeout=10)

    assert created == "create> seen.a (u8) = 1\n"
    assert modified == "modify> seen.a (u8) = 2\n"
    assert deleted == "delete> seen.a (u8) = 2\n"
    assert tracker.returncode == 0


def test_groups_are_listed_with_nodes_and_local_processes(cluster: Ring) -> None:
    with BlockingConnection(cluster.directories(1).socket("messaging"), "messaging", name="test") as connection:
        connection.request(JoinGroup("crew"))
        wait_until(lambda: run(cluster, "corosync-cpgtool -n") == (0, "crew\n", ""), 5)

        table = run(cluster, "corosync-cpgtool")[1]
        list_of_fields = run(cluster, "corosync-cpgtool -d ,", 2)[1]

    assert table == f"Group Name\t       PID\t   Node ID\ncrew\n\t\t{os.getpid():>10}\t         1 (127.0.0.1)\n"
    assert list_of_fields == "GRP_NAME,PID,NODEID\ncrew,0,1\n"


def test_the_statistics_count_and_can_be_cleared(cluster: Ring) -> None:
    before = run(cluster, "corosync-cmapctl -m stats stats.srp.orf_token_rx")[1]
    run(cluster, "corosync-cmapctl -C totem")
    after = run(cluster, "corosync-cmapctl -m stats stats.srp.orf_token_rx")[1]

    assert before.startswith("stats.srp.orf_token_rx (u64) = ")
    assert int(after.rpartition(" ")[2]) < int(before.rpartition(" ")[2])


def test_a_killed_node_ends_as_lost(formed: Ring) -> None:
    assert run(formed, "corosync-cfgtool -k 3") == (0, "Killing node 3\n", "")

    formed.wait_for({1, 2}, 1, 2)
    assert "killed by node 1" in formed.log(3)
    assert "lost: n3" in formed.log(1)


def test_votes_change_for_all_and_are_refused_if_quorum_would_be_lost(formed: Ring) -> None:
    assert run(formed, "corosync-quorumtool -v 3") == (0, "", "")
    wait_until(lambda: formed.describe(2).total_votes == 5, 5)  # type: ignore[union-attr]

    assert run(formed, "corosync-quorumtool -v 0")[2] == "Unable to set votes 0 for nodeid: 1: CS_ERR_INVALID_PARAM\n"
    assert run(formed, "corosync-quorumtool -v 1") == (0, "", "")
    wait_until(lambda: formed.describe(3).total_votes == 3, 5)  # type: ignore[union-attr]
    assert run(formed, "corosync-quorumtool -e 3", 2) == (0, "", "")


def test_log_files_of_the_configuration_are_written_and_opened_anew(ring: Ring) -> None:
    for number in (1, 2, 3):
        ring._write(number, KEY)
        conf = ring.directories(number).corosync_conf
        conf.write_text(conf.read_text() + "logging {\n to_logfile: yes\n logfile: /var/log/corosync.log\n}\n")
    ring.start(1, 2, 3)
    ring.wait_for({1, 2, 3}, 1, 2, 3)
    log = ring.directories(1).root / "var/log/corosync.log"
    assert re.search(r"^\w{3} \d\d [\d:]{8}\.\d{3} \[\d+\] n1 corosync notice  \[TOTEM \] view ", log.read_text(), re.M)

    log.rename(log.with_suffix(".1"))
    run(ring, "corosync-cfgtool -L")
    run(ring, "corosync-cfgtool -R")

    wait_until(lambda: log.exists() and "took over" in log.read_text(), 5)
