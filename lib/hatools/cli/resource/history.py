"""``crm_resource --cleanup``, ``--refresh`` and ``--fail``: make the cluster look again. I/O.

On a CIB file nothing is done, and that is said.
"""

from typing import TYPE_CHECKING

from hatools.cli.ending import Refused
from hatools.cli.resource.context import Context
from hatools.cli.resource.reasons import check
from hatools.cli.resource.request import Command
from hatools.ipc.clients.cib import error_text
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.resource import Resource
from hatools.values.duration import parse_interval_ms
from hatools.values.errors import HatoolsError
from hatools.values.exitcode import ExitCode

if TYPE_CHECKING:
    from hatools.ipc.clients.crmd import BlockingController


def run(context: Context) -> None:
    """Carry out one of the three commands."""
    cleaner = _Cleaner(context)
    try:
        match context.request.command:
            case Command.FAIL:
                cleaner.fail()
            case Command.CLEANUP:
                cleaner.clean_up()
            case _:
                cleaner.refresh()
    finally:
        cleaner.close()
    cleaner.tell_replies()


class _Cleaner:
    """Talks to the controller and the attribute daemon; ``replies`` counts the controller's answers."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.out = context.out
        self.replies = 0
        self.controller: BlockingController | None = None
        if context.request.needs_controller:
            self.controller = _connect(context)

    def close(self) -> None:
        if self.controller is not None:
            self.controller.close()

    def tell_replies(self) -> None:
        """Say what the controller answered, in the original's words."""
        if self.replies:
            noun = "reply" if self.replies == 1 else "replies"
            self.out.info(f"Waiting for {self.replies} {noun} from the controller")
            for _ in range(self.replies - 1):
                self.out.info("... got reply")
            self.out.info("... got reply (done)")

    # Commands

    def clean_up(self) -> None:
        """Forget failures, of one resource or of all."""
        context = self.context
        if context.resource is None:
            self._clean_up_all()
            return
        request = context.request
        resource = context.resource if request.force else context.resource.top
        self._delete(resource, request.node, only_failures=True)
        self._tell_checks(resource)

    def refresh(self) -> None:
        """Forget history, of one resource or of everything, so that it is probed again."""
        context, name = self.context, self.context.request.node
        if context.resource is not None:
            resource = context.resource if context.request.force else context.resource.top
            self._delete(resource, name, only_failures=False)
            self._tell_checks(resource)
            return
        if self.controller is None:
            self.out.info(f"Dry run: skipping clean-up of {name or 'all nodes'} due to CIB_file")
            return
        if context.node is not None and context.node.is_remote_or_guest and _host(context.node) is None:
            raise Refused(
                ExitCode.NOSUCH, f"No cluster connection to Pacemaker Remote node {context.node.name} detected"
            )
        self._clear_failures("", "", 0, name or "")
        self.controller.reprobe(name or "")
        self.replies += 1

    def fail(self) -> None:
        """Have the cluster treat a resource as failed."""
        context, name = self.context, self.context.wanted_id
        resource = context.plan.find_resource(name)
        if resource is None:
            self.out.error(f"Resource {name} not found")
            raise Refused(ExitCode.NOSUCH)
        if not resource.is_primitive:
            self.out.error(f"We can only process primitive resources, not {name}")
            raise Refused(ExitCode.USAGE)
        node = context.node
        assert node is not None and self.controller is not None
        if not node.online:
            self.out.error(f"Node {node.name} is not online")
            raise Refused(ExitCode.DISCONNECT)
        self.controller.fail(resource.history_id or resource.id, node.name)
        self.replies += 1

    # Parts

    def _tell_checks(self, resource: Resource) -> None:
        if not self.out.quiet:
            check(self.context, resource)

    def _clean_up_all(self) -> None:
        request = self.context.request
        shown = request.node or "all nodes"
        if self.controller is None:
            self.out.info(f"Dry run: skipping clean-up of {shown} due to CIB_file")
            return
        operation, interval_ms = request.operation or "", parse_interval_ms(request.interval)
        self._clear_failures("", operation, interval_ms, request.node or "")
        for node in self.context.plan.nodes:
            if request.node is None or node is self.context.node:
                self._forget_failed(node, None)
        self.out.info(f"Cleaned up all resources on {shown}")

    def _delete(self, resource: Resource, node_name: str | None, *, only_failures: bool) -> None:
        if resource.children:
            for child in resource.children:
                self._delete(child, node_name, only_failures=only_failures)
            return
        if node_name is None:
            for node in self._nodes_of(resource):
                if node.online:
                    self._delete_on(resource, node, only_failures=only_failures)
            return
        found = self.context.plan.find_node(node_name)
        if found is None:
            self.out.error(f"Unable to clean up {resource.id} because node {node_name} not found")
            raise Refused(ExitCode.NOSUCH)
        self._delete_on(resource, found, only_failures=only_failures)

    def _nodes_of(self, resource: Resource) -> list[Node]:
        """Return the nodes where something may be known of a resource."""
        if resource.known_on:
            return list(resource.known_on)
        if self.context.request.force:
            return list(self.context.plan.nodes)
        if resource.exclusive_discovery:
            return [node for node, entry in resource.allowed.items() if entry.score >= 0]
        return list(resource.allowed) or list(self.context.plan.nodes)

    def _delete_on(self, resource: Resource, node: Node, *, only_failures: bool) -> None:
        out, request = self.out, self.context.request
        if not node.discovery_enabled:
            out.error(f"Unable to clean up {resource.id} because resource discovery disabled on {node.name}")
            raise Refused(ExitCode.UNIMPLEMENT_FEATURE)
        if self.controller is None:
            out.error(f"Dry run: skipping clean-up of {resource.id} on {node.name} due to CIB_file")
            return
        operation = request.operation or "" if only_failures else ""
        interval_ms = parse_interval_ms(request.interval) if only_failures else 0
        try:
            self._clear_failures(_history_name(resource), operation, interval_ms, node.name)
        except HatoolsError as error:
            out.error(f"Unable to clean up {resource.id} failures on {node.name}: {error_text(error)}")
            raise
        try:
            if only_failures:
                self._forget_failed(node, resource)
            else:
                self._forget(resource, node)
        except HatoolsError as error:
            out.error(
                f"Cleaned {resource.id} failures on {node.name}, but unable to clean history: {error_text(error)}"
            )
            raise
        out.info(f"Cleaned up {resource.id} on {node.name}")

    def _clear_failures(self, resource: str, operation: str, interval_ms: int, node: str) -> None:
        from hatools.ipc.clients.attrd import open_attrd
        from hatools.ipc.messages.attrd import ClearFailures

        with open_attrd(name="crm_resource") as attrd:
            attrd.clear_failures(ClearFailures(resource, operation, interval_ms, node))

    def _forget_failed(self, node: Node, resource: Resource | None) -> None:
        """Forget the history of what failed on a node, where it is what was asked about."""
        request = self.context.request
        done: set[str] = set()
        for failure in self.context.plan.failed_operations:
            if failure.node is not node or (resource is not None and failure.resource is not resource):
                continue
            if request.operation is not None:
                operation = failure.operation
                if (operation.task or "").lower() != request.operation.lower():
                    continue
                if operation.interval_ms != parse_interval_ms(request.interval):
                    continue
            name = _history_name(failure.resource)
            if name not in done:
                done.add(name)
                self._forget(failure.resource, node)

    def _forget(self, resource: Resource, node: Node) -> None:
        assert self.controller is not None
        host = node if not node.is_remote_or_guest else _host(node)
        if host is None:
            raise Refused(ExitCode.NOSUCH, f"No cluster connection to Pacemaker Remote node {node.name} detected")
        self.controller.refresh(_history_name(resource), node.name)
        self.replies += 1


def _host(node: Node) -> Node | None:
    """Return the node that holds the connection to a remote node."""
    connection = node.remote_resource
    return None if connection is None else connection.active_node()


def _history_name(resource: Resource) -> str:
    """Return the name under which histories and fail counts know a resource."""
    return resource.history_id or resource.display_id


def _connect(context: Context) -> "BlockingController":
    from hatools.ipc.clients.crmd import BlockingController

    try:
        return BlockingController(name="crm_resource")
    except HatoolsError as error:
        raise Refused(error.exit_code, "Error connecting to the controller: Connection refused") from None
