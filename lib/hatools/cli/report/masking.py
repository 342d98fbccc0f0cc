"""Keeping secrets out of reports. Pure."""

import re

MASK = "******"

_TAG = re.compile(r"<[^<>]*>")
_NAME = re.compile(r'\bname="([^"]*)"')
_VALUE = re.compile(r'(\bvalue=")[^"]*(")')
_ASSIGNMENT = re.compile(r"""\b([A-Za-z_][\w.-]*)(\s*[=:]\s*)([^\s,;"'<>]+)""")


class Masker:
    """Hides the values of variables whose names match one of the patterns, in XML and in ``name=value`` lines."""

    def __init__(self, patterns: list[str]) -> None:
        """Compile the patterns.

        Raises:
            re.error: one is no regular expression.
        """
        self._secret = re.compile("|".join(f"(?:{pattern})" for pattern in patterns))

    def mask(self, text: str) -> str:
        """Return the text with every such value replaced."""
        return _ASSIGNMENT.sub(self._in_line, _TAG.sub(self._in_tag, text))

    def _in_tag(self, match: re.Match[str]) -> str:
        tag = match[0]
        name = _NAME.search(tag)
        if name is None or self._secret.fullmatch(name[1]) is None:
            return tag
        return _VALUE.sub(rf"\g<1>{MASK}\g<2>", tag)

    def _in_line(self, match: re.Match[str]) -> str:
        if self._secret.fullmatch(match[1]) is None:
            return match[0]
        return f"{match[1]}{match[2]}{MASK}"
