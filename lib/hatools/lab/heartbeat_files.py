"""The files of a lab's node in the heartbeat style: ha.cf and authkeys. I/O."""

import os

from hatools.runtime.directories import Directories

_LOSS_IN_TOKENS = 2.2
"""Token and consensus timeout together, which is what deadtime is."""


def ha_cf(nodes: dict[str, str], port: int, token_ms: int) -> str:
    """Return the ha.cf that all nodes of the lab share.

    Args:
        nodes: addresses by name.
        token_ms: of a lab in the corosync style that gives up a silent node after the same time.
    """
    deadtime_ms = round(token_ms * _LOSS_IN_TOKENS)
    media = "".join(f"ucast lo {address}\n" for address in nodes.values())
    return (
        "# Written by `crm lab start`; all nodes of the lab have the same file.\n"
        "use_logd off\nlogfile /var/log/ha-log\nlogfacility none\n"
        f"keepalive {max(50, deadtime_ms // 8)}ms\ndeadtime {deadtime_ms}ms\nwarntime {deadtime_ms // 2}ms\n"
        f"initdead {max(10_000, 2 * deadtime_ms)}ms\nudpport {port}\nautojoin none\ncluster lab\ncrm respawn\n"
        f"{media}node {' '.join(nodes)}\n"
    )


def write_heartbeat_files(directories: Directories, configuration: str, key: bytes) -> None:
    """Write ha.cf and authkeys of one node."""
    directories.heartbeat.mkdir(parents=True, exist_ok=True)
    (directories.heartbeat / "ha.cf").write_text(configuration)
    descriptor = os.open(directories.heartbeat / "authkeys", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"auth 1\n1 sha1 {key[:32].hex()}\n")
