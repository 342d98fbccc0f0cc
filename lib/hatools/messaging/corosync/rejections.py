"""Datagrams that were ignored: counted, and worth one line of the log per peer and cause. Pure."""

import re

from hatools.values.records import dataclass, field

_MOST = 1000
"""Pairs of peer and cause that are kept apart; an attacker may make up any number of them."""
_NUMBERS = re.compile(r"\d+")


@dataclass(slots=True)
class Rejections:
    """What was ignored so far.

    A cause with other numbers in it is the same cause; the text of the first is kept.
    """

    total: int = 0
    by_cause: dict[tuple[str, str], int] = field(default_factory=dict)
    _texts: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    _is_full: bool = False

    def note(self, source: str, cause: str) -> str:
        """Count a datagram; return what the log should say about it, usually nothing.

        Args:
            source: the sender's address; a port behind it does not make it another peer.
        """
        self.total += 1
        peer = source.rpartition(":")[0] if source.count(":") != 0 and not source.startswith("node ") else source
        key = (peer, _NUMBERS.sub("#", cause))
        text = self._texts.get(key)
        if text is not None:
            self.by_cause[text] += 1
            return ""
        if len(self.by_cause) >= _MOST:
            was_full, self._is_full = self._is_full, True
            return "" if was_full else f"ignored datagrams of more than {_MOST} kinds; further ones are counted only"
        self._texts[key] = (peer, cause)
        self.by_cause[peer, cause] = 1
        return f"ignored a datagram from {source}: {cause}"
