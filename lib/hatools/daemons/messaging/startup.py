"""What must hold before messaging starts: the style, and no rival. Pure."""

from collections.abc import Callable, Iterable, Mapping

from hatools.messaging.corosync.conf import read_configuration
from hatools.messaging.corosync.ourselves import local_node
from hatools.messaging.external.events import Process
from hatools.values.errors import ConfigError, InputError

STYLES = ("corosync", "heartbeat", "external")

RIVALS = ("corosync", "heartbeat")
"""Programs that do the same job on the same node."""

PACEMAKER_GROUPS = frozenset({"pacemakerd", "crmd", "cib", "attrd", "stonith-ng"})
"""Process groups of Corosync in which Pacemaker's daemons talk."""


def chosen_style(variables: Mapping[str, str], source: str) -> str:
    """Return the style that ``HATOOLS_MESSAGING`` names, corosync if it is not set.

    Raises:
        ConfigError: it names none.
    """
    style = variables.get("HATOOLS_MESSAGING", "").strip() or "corosync"
    if style not in STYLES:
        raise ConfigError(f"HATOOLS_MESSAGING={style} ({source}) is not one of {', '.join(STYLES)}")
    return style


def refuse_rivals(style: str, processes: Iterable[tuple[int, str]]) -> None:
    """Refuse to start beside a real corosync or heartbeat, unless it is the one that we are to use.

    Args:
        processes: (pid, name) of what runs on this node.

    Raises:
        ConfigError: names the process.
    """
    for pid, name in processes:
        if name not in RIVALS or (name == "corosync" and style == "external"):
            continue
        way_out = "or use it with HATOOLS_MESSAGING=external" if name == "corosync" else "and disable it"
        raise ConfigError(
            f"{name} runs on this node as process {pid}: only one of them may do the messaging "
            f"(HATOOLS_MESSAGING is {style}). Stop it, {way_out}"
        )


def refuse_ha_cf(style: str, text: str, path: str) -> None:
    """Refuse to start against an ``ha.cf`` that wants to run a cluster manager (crm, pacemaker).

    Raises:
        ConfigError: names the file.
    """
    if style != "heartbeat" and _asks_for_manager(text):
        raise ConfigError(
            f"{path} asks for the heartbeat style (crm or pacemaker is on) but the style is {style}: "
            "set HATOOLS_MESSAGING=heartbeat, or move the file away"
        )


def refuse_corosync_conf(
    style: str, text: str, path: str, *, given_name: str, host_name: str, is_local: Callable[[str], bool]
) -> None:
    """Refuse to start with heartbeat against a ``corosync.conf`` that lists this node.

    One that lists others only, such as the example that comes with a package, asks for nothing.

    Args:
        is_local: says of an address whether it is one of ours by which others can reach us.

    Raises:
        ConfigError: names the file.
    """
    if style != "heartbeat":
        return
    try:
        configuration = read_configuration(text, path)
        local_node(configuration, given_name=given_name, host_name=host_name, is_local=is_local, path=path)
    except InputError:
        return  # nobody could use it here
    raise ConfigError(
        f"{path} lists this node and so asks for the corosync style, but the style is heartbeat: "
        "set HATOOLS_MESSAGING=corosync, or move the file away"
    )


def refuse_pacemaker(groups: Iterable[tuple[str, Process]], names: Mapping[int, str]) -> None:
    """Refuse to join a Corosync on which Pacemaker runs, here or on another node: it would manage the same cluster.

    Args:
        groups: (name, member) of all process groups.
        names: of the nodes.

    Raises:
        ConfigError: names group, node and process.
    """
    for group, process in groups:
        if group in PACEMAKER_GROUPS:
            where = names.get(process.node, f"node {process.node}")
            raise ConfigError(
                f"Pacemaker uses this corosync (process {process.pid} on {where}, group {group}): "
                "one cluster manager only; stop pacemaker there"
            )


def _asks_for_manager(ha_cf: str) -> bool:
    for line in ha_cf.splitlines():
        words = line.partition("#")[0].split()
        if words and words[0] in ("crm", "pacemaker"):
            return len(words) == 1 or words[1].lower() not in ("off", "no", "false", "n", "0", "none")
    return False
