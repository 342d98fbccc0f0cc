"""The man pages made from the commands' options are current (``packaging/man_pages.py``)."""

import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]


def test_the_generated_pages_are_current() -> None:
    done = subprocess.run(
        [sys.executable, str(SOURCE / "packaging" / "man_pages.py"), "--check"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
