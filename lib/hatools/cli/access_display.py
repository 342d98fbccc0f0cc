"""A CIB with what a user may do with each part of it (``cibadmin --show-access``). Pure.

The layout is Pacemaker's: ``text`` puts a marker line before an element whose access differs from the one around it,
``color`` paints every tag, ``namespace`` puts the access in the element's prefix.
"""

from hatools.cib.acl import Access, Permissions, Subject, permissions_of
from hatools.cib.document import Document, Element
from hatools.cib.schema import schema_index
from hatools.values.errors import HatoolsError, InputError, SchemaError
from hatools.values.records import dataclass

_NAMESPACE = "http://clusterlabs.org/ns/pacemaker/access/"


@dataclass(frozen=True, slots=True)
class _Style:
    """How writable, readable and denied parts are marked, and what ends a mark."""

    marks: dict[str, str]
    reset: str = ""
    on_own_line: bool = False
    is_prefix: bool = False


_STYLES = {
    "text": _Style(
        {
            "writable": "vvv---[ WRITABLE ]---vvv",
            "readable": "vvv---[ READABLE ]---vvv",
            "denied": "vvv---[ ~DENIED~ ]---vvv",
        },
        on_own_line=True,
    ),
    "color": _Style({"writable": "\x1b[32m", "readable": "\x1b[34m", "denied": "\x1b[31m"}, reset="\x1b[0m"),
    "namespace": _Style({name: f"pcmk-access-{name}:" for name in ("writable", "readable", "denied")}, is_prefix=True),
}


class AlreadyAllowedError(HatoolsError):
    """The user may do everything anyway."""

    system_text = "Already in requested state"


def render_access(root: Element, user: str, style: str) -> str:
    """Return the text.

    Raises:
        AlreadyAllowedError: lists do not bind this user.
        SchemaError: the CIB is of a schema before 2.0.
    """
    if any(character in user for character in "<>&"):
        error = InputError(f"{user} is no user name")
        error.system_text = "Invalid argument"
        raise error
    subject = Subject(user)
    if subject.is_privileged:
        raise AlreadyAllowedError(f"{user} may do everything")
    if schema_index(root.get("validate-with")) < schema_index("pacemaker-2.0"):
        raise SchemaError("access can be shown from schema 2.0 on")
    from hatools.ipc.clients.accounts import groups_of

    subject = Subject(user, groups_of(user))
    renderer = _Renderer(_STYLES[style], Permissions(root, permissions_of(Document(root), subject)))
    return f"<!-- ACLs as evaluated for user {user} -->\n{renderer.render(root)}"


class _Renderer:
    def __init__(self, style: _Style, permissions: Permissions) -> None:
        self._style = style
        self._permissions = permissions

    def render(self, root: Element) -> str:
        parts: list[str] = []
        namespaces = "".join(
            f' xmlns:{mark.rstrip(":")}="{_NAMESPACE}{name}"'
            for name, mark in self._style.marks.items()
            if self._style.is_prefix and name in self._used(root, "denied")
        )
        self._element(root, "", "denied", 0, namespaces, parts)
        return "".join(parts)

    def _used(self, element: Element, above: str) -> set[str]:
        access = self._access(element, above)
        used = {access}
        for child in element:
            if isinstance(child.tag, str):
                used |= self._used(child, access)
        return used

    def _access(self, element: Element, above: str) -> str:
        """Return the access to an element: its own permissions decide, without any those around it."""
        own = self._permissions.own(element)
        if Access.DENY in own:
            return "denied"
        if Access.WRITE in own:
            return "writable"
        if Access.READ in own:
            # What may be read here may still be written by a permission further up.
            return "writable" if above == "writable" else "readable"
        return above

    def _element(self, element: Element, shown: str, above: str, depth: int, namespaces: str, parts: list[str]) -> None:
        style = self._style
        access = self._access(element, above)
        mark = style.marks[access] if access != shown or style.reset else ""
        space = "\n" + "  " * depth
        if style.is_prefix:
            parts.append(f"<{mark}{element.tag}")
        elif style.on_own_line and mark:
            parts.append(f"{space if depth else ''}{mark}{space}<{element.tag}")
        else:
            parts.append(f"{mark}<{element.tag}")
        parts.extend(f' {name}="{value}"' for name, value in element.items())
        parts.append(namespaces)
        if len(element):
            parts.append(">")
            for child in element:
                parts.append("\n" + "  " * (depth + 1))
                if isinstance(child.tag, str):
                    self._element(child, access, access, depth + 1, "", parts)
                else:
                    parts.append(f"<!-- {child.text or ''} -->\n")
            parts.append(space)
            closing = mark if style.is_prefix else ""
            parts.append(f"{'' if style.on_own_line or style.is_prefix else mark}</{closing}{element.tag}>")
        else:
            parts.append("/>")
        parts.append(style.reset)
