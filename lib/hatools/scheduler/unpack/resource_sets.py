"""What constraints refer to: resources, instances, tags and templates, resource sets. Pure.

References to tags and templates are replaced by sets of the resources they stand for, so that
the readers of constraints know only resources and sets.
"""

from xml.etree.ElementTree import Element

from hatools.cib.document import children
from hatools.cib.nvpair import resolve
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.nvpairs import finder
from hatools.values.records import dataclass


class InvalidConstraint(Exception):
    """A constraint cannot be used; what is wrong was recorded as a finding."""


def find_constraint_resource(plan: Plan, identifier: str | None) -> Resource | None:
    """Find the resource that a constraint names; the name of an instance's history means its clone."""
    resource = plan.find_resource(identifier)
    if resource is not None and identifier is not None and resource.id.lower() != identifier.lower():
        return resource.top
    return resource


def required_resource(plan: Plan, where: str | None, identifier: str | None) -> Resource:
    """Find a resource that a set names.

    Raises:
        InvalidConstraint: there is no such resource.
    """
    resource = find_constraint_resource(plan, identifier)
    if resource is None:
        plan.say("error", f"{where}: No resource found for {identifier}")
        raise InvalidConstraint
    return resource


def find_instance(plan: Plan, constraint: str, resource: Resource, identifier: str, instance: str) -> Resource | None:
    """Find a numbered instance of a clone (deprecated)."""
    if not resource.is_clone or resource.clone_data is None:
        plan.say(
            "error",
            f"Ignoring constraint '{constraint}' because resource '{identifier}' is not a clone "
            f"but instance '{instance}' was requested",
        )
        return None
    wanted = f"{resource.clone_data.child_xml.get('id')}:{instance}"
    for child in resource.children:
        for each in child.descendants():
            if wanted in (each.id, each.history_id):
                return each
    plan.say(
        "warning",
        f"Ignoring constraint '{constraint}' because resource '{identifier}' does not have an instance '{instance}'",
    )
    return None


def find_tag(plan: Plan, identifier: str) -> list[str] | None:
    """Return the ids that a template or tag stands for; None if it stands for nothing."""
    for table, what in ((plan.templates, "derived from template"), (plan.tags, "tagged with")):
        if identifier in table:
            if not table[identifier]:
                plan.say("warning", f"No resource is {what} '{identifier}'")
                return None
            return table[identifier]
    plan.say("warning", f"No template or tag named '{identifier}'")
    return None


def is_resource_or_tag(plan: Plan, constraint: str, identifier: str) -> tuple[Resource | None, list[str] | None]:
    """Return the resource, or else the ids of the tag, that a constraint names.

    Raises:
        InvalidConstraint: the name is neither.
    """
    resource = find_constraint_resource(plan, identifier)
    if resource is not None:
        return resource, None
    references = find_tag(plan, identifier)
    if references is None:
        plan.say("error", f"Ignoring constraint '{constraint}' because '{identifier}' is not a valid resource or tag")
        raise InvalidConstraint
    return None, references


def _reference(identifier: str) -> Element:
    return Element("resource_ref", {"id": identifier})


def expand_tags_in_sets(plan: Plan, xml: Element) -> Element | None:
    """Return the constraint with tags in its sets replaced by what they stand for; None if there are none."""
    if next(children(xml, "resource_set"), None) is None:
        return None
    expanded = Element(xml.tag, dict(xml.attrib))
    any_tags = False
    for child in children(xml):
        if child.tag != "resource_set":
            expanded.append(child)
            continue
        copy = Element(child.tag, dict(child.attrib))
        for member in children(child):
            identifier = member.get("id") or ""
            if member.tag != "resource_ref" or find_constraint_resource(plan, identifier) is not None:
                copy.append(member)
                continue
            references = find_tag(plan, identifier)
            if references is None:
                plan.say(
                    "error",
                    f"Ignoring resource sets for constraint '{xml.get('id')}' because '{identifier}' "
                    "is not a valid resource or tag",
                )
                return None
            copy.extend(_reference(reference) for reference in references)
            any_tags = True
        expanded.append(copy)
    return expanded if any_tags else None


@dataclass(frozen=True, slots=True)
class Side:
    """One attribute of a constraint that may name a tag: the set that replaces it takes over ``moved``."""

    attribute: str
    moved: str
    becomes: str


def expand_tags(plan: Plan, xml: Element, sides: tuple[Side, ...], *, convert_resources: bool) -> Element:
    """Return the constraint with tags replaced by sets; the same element where there are none.

    Args:
        convert_resources: once one side is a set, single resources on other sides become sets, too.

    Raises:
        InvalidConstraint: something named is neither a resource nor a tag.
    """
    identifier = xml.get("id") or ""
    in_sets = expand_tags_in_sets(plan, xml)
    if in_sets is not None:
        return in_sets
    names = [xml.get(side.attribute) for side in sides]
    if any(name is None for name in names):
        return xml
    found = [is_resource_or_tag(plan, identifier, name or "") for name in names]
    if all(resource is not None for resource, _ in found):
        return xml
    if convert_resources and xml.tag == "rsc_colocation" and all(references for _, references in found):
        plan.say("error", f"Ignoring constraint '{identifier}' because two templates or tags cannot be colocated")
        raise InvalidConstraint
    expanded = Element(xml.tag, dict(xml.attrib))
    expanded.extend(children(xml))
    for side, name, (_, references) in zip(sides, names, found, strict=True):
        if references is None and not convert_resources:
            continue
        new_set = Element("resource_set", {"id": name or ""})
        new_set.extend(_reference(each) for each in (references if references is not None else [name or ""]))
        if references is not None:
            new_set.set("sequential", "false")
        moved = expanded.attrib.pop(side.moved, None)
        if moved is not None:
            new_set.set(side.becomes, moved)
        expanded.attrib.pop(side.attribute, None)
        expanded.append(new_set)
    return expanded


def resource_sets(plan: Plan, xml: Element) -> list[Element]:
    """Return the resource sets of a constraint, references to sets elsewhere resolved.

    Raises:
        InvalidConstraint: a reference leads nowhere.
    """
    found = []
    for each in children(xml, "resource_set"):
        target = resolve(each, finder(plan))
        if target is None:
            raise InvalidConstraint
        found.append(target)
    return found


def set_members(plan: Plan, where: str | None, resource_set: Element) -> list[Resource]:
    """Return the resources of a set.

    Raises:
        InvalidConstraint: one of them does not exist.
    """
    return [required_resource(plan, where, each.get("id")) for each in children(resource_set, "resource_ref")]
