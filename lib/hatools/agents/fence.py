"""The fence agent protocol: what is written to an agent and what its end means. Pure.

An agent gets no arguments but ``key=value`` lines on standard input. Parameters named ``pcmk_*`` are instructions to
the fencer and are not passed on.
"""

import re
from collections.abc import Mapping

from hatools.agents.metadata import AgentMetadata
from hatools.values.duration import parse_duration_ms
from hatools.values.records import dataclass

_META = ("CRM_meta_", "pcmk_")
_NOT_PASSED = frozenset({"crm_feature_set", "action", "provides", "stonith-timeout", "priority"})

STATUS_ON = 0
STATUS_OFF = 2

HOST_ARGUMENT = "pcmk_host_argument"
ACTION_DEFAULT_TIMEOUT_MS = 60_000
ACTION_DEFAULT_TRIES = 2


def agent_input(
    parameters: Mapping[str, str],
    action: str,
    *,
    target: str = "",
    target_id: str = "",
    plug: str = "",
    metadata: AgentMetadata | None = None,
) -> bytes:
    """Return the lines for an agent's standard input.

    Args:
        parameters: the device's configuration, ``pcmk_*`` included.
        action: what is wanted; ``pcmk_ACTION_action`` may replace the word.
        target: the node, empty for actions of the device itself.
        target_id: its node id, passed only to agents that declare ``nodeid``.
        plug: the target's name at the device (from a host map), the target's own name if empty.
        metadata: tells the name of the argument for the plug.
    """
    lines: dict[str, str] = {}
    if target:
        lines["nodename"] = target
        if target_id and metadata is not None and metadata.parameter("nodeid") is not None:
            lines["nodeid"] = target_id
    lines["action"] = action_word(parameters, action)
    if target:
        argument = parameters.get(HOST_ARGUMENT) or default_host_argument(metadata)
        # A value that was configured by hand for the very argument is meant, unless it is the word "dynamic".
        if argument != "none" and parameters.get(argument, "dynamic") == "dynamic":
            lines[argument] = plug or target
    for name, value in parameters.items():
        if name not in lines and name not in _NOT_PASSED and not name.startswith(_META):
            lines[name] = value
    return "".join(f"{name}={_one_line(value)}\n" for name, value in lines.items()).encode("utf-8", "surrogateescape")


def _one_line(value: str) -> str:
    """A line end inside a value would begin a new parameter."""
    return value.replace("\r", " ").replace("\n", " ")


def action_word(parameters: Mapping[str, str], action: str) -> str:
    """Return the word a device wants to hear for an action."""
    return parameters.get(f"pcmk_{action}_action") or action


def default_host_argument(metadata: AgentMetadata | None) -> str:
    """Return the argument that names the target: ``port`` where the agent knows it, else ``plug``."""
    if metadata is None or metadata.parameter("port") is not None:
        return "port"
    return "plug" if metadata.parameter("plug") is not None else "port"


def action_timeout_ms(parameters: Mapping[str, str], action: str, default_ms: int = ACTION_DEFAULT_TIMEOUT_MS) -> int:
    """Return ``pcmk_ACTION_timeout`` in milliseconds."""
    own = parse_duration_ms(parameters.get(f"pcmk_{action}_timeout"))
    return own if own is not None and own > 0 else default_ms


def action_tries(parameters: Mapping[str, str], action: str) -> int:
    """Return ``pcmk_ACTION_retries``: how often an action is tried in all."""
    text = parameters.get(f"pcmk_{action}_retries", "")
    return max(1, int(text)) if text.isdigit() else ACTION_DEFAULT_TRIES


def action_limit(parameters: Mapping[str, str]) -> int | None:
    """Return ``pcmk_action_limit``, how many actions a device can do at once; None: any number."""
    text = parameters.get("pcmk_action_limit", "1").strip()
    try:
        limit = int(text)
    except ValueError:
        return 1
    return None if limit < 0 else limit or 1


@dataclass(frozen=True, slots=True)
class Delay:
    """How long to wait before a node is fenced: ``base_ms`` at least, ``max_ms`` at most, at random between."""

    base_ms: int = 0
    max_ms: int = 0

    def pick(self, fraction: float) -> int:
        """Return a delay in milliseconds; ``fraction`` is random, from 0 to below 1."""
        return self.base_ms + int(max(0, self.max_ms - self.base_ms) * fraction)

    @property
    def longest_ms(self) -> int:
        """The longest delay that can be picked."""
        return max(self.base_ms, self.max_ms)


def fencing_delay(parameters: Mapping[str, str], target: str) -> Delay:
    """Read ``pcmk_delay_base`` (one value, or a map ``node1:2s;node2:0``) and ``pcmk_delay_max``."""
    longest = parse_duration_ms(parameters.get("pcmk_delay_max")) or 0
    base_text = parameters.get("pcmk_delay_base", "")
    if ":" in base_text:
        base_text = parse_host_map(base_text).get(target, "")
    base = parse_duration_ms(base_text) or 0
    if longest and base > longest:
        base = longest
    return Delay(max(0, base), max(0, longest))


def parse_host_map(text: str) -> dict[str, str]:
    """Read ``node1:plug1;node2:plug2,plug3``; entries are separated by semicolons, blanks or tabs.

    A backslash keeps the next character from separating (``node\\ 1:a``).
    """
    result: dict[str, str] = {}
    for entry in re.findall(r"(?:\\.|[^\\;\s])+", text):
        match = re.match(r"((?:\\.|[^\\:=])+)[:=](.*)", entry)
        if match is not None:
            result[_unescape(match[1])] = _unescape(match[2])
    return result


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def parse_host_list(text: str) -> tuple[str, ...]:
    """Read ``pcmk_host_list``: names separated by blanks, commas or semicolons."""
    return tuple(dict.fromkeys(part for part in re.split(r"[\s,;]+", text) if part))


def parse_list_output(text: str) -> tuple[str, ...]:
    """Read what ``list`` printed: a line per plug, ``plug``, ``plug,alias`` or ``plug,alias,state``.

    Plug and alias both count as names of what can be fenced; states and messages do not.
    """
    names: dict[str, None] = {}
    for line in text.splitlines():
        line = line.strip()
        if not line or line.lower().startswith(("success:", "failed:", "error", "invalid")):
            continue
        for part in re.split(r"[\s,;]+", line):
            word = part.strip("'\"[]()")
            if word and word.lower() not in ("on", "off", "unknown", "error"):
                names[word] = None
    return tuple(names)
