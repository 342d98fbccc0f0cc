"""``crm_resource``'s changes of a resource's own configuration: parameters, meta-attributes, utilization. I/O.

Which resource a meta-attribute belongs to is guessed the way people mean it: for the member of a clone, the clone;
for a clone whose member has the attribute already, the member; for a group also the members that have it.
"""

from xml.etree.ElementTree import Element

from hatools.cib.attributes import pairs_in
from hatools.cib.operations import Edit
from hatools.cli.ending import Refused
from hatools.cli.resource.context import Context
from hatools.ipc.clients.cib import query_or_none
from hatools.scheduler.model.resource import Kind, Resource
from hatools.values.ciboperation import CibOperation
from hatools.values.exitcode import ExitCode

META = "meta_attributes"
PARAMETERS = "instance_attributes"


def set_parameter(context: Context) -> None:
    """Give a parameter a value."""
    request = context.request
    if not request.value:
        raise Refused(ExitCode.USAGE, "You need to supply a value with the -v option")
    ResourceAttribute(context, request.parameter or "", "update").set(context.wanted, context.wanted_id, request.value)


def delete_parameter(context: Context) -> None:
    """Remove a parameter; one that is not there is no error."""
    ResourceAttribute(context, context.request.parameter or "", "delete").delete(context.wanted, context.wanted_id)


