"""systemd units through lrmd, on a private bus with a stand-in for systemd."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hatools.agents.systemd import Systemd
from hatools.values.agentname import AgentName
from hatools.values.result import ExecStatus
from tests.support import requires
from tests.support.executor import SOURCE, RealExecutor, wait_until

BUS_CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path={path}</listen>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/>
<allow send_type="signal"/><allow send_type="method_return"/><allow send_type="error"/>
<allow receive_type="method_call"/><allow receive_type="signal"/><allow receive_type="method_return"/>
<allow receive_type="error"/></policy></busconfig>
"""


@pytest.fixture(params=["with signals", "without signals"])
def units(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A bus with a systemd on it; yields the folder of the units."""
    daemon = requires.program("dbus-daemon", "dbus-daemon")
    folder = tmp_path / "units"
    folder.mkdir()
    for name in ("web.service", "bad.service"):
        (folder / name).write_text("inactive")
    socket = tmp_path / "bus"
    configuration = tmp_path / "bus.conf"
    configuration.write_text(BUS_CONFIGURATION.format(path=socket))
    address = f"unix:path={socket}"
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
    bus = subprocess.Popen([daemon, f"--config-file={configuration}", "--nofork"])
    wait_until(socket.exists, "the bus listens")
    silent = ["--silent"] if request.param == "without signals" else []
    systemd = subprocess.Popen(
        [sys.executable, str(SOURCE / "tests/support/fake_systemd.py"), str(folder), *silent],
        stdout=subprocess.PIPE,
        env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": address},
    )
    assert systemd.stdout is not None
    assert systemd.stdout.readline() == b"ready\n"
    yield folder
    systemd.kill()
    systemd.wait()
    bus.terminate()
    bus.wait()


def test_a_unit_is_started_watched_and_stopped(units: Path, tmp_path: Path) -> None:
    async def go() -> list[int]:
        systemd = Systemd(tmp_path / "drop-ins")
        codes = []
        for operation in ("monitor", "start", "monitor", "stop", "monitor", "stop"):
            codes.append((await systemd.operate(operation, "web")).exit_status)
            drop_in = tmp_path / "drop-ins/web.service.d/50-pacemaker.conf"
            assert drop_in.exists() == (operation == "start" or len(codes) == 3)
        systemd.close()
        return codes

    assert asyncio.run(go()) == [7, 0, 0, 0, 7, 0]


def test_a_unit_that_fails_to_start_has_failed_and_one_that_is_missing_is_not_installed(
    units: Path, tmp_path: Path
) -> None:
    async def go() -> None:
        systemd = Systemd(tmp_path / "drop-ins")
        failed = await systemd.operate("start", "bad")
        assert (failed.exec_status, failed.exit_status) == (ExecStatus.DONE, 1)
        assert (await systemd.operate("monitor", "none")).exit_status == 7
        assert (await systemd.operate("start", "none")).exec_status is ExecStatus.NOT_INSTALLED
        assert (await systemd.operate("stop", "none")).exit_status == 0
        assert await systemd.units() == ["bad", "web"]
        systemd.close()

    asyncio.run(go())


def test_a_probe_waits_until_a_unit_that_is_on_its_way_has_arrived(units: Path, tmp_path: Path) -> None:
    async def go() -> None:
        systemd = Systemd(tmp_path / "drop-ins")
        (units / "web.service").write_text("activating")
        probe = asyncio.ensure_future(systemd.operate("monitor", "web"))
        await asyncio.sleep(0.2)
        assert not probe.done()
        (units / "web.service").write_text("active")
        assert (await probe).exit_status == 0
        systemd.close()

    asyncio.run(go())


def test_lrmd_drives_units_as_class_systemd_and_service(units: Path, tmp_path: Path) -> None:
    executor = RealExecutor(tmp_path)
    executor.start()

    async def go() -> None:
        session = await executor.session()
        assert (await session.run("w", AgentName("systemd", "", "web"), "monitor")).exit_status == 7
        assert (await session.run("s", AgentName("service", "", "web"), "monitor")).exit_status == 7
        (units / "web.service").write_text("active")
        assert (await session.run("w", AgentName("systemd", "", "web"), "monitor")).exit_status == 0
        (units / "web.service").write_text("activating")
        done = await session.run("w", AgentName("systemd", "", "web"), "monitor", timeout_ms=500)
        assert done.exec_status == int(ExecStatus.TIMEOUT)

    try:
        asyncio.run(go())
    finally:
        executor.stop()


def test_without_a_bus_the_failure_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/none")

    async def go() -> None:
        result = await Systemd(tmp_path).operate("start", "web")
        assert result.exec_status is ExecStatus.ERROR
        assert "bus" in result.exit_reason

    asyncio.run(go())
