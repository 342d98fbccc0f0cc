"""crm_report on a node whose cluster does not run (options and file names as crm_report(8) of Pacemaker 2.1.5)."""

import os
import tarfile
from pathlib import Path

import pytest

from hatools.cli import crm_report


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    node = tmp_path / "node"
    for folder in ("etc/corosync", "var/lib/pacemaker/cib", "var/lib/pacemaker/pengine", "var/log/pacemaker"):
        (node / folder).mkdir(parents=True)
    (node / "etc/corosync/corosync.conf").write_text("totem { version: 2 }\n")
    (node / "etc/corosync/authkey").write_text("never collected")
    (node / "var/lib/pacemaker/cib/cib.xml").write_text('<cib><nvpair name="passwd" value="s3cret"/></cib>')
    (node / "var/lib/pacemaker/pengine/pe-input-1.bz2").write_bytes(b"x")
    old = node / "var/lib/pacemaker/pengine/pe-input-0.bz2"
    old.write_bytes(b"x")
    os.utime(old, (0, 0))
    monkeypatch.setenv("HATOOLS_ROOT", str(node))
    monkeypatch.setenv("HATOOLS_NODE_NAME", "alpha")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_stopped_node_is_packed_without_its_secrets(root: Path) -> None:
    assert crm_report.main(["-f", "2020-1-1", "-S", "trouble"]) == 0
    with tarfile.open(root / "trouble.tar.bz2") as tar:
        names = {name.removeprefix("trouble/alpha/") for name in tar.getnames()}
        found = tar.extractfile("trouble/alpha/cib.xml")
        assert found is not None
        cib = found.read().decode()
    assert {"STOPPED", "cib.xml", "corosync.conf", "sysinfo.txt", "events.txt", "pengine/pe-input-1.bz2"} <= names
    assert not names & {"authkey", "pengine/pe-input-0.bz2", "RUNNING"}
    assert "s3cret" not in cib
    assert not (root / "trouble").exists()


def test_a_report_never_overwrites_another(root: Path) -> None:
    (root / "trouble").mkdir()
    assert crm_report.main(["-f", "2020-1-1", "-S", "-d", "trouble"]) == 64


def test_a_period_is_needed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert crm_report.main(["-S", "x"]) == 64
    assert "no tests or time ranges" in capsys.readouterr().err
