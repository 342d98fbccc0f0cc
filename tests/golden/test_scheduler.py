"""Clusters and what the scheduler makes of them: one folder per idea in ``scheduler``.

Each holds ``cib.xml`` with a comment saying what it shows, and the expected ``summary.txt``,
``scores.txt`` and ``graph.xml``. ``--update-golden`` writes them anew: review the difference.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest

from hatools.cib.document import Document
from hatools.scheduler.schedule import Schedule, schedule
from hatools.transition.xml import format_graph, graph_from_xml
from hatools.values.iso8601 import Moment
from hatools.values.role import format_role
from hatools.values.score import format_score

FOLDER = Path(__file__).parent / "scheduler"
CASES = sorted(path.parent.name for path in FOLDER.glob("*/cib.xml"))


def decide(case: str) -> Schedule:
    document = Document.parse((FOLDER / case / "cib.xml").read_bytes())
    return schedule(document, Moment.from_epoch(int(document.root.get("execution-date") or 0)))


def summary(result: Schedule) -> str:
    """Return what changes, what each primitive comes to, and how much there is to do."""
    lines = []
    for line in result.summary:
        text = f"{line.change} {line.resource}"
        text += f" ({line.detail})" if line.detail else ""
        text += f" due to {line.reason}" if line.reason else ""
        lines.append(text + (" - blocked" if line.blocked else ""))
    lines += ["", "then:"]
    for top in result.plan.resources:
        for each in top.descendants():
            if each.is_primitive:
                where = "nowhere" if each.assigned_to is None else each.assigned_to.name
                lines.append(f"  {each.id}: {where} ({format_role(each.next_role)})")
    count = sum(len(synapse.actions) for synapse in result.graph.synapses)
    lines += ["", f"{count} actions", *(f"warning: {each.text}" for each in result.findings)]
    return "\n".join(lines).lstrip("\n") + "\n"


def scores(result: Schedule) -> str:
    return "".join(
        f"{record.stage} {record.resource} {record.node} {format_score(record.score)}\n" for record in result.scores
    )


def outcome(case: str) -> dict[str, str]:
    result = decide(case)
    return {"summary.txt": summary(result), "scores.txt": scores(result), "graph.xml": format_graph(result.graph)}


@pytest.mark.parametrize("case", CASES)
def test_a_cluster_is_decided_as_written_down(case: str, update_golden: bool) -> None:
    found = outcome(case)
    if update_golden:
        for name, text in found.items():
            (FOLDER / case / name).write_text(text, encoding="utf-8")
    expected = {name: (FOLDER / case / name).read_text(encoding="utf-8") for name in found}
    assert found == expected


def test_every_cluster_says_what_it_shows() -> None:
    silent = [case for case in CASES if not (FOLDER / case / "cib.xml").read_text(encoding="utf-8").startswith("<!-- ")]
    assert silent == []


def digest() -> str:
    """Return a digest of all outcomes."""
    texts = [text for case in CASES for text in outcome(case).values()]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def test_the_hash_seed_changes_nothing() -> None:
    root = str(Path(__file__).parents[2])
    program = "from tests.golden.test_scheduler import digest; print(digest())"
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": f"{root}/lib:{root}"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("0", "1", "4711")
    }
    assert found == {digest()}


@pytest.mark.parametrize("case", CASES)
def test_a_graph_is_read_as_it_was_written(case: str) -> None:
    text = (FOLDER / case / "graph.xml").read_text(encoding="utf-8")
    assert format_graph(graph_from_xml(fromstring(text))) == text
