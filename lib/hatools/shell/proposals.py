"""What a new cluster should do about fencing, judged by the machine it runs on. I/O: looks at the machine.

Only proposals: lines that a person can complete and paste. A fence device needs addresses and passwords which only the
administrator knows.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from hatools.values.records import dataclass

if TYPE_CHECKING:
    from hatools.shell.session import Session


@dataclass(frozen=True, slots=True)
class Proposal:
    """A way to fence: why it fits, the agent, and the parameters to fill in."""

    reason: str
    agent: str
    parameters: str


_BY_VENDOR = (
    (("qemu", "kvm", "bochs", "red hat"), "a KVM guest", "fence_virsh",
     "ip=HYPERVISOR username=USER ssh=true identity_file=KEY pcmk_host_map=\"NODE:GUEST;...\""),
    (("vmware",), "a VMware guest", "fence_vmware_rest",
     "ip=VCENTER username=USER password=SECRET ssl=true pcmk_host_map=\"NODE:GUEST;...\""),
    (("amazon",), "an EC2 instance", "fence_aws", "region=REGION pcmk_host_map=\"NODE:INSTANCE;...\""),
    (("microsoft",), "an Azure machine", "fence_azure_arm",
     "subscriptionId=ID resourceGroup=GROUP msi=true pcmk_host_map=\"NODE:MACHINE;...\""),
    (("google",), "a Google Cloud machine", "fence_gce",
     "project=PROJECT zone=ZONE pcmk_host_map=\"NODE:MACHINE;...\""),
    (("innotek", "virtualbox", "oracle"), "a VirtualBox guest", "fence_vbox",
     "ip=HOST username=USER identity_file=KEY pcmk_host_map=\"NODE:GUEST;...\""),
    (("xen",), "a Xen guest", "fence_xenapi", "session_url=URL username=USER password=SECRET"),
)  # fmt: skip

_IPMI = "ip=BMC username=USER password=SECRET lanplus=true pcmk_host_list=NODE"


def proposals(root: Path = Path("/")) -> list[Proposal]:
    """Return what fits this machine, the most specific first."""
    return list(_fitting(root))


def _fitting(root: Path) -> Iterator[Proposal]:
    vendor = " ".join(_line(root / "sys/class/dmi/id" / name) for name in ("sys_vendor", "product_name")).lower()
    for marks, what, agent, parameters in _BY_VENDOR:
        if any(mark in vendor for mark in marks):
            yield Proposal(f"this is {what}", agent, parameters)
    if any((root / "dev").glob("ipmi*")) or (root / "sys/class/ipmi").is_dir():
        yield Proposal("this machine has a management controller; one device for each node", "fence_ipmilan", _IPMI)
    elif not vendor.strip() or not any(mark in vendor for marks, *_ in _BY_VENDOR for mark in marks):
        yield Proposal("most servers have a management controller; one device for each node", "fence_ipmilan", _IPMI)


def _line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def propose_fencing(session: "Session") -> None:
    """Tell how this cluster could fence."""
    import shutil

    session.console.warning(
        "there is no fencing yet, and without it nothing is started: configure a device before anything important"
    )
    for proposal in proposals():
        is_here = shutil.which(proposal.agent, path="/usr/sbin:/sbin:/usr/bin") is not None
        there = "" if is_here else f" (install {proposal.agent} first)"
        print(f"# {proposal.reason}{there}")
        device = f"stonith:{proposal.agent} params {proposal.parameters}"
        print(f"crm configure primitive fence {device} op monitor interval=60s")
    print("# all agents here: crm ra list stonith; their parameters: crm ra info stonith:AGENT")
