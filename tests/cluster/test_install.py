"""`make install` and `make uninstall`, into a folder that stands for a system."""

import subprocess
from pathlib import Path

import pytest

from tests.support.lab import SOURCE

PREFIX = "/opt/hatools-test"


def make(target: str, destination: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "-C", str(SOURCE), target, f"PREFIX={PREFIX}", f"DESTDIR={destination}"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    destination = tmp_path_factory.mktemp("system")
    done = make("install", destination)
    assert done.returncode == 0, done.stdout + done.stderr
    return destination


def test_every_command_is_installed_and_runs(installed: Path) -> None:
    folder = installed / PREFIX[1:] / "sbin"
    assert {path.name for path in folder.iterdir()} == {path.name for path in (SOURCE / "bin").iterdir()}
    python = installed / PREFIX[1:] / "lib/hatools/venv/bin/python3"
    done = subprocess.run(
        [str(python), "-I", str(folder / "crm_error"), "7"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert (folder / "crm_mon").read_text().startswith(f"#!{PREFIX}/lib/hatools/venv/bin/python3 -IS\n")


def test_units_pages_and_snippets_are_installed(installed: Path) -> None:
    prefix = installed / PREFIX[1:]
    unit = (prefix / "lib/systemd/system/hatools.service").read_text()
    assert f"ExecStart={PREFIX}/sbin/pacemakerd -f" in unit
    assert "pacemakerd --channel" in (prefix / "lib/systemd/system/hatools-channel.service").read_text()
    for name in ("lib/tmpfiles.d/hatools.conf", "lib/sysusers.d/hatools.conf", "share/man/man8/pacemakerd.8"):
        assert (prefix / name).exists()


def test_a_foreign_file_is_not_overwritten_and_is_named(tmp_path: Path) -> None:
    foreign = tmp_path / PREFIX[1:] / "sbin" / "crm_mon"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("somebody else's\n")
    done = make("install", tmp_path)
    assert done.returncode != 0
    assert f"{foreign} belongs to" in done.stderr
    assert foreign.read_text() == "somebody else's\n"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [foreign]


def test_uninstall_removes_what_was_installed_and_nothing_else(installed: Path) -> None:
    kept = installed / PREFIX[1:] / "sbin" / "other"
    kept.write_text("stays\n")
    done = make("uninstall", installed)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [path for path in installed.rglob("*") if path.is_file()] == [kept]
    assert make("uninstall", installed).returncode != 0
