"""How fast commands start: beside Python's bare start, and beside the original's commands."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.table import Figure, median, print_table

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
    ("crm status", ["crm", "status"], 3.0),
)
"""Shell commands, and how many times faster than crmsh they must be."""


def milliseconds(command: list[str], environment: dict[str, str]) -> float:
    """Return the median time of a command's whole process, after one run that does not count."""
    times = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        times.append((time.perf_counter() - began) * 1000)
    return median(times[1:])


def run() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        cib = Path(folder, "cib.xml")
        cib.write_text(CIB.format(resources="".join(PRIMITIVE.format(n=n) for n in range(20))))
        environment = dict(os.environ) | {"CIB_file": str(cib), "HOME": folder, "TMPDIR": folder}
        bare = milliseconds([sys.executable, "-c", "pass"], environment)
        figures = [Figure("python's bare start", bare, "ms")]
        for title, words, extra in COMMANDS:
            ours, other = _pair(words, environment)
            figures.append(Figure(title, ours, "ms", other, f"<= bare + {extra:g} ms", ours <= bare + extra))
        for title, words, factor in SHELL:
            ours, other = _pair(words, environment)
            ok = None if other is None else ours * factor <= other
            figures.append(Figure(title, ours, "ms", other, f"{factor:g} times faster", ok))
        print_table("Commands: whole process, median", figures)


def _pair(words: list[str], environment: dict[str, str]) -> tuple[float, float | None]:
    ours = milliseconds([str(BIN / words[0]), *words[1:]], environment)
    original = shutil.which(words[0], path="/usr/sbin:/usr/bin")
    return ours, milliseconds([original, *words[1:]], environment) if original else None
