"""A cluster status as an HTML page. Pure.

The sections are those of text output (:mod:`hatools.status.sections`) with what a page words or
colours differently; libxml2 lays the page out, as it does for the original.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from hatools.status.model import NodeStatus
from hatools.status.outline import Entry, Item, Listing, Span, Verbatim
from hatools.status.phrases import format_clock, node_display_name
from hatools.status.sections import SectionMaker, TextSections, change_text, leading_number
from hatools.status.view import Section, Show

if TYPE_CHECKING:
    from lxml.etree import _Element

__all__ = ["HtmlSections", "write_page"]

STYLE = """\
.bold { font-weight: bold }
.online { color: green }
.offline { color: red }
.maint { color: blue }
.standby { color: blue }
.health_red { color: red }
.health_yellow { color: GoldenRod }
.rsc-failed { color: red }
.rsc-failure-ignored { color: DarkGreen }
.rsc-managed { color: blue }
.rsc-multiple { color: orange }
.rsc-ok { color: green }
.warning { color: red; font-weight: bold }"""


_LAST = (Section.FENCING, Section.TICKETS, Section.BANS)
"""A page puts fencing before tickets and bans."""


class HtmlSections(TextSections):
    """Builds the sections of a page."""

    def report(self) -> list[Entry]:
        """Return all sections in order."""
        return [section for section in self.sections() if section is not None]

    order = (
        Section.OPTIONS,
        *(each for each in TextSections.order if each not in (Section.MAINT_MODE, *_LAST)),
        *_LAST,
    )

    def makers(self) -> dict[Section, SectionMaker]:
        return super().makers() | {Section.OPTIONS: lambda: Listing("Config Options", self._config_options())}

    # -- summary

    def summary(self) -> Listing | None:
        wanted, summary = self.view.sections, self.status.summary
        items: list[Entry] = []
        if Section.STACK in wanted:
            items.append(_labelled("Stack: ", Span(summary.stack or "unknown")))
        if Section.DC in wanted or summary.dc is None:
            items.append(_labelled("Current DC: ", *self._dc_spans()))
        if Section.TIMES in wanted:
            items.append(_labelled("Last updated: ", Span(format_clock(self.status.now))))
            items.append(_labelled("Last change: ", Span(change_text(self.status))))
        if Section.COUNTS in wanted:
            nodes, resources = self._counts()
            items.append(_spans(Span(nodes)))
            items.append(_spans(*_count_spans(resources, summary.disabled_count, summary.blocked_count)))
        return Listing("Cluster Summary", items) if items else None

    def _dc_spans(self) -> list[Span]:
        summary = self.status.summary
        if summary.dc is None:
            return [Span("NONE", "warning")]
        name = node_display_name(summary.dc, detail=self.view.has(Show.NODE_ID))
        spans = [Span(f"{name} (version {summary.dc_version or 'unknown'}) -")]
        if summary.mixed_version:
            spans.append(Span(" MIXED-VERSION", "warning"))
        spans.append(Span(" partition"))
        spans.append(Span(" with") if summary.has_quorum else Span(" WITHOUT", "warning"))
        spans.append(Span(" quorum"))
        return spans

    def _config_options(self) -> list[Entry]:
        options = self.status.summary.options
        items: list[Entry] = [Item(line) for line in self._options()]
        if options.maintenance_mode or options.stop_all_resources:
            word, rest = (
                ("DISABLED", " (the cluster will not attempt to start, stop, or recover services)")
                if options.maintenance_mode
                else ("STOPPED", " (the cluster will keep all resources stopped)")
            )
            items.append(_spans(Span("Resource management: "), Span(word, "bold"), Span(rest)))
        else:
            items.append(Item("Resource management: enabled"))
        return items

    # -- nodes

    def node_list(self) -> Listing | None:
        shown = [node for node in self.status.nodes if self.view.shows_node(node.name)]
        listing = Listing("Node List")
        for node in shown:
            listing.add(*self.node_entries(node))
        return listing if shown else None

    def node_entries(self, node: NodeStatus) -> list[Entry]:
        view = self.view
        name = f"{node_display_name(node, detail=view.has(Show.NODE_ID))}:"
        spans = self._state_spans(node)
        if not view.has(Show.BY_NODE):
            return [_spans(Span(name, "bold"), *spans)]
        resources = self.node_resources(node)
        inner = (Listing("Resources", resources),) if resources or (node.running and not view.has(Show.BRIEF)) else ()
        return [Listing(name, [Item("", spans=(Span("Status:"), *spans), inner=inner)])]

    def _state_spans(self, node: NodeStatus) -> list[Span]:
        spans = [Span(" online", "online") if node.online else Span(" OFFLINE", "offline")]
        if node.standby_on_fail or node.standby:
            cause = " due to on-fail" if node.standby_on_fail else ""
            active = ", with active resources" if node.running else ""
            spans.append(Span(f" (in standby{cause}{active})", "standby"))
        if node.maintenance:
            spans.append(Span(" (in maintenance mode)", "maint"))
        if node.health < 0:
            spans.append(Span(" (health is RED)", "health_red"))
        elif node.health == 0:
            spans.append(Span(" (health is YELLOW)", "health_yellow"))
        if self.view.has(Show.FEATURE_SET) and node.feature_set is not None:
            spans.append(Span(f", feature set {node.feature_set}"))
        return spans

    def node_head(self, node: NodeStatus) -> str:
        return f"{node_display_name(node, detail=self.view.has(Show.NODE_ID))}:"

    # -- lines that differ

    def attribute(self, node: NodeStatus, name: str) -> Item:
        attribute = next(a for a in node.attributes if a.name == name)
        text = f"{name}: {attribute.value}"
        if attribute.expected is None:
            return Item(text)
        score = leading_number(attribute.value)
        if score <= 0:
            return _spans(Span(text), Span("(connectivity is lost)", "bold"))
        if score < attribute.expected:
            return _spans(Span(text), Span(f"(connectivity is degraded -- expected {attribute.expected}", "bold"))
        return _spans(Span(text))

    def ticket(self, identifier: str, text: str) -> Item:
        return Item(f"{identifier}:\t{text}")


def _spans(*spans: Span) -> Item:
    return Item("".join(span.text for span in spans), spans=spans)


def _labelled(label: str, *spans: Span) -> Item:
    return _spans(Span(label, "bold"), *spans)


def _count_spans(text: str, disabled: int, blocked: int) -> list[Span]:
    """Return the number of resources with what stands out in it."""
    head = text.partition(" (")[0]
    if not disabled and not blocked:
        return [Span(head)]
    if not disabled:
        return [
            Span(f"{head} ({blocked} "),
            Span("BLOCKED", "bold"),
            Span(" from further action due to failure)"),
        ]
    if not blocked:
        return [Span(f"{head} ({disabled} "), Span("DISABLED", "bold"), Span(")")]
    return [
        Span(f"{head} ({disabled} "),
        Span("DISABLED", "bold"),
        Span(f", {blocked} "),
        Span("BLOCKED", "bold"),
        Span(" from further action due to failure)"),
    ]


def write_page(
    entries: Sequence[Entry],
    *,
    title: str,
    refresh_s: int | None = None,
    stylesheet: str | None = None,
    errors: Sequence[str] = (),
) -> str:
    """Return a whole page.

    Args:
        refresh_s: after how many seconds browsers shall load it again.
        stylesheet: address of a style sheet to link to.
    """
    from hatools.cib.libxml2 import etree

    root = etree.Element("html", lang="en")
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = title
    etree.SubElement(head, "meta", charset="utf-8")
    if refresh_s is not None:
        meta = etree.SubElement(head, "meta")
        meta.set("http-equiv", "refresh")
        meta.set("content", str(refresh_s))
    etree.SubElement(head, "style").text = STYLE
    if stylesheet is not None:
        etree.SubElement(head, "link", rel="stylesheet", href=stylesheet)
    body = etree.SubElement(root, "body")
    _add(body, entries, nested=False)
    if errors:
        _add(body, [Listing(None, [Item(text) for text in errors])], nested=False)
    page: str = etree.tostring(
        root, method="html", pretty_print=True, encoding="unicode", doctype="<!DOCTYPE html>", with_tail=False
    )
    return page if page.endswith("\n") else page + "\n"


def _add(parent: "_Element", entries: Iterable[Entry], *, nested: bool) -> None:
    from hatools.cib.libxml2 import etree

    for entry in entries:
        match entry:
            case Verbatim():
                continue
            case Item():
                item = etree.SubElement(parent, "li")
                if entry.style is not None:
                    item.set("class", entry.style)
                if entry.spans:
                    for span in entry.spans:
                        element = etree.SubElement(item, "span")
                        if span.style is not None:
                            element.set("class", span.style)
                        element.text = span.text
                else:
                    item.text = entry.text
                _add(item, entry.inner, nested=True)
            case Listing(title=None) if nested:
                _add(parent, entry.entries, nested=True)
            case Listing():
                holder = etree.SubElement(parent, "li") if nested else parent
                if entry.title is not None:
                    etree.SubElement(holder, "h3" if nested else "h2").text = entry.title
                _add(etree.SubElement(holder, "ul"), entry.entries, nested=True)
