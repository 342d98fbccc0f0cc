"""lrmd with real agents: good ones, bad ones, and its own death."""

import asyncio
import hashlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hatools.ipc.messages.lrm import Execute
from hatools.ipc.messages.session import Ping
from hatools.values.agentname import AgentName
from hatools.values.errors import HatoolsError, InputError, NoSuchObjectError
from hatools.values.result import ExecStatus
from tests.support.executor import RealExecutor, end, is_alive, read_pid, wait_until

SHIPPED_DUMMY = AgentName("ocf", "hatools", "Dummy")


@pytest.fixture
def executor(tmp_path: Path) -> Iterator[RealExecutor]:
    found = RealExecutor(tmp_path)
    found.start()
    yield found
    found.stop()


def test_an_agent_gets_the_whole_environment_and_its_own_process_group(executor: RealExecutor, tmp_path: Path) -> None:
    dump = tmp_path / "environment"
    agent = executor.agent(
        "dump", f'env >{dump}; read -r a b c d pgid rest </proc/self/stat; echo "$$ $pgid"; pwd; umask; exit 0'
    )

    async def go() -> None:
        session = await executor.session()
        done = await session.run(
            "r", agent, "start", parameters={"ip": "1.2.3.4", "CRM_meta_timeout": "20000", "OCF_CHECK_LEVEL": "10"}
        )
        pid, group = done.output.splitlines()[0].split()
        assert pid == group
        assert done.output.splitlines()[1:] == [str(executor.directories.cores), "0026"]

    asyncio.run(go())
    environment = dict(line.partition("=")[::2] for line in dump.read_text().splitlines() if "=" in line)
    expected = {
        "OCF_ROOT": str(executor.ocf),
        "OCF_RESOURCE_INSTANCE": "r",
        "OCF_RESOURCE_TYPE": "dump",
        "OCF_RESOURCE_PROVIDER": "test",
        "OCF_RESKEY_ip": "1.2.3.4",
        "OCF_RESKEY_CRM_meta_timeout": "20000",
        "OCF_CHECK_LEVEL": "10",
        "LC_ALL": "C",
        "PCMK_service": "pacemaker-execd",
        "HATOOLS_ROOT": str(executor.root),
        "HA_RSCTMP": str(executor.root / "run/resource-agents"),
        "HA_VARRUN": str(executor.root / "run"),
        "HATOOLS_NODE_NAME": "node1",
    }
    assert {name: environment.get(name) for name in expected} == expected
    commands = Path(environment["HA_SBIN_DIR"])
    assert (commands / "crm_attribute").exists()
    assert environment["PATH"].startswith(f"{commands}:")


def test_the_shipped_dummy_lives_a_whole_life(executor: RealExecutor) -> None:
    async def go() -> list[int]:
        session = await executor.session()
        operations = ("monitor", "start", "monitor", "reload-agent", "stop", "monitor")
        return [(await session.run("d", SHIPPED_DUMMY, operation)).exit_status for operation in operations]

    assert asyncio.run(go()) == [7, 0, 0, 0, 0, 7]


def test_simple_agents_of_other_providers_are_found_where_the_system_has_none(executor: RealExecutor) -> None:
    async def go() -> list[int]:
        session = await executor.session()
        names = (AgentName("ocf", provider, "Dummy") for provider in ("pacemaker", "heartbeat"))
        return [(await session.run(str(name), name, "start")).exit_status for name in names]

    assert asyncio.run(go()) == [0, 0]


def test_an_agent_that_hangs_is_killed_with_all_its_children(executor: RealExecutor, tmp_path: Path) -> None:
    pids = [tmp_path / "leader", tmp_path / "child"]
    agent = executor.agent(
        "hang", f"trap '' TERM\n(echo $$ >{pids[0]}; exec sleep 300) & echo $! >{pids[1]}; wait; exit 0"
    )

    async def go() -> None:
        session = await executor.session()
        done = await session.run("r", agent, "start", timeout_ms=1000)
        assert (done.exec_status, done.exit_status) == (int(ExecStatus.TIMEOUT), 1)
        assert done.exit_reason.startswith("Resource agent did not complete within ")
        assert 900 <= done.exec_time_ms < 10_000

    asyncio.run(go())
    for path in pids:
        pid = read_pid(path)
        wait_until(lambda pid=pid: not is_alive(pid), f"process {pid} is dead")  # type: ignore[misc]


