"""``crm_resource --constraints`` and ``--stack``: where a resource may run and what it is placed with. I/O."""

from hatools.cli.output import XmlOutput
from hatools.cli.resource.context import Context
from hatools.scheduler.model.constraint import Colocation
from hatools.scheduler.model.resource import Resource
from hatools.values.role import Role, format_role
from hatools.values.score import format_score


def show_constraints(context: Context) -> None:
    """Show locations and colocations of a resource, or of the collection it belongs to unless forced."""
    resource = context.wanted
    if not context.request.force:
        while resource.parent is not None:
            resource = resource.parent
    out = context.out
    if isinstance(out, XmlOutput):
        out.push("constraints")
    shower = _Shower(context)
    shower.locations(resource)
    shower.dependents(resource)
    shower.seen.clear()
    shower.primaries(resource)
    if isinstance(out, XmlOutput):
        out.pop()


class _Shower:
    """Walks along colocations; ``seen`` keeps it from going round in circles."""

    def __init__(self, context: Context) -> None:
        self.out = context.out
        self.recursive = context.request.recursive
        self.seen: set[str] = set()

    def locations(self, resource: Resource) -> None:
        """Show the resource's location constraints."""
        found = [(location, entry) for location in resource.locations for entry in location.scores]
        if not found:
            return
        self._begin("Locations")
        for location, entry in found:
            score = format_score(entry.score)
            if isinstance(self.out, XmlOutput):
                self.out.element(
                    "rsc_location",
                    {"node": entry.node.name, "rsc": resource.id, "id": location.id, "score": score},
                )
            else:
                self.out.list_item(
                    f"Node {entry.node.display_name} (score={score}, id={location.id}, rsc={resource.id})"
                )
        self._end()

    def dependents(self, resource: Resource) -> None:
        """Show what is placed with a resource."""
        if resource.id in self.seen:
            return
        self.seen.add(resource.id)
        if not resource.with_this:
            return
        self._begin(f"Resources colocated with {resource.id}")
        for colocation in resource.with_this:
            self._colocation(colocation, colocation.dependent, is_dependent=True)
        self._end()

    def primaries(self, resource: Resource) -> None:
        """Show what a resource is placed with."""
        if resource.id in self.seen:
            return
        self.seen.add(resource.id)
        if not resource.this_with:
            return
        self._begin(f"Resources {resource.id} is colocated with")
        for colocation in resource.this_with:
            self._colocation(colocation, colocation.primary, is_dependent=False)
        self._end()

    def _colocation(self, colocation: Colocation, other: Resource, *, is_dependent: bool) -> None:
        if isinstance(self.out, XmlOutput):
            self.out.element("rsc_colocation", _attributes(colocation))
        if other.id in self.seen:
            if not isinstance(self.out, XmlOutput):
                self.out.list_item(f"{other.id} (id={colocation.id} - loop)")
            return
        if not isinstance(self.out, XmlOutput):
            self.out.list_item(_describe(colocation, other, is_dependent=is_dependent))
        self._begin(None)
        self.locations(other)
        if self.recursive:
            if is_dependent:
                self.dependents(other)
            else:
                self.primaries(other)
        self._end()

    def _begin(self, title: str | None) -> None:
        if not isinstance(self.out, XmlOutput):
            self.out.begin_list(None, None, title)

    def _end(self) -> None:
        if not isinstance(self.out, XmlOutput):
            self.out.end_list()


def _describe(colocation: Colocation, other: Resource, *, is_dependent: bool) -> str:
    role = ""
    if colocation.primary_role > Role.STARTED:
        role = f", {'needs' if is_dependent else 'with'} role={format_role(colocation.primary_role)}"
    return f"{other.id} (score={format_score(colocation.score)}{role}, id={colocation.id})"


def _attributes(colocation: Colocation) -> dict[str, str]:
    attributes = {
        "id": colocation.id,
        "rsc": colocation.dependent.id,
        "with-rsc": colocation.primary.id,
        "score": format_score(colocation.score),
    }
    if colocation.attribute:
        attributes["node-attribute"] = colocation.attribute
    if colocation.dependent_role is not Role.UNKNOWN:
        attributes["rsc-role"] = format_role(colocation.dependent_role)
    if colocation.primary_role is not Role.UNKNOWN:
        attributes["with-rsc-role"] = format_role(colocation.primary_role)
    return attributes
