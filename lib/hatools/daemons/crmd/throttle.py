"""How a loaded machine slows the cluster's recovery down. Pure.

Every controller looks at its machine's load now and then and tells the others when its class has changed. The DC gives
a loaded node fewer jobs at a time, and where one is very loaded all nodes together. Classes, factors and shares are
those of Pacemaker 2.1.5; so is that the load alone never counts as extreme.
"""

from collections.abc import Iterable, Mapping
from enum import IntEnum

INTERVAL_S = 30.0
"""Seconds between two looks at the load."""

DEFAULT_THRESHOLD = 0.8
_SINGLE_CORE = 0.6
"""A load of 1 is too high already for a machine with one core."""


class Throttle(IntEnum):
    """How much a node has to be spared."""

    NONE = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    EXTREME = 4


_FACTORS = ((Throttle.HIGH, 2.0), (Throttle.MEDIUM, 1.6), (Throttle.LOW, 1.2))
_SHARES = {Throttle.LOW: (3, 4), Throttle.MEDIUM: (1, 2), Throttle.HIGH: (1, 4)}


def throttle_of(load: float, cores: int, threshold: float) -> Throttle:
    """Return the class of a load average; ``threshold`` is the share of a core that may be used."""
    normal = _SINGLE_CORE if cores <= 1 else float(cores)
    return next((mode for mode, factor in _FACTORS if load > threshold * normal * factor), Throttle.NONE)


def job_limit(mode: Throttle, most: int) -> int:
    """Return how many jobs a node is given at a time, out of those it could take; 0 means no limit."""
    if mode is Throttle.EXTREME:
        return 1
    if most <= 0 or mode is Throttle.NONE:
        return most
    numerator, denominator = _SHARES[mode]
    return max(1, most * numerator // denominator)


def batch_limit(given: int, modes: Iterable[Throttle], peers: int) -> int:
    """Return how many actions run at a time in the whole cluster; 0 means no limit."""
    limit = given
    for mode in modes:
        part = {Throttle.HIGH: peers // 2, Throttle.EXTREME: peers // 4}.get(mode)
        if part is not None and (limit == 0 or limit > part):
            limit = max(1, part)
    return limit


def configured_threshold(text: str) -> float:
    """Read ``load-threshold``, a percentage."""
    digits = text.strip().removesuffix("%")
    return int(digits) / 100 if digits.isdigit() and int(digits) > 0 else DEFAULT_THRESHOLD


def own_limit(environ: Mapping[str, str]) -> int:
    """Return the limit that a node's environment sets for it, 0 if none."""
    given = (environ.get(name, "") for name in ("PCMK_node_action_limit", "LRMD_MAX_CHILDREN"))
    return next((int(text) for text in given if text.isdigit() and int(text) > 0), 0)


def most_jobs(own: int, option: str, cores: int) -> int:
    """Return how many jobs a node takes: by its own environment, by ``node-action-limit``, or by its cores."""
    configured = int(option) if option.isdigit() else 0
    return own or configured or 2 * cores