def test_an_agent_that_is_stopped_by_a_signal_is_killed_all_the_same(executor: RealExecutor) -> None:
    agent = executor.agent("frozen", "kill -STOP $$; exit 0")

    async def go() -> int:
        session = await executor.session()
        return (await session.run("r", agent, "monitor", timeout_ms=500)).exec_status

    assert asyncio.run(go()) == int(ExecStatus.TIMEOUT)


def test_a_flood_of_output_harms_nobody_else(executor: RealExecutor) -> None:
    agent = executor.agent("flood", "yes 'this is a line of noise' >&2")

    async def go() -> None:
        session = await executor.session()
        await session.client.register("r", agent)
        for number in range(3):
            await session.client.register(f"r{number}", agent)
            await session.client.execute(Execute(f"r{number}", "start", timeout_ms=3000))
        slowest = 0.0
        for _ in range(20):
            began = time.monotonic()
            await session.client.connection.request(Ping())
            slowest = max(slowest, time.monotonic() - began)
            await asyncio.sleep(0.05)
        assert slowest < 2.0
        dummy = await session.run("d", SHIPPED_DUMMY, "start")
        assert dummy.exit_status == 0
        done = await session.wait_for(lambda done: done.resource == "r2")
        assert done.exec_status == int(ExecStatus.TIMEOUT)
        assert len(done.output) <= 70_000

    asyncio.run(go())
    assert executor.process is not None
    status = Path(f"/proc/{executor.process.pid}/status").read_text()
    resident_kb = int(status.partition("VmRSS:")[2].split()[0])
    assert resident_kb < 150_000


def test_the_last_reason_and_the_end_of_long_output_are_kept(executor: RealExecutor) -> None:
    agent = executor.agent(
        "talk",
        "echo ocf-exit-reason:first >&2; seq 1 100000 >&2; echo ocf-exit-reason:second >&2\n"
        "printf '\\377\\n' >&2; exit 1",
    )

    async def go() -> None:
        session = await executor.session()
        done = await session.run("r", agent, "start")
        assert (done.exit_status, done.exit_reason) == (1, "second")
        assert "100000" in done.output

    asyncio.run(go())


def test_a_reason_is_kept_however_much_is_printed_after_it(executor: RealExecutor) -> None:
    agent = executor.agent("talk", "echo ocf-exit-reason:the reason >&2; seq 1 200000 >&2; exit 1")

    async def go() -> None:
        session = await executor.session()
        done = await session.run("r", agent, "start")
        assert done.exit_reason == "the reason"
        assert len(done.output) < 80_000

    asyncio.run(go())


def test_a_daemon_that_keeps_the_pipes_open_is_not_waited_for(executor: RealExecutor, tmp_path: Path) -> None:
    pid_file = tmp_path / "daemon"
    agent = executor.agent("daemon", f"setsid sleep 300 & echo $! >{pid_file}; exit 0")

    async def go() -> None:
        session = await executor.session()
        done = await session.run("r", agent, "start", timeout_ms=20_000)
        assert done.exit_status == 0
        assert done.exec_time_ms < 5000

    asyncio.run(go())
    pid = read_pid(pid_file)
    assert is_alive(pid)
    end(pid)


def test_an_agent_ended_by_a_signal_has_failed(executor: RealExecutor) -> None:
    agent = executor.agent("suicide", "kill -KILL $$")

    async def go() -> tuple[int, int, str]:
        session = await executor.session()
        done = await session.run("r", agent, "start")
        return done.exec_status, done.exit_status, done.exit_reason

    assert asyncio.run(go()) == (int(ExecStatus.ERROR), 1, "Resource agent was killed by signal 9")


