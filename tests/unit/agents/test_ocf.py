"""What OCF agents get and what they say."""

from hatools.agents.environment import base_environment, lab_refusal
from hatools.agents.lsb import lsb_exit_status, lsb_metadata
from hatools.agents.metadata import parse_metadata
from hatools.agents.ocf import exit_reason, kept_output, ocf_result, ocf_variables, timed_out
from hatools.values.agentname import AgentName
from hatools.values.result import ExecStatus, OperationResult

DUMMY = AgentName("ocf", "heartbeat", "Dummy")


def test_parameters_become_variables_and_the_check_level_keeps_its_name() -> None:
    variables = ocf_variables(DUMMY, "d1", {"ip": "1.2.3.4", "CRM_meta_timeout": "20000", "OCF_CHECK_LEVEL": "10"})
    assert variables == {
        "OCF_RA_VERSION_MAJOR": "1",
        "OCF_RA_VERSION_MINOR": "1",
        "OCF_ROOT": "/usr/lib/ocf",
        "OCF_EXIT_REASON_PREFIX": "ocf-exit-reason:",
        "OCF_RESOURCE_INSTANCE": "d1",
        "OCF_RESOURCE_TYPE": "Dummy",
        "OCF_RESOURCE_PROVIDER": "heartbeat",
        "OCF_OUTPUT_FORMAT": "text",
        "OCF_RESKEY_ip": "1.2.3.4",
        "OCF_RESKEY_CRM_meta_timeout": "20000",
        "OCF_CHECK_LEVEL": "10",
    }


def test_what_cannot_be_in_an_environment_is_left_out() -> None:
    variables = ocf_variables(DUMMY, "d1", {"a=b": "c", "d": "with\0zero"})
    assert not [name for name in variables if name.startswith("OCF_RESKEY_")]


def test_the_last_reason_counts() -> None:
    assert exit_reason("x\nocf-exit-reason:first\nocf-exit-reason:  second \nmore\n") == "second"
    assert exit_reason("nothing to say") == ""


def test_standard_error_is_kept_if_there_is_any() -> None:
    assert (kept_output("out", "err"), kept_output("out", " \n")) == ("err", "out")


def test_a_status_that_ocf_does_not_know_is_an_error() -> None:
    assert [ocf_result(rc, "", "").exit_status for rc in (0, 7, 9, 190, 191, 193, 255)] == [0, 7, 9, 190, 191, 1, 1]


def test_a_timeout_names_the_limit() -> None:
    assert timed_out("Resource agent", 3000) == OperationResult(
        ExecStatus.TIMEOUT, 1, "Resource agent did not complete within 3s"
    )


def test_settings_of_the_cluster_are_mirrored_under_their_old_names() -> None:
    environment = base_environment(
        {"PATH": "/bin", "PCMK_logfacility": "daemon", "HATOOLS_READY_FD": "5"}, service="pacemaker-execd"
    )
    assert environment["HA_LOGFACILITY"] == environment["HA_logfacility"] == "daemon"
    assert environment["PCMK_service"] == "pacemaker-execd"
    assert "HATOOLS_READY_FD" not in environment
    assert "HA_RSCTMP" not in environment


def test_agents_log_into_the_nodes_file_and_a_lab_keeps_out_of_the_machines_log() -> None:
    system = base_environment({}, service="x", log_file="/var/log/pacemaker/pacemaker.log")
    lab = base_environment({}, service="x", root="/lab/n1", log_file="/lab/n1/var/log/pacemaker/pacemaker.log")
    assert (system["HA_LOGFILE"], system["HA_LOGFACILITY"]) == ("/var/log/pacemaker/pacemaker.log", "daemon")
    assert (lab["HA_LOGFILE"], lab["HA_LOGFACILITY"]) == ("/lab/n1/var/log/pacemaker/pacemaker.log", "none")
    own = base_environment({"PCMK_logfile": "/elsewhere"}, service="x", log_file="/var/log/x")
    assert own["HA_LOGFILE"] == own["PCMK_logfile"] == "/elsewhere"


def test_a_lab_node_keeps_agents_below_its_root_and_our_commands_come_first() -> None:
    environment = base_environment(
        {"PATH": "/usr/bin:/our/bin"}, service="pacemaker-execd", root="/lab/n1", node_name="n1", commands="/our/bin"
    )
    assert environment["PATH"] == "/our/bin:/usr/bin"
    assert environment["HA_SBIN_DIR"] == "/our/bin"
    assert {name: environment[name] for name in ("HATOOLS_ROOT", "HA_RSCTMP", "HA_VARRUN", "HATOOLS_NODE_NAME")} == {
        "HATOOLS_ROOT": "/lab/n1",
        "HA_RSCTMP": "/lab/n1/run/resource-agents",
        "HA_VARRUN": "/lab/n1/run",
        "HATOOLS_NODE_NAME": "n1",
    }


def test_an_agent_that_works_on_the_whole_machine_is_refused_in_a_lab_by_name() -> None:
    lab = {"HATOOLS_ROOT": "/lab/n1"}
    assert "IPaddr2" in lab_refusal("ocf:heartbeat:IPaddr2", lab)
    assert lab_refusal("ocf:heartbeat:IPaddr2", {}) == ""
    assert lab_refusal("ocf:heartbeat:IPaddr2", {**lab, "HATOOLS_NAMESPACE": "1"}) == ""
    assert lab_refusal("ocf:heartbeat:Dummy", lab) == ""
    assert lab_refusal("systemd:nginx", lab) != ""
    assert lab_refusal("systemd:nginx", {**lab, "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/x"}) == ""


def test_the_status_of_an_init_script_has_its_own_numbers() -> None:
    assert [lsb_exit_status("monitor", rc) for rc in (0, 1, 2, 3, 4, 5)] == [0, 7, 7, 7, 4, 1]
    assert [lsb_exit_status("start", rc) for rc in (0, 1, 5, 6, 99)] == [0, 1, 5, 6, 1]


def test_an_init_scripts_header_makes_metadata() -> None:
    script = (
        "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: web\n# Short-Description: a <web> server\n"
        "# Description: serves\n#  pages\n### END INIT INFO\n"
    )
    metadata = parse_metadata(lsb_metadata("web", script))
    assert (metadata.name, metadata.short_text, metadata.long_text) == ("web", "a <web> server", "serves\n  pages")
    assert [action.name for action in metadata.actions][-1] == "monitor"
