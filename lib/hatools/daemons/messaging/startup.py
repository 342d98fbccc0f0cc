"""What must hold before messaging starts: the style, and no rival. Pure."""

from collections.abc import Iterable, Mapping

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
