"""Measure the scheduler against recorded decisions of the original: ``make conformance DATA=FOLDER``.

The folder holds ``tests.tsv`` (name, description, extra arguments; a header line) and ``scheduler/`` with the inputs
``xml/NAME.xml`` and the expected ``summary/ dot/ exp/ scores/ stderr/``, as in the ``cts/scheduler`` folder of
Pacemaker's 2.1.5 release.
Each test is two runs of ``crm_simulate`` in a forked child of one process that has it imported. Five tiers are counted,
from what matters most to byte for byte:

    T1  what was decided: transition summary and the status after it
    T2  the graph as dot, as a set of lines
    T3  scores, sorted
    T4  the transition graph, without its numbering
    T5  everything the original's own runner compares
"""

import os
import re
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

TIMEOUT_S = 60.0
TIERS = ("T1 decisions", "T2 dot", "T3 scores", "T4 graph", "T5 exact")

_OLD_WORDS = (
    (re.compile(r"ocf::"), "ocf:"),
    (re.compile(r"Masters:"), "Promoted:"),
    (re.compile(r"Slaves:"), "Unpromoted:"),
    (re.compile(r" Master( |\[|$)"), r" Promoted\1"),
    (re.compile(r" Slave "), " Unpromoted "),
)
_DECIDED = ("Transition Summary", "Revised Cluster Status")
_HEADINGS = ("Current cluster status", "Executing Cluster Transition", *_DECIDED)
_VOLATILE = re.compile(r'crm_feature_set="[^"]*"|batch-limit="[0-9]*"')


@dataclass(frozen=True)
class Output:
    """What one test printed and wrote."""

    summary: str
    dot: str
    graph: str
    scores: str
    stderr: str


@dataclass(frozen=True)
class Case:
    """One recorded test."""

    name: str
    arguments: tuple[str, ...]

    @property
    def family(self) -> str:
        return re.split(r"[-_]", self.name)[0]


def main(argv: list[str]) -> int:
    """Run the tests of a folder (optionally only those whose names match shell patterns) and print the table."""
    if not argv:
        print("usage: python -m tests.conformance.recorded FOLDER [PATTERN...]", file=sys.stderr)
        return 64
    folder = Path(argv[0])
    cases = [case for case in read_cases(folder / "tests.tsv") if _wanted(case.name, argv[1:])]
    from hatools.cli.crm_simulate import main as crm_simulate

    os.environ |= {"LC_ALL": "C", "TZ": os.environ.get("TZ", "UTC")}
    time.tzset()
    began = time.monotonic()
    results: dict[str, tuple[bool, ...]] = {}
    for number, case in enumerate(cases, 1):
        results[case.name] = judge(expected(folder / "scheduler", case.name), produce(crm_simulate, folder, case))
        if sys.stderr.isatty():
            print(f"\r{number}/{len(cases)} {case.name:<50}", end="", file=sys.stderr, flush=True)
    print_table(cases, results, time.monotonic() - began)
    return 0 if all(all(result[:4]) for result in results.values()) else 1


def read_cases(path: Path) -> list[Case]:
    """Return the tests that the list names."""
    rows = (line.split("\t") for line in path.read_text().splitlines()[1:])
    return [Case(row[0], tuple(shlex.split(row[2])) if len(row) > 2 else ()) for row in rows]


def _wanted(name: str, patterns: list[str]) -> bool:
    from fnmatch import fnmatchcase

    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


def expected(folder: Path, name: str) -> Output:
    """Return the recorded outputs of a test; a missing file is an empty one."""

    def text(kind: str) -> str:
        path = folder / kind / f"{name}.{kind}"
        return path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""

    return Output(text("summary"), text("dot"), text("exp"), text("scores"), text("stderr"))


def produce(crm_simulate: Callable[[list[str]], int], folder: Path, case: Case) -> Output:
    """Run a test's two commands."""
    source = str(folder / "scheduler" / "xml" / f"{case.name}.xml")
    with tempfile.TemporaryDirectory(prefix="hatools-conformance-") as work:
        os.environ["CIB_shadow_dir"] = work
        files = {name: Path(work, name) for name in ("summary", "dot", "graph", "scores", "stderr")}
        call(crm_simulate, ["-x", source, "-S"], files["summary"], files["summary"])
        words = ["-x", source, "-D", str(files["dot"]), "-G", str(files["graph"]), "-sSQ", *case.arguments]
        call(crm_simulate, words, files["scores"], files["stderr"])
        texts = {
            name: path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""
            for name, path in files.items()
        }
    return Output(**texts)


