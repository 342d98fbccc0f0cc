"""What a controller does with a CIB that its replica took over from another node."""

from hatools.cib.document import Document
from hatools.daemons.crmd.cluster import Identity
from hatools.daemons.crmd.controller import Controller
from hatools.daemons.crmd.effects import Effect, WriteCib
from hatools.daemons.crmd.events import CibSeen, Instant, RingDescribed, Synchronised
from hatools.daemons.crmd.status import erase_history
from hatools.ipc.messages.messaging import Member, ViewChanged

NOW = Instant(10.0, 1_700_000_010)
HISTORY = (
    '<lrm id="1"><lrm_resources><lrm_resource id="d"><lrm_rsc_op id="d_last_0" operation="start" call-id="1"/>'
    "</lrm_resource></lrm_resources></lrm>"
)


def adopt(history: str, *, adopted: bool) -> list[Effect]:
    """Return what node1's controller does when its replica agrees with the others."""
    controller = Controller(Identity(1, "node1", "life", "corosync", "test", "2.1.5"), NOW)
    controller.handle(NOW, RingDescribed({1: "node1", 2: "node2"}))
    members = (Member(1, "node1"), Member(2, "node2"))
    controller.handle(NOW, ViewChanged("1.8", members, True, (1, 2), (), (), {}))
    state = f'<node_state id="1" uname="node1" in_ccm="true" crmd="online" join="member">{history}</node_state>'
    document = Document.parse(f'<cib epoch="2"><configuration/><status>{state}</status></cib>')
    controller.handle(NOW, CibSeen(document))
    return controller.handle(NOW, Synchronised("1.8", adopted))


def erasures(effects: list[Effect]) -> int:
    return sum(isinstance(effect, WriteCib) and erase_history("1") in effect.changes for effect in effects)


def test_history_that_came_with_an_adopted_cib_is_erased_for_it_may_be_of_an_earlier_life() -> None:
    assert erasures(adopt(HISTORY, adopted=True)) == 1


def test_history_in_a_cib_that_we_had_all_the_time_stays() -> None:
    assert erasures(adopt(HISTORY, adopted=False)) == 0


def test_nothing_is_written_where_nothing_is_said_of_us() -> None:
    assert erasures(adopt("", adopted=True)) == 0
