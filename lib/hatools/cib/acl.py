"""Access control lists: what of the CIB a user may see and change. Pure.

Permissions are attached to the elements that their XPath (or tag, reference, attribute) matches; the nearest element
upwards that has any decides, and ``deny`` beats the others on the same element. Nothing is allowed by default. Lists
bind only when the option ``enable-acl`` is true, and never root and hacluster.
"""

from collections.abc import Iterator
from enum import Flag

from hatools.cib.document import Document, Element, children
from hatools.cib.draft import Trail
from hatools.cib.patchset import create_patch, locate
from hatools.cib.xpath import path_of, select
from hatools.values.boolean import is_true
from hatools.values.errors import NoPermissionsError, PermissionRefusedError
from hatools.values.records import dataclass

PRIVILEGED = frozenset({"", "root", "hacluster"})


class Access(Flag):
    """What permissions say about one element."""

    NONE = 0
    READ = 1
    WRITE = 2
    DENY = 4


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose permissions count: a user name (empty: nobody in particular, all is allowed) and its groups."""

    user: str = ""
    groups: tuple[str, ...] = ()

    @property
    def is_privileged(self) -> bool:
        return self.user in PRIVILEGED


@dataclass(frozen=True, slots=True)
class Permission:
    """One entry of a list."""

    access: Access
    xpath: str


def acls_enabled(document: Document) -> bool:
    """Say whether the cluster option ``enable-acl`` is on."""
    value = None
    for properties in children(document.section("crm_config"), "cluster_property_set"):
        for pair in children(properties, "nvpair"):
            if pair.get("name") == "enable-acl":
                if properties.get("id") == "cib-bootstrap-options":
                    return is_true(pair.get("value"))
                value = pair.get("value") if value is None else value
    return is_true(value)


def is_bound(document: Document, subject: Subject) -> bool:
    """Say whether lists limit what this user may do."""
    return not subject.is_privileged and acls_enabled(document)


def permissions_of(document: Document, subject: Subject) -> list[Permission]:
    """Return the permissions of a user and its groups, in the order of the CIB."""
    acls = document.section("acls")
    found: list[Permission] = []
    for entry in children(acls):
        name = entry.get("name", entry.get("id"))
        is_user = entry.tag in ("acl_target", "acl_user") and name == subject.user
        if is_user or (entry.tag == "acl_group" and name in subject.groups):
            found.extend(_permissions(acls, entry))
    return found


def _permissions(acls: Element | None, entry: Element) -> Iterator[Permission]:
    for child in children(entry):
        kind = child.get("kind", "") if child.tag == "acl_permission" else child.tag
        if kind in ("role", "role_ref"):
            role = next((role for role in children(acls, "acl_role") if role.get("id") == child.get("id")), None)
            if role is not None:
                yield from _permissions(acls, role)
        elif kind in _KINDS and (xpath := _xpath_of(child)):
            yield Permission(_KINDS[kind], xpath)


_KINDS = {"read": Access.READ, "write": Access.WRITE, "deny": Access.DENY}


def _xpath_of(permission: Element) -> str:
    xpath = permission.get("xpath")
    if xpath:
        return xpath
    tag = permission.get("object-type", permission.get("tag"))
    reference = permission.get("reference", permission.get("ref"))
    if tag is None and reference is None:
        return ""
    tests = [] if reference is None else [f"@id='{reference}'"]
    if permission.get("attribute") is not None:
        tests.append(f"@{permission.get('attribute')}")
    return f"//{tag or '*'}" + (f"[{' and '.join(tests)}]" if tests else "")


class Permissions:
    """What a user's permissions say about the elements of one tree."""

    def __init__(self, root: Element, permissions: list[Permission]) -> None:
        self._marks: dict[int, Access] = {}
        for permission in permissions:
            for trail in select(root, permission.xpath):
                key = id(trail[-1])
                self._marks[key] = self._marks.get(key, Access.NONE) | permission.access

    def own(self, element: Element) -> Access:
        """Return what is said about the element itself."""
        return self._marks.get(id(element), Access.NONE)

    def may_write(self, trail: Trail) -> bool:
        """Say whether an element may be changed: the nearest permission upwards that denies or lets write decides."""
        for element in reversed(trail):
            mark = self.own(element)
            if Access.DENY in mark:
                return False
            if Access.WRITE in mark:
                return True
        return False


def readable_part(document: Document, subject: Subject) -> Document:
    """Return the CIB as a user may see it.

    Raises:
        PermissionRefusedError: nothing of it.
    """
    if not is_bound(document, subject):
        return document
    permissions = Permissions(document.root, permissions_of(document, subject))
    visible = _visible(document.root, permissions, False)
    if visible is None:
        raise PermissionRefusedError(f"user {subject.user} may not read the CIB")
    return Document(visible)


def _visible(element: Element, permissions: Permissions, readable: bool) -> Element | None:
    """Return what may be seen of an element: of one that is not readable only the way to what is."""
    mark = permissions.own(element)
    if Access.DENY in mark:
        readable = False
    elif mark:
        readable = True
    kept = []
    for child in element:
        if not isinstance(child.tag, str):
            if readable:
                kept.append(child)
        elif (part := _visible(child, permissions, readable)) is not None:
            kept.append(part)
    if not readable and not kept:
        return None
    attributes = {name: value for name, value in element.items() if readable or name == "id"}
    visible = Element(element.tag, attributes)
    visible.extend(kept)
    return visible


def require_permission(old: Document, new: Document, subject: Subject) -> None:
    """Refuse a change that a user may not make.

    Raises:
        PermissionRefusedError: naming the first thing that may not be changed.
    """
    if not is_bound(old, subject):
        return
    patch = create_patch(old.root, new.root, attribute_order=False)
    if patch is None:
        return
    listed = permissions_of(old, subject)
    if not listed:
        raise NoPermissionsError(f"user {subject.user} has no permissions in the CIB")
    before = Permissions(old.root, listed)
    after = Permissions(new.root, listed)
    for change in children(patch, "change"):
        path = change.get("path", "")
        operation = change.get("operation")
        if operation == "create":
            parent = locate(new.root, path)
            position = int(change.get("position", "0"))
            if parent is not None and not _may_create((*parent, parent[-1][position]), after):
                _refuse(subject, "create something in", path)
        elif operation in ("modify", "delete"):
            trail = locate(old.root, path)
            if trail is not None and not before.may_write(trail):
                _refuse(subject, operation, path)


def _refuse(subject: Subject, what: str, path: str) -> None:
    raise PermissionRefusedError(f"user {subject.user} may not {what} {path}")


def _may_create(trail: Trail, permissions: Permissions) -> bool:
    """Say whether an element with all below it may be created; one with an id alone is mere scaffolding."""
    element = trail[-1]
    if not isinstance(element.tag, str):
        return True
    scaffolding = all(name == "id" for name in element.attrib) and "/acls/" not in path_of(trail)
    if not scaffolding and not permissions.may_write(trail):
        return False
    return all(_may_create((*trail, child), permissions) for child in element)
