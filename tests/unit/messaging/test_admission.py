"""Who may be in one view."""

from hatools.messaging.admission import misfits, refusal
from hatools.messaging.groups import Card
from hatools.messaging.views import Expelled, Remark


def test_who_has_to_go_is_decided_alike_everywhere() -> None:
    def card(node: int, style: str, *, established: bool) -> Card:
        return Card(node, f"n{node}", frozenset(), {"style": style, "established": established})

    def strangers(*cards: Card) -> frozenset[int]:
        return misfits({card.node: card for card in cards})

    assert strangers(card(1, "a", established=False), card(2, "a", established=False)) == set()
    assert strangers(card(1, "b", established=False), card(2, "a", established=True)) == {1}
    assert strangers(card(1, "b", established=False), card(2, "a", established=False)) == {2}
    assert strangers(*(card(node, "ab"[node > 1], established=False) for node in (1, 2, 3))) == {1}


def test_who_has_to_go_is_told_why_and_the_others_are_told_who() -> None:
    cards = {
        1: Card(1, "one", frozenset(), {"style": "corosync", "protocol": 2}),
        2: Card(2, "two", frozenset(), {"style": "corosync", "protocol": 3}),
    }

    told, heard = refusal(cards, frozenset({2}), 2), refusal(cards, frozenset({2}), 1)

    assert isinstance(told, Expelled) and "corosync, protocol 2, ours corosync, protocol 3" in told.reason
    assert isinstance(heard, Remark) and "refused: two (corosync, protocol 3)" in heard.text
