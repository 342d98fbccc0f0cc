"""Restarting this machine at once, for a node that was fenced and runs nevertheless. I/O.

Only a real machine is restarted: not a lab node, not a node in namespaces or a container, and nothing without root.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from hatools.runtime.directories import Directories

_INITIAL_PID_NAMESPACE = "pid:[4026531836]"
"""The kernel's fixed name for the process ids of the machine itself."""

_KEYS = {"": "b", "reboot": "b", "crash": "c", "off": "o", "sync-reboot": "b", "sync-crash": "c", "sync-off": "o"}
"""What ``PCMK_panic_action`` means to the kernel's magic key; with ``sync-`` the disks are written first."""


def refusal(directories: Directories, environ: Mapping[str, str], namespace: str, user_id: int) -> str:
    """Return why a node may not restart what it runs on; empty if it may."""
    if not directories.is_system:
        return "not done, this is a node of a lab: it stops and stays down"
    if namespace != _INITIAL_PID_NAMESPACE:
        return "not done, this node runs in a namespace or a container: it stops and stays down"
    if user_id != 0:
        return "not done, that takes root: the node stops and stays down"
    action = environ.get("PCMK_panic_action", "").strip().lower()
    if action not in _KEYS:
        return f"not done, PCMK_panic_action={action} is none of {', '.join(filter(None, _KEYS))}: the node stops"
    return ""


def panic(directories: Directories) -> str:
    """Restart the machine by the kernel's magic key; return why that was not done, if it was not."""
    reason = refusal(directories, os.environ, os.readlink("/proc/self/ns/pid"), os.geteuid())
    if reason:
        return reason
    action = os.environ.get("PCMK_panic_action", "").strip().lower()
    trigger = Path("/proc/sysrq-trigger")
    try:
        if action.startswith("sync-"):
            trigger.write_text("s")
        trigger.write_text(_KEYS[action])
    except OSError as error:
        return f"not done ({error.strerror}): the node stops and stays down"
    return ""
