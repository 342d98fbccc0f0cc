"""What must hold before messaging starts: the style, no rival, our own entry in the node list. Pure."""

from collections.abc import Callable, Iterable, Mapping

from hatools.messaging.corosync.conf import Configuration, NodeEntry
from hatools.values.errors import ConfigError

STYLES = ("corosync", "heartbeat", "external")

RIVALS = ("corosync", "heartbeat")
"""Programs that do the same job on the same node."""


def chosen_style(variables: Mapping[str, str], source: str) -> str:
    """Return the style that ``HATOOLS_MESSAGING`` names, corosync if it is not set.

    Raises:
        ConfigError: it names none.
    """
    style = variables.get("HATOOLS_MESSAGING", "").strip() or "corosync"
    if style not in STYLES:
        raise ConfigError(f"HATOOLS_MESSAGING={style} ({source}) is not one of {', '.join(STYLES)}")
    return style


def refuse_rivals(style: str, processes: Iterable[tuple[int, str]], ha_cf: str | None, ha_cf_path: str) -> None:
    """Refuse to start beside a real corosync or heartbeat, or against a configuration that asks for the other.

    Args:
        processes: (pid, name) of what runs on this node.
        ha_cf: the text of heartbeat's configuration, None if there is none.

    Raises:
        ConfigError: names the process or the file.
    """
    for pid, name in processes:
        if name in RIVALS:
            raise ConfigError(
                f"{name} runs on this node as process {pid}: only one of them may do the messaging. "
                f"Stop it, or use it with HATOOLS_MESSAGING={'external' if name == 'corosync' else 'heartbeat'}"
            )
    if style == "corosync" and ha_cf is not None and _asks_for_manager(ha_cf):
        raise ConfigError(
            f"{ha_cf_path} asks for the heartbeat style (crm or pacemaker is on) but the style is corosync: "
            "set HATOOLS_MESSAGING=heartbeat, or move the file away"
        )


def _asks_for_manager(ha_cf: str) -> bool:
    for line in ha_cf.splitlines():
        words = line.partition("#")[0].split()
        if words and words[0] in ("crm", "pacemaker"):
            return len(words) == 1 or words[1].lower() not in ("off", "no", "false", "n", "0", "none")
    return False


def local_node(
    configuration: Configuration,
    *,
    given_name: str,
    host_name: str,
    is_local: Callable[[str], bool],
    path: str,
) -> NodeEntry:
    """Return the node list's entry for this node.

    The name given (``HATOOLS_NODE_NAME``) decides; else the host name, the host name without its domain, an
    entry whose short form is the host's short name, and at last the address that is one of ours.

    Raises:
        ConfigError: no entry is ours, or more than one could be.
    """
    nodes = configuration.nodes
    if given_name:
        for node in nodes:
            if node.name == given_name:
                return node
        raise ConfigError(f"{path}: the nodelist has no node {given_name} (HATOOLS_NODE_NAME); {_listed(nodes)}")
    short = host_name.partition(".")[0]
    for wanted in (host_name, short):
        for node in nodes:
            if node.is_named and node.name == wanted:
                return node
    for node in nodes:
        if node.is_named and "." in node.name and node.name.partition(".")[0] == short:
            return node
    found = [node for node in nodes if any(is_local(address) for address in node.addresses.values())]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(node.name for node in found)
        raise ConfigError(f"{path}: the addresses of {names} are all on this machine; set HATOOLS_NODE_NAME")
    raise ConfigError(
        f"{path}: no node of the nodelist is this one: neither its name ({host_name}) "
        f"nor one of its addresses is listed; {_listed(nodes)}"
    )


def _listed(nodes: tuple[NodeEntry, ...]) -> str:
    return "it has " + ", ".join(f"{node.name} ({node.addresses[0]})" for node in nodes)
