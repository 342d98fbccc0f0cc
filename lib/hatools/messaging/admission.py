"""Who may be in one view: members of one style that speak one protocol. Pure.

Cards tell both. When they differ no view is installed; everybody finds the same ones who have to go, and
whoever was there before stays.
"""

from collections.abc import Mapping

from hatools.messaging.groups import Card
from hatools.messaging.views import Effect, Expelled, Remark, Severity

PROTOCOL = 2
"""Changed when nodes of two versions could not understand what is said inside the groups."""


def misfits(cards: Mapping[int, Card]) -> frozenset[int]:
    """Return the nodes that must go because not all are of one kind.

    The kind stays that most of those who were in a view (fact ``established``) are of, then most of all, then the
    node with the lowest id: so a newcomer never drives out a cluster that works.
    """
    kinds: dict[tuple[object, object], list[Card]] = {}
    for node in sorted(cards):
        kinds.setdefault(_kind(cards[node]), []).append(cards[node])
    if len(kinds) < 2:
        return frozenset()

    def weight(members: list[Card]) -> tuple[int, int, int]:
        established = sum(1 for card in members if card.facts.get("established"))
        return established, len(members), -members[0].node

    staying = max(kinds.values(), key=weight)
    return frozenset(card.node for members in kinds.values() if members is not staying for card in members)


def refusal(cards: Mapping[int, Card], refused: frozenset[int], me: int) -> Effect:
    """Return what follows for us: we go, or we say who has to."""
    if me in refused:
        other = next(card for card in cards.values() if card.node not in refused)
        return Expelled(
            f"the cluster's messaging is {_words(other)}, ours {_words(cards[me])}: "
            "set HATOOLS_MESSAGING alike on every node, with the same version of hatools"
        )
    named = ", ".join(f"{cards[node].name} ({_words(cards[node])})" for node in sorted(refused))
    return Remark(Severity.WARNING, f"refused: {named}; this cluster's messaging is {_words(cards[me])}")


def _kind(card: Card) -> tuple[object, object]:
    return card.facts.get("style"), card.facts.get("protocol")


def _words(card: Card) -> str:
    return f"{card.facts.get('style', 'of an unknown style')}, protocol {card.facts.get('protocol', 'unknown')}"
