"""Which lines tell of a resource, a node, or of events: patterns of our daemons' messages and Pacemaker's. Pure.

Each kind has a list for every level of detail; a level shows those below it too. ``%%`` stands for the name.
"""

import re
from collections.abc import Sequence

_OPERATION = "(?:start|stop|promote|demote|migrate_to|migrate_from|reload)"

RESOURCE = (
    (
        rf"\b%%(?::\d+)?_{_OPERATION}_\d+",
        r"\b%%(?::\d+)?_monitor_[1-9]\d* .*(?:rc=(?!0 )|status=|failed|error|not running)",
        rf"rsc:%%(?::\d+)? action:{_OPERATION}",
        rf"\b{_OPERATION} (?:operation )?(?:for|of) %%(?::\d+)?\b",
        r"\* (?:Start|Stop|Restart|Move|Migrate|Recover|Promote|Demote|Reload|Fence)\w* +%%(?::\d+)?\b",
        r"[(]%%(?::\d+)?[)]\[",
        r"\((?:\w+:)*\w+ %%\)",
        r"(?:fail-count|last-failure)-%%#",
        r"\b%% (?:is|was|cannot|failed|has)\b",
    ),
    (rf"\b%%(?::\d+)?_(?!{_OPERATION})\w+_\d+", r"rsc:%%(?::\d+)? action:"),
    (r"(?<![\w.-])%%(?![\w.-])",),
)
NODE = (
    (
        r"(?:Lost from the view|Forgot node|Arrived|joined|left).*\b%%\b",
        r"\b%% (?:has left|was lost|is the DC|joined|left|is now (?:lost|member|offline|online))",
        r"\b[Ff]enc\w+\b.*\b%%\b",
        r"(?:reboot|off|on) of %% ",
        r"Node %%(?:\[\d+\])? .*(?:fence|unclean|state|lost|member|joined|left)",
        r"(?:Requesting fencing|STONITH|stonith).*\b%%\b",
        r"shutdown of %%",
        r" %% pacemakerd.*(?:stopping this node|Starting Pacemaker|Shutdown complete)",
        r"(?:lost|memb): %% ",
    ),
    (r" %% \S*crmd\S* .*State ", r"\bstandby\b.*\b%%\b", r"controller of %%"),
    (r"(?<![\w.-])%%(?![\w.-])",),
)
EVENTS = (
    (
        r"[Qq]uorum (?:lost|acquired|retained)|partition (?:WITHOUT|with) quorum",
        r"(?:CRIT|crit|ERROR|error|UNCLEAN|unclean):",
        r"is the DC of the partition|Set DC to|unsetting DC",
        r"Lost from the view|was lost without saying goodbye|has left$",
        r"Requesting fencing|Fencing of|\b(?:reboot|off) of \S+ by",
        r"stopping this node|core dump|was ended by signal",
    ),
    (
        r"(?:WARN|warning):",
        r"Result of .*(?:rc=(?!0 )|status=)",
        r"\* (?:Start|Stop|Restart|Move|Recover|Promote|Demote)",
    ),
    (r"notice:",),
)


def patterns_for(kind: Sequence[Sequence[str]], names: Sequence[str], detail: int) -> list[str]:
    """Return the patterns of a kind for names, down to a level of detail."""
    found = []
    for patterns in kind[: detail + 1]:
        for pattern in patterns:
            found += [pattern.replace("%%", re.escape(name)) for name in names] if "%%" in pattern else [pattern]
    return found
