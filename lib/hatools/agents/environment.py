"""What every agent finds in its environment, whatever its class. Pure.

The executor's own environment is passed on. Cluster settings (``PCMK_*``) are mirrored under Heartbeat's old names
(``HA_*``) that shell libraries still read. In a lab, where many nodes share one machine, every path that an agent may
write to is redirected below the node's root, and our own commands come first in its search path.
"""

from collections.abc import Mapping

_MIRRORED = (
    "PCMK_logfacility",
    "PCMK_logfile",
    "PCMK_debug",
    "PCMK_mcp",
    "PCMK_cluster_type",
    "PCMK_quorum_type",
    "PCMK_watchdog",
)
_CAPITAL = {"PCMK_logfacility": "HA_LOGFACILITY", "PCMK_logfile": "HA_LOGFILE"}

_PRIVATE_PREFIXES = ("HATOOLS_READY_FD", "HATOOLS_SUPERVISOR_FD")

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def base_environment(
    inherited: Mapping[str, str],
    *,
    service: str,
    root: str = "/",
    node_name: str = "",
    commands: str = "",
    python: str = "",
    log_file: str = "",
) -> dict[str, str]:
    """Return the environment that all agents of a daemon share.

    Args:
        inherited: the daemon's own environment.
        service: Pacemaker's name of the daemon (``pacemaker-execd``, ``pacemaker-fenced``).
        root: the node's root folder; other than ``/`` in a lab.
        node_name: the local node's name.
        commands: the folder of our own commands; empty where they are installed in the usual places.
        python: the interpreter that our own agents are to run with, the one we run with ourselves.
        log_file: where agents write their log lines, unless the configuration names another file.
    """
    result = {name: value for name, value in inherited.items() if not name.startswith(_PRIVATE_PREFIXES)}
    result.setdefault("PATH", DEFAULT_PATH)
    result.setdefault("PCMK_mcp", "true")
    result.setdefault("PCMK_cluster_type", "corosync")
    result.setdefault("PCMK_quorum_type", "corosync")
    result.setdefault("PCMK_watchdog", "false")
    result.setdefault("PCMK_debug", "0")
    # A lab is no matter of the machine's system log.
    result.setdefault("PCMK_logfacility", "daemon" if root == "/" else "none")
    if log_file:
        result.setdefault("PCMK_logfile", log_file)
    for name in _MIRRORED:
        value = result.get(name)
        if value is not None:
            result[name.replace("PCMK_", "HA_", 1)] = value
            if name in _CAPITAL:
                result[_CAPITAL[name]] = value
    result["LC_ALL"] = "C"
    result["PCMK_service"] = service
    if node_name:
        result["HATOOLS_NODE_NAME"] = node_name
    if python:
        result["HATOOLS_PYTHON"] = python
    if commands:
        result["PATH"] = _first(commands, result["PATH"])
        result["HA_SBIN_DIR"] = commands
    if root != "/":
        result |= lab_environment(root)
    return result


def lab_environment(root: str) -> dict[str, str]:
    """Return the variables that keep agents below a lab node's root."""
    return {
        "HATOOLS_ROOT": root,
        "HA_RSCTMP": f"{root}/run/resource-agents",
        "HA_VARRUN": f"{root}/run",
        "HA_VARLIB": f"{root}/var/lib/heartbeat",
        "HA_VARLOCK": f"{root}/var/lock/subsys",
        "HA_DEBUGLOG": f"{root}/var/log/pacemaker/agents.log",
    }


def _first(folder: str, path: str) -> str:
    return ":".join([folder, *(part for part in path.split(":") if part != folder)])


FIXED_PATH_AGENTS = {
    "ocf:heartbeat:CTDB": "/etc/ctdb and /var/lib/ctdb",
    "ocf:heartbeat:clvm": "/run/lvm",
    "ocf:heartbeat:LVM": "the machine's volume groups",
    "ocf:heartbeat:LVM-activate": "the machine's volume groups",
    "ocf:heartbeat:lvmlockd": "/run/lvm",
    "ocf:heartbeat:Filesystem": "the machine's mount table",
    "ocf:heartbeat:IPaddr": "the machine's network interfaces",
    "ocf:heartbeat:IPaddr2": "the machine's network interfaces",
    "ocf:heartbeat:IPv6addr": "the machine's network interfaces",
    "ocf:heartbeat:IPsrcaddr": "the machine's routing table",
    "ocf:heartbeat:Route": "the machine's routing table",
    "ocf:heartbeat:VIPArip": "the machine's network interfaces",
    "ocf:heartbeat:iface-bridge": "the machine's network interfaces",
    "ocf:heartbeat:iface-macvlan": "the machine's network interfaces",
    "ocf:heartbeat:iface-vlan": "the machine's network interfaces",
    "ocf:heartbeat:portblock": "the machine's packet filter",
    "ocf:heartbeat:nfsserver": "/var/lib/nfs",
    "ocf:heartbeat:exportfs": "/var/lib/nfs/etab",
    "ocf:heartbeat:rabbitmq-cluster": "/var/lib/rabbitmq",
    "ocf:heartbeat:rabbitmq-server-ha": "/var/lib/rabbitmq",
    "ocf:heartbeat:docker": "the machine's one docker daemon",
    "ocf:heartbeat:podman": "the machine's one container store",
    "ocf:heartbeat:VirtualDomain": "the machine's one libvirt",
    "ocf:heartbeat:Xen": "the machine's one hypervisor",
    "ocf:pacemaker:controld": "the machine's one DLM",
    "ocf:pacemaker:o2cb": "the machine's one DLM",
    "ocf:pacemaker:remote": "/etc/pacemaker",
}
"""Agents that act on one thing of the whole machine, so that two lab nodes would fight over it; value: which thing."""


def lab_refusal(agent: str, environ: Mapping[str, str]) -> str:
    """Return why a lab node may not run this agent; empty if it may.

    A node with a root of its own that also has a machine of its own (namespaces) says so by ``HATOOLS_NAMESPACE=1``.
    """
    if environ.get("HATOOLS_ROOT", "/") == "/" or environ.get("HATOOLS_NAMESPACE"):
        return ""
    thing = FIXED_PATH_AGENTS.get(agent, "")
    if agent.startswith("systemd:") and "DBUS_SYSTEM_BUS_ADDRESS" not in environ:
        thing = "the machine's one systemd"
    if not thing:
        return ""
    return (
        f"{agent} works on {thing}, which all nodes of a lab share: "
        "run it on real nodes or in namespaces, where each node has its own"
    )
