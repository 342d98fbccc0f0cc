"""Operation keys and transition keys, the names of actions in history and graphs. Pure.

An operation key is ``RSC_TASK_INTERVAL`` (milliseconds); a transition key is
``ACTION:TRANSITION:TARGET-RC:UUID``; a transition magic is ``STATUS:RC;KEY``.
"""

import re
from typing import Self

from hatools.values.records import dataclass

_INTERVAL = re.compile(r"[0-9]{1,20}")


def format_operation_key(resource: str, task: str, interval_ms: int) -> str:
    """Return ``RSC_TASK_INTERVAL``."""
    return f"{resource}_{task}_{interval_ms}"


def parse_operation_key(key: str) -> tuple[str, str, int] | None:
    """Split an operation key into resource, task, interval (milliseconds); None if it is none."""
    rest, _, interval = key.rpartition("_")
    if not rest or not _INTERVAL.fullmatch(interval):
        return None
    for task in ("migrate_to", "migrate_from"):
        if rest.endswith("_" + task):
            return rest[: -len(task) - 1], task, int(interval)
    resource, _, task = rest.rpartition("_")
    if not resource:
        return None
    # Notifications are named RSC_{pre,post}_notify_TASK_0: the resource ends before the prefix.
    for prefix in ("_pre_notify", "_post_notify", "_confirmed-pre_notify", "_confirmed-post_notify"):
        if resource.endswith(prefix):
            return resource[: -len(prefix)], f"{prefix[1:]}_{task}", int(interval)
    return resource, task, int(interval)


@dataclass(frozen=True, slots=True)
class TransitionKey:
    """Which action of which transition of which DC an operation was, and what result it expected."""

    transition: int
    action: int
    target_rc: int
    uuid: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read ``ACTION:TRANSITION:TARGET-RC:UUID``; None if it is not of that form."""
        parts = text.split(":", 3)
        if len(parts) != 4:
            return None
        try:
            action, transition, target_rc = int(parts[0]), int(parts[1]), int(parts[2])
        except ValueError:
            return None
        return cls(transition, action, target_rc, parts[3])

    def __str__(self) -> str:
        return f"{self.action}:{self.transition}:{self.target_rc}:{self.uuid}"


def format_magic(status: int, rc: int, key: str) -> str:
    """Return the transition magic ``STATUS:RC;KEY``."""
    return f"{status}:{rc};{key}"


def parse_magic(text: str) -> tuple[int, int, str] | None:
    """Split a transition magic into operation status, result code and key; None if it is none."""
    head, separator, key = text.partition(";")
    status, _, rc = head.partition(":")
    if not separator:
        return None
    try:
        return int(status), int(rc), key
    except ValueError:
        return None
