"""What agents find in their environment, and which of them a lab refuses."""

from hatools.agents.environment import base_environment, lab_refusal


def test_settings_of_the_cluster_are_mirrored_under_the_old_names() -> None:
    found = base_environment({"PCMK_debug": "1", "PCMK_logfile": "/log"}, service="pacemaker-execd")
    assert (found["HA_debug"], found["HA_logfile"], found["HA_LOGFILE"]) == ("1", "/log", "/log")


def test_what_belongs_to_the_daemon_alone_is_not_passed_on() -> None:
    found = base_environment({"HATOOLS_READY_FD": "3", "KEPT": "yes"}, service="pacemaker-execd")
    assert "HATOOLS_READY_FD" not in found and found["KEPT"] == "yes"


def test_in_a_lab_everything_is_written_below_the_root_and_our_commands_come_first() -> None:
    found = base_environment({"PATH": "/usr/bin:/ours"}, service="pacemaker-execd", root="/lab/n1", commands="/ours")
    assert found["PATH"] == "/ours:/usr/bin"
    assert {found[name].startswith("/lab/n1/") for name in ("HA_RSCTMP", "HA_VARRUN", "HA_VARLOCK")} == {True}


def test_a_lab_refuses_what_works_on_the_whole_machine_and_says_on_what() -> None:
    refusal = lab_refusal("ocf:heartbeat:IPaddr2", {"HATOOLS_ROOT": "/lab/n1"})
    assert "the machine's network interfaces" in refusal
    assert "the machine's one systemd" in lab_refusal("systemd:nginx", {"HATOOLS_ROOT": "/lab/n1"})


def test_a_real_node_and_a_node_in_namespaces_refuse_nothing() -> None:
    assert lab_refusal("ocf:heartbeat:IPaddr2", {}) == ""
    assert lab_refusal("ocf:heartbeat:IPaddr2", {"HATOOLS_ROOT": "/n1", "HATOOLS_NAMESPACE": "1"}) == ""


def test_a_lab_runs_what_keeps_below_its_root() -> None:
    assert lab_refusal("ocf:hatools:service", {"HATOOLS_ROOT": "/lab/n1"}) == ""
