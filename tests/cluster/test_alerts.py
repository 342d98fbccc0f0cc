"""Alerts and limits of jobs, by a lab's real daemons."""

from pathlib import Path

from tests.support.lab import running_lab
from tests.support.namespaces import wait_until

PORT = 15731

AGENT = """#!/bin/sh
echo "$CRM_alert_kind|$CRM_alert_node|$CRM_alert_rsc|$CRM_alert_task|$CRM_alert_desc|$CRM_alert_attribute_name=\
$CRM_alert_attribute_value|$CRM_alert_timestamp|$colour" >> "$CRM_alert_recipient"
"""


def test_programs_of_alerts_hear_of_nodes_fencing_resources_and_attributes(tmp_path: Path) -> None:
    agent, heard, chosen = tmp_path / "agent", tmp_path / "heard", tmp_path / "chosen"
    agent.write_text(AGENT)
    agent.chmod(0o755)
    with running_lab(tmp_path / "lab", port=PORT) as lab:
        lab.configure(
            f'alert all {agent} attributes colour=red meta timestamp-format="%Y at %3N" to {{ {heard} }}\n'
            f"alert some {agent} select attributes {{ standby }} to {{ {chosen} }}\n"
            "primitive d ocf:pacemaker:Dummy op monitor interval=10s\n"
        )
        lab.settle()
        lab.on("node1", "crm_attribute", "-N", "node2", "-n", "standby", "-v", "off", "-l", "reboot")
        lab.on("node1", "crm_attribute", "-N", "node2", "-n", "other", "-v", "1", "-l", "reboot")
        lab.on("node1", "crm", "-F", "node", "fence", "node3")

        def lines(file: Path) -> list[str]:
            return file.read_text().splitlines() if file.exists() else []

        wait_until(lambda: any(line.startswith("fencing|node3|") for line in lines(heard)), 60.0)
        wait_until(lambda: any(line.startswith("node|node3|||lost|") for line in lines(heard)), 60.0)
        wait_until(lambda: any(line.startswith("node|node3|||member|") for line in lines(heard)), 60.0)
        started = next(line.split("|") for line in lines(heard) if "|d|start|" in line)
        wait_until(lambda: bool(lines(chosen)), 30.0)
        attributes = lines(chosen)
    assert started[4] == "ok"
    assert started[6].split(" at ")[0].isdigit() and len(started[6].split(" at ")[1]) == 3
    assert started[7] == "red"
    assert all(line.startswith("attribute|node2|") and "|standby=off|" in line for line in attributes)
