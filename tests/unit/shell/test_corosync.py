"""Editing corosync.conf."""

from pathlib import Path

import pytest

from hatools.shell.commands import CommandError
from hatools.shell.corosync import get_values, read_text, replace_text, with_node, with_value, without_node

CONF = """\
# ours
totem {
\tversion: 2
\t# counted
\tconfig_version: 4

\ttoken:1000
}

nodelist {
\tnode {
\t\tring0_addr: 10.0.0.1
\t\tname: a
\t\tnodeid: 1
\t}
}
quorum {
\tprovider: corosync_votequorum
}
"""


@pytest.fixture
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "corosync.conf"
    path.write_text(CONF)
    monkeypatch.setenv("COROSYNC_MAIN_CONFIG_FILE", str(path))
    return path


def test_a_value_changes_and_all_else_stays(conf: Path) -> None:
    expected = CONF.replace("token:1000", "token: 3000").replace("config_version: 4", "config_version: 5")
    assert with_value("totem.token", "3000") == expected


def test_what_is_missing_is_made_in_the_files_own_layout(conf: Path) -> None:
    text = with_value("totem.cluster_name", "x")
    assert "\ttoken:1000\n\tcluster_name: x\n}\n" in text
    assert with_value("logging.debug", "on").endswith("logging {\n\tdebug: on\n}\n")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("totem.token", "soon"),
        ("token", "1"),
        ("totem.", "1"),
        ("nodelist.node.nodeid", "0"),
        ("totem.token", "1\nx: 2"),
    ],
)
def test_what_messaging_could_not_read_is_refused(conf: Path, path: str, value: str) -> None:
    with pytest.raises(CommandError):
        with_value(path, value)
    assert read_text() == CONF


def test_nodes_come_and_go_with_two_node(conf: Path) -> None:
    text, number = with_node(["10.0.0.2"], "b")
    assert number == 2
    assert "\tnode {\n\t\tring0_addr: 10.0.0.2\n\t\tname: b\n\t\tnodeid: 2\n\t}\n}\n" in text
    assert "\ttwo_node: 1\n" in text
    replace_text(text)
    replace_text(with_node(["10.0.0.3"], "c")[0])
    assert get_values("quorum.two_node") == ["0"]
    assert get_values("nodelist.node.nodeid") == ["1", "2", "3"]
    third = without_node("10.0.0.2")
    assert third is not None
    replace_text(third)
    assert get_values("nodelist.node.name") == ["a", "c"]
    assert get_values("quorum.two_node") == ["1"]
    assert with_node(["10.0.0.4"], "d")[1] == 2
    assert "# ours\n" in third and "\t# counted\n" in third


def test_a_node_that_is_there_or_has_too_few_addresses_is_refused(conf: Path) -> None:
    with pytest.raises(CommandError, match="already"):
        with_node(["10.0.0.1"], "b")
    with pytest.raises(CommandError, match="one for each link"):
        with_node(["10.0.0.2", "10.1.0.2"], "b")
    assert without_node("nobody") is None