def test_what_is_not_installed_is_said_so(executor: RealExecutor) -> None:
    async def go() -> list[tuple[int, int]]:
        session = await executor.session()
        names = (AgentName("ocf", "test", "none"), AgentName("lsb", "", "none"), AgentName("ocf", "..", "x"))
        results = [await session.run(f"r{n}", name, "monitor") for n, name in enumerate(names)]
        return [(done.exec_status, done.exit_status) for done in results]

    assert asyncio.run(go()) == [(int(ExecStatus.NOT_INSTALLED), 5)] * 3


def test_an_agent_of_the_whole_machine_is_refused_in_a_lab_by_name(executor: RealExecutor) -> None:
    async def go() -> str:
        session = await executor.session()
        return (await session.run("ip", AgentName("ocf", "heartbeat", "IPaddr2"), "start")).exit_reason

    assert "ocf:heartbeat:IPaddr2" in asyncio.run(go())


def test_an_init_script_is_run_below_the_root(executor: RealExecutor) -> None:
    script = executor.root / "etc/init.d/web"
    script.parent.mkdir(parents=True)
    script.write_text(
        "#!/bin/sh\n### BEGIN INIT INFO\n# Short-Description: a web\n### END INIT INFO\n"
        '[ -z "$OCF_RESOURCE_INSTANCE" ] || exit 99\n'
        "f=$HATOOLS_ROOT/web\ncase $1 in start) touch $f;; stop) rm $f;;\n"
        "status) [ -f $f ] || exit 3;; *) exit 2; esac\n"
    )
    script.chmod(0o755)

    async def go() -> tuple[list[int], str]:
        session = await executor.session()
        name = AgentName("service", "", "web")
        codes = [
            (await session.run("w", name, operation)).exit_status
            for operation in ("monitor", "start", "monitor", "stop", "monitor")
        ]
        return codes, await session.client.metadata(name)

    codes, metadata = asyncio.run(go())
    assert codes == [7, 0, 0, 0, 7]
    assert "a web" in metadata


