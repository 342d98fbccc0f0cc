"""Tables are listed in the order in which Pacemaker 2.1.5 lists them (seen with ``crm_ticket --details``)."""

from hatools.values.glibhash import hash_order


def test_attributes_of_a_ticket_come_in_the_originals_order() -> None:
    names = ["z", "owner", "b", "granted", "last-granted", "expires", "a", "foo"]
    assert hash_order(names) == ["granted", "a", "foo", "z", "owner", "expires", "b", "last-granted"]


def test_the_order_of_arrival_does_not_matter_without_collisions() -> None:
    assert hash_order(["ticketA", "ticketD", "ticketB"]) == hash_order(["ticketB", "ticketA", "ticketD"])


def test_a_table_that_grew_still_holds_everything_once() -> None:
    names = [f"key{number}" for number in range(500)]
    assert sorted(hash_order([*names, *names])) == sorted(names)
