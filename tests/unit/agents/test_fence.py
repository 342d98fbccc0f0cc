"""The protocol of fence agents."""

import pytest

from hatools.agents.fence import (
    Delay,
    action_limit,
    action_timeout_ms,
    action_tries,
    agent_input,
    fencing_delay,
    parse_host_list,
    parse_host_map,
    parse_list_output,
)
from hatools.agents.metadata import AgentMetadata, Parameter

PORT_AND_PLUG = AgentMetadata("fence_x", parameters=(Parameter("plug"), Parameter("port")))
PLUG = AgentMetadata("fence_x", parameters=(Parameter("plug"),))


def lines(**arguments: object) -> list[str]:
    return agent_input(**arguments).decode().splitlines()  # type: ignore[arg-type]


def test_the_target_comes_first_and_instructions_to_the_fencer_stay_with_the_fencer() -> None:
    parameters = {"mode": "ok", "pcmk_host_list": "a b", "pcmk_reboot_timeout": "5s", "CRM_meta_timeout": "20000"}
    assert lines(parameters=parameters, action="reboot", target="n2", metadata=PORT_AND_PLUG) == [
        "nodename=n2",
        "action=reboot",
        "port=n2",
        "mode=ok",
    ]


def test_an_action_of_the_device_itself_names_no_target() -> None:
    assert lines(parameters={"ip": "10.0.0.1"}, action="monitor") == ["action=monitor", "ip=10.0.0.1"]


def test_an_agent_that_only_knows_plug_gets_plug() -> None:
    assert "plug=3" in lines(parameters={}, action="off", target="n2", plug="3", metadata=PLUG)


def test_the_name_of_the_argument_can_be_configured_or_switched_off() -> None:
    assert "vm=n2" in lines(parameters={"pcmk_host_argument": "vm"}, action="off", target="n2")
    assert lines(parameters={"pcmk_host_argument": "none"}, action="off", target="n2") == ["nodename=n2", "action=off"]


def test_a_plug_that_is_configured_by_hand_is_kept_unless_it_says_dynamic() -> None:
    assert "port=7" in lines(parameters={"port": "7"}, action="off", target="n2")
    assert "port=n2" in lines(parameters={"port": "dynamic"}, action="off", target="n2")


def test_the_word_for_an_action_can_be_replaced() -> None:
    assert "action=cycle" in lines(parameters={"pcmk_reboot_action": "cycle"}, action="reboot", target="n2")


def test_a_line_end_in_a_value_does_not_begin_a_new_parameter() -> None:
    assert lines(parameters={"passwd": "a\naction=on"}, action="monitor") == ["action=monitor", "passwd=a action=on"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("n1:p1;n2:p2,p3", {"n1": "p1", "n2": "p2,p3"}),
        ("n1:1 n2:2", {"n1": "1", "n2": "2"}),
        ("n1=1;n2=2;", {"n1": "1", "n2": "2"}),
        ("n1:with\\;semicolon", {"n1": "with;semicolon"}),
        ("n1:00:11:22", {"n1": "00:11:22"}),
        ("", {}),
        (";;", {}),
    ],
)
def test_host_maps_are_read(text: str, expected: dict[str, str]) -> None:
    assert parse_host_map(text) == expected


def test_host_lists_are_read_with_any_separator() -> None:
    assert parse_host_list(" n1 n2,n3;n4\tn1 ") == ("n1", "n2", "n3", "n4")


def test_the_output_of_list_gives_plugs_and_aliases() -> None:
    assert parse_list_output("1,node1\n2,node2,ON\nnode3\n\nsuccess: x\n") == ("1", "node1", "2", "node2", "node3")


def test_defaults_and_settings_of_time_and_tries() -> None:
    parameters = {"pcmk_off_timeout": "90s", "pcmk_off_retries": "5"}
    assert (action_timeout_ms(parameters, "off"), action_timeout_ms(parameters, "on")) == (90_000, 60_000)
    assert (action_tries(parameters, "off"), action_tries(parameters, "on")) == (5, 2)
    assert (action_limit({}), action_limit({"pcmk_action_limit": "-1"}), action_limit({"pcmk_action_limit": "3"})) == (
        1,
        None,
        3,
    )


def test_the_delay_may_differ_between_nodes_and_has_a_random_part() -> None:
    parameters = {"pcmk_delay_base": "n1:2s;n2:0", "pcmk_delay_max": "10s"}
    assert fencing_delay(parameters, "n1") == Delay(2000, 10_000)
    assert fencing_delay(parameters, "n2") == Delay(0, 10_000)
    assert fencing_delay(parameters, "n1").pick(0.5) == 6000
    assert fencing_delay({"pcmk_delay_base": "5s"}, "n1").pick(0.9) == 5000
