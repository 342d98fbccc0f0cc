"""Who of the local clients is told what."""

from hatools.daemons.messaging.subscribers import Event, Subscribers
from hatools.ipc.messages.messaging import (
    BecameSafe,
    Delivered,
    DeliveredMany,
    Direct,
    GroupChanged,
    Member,
    ViewChanged,
)
from hatools.messaging.views import (
    DirectMessage,
    GroupMembersChanged,
    GroupMessage,
    GroupMessages,
    NodeIdentity,
    RingId,
    View,
)
from hatools.values.bundle import pack_bundle

VIEW = View(RingId(10, 1), (NodeIdentity(1, "a"), NodeIdentity(2, "b")), True, (("a", 1), ("b", 1)), (2,))
SHOWN = ViewChanged("1.a", (Member(1, "a"), Member(2, "b")), True, (2,), (), (), {"a": 1, "b": 1})


class Fixture:
    def __init__(self) -> None:
        self.told: list[tuple[list[int], Event]] = []
        self.subscribers = Subscribers(1, lambda clients, event: self.told.append((clients, event)))

    def take(self) -> list[tuple[list[int], Event]]:
        self.subscribers.flush()
        told, self.told = self.told, []
        return told


def message(sequence: int, group: str = "g") -> GroupMessage:
    return GroupMessage(group, 2, sequence, b"m", 7)


def joined(*, report_safe: bool = False) -> Fixture:
    """Client 5 takes part in group g, and so does our node."""
    fixture = Fixture()
    fixture.subscribers.view_installed(VIEW)
    assert fixture.subscribers.add(5, "g", report_safe=report_safe)
    fixture.subscribers.group_changed(GroupMembersChanged("g", (1, 2), (1,), ()))
    return fixture


def test_a_client_is_told_the_view_then_the_group_then_messages() -> None:
    fixture = joined()
    fixture.subscribers.message(message(1))

    assert fixture.take() == [
        ([5], SHOWN),
        ([5], GroupChanged("g", (1, 2), (1,), ())),
        ([5], Delivered("g", 2, 1, b"m", 7)),
    ]


def test_messages_before_our_node_is_in_the_group_are_not_for_its_clients() -> None:
    fixture = Fixture()
    fixture.subscribers.add(5, "g", report_safe=False)

    fixture.subscribers.message(message(1))

    assert fixture.take() == []


def test_a_second_client_is_told_how_the_group_looks() -> None:
    fixture = joined()
    fixture.take()

    assert not fixture.subscribers.add(6, "g", report_safe=False)

    assert fixture.take() == [([6], SHOWN), ([6], GroupChanged("g", (1, 2)))]


def test_a_client_in_two_groups_is_told_a_view_once() -> None:
    fixture = joined()
    fixture.subscribers.add(5, "h", report_safe=False)
    fixture.take()

    fixture.subscribers.view_installed(VIEW)

    assert fixture.take() == [([5], SHOWN)]


def test_only_who_asked_is_told_what_is_safe() -> None:
    fixture = joined(report_safe=True)
    fixture.subscribers.add(6, "g", report_safe=False)
    for sequence in (1, 3, 4):
        fixture.subscribers.message(message(sequence))
    fixture.take()

    fixture.subscribers.safe(3)
    fixture.subscribers.safe(3)

    assert fixture.take() == [([5], BecameSafe("g", 3))]


def test_a_new_view_forgets_what_was_not_safe() -> None:
    fixture = joined(report_safe=True)
    fixture.subscribers.message(message(9))
    fixture.subscribers.view_installed(VIEW)
    fixture.take()

    fixture.subscribers.safe(9)

    assert fixture.take() == []


def test_direct_messages_go_to_the_groups_clients() -> None:
    fixture = joined()
    fixture.take()

    fixture.subscribers.direct(DirectMessage("g", 2, b"d"))
    fixture.subscribers.direct(DirectMessage("other", 2, b"d"))

    assert fixture.take() == [([5], Direct("g", 2, b"d"))]


def test_the_node_leaves_the_group_with_its_last_client() -> None:
    fixture = joined()
    fixture.subscribers.add(6, "g", report_safe=False)

    assert not fixture.subscribers.remove(5, "g")
    assert fixture.subscribers.remove(6, "g")
    assert not fixture.subscribers.remove(6, "g")


def test_messages_of_one_sender_in_a_row_are_one_event_for_those_who_take_batches() -> None:
    fixture = joined()
    fixture.subscribers.add(6, "g", batches=True)
    fixture.take()

    fixture.subscribers.message(message(1))
    fixture.subscribers.message(message(2))

    assert fixture.take() == [
        ([6], DeliveredMany("g", 2, 1, pack_bundle([b"m", b"m"], [7, 7]))),
        ([5], Delivered("g", 2, 1, b"m", 7)),
        ([5], Delivered("g", 2, 2, b"m", 7)),
    ]


def test_a_bundle_goes_on_as_it_is_or_message_by_message() -> None:
    fixture = joined(report_safe=True)
    fixture.subscribers.add(6, "g", batches=True)
    fixture.take()
    bundle = pack_bundle([b"x", b"y"], [3, 4])

    fixture.subscribers.message(message(1))
    fixture.subscribers.messages(GroupMessages("g", 2, 2, 2, bundle))
    fixture.subscribers.safe(3)

    assert fixture.take() == [
        ([5, 6], Delivered("g", 2, 1, b"m", 7)),
        ([6], DeliveredMany("g", 2, 2, bundle)),
        ([5], Delivered("g", 2, 2, b"x", 3)),
        ([5], Delivered("g", 2, 3, b"y", 4)),
        ([5], BecameSafe("g", 3)),
    ]


def test_a_batch_ends_before_anything_else_is_told() -> None:
    fixture = joined()
    fixture.subscribers.add(6, "g", batches=True)
    fixture.take()

    fixture.subscribers.message(message(1))
    fixture.subscribers.message(message(2))
    fixture.subscribers.direct(DirectMessage("g", 2, b"d"))

    assert [type(event).__name__ for _, event in fixture.take()] == [
        "DeliveredMany",
        "Delivered",
        "Delivered",
        "Direct",
    ]


def test_a_batch_holds_consecutive_deliveries_only() -> None:
    fixture = Fixture()
    fixture.subscribers.add(6, "g", batches=True)
    fixture.subscribers.group_changed(GroupMembersChanged("g", (1, 2), (1,), ()))
    fixture.take()

    fixture.subscribers.message(message(1))
    fixture.subscribers.message(message(2, "nobody is in it"))
    fixture.subscribers.message(message(3))

    assert fixture.take() == [([6], Delivered("g", 2, 1, b"m", 7)), ([6], Delivered("g", 2, 3, b"m", 7))]


def test_only_what_our_own_clients_sent_is_handed_over_early() -> None:
    fixture = joined()
    fixture.take()
    fixture.subscribers.message(message(1))
    fixture.subscribers.flush_own()
    assert fixture.told == []

    fixture.subscribers.message(GroupMessage("g", 1, 2, b"ours", 8))
    fixture.subscribers.flush_own()

    assert fixture.told == [([5], Delivered("g", 2, 1, b"m", 7)), ([5], Delivered("g", 1, 2, b"ours", 8))]
