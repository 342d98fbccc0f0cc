"""Puts a cluster status out in the format that ``crm_mon`` was asked for. I/O."""

import os
import sys
from collections.abc import Sequence
from typing import TextIO

from hatools.cli.mon_request import Format, MonRequest
from hatools.status.model import ClusterStatus
from hatools.status.view import View
from hatools.values.exitcode import ExitCode

__all__ = ["Display", "simple_line"]


class Display:
    """Writes statuses and errors to where the request says, and ends with the exit status."""

    def __init__(self, request: MonRequest, words: Sequence[str], dest: TextIO) -> None:
        """Begin.

        Args:
            words: the command line, for the ``request`` attribute of XML.
        """
        self.request = request
        self.words = words
        self.dest = dest
        self.errors: list[str] = []
        self._view: View | None = None
        self._status: ClusterStatus | None = None

    @property
    def is_structured(self) -> bool:
        """Say whether everything is written at once, at the end."""
        return self.request.is_xml or self.request.format in (Format.HTML, Format.CGI, Format.JSON)

    def show(self, status: ClusterStatus, view: View) -> None:
        """Show a status; structured formats keep it for :meth:`finish`."""
        self._status, self._view = status, view
        if not self.is_structured and self.request.format is not Format.NONE:
            from hatools.status.outline import write_text
            from hatools.status.sections import TextSections

            self.dest.write(write_text(TextSections(status, view).report()))
            self.dest.flush()

    def line(self, text: str) -> None:
        """Write a line of information."""
        if not self.is_structured:
            self.dest.write(f"{text}\n")

    def error(self, text: str) -> None:
        """Report an error."""
        if self.is_structured and self.request.format is not Format.LEGACY_XML:
            self.errors.append(text)
        else:
            self.dest.flush()
            print(text, file=sys.stderr, flush=True)

    def finish(self, code: int) -> int:
        """Write what is held back and return the exit status."""
        match self.request.format:
            case Format.XML | Format.LEGACY_XML:
                self._finish_xml(code)
            case Format.HTML | Format.CGI:
                self._finish_html()
            case Format.JSON:
                self._finish_json(code)
        self.dest.flush()
        return code

    def rewrite(self) -> None:
        """Write the status last shown to the output file anew, as a whole."""
        path = self.request.dest
        if path is None or path == "-":
            self.finish(ExitCode.OK)
            return
        temporary = f"{path}.{os.getpid()}.new"
        with open(temporary, "w", encoding="utf-8", errors="surrogateescape") as file:
            self.dest = file
            if self.is_structured:
                self.finish(ExitCode.OK)
            elif self._status is not None and self._view is not None:
                self.show(self._status, self._view)
        os.replace(temporary, path)

    def _finish_xml(self, code: int) -> None:
        from xml.etree.ElementTree import Element

        from hatools.cli.options import VERSION
        from hatools.cli.output import XmlOutput, format_result_xml
        from hatools.status.xml import XmlSections
        from hatools.values.exitcode import exit_text

        elements: list[Element] = []
        if self._status is not None and self._view is not None:
            elements = XmlSections(self._status, self._view).report()
        if self.request.format is Format.LEGACY_XML:
            root = Element("crm_mon", {"version": VERSION})
            root.extend(elements)
            if code:
                print(exit_text(code), file=sys.stderr)
            self.dest.write(format_result_xml(root))
            return
        out = XmlOutput(self.dest, self.words)
        out.root.extend(elements)
        out.errors = self.errors
        out.finish(code)

    def _finish_html(self) -> None:
        from hatools.status.html import HtmlSections, write_page

        request = self.request
        entries = [] if self._status is None or self._view is None else HtmlSections(self._status, self._view).report()
        to_file = request.dest not in (None, "-")
        if request.cgi_header:
            self.dest.write("Content-Type: text/html\n\n")
        self.dest.write(
            write_page(
                entries,
                title=request.title,
                refresh_s=request.reconnect_ms // 1000 if to_file else None,
                stylesheet=request.stylesheet,
                errors=self.errors,
            )
        )

    def _finish_json(self, code: int) -> None:
        import json

        from hatools.status.json import status_as_json

        result: dict[str, object] = {"code": int(code)}
        if self.errors:
            result["errors"] = self.errors
        if self._status is not None and self._view is not None:
            result["status"] = status_as_json(self._status, self._view)
        json.dump(result, self.dest, indent=2)
        self.dest.write("\n")


def simple_line(status: ClusterStatus) -> tuple[bool, str]:
    """Return whether all is well and the line that says so to a monitoring system."""
    from hatools.status.phrases import plural

    online = standby = maintenance = 0
    offline: list[str] = []
    for node in status.nodes:
        if not node.online:
            offline += [f"offline node: {node.name}"]
        elif node.standby:
            standby += 1
        elif node.maintenance:
            maintenance += 1
        else:
            online += 1
    warnings = ["No DC"] if status.summary.dc is None else []
    if offline:
        warnings.append(" ".join(offline))
    if warnings:
        return False, f"CLUSTER WARN: {', '.join(warnings)}"
    text = f"CLUSTER OK: {online} node{plural(online)} online"
    if standby:
        text += f", {standby} standby node{plural(standby)}"
    if maintenance:
        text += f", {maintenance} maintenance node{plural(maintenance)}"
    count = status.summary.resource_count
    return True, f"{text}, {count} resource instance{plural(count)} configured"
