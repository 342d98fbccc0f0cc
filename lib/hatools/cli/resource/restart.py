"""``crm_resource --restart`` and ``--wait``: change something and wait until the cluster has followed. I/O."""

import os
import time
from collections.abc import Callable

from hatools.cli.ending import Refused
from hatools.cli.resource import locations
from hatools.cli.resource.attributes import META, ResourceAttribute, base_id
from hatools.cli.resource.context import Context
from hatools.cli.resource.request import Command
from hatools.ipc.clients.cib import cib_file_path
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.resource import Kind, Resource
from hatools.scheduler.schedule import Schedule, schedule
from hatools.scheduler.unpack.operations import configured_timeout_ms
from hatools.transition.graph import ActionType, GraphAction
from hatools.values.exitcode import ExitCode
from hatools.values.iso8601 import Moment
from hatools.values.role import Role

_POLL_S = 0.2
_DEFAULT_WAIT_S = 3600.0
_SPARE_S = 5.0
"""Beside the operations' own timeouts, what each step may take for messages and decisions."""

_OUR_BUILD = "-hatools"
"""How the version of a DC that decides as we do ends."""


def run(context: Context) -> None:
    """Carry out one of the two commands."""
    if context.request.command is Command.WAIT:
        wait(context)
    else:
        _Restart(context).run()


def _is_live() -> bool:
    return cib_file_path(os.environ) is None


def _decide(context: Context) -> Schedule:
    return schedule(context.cib.document(), Moment.from_epoch(int(time.time())))


# Waiting


def wait(context: Context) -> None:
    """Wait until nothing is left to do.

    Raises:
        Refused: that did not happen in time.
    """
    limit = context.request.timeout_ms / 1000 or _DEFAULT_WAIT_S
    deadline = time.monotonic() + limit
    warned = context.out.quiet
    while True:
        decision = _decide(context)
        if not warned and not (_dc_version(decision) or "").endswith(_OUR_BUILD):
            context.out.info("warning: wait option may not work properly in mixed-version cluster")
        warned = True
        pending = pending_actions(decision)
        if not pending and (not _is_live() or _controller_is_idle()):
            return
        if time.monotonic() >= deadline:
            _tell_pending(context, pending)
            raise Refused(ExitCode.TIMEOUT)
        time.sleep(_POLL_S)


def _dc_version(decision: Schedule) -> str | None:
    section = decision.plan.document.section("crm_config")
    for pair in () if section is None else section.iter("nvpair"):
        if pair.get("name") == "dc-version":
            return pair.get("value")
    return None


def pending_actions(decision: Schedule) -> list[GraphAction]:
    """Return what the cluster would still do; recurring monitors and points in time do not count."""
    found = []
    for synapse in decision.graph.synapses:
        for action in synapse.actions:
            is_recurring = action.interval_ms > 0 and action.operation == "monitor"
            if action.type is not ActionType.PSEUDO and not is_recurring:
                found.append(action)
    return found


def _controller_is_idle() -> bool:
    """Say whether the DC has nothing under way."""
    from hatools.ipc.clients.crmd import BlockingController

    controller = BlockingController(name="crm_resource")
    try:
        here = controller.describe()
        return (controller.describe(here.dc) if here.dc and not here.settled else here).settled
    finally:
        controller.close()


def _tell_pending(context: Context, actions: list[GraphAction]) -> None:
    if actions:
        context.out.error("Pending actions:")
    for action in actions:
        where = f"\ton {action.node}" if action.node else ""
        context.out.error(f"\tAction {action.id}: {action.key or action.operation}{where}")


# Restarting


