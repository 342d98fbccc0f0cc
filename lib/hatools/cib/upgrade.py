"""Taking a CIB to a newer schema. Pure.

Most steps only change the name: what was valid stays so. Two need rewriting: from 1.3 to 2.0 the access control lists
take another form, from 2.10 to 3.0 (``upgrade_options``) names that had been superseded for years give way.
"""

from collections.abc import Callable

from hatools.cib.document import Element, children, copy_element
from hatools.cib.schema import ATTRIBUTE, LATEST, SCHEMAS, is_valid, schema_index
from hatools.cib.upgrade_options import upgrade_from_2_10
from hatools.values.errors import SchemaError, SchemaUnchangedError


def upgrade(root: Element, limit: str = "") -> Element:
    """Return a CIB at the newest schema that it can be taken to, not beyond ``limit``.

    Raises:
        SchemaUnchangedError: it is at the newest already.
        SchemaError: it satisfies no schema from the one it names on.
    """
    upgraded, _ = upgrade_with_notes(root, limit)
    return upgraded


def upgrade_with_notes(root: Element, limit: str = "") -> tuple[Element, list[str]]:
    """Do what :func:`upgrade` does and return also what the rewriting has to say to the user."""
    start = schema_index(root.get(ATTRIBUTE, "")) if root.get(ATTRIBUTE) is not None else 0
    newest = schema_index(LATEST)
    if start >= newest:
        raise SchemaUnchangedError(f"the CIB is at schema {root.get(ATTRIBUTE)} already")
    last = min(newest, schema_index(limit)) if limit else newest
    notes: list[str] = []
    best = -1
    index = max(start, 0)
    while index <= last:
        if not is_valid(root, SCHEMAS[index]):
            if best >= 0:
                break
            index += 1
            continue
        best = index
        if index == last:
            break
        rewrite = _REWRITES.get(SCHEMAS[index])
        if rewrite is not None and not is_valid(root, SCHEMAS[index + 1]):
            rewritten, said = rewrite(root)
            if not is_valid(rewritten, SCHEMAS[index + 1]):
                break
            root = rewritten
            notes += said
        index += 1
    if best < 0:
        raise SchemaError(
            f"the CIB satisfies no schema from {root.get(ATTRIBUTE, SCHEMAS[0])} on: repair what crm_verify shows first"
        )
    if best <= start:
        raise SchemaUnchangedError(f"the CIB cannot be taken beyond schema {SCHEMAS[best]}")
    upgraded = copy_element(root)
    upgraded.set(ATTRIBUTE, SCHEMAS[best])
    return upgraded, notes


def upgrade_from_1_3(root: Element) -> tuple[Element, list[str]]:
    """Turn lists of users with read, write and deny into targets, roles and permissions."""
    notes: list[str] = []
    result = _rebuild(root, lambda element: _new_acls(element, notes))
    result.set(ATTRIBUTE, "pacemaker-2.0")
    return result, notes


def _rebuild(element: Element, change: Callable[[Element], list[Element]]) -> Element:
    copy = Element(element.tag, dict(element.attrib))
    copy.text = element.text
    for child in element:
        if isinstance(child.tag, str):
            copy.extend(change(_rebuild(child, change)))
        else:
            copy.append(child)
    return copy


def _new_acls(element: Element, notes: list[str]) -> list[Element]:
    match element.tag:
        case "role_ref":
            element.tag = "role"
        case "read" | "write" | "deny":
            return [_new_permission(element, notes)]
        case "acl_user":
            return _new_target(element)
    return [element]


def _new_permission(old: Element, notes: list[str]) -> Element:
    permission = Element("acl_permission", {"id": old.get("id", ""), "kind": old.tag})
    attribute = old.get("attribute")
    if old.get("ref") is not None:
        permission.set("reference", old.get("ref", ""))
        if attribute is not None:
            notes.append("ACLs: @attribute cannot accompany @ref for upgrade-1.3.xsl purposes, ignoring")
    elif old.get("tag") is not None:
        permission.set("object-type", old.get("tag", ""))
        if attribute is not None:
            notes.append("ACLs: @attribute (with @tag) handling generalized a bit for upgrade-1.3.xsl purposes")
            permission.set("attribute", attribute)
    elif attribute is not None:
        notes.append("ACLs: @attribute (with @xpath) handling generalized a bit for upgrade-1.3.xsl purposes")
        permission.set("xpath", f"{old.get('xpath')}[@{attribute}]")
    else:
        permission.set("xpath", old.get("xpath", ""))
    return permission


def _new_target(user: Element) -> list[Element]:
    """A user with roles becomes a target; one with permissions a target and a role made for it."""
    target = Element("acl_target", dict(user.attrib))
    if any(child.tag == "role" for child in children(user)):
        target.extend(user)
        return [target]
    permissions = list(children(user, "acl_permission"))
    if not permissions:
        return [target]
    name = f"auto-{user.get('id')}"
    target.append(Element("role", {"id": name}))
    role = Element("acl_role", {"id": name})
    role.extend(permissions)
    return [target, role]


_REWRITES: dict[str, Callable[[Element], tuple[Element, list[str]]]] = {
    "pacemaker-1.3": upgrade_from_1_3,
    "pacemaker-2.10": upgrade_from_2_10,
}
