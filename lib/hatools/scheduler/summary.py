"""What a transition will change, as people are told: Start, Stop, Move, Recover. Pure data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SummaryLine:
    """One line of the transition summary.

    ``change`` is the word shown (``Start``, ``Move``, ``Fence (reboot)``), ``resource`` the resource
    (or node, when fencing), ``detail`` what is in parentheses, ``reason`` what follows "due to",
    ``blocked`` whether the change cannot be made now. ``node_change`` marks lines about nodes.
    """

    change: str
    resource: str
    detail: str
    reason: str | None = None
    blocked: bool = False
    node_change: bool = False
