"""Unit tests of guesses at the document to come, and of rehearsals."""

from hatools.cib.document import Document
from hatools.daemons.crmd import status
from hatools.daemons.crmd.calculations import GUESS_LIFE_S, Calculations
from hatools.daemons.crmd.cluster import Cluster, Identity
from hatools.daemons.crmd.effects import ComputeTransition
from hatools.daemons.crmd.events import Instant, Scheduled
from hatools.daemons.crmd.prediction import is_same_cluster, predict
from hatools.daemons.crmd.rehearsal import MOST, QUIET_S, Rehearsal
from hatools.transition.graph import Graph

NODES = '<nodes><node id="1" uname="node1"/><node id="2" uname="node2"/></nodes>'
STATES = "".join(
    f'<node_state id="{n}" uname="node{n}" in_ccm="true" crmd="online" join="member" expected="member" '
    f'crm-debug-origin="x"/>'
    for n in (1, 2)
)
DOCUMENT = Document.parse(
    f'<cib admin_epoch="0" epoch="3" num_updates="7" have-quorum="1" dc-uuid="1"><configuration>{NODES}'
    f"</configuration><status>{STATES}</status></cib>"
)
ROOT = {"have-quorum": "1", "dc-uuid": "1"}


def leading() -> Cluster:
    """Return what node 1 knows, alone in the group since node 2 is gone."""
    cluster = Cluster(Identity(1, "node1", "u", "corosync", "c", "v"))
    cluster.document, cluster.has_document = DOCUMENT, True
    cluster.peers.learn(1, "node1").in_group = True
    cluster.peers.learn(2, "node2")
    return cluster


def lose_node2(cluster: Cluster) -> Document:
    """Write that node 2 is lost; return the document that will follow."""
    change = status.write_standing("2", "node2", status.LOST, "y")
    cluster.write(change)
    document = predict(DOCUMENT, [change])
    assert document is not None
    return document


def asked(cluster: Cluster) -> list[ComputeTransition]:
    return [effect for effect in cluster.effects if isinstance(effect, ComputeTransition)]


def at(now: float) -> Instant:
    return Instant(now, 1000)


def test_a_right_guess_is_the_answer_when_the_document_has_come() -> None:
    cluster, answer = leading(), Scheduled(1, Graph())
    work = Calculations(cluster)
    cluster.document, after = DOCUMENT, lose_node2(cluster)
    work.guess(at(0), ROOT)
    assert not work.take(at(0.1), answer)
    cluster.document = after
    assert work.ask(at(0.2)) is answer
    assert len(asked(cluster)) == 1


def test_a_guess_that_is_still_calculated_is_waited_for() -> None:
    cluster = leading()
    work = Calculations(cluster)
    after = lose_node2(cluster)
    work.guess(at(0), ROOT)
    cluster.document = after
    assert work.ask(at(0.2)) is None
    assert work.take(at(0.3), Scheduled(1, Graph()))
    assert len(asked(cluster)) == 1


def test_a_wrong_guess_costs_a_calculation_and_nothing_else() -> None:
    cluster = leading()
    work = Calculations(cluster)
    lose_node2(cluster)
    work.guess(at(0), ROOT)
    work.take(at(0.1), Scheduled(1, Graph()))
    assert work.ask(at(0.2)) is None  # the document is still the old one
    assert not work.take(at(0.3), Scheduled(1, Graph()))
    assert work.take(at(0.3), Scheduled(2, Graph()))


def test_an_old_guess_is_no_answer_because_time_decides_too() -> None:
    cluster = leading()
    work = Calculations(cluster)
    after = lose_node2(cluster)
    work.guess(at(0), ROOT)
    work.take(at(0.1), Scheduled(1, Graph()))
    cluster.document = after
    assert work.ask(at(GUESS_LIFE_S + 1)) is None
    assert len(asked(cluster)) == 2


def test_nothing_is_guessed_while_it_is_open_who_joins() -> None:
    cluster = leading()
    cluster.peers.learn(3, "node3").in_group = True
    Calculations(cluster).guess(at(0), ROOT)
    assert asked(cluster) == []


def test_an_answer_is_void_once_something_has_happened() -> None:
    cluster = leading()
    work = Calculations(cluster)
    work.ask(at(0))
    work.void()
    assert not work.take(at(0.1), Scheduled(1, Graph()))


def test_documents_are_alike_whoever_wrote_them_and_when() -> None:
    text = str(DOCUMENT)
    same = text.replace('num_updates="7"', 'num_updates="9"').replace('crm-debug-origin="x"', 'crm-debug-origin="z"')
    assert is_same_cluster(DOCUMENT, Document.parse(same))
    for other in (text.replace('dc-uuid="1"', 'dc-uuid="2"'), text.replace('crmd="online"', 'crmd="offline"', 1)):
        assert not is_same_cluster(DOCUMENT, Document.parse(other))


def test_the_loss_of_the_dc_is_rehearsed_when_it_is_quiet_and_not_for_ever() -> None:
    cluster = leading()
    cluster.peers.learn(2, "node2").in_group = True
    rehearsal = Rehearsal()
    rehearsal.plan(0.0)
    rehearsal.plan(1.0)
    assert rehearsal.expire(QUIET_S, cluster, 2) is None
    document = rehearsal.expire(1.0 + QUIET_S, cluster, 2)
    assert document is not None
    assert status.standing_of(status.node_states(document)["2"]) == status.LOST
    for _ in range(MOST):
        rehearsal.plan(0.0)
        rehearsal.expire(100.0, cluster, 2)
    rehearsal.plan(0.0)
    assert rehearsal.deadline is None
