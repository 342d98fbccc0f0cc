"""What a command says, in the format that was asked for. I/O.

A command reports facts through one :class:`Output`: lists and items, plain information, errors, and whatever else it
has by a message function that matches on the class of the output. Text goes out at once; XML is collected and written
by :meth:`Output.finish` inside ``<pacemaker-result>``, with the errors in ``<status>``. Further formats (HTML, JSON)
register themselves with :func:`register_format` from the module that needs them.
"""

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from hatools.values.exitcode import exit_text

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = [
    "API_VERSION",
    "CData",
    "Output",
    "OutputError",
    "TextOutput",
    "XmlOutput",
    "format_result_xml",
    "open_output",
    "quote_command_line",
    "register_format",
]

API_VERSION = "2.25"
"""Version of the XML output's schema."""


class OutputError(Exception):
    """The output cannot be opened; the text is the original's."""


class CData(str):
    """Text of an element that is written as a CDATA section."""

    __slots__ = ()


class Output:
    """The interface all formats share. ``quiet`` suppresses information in text."""

    format = ""

    def __init__(self, dest: TextIO, request: Sequence[str] = (), fancy: bool = False) -> None:
        self.dest = dest
        self.request = list(request)
        self.fancy = fancy
        self.quiet = False

    def begin_list(self, singular: str | None, plural: str | None, title: str | None) -> None:
        """Open a list; with nouns, its end says how many items were found."""

    def list_item(self, text: str, name: str | None = None) -> None:
        """Add an item to the open list."""

    def increment_list(self) -> None:
        """Count one item that a message function wrote itself."""

    def end_list(self) -> None:
        """Close the list opened last."""

    def info(self, text: str) -> None:
        """Tell a person something that is no result (nothing in XML, nothing when quiet)."""

    def error(self, text: str) -> None:
        """Report an error; several make several lines."""

    def spacer(self) -> None:
        """Leave an empty line between blocks of text."""

    def version(self, program: str, version: str, authors: str, features: str) -> None:
        """Answer ``--version``."""

    def xml(self, name: str, text: str) -> None:
        """Give out a piece of XML as text (an agent's metadata, a resource's configuration)."""

    def subprocess(self, code: int, stdout: str, stderr: str) -> None:
        """Show what an external program printed."""

    def finish(self, code: int, message: str | None = None) -> int:
        """Write what is still held back, with the exit status; return it."""
        return code


class TextOutput(Output):
    """For people and for the many scripts that read the same text."""

    format = "text"

    def __init__(self, dest: TextIO, request: Sequence[str] = (), fancy: bool = False) -> None:
        super().__init__(dest, request, fancy)
        self._lists: list[tuple[str | None, str | None, int]] = []

    @property
    def depth(self) -> int:
        """How many lists are open."""
        return len(self._lists)

    def line(self, text: str, *, bullet: bool = True) -> None:
        """Write a line, in fancy text indented and with a bullet below a list's title."""
        self.dest.write(f"{self._lead() if bullet else ''}{text}\n")

    def _lead(self) -> str:
        level = len(self._lists)
        return "  " * level + "* " if self.fancy and level else ""

    def begin_list(self, singular: str | None, plural: str | None, title: str | None) -> None:
        if self.fancy and title is not None:
            self.line(f"{title}:")
        self._lists.append((singular, plural, 0))

    def list_item(self, text: str, name: str | None = None) -> None:
        self.line(f"{name}: {text}" if self.fancy and name is not None else text)
        self.increment_list()

    def increment_list(self) -> None:
        if self._lists:
            singular, plural, count = self._lists[-1]
            self._lists[-1] = (singular, plural, count + 1)

    def end_list(self) -> None:
        singular, plural, count = self._lists[-1]
        if singular is not None or plural is not None:
            self.line(f"{count} {singular if count == 1 else plural} found")
        self._lists.pop()

    def info(self, text: str) -> None:
        if not self.quiet:
            self.line(text)

    def error(self, text: str) -> None:
        self.dest.flush()
        print(text, file=sys.stderr, flush=True)

    def spacer(self) -> None:
        self.dest.write("\n")

    def version(self, program: str, version: str, authors: str, features: str) -> None:
        self.dest.write(f"{program} {version}\nWritten by {authors}\n")

    def xml(self, name: str, text: str) -> None:
        self.dest.write(text)

    def subprocess(self, code: int, stdout: str, stderr: str) -> None:
        for text in (stdout, stderr):
            if text:
                self.dest.write(f"{text}\n")

    def finish(self, code: int, message: str | None = None) -> int:
        self.dest.flush()
        return code


