"""What must hold before messaging starts."""

import pytest

from hatools.daemons.messaging.startup import chosen_style, refuse_rivals
from hatools.messaging.corosync.conf import Configuration, read_configuration
from hatools.messaging.corosync.ourselves import local_node
from hatools.values.errors import ConfigError


def configuration(*names: str) -> Configuration:
    nodes = "".join(
        f"node {{\n nodeid: {number}\n ring0_addr: 10.0.0.{number}\n{f' name: {name}' if name else ''}\n}}\n"
        for number, name in enumerate(names, 1)
    )
    return read_configuration(f"totem {{\n version: 2\n}}\nnodelist {{\n{nodes}}}\n")


def find(conf: Configuration, *, given: str = "", host: str = "somewhere", ours: str = "") -> int:
    return local_node(
        conf, given_name=given, host_name=host, is_local=lambda address: address == ours, path="corosync.conf"
    ).id


@pytest.mark.parametrize(
    ("given", "host", "ours", "found"),
    [("beta", "alpha", "", 2), ("", "beta", "", 2), ("", "beta.example.org", "", 2), ("", "gamma", "", 3),
     ("", "other", "10.0.0.1", 1)],
)  # fmt: skip
def test_the_local_node_is_found_by_name_and_then_by_address(given: str, host: str, ours: str, found: int) -> None:
    assert find(configuration("alpha", "beta", "gamma.example.org"), given=given, host=host, ours=ours) == found


def test_a_given_name_that_is_not_listed_is_refused_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match=r"no node delta.*alpha \(10.0.0.1\)"):
        find(configuration("alpha"), given="delta")


def test_a_node_that_is_not_listed_is_refused() -> None:
    with pytest.raises(ConfigError, match="neither its name"):
        find(configuration("alpha", "beta"))


def test_the_style_is_corosync_unless_it_is_named() -> None:
    assert chosen_style({}, "file") == "corosync"
    assert chosen_style({"HATOOLS_MESSAGING": "heartbeat"}, "file") == "heartbeat"
    with pytest.raises(ConfigError, match="openais"):
        chosen_style({"HATOOLS_MESSAGING": "openais"}, "file")


@pytest.mark.parametrize("rival", ["corosync", "heartbeat"])
def test_a_running_rival_is_refused_by_its_process(rival: str) -> None:
    with pytest.raises(ConfigError, match=f"{rival} runs on this node as process 42"):
        refuse_rivals("corosync", [(1, "init"), (42, rival)], None, "ha.cf")


@pytest.mark.parametrize("line", ["crm on", "crm respawn", "pacemaker", "pacemaker yes # comment"])
def test_the_other_styles_configuration_is_refused_if_it_asks_to_be_used(line: str) -> None:
    with pytest.raises(ConfigError, match=r"ha\.cf asks for the heartbeat style"):
        refuse_rivals("corosync", [], f"node a\n{line}\n", "/etc/ha.d/ha.cf")


@pytest.mark.parametrize("text", ["", "crm off\n", "# crm on\n", "node a b\n"])
def test_another_configuration_that_asks_for_nothing_is_no_obstacle(text: str) -> None:
    refuse_rivals("corosync", [], text, "ha.cf")
