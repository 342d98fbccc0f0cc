"""Why the DC must not calculate a transition yet. Pure.

Each hold names what is waited for and, where that may never come, until when. There are no fixed waits: a hold is
released by the event it waits for, its deadline only bounds that.
"""


class Holds:
    """The reasons to wait, each with its deadline (monotonic seconds; None: until released)."""

    def __init__(self) -> None:
        self._holds: dict[str, float | None] = {}

    def __bool__(self) -> bool:
        return bool(self._holds)

    def __contains__(self, reason: object) -> bool:
        return reason in self._holds

    @property
    def reasons(self) -> tuple[str, ...]:
        return tuple(self._holds)

    @property
    def deadline(self) -> float | None:
        """When the first bounded hold ends."""
        return min((due for due in self._holds.values() if due is not None), default=None)

    def add(self, reason: str, deadline: float | None = None) -> None:
        """Wait for this; a hold that is there already keeps the earlier deadline."""
        self._holds.setdefault(reason, deadline)

    def release(self, reason: str) -> bool:
        """End a hold; return whether it was there."""
        return self._holds.pop(reason, -1.0) != -1.0

    def release_matching(self, prefix: str) -> None:
        """End all holds that begin so."""
        for reason in [reason for reason in self._holds if reason.startswith(prefix)]:
            del self._holds[reason]

    def expire(self, now: float) -> list[str]:
        """End the holds whose time is up and return them."""
        over = [reason for reason, due in self._holds.items() if due is not None and due <= now]
        for reason in over:
            del self._holds[reason]
        return over

    def clear(self) -> None:
        self._holds.clear()
