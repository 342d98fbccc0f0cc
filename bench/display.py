"""How long crm_mon takes to paint: 1,000 resources on 16 nodes, first, after changes, and after a node is lost."""

import time
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from bench.scheduler import NOW, Size, inputs
from bench.table import Figure, median, print_table
from hatools.cib.document import Document, format_xml, parse_xml
from hatools.cib.operations import Edit, perform
from hatools.cib.patchset import apply_patch, create_patch
from hatools.status.following import StatusFollower
from hatools.status.outline import write_text
from hatools.status.sections import TextSections
from hatools.status.view import Section, Show, View
from hatools.values.ciboperation import CibOperation
from hatools.values.iso8601 import Moment

SIZE = Size(16, 1000)
CHANGES = 30
GOAL_MS = 100.0


def run() -> None:
    """Measure and print."""
    _, steady, lost = inputs(SIZE)
    follower = StatusFollower()
    document = Document.parse(steady[1])
    first = _paint(follower, document)
    repaints = []
    for patch in _patches(document):
        began = time.process_time()
        document = Document(apply_patch(document.root, parse_xml(patch)))
        repaints.append((time.process_time() - began) * 1000 + _paint(follower, document))
    node_lost = _paint(follower, Document.parse(lost[1]))
    middle = median(repaints)
    figures = [
        Figure(
            "a resource changed: patch, status and text", middle, "ms", None, f"<= {GOAL_MS:g} ms", middle <= GOAL_MS
        ),
        Figure("the slowest of these", max(repaints), "ms"),
        Figure("the first painting", first, "ms"),
        Figure("a node is lost: everything changed", node_lost, "ms"),
    ]
    print_table(f"crm_mon, {SIZE.primitives} resources on {SIZE.nodes} nodes: processor time of one painting", figures)


def _paint(follower: StatusFollower, document: Document) -> float:
    """Return how many milliseconds of processor time pass until the text of the screen is there."""
    began = time.process_time()
    status = follower.status(document, Moment.from_epoch(NOW), float(NOW), Section.DEFAULT)
    write_text(TextSections(status, View(Section.DEFAULT, Show.PENDING)).report())
    return (time.process_time() - began) * 1000


def _patches(document: Document) -> Iterator[str]:
    """Yield the patches that the cib sends when one resource after another is recovered where it runs."""
    for number in range(CHANGES):
        root = document.root
        entry = root.find(f"status/node_state/lrm/lrm_resources/lrm_resource[@id='rsc{number * 7}']")
        assert entry is not None
        operation = Element(
            "lrm_rsc_op", dict(entry[0].attrib) | {"operation": "start", "rc-code": "0", "call-id": str(100 + number)}
        )
        operation.set("transition-magic", (entry[0].get("transition-magic") or "").replace("0:7;", "0:0;"))
        resource = Element("lrm_resource", entry.attrib)
        resource.append(operation)
        update = Element("status")
        inner = update
        for tag, identifier in (("node_state", "1"), ("lrm", "1"), ("lrm_resources", None)):
            inner.append(Element(tag, {} if identifier is None else {"id": identifier}))
            inner = inner[0]
        inner.append(resource)
        changed = perform(document, Edit(CibOperation.MODIFY, "status", update=update)).document
        patch = create_patch(root, changed.root)
        assert patch is not None
        yield format_xml(patch)
        document = changed
