"""The working data: final fields, findings, lookups."""

import pytest

from hatools.cib.document import Document
from hatools.scheduler.model.node import Node, NodeType, name_sort_key
from hatools.scheduler.plan import Plan
from hatools.scheduler.schedule import unpack_status
from hatools.values.errors import LocalError
from hatools.values.iso8601 import Moment
from tests.unit.scheduler.clusters import NOW, cluster, decide, primitive, running, state


def plan() -> Plan:
    return Plan(document=Document.parse(cluster("").encode()), now=Moment.from_epoch(NOW))


def test_a_final_field_cannot_be_replaced() -> None:
    sealed = plan()
    sealed.seal(["have_quorum"])
    with pytest.raises(LocalError):
        sealed.have_quorum = True


def test_final_containers_are_read_only() -> None:
    sealed = plan()
    sealed.add_node(Node("1", "node1", NodeType.MEMBER))
    sealed.seal(["nodes", "tickets"])
    assert isinstance(sealed.nodes, tuple)
    with pytest.raises(TypeError):
        sealed.tickets["t"] = None


def test_nodes_are_found_whatever_the_case_of_their_names() -> None:
    given = plan()
    node = Node("1", "Node1", NodeType.MEMBER)
    given.add_node(node)
    assert given.find_node("nODE1") is node
    assert given.find_node_any("2", "node1") is node
    assert given.find_node(None) is None


def test_something_is_said_once_if_it_has_a_key() -> None:
    given = plan()
    for _ in range(2):
        given.say("warning", "text", once="key")
    assert [(each.severity, each.text) for each in given.findings] == [("warning", "text")]


def test_numbers_in_names_sort_as_numbers() -> None:
    assert sorted(["node10", "Node9", "node1"], key=name_sort_key) == ["node1", "Node9", "node10"]


def test_reading_the_status_decides_nothing() -> None:
    text = cluster(primitive("a"), states=(state(1, running("a", "node1")), state(2)))
    read = unpack_status(Document.parse(text.encode()), Moment.from_epoch(NOW))
    resource = read.find_resource("a")
    assert resource is not None
    assert ([node.name for node in resource.running_on], resource.assigned_to) == (["node1"], None)


def test_deciding_leaves_the_document_alone() -> None:
    document = Document.parse(cluster(primitive("a")).encode())
    before = document.format() if hasattr(document, "format") else None
    decide(cluster(primitive("a")))
    assert before == (document.format() if hasattr(document, "format") else None)
