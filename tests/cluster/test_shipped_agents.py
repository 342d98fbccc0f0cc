"""The agents that come with hatools, run as the executor and the fencer run them. No root needed."""

import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hatools.agents.catalog import SHIPPED, Catalog
from hatools.agents.metadata import parse_metadata
from hatools.values.agentname import AgentName
from tests.support.executor import end, is_alive, read_pid, wait_until

FENCE_LAB = SHIPPED / "fence" / "fence_lab"
OCF = SHIPPED / "ocf" / "hatools"


class FakeSupervisor:
    """Answers a node's commands with what the test wants; remembers them."""

    def __init__(self, folder: Path, node: str, answers: dict[str, str]) -> None:
        self.commands: list[str] = []
        self._answers = answers
        self._listener = socket.socket(socket.AF_UNIX)
        here = os.getcwd()
        os.chdir(folder)  # the folder's name may be longer than a socket's may be
        self._listener.bind(f"{node}.sock")
        os.chdir(here)
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                command = connection.recv(4096).decode().strip()
                self.commands.append(command)
                answer = self._answers.get(command)
                if answer is not None:
                    connection.sendall(answer.encode() + b"\n")

    def close(self) -> None:
        self._listener.close()


def fence(folder: Path, **parameters: str) -> subprocess.CompletedProcess[str]:
    text = "".join(f"{name}={value}\n" for name, value in {"control": str(folder), **parameters}.items())
    environment = {**os.environ, "HATOOLS_PYTHON": sys.executable}
    return subprocess.run(
        [str(FENCE_LAB)], input=text, capture_output=True, text=True, timeout=30, check=False, env=environment
    )


@pytest.fixture
def control(tmp_path: Path) -> Path:
    """A folder with a name so long that an absolute socket name would not fit."""
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    return folder


def test_fence_lab_confirms_only_when_no_process_is_left(control: Path) -> None:
    supervisor = FakeSupervisor(control, "n1", {"kill": "ok alive=0", "reboot": "ok alive=0"})
    alive = FakeSupervisor(control, "n2", {"kill": "ok alive=3"})
    assert fence(control, action="off", port="n1").returncode == 0
    assert fence(control, port="n1").returncode == 0
    assert supervisor.commands == ["kill", "reboot"]
    failed = fence(control, action="off", plug="n2")
    assert (failed.returncode, failed.stderr) == (1, "fence_lab: 3 processes of n2 are still alive\n")
    supervisor.close()
    alive.close()


def test_fence_lab_tells_the_power_state(control: Path) -> None:
    up = FakeSupervisor(control, "up", {"status": "ok alive=5", "start": "ok alive=5"})
    down = FakeSupervisor(control, "down", {"status": "ok alive=0"})
    assert [fence(control, action="status", port=node).returncode for node in ("up", "down")] == [0, 2]
    assert fence(control, action="list").stdout == "down,\nup,\n"
    assert fence(control, action="list-status").stdout == "down,,OFF\nup,,ON\n"
    assert [fence(control, action=word, port="up").returncode for word in ("on", "monitor", "validate-all")] == [
        0,
        0,
        0,
    ]
    up.close()
    down.close()


@pytest.mark.parametrize(
    "parameters",
    [
        {"action": "off", "port": "unknown"},
        {"action": "off"},
        {"action": "off", "port": "../n1"},
        {"action": "explode", "port": "n1"},
        {"action": "monitor", "control": "/nowhere"},
        {"action": "off", "port": "refuses"},
        {"action": "off", "port": "silent", "power_timeout": "0.2"},
        {"action": "off", "port": "n1", "power_timeout": "soon"},
    ],
)
def test_fence_lab_says_why_it_failed(control: Path, parameters: dict[str, str]) -> None:
    refuses = FakeSupervisor(control, "refuses", {"kill": "error no"})
    silent = FakeSupervisor(control, "silent", {})
    done = fence(control, **parameters)
    assert done.returncode == 1
    assert done.stderr.startswith("fence_lab: ")
    refuses.close()
    silent.close()