def test_a_cancelled_monitor_is_ended_and_never_runs_again(executor: RealExecutor, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    agent = executor.agent("slow", f"echo $$ >{pid_file}; sleep 300")

    async def go() -> None:
        session = await executor.session()
        await session.client.register("r", agent)
        await session.client.execute(Execute("r", "monitor", interval_ms=100, timeout_ms=60_000))
        pid = await asyncio.to_thread(read_pid, pid_file)
        await session.client.cancel("r", "monitor", 100)
        done = await session.wait_for(lambda done: done.resource == "r")
        assert (done.exec_status, done.deleted) == (int(ExecStatus.CANCELLED), True)
        assert not is_alive(pid)
        with pytest.raises(NoSuchObjectError):
            await session.client.cancel("r", "monitor", 100)

    asyncio.run(go())


def test_secrets_come_from_their_files_and_a_stop_goes_on_without(executor: RealExecutor) -> None:
    agent = executor.agent("secret", 'echo "$OCF_RESKEY_passwd"; exit 0')
    folder = executor.directories.lrm / "secrets" / "r"
    folder.mkdir(parents=True)
    (folder / "passwd").write_text("xyzzy\n")
    (folder / "passwd.sign").write_text(hashlib.md5(b"xyzzy").hexdigest() + "\n")

    async def go() -> None:
        session = await executor.session()
        parameters = {"passwd": "lrm://"}
        assert (await session.run("r", agent, "start", parameters=parameters)).output == "xyzzy\n"
        (folder / "passwd").write_text("changed\n")
        done = await session.run("r", agent, "start", parameters=parameters)
        assert (done.exec_status, done.exit_status) == (int(ExecStatus.NO_SECRETS), 6)
        assert (await session.run("r", agent, "stop", parameters=parameters)).exit_status == 0

    asyncio.run(go())


def test_metadata_is_asked_for_once_per_version_of_the_agent(executor: RealExecutor, tmp_path: Path) -> None:
    agent = executor.agent("meta", "exit 0")
    path = executor.ocf / "resource.d/test/meta"
    log = tmp_path / "asked"
    path.write_text(f"#!/bin/sh\necho asked >>{log}\necho '<resource-agent name=\"meta\"/>'\n")

    async def go() -> None:
        session = await executor.session()
        for _ in range(3):
            assert "meta" in await session.client.metadata(agent)
        assert log.read_text().count("asked") == 1
        os.utime(path, (1, 1))
        await session.client.metadata(agent)
        assert log.read_text().count("asked") == 2
        path.write_text("#!/bin/sh\nexit 1\n")
        with pytest.raises(HatoolsError, match="no metadata"):
            await session.client.metadata(agent)
        with pytest.raises(NoSuchObjectError):
            await session.client.metadata(AgentName("ocf", "test", "none"))

    asyncio.run(go())


def test_what_cannot_be_meant_is_refused(executor: RealExecutor) -> None:
    async def go() -> None:
        session = await executor.session()
        await session.client.register("r", SHIPPED_DUMMY)
        with pytest.raises(InputError):
            await session.client.execute(Execute("r", "monitor", interval_ms=-1))
        with pytest.raises(InputError):
            await session.client.execute(Execute("r", "../../bin/sh"))
        with pytest.raises(NoSuchObjectError):
            await session.client.execute(Execute("unknown", "monitor"))
        with pytest.raises(InputError):
            await session.client.register("x", AgentName("nonsense", "", "x"))

    asyncio.run(go())


def test_lrmd_killed_under_load_leaves_no_action_behind_and_every_service_running(
    executor: RealExecutor, tmp_path: Path
) -> None:
    """What was under way ends before the next incarnation answers; what runs goes on running."""
    service_pid, action_pid = tmp_path / "service", tmp_path / "action"
    service = executor.agent("service", f"setsid sleep 300 >/dev/null 2>&1 & echo $! >{service_pid}; exit 0")
    late = executor.agent("late", f"echo $$ >{action_pid}; sleep 300; touch {tmp_path}/started-late; exit 0")

    async def load() -> None:
        session = await executor.session()
        await session.run("s", service, "start")
        for number in range(20):
            await session.client.register(f"d{number}", SHIPPED_DUMMY)
            await session.client.execute(Execute(f"d{number}", "monitor", interval_ms=10))
        await session.client.register("late", late)
        await session.client.execute(Execute("late", "start", timeout_ms=600_000))
        await asyncio.to_thread(read_pid, action_pid)

    asyncio.run(load())
    executor.kill()
    assert is_alive(read_pid(action_pid))
    executor.start()

    async def afterwards() -> None:
        session = await executor.session()
        assert not is_alive(read_pid(action_pid))
        assert await session.client.resources() == ()
        assert (await session.run("d", SHIPPED_DUMMY, "start")).exit_status == 0

    asyncio.run(afterwards())
    assert is_alive(read_pid(service_pid))
    end(read_pid(service_pid))


def test_lrmd_goes_on_after_it_was_frozen(executor: RealExecutor) -> None:
    async def go() -> None:
        session = await executor.session()
        await session.client.register("d", SHIPPED_DUMMY)
        await session.client.execute(Execute("d", "monitor", interval_ms=50))
        await session.wait_for(lambda done: done.resource == "d")
        assert executor.process is not None
        executor.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(0.5)
        executor.process.send_signal(signal.SIGCONT)
        assert (await session.run("e", SHIPPED_DUMMY, "start")).exit_status == 0

    asyncio.run(go())


def test_told_to_end_lrmd_ends_the_actions_under_way(executor: RealExecutor, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    agent = executor.agent("slow", f"echo $$ >{pid_file}; sleep 300")

    async def go() -> None:
        session = await executor.session()
        await session.client.register("r", agent)
        await session.client.execute(Execute("r", "start", timeout_ms=600_000))

    asyncio.run(go())
    pid = read_pid(pid_file)
    executor.stop()
    wait_until(lambda: not is_alive(pid), "the action is dead")
