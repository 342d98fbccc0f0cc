"""The roles a resource instance can have. Pure."""

from enum import IntEnum


class Role(IntEnum):
    """Ordered: a higher role implies that all below it were passed."""

    UNKNOWN = 0
    STOPPED = 1
    STARTED = 2
    UNPROMOTED = 3
    PROMOTED = 4


_WORDS = {
    "stopped": Role.STOPPED,
    "started": Role.STARTED,
    "unpromoted": Role.UNPROMOTED,
    "slave": Role.UNPROMOTED,
    "promoted": Role.PROMOTED,
    "master": Role.PROMOTED,
}
_TEXTS = {
    Role.UNKNOWN: "Unknown",
    Role.STOPPED: "Stopped",
    Role.STARTED: "Started",
    Role.UNPROMOTED: "Unpromoted",
    Role.PROMOTED: "Promoted",
}


def parse_role(text: str | None) -> Role:
    """Read a role's name, old spellings included; UNKNOWN for anything else."""
    return _WORDS.get(text.lower(), Role.UNKNOWN) if text else Role.UNKNOWN


def format_role(role: Role) -> str:
    """Write a role's name in today's spelling."""
    return _TEXTS[role]
