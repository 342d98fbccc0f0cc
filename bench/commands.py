"""What commands cost: beside Python's bare start and beside the original's, on a file and on a lab, one and many."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.table import Figure, median, print_table
from hatools.cib.nvpair import FIRST_PROPERTY_SET
from tests.support.lab import running_lab

ROUNDS = 15
BIN = Path(__file__).resolve().parents[1] / "bin"

CIB = """<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="9" num_updates="3" admin_epoch="0"
 dc-uuid="1" have-quorum="1"><configuration><crm_config/><nodes>
<node id="1" uname="node1"/><node id="2" uname="node2"/></nodes>
<resources>{resources}</resources><constraints/></configuration><status>
<node_state id="1" uname="node1" in_ccm="true" crmd="online" join="member" expected="member"/>
<node_state id="2" uname="node2" in_ccm="true" crmd="online" join="member" expected="member"/></status></cib>"""
PRIMITIVE = '<primitive id="r{n}" class="ocf" provider="pacemaker" type="Dummy"/>'

COMMANDS: tuple[tuple[str, list[str], float], ...] = (
    ("cibadmin -Q", ["cibadmin", "-Q"], 60.0),
    ("crm_attribute", ["crm_attribute", "-t", "crm_config", "-n", "x", "-G", "-d", "y"], 60.0),
    ("crm_resource -l", ["crm_resource", "-l"], 60.0),
    ("crm_mon -1", ["crm_mon", "-1"], 100.0),
)
"""What is run, and how many milliseconds it may take besides Python's bare start."""

SHELL: tuple[tuple[str, list[str], float], ...] = (
    ("crm --version", ["crm", "--version"], 4.0),
    ("crm configure show", ["crm", "configure", "show"], 4.0),
    ("crm status", ["crm", "status"], 4.0),
    ("crm help", ["crm", "help"], 4.0),
)
"""Shell commands, and how many times faster than crmsh they must be."""

WRITES: tuple[tuple[str, list[str]], ...] = (
    ("attribute by attrd_updater", ["attrd_updater", "-n", "bench", "-U", "{}"]),
    ("attribute by crm_attribute", ["crm_attribute", "-N", "node1", "-n", "bench", "-l", "reboot", "-v", "{}"]),
    (
        "configuration by cibadmin -M",
        [
            "cibadmin",
            "-M",
            "-o",
            "crm_config",
            "-X",
            f'<cluster_property_set id="{FIRST_PROPERTY_SET}"><nvpair id="bench" name="bench" value="{{}}"/>'
            "</cluster_property_set>",
        ],
    ),
)
"""Commands that are run one after the other; the braces stand for a number."""

WRITES_GOAL = 30.0
"""What the original was seen to do on an idle machine: 21 to 30 a second."""

LOOP = 40
PORT = 15691


def processor_ms(command: list[str], environment: dict[str, str]) -> float:
    """Return the processor time of a command and its children: other load changes it less than how long it takes."""
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return (used.ru_utime + used.ru_stime) * 1000


def run() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="hatools-bench-") as folder:
        cib = Path(folder, "cib.xml")
        cib.write_text(CIB.format(resources="".join(PRIMITIVE.format(n=n) for n in range(20))))
        environment = dict(os.environ) | {"HOME": folder, "TMPDIR": folder}
        offline = environment | {"CIB_file": str(cib)}
        figures = [*_questions(offline, beside_original=True), *_shell(offline)]
        print_table("Commands on a CIB file: processor time of the whole process, median", figures)
        with running_lab(Path(folder, "lab"), port=PORT) as lab:
            live = environment | lab.lab.environment(lab.lab.node("node2"))
            figures = [*_questions(live, beside_original=False), *_writes(live)]
        print_table("Commands on a lab of 3 nodes", figures)


def _questions(environment: dict[str, str], *, beside_original: bool) -> list[Figure]:
    bare, *_ = _medians([[sys.executable, "-c", "pass"]], environment)
    figures = [Figure("python's bare start", bare, "ms")]
    for title, words, extra in COMMANDS:
        ours, other = _pair(words, environment, beside_original=beside_original)
        figures.append(Figure(title, ours, "ms", other, f"<= bare + {extra:g} ms", ours <= bare + extra))
    return figures


def _shell(environment: dict[str, str]) -> list[Figure]:
    figures = []
    for title, words, factor in SHELL:
        ours, other = _pair(words, environment, rounds=3 if "help" in words else ROUNDS)
        ok = None if other is None else ours * factor <= other
        figures.append(Figure(title, ours, "ms", other, f"{factor:g} times faster", ok))
    return figures


def _writes(environment: dict[str, str]) -> list[Figure]:
    """Return how many writes a second there are when one command follows the other, as in an agent's loop."""
    figures = []
    for title, words in WRITES:
        began = time.perf_counter()
        for number in range(LOOP):
            command = [str(BIN / words[0]), *(word.format(number) for word in words[1:])]
            subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=True)
        rate = LOOP / (time.perf_counter() - began)
        figures.append(Figure(title, rate, "/s", None, f">= {WRITES_GOAL:g} /s", rate >= WRITES_GOAL))
    return figures


def _pair(
    words: list[str], environment: dict[str, str], *, beside_original: bool = True, rounds: int = ROUNDS
) -> tuple[float, float | None]:
    """Return our median and the original's, run in turns."""
    commands = [[str(BIN / words[0]), *words[1:]]]
    original = shutil.which(words[0], path="/usr/sbin:/usr/bin") if beside_original else None
    if original is not None:
        commands.append([original, *words[1:]])
    ours, *others = _medians(commands, environment, rounds)
    return ours, others[0] if others else None


def _medians(commands: list[list[str]], environment: dict[str, str], rounds: int = ROUNDS) -> list[float]:
    """Return the medians of commands that are run in turns, after one turn that does not count."""
    turns = [[processor_ms(command, environment) for command in commands] for _ in range(rounds + 1)]
    return [median(column) for column in zip(*turns[1:], strict=True)]
