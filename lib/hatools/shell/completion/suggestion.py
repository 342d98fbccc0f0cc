"""One suggestion. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A word that may come, and what it means."""

    text: str
    meaning: str = ""
