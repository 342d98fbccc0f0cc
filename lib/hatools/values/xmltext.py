"""Attribute values as Pacemaker writes them into XML text. Pure.

Pacemaker does not leave this to its XML library: control characters become octal escapes and
line ends ``\\n``, and a multi-byte character ends all escaping behind it. Digests are computed
over this text, so it has to be reproduced exactly.
"""

import re

_SPECIAL = {
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&apos;",
    "&": "&amp;",
    "\t": "    ",
    "\n": "\\n",
    "\r": "\\r",
}
_NEEDS_ESCAPE = re.compile(r"[<>\"'&\t\n\r\x00-\x1f\x7f]|[^\x00-\x7f]")


def escape_attribute(value: str) -> str:
    """Escape an attribute's value the way Pacemaker 2 does."""
    if _NEEDS_ESCAPE.search(value) is None:
        return value
    parts: list[str] = []
    for position, character in enumerate(value):
        if character > "\x7f":
            parts.append(value[position:])
            break
        if character in _SPECIAL:
            parts.append(_SPECIAL[character])
        elif character < " " or character > "~":
            parts.append(f"\\{ord(character):03o}")
        else:
            parts.append(character)
    return "".join(parts)
