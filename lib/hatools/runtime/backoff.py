"""Delays between retries, apart from the waiting itself. Pure."""

from collections.abc import Iterator


def exponential_delays(first_s: float, longest_s: float, factor: float = 2.0) -> Iterator[float]:
    """Yield growing delays in seconds, without end; the caller bounds them by its deadline."""
    delay = first_s
    while True:
        yield delay
        delay = min(delay * factor, longest_s)
