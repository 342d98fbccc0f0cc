"""The history of fencing."""

from dataclasses import replace

from hatools.daemons.stonithd.history import FAILED, LIMIT, PENDING, SUCCESS, History
from hatools.ipc.messages.stonith import FencingRecord


def record(identifier: str, state: str = SUCCESS, completed: float = 10.0, target: str = "n1") -> FencingRecord:
    return FencingRecord(identifier, target, "reboot", "n2", "crmd.1", "n2", state, completed)


def test_a_pending_record_is_replaced_by_its_outcome_and_not_the_other_way_round() -> None:
    history = History()
    assert history.add(record("a", PENDING))
    assert history.add(record("a"))
    assert not history.add(record("a", PENDING))
    assert [r.state for r in history.listing()] == [SUCCESS]


def test_a_success_corrects_a_failure_that_was_only_assumed() -> None:
    history = History()
    history.add(record("a", FAILED))
    assert history.add(record("a", SUCCESS))
    assert not history.add(record("a", FAILED))


def test_merging_returns_what_was_news() -> None:
    history = History()
    history.add(record("a"))
    assert [r.id for r in history.merge((record("a"), record("b")))] == ["b"]


def test_the_listing_has_pending_first_and_then_the_newest() -> None:
    history = History()
    history.merge((record("old", completed=1), record("new", completed=9), record("now", PENDING, completed=5)))
    history.add(record("other", target="n2"))
    assert [r.id for r in history.listing("N1")] == ["now", "new", "old"]
    assert len(history.listing("*")) == 4


def test_what_a_lost_node_began_has_failed() -> None:
    history = History()
    history.merge((record("a", PENDING), replace(record("b", PENDING), origin="n3")))
    assert [(r.id, r.state, r.completed) for r in history.abandon("n2", 50.0)] == [("a", FAILED, 50.0)]
    assert [r.id for r in history.listing() if r.state == PENDING] == ["b"]


def test_a_recent_success_of_the_same_action_is_found() -> None:
    history = History()
    history.merge((record("a", completed=5), record("b", completed=8), record("c", FAILED, completed=9)))
    found = history.recent_success("n1", "reboot", 6.0)
    assert found is not None
    assert found.id == "b"
    assert history.recent_success("n1", "off", 6.0) is None
    assert history.recent_success("n1", "reboot", 8.5) is None


def test_cleaning_leaves_what_is_pending() -> None:
    history = History()
    history.merge((record("a"), record("b", PENDING), record("c", target="n2")))
    history.clean("n1")
    assert [r.id for r in history.listing()] == ["b", "c"]
    history.clean()
    assert [r.id for r in history.listing()] == ["b"]


def test_the_oldest_ended_ones_make_room() -> None:
    history = History()
    history.add(record("pending", PENDING, completed=0))
    for number in range(LIMIT + 5):
        history.add(record(str(number), completed=number))
    listing = history.listing()
    assert (len(listing), listing[0].id, listing[-1].id) == (LIMIT, "pending", "6")
