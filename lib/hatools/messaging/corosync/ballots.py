"""A node's ballot as facts on its card, and back. Pure."""

from collections.abc import Mapping

from hatools.messaging.corosync.votequorum import Ballot, DeviceState
from hatools.messaging.groups import Facts


def facts_of(ballot: Ballot) -> Facts:
    """Return what the card says about votes and quorum."""
    facts: Facts = {
        "votes": ballot.votes,
        "expected_votes": ballot.expected_votes,
        "waiting": ballot.waiting,
        "was_quorate": ballot.was_quorate,
        "last_quorate": " ".join(map(str, sorted(ballot.last_quorate))),
        "quorate_in": ballot.quorate_in,
    }
    if ballot.device is not None:
        facts |= device_facts(ballot.device)
    return facts


def device_facts(device: DeviceState | None) -> Facts:
    """Return what the card says about the quorum device; without one, that there is none."""
    if device is None:
        return {"device": False}
    return {
        "device": True,
        "device_alive": device.is_alive,
        "device_casts": device.casts_vote,
        "master_wins": device.master_wins,
    }


def ballot_of(facts: Mapping[str, int | str | bool]) -> Ballot:
    """Return the ballot on a card; what is missing or of a wrong kind counts nothing."""
    words = facts.get("last_quorate", "")
    last = frozenset(int(word) for word in words.split() if word.isdecimal()) if isinstance(words, str) else frozenset()
    device = None
    if facts.get("device"):
        alive, casts = bool(facts.get("device_alive")), bool(facts.get("device_casts"))
        device = DeviceState(alive, casts, bool(facts.get("master_wins")))
    return Ballot(
        number_of(facts, "votes"),
        number_of(facts, "expected_votes"),
        bool(facts.get("waiting")),
        bool(facts.get("was_quorate")),
        last,
        number_of(facts, "quorate_in"),
        device,
    )


def number_of(facts: Mapping[str, int | str | bool], name: str) -> int:
    """Return a fact; one that is missing or no number counts nothing."""
    value = facts.get(name, 0)
    return value if isinstance(value, int) else 0