class _Restart:
    """Stops a resource with what depends on it, waits, and has it started again."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.out = context.out
        self.node = context.node
        self.limited = context.request.timeout_ms > 0
        self.deadline = time.monotonic() + context.request.timeout_ms / 1000

    def run(self) -> None:
        """Stop the resource, wait until it has, start it, and wait again."""
        resource = self._target()
        if not _is_live():
            raise Refused(ExitCode.UNAVAILABLE, "Restarting needs a running cluster; a CIB file cannot stop anything")
        by_ban = self.node is not None and resource.kind in (Kind.CLONE, Kind.BUNDLE)
        name = resource.id if resource.unique else base_id(resource.id)
        before = active_ids(self.context, self.node)
        undo = self._stop(resource, name, by_ban)
        try:
            self._wait_for_stops(resource, before)
        finally:
            # Stopped or not, whatever went wrong: the resource must be allowed to run again.
            undo()
        self._wait_for_starts(resource, before)

    def _target(self) -> Resource:
        """Return what to restart: the active instance meant, for a part of a bundle the bundle.

        Raises:
            Refused: nothing of it is active.
        """
        resource = self.context.wanted
        shown = resource.history_id or resource.id
        top = resource.top
        if resource.is_bundled and top.parent is not None:
            resource = top.parent
        running = runs_on(resource, self.node)
        if top.kind is Kind.CLONE and not running:
            for child in top.children:
                for each in child.descendants():
                    if each.xml_id == resource.xml_id and runs_on(each, self.node):
                        return each
        if not running:
            where = "anywhere" if self.node is None else f"on {self.node.name}"
            self.out.error(f"{shown} is not running {where} and so cannot be restarted")
            raise Refused(ExitCode.NOSUCH)
        return resource

    def _stop(self, resource: Resource, name: str, by_ban: bool) -> Callable[[], None]:
        """Make the cluster stop it; return what takes that back."""
        request = self.context.request
        quiet, self.out.quiet = self.out.quiet, self.out.quiet or by_ban
        if by_ban:
            assert self.node is not None
            locations.add_ban(self.context, name, self.node.name, promoted=request.promoted)
            self.out.quiet = quiet
            return lambda: locations.clear_on(self.context, name, _name(self.node), bans=True)
        request.set_tag, request.parameter = META, "target-role"
        request.set_id = request.pair_id = None
        editor = ResourceAttribute(self.context, "target-role", "update")
        original = editor.value_in(name)
        editor.set(resource, resource.id, "stopped")
        if original is not None:
            return lambda: ResourceAttribute(self.context, "target-role", "update").set(resource, resource.id, original)
        return lambda: ResourceAttribute(self.context, "target-role", "delete").delete(resource, resource.id)

    def _wait_for_stops(self, resource: Resource, before: list[str]) -> None:
        staying = set(self._will_be_active())
        remaining = [each for each in before if each not in staying]
        self._announce("stop", remaining)
        step = self._step_deadline(remaining)
        while remaining:
            count = len(remaining)
            self._pause(step, remaining, f"Could not complete shutdown of {resource.id}")
            self.context.refresh()
            remaining = [each for each in active_ids(self.context, self.node) if each not in staying]
            if len(remaining) < count:
                step = self._step_deadline(remaining)

    def _wait_for_starts(self, resource: Resource, wanted: list[str]) -> None:
        """Wait until all is active again; on a node given, until the resource is active there."""
        self.context.refresh()
        remaining = self._missing(wanted, self.node)
        self._announce("start again", remaining)
        step = self._step_deadline(remaining)
        while remaining if self.node is None else not runs_on(self._again(resource), self.node):
            count = len(remaining)
            self._pause(step, remaining, f"Could not complete restart of {resource.id}")
            self.context.refresh()
            # What depends on it may have moved to another node.
            remaining = self._missing(wanted, None)
            if len(remaining) < count:
                step = self._step_deadline(remaining)

    def _missing(self, wanted: list[str], node: Node | None) -> list[str]:
        active = set(active_ids(self.context, node))
        return [each for each in wanted if each not in active]

    def _again(self, resource: Resource) -> Resource:
        return self.context.plan.find_resource(resource.id) or resource

    def _will_be_active(self) -> list[str]:
        """Return the ids that will be active after what the scheduler decides now."""
        found = []
        for each in _primitives(_decide(self.context).plan.resources):
            if each.next_role > Role.STOPPED or (each.next_role is Role.UNKNOWN and each.role > Role.STOPPED):
                node = each.assigned_to or each.active_node()
                if self.node is None or (node is not None and node.name == self.node.name):
                    found.append(each.id)
        return found

    def _announce(self, what: str, identifiers: list[str]) -> None:
        self.out.info(f"Waiting for {len(identifiers)} resources to {what}:")
        for each in identifiers:
            self.out.info(f" * {each}")

    def _step_deadline(self, identifiers: list[str]) -> float:
        """Return until when the next resource has to follow: the longest of their timeouts from now."""
        if self.limited:
            return self.deadline
        longest = 0
        for identifier in identifiers:
            resource = self.context.plan.find_resource(identifier)
            if resource is not None:
                for task in ("stop", "start"):
                    longest = max(longest, configured_timeout_ms(self.context.plan, resource, task))
        return time.monotonic() + longest / 1000 + _SPARE_S

    def _pause(self, step: float, remaining: list[str], complaint: str) -> None:
        if time.monotonic() >= step:
            self.out.error(f"{complaint}, {len(remaining)} resources remaining")
            for each in remaining:
                self.out.error(f" * {each}")
            raise Refused(ExitCode.TIMEOUT)
        time.sleep(_POLL_S)


def _name(node: Node | None) -> str:
    assert node is not None
    return node.name


def runs_on(resource: Resource, node: Node | None) -> bool:
    """Say whether a resource is active on a node, or anywhere without one."""
    nodes = resource.current_nodes()
    return bool(nodes) if node is None else any(each.name == node.name for each in nodes)


def _primitives(resources: list[Resource]) -> list[Resource]:
    found = []
    for resource in resources:
        if resource.children:
            found.extend(_primitives(resource.children))
        else:
            found.append(resource)
    return found


def active_ids(context: Context, node: Node | None) -> list[str]:
    """Return the ids of active primitives, on one node or anywhere."""
    return [each.id for each in _primitives(context.plan.resources) if runs_on(each, node)]
