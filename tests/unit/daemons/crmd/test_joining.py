"""Controllers on their way in: offers that come early, newcomers that do not answer, and who waits for them."""

from hatools.daemons.crmd.cluster import Identity
from hatools.daemons.crmd.controller import Controller
from hatools.daemons.crmd.effects import Effect, SendToPeer, WriteCib
from hatools.daemons.crmd.events import CibSeen, ElectionAsked, Event, Instant, PeerSaid, Synchronised, Written
from hatools.daemons.crmd.membership import FINALIZE_RETRY_S
from hatools.daemons.crmd.status import node_states
from hatools.ipc.messages.crmd import JoinAck, JoinOffer, JoinRequest, Vote
from hatools.ipc.messages.messaging import GroupChanged, Member, ViewChanged
from tests.unit.daemons.crmd.instant import NAMES, InstantCluster
from tests.unit.daemons.crmd.test_controller import LOST, MEMBER, standing

SILENT_MEMBER = {"in_ccm": "true", "crmd": "offline", "join": "down", "expected": "member"}


def vote(node: int, ring: str, *, is_dc: bool = False) -> Vote:
    return Vote(ring, NAMES[node], is_dc, True, "3.16.1", "corosync", 100 * is_dc, 0, f"life-{node}", 1, 0)


def answers(effects: list[Effect]) -> list[tuple[int, int]]:
    """Return whom a request to join goes to, and which offer it answers."""
    return [
        (effect.node_id, effect.message.join_id)
        for effect in effects
        if isinstance(effect, SendToPeer) and isinstance(effect.message, JoinRequest)
    ]


def with_a_newcomer(*, deaf: frozenset[int] = frozenset(), behind: frozenset[int] = frozenset()) -> InstantCluster:
    """Return a cluster of two into which node3 has come."""
    cluster = InstantCluster()
    cluster.start(1, 2)
    cluster.deaf |= deaf
    cluster.behind |= behind
    cluster.boot(3)
    cluster.view()
    return cluster


def answers_to_an_early_offer(offerer: int) -> list[list[tuple[int, int]]]:
    """Let node3 meet node1, the DC, and node2; an offer comes between their votes. Return its answers by event."""
    me = Identity(3, "node3", "life-3", "corosync", "test", "2.1.5-test")
    controller = Controller(me, Instant(100.0, 1_700_000_000))
    events: list[Event] = [
        CibSeen(InstantCluster().document),
        ViewChanged("1.2", tuple(Member(node, name) for node, name in NAMES.items()), True, (3,)),
        GroupChanged("crmd", (1, 2, 3), (3,)),
        Synchronised("1.2"),
        PeerSaid(3, vote(3, "1.2"), True),
        PeerSaid(1, vote(1, "1.2", is_dc=True), True),
        PeerSaid(offerer, JoinOffer(7, NAMES[offerer]), False),
        PeerSaid(2, vote(2, "1.2"), True),
    ]
    return [answers(controller.handle(Instant(100.0, 1_700_000_000), event)) for event in events]


def test_an_offer_that_comes_before_the_last_vote_is_answered_when_the_votes_are_complete() -> None:
    assert answers_to_an_early_offer(1) == [[]] * 7 + [[(1, 7)]]


def test_an_early_offer_of_one_that_is_not_elected_is_void() -> None:
    assert answers_to_an_early_offer(2) == [[]] * 8


def test_an_offer_outlives_an_election_that_changes_nothing() -> None:
    cluster = with_a_newcomer(behind=frozenset({3}))
    assert cluster.states()["node3"] == "S_PENDING"
    cluster.feed(1, ElectionAsked())
    cluster.feed(3, Synchronised(f"1.{cluster.ring}"))
    assert cluster.states() == {"node1": "S_IDLE", "node2": "S_NOT_DC", "node3": "S_NOT_DC"}


def test_a_newcomer_that_does_not_answer_is_waited_for_and_then_left_out() -> None:
    cluster = with_a_newcomer(deaf=frozenset({3}))
    assert cluster.states()["node1"] == "S_INTEGRATION"
    cluster.wait(19)
    assert cluster.states()["node1"] == "S_INTEGRATION"
    cluster.wait(2)
    assert cluster.states() == {"node1": "S_IDLE", "node2": "S_NOT_DC", "node3": "S_PENDING"}
    assert "3" not in node_states(cluster.document)


def test_while_a_newcomer_is_silent_the_loss_of_a_member_is_dealt_with_within_seconds() -> None:
    cluster = with_a_newcomer(deaf=frozenset({3}))
    before = len(cluster.calculations)
    cluster.crash(2)
    cluster.wait(2.1)
    assert standing(cluster, 2) == LOST
    assert len(cluster.calculations) > before
    assert cluster.states()["node1"] == "S_IDLE"


def test_one_that_is_known_to_be_silent_holds_up_nobody_any_more() -> None:
    cluster = with_a_newcomer(deaf=frozenset({3}))
    cluster.wait(21)
    before = len(cluster.calculations)
    cluster.crash(2)
    assert len(cluster.calculations) == before + 1
    assert cluster.states()["node1"] == "S_IDLE"


