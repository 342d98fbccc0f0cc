"""What the DC does itself for a transition: fence, release nodes, count failures, record what nobody reported. Pure."""

from hatools.cib.document import Document, children
from hatools.daemons.crmd import status
from hatools.daemons.crmd.changes import lrm_resources, transient_attributes
from hatools.daemons.crmd.cluster import Cluster
from hatools.daemons.crmd.effects import FenceNode, SendToPeer, SetAttributes
from hatools.daemons.crmd.events import FencingEnded, Instant
from hatools.daemons.crmd.fsa import Input
from hatools.daemons.crmd.history import (
    PENDING_EXIT_STATUS,
    Outcome,
    ResourceIdentity,
    history_entries,
    status_with_history,
)
from hatools.daemons.crmd.holds import Holds
from hatools.daemons.crmd.membership import Membership
from hatools.daemons.crmd.transitioner import CountFailure
from hatools.ipc.messages.attrd import ClearFailures, UpdateAttribute
from hatools.ipc.messages.cib import CibOperation
from hatools.ipc.messages.crmd import LeaveCluster
from hatools.transition.graph import GraphAction
from hatools.values.duration import parse_interval_ms
from hatools.values.opkey import format_operation_key
from hatools.values.result import ExecStatus

FAIL_COUNT_PATIENCE_S = 5.0
"""Seconds at most that a calculation waits for a fail count to reach the CIB."""

DEFAULT_FENCING_TIMEOUT_MS = 60_000
DEFAULT_MAX_ATTEMPTS = 10
LONGEST_FENCING_PAUSE_S = 10.0
HELP = "help: "
"""Begins the names of holds that only a person, or another change, ends."""

_RETRY = "another try to fence "


