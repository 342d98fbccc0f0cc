"""A running lab in a folder of the test's own, for tests that need a live cluster but no root."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from hatools.ipc.blocking import BlockingConnection
from hatools.ipc.messages.pacemakerd import DescribeNode, NodeProcesses
from hatools.lab import cluster
from hatools.lab.demo import load_base_configuration
from hatools.lab.nodes import Lab, LabNode, create_lab
from tests.support.picture import watched

SOURCE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class RunningLab:
    """A lab and ways to use it."""

    lab: Lab

    @property
    def names(self) -> list[str]:
        return [node.name for node in self.lab.nodes]

    def command(
        self, node: str, *words: str, stdin: str = "", timeout: float = 60.0
    ) -> subprocess.CompletedProcess[str]:
        """Run one of our commands as if on a node."""
        environment = dict(os.environ) | self.lab.environment(self.lab.node(node))
        environment["PATH"] = f"{SOURCE / 'bin'}:{environment['PATH']}"
        program = [sys.executable, str(SOURCE / "bin" / words[0]), *words[1:]]
        return subprocess.run(
            program, env=environment, input=stdin, capture_output=True, text=True, timeout=timeout, check=False
        )

    def on(self, node: str, *words: str, stdin: str = "") -> str:
        """Run a command that must succeed; return what it printed."""
        done = self.command(node, *words, stdin=stdin)
        assert done.returncode == 0, f"{words} on {node}: {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout

    def configure(self, text: str, node: str = "node1") -> None:
        """Commit lines of the crm language."""
        self.on(node, "crm", "-F", "configure", "load", "update", "-", stdin=text)

    def processes(self, node: str) -> NodeProcesses:
        """Ask pacemakerd of a node what runs there."""
        path = self.lab.directories(self.lab.node(node)).socket("pacemakerd")
        with BlockingConnection(path, "pacemakerd", name="test") as connection:
            answer: NodeProcesses = connection.request(DescribeNode())
        return answer

    def pid(self, node: str, daemon: str) -> int:
        return next(item.pid for item in self.processes(node).daemons if item.name == daemon)

    def settle(self, nodes: list[str] | None = None, timeout_s: float = 60.0) -> str:
        """Wait until the nodes have one idle DC; return its name."""
        wanted: list[LabNode] = [self.lab.node(name) for name in (nodes or self.names)]
        return cluster.wait_settled(self.lab, wanted, timeout_s).dc

    def status(self, node: str = "node1") -> ElementTree.Element:
        """Return crm_mon's XML as a node sees it."""
        return ElementTree.fromstring(self.on(node, "crm_mon", "-1", "-r", "--output-as=xml"))

    def active(self, resource: str, node: str = "node1") -> list[str]:
        """Return the nodes where a resource is active."""
        found = []
        for element in self.status(node).iter("resource"):
            if element.get("id", "").partition(":")[0] == resource and element.get("active") == "true":
                found += [str(where.get("name")) for where in element.iter("node")]
        return sorted(found)

    def wait_active(self, resource: str, expected: Callable[[list[str]], bool], node: str = "node1") -> list[str]:
        """Wait until the nodes where a resource is active are as wanted; return them."""
        where: list[str] = []
        deadline = time.monotonic() + 60.0
        while time.monotonic() < deadline:
            with contextlib.suppress(AssertionError, ElementTree.ParseError):
                where = self.active(resource, node)
                if expected(where):
                    return where
            time.sleep(0.05)
        raise AssertionError(f"{resource} is active on {where}")


@contextlib.contextmanager
def running_lab(
    folder: Path, nodes: int = 3, *, port: int, fencing: bool = True, messaging: str = "corosync"
) -> Iterator[RunningLab]:
    """Make and boot a lab, give it its base configuration, and remove its processes at the end."""
    lab = create_lab(folder, nodes, port=port, messaging=messaging)
    running = RunningLab(lab)
    logs = {node.name: lab.directories(node).log_file for node in lab.nodes}
    try:
        with watched(logs, lambda node, line: running.command(node, *line.split(), timeout=15).stdout):
            cluster.boot(lab)
            cluster.wait_settled(lab, list(lab.nodes), 60.0)
            load_base_configuration(lab, fencing=fencing)
            cluster.wait_settled(lab, list(lab.nodes), 60.0)
            yield running
    finally:
        cluster.shut_down(lab, hard=True)


def describe(running: RunningLab) -> str:
    """Return where a lab stands, for the message of a failed test."""
    report = cluster.report(running.lab)
    return json.dumps([(entry.node.name, entry.power, str(entry.controller)) for entry in report])
