"""What must hold before messaging starts."""

import pytest

from hatools.daemons.messaging.startup import (
    chosen_style,
    refuse_corosync_conf,
    refuse_ha_cf,
    refuse_pacemaker,
    refuse_rivals,
)
from hatools.messaging.corosync.conf import Configuration, read_configuration
from hatools.messaging.corosync.ourselves import local_node
from hatools.messaging.external.events import Process
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


@pytest.mark.parametrize(
    ("style", "rival"),
    [("corosync", "corosync"), ("corosync", "heartbeat"), ("heartbeat", "corosync"), ("heartbeat", "heartbeat"),
     ("external", "heartbeat")],
)  # fmt: skip
def test_a_running_rival_is_refused_by_its_process(style: str, rival: str) -> None:
    with pytest.raises(ConfigError, match=f"{rival} runs on this node as process 42"):
        refuse_rivals(style, [(1, "init"), (42, rival)])


def test_the_corosync_that_we_are_to_use_is_no_rival() -> None:
    refuse_rivals("external", [(1, "init"), (42, "corosync")])


@pytest.mark.parametrize("style", ["corosync", "external"])
@pytest.mark.parametrize("line", ["crm on", "crm respawn", "pacemaker", "pacemaker yes # comment"])
def test_an_ha_cf_that_asks_for_a_cluster_manager_is_refused_by_its_path(style: str, line: str) -> None:
    with pytest.raises(ConfigError, match=r"/etc/ha\.d/ha\.cf asks for the heartbeat style"):
        refuse_ha_cf(style, f"node a\n{line}\n", "/etc/ha.d/ha.cf")


@pytest.mark.parametrize("text", ["", "crm off\n", "# crm on\n", "node a b\n"])
def test_an_ha_cf_that_asks_for_nothing_is_no_obstacle(text: str) -> None:
    refuse_ha_cf("corosync", text, "ha.cf")


def test_an_ha_cf_is_what_the_heartbeat_style_wants() -> None:
    refuse_ha_cf("heartbeat", "crm on\n", "ha.cf")


COROSYNC_CONF = (
    "totem {\n version: 2\n}\nnodelist {\n node {\n  nodeid: 1\n  name: alpha\n  ring0_addr: 10.0.0.1\n }\n}\n"
)


def refuse_conf(style: str, text: str = COROSYNC_CONF, *, host: str = "other", ours: str = "") -> None:
    refuse_corosync_conf(
        style, text, "/etc/corosync.conf", given_name="", host_name=host, is_local=lambda address: address == ours
    )


@pytest.mark.parametrize(("host", "ours"), [("alpha", ""), ("alpha.example.org", ""), ("other", "10.0.0.1")])
def test_a_corosync_conf_that_lists_this_node_is_refused_with_the_heartbeat_style(host: str, ours: str) -> None:
    with pytest.raises(ConfigError, match=r"/etc/corosync\.conf lists this node"):
        refuse_conf("heartbeat", host=host, ours=ours)


def test_a_corosync_conf_of_other_nodes_or_without_meaning_is_no_obstacle_to_heartbeat() -> None:
    refuse_conf("heartbeat")
    refuse_conf("heartbeat", "totem {", host="alpha")


@pytest.mark.parametrize("style", ["corosync", "external"])
def test_a_corosync_conf_is_what_the_styles_of_corosync_want(style: str) -> None:
    refuse_conf(style, host="alpha")


def test_a_corosync_that_serves_pacemaker_is_refused_with_node_process_and_group() -> None:
    groups = [("hatools", Process(1, 7)), ("crmd", Process(2, 99))]
    with pytest.raises(ConfigError, match="process 99 on beta, group crmd"):
        refuse_pacemaker(groups, {1: "alpha", 2: "beta"})
    refuse_pacemaker(groups[:1], {1: "alpha"})
