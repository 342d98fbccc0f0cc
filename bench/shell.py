"""How fast the crm shell answers: a long configuration read and shown, completion on a large one, crm_mon's view."""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.table import Figure, print_table

LINES = (1250, 2500, 5000)
RESOURCES = 1000
ROUNDS = 5
COMPLETIONS = (
    ("resource stop ", "ids of resources"),
    ("node standby ", "nodes"),
    ("configure delete r5", "ids of objects"),
    ("configure primitive x ocf:heartbeat:", "agents with descriptions"),
    ("configure primitive x ocf:pacemaker:Dummy params ", "parameters with descriptions and defaults"),
    ("configure primitive x ocf:pacemaker:Dummy op ", "operations with advised timeouts"),
    ("configure property ", "properties"),
    ("configure group g r9", "resources that are free"),
)


def configuration(lines: int) -> str:
    """Return a configuration of about so many lines in the crm language."""
    text = ["node 1: n1", "node 2: n2"]
    count = number = 0
    while count < lines - 2:
        text.append(
            f"primitive r{number} ocf:heartbeat:IPaddr2 \\\n\tparams ip=10.0.{number // 250}.{number % 250} \\\n"
            "\tmeta target-role=Started \\\n\top monitor interval=10s timeout=20s"
        )
        text.append(f"location l{number} r{number} 100: n1")
        if number % 3 == 1:
            text.append(f"order o{number} Mandatory: r{number - 1} r{number}")
        if number % 3 == 2:
            text.append(f"colocation c{number} inf: r{number} r{number - 1}")
        count += 5 + (number % 3 > 0)
        number += 1
    return "\n".join(text)


def best(measured: Callable[[], object]) -> float:
    """Return the shortest of some times of the processor, in milliseconds: other work on the machine is not ours."""
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        measured()
        times.append((time.process_time() - began) * 1000)
    return min(times)


def run() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        saved = dict(os.environ)
        os.environ.update(CIB_file=str(Path(folder, "cib.xml")), HOME=folder, TERM="dumb")
        try:
            print_table("Shell: reading and showing, processor time, best of several", _language(Path(folder)))
            print_table(f"Shell: completion, {RESOURCES} resources, processor time, best", _completion(Path(folder)))
        finally:
            os.environ.clear()
            os.environ.update(saved)


def _cib(resources: int) -> str:
    from bench.commands import CIB, PRIMITIVE

    return CIB.format(resources="".join(PRIMITIVE.format(n=n) for n in range(resources)))


def _load(text: str) -> Callable[[], None]:
    """Return what reads a text into an empty configuration and shows it."""
    from hatools.shell.selection import Selection
    from hatools.shell.session import Session

    def load() -> None:
        session = Session()
        assert Selection(session, []).take_over(text, remove=False)

    return load


def _language(folder: Path) -> list[Figure]:
    from hatools.shell.selection import Selection
    from hatools.shell.session import Session

    (folder / "cib.xml").write_text(_cib(0).replace('<node id="1" uname="node1"/><node id="2" uname="node2"/>', ""))
    figures = []
    times = []
    for lines in LINES:
        text = configuration(lines)
        times.append(best(_load(text)))
        figures.append(Figure(f"parse {text.count(chr(10)) + 1} lines", times[-1], "ms"))
    figures[-1] = Figure(figures[-1].name, times[-1], "ms", None, "<= 3000 ms", times[-1] <= 3000)
    growth = times[-1] / times[0] / (LINES[-1] / LINES[0])
    figures.append(Figure("the same, per line of a quarter", growth, "times", None, "<= 1.25", growth <= 1.25))
    session = Session()
    assert Selection(session, []).take_over(configuration(LINES[-1]), remove=False)
    everything = Selection(session, [])
    shown = best(everything.text)
    figures.append(Figure(f"show {LINES[-1]} lines", shown, "ms", None, "<= 1000 ms", shown <= 1000))
    return figures


def _completion(folder: Path) -> list[Figure]:
    from hatools.shell.agents import metadata
    from hatools.shell.completion import suggest
    from hatools.shell.levels.root import Root
    from hatools.shell.session import Session

    (folder / "cib.xml").write_text(_cib(RESOURCES))

    def first() -> None:
        assert len(suggest(Session(), Root, "resource stop ")) == 500

    took = best(first)
    figures = [Figure("the first answer, reading the CIB", took, "ms", None, "<= 50 ms", took <= 50)]
    session = Session()
    for line, title in COMPLETIONS:
        metadata.cache_clear()
        assert suggest(session, Root, line), line
        took = best(lambda line=line: suggest(session, Root, line))  # type: ignore[misc]
        figures.append(Figure(f"{title} (`{line.strip()} TAB`)", took, "ms", None, "<= 50 ms", took <= 50))
    return figures