def test_fence_lab_is_fast_because_a_failover_waits_for_it(control: Path) -> None:
    supervisor = FakeSupervisor(control, "n1", {"kill": "ok alive=0"})

    def processor_time(command: list[str], text: str) -> float:
        """Return what a command costs, which other load does not change as much as how long it takes."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        environment = {**os.environ, "HATOOLS_PYTHON": sys.executable}
        subprocess.run(command, input=text.encode(), env=environment, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    bare = min(processor_time([sys.executable, "-I", "-S", "-c", "pass"], "") for _ in range(10))
    text = f"control={control}\naction=off\nport=n1\n"
    agent = min(processor_time([str(FENCE_LAB)], text) for _ in range(10))
    supervisor.close()
    assert agent - bare < 0.05


@pytest.mark.parametrize("name", ["Dummy", "Stateful", "service"])
def test_shipped_agents_describe_themselves_and_refuse_what_they_do_not_know(name: str) -> None:
    metadata = parse_metadata(Catalog().metadata(AgentName("ocf", "hatools", name)))
    assert metadata.version == "1.1"
    for action in ("start", "stop", "monitor", "validate-all", "meta-data", "reload-agent"):
        assert metadata.supports(action)
    assert all(parameter.short_text and parameter.long_text for parameter in metadata.parameters)
    assert subprocess.run([str(OCF / name), "explode"], capture_output=True, check=False).returncode == 3


class Service:
    """Runs ocf:hatools:service with parameters."""

    def __init__(self, folder: Path, **parameters: str) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "HATOOLS_PYTHON": sys.executable,
            "HA_RSCTMP": str(folder),
            "OCF_RESOURCE_INSTANCE": "web",
            "OCF_RESKEY_CRM_meta_timeout": "3000",
            **{f"OCF_RESKEY_{name}": value for name, value in parameters.items()},
        }

    def __call__(self, action: str, **more: str) -> int:
        return subprocess.run(
            [str(OCF / "service"), action], env={**self.environment, **more}, stdin=subprocess.DEVNULL, check=False
        ).returncode

    @property
    def pid(self) -> int:
        return int((self.folder / "service-web.pid").read_text().split()[0])


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    found = Service(tmp_path, command="sleep 300")
    yield found
    found("stop")


def test_the_service_agent_starts_watches_and_stops_a_command(service: Service) -> None:
    assert [service(action) for action in ("monitor", "start", "start", "monitor")] == [7, 0, 0, 0]
    pid = service.pid
    assert os.getsid(pid) == pid
    assert [service(action) for action in ("stop", "monitor", "stop")] == [0, 7, 0]
    assert not is_alive(pid)


def test_a_command_that_ends_at_once_has_not_started(tmp_path: Path) -> None:
    service = Service(tmp_path, command="sh -c 'exit 3'")
    assert [service(action) for action in ("start", "monitor")] == [1, 7]


def test_children_that_outlive_the_command_are_noticed_and_stopped(tmp_path: Path) -> None:
    child_pid = tmp_path / "child"
    service = Service(tmp_path, command=f"sh -c 'sleep 300 & echo $! >{child_pid}; exec sleep 300'")
    assert service("start") == 0
    child = read_pid(child_pid)
    end(service.pid)
    wait_until(lambda: not is_alive(service.pid), "the command has ended")
    assert service("monitor") == 1
    assert service("stop") == 0
    assert not is_alive(child)
    assert service("monitor") == 7


def test_a_command_that_ignores_the_signal_is_killed(tmp_path: Path) -> None:
    service = Service(tmp_path, command="""sh -c "trap '' TERM; while :; do sleep 1; done" """)
    assert service("start") == 0
    began = time.monotonic()
    assert service("stop") == 0
    assert 2.0 <= time.monotonic() - began < 10  # two thirds of the three seconds that a stop has
    assert service("monitor") == 7


def test_a_process_id_that_was_given_away_is_not_mistaken_for_the_service(tmp_path: Path) -> None:
    service = Service(tmp_path, command="sleep 300")
    (tmp_path / "service-web.pid").write_text(f"{os.getpid()} 12345\n")
    assert service("monitor") == 7
    assert service("stop") == 0
    assert is_alive(os.getpid())


def test_the_web_server_names_its_node_and_the_check_waits_for_it(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{probe.getsockname()[1]}"
    service = Service(tmp_path, command=f"hatools-web {place} me", check=f"hatools-web --check {place}")
    try:
        assert service("start") == 0
        with socket.create_connection(("127.0.0.1", int(place.rpartition(":")[2])), timeout=5) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            page = b""
            while part := connection.recv(4096):
                page += part
        assert page.endswith(b"\r\n\r\nme\n")
        assert service("monitor", OCF_CHECK_LEVEL="10") == 0
    finally:
        assert service("stop") == 0


@pytest.mark.parametrize(
    ("parameters", "code"),
    [({}, 6), ({"command": "true", "user": "no-such-user"}, 5), ({"command": "true", "directory": "/none"}, 5)],
)
def test_a_wrong_parameter_is_refused(tmp_path: Path, parameters: dict[str, str], code: int) -> None:
    service = Service(tmp_path, **parameters)
    assert (service("validate-all"), service("start")) == (code, code)


def test_the_systems_agents_come_before_ours(tmp_path: Path) -> None:
    own = tmp_path / "resource.d/heartbeat/Dummy"
    own.parent.mkdir(parents=True)
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    catalog = Catalog(ocf_root=tmp_path, fence_folders=(tmp_path,))
    assert catalog.find(AgentName("ocf", "heartbeat", "Dummy")) == own
    assert catalog.find(AgentName("ocf", "pacemaker", "Dummy")) == OCF / "Dummy"
    assert catalog.find(AgentName("ocf", "pacemaker", "IPaddr2")) is None
    assert catalog.find(AgentName("stonith", "", "fence_lab")) == FENCE_LAB
    (tmp_path / "fence_lab").write_text("#!/bin/sh\n")
    assert catalog.find_fence_agent("fence_lab") == FENCE_LAB  # what is not executable is no agent
    assert catalog.providers() == ("hatools", "heartbeat")
    assert catalog.providers_of("Dummy") == ("hatools", "heartbeat", "pacemaker")
    assert [catalog.find(AgentName("ocf", "..", "x")), catalog.find_fence_agent("fence_/../x")] == [None, None]