class XmlOutput(Output):
    """For programs. ``parent`` is the element that messages add to; push and pop nest them."""

    format = "xml"

    def __init__(self, dest: TextIO, request: Sequence[str] = (), fancy: bool = False) -> None:
        super().__init__(dest, request, fancy)
        from xml.etree.ElementTree import Element

        attributes = {"api-version": API_VERSION}
        if self.request:
            attributes["request"] = quote_command_line(self.request)
        self.root: Element = Element("pacemaker-result", attributes)
        self._parents = [self.root]
        self._counts: list[int | None] = []
        self.errors: list[str] = []

    @property
    def parent(self) -> "Element":
        return self._parents[-1]

    def element(self, tag: str, attributes: dict[str, str] | None = None, text: str | None = None) -> "Element":
        """Add an element to the current parent and return it."""
        from xml.etree.ElementTree import SubElement

        element = SubElement(self.parent, tag, attributes or {})
        element.text = text
        return element

    def push(self, tag: str, attributes: dict[str, str] | None = None) -> "Element":
        """Add an element and make it the parent of what follows."""
        element = self.element(tag, attributes)
        self._parents.append(element)
        return element

    def pop(self) -> None:
        self._parents.pop()

    def begin_list(self, singular: str | None, plural: str | None, title: str | None) -> None:
        self.push("list", {"name": title} if title is not None else {})
        self._counts.append(0)

    def list_item(self, text: str, name: str | None = None) -> None:
        self.element("item", {"name": name} if name is not None else {}, text)
        self.increment_list()

    def increment_list(self) -> None:
        if self._counts:
            self._counts[-1] = (self._counts[-1] or 0) + 1

    def end_list(self) -> None:
        count = self._counts.pop()
        if self.parent.tag == "list":
            self.parent.set("count", str(count))
        self.pop()

    def error(self, text: str) -> None:
        self.errors.append(text)

    def version(self, program: str, version: str, authors: str, features: str) -> None:
        self.element(
            "version",
            {"program": program, "version": version, "author": authors, "build": "hatools", "features": features},
        )

    def xml(self, name: str, text: str) -> None:
        self.element(name, {}, CData(text))

    def subprocess(self, code: int, stdout: str, stderr: str) -> None:
        self.push("command", {"code": str(code)})
        for source, text in (("stdout", stdout), ("stderr", stderr)):
            if text:
                self.element("output", {"source": source}, text)
        self.pop()

    def finish(self, code: int, message: str | None = None) -> int:
        from xml.etree.ElementTree import SubElement

        status = SubElement(self.root, "status", {"code": str(int(code)), "message": message or exit_text(code)})
        if self.errors:
            errors = SubElement(status, "errors")
            for text in self.errors:
                SubElement(errors, "error").text = text
        self.dest.write(format_result_xml(self.root))
        self.dest.flush()
        return code


OutputFactory = Callable[[TextIO, Sequence[str], bool], Output]

_FORMATS: dict[str, OutputFactory] = {"text": TextOutput, "xml": XmlOutput}


def register_format(name: str, factory: OutputFactory) -> None:
    """Make a further format available to :func:`open_output`."""
    _FORMATS[name] = factory


def open_output(
    name: str,
    path: str | None = None,
    *,
    known: Sequence[str] = ("text", "xml"),
    request: Sequence[str] = (),
    fancy: bool = False,
) -> Output:
    """Return the output of a format, writing to a file or, without a path or with ``-``, to standard output.

    Raises:
        OutputError: the format is not one of ``known``, or the file cannot be written.
    """
    factory = _FORMATS.get(name) if name in known else None
    if factory is None:
        raise OutputError(f"Error creating output format {name}: Unknown output format")
    dest = sys.stdout
    if path is not None and path != "-":
        try:
            dest = open(path, "w", encoding="utf-8", errors="surrogateescape")  # noqa: SIM115 (lives until the exit)
        except OSError as error:
            raise OutputError(f"Error creating output format (null): {error.strerror}") from None
    else:
        with suppress(AttributeError):
            dest.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]  # not every TextIO has it
    return factory(dest, request, fancy)


def quote_command_line(argv: Sequence[str]) -> str:
    """Join words the way the ``request`` attribute shows them: those with blanks in single quotes."""
    return " ".join("'" + word.replace("'", "\\'") + "'" if " " in word else word for word in argv)


# XML text as libxml2 lays it out: two blanks, nothing inside an element that has text, ASCII only.


def format_result_xml(root: "Element") -> str:
    """Write an element tree as the original's output has it."""
    parts: list[str] = []
    _write(root, 0, True, parts)
    parts.append("\n")
    return "".join(parts)


def _write(element: "Element", depth: int, layout: bool, parts: list[str]) -> None:
    attributes = "".join(f' {name}="{_escape(value, True)}"' for name, value in element.items())
    text = element.text
    if text is None and not len(element):
        parts.append(f"<{element.tag}{attributes}/>")
        return
    parts.append(f"<{element.tag}{attributes}>")
    if text is not None:
        layout = False
        parts.append(f"<![CDATA[{text}]]>" if isinstance(text, CData) else _escape(text, False))
    for child in element:
        if layout:
            parts.append("\n" + "  " * (depth + 1))
        _write(child, depth + 1, layout, parts)
        if child.tail:
            parts.append(_escape(child.tail, False))
    parts.append(f"\n{'  ' * depth}</{element.tag}>" if layout else f"</{element.tag}>")


_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ATTRIBUTE = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\t": "&#9;", "\r": "&#13;"}
)


def _escape(text: str, attribute: bool) -> str:
    text = text.translate(_ATTRIBUTE if attribute else _TEXT)
    if text.isascii():
        return text
    return "".join(letter if letter.isascii() else f"&#x{ord(letter):X};" for letter in text)
