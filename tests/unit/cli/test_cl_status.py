"""Every output was compared with the original's: heartbeat 3.0.6 on a cluster of alpha, beta and a ping group."""

import pytest

from hatools.cli import cl_status
from hatools.ipc.messages.messaging import HeartbeatNode, HeartbeatState
from hatools.values.nodenumber import number_of_name

STATE = HeartbeatState(
    (
        HeartbeatNode("gamma", "normal", "dead", {"eth0": "dead"}),
        HeartbeatNode("beta", "normal", "active", {"eth0": "up", "eth1": "dead"}),
        HeartbeatNode("g1", "ping", "ping", {"g1": "up"}),
    ),
    {"deadtime": "4", "hbversion": "3.0.6", "node": "beta gamma"},
)


@pytest.fixture(autouse=True)
def a_running_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cl_status, "_state", lambda: STATE)
    groups = {"crmd": frozenset({number_of_name("beta")}), "stonith": frozenset({number_of_name("beta")})}
    monkeypatch.setattr(cl_status, "_groups", lambda: groups)


@pytest.mark.parametrize(
    ("words", "code", "printed"),
    [
        ("hbstatus", 0, "Heartbeat is running on this machine.\n"),
        ("listnodes", 0, "gamma\nbeta\ng1\n"),
        ("listnodes -n", 0, "gamma\nbeta\n"),
        ("listnodes -p", 0, "g1\n"),
        ("listnodes -m", 0, "The nodes are as follow:\ngamma\nbeta\ng1\n"),
        ("listnodes -p -v", 0, "\ng1\tping\t(nodetype: ping)\n\tg1\tup\n"),
        ("nodestatus beta", 0, "active\n"),
        ("nodestatus -m beta", 0, "The cluster node beta is active\n"),
        ("nodestatus gamma", 1, "dead\n"),
        ("nodestatus g1", 0, "ping\n"),
        ("nodestatus nosuch", 11, ""),
        ("nodestatus", 11, ""),
        ("nodetype beta", 0, "normal\n"),
        ("nodetype -m g1", 0, "The node g1's type: ping\n"),
        ("nodeweight beta", 0, "100\n"),
        ("nodesite beta", 0, "\n"),
        ("listhblinks beta", 0, "\teth0\n\teth1\n"),
        ("listhblinks -v beta", 0, "\teth0\tup\n\teth1\tdead\n"),
        ("listhblinks -m g1", 0, "\tthis node has the following heartbeat links:\n\tg1\n"),
        ("listhblinks nosuch", 13, ""),
        ("hblinkstatus beta eth0", 0, "up\n"),
        ("hblinkstatus beta eth1", 1, "dead\n"),
        ("hblinkstatus -m beta eth0", 0, "The node beta's heartbeat link eth0 is up\n"),
        ("hblinkstatus beta eth7", 13, ""),
        ("hblinkstatus beta", 11, ""),
        ("hbparameter -p deadtime", 0, "4\n"),
        ("hbparameter -m -p deadtime", 0, "Heartbeat parameter deadtime's value: 4\n"),
        ("hbparameter -p nosuch", 1, ""),
        ("hbparameter -p node", 1, ""),
        ("hbparameter", 11, ""),
        ("nosuch", 11, ""),
        ("nodeweight -m beta", 0, "The weight of the cluster node beta is 100\n"),
        ("nodesite -m beta", 0, "The site of the cluster node beta is \n"),
        ("clientstatus beta crmd", 0, "online\n"),
        ("clientstatus beta stonith-ng 500", 0, "online\n"),
        ("clientstatus beta nosuch", 1, "offline\n"),
        ("clientstatus gamma crmd", 13, ""),
        ("clientstatus nosuch crmd", 13, ""),
        ("clientstatus beta", 11, ""),
        ("rscstatus", 1, ""),
        ("", 0, cl_status.USAGE),
        ("-h", 0, cl_status.USAGE),
    ],
)
def test_output_and_exit_code_are_the_originals(
    words: str, code: int, printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cl_status.main(words.split()) == code

    assert capsys.readouterr().out == printed


def test_without_a_daemon_only_hbstatus_answers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cl_status, "_state", lambda: "nobody there")

    assert cl_status.main(["hbstatus"]) == 1
    assert capsys.readouterr().out == "Heartbeat is stopped on this machine.\n"
    assert cl_status.main(["listnodes"]) == 1
    assert "ERROR: Cannot signon with heartbeat" in capsys.readouterr().err
