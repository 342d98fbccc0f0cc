"""How long survivors wait for a node that they cannot fence. Pure.

Without fencing nobody knows whether a lost node is dead or only cut off. A node that is cut off loses quorum at
about the same time as we lose it, and then stops its resources (``no-quorum-policy=stop``). If we started them at
once, both sides would run them for the time those stops take. So the survivors wait: as long as the resources that
were active there took to stop when they were last stopped, plus a margin for the difference in detection; where that
was never measured, the margin and a guess. docs/cut-off-nodes.md explains it to administrators.
"""

from collections.abc import Iterable

from hatools.cib.document import Document, Element, children
from hatools.daemons.crmd import status
from hatools.daemons.crmd.changes import lrm_resources

MARGIN_S = 1.0
"""For the difference between the moments at which both sides notice, and the calculation over there."""

GUESS_S = 1.0
"""How long a resource takes to stop that was never seen stopping."""

LONGEST_S = 10.0
"""No wait is longer: a node that is dead should not keep its resources for long."""

_OPTION = "cut-off-wait"
_STARTS = frozenset({"start", "promote", "demote", "migrate_from"})
_RUNNING = frozenset({"0", "8", "190", "191"})


def cut_off_wait_s(document: Document, node_id: str, *, quorate: bool) -> float:
    """Return how many seconds to wait before the resources of a lost node are started elsewhere."""
    if status.has_fencing(document) or not quorate:
        return 0.0
    if status.cluster_option(document, "no-quorum-policy", "stop") not in ("stop", "demote", "suicide", "fence"):
        return 0.0  # the other side will not stop anything for want of quorum
    states = status.node_states(document)
    active = [name for name, resource in lrm_resources(states.get(node_id)).items() if _is_active(resource)]
    if not active:
        return 0.0
    configured = status.cluster_option(document, _OPTION)
    if configured:
        return status.option_seconds(document, _OPTION, 0.0)
    stops = [_stop_time_s(states.values(), name) for name in active]
    return min(LONGEST_S, MARGIN_S + sum(stops))


def _is_active(resource: Element) -> bool:
    """Say whether the newest entry that tells leaves the resource active."""
    active = False
    for entry in sorted(children(resource, "lrm_rsc_op"), key=_call):
        operation, code, status_code = entry.get("operation"), entry.get("rc-code"), entry.get("op-status")
        if (operation in _STARTS and status_code in ("0", "-1")) or (operation == "monitor" and code in _RUNNING):
            active = True
        elif (operation == "stop" and code == "0") or (operation == "monitor" and code == "7"):
            active = False
    return active


def _call(entry: Element) -> int:
    text = entry.get("call-id", "0")
    number = int(text) if text.lstrip("-").isdigit() else 0
    return number if number >= 0 else 1 << 60


def _stop_time_s(states: Iterable[Element], name: str) -> float:
    longest: float | None = None
    for state in states:
        resource = lrm_resources(state).get(name)
        for entry in children(resource, "lrm_rsc_op"):
            if entry.get("operation") == "stop" and entry.get("exec-time", "").isdigit():
                longest = max(longest or 0.0, int(entry.get("exec-time", "0")) / 1000)
    return GUESS_S if longest is None else longest
