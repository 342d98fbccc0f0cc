"""Measure the scheduler against recorded decisions of the original: ``make conformance DATA=FOLDER``.

The folder holds ``tests.tsv`` (name, description, extra arguments; a header line) and ``scheduler/`` with the inputs
``xml/NAME.xml`` and the expected ``summary/ dot/ exp/ scores/ stderr/``, as in the ``cts/scheduler`` folder of
Pacemaker's 2.1.5 release.

Each test is two calls of ``crm_simulate``'s own ``main`` in this one process. The tables count the tests that agree in
each of the tiers of :mod:`tests.conformance.tiers`, overall and for each family: the name up to its first separator.
"""

import io
import os
import re
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from types import FrameType

from tabulate import tabulate

from tests.conformance.own_score import has_own_score, run_own_score
from tests.conformance.tiers import TIERS, Output, judge

TIMEOUT_S = 60.0
FAMILY_SIZE = 5
"""Families with fewer tests are counted together: a share of them would say little."""

Main = Callable[[list[str]], int]
Results = dict[str, tuple[bool, ...]]


@dataclass(frozen=True)
class Case:
    """One recorded test."""

    name: str
    arguments: tuple[str, ...]

    @property
    def family(self) -> str:
        return re.split(r"[-_]", self.name)[0]


def main(argv: list[str]) -> int:
    """Run the tests of a folder (optionally only those whose names match shell patterns) and print the tables."""
    if not argv:
        print("usage: python -m tests.conformance.recorded FOLDER [PATTERN...]", file=sys.stderr)
        return 64
    folder = Path(argv[0])
    if has_own_score(folder):
        run_own_score(folder, argv[1:])
    cases = [case for case in read_cases(folder / "tests.tsv") if _wanted(case.name, argv[1:])]
    os.environ |= {"LC_ALL": "C", "TZ": os.environ.get("TZ", "UTC")}
    time.tzset()
    began = time.monotonic(), time.process_time()
    from hatools.cli.crm_simulate import main as crm_simulate

    results: Results = {}
    judging_s = 0.0
    for number, case in enumerate(cases, 1):
        if sys.stderr.isatty():
            print(f"\r{number}/{len(cases)} {case.name:<50}", end="", file=sys.stderr, flush=True)
        produced = produce(crm_simulate, folder, case)
        started = time.process_time()
        results[case.name] = judge(expected(folder / "scheduler", case.name), produced)
        judging_s += time.process_time() - started
    wall_s, cpu_s = time.monotonic() - began[0], time.process_time() - began[1] - judging_s
    print_tables(cases, results)
    print(
        f"\nwhole suite: {cpu_s:.1f} s on one core, in-process ({2 * len(cases)} runs of crm_simulate; "
        f"{judging_s:.1f} s more to compare; {wall_s:.1f} s on the clock)"
    )
    return 0 if all(all(result[:4]) for result in results.values()) else 1


def _wanted(name: str, patterns: list[str]) -> bool:
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


def read_cases(path: Path) -> list[Case]:
    """Return the tests that the list names."""
    rows = (line.split("\t") for line in path.read_text().splitlines()[1:])
    return [Case(row[0], tuple(shlex.split(row[2])) if len(row) > 2 else ()) for row in rows]


def expected(folder: Path, name: str) -> Output:
    """Return the recorded outputs of a test; a missing file is an empty one."""
    return Output(*(_read(folder / kind / f"{name}.{kind}") for kind in ("summary", "dot", "exp", "scores", "stderr")))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""


def produce(crm_simulate: Main, folder: Path, case: Case) -> Output:
    """Run a test's two commands."""
    source = str(folder / "scheduler" / "xml" / f"{case.name}.xml")
    with tempfile.TemporaryDirectory(prefix="hatools-conformance-") as work:
        os.environ["CIB_shadow_dir"] = work
        dot, graph = Path(work, "dot"), Path(work, "graph")
        summary, scores, errors = io.StringIO(), io.StringIO(), io.StringIO()
        call(crm_simulate, ["-x", source, "-S"], summary, summary)
        words = ["-x", source, "-D", str(dot), "-G", str(graph), "-sSQ", *case.arguments]
        call(crm_simulate, words, scores, errors)
        return Output(summary.getvalue(), _read(dot), _read(graph), scores.getvalue(), errors.getvalue())


def call(function: Main, argv: list[str], stdout: io.StringIO, stderr: io.StringIO) -> None:
    """Call a command's main with its streams in memory; a call that takes too long is a difference, not a hang."""
    with redirect_stdout(stdout), redirect_stderr(stderr):
        try:
            with _time_limit(TIMEOUT_S):
                function(argv)
        except SystemExit:
            pass  # Tests compare what was said, and the original's runner ignores how it ended, too.
        except TimeoutError:
            print(f"not finished after {TIMEOUT_S:.0f} s")


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def print_tables(cases: list[Case], results: Results) -> None:
    """Print the tiers, the families, and the tests that differ anywhere."""
    total = len(cases)
    tiers = []
    for position, tier in enumerate(TIERS):
        equal = sum(result[position] for result in results.values())
        tiers.append((tier, f"{equal}/{total}", f"{100 * equal / max(total, 1):.1f} %"))
    _print(tiers, ("tier", "equal", "share"))
    _print(_family_rows(cases, results), ("family", "tests", *(tier.split()[0] for tier in TIERS)))
    differing = [
        (name, " ".join(tier.split()[0] for tier, good in zip(TIERS, result, strict=True) if not good))
        for name, result in results.items()
        if not all(result)
    ]
    if differing:
        _print(differing, ("test", "differs in"))


def _family_rows(cases: list[Case], results: Results) -> list[tuple[object, ...]]:
    families: dict[str, list[str]] = {}
    for case in cases:
        families.setdefault(case.family, []).append(case.name)
    shown = {family: names for family, names in sorted(families.items()) if len(names) >= FAMILY_SIZE}
    rest = [name for family, names in families.items() if family not in shown for name in names]
    if rest:
        shown[f"{len(families) - len(shown)} families of fewer than {FAMILY_SIZE}"] = rest
    return [
        (family, len(names), *(sum(results[name][tier] for name in names) for tier in range(len(TIERS))))
        for family, names in shown.items()
    ]


def _print(rows: Sequence[Sequence[object]], head: Sequence[str]) -> None:
    print(f"\n{tabulate(rows, headers=head, tablefmt='pipe')}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