def test_a_silent_newcomer_is_asked_again_and_taken_in_as_soon_as_it_answers() -> None:
    cluster = with_a_newcomer(deaf=frozenset({3}))
    cluster.wait(21)
    offers = len(cluster.offers)
    cluster.deaf.clear()
    cluster.wait(30)
    assert cluster.offers[offers:] == [
        3,
        3,
    ]  # it answers the first, which shows that it is there, and joins by the next
    assert standing(cluster, 3) == MEMBER
    assert cluster.states() == {"node1": "S_IDLE", "node2": "S_NOT_DC", "node3": "S_NOT_DC"}


def test_a_newcomer_that_answers_late_is_taken_in_at_once() -> None:
    cluster = with_a_newcomer(behind=frozenset({3}))
    cluster.wait(25)
    assert cluster.states()["node1"] == "S_IDLE"
    cluster.feed(3, Synchronised(f"1.{cluster.ring}"))
    assert standing(cluster, 3) == MEMBER
    assert cluster.states() == {"node1": "S_IDLE", "node2": "S_NOT_DC", "node3": "S_NOT_DC"}


def test_a_silent_newcomer_that_goes_away_is_forgotten() -> None:
    cluster = with_a_newcomer(deaf=frozenset({3}))
    cluster.wait(21)
    cluster.crash(3)
    offers = len(cluster.offers)
    cluster.wait(60)
    assert cluster.offers[offers:] == []
    assert cluster.states() == {"node1": "S_IDLE", "node2": "S_NOT_DC"}


def test_a_restarted_controller_that_does_not_answer_counts_as_gone_after_a_minute() -> None:
    """Its node may hold resources: it is asked again, and then left to whoever fences."""
    cluster = InstantCluster()
    cluster.start(1, 2, 3)
    cluster.deaf.add(3)
    cluster.restart_controller(3)
    offers = len(cluster.offers)
    cluster.wait(59)
    assert standing(cluster, 3) == MEMBER
    assert cluster.offers[offers:] == [3]
    before = len(cluster.calculations)
    cluster.wait(2)
    assert standing(cluster, 3) == SILENT_MEMBER
    assert len(cluster.calculations) > before
    assert cluster.states()["node1"] == "S_IDLE"


def test_a_member_that_misses_one_offer_answers_the_next() -> None:
    cluster = InstantCluster()
    cluster.start(1, 2, 3)
    cluster.deaf.add(3)
    cluster.restart_controller(3)
    cluster.deaf.clear()
    cluster.wait(51)
    assert standing(cluster, 3) == MEMBER
    assert cluster.states() == {"node1": "S_IDLE", "node2": "S_NOT_DC", "node3": "S_NOT_DC"}


def test_members_whom_the_cib_did_not_take_are_not_acknowledged_and_written_again() -> None:
    cluster = InstantCluster()
    cluster.refuses_writes = True
    cluster.start(1, 2, 3)
    assert cluster.states() == {"node1": "S_FINALIZE_JOIN", "node2": "S_PENDING", "node3": "S_PENDING"}

    cluster.refuses_writes = False
    cluster.wait(FINALIZE_RETRY_S + 0.1)

    assert sorted(cluster.states().values()) == ["S_IDLE", "S_NOT_DC", "S_NOT_DC"]
    assert [standing(cluster, node) for node in (1, 2, 3)] == [MEMBER] * 3


def entries(effects: list[Effect]) -> list[WriteCib]:
    return [effect for effect in effects if isinstance(effect, WriteCib)]


def acknowledged(effects: list[Effect]) -> list[int]:
    return [
        effect.node_id for effect in effects if isinstance(effect, SendToPeer) and isinstance(effect.message, JoinAck)
    ]


def test_who_asks_while_the_entries_of_others_are_written_is_acknowledged_only_with_an_entry_of_its_own() -> None:
    me = Identity(1, "node1", "life-1", "corosync", "test", "2.1.5-test")
    controller = Controller(me, Instant(100.0, 1_700_000_000))
    now = Instant(101.0, 1_700_000_001)

    def feed(event: Event) -> list[Effect]:
        return controller.handle(now, event)

    feed(CibSeen(InstantCluster().document))
    feed(ViewChanged("1.2", tuple(Member(node, name) for node, name in NAMES.items()), True, (1, 2, 3)))
    feed(GroupChanged("crmd", (1,), (1,)))
    feed(Synchronised("1.2"))
    effects = feed(PeerSaid(1, vote(1, "1.2"), True))
    (first,) = entries(effects)

    feed(GroupChanged("crmd", (1, 2, 3), (2, 3)))
    for node in (1, 2, 3):
        feed(PeerSaid(node, vote(node, "1.2", is_dc=node == 1), True))
    join_id = controller.coordinator.membership.joins.join_id
    feed(PeerSaid(2, JoinRequest(join_id, "node2", "3.16.1", "corosync", True, ""), False))

    effects = feed(Written(first.tag))
    (second,) = entries(effects)
    assert acknowledged(effects) == []
    assert b'uname="node2"' in b"".join(change.xml or b"" for change in second.changes)
    assert acknowledged(feed(Written(second.tag))) == [2]
