"""Operations of primitives. Pure."""

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement

from hatools.cib.document import children
from hatools.parser.identities import IdStore
from hatools.shell.changeset.merging import add_comments, comments_of, is_comment
from hatools.shell.changeset.objects import CibObject
from hatools.values.duration import parse_duration_ms

if TYPE_CHECKING:
    from hatools.shell.changeset.workspace import Workspace


def interval_ms(text: str | None) -> int:
    """Return an interval in milliseconds, -1 if it is none."""
    value = parse_duration_ms(text)
    return -1 if value is None else value


def find_operation(primitive: Element, name: str, interval: str | None = None) -> Element | None:
    """Return an operation by name and interval.

    Without an interval, return the only operation of that name, or the one with interval 0.
    """
    named = [
        operation
        for block in children(primitive, "operations")
        for operation in children(block, "op")
        if operation.get("name") == name
    ]
    if interval is None and len(named) == 1:
        return named[0]
    wanted = interval_ms(interval or "0")
    return next((operation for operation in named if interval_ms(operation.get("interval")) == wanted), None)


def all_operations(primitive: Element) -> list[Element]:
    """Return a primitive's operations."""
    return [operation for block in children(primitive, "operations") for operation in children(block, "op")]


def add_operation(workspace: "Workspace", item: CibObject, operation: Element) -> CibObject | None:
    """Add an operation to a primitive unless it has one at that interval."""
    name, interval = operation.get("name") or "", operation.get("interval")
    if find_operation(item.node, name, interval) is not None:
        workspace.messages.error(f"{item.id} already has a {name} op with interval {interval}")
        return None
    if "id" not in operation.attrib:
        operation.set("id", workspace.ids.create(operation, item.id or ""))
    known = workspace.reader.dialect.op_attributes
    extra = {key: value for key, value in operation.items() if key not in known}
    for key in extra:
        del operation.attrib[key]
    if extra:
        _add_parameters(operation, extra, workspace.ids)
    append_operation(item, operation)
    remarks = comments_of(operation)
    for child in [child for child in operation if is_comment(child)]:
        operation.remove(child)
    add_comments(item.node, remarks)
    item.touch()
    return item


def append_operation(item: CibObject, operation: Element) -> None:
    """Put an operation behind the others."""
    block = item.node.find("operations")
    if block is None:
        block = SubElement(item.node, "operations")
    block.append(operation)


def _add_parameters(operation: Element, values: dict[str, str], ids: IdStore) -> None:
    block = operation.find("instance_attributes")
    if block is None:
        block = SubElement(operation, "instance_attributes")
        block.set("id", ids.create(block, operation.get("id") or ""))
    for name, value in values.items():
        pair = SubElement(block, "nvpair", {"name": name, "value": value})
        pair.set("id", ids.create(pair, block.get("id") or ""))


def rewrite_operation(
    workspace: "Workspace", item: CibObject, operation: Element, changes: dict[str, str | None]
) -> Element:
    """Change attributes and parameters of an operation (None removes); it moves behind the others.

    What the schema does not know as an attribute of operations becomes a parameter.
    """
    values: dict[str, str] = {key: value for key, value in operation.items() if key != "id"}
    for block in children(operation, "instance_attributes"):
        for pair in children(block, "nvpair"):
            name, value = pair.get("name"), pair.get("value")
            if name is not None and value is not None:
                values[name] = value
    for key, new in changes.items():
        if new is None:
            values.pop(key, None)
        else:
            values[key] = new
    for block in children(item.node, "operations"):
        if any(child is operation for child in block):
            block.remove(operation)
    workspace.ids.remove_tree(operation)
    known = workspace.reader.dialect.op_attributes
    rewritten = Element("op", {key: value for key, value in values.items() if key in known})
    rewritten.set("id", workspace.ids.create(rewritten, item.id or ""))
    parameters = {key: value for key, value in values.items() if key not in known}
    if parameters:
        _add_parameters(rewritten, parameters, workspace.ids)
    append_operation(item, rewritten)
    item.touch()
    return rewritten


def delete_operation(workspace: "Workspace", item: CibObject, operation: Element) -> None:
    """Remove an operation, and the block around it if it was the last."""
    for block in list(children(item.node, "operations")):
        if any(child is operation for child in block):
            block.remove(operation)
            workspace.ids.remove_tree(operation)
            if not len(block):
                item.node.remove(block)
            item.touch()
            return


def is_dummy(operation: Element) -> bool:
    """Say whether an operation says nothing but its name at interval 0."""
    names = set(operation.attrib)
    return not len(operation) and interval_ms(operation.get("interval")) == 0 and names == {"id", "name", "interval"}
