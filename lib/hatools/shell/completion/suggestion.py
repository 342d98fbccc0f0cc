"""One suggestion. Pure."""

from hatools.values.records import dataclass


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A word that may come, and what it means."""

    text: str
    meaning: str = ""
