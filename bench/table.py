"""How benchmarks print: one row a figure, ours beside the original's where it was measured in the same run."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured thing. ``goal`` is the wanted bound as text; ``ok`` None where there is none."""

    name: str
    ours: float
    unit: str
    original: float | None = None
    goal: str = ""
    ok: bool | None = None

    def row(self) -> tuple[str, str, str, str, str, str]:
        """Return name, ours, original, ratio, goal and verdict as text."""
        verdict = "" if self.ok is None else ("met" if self.ok else "missed")
        other = f"{self.original:.3g} {self.unit}" if self.original is not None else "-"
        ratio = f"{self.ours / self.original:.2f}" if self.original else "-"
        return self.name, f"{self.ours:.3g} {self.unit}", other, ratio, self.goal, verdict


def print_table(title: str, figures: Sequence[Figure]) -> None:
    """Print figures as a table that can go into the README as it is."""
    from tabulate import tabulate

    print(f"\n{title}\n")
    headers = ("what", "hatools", "original", "ratio", "goal", "")
    print(tabulate([figure.row() for figure in figures], headers=headers, tablefmt="pipe", disable_numparse=True))
    print(flush=True)


def median(values: Sequence[float]) -> float:
    """Return the median; the plain word in the callers."""
    return statistics.median(values)
