"""What ``crm resource why`` proposes can be run as it stands, and does away with what it named.

Commands that change the CIB are run on a file with the installed programs of this project; the scheduler then decides
again. Those that act on a live cluster are run, too, which shows that they are well-formed, and what the cluster would
do is done by hand.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hatools.scheduler.model.action import ActionFlag
from hatools.scheduler.reasons import Explanation, explain
from hatools.scheduler.schedule import Schedule
from hatools.values.role import Role
from tests.unit.scheduler.clusters import decide
from tests.unit.scheduler.test_reasons import CAUSES

BIN = Path(__file__).resolve().parents[2] / "bin"

AFTERWARDS = {
    "banned everywhere": "d@node1",
    "banned by a command": "d@node1",
    "a member of a group banned by a command": "d@node1",
    "banned by a rule": "d@node1",
    "with a stopped resource": "d@node1",
    "after a stopped resource": "d@node2",
    "no quorum": "d@node1",
    "no fencing device": "d@node1",
    "no ticket": "d@node1",
    "meant to be stopped": "d@node1",
    "all stopped": "d@node1",
    "unmanaged": "d@node1",
    "maintenance mode": "d@node1",
    "failed too often": "d@node1",
    "cannot run there": "d@node1",
    "standby": "d@node1",
    "no capacity": "d@node1",
    "not allowed": "d@node1",
    "unhealthy": "d@node1",
    "stopped member before it": "d@node1",
    "enough instances": "d:0@node1 d:1@node2",
    "too many for the nodes": "d:0@node1 d:1@node2 d:2@node1",
    "not promoted": "d:0@node1 promoted d:1@node2",
    "promoted elsewhere": "d:0@node1 promoted d:1@node2 promoted",
    "elsewhere": "d@node2",
    "stays": "d@node2",
    "stays with another": "d@node2",
    "standby after a failure": "d@node1",
}
"""Where the resource runs once the command was run (causes whose end may leave it where it is are not here)."""


def without_history(text: str) -> str:
    """Do what a cleanup does: forget operations and fail counts; what ran is found again."""
    text = re.sub(r"<lrm_resource .*?</lrm_resource>", "", text)
    return re.sub(r'<nvpair id="[^"]*" name="(fail-count|last-failure)-[^>]*>', "", text)


LIVE: dict[str, Callable[[str], str]] = {
    "crm resource cleanup d": without_history,
    "crm resource cleanup d node1": without_history,
    "crm node online node1": lambda text: re.sub(r'(<nvpair id="i1-s" name="standby" value=)"on"', r'\1"off"', text),
    "crm cluster start node2": lambda text: (
        text.replace('in_ccm="false"', 'in_ccm="true"').replace('"offline"', '"online"').replace('"down"', '"member"')
    ),
}
"""What a running cluster makes of commands."""


def proposal(text: str, resource: str, node: str | None, cause: str, evidence: str) -> Explanation:
    """Return the explanation of a cause; where it sends the reader to another resource, that one's."""
    lines = explain(decide(text), resource, node)
    line = next(each for each in lines if each.cause.value == cause and evidence in each.evidence)
    if line.suggestion.startswith("crm resource why "):
        first = explain(decide(text), line.suggestion.split()[-1])[0]
        return proposal(text, first.resource, None, first.cause.value, first.evidence)
    return line


def run(command: str, cib: Path) -> subprocess.CompletedProcess[str]:
    """Run a command line on a CIB file."""
    environment = dict(os.environ, CIB_file=str(cib), PATH=f"{BIN}:{Path(sys.executable).parent}:{os.environ['PATH']}")
    return subprocess.run(
        shlex.split(command), env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def picture(decided: Schedule) -> str:
    """Say where ``d`` (each instance of it) will run."""
    found = decided.plan.find_resource("d", any_instance=True)
    assert found is not None
    places = []
    for each in found.top.descendants():
        if each.xml_id != "d" or each.assigned_to is None or not _runs(decided, each.id):
            continue
        role = " promoted" if each.next_role is Role.PROMOTED else ""
        places.append(f"{each.id}@{each.assigned_to.name}{role}")
    return " ".join(places)


def _runs(decided: Schedule, identifier: str) -> bool:
    resource = decided.plan.find_resource(identifier)
    assert resource is not None
    starts = [action for action in resource.actions if action.task == "start" and action.node is resource.assigned_to]
    return bool(resource.running_on) or any(action.flags & ActionFlag.RUNNABLE for action in starts)


@pytest.mark.parametrize("name", [name for name, (_, _, (_, _, command)) in CAUSES.items() if command])
def test_the_proposed_command_does_away_with_the_cause(name: str, tmp_path: Path) -> None:
    text, node, (cause, evidence, _) = CAUSES[name]
    proposed = proposal(text, "d", node, cause, evidence)
    cib = tmp_path / "cib.xml"
    cib.write_text(text)
    done = run(proposed.suggestion, cib)
    assert not re.search(r"[Ss]yntax|usage:|Usage:|No such command|Traceback", done.stdout + done.stderr), done
    effect = LIVE.get(proposed.suggestion)
    if effect is None:
        assert done.returncode == 0, done
        changed = cib.read_text()
    else:
        changed = effect(text)
    assert changed != text
    decided = decide(changed)
    left = [(line.cause, line.evidence, line.text) for line in explain(decided, proposed.resource, node)]
    assert (proposed.cause, proposed.evidence, proposed.text) not in left
    if name in AFTERWARDS:
        assert picture(decide(text)) != AFTERWARDS[name]
        assert picture(decided) == AFTERWARDS[name]
