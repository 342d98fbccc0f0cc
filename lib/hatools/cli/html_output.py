"""Output as an HTML page, for commands that report lists. I/O.

libxml2 lays the page out, as it does for the original; importing this module makes the format known.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from hatools.cli.output import Output, quote_command_line, register_format

if TYPE_CHECKING:
    from lxml.etree import _Element

__all__ = ["HtmlOutput"]


class HtmlOutput(Output):
    """Collects a page and writes it at the end. ``title`` None shows the command line."""

    format = "html"

    def __init__(self, dest: TextIO, request: Sequence[str] = (), fancy: bool = False) -> None:
        from hatools.cib.libxml2 import etree

        super().__init__(dest, request, fancy)
        self.title: str | None = None
        self.stylesheet: str | None = None
        self.cgi = False
        self.errors: list[str] = []
        self._body: _Element = etree.Element("body")
        self._lists: list[_Element] = []

    def begin_list(self, singular: str | None, plural: str | None, title: str | None) -> None:
        from hatools.cib.libxml2 import etree

        parent = self._lists[-1] if self._lists else self._body
        if title is not None:
            etree.SubElement(parent, "h2").text = title
        self._lists.append(etree.SubElement(parent, "ul"))

    def list_item(self, text: str, name: str | None = None) -> None:
        from hatools.cib.libxml2 import etree

        parent = self._lists[-1] if self._lists else self._body
        item = etree.SubElement(parent, "li")
        if name is not None:
            item.set("class", name)
        item.text = text

    def end_list(self) -> None:
        self._lists.pop()

    def block(self, text: str) -> None:
        """Add a paragraph of its own."""
        from hatools.cib.libxml2 import etree

        etree.SubElement(self._body, "div").text = text

    def error(self, text: str) -> None:
        self.errors.append(text)

    def xml(self, name: str, text: str) -> None:
        from hatools.cib.libxml2 import etree

        item = etree.SubElement(self._body, "pre")
        item.set("id", name)
        item.text = text

    def finish(self, code: int, message: str | None = None) -> int:
        from hatools.cib.libxml2 import etree
        from hatools.status.html import STYLE

        root = etree.Element("html", lang="en")
        head = etree.SubElement(root, "head")
        etree.SubElement(head, "title").text = self.title or quote_command_line(self.request)
        etree.SubElement(head, "meta", charset="utf-8")
        etree.SubElement(head, "style").text = STYLE
        if self.stylesheet:
            etree.SubElement(head, "link", rel="stylesheet", href=self.stylesheet)
        if self.errors:
            self.begin_list(None, None, None)
            for text in self.errors:
                self.list_item(text)
            self.end_list()
        root.append(self._body)
        page: str = etree.tostring(
            root, method="html", pretty_print=True, encoding="unicode", doctype="<!DOCTYPE html>", with_tail=False
        )
        if self.cgi:
            self.dest.write("Content-Type: text/html\n\n")
        self.dest.write(page if page.endswith("\n") else page + "\n")
        self.dest.flush()
        return code


register_format("html", HtmlOutput)
