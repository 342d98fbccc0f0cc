"""What every ``crm_resource`` command works on. I/O (it holds the open CIB)."""

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from hatools.cli.ending import Refused
from hatools.cli.output import Output
from hatools.cli.resource.request import Find, Request
from hatools.values.exitcode import ExitCode
from hatools.values.records import dataclass

if TYPE_CHECKING:
    from hatools.cib.document import Document
    from hatools.ipc.clients.cib import CibConnection
    from hatools.scheduler.model.node import Node
    from hatools.scheduler.model.resource import Resource
    from hatools.scheduler.plan import Plan
    from hatools.status.model import ClusterStatus, ResourceStatus


@dataclass
class Context:
    """The request and what was opened for it.

    ``resource`` is what the id names (None without one), ``node`` the node named.
    """

    request: Request
    out: Output
    verbosity: int = 0
    connection: "CibConnection | None" = None
    known_plan: "Plan | None" = None
    resource: "Resource | None" = None
    node: "Node | None" = None

    @property
    def cib(self) -> "CibConnection":
        """The open CIB; commands that need none are called without."""
        assert self.connection is not None
        return self.connection

    @property
    def plan(self) -> "Plan":
        """The unpacked CIB; commands that need none are called without."""
        assert self.known_plan is not None
        return self.known_plan

    @property
    def wanted(self) -> "Resource":
        """Return the resource named; commands that need one are not called without."""
        assert self.resource is not None
        return self.resource

    @property
    def wanted_id(self) -> str:
        """The id that was named, whether or not there is such a resource."""
        assert self.request.resource is not None
        return self.request.resource

    @cached_property
    def status(self) -> "ClusterStatus":
        """The status of the cluster for display."""
        import time

        from hatools.status.collect import collect
        from hatools.status.view import Section

        return collect(self.plan, time.time(), Section.RESOURCES)

    def status_of(self, resource: "Resource") -> "ResourceStatus":
        """Return what a display says about a resource."""
        pending: list[ResourceStatus] = list(self.status.resources)
        while pending:
            each = pending.pop(0)
            if each.id == resource.id:
                return each
            pending.extend(each.members)
        raise LookupError(resource.id)

    def refresh(self) -> None:
        """Read the CIB and the state of the cluster again."""
        self.known_plan = read_plan(self.cib)
        self.__dict__.pop("status", None)


def read_plan(cib: "CibConnection", *, with_constraints: bool = False) -> "Plan":
    """Read the state of the cluster.

    Raises:
        Refused: the CIB is of a schema that is too old.
    """
    import time

    from hatools.scheduler.schedule import unpack_status
    from hatools.values.iso8601 import Moment

    document = understood(cib.document())
    if document is None:
        raise Refused(ExitCode.CONFIG)
    return unpack_status(document, Moment.from_epoch(int(time.time())), with_constraints=with_constraints)


def is_of_today(root: Element) -> bool:
    """Say whether a CIB claims a schema that needs no upgrade."""
    return (root.get("validate-with") or "").startswith("pacemaker-3.")


def understood(document: "Document") -> "Document | None":
    """Return a CIB in a form that the cluster uses today; None, which was explained, if there is no way to one."""
    if is_of_today(document.root):
        return document
    from hatools.cib.document import Document
    from hatools.cli.cib_input import current_form

    root = current_form(document.root)
    return None if root is None else Document(root)


def find_resource(plan: "Plan", identifier: str, find: Find) -> "Resource | None":
    """Find a resource: by id or the name of its history, or (see :class:`Find`) by its id without instance number."""
    for resource in _every(plan.resources):
        if identifier in (resource.id, resource.history_id):
            return resource
        if find is Find.ANY or (find is Find.ANONYMOUS and not resource.unique):
            base, _, instance = resource.id.rpartition(":")
            if base == identifier and instance.isdigit():
                return resource
    return None


def _every(resources: "list[Resource]") -> "Iterator[Resource]":
    for resource in resources:
        yield resource
        yield from _every(resource.children)
        if resource.bundle_data is not None:
            for replica in resource.bundle_data.replicas:
                yield from _every([member for member in _replica_order(replica) if member not in resource.children])


def _replica_order(replica: object) -> "list[Resource]":
    found = [getattr(replica, name) for name in ("ip", "child", "container", "remote")]
    return [member for member in found if member is not None]
