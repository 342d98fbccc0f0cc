"""corosync-cfgtool -R on real daemons: nodes join and go, links are added, mistakes are told and change nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.test_messaging import KEY, Ring, formed, ring, wait_until

__all__ = ["formed", "ring"]
LIB = Path(__file__).resolve().parents[2] / "lib"


def cfgtool(ring: Ring, number: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-c",
        "from hatools.cli.corosync_cfgtool import main; import sys; sys.exit(main(sys.argv[1:]))",
    ]
    environment = {"HATOOLS_ROOT": str(ring.directories(number).root), "PYTHONPATH": str(LIB), "PATH": "/usr/bin:/bin"}
    return subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, timeout=30)


def rewrite(ring: Ring, number: int, old: str, new: str) -> None:
    path = ring.directories(number).corosync_conf
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def only_nodes(ring: Ring, number: int, nodes: tuple[int, ...]) -> None:
    """Write a file that lists these nodes only."""
    path = ring.directories(number).corosync_conf
    head, _, tail = path.read_text().partition("nodelist {")
    quorum = tail[tail.index("quorum {") :]
    entries = "".join(f"node {{\n nodeid: {n}\n name: n{n}\n ring0_addr: 127.0.0.{n}\n}}\n" for n in nodes)
    path.write_text(f"{head}nodelist {{\n{entries}}}\n{quorum}")


def test_a_third_node_joins_two_running_ones_after_a_reload_at_one_of_them(ring: Ring) -> None:
    for number in (1, 2):
        only_nodes(ring, number, (1, 2))
        rewrite(ring, number, "corosync_votequorum\n", "corosync_votequorum\n two_node: 1\n")
    ring.start(1, 2, 3)
    ring.wait_for({1, 2}, 1, 2)
    for number in (1, 2):
        ring._write(number, KEY)

    answer = cfgtool(ring, 1, "-R")

    assert (answer.returncode, answer.stdout) == (0, "Reloading corosync.conf...\nDone\n")
    ring.wait_for({1, 2, 3}, 1, 2, 3)
    state = ring.describe(2)
    assert state is not None and (state.expected_votes, state.quorum, state.flags) == (3, 2, ("Quorate",))


def test_a_removed_node_ends_and_the_others_do_not_expect_it(formed: Ring) -> None:
    for number in (1, 2):
        only_nodes(formed, number, (1, 2))
    only_nodes(formed, 3, (1, 2))

    assert cfgtool(formed, 2, "-R").returncode == 0

    formed.wait_for({1, 2}, 1, 2)
    wait_until(lambda: formed.processes[3].poll() is not None, 5)
    assert "was removed from the nodelist" in formed.log(3)
    state = formed.describe(1)
    assert state is not None and (state.expected_votes, state.quorate) == (2, True)


def test_a_second_link_is_added_while_messages_flow(formed: Ring) -> None:
    interface = f" interface {{\n  linknumber: 1\n  mcastport: {formed.port + 1}\n }}\n"
    for number in (1, 2, 3):
        formed._write(number, KEY, interface, "ring1_addr: 127.0.1.{n}\n")

    assert cfgtool(formed, 1, "-R").returncode == 0

    wait_until(lambda: {link.link for link in formed.describe(3).links} == {0, 1}, 5)  # type: ignore[union-attr]
    wait_until(lambda: all(link.connected for link in formed.describe(3).links), 5)  # type: ignore[union-attr]
    assert formed.members(1) == {1, 2, 3}


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [("cluster_name: test", "cluster_name: other", "totem.cluster_name cannot be changed while the cluster runs"),
     ("token: 1000", "token: soon", 'totem.token: "soon" is not a number'),
     (" name: n1\n", " name: n9\n", "the name of this node cannot be changed"),
     ("nodeid: 1\n", "nodeid: 9\n", "is not in the nodelist")],
)  # fmt: skip
def test_a_file_that_cannot_be_taken_over_is_refused_where_the_reload_is_asked_for(
    formed: Ring, old: str, new: str, part: str
) -> None:
    before = formed.describe(2)
    rewrite(formed, 1, old, new)

    answer = cfgtool(formed, 1, "-R")

    assert answer.returncode == 1
    assert part in answer.stderr
    after = formed.describe(2)
    assert before is not None and after is not None and before.ring_id == after.ring_id
    assert "took over" not in formed.log(2)


def test_a_node_whose_own_file_is_wrong_keeps_what_it_has_and_says_so(formed: Ring) -> None:
    rewrite(formed, 2, "token: 1000", "token: soon")
    rewrite(formed, 1, "token: 1000", "token: 1200")

    assert cfgtool(formed, 1, "-R").returncode == 0

    wait_until(lambda: "the configuration was not taken over" in formed.log(2), 5)
    assert formed.members(2) == {1, 2, 3}