def call(function: Callable[[list[str]], int], argv: list[str], stdout: Path, stderr: Path) -> None:
    """Call a command's main in a child whose streams go to files; it has a bounded time."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        status = 70
        try:
            for path, number in ((stdout, 1), (stderr, 2)):
                os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), number)
            status = function(argv) or 0
            sys.stdout.flush()
            sys.stderr.flush()
        except SystemExit as leaving:
            sys.stdout.flush()
            status = leaving.code if isinstance(leaving.code, int) else 1
        finally:
            os._exit(status)
    deadline = time.monotonic() + TIMEOUT_S
    while os.waitpid(child, os.WNOHANG)[0] == 0:
        if time.monotonic() > deadline:
            os.kill(child, 9)
            os.waitpid(child, 0)
            return
        time.sleep(0.002)


def judge(wanted: Output, got: Output) -> tuple[bool, ...]:
    """Say for each tier whether the outputs agree; white space never counts."""
    views: tuple[Callable[[Output], Iterable[str]], ...] = (
        lambda output: decisions(output.summary),
        lambda output: sorted(set(output.dot.splitlines())),
        lambda output: sorted(output.scores.splitlines()),
        lambda output: numberless(output.graph),
    )
    tiers = [_squeezed(view(wanted)) == _squeezed(view(got)) for view in views]
    exact = (
        _squeezed(modern(wanted.summary)) == _squeezed(modern(got.summary))
        and tiers[1]
        and tiers[2]
        and _squeezed(_VOLATILE.sub("", wanted.graph).splitlines())
        == _squeezed(_VOLATILE.sub("", got.graph).splitlines())
        and _squeezed(wanted.stderr.splitlines()) == _squeezed(got.stderr.splitlines())
    )
    return (*tiers, exact)


def _squeezed(lines: Iterable[str]) -> list[str]:
    return [text for line in lines if (text := "".join(line.split()))]


def modern(summary: str) -> list[str]:
    """Return the lines of a summary with words of older releases replaced."""
    lines = summary.splitlines()
    for pattern, replacement in _OLD_WORDS:
        lines = [pattern.sub(replacement, line) for line in lines]
    return lines


def decisions(summary: str) -> list[str]:
    """Return the lines of the sections that tell what was decided."""
    kept: list[str] = []
    section = ""
    for line in modern(summary):
        heading = line.rstrip().rstrip(":")
        if heading in _HEADINGS:
            section = heading
        if section in _DECIDED:
            kept.append(line)
    return kept


def numberless(graph: str) -> list[str]:
    """Return a graph as sorted texts, one a synapse, in which actions have no numbers."""
    try:
        root = ElementTree.fromstring(_VOLATILE.sub("", graph))
    except ElementTree.ParseError:
        return ["no graph"]
    synapses = sorted(_text(synapse, hidden=frozenset({"id"})) for synapse in root)
    head = sorted(item for item in root.items() if item[0] != "transition_id")
    return [str(head), *synapses]


def _text(element: ElementTree.Element, hidden: frozenset[str] = frozenset()) -> str:
    is_action = element.tag in ("rsc_op", "pseudo_event", "crm_event")
    left_out = hidden | {"id"} if is_action else hidden
    attributes = "".join(f" {name}={value!r}" for name, value in sorted(element.items()) if name not in left_out)
    return f"<{element.tag}{attributes}>{''.join(sorted(_text(child) for child in element))}"


def print_table(cases: list[Case], results: dict[str, tuple[bool, ...]], seconds: float) -> None:
    """Print the counts of each tier, the families below the rest, and the tests that fail."""
    total = len(cases)
    print(f"\n| tier | equal of {total} | share |\n|---|---|---|")
    for position, tier in enumerate(TIERS):
        equal = sum(result[position] for result in results.values())
        print(f"| {tier} | {equal} | {100 * equal / max(total, 1):.1f} % |")
    print(f"\n{seconds:.0f} s for {total} tests")
    families: dict[str, list[str]] = {}
    for case in cases:
        families.setdefault(case.family, []).append(case.name)
    for family, names in sorted(families.items()):
        good = sum(all(results[name][:4]) for name in names)
        if len(names) >= 5 and good < 0.9 * len(names):
            print(f"family {family}: {good} of {len(names)}")
    for case in cases:
        missed = [tier.split()[0] for tier, good in zip(TIERS, results[case.name], strict=True) if not good]
        if missed:
            print(f"{case.name}: {' '.join(missed)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