class ResourceAttribute:
    """Sets or deletes one attribute; ``done`` are the resources a recursive change has reached."""

    def __init__(self, context: Context, name: str, verb: str) -> None:
        self.context = context
        self.name = name
        self.verb = verb
        self.tag = context.request.set_tag
        self.set_id = context.request.set_id
        self.pair_id = context.request.pair_id
        self.force = context.request.force
        self.done: set[str] = set()

    def set(self, resource: Resource, requested: str, value: str) -> None:
        """Set the attribute, with ``--recursive`` also of what follows the resource."""
        out = self.context.out
        top = resource.top.id
        if self.pair_id is None and not self.force:
            self._find(top, None, None, None)
        if self.tag == PARAMETERS and not self.force:
            found = self._find(top, META, self.set_id, self.pair_id)
            if len(found) == 1:
                identifier = found[0].get("id")
                if not out.quiet:
                    out.error(
                        f"WARNING: There is already a meta attribute for '{top}' called '{self.name}' (id={identifier})"
                    )
                    out.error(f"         Delete '{identifier}' first or use the force option to override")
                raise Refused(ExitCode.MULTIPLE)
        targets = [resource] if self.tag == PARAMETERS else self._targets(resource, requested)
        if self.set_id is not None or self.pair_id is not None:
            targets = targets[-1:]
        for target in targets:
            self._set_one(target, value)

    def _set_one(self, resource: Resource, value: str) -> None:
        own_id = base_id(resource.id)
        existing = self._one(own_id)
        set_id = self.set_id
        update: Element
        if existing is not None:
            pair_id = existing.get("id") or ""
            update = self._pair(pair_id, value)
        else:
            set_id = set_id or f"{own_id}-{self.tag}"
            pair_id = self.pair_id or f"{set_id}-{self.name}"
            update = Element(resource.xml.tag, {"id": own_id})
            holder = Element(self.tag, {"id": set_id})
            holder.append(self._pair(pair_id, value))
            update.append(holder)
        self.context.cib.change(Edit(CibOperation.MODIFY, "resources", update=update), force=self.force)
        shown_set = f" set={set_id}" if set_id else ""
        self.context.out.info(f"Set '{own_id}' option: id={pair_id}{shown_set} name={self.name} value={value}")
        if self.context.request.recursive and self.tag == META:
            self._set_dependents(resource, value)

    def _set_dependents(self, resource: Resource, value: str) -> None:
        """Set it on everything that is placed with the resource, too."""
        self.done.add(resource.id)
        self.set_id = self.pair_id = None
        for colocation in resource.with_this:
            if colocation.dependent.id not in self.done and colocation.score > 0:
                self.set(colocation.dependent, colocation.dependent.id, value)

    def delete(self, resource: Resource, requested: str) -> None:
        """Delete the attribute wherever the resource, by the name asked for, has it."""
        if self.pair_id is None and not self.force:
            self._find(resource.top.id, None, None, None)
        for target in self._targets(resource, requested) if self.tag == META else [resource]:
            own_id = base_id(target.id)
            existing = self._one(own_id)
            if existing is None:
                continue
            pair_id = self.pair_id or existing.get("id") or ""
            victim = Element("nvpair", {"id": pair_id, "name": self.name})
            self.context.cib.change(Edit(CibOperation.DELETE, "resources", update=victim), force=self.force)
            shown_set = f" set={self.set_id}" if self.set_id else ""
            self.context.out.info(f"Deleted '{own_id}' option: id={existing.get('id')}{shown_set} name={self.name}")

    def _pair(self, identifier: str, value: str) -> Element:
        return Element("nvpair", {"id": identifier, "name": self.name, "value": value})

    def _find(self, resource: str, tag: str | None, set_id: str | None, pair_id: str | None) -> list[Element]:
        """Return the pairs of this name in a resource; several are listed."""
        path = f"/cib/configuration/resources//*[@id='{resource}']"
        if tag is not None:
            path += f"/{tag}" + (f"[@id='{set_id}']" if set_id is not None else "")
        tests = ([f"@id='{pair_id}'"] if pair_id is not None else []) + [f"@name='{self.name}'"]
        found = pairs_in(query_or_none(self.context.cib, xpath=f"{path}//nvpair[{' and '.join(tests)}]"))
        if len(found) > 1:
            out = self.context.out
            out.info(f"Multiple attributes match name={self.name}")
            for pair in found:
                out.info(f"  Value: {pair.get('value')} \t(id={pair.get('id')})")
            out.info("")
        return found

    def _one(self, resource: str) -> Element | None:
        """Return the pair to change.

        Raises:
            Refused: there are several.
        """
        found = self._find(resource, self.tag, self.set_id, self.pair_id)
        if len(found) > 1:
            raise Refused(ExitCode.MULTIPLE)
        return found[0] if found else None

    def value_in(self, resource: str) -> str | None:
        """Return the value it has in a resource or anything inside, None if it has none or several."""
        found = self._find(resource, None, None, None)
        return found[0].get("value") if len(found) == 1 else None

    def _has(self, resource: str) -> bool:
        return len(self._find(resource, self.tag, self.set_id, self.pair_id)) == 1

    def _targets(self, resource: Resource, requested: str) -> list[Resource]:
        """Return the resources that are meant, the one requested last."""
        if self.force:
            return [resource]
        out, parent = self.context.out, resource.parent
        if parent is not None and parent.kind is Kind.CLONE:
            if self._has(requested):
                return [resource]
            out.info(f"Performing {self.verb} of '{self.name}' on '{parent.id}', the parent of '{requested}'")
            return [parent]
        if parent is None and resource.kind is Kind.CLONE and resource.children:
            child = resource.children[0]
            if child.kind is Kind.PRIMITIVE and self._has(base_id(child.id)):
                out.info(
                    f"A value for '{self.name}' already exists in child '{base_id(child.id)}', performing"
                    f" {self.verb} on that instead of '{requested}'"
                )
                return [child]
            return [resource]
        if resource.kind is Kind.GROUP:
            return [*(child for child in resource.children if self._has(base_id(child.id))), resource]
        return [resource]


def base_id(identifier: str) -> str:
    """Return an id without an instance number."""
    base, separator, number = identifier.rpartition(":")
    return base if separator and number.isdigit() else identifier


def set_property(context: Context) -> None:
    """Set an attribute of the resource's own element."""
    request = context.request
    if not request.element:
        raise Refused(ExitCode.NOSUCH, "Must specify -t with resource type")
    if not request.value:
        raise Refused(ExitCode.NOSUCH, "Must supply -v with new value")
    update = Element(request.element, {"id": context.wanted_id, request.parameter or "": request.value})
    context.cib.change(Edit(CibOperation.MODIFY, "resources", update=update), force=request.force)


def delete_resource(context: Context) -> None:
    """Take a resource out of the configuration."""
    request = context.request
    if request.element is None:
        raise Refused(ExitCode.NOSUCH, "You need to specify a resource type with -t")
    victim = Element(request.element, {"id": context.wanted_id})
    context.cib.change(Edit(CibOperation.DELETE, "resources", update=victim), force=request.force)