class Duties:
    """The DC's own actions. ``after_write`` are actions (keys) that end with a CIB write (tags)."""

    def __init__(self, cluster: Cluster, holds: Holds, membership: Membership) -> None:
        self._cluster = cluster
        self._holds = holds
        self._membership = membership
        self._after_write: dict[int, str] = {}
        self._fencing: dict[str, tuple[str, str]] = {}
        """By key of the action: the target, and the ring in which its fencing was asked for."""
        self._failed_fencings: dict[str, int] = {}

    def clear(self) -> None:
        """Forget what is under way: this node is the DC no more."""
        self._after_write.clear()
        self._fencing.clear()

    def perform(self, key: str, action: GraphAction) -> bool | None:
        """Carry out an action; return whether it succeeded, None if its end is still to come."""
        cluster = self._cluster
        match action.operation:
            case "stonith":
                self._fence(key, action)
                return None
            case "do_shutdown":
                self._let_go(action.node or "")
            case "clear_failcount":
                operation = action.meta("operation") or ""
                request = ClearFailures(action.resource_id or "", operation, action.interval_ms, action.node or "")
                cluster.emit(SetAttributes(request))
            case "lrm_delete" | "delete":
                change = status.erase_resource(action.node_id or "", action.resource_id or "")
                self._after_write[cluster.write(change)] = key
                return None
            case "probe_again":
                cluster.write(status.erase_history(action.node_id or ""))
            case _:
                cluster.log("error", f"The graph asks for {action.operation}, which nobody can do")
                return False
        return True

    def written(self, tag: int) -> str | None:
        """Return the key of the action that ends with this write, if any."""
        return self._after_write.pop(tag, None)

    def fencing_ended(self, at: Instant, event: FencingEnded) -> bool | None:
        """Take the end of a fencing that we asked for; return as :meth:`perform` does."""
        asked = self._fencing.pop(event.key, None)
        if asked is None:
            return None
        if not event.confirmed:
            self._fencing_failed(at, event)
            return False
        peer = self._cluster.peers.named(event.target)
        self._failed_fencings.pop(event.target, None)
        self._cluster.log("NOTICE", f"Fencing of {event.target} is confirmed")
        if peer is None:
            return True
        # It may have booted, and be in the view, before the news of its death came here.
        rebooted = peer.has_arrived_since(asked[1])
        self._after_write[self._membership.mark_fenced(peer, rebooted=rebooted)] = event.key
        return None

    def fencing_seen(self, target: str) -> bool:
        """Take anybody's successful fencing of a node; return whether we are not fencing it ourselves."""
        self._failed_fencings.pop(target, None)
        self._holds.release_matching(_RETRY)
        self._holds.release_matching(HELP)
        return all(target != fenced for fenced, _ in self._fencing.values())

    def _fencing_failed(self, at: Instant, event: FencingEnded) -> None:
        failures = self._failed_fencings.get(event.target, 0) + 1
        self._failed_fencings[event.target] = failures
        self._cluster.log("error", f"Fencing of {event.target} failed (attempt {failures}): {event.reason}")
        if failures < self._number_option("stonith-max-attempts", DEFAULT_MAX_ATTEMPTS):
            pause = min(LONGEST_FENCING_PAUSE_S, 0.25 * 2**failures)
            self._holds.add(f"{_RETRY}{event.target}", at.now + pause)
            return
        recheck = status.option_seconds(self._cluster.document, "cluster-recheck-interval", status.DEFAULT_RECHECK_S)
        self._holds.add(f"{HELP}{event.target} cannot be fenced", at.now + recheck)

    def _fence(self, key: str, action: GraphAction) -> None:
        document = self._cluster.document
        target = action.node or ""
        kind = action.meta("stonith_action") or status.cluster_option(document, "stonith-action", "reboot")
        timeout = parse_interval_ms(status.cluster_option(document, "stonith-timeout")) or DEFAULT_FENCING_TIMEOUT_MS
        self._fencing[key] = (target, self._cluster.ring)
        self._cluster.log("NOTICE", f"Requesting fencing ({kind}) of {target}")
        delay = parse_interval_ms(action.meta("priority_fencing_delay"))
        self._cluster.emit(FenceNode(key, target, kind, timeout, delay))

    def _let_go(self, name: str) -> None:
        """Tell a drained node that it may leave, after writing down that its going is expected."""
        cluster = self._cluster
        peer = cluster.peers.named(name)
        if peer is None:
            return
        peer.leaving = True
        standing = status.NodeStanding(peer.in_view, peer.in_group, "member", "down")
        cluster.write(self._membership.stand(peer, standing, "do_shutdown"))
        if peer.id == cluster.me.id:
            cluster.post(Input.STOP)
        else:
            cluster.emit(SendToPeer(peer.id, LeaveCluster()))

    def count_failure(self, at: Instant, failure: CountFailure) -> None:
        cluster = self._cluster
        suffix = f"{failure.resource}#{failure.operation}_{failure.interval_ms}"
        what = format_operation_key(failure.resource, failure.operation, failure.interval_ms)
        cluster.log("warning", f"{what} on {failure.node} failed")
        last = UpdateAttribute(f"last-failure-{suffix}", str(at.epoch), node=failure.node)
        cluster.emit(SetAttributes(last))
        if failure.value is None:
            return
        name = f"fail-count-{suffix}"
        value = "value++" if failure.value == "value++" else failure.value
        peer = cluster.peers.named(failure.node)
        state = None if peer is None else status.node_states(cluster.document).get(peer.node_id)
        present = transient_attributes(state).get(name)
        cluster.emit(SetAttributes(UpdateAttribute(name, value, node=failure.node)))
        if present != "INFINITY":
            self._holds.add(attribute_hold(failure.node, name), at.now + FAIL_COUNT_PATIENCE_S)

    def record_timeout(self, at: Instant, action: GraphAction, key: str) -> None:
        """Write a result for an operation whose node does not tell one.

        Pacemaker gives it the call id -1. That sorts as newer than all later results once another node is the DC, and
        the resource would be recovered again and again; with the newest call id of the node, what comes later counts.
        """
        primitive = action.primitive or {}
        identity = ResourceIdentity(
            primitive.get("id", ""),
            primitive.get("class", ""),
            primitive.get("provider", ""),
            primitive.get("type", ""),
        )
        outcome = Outcome(
            resource=identity,
            operation=action.operation,
            interval_ms=action.interval_ms,
            key=key,
            exec_status=int(ExecStatus.TIMEOUT),
            exit_status=1 if action.operation != "monitor" else PENDING_EXIT_STATUS,
            call_id=newest_call_id(self._cluster.document, action.node_id or "", identity.name),
            exit_reason="the node did not report a result in time",
            last_change=at.epoch,
            parameters=action.attributes,
        )
        entries = history_entries(outcome, action.node or "", None, "action_timer_callback")
        state = status_with_history(action.node_id or "", action.node or "", identity, entries)
        self._cluster.write(status.change(CibOperation.MODIFY, "status", state))

    def _number_option(self, name: str, default: int) -> int:
        text = status.cluster_option(self._cluster.document, name)
        return int(text) if text.isdigit() else default


def newest_call_id(document: Document, node_id: str, resource: str) -> int:
    """Return the highest call id in a resource's history on a node, 0 if none of its operations has ended."""
    entries = children(lrm_resources(status.node_states(document).get(node_id)).get(resource), "lrm_rsc_op")
    known = (entry.get("call-id", "") for entry in entries)
    return max((int(text) for text in known if text.isdigit()), default=0)


def attribute_hold(node: str, name: str) -> str:
    """Return the name of the hold for an attribute that is on its way to the CIB."""
    return f"{name} of {node} in the CIB"
