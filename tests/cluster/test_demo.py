"""The demonstration, scripted as ``make demo-check`` plays it."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.lab import SOURCE


def test_the_demo_survives_the_death_of_the_node_that_serves(tmp_path: Path) -> None:
    def crm_lab(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(SOURCE / "bin" / "crm"), "lab", *words],
            env=dict(os.environ) | {"HATOOLS_LAB": str(tmp_path / "lab")},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    try:
        done = crm_lab("demo", "--check")
    finally:
        if (tmp_path / "lab").exists():
            crm_lab("stop")
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "demo: passed" in done.stdout
    assert not (tmp_path / "lab").exists()
