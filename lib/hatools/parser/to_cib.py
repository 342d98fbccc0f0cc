"""From the syntax tree to the CIB's elements. Pure.

The elements have only the ids that the statement gives; :mod:`identities` adds the others.
A resource that contains others holds ``crmsh-ref`` elements in their place.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol, assert_never
from xml.etree.ElementTree import Element, SubElement

from hatools.parser import syntax

SET_TAGS = {
    "params": "instance_attributes",
    "attributes": "instance_attributes",
    "op_params": "instance_attributes",
    "meta": "meta_attributes",
    "op_meta": "meta_attributes",
    "utilization": "utilization",
}
CHILD_REFERENCE = "crmsh-ref"


class Surroundings(Protocol):
    """What a statement may refer to."""

    def resolve(self, word: str, reference: str) -> str:
        """Return the id that an ``$id-ref`` behind a word means: a set's own id, or its object's."""
        ...

    def node_names(self) -> Sequence[str]:
        """Return the names of all nodes."""
        ...


def to_cib(statement: syntax.Statement, surroundings: Surroundings) -> Element:
    """Return the element that a statement describes."""
    match statement:
        case syntax.Node():
            return _node(statement, surroundings)
        case syntax.Primitive():
            return _primitive(statement, surroundings)
        case syntax.Container():
            return _container(statement, surroundings)
        case syntax.Bundle():
            return _bundle(statement, surroundings)
        case syntax.Location():
            return _location(statement, surroundings)
        case syntax.Relation():
            return _relation(statement)
        case syntax.PropertySet():
            return _properties(statement, surroundings)
        case syntax.FencingTopology():
            return _fencing(statement, surroundings)
        case syntax.Tag():
            element = Element("tag", {"id": statement.id})
            for name in statement.objects:
                SubElement(element, "obj_ref", {"id": name})
            return element
        case syntax.AclRole():
            return _role(statement)
        case syntax.AclUser():
            return _user(statement)
        case syntax.AclTarget():
            element = Element(statement.word, {"id": statement.id})
            for name in statement.roles:
                SubElement(element, "role", {"id": name})
            return element
        case syntax.Alert():
            return _alert(statement, surroundings)
        case syntax.Monitor():
            return _monitor(statement)
        case syntax.XmlStatement():
            return statement.element
        case _:
            assert_never(statement)


def _set(element: Element, name: str, value: str | None) -> None:
    """Set an attribute unless it is missing or empty."""
    if value:
        element.set(name, value)


def pair_element(pair: syntax.NvPair) -> Element:
    """Return the nvpair of a pair."""
    element = Element("nvpair")
    if pair.ref is not None:
        element.set("id-ref", pair.ref)
        if pair.name is not None:
            element.set("name", pair.name)
        return element
    if pair.id is not None:
        element.set("id", pair.id)
    if pair.name is not None:
        element.set("name", pair.name)
    if pair.value is not None:
        element.set("value", pair.value)
    return element


def _attribute_set(block: syntax.AttributeSet, surroundings: Surroundings) -> Element:
    tag = SET_TAGS[block.word]
    element = Element(tag)
    if block.ref is not None:
        element.set("id-ref", surroundings.resolve(block.word, block.ref))
        return element
    _set(element, "id", block.id)
    _set(element, "score", block.score)
    element.extend(_rule(rule, surroundings) for rule in block.rules)
    element.extend(pair_element(pair) for pair in block.pairs)
    return element


def _rule(rule: syntax.Rule, surroundings: Surroundings) -> Element:
    element = Element("rule")
    if rule.ref is not None:
        element.set("id-ref", surroundings.resolve("rule", rule.ref))
        _set(element, "role", rule.role)
        return element
    if rule.id is not None:
        element.set("id", rule.id)
    _set(element, "role", rule.role)
    if rule.score is not None:
        element.set(rule.score.attribute, rule.score.value)
    if rule.boolean_op and rule.boolean_op.lower() != "and":
        element.set("boolean-op", rule.boolean_op)
    for expression in rule.expressions:
        element.append(_expression(expression))
    return element


def _expression(expression: syntax.Expression) -> Element:
    if isinstance(expression, syntax.DateExpression):
        element = Element("date_expression", {"operation": expression.operation})
        if expression.has_fields:
            tag = "duration" if expression.operation == "in_range" else "date_spec"
            SubElement(element, tag, dict(expression.fields))
        if expression.start is not None:
            element.set("start", expression.start)
        if expression.end is not None:
            element.set("end", expression.end)
        return element
    element = Element("expression", {"operation": expression.operation, "attribute": expression.attribute})
    _set(element, "type", expression.type)
    if expression.value is not None:
        element.set("value", expression.value)
    if expression.value_source is not None:
        element.set("value-source", expression.value_source)
    return element


def _node(statement: syntax.Node, surroundings: Surroundings) -> Element:
    element = Element("node")
    _set(element, "id", statement.id)
    element.set("uname", statement.uname)
    _set(element, "type", statement.type)
    _set(element, "description", statement.description)
    element.extend(_attribute_set(block, surroundings) for block in statement.sets)
    return element


def _primitive(statement: syntax.Primitive, surroundings: Surroundings) -> Element:
    element = Element("template" if statement.is_template else "primitive", {"id": statement.id})
    if statement.agent is not None:
        _set(element, "class", statement.agent.standard)
        _set(element, "provider", statement.agent.provider)
        _set(element, "type", statement.agent.type)
    elif statement.template is not None:
        element.set("template", statement.template)
    _set(element, "description", statement.description)
    for part in statement.parts:
        if isinstance(part, syntax.Operations):
            element.append(_operations(part, surroundings))
        else:
            element.append(_attribute_set(part, surroundings))
    return element


def _operations(part: syntax.Operations, surroundings: Surroundings) -> Element:
    element = Element("operations")
    if part.ref is not None:
        element.set("id-ref", surroundings.resolve("operations", part.ref))
    elif part.id is not None:
        element.set("id", part.id)
    for operation in part.operations:
        op = SubElement(element, "op", {"name": operation.name})
        for name, value in operation.attributes:
            op.set(name, value)
        if operation.loose:
            loose = SubElement(op, "instance_attributes")
            loose.extend(pair_element(pair) for pair in operation.loose)
        op.extend(_attribute_set(block, surroundings) for block in operation.sets)
    return element


def _container(statement: syntax.Container, surroundings: Surroundings) -> Element:
    element = Element({"ms": "master"}.get(statement.word, statement.word), {"id": statement.id})
    _set(element, "description", statement.description)
    element.extend(_attribute_set(block, surroundings) for block in statement.sets)
    for child in statement.children:
        SubElement(element, CHILD_REFERENCE, {"id": child})
    return element


def _bundle(statement: syntax.Bundle, surroundings: Surroundings) -> Element:
    element = Element("bundle", {"id": statement.id})
    _set(element, "description", statement.description)
    for part in statement.parts:
        if isinstance(part, syntax.AttributeSet):
            element.append(_attribute_set(part, surroundings))
            continue
        if isinstance(part, syntax.BundlePrimitive):
            SubElement(element, CHILD_REFERENCE, {"id": part.id})
            continue
        # A second block of a kind adds to the first, which moves to the end.
        inner = element.find(part.word)
        if inner is None:
            inner = Element(part.word)
        else:
            element.remove(inner)
        for name, value in part.attributes:
            inner.set(name, value)
        for tag, attributes in part.mappings:
            SubElement(inner, tag, dict(attributes))
        element.append(inner)
    return element


def _sets(sets: Iterable[syntax.ResourceSet], qualifier_name: str) -> Iterable[Element]:
    for resource_set in sets:
        element = Element("resource_set")
        for member in resource_set.members:
            SubElement(element, "resource_ref", {"id": member})
        if not resource_set.require_all:
            element.set("require-all", "false")
        if not resource_set.sequential:
            element.set("sequential", "false")
        if resource_set.qualifier:
            element.set(qualifier_name, resource_set.qualifier)
        yield element


def _location(statement: syntax.Location, surroundings: Surroundings) -> Element:
    element = Element("rsc_location", {"id": statement.id})
    if statement.pattern is not None:
        element.set("rsc-pattern", statement.pattern)
    elif statement.resource is not None:
        element.set("rsc", statement.resource)
    else:
        element.extend(_sets(statement.sets, "role"))
    for name, value in statement.attributes:
        element.set(name, value)
    if statement.score is not None:
        element.set(statement.score.attribute, statement.score.value)
        element.set("node", statement.node or "")
        _set(element, "role", statement.late_role)
    element.extend(_rule(rule, surroundings) for rule in statement.rules)
    return element


def _relation(statement: syntax.Relation) -> Element:
    element = Element(
        {"colocation": "rsc_colocation", "order": "rsc_order"}.get(statement.word, statement.word),
        {"id": statement.id},
    )
    if statement.score is not None:
        element.set(statement.score.attribute, statement.score.value)
    if statement.ticket is not None:
        element.set("ticket", statement.ticket)
    if statement.option is not None:
        element.set(*statement.option)
    names = ("first", "then") if statement.word == "order" else ("rsc", "with-rsc")
    for name, reference in zip(names, statement.references, strict=False):
        element.set(name, reference.resource)
        if reference.qualifier and reference.kind:
            element.set(f"{name}-{reference.kind}", reference.qualifier)
    element.extend(_sets(statement.sets, "action" if statement.word == "order" else "role"))
    return element


def _properties(statement: syntax.PropertySet, surroundings: Surroundings) -> Element:
    if statement.word == "property":
        root = values = Element("cluster_property_set")
    else:
        root = Element(statement.word)
        values = SubElement(root, "meta_attributes")
    if statement.id is not None:
        values.set("id", statement.id)
    elif statement.ref is not None:
        values.set("id-ref", surroundings.resolve(values.tag, statement.ref))
    for part in statement.parts:
        values.append(_rule(part, surroundings) if isinstance(part, syntax.Rule) else pair_element(part))
    return root


def _fencing(statement: syntax.FencingTopology, surroundings: Surroundings) -> Element:
    levels: list[tuple[syntax.FencingTarget, str]] = []
    if statement.levels and statement.levels[0][0] is None:
        for name in surroundings.node_names():
            levels += [(syntax.FencingTarget(node=name), devices) for _, devices in statement.levels]
    else:
        levels = [(target, devices) for target, devices in statement.levels if target is not None]
    element = Element("fencing-topology")
    counts: dict[str, int] = {}
    for target, devices in levels:
        key = target.node or target.pattern or target.attribute or ""
        counts[key] = counts.get(key, 0) + 1
        level = SubElement(element, "fencing-level")
        _set(level, "target", target.node)
        level.set("index", str(counts[key]))
        level.set("devices", devices)
        _set(level, "target-pattern", target.pattern)
        _set(level, "target-attribute", target.attribute)
        _set(level, "target-value", target.value)
    return element


def _permission(permission: syntax.AclPermission) -> Element:
    element = Element("acl_permission", {"kind": permission.kind})
    _set(element, "id", permission.id)
    _set(element, "description", permission.description)
    for name, value in permission.attributes:
        element.set(name, value)
    return element


def _old_rule(permission: syntax.AclPermission) -> Element:
    return Element(permission.kind, dict(permission.attributes))


def _role(statement: syntax.AclRole) -> Element:
    element = Element("acl_role", {"id": statement.id})
    _set(element, "description", statement.description)
    translate = _old_rule if statement.is_old else _permission
    element.extend(translate(permission) for permission in statement.permissions)
    return element


def _user(statement: syntax.AclUser) -> Element:
    element = Element("acl_user", {"id": statement.id})
    for entry in statement.entries:
        if isinstance(entry, str):
            SubElement(element, "role_ref", {"id": entry})
        else:
            element.append(_old_rule(entry))
    return element


def _alert(statement: syntax.Alert, surroundings: Surroundings) -> Element:
    element = Element("alert", {"id": statement.id, "path": statement.path})
    if statement.description is not None:
        element.set("description", statement.description)
    number = 0
    for part in statement.parts:
        match part:
            case syntax.AttributeSet():
                element.append(_attribute_set(part, surroundings))
            case syntax.AlertSelect():
                select = SubElement(element, "select")
                for kind, names in part.kinds:
                    chosen = SubElement(select, f"select_{kind}")
                    for name in names:
                        SubElement(chosen, "attribute", {"name": name})
            case syntax.Recipient():
                number += 1
                recipient = SubElement(
                    element, "recipient", {"id": f"{statement.id}-recipient-{number}", "value": part.value}
                )
                if part.description is not None:
                    recipient.set("description", part.description)
                recipient.extend(_attribute_set(block, surroundings) for block in part.sets)
            case _:
                assert_never(part)
    return element


def _monitor(statement: syntax.Monitor) -> Element:
    element = Element("op", {"name": "monitor"})
    if statement.kind and statement.qualifier:
        element.set(statement.kind, statement.qualifier)
    element.set("rsc", statement.resource)
    _set(element, "interval", statement.interval)
    _set(element, "timeout", statement.timeout)
    return element
