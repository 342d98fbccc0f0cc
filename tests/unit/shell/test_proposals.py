"""What a new cluster is told about fencing."""

from pathlib import Path

import pytest

from hatools.shell.proposals import proposals


@pytest.mark.parametrize(
    ("vendor", "product", "agents"),
    [
        ("QEMU", "Standard PC", ["fence_virsh"]),
        ("VMware, Inc.", "VMware7,1", ["fence_vmware_rest"]),
        ("Amazon EC2", "m5.large", ["fence_aws"]),
        ("Microsoft Corporation", "Virtual Machine", ["fence_azure_arm"]),
        ("Google", "Google Compute Engine", ["fence_gce"]),
        ("Dell Inc.", "PowerEdge", ["fence_ipmilan"]),
        ("", "", ["fence_ipmilan"]),
    ],
)
def test_the_device_follows_from_the_machine(tmp_path: Path, vendor: str, product: str, agents: list[str]) -> None:
    folder = tmp_path / "sys/class/dmi/id"
    folder.mkdir(parents=True)
    (folder / "sys_vendor").write_text(f"{vendor}\n")
    (folder / "product_name").write_text(f"{product}\n")
    assert [proposal.agent for proposal in proposals(tmp_path)] == agents


def test_a_management_controller_is_proposed_beside_what_a_guest_has(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/ipmi0").touch()
    assert [proposal.agent for proposal in proposals(tmp_path)] == ["fence_ipmilan"]
