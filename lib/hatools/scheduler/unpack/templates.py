"""Resource templates, and tags. Pure."""

from xml.etree.ElementTree import Element

from hatools.cib.document import children
from hatools.scheduler.plan import Plan


def _operation_identity(operation: Element) -> str:
    role = operation.get("role")
    if role is None or role.lower() in ("started", "unpromoted", "slave"):
        role = "Unknown"
    return f"{operation.get('name')}-{role}"


def expand_template(plan: Plan, xml: Element) -> Element | None:
    """Return the resource with what its template adds; None if the template cannot be used."""
    reference = xml.get("template")
    if reference is None:
        return xml
    identifier = xml.get("id") or ""
    if reference == identifier:
        plan.config_error(f"The resource object '{identifier}' should not reference itself")
        return None
    templates = children(plan.document.section("resources"), "template")
    template = next((each for each in templates if each.get("id") == reference), None)
    if template is None:
        plan.config_error(f"No template named '{reference}'")
        return None
    expanded = Element(xml.tag, {**template.attrib, "id": identifier})
    if "clone" in xml.attrib:
        expanded.set("clone", xml.attrib["clone"])
    inherited = next(children(template, "operations"), None)
    own = next(children(xml, "operations"), None)
    for child in children(template):
        if not (child is inherited and own is not None):
            expanded.append(child)
    for child in children(xml):
        if child is own and inherited is not None:
            merged = Element("operations", dict(child.attrib))
            merged.extend(children(child))
            known = {_operation_identity(operation) for operation in children(child)}
            merged.extend(op for op in children(inherited) if _operation_identity(op) not in known)
            expanded.append(merged)
        else:
            expanded.append(child)
    return expanded


def add_tag_reference(tags: dict[str, list[str]], tag: str, reference: str) -> None:
    """Add an id to a tag, once."""
    references = tags.setdefault(tag, [])
    if reference not in references:
        references.append(reference)


def unpack_tags(plan: Plan) -> None:
    """Read the ``tags`` section."""
    for tag in children(plan.document.section("tags"), "tag"):
        identifier = tag.get("id")
        if identifier is None:
            plan.config_error("Ignoring <tag> without id")
            continue
        for reference in children(tag, "obj_ref"):
            target = reference.get("id")
            if target is None:
                plan.config_error(f"Ignoring <obj_ref> for tag '{identifier}' without id")
            else:
                add_tag_reference(plan.tags, identifier, target)
