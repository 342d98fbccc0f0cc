"""Operations on a whole lab: start, stop, kill, cut, heal, pause, slow, destroy. I/O.

Everything here talks to the nodes' supervisors and to their messaging daemons; nothing reaches into a
node in another way.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from hatools.ipc.blocking import BlockingConnection
from hatools.ipc.messages.crmd import ControllerState, DescribeController
from hatools.ipc.messages.messaging import SetFault
from hatools.lab.nodes import Lab, LabNode, require_free_ports
from hatools.lab.supervisor import Answer, ask_supervisor
from hatools.runtime.kernel import descendants
from hatools.values.errors import DeadlineError, HatoolsError, UnavailableError
from hatools.values.records import dataclass

SUPERVISOR_LIMIT = 20.0
"""Seconds in which the supervisors of a lab must listen."""


@dataclass(frozen=True, slots=True)
class NodeReport:
    """What is known of a node: ``power`` is up, down, frozen or off (no supervisor)."""

    node: LabNode
    power: str
    processes: int
    controller: ControllerState | None


def running_supervisors(lab: Lab) -> list[LabNode]:
    """Return the nodes whose supervisor answers."""
    return [node for node in lab.nodes if node_power(lab, node)[0] != "off"]


def node_power(lab: Lab, node: LabNode) -> tuple[str, int]:
    """Return a node's power state and how many processes it has."""
    try:
        answer = ask_supervisor(lab.control, node.name, "status", timeout_s=5.0)
    except OSError:
        return "off", 0
    return answer.state or "off", max(0, answer.alive)


def node_processes(lab: Lab, node: LabNode) -> list[int]:
    """Return the process ids of everything a node runs."""
    try:
        pid = ask_supervisor(lab.control, node.name, "status", timeout_s=5.0).pid
    except OSError:
        return []
    return descendants(pid) if pid else []


def boot(lab: Lab) -> None:
    """Start the supervisors, and with them every node.

    Raises:
        UnavailableError: a port is in use, or the supervisors did not come up.
    """
    require_free_ports(lab)
    source = Path(__file__).resolve().parents[2]
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join(p for p in (str(source), environment.get("PYTHONPATH", "")) if p)
    command = [sys.executable, "-m", "hatools.cli.lab_node", str(lab.folder), *(node.name for node in lab.nodes)]
    finished = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
    )
    if finished.returncode != 0:
        raise UnavailableError(f"the lab's nodes could not be started: {finished.stderr.decode().strip()[-500:]}")
    deadline = time.monotonic() + SUPERVISOR_LIMIT
    while len(running_supervisors(lab)) < len(lab.nodes):
        if time.monotonic() > deadline:
            raise UnavailableError(f"not every node's supervisor came up; see {lab.folder}/node*/console.log")
        time.sleep(0.01)


def command_node(lab: Lab, node: LabNode, command: str, *, timeout_s: float = 150.0) -> Answer:
    """Tell a node's supervisor what to do.

    Raises:
        UnavailableError: it is not there or could not do it.
    """
    try:
        answer = ask_supervisor(lab.control, node.name, command, timeout_s=timeout_s)
    except OSError as error:
        raise UnavailableError(
            f"{node.name} has no supervisor ({error.strerror or error}): start the lab again with `crm lab start`"
        ) from None
    if not answer.ok:
        raise UnavailableError(f"{node.name}: {command} failed: {answer.text.removeprefix('error ')}")
    return answer


def set_fault(lab: Lab, node: LabNode, peer: LabNode, *, drop: bool = False, delay_ms: int = 0) -> bool:
    """Set what a node's messaging does with datagrams from and to a peer; False if the node is not up."""
    try:
        with _messaging(lab, node) as connection:
            connection.request(SetFault(peer.id, drop, delay_ms), timeout_s=5.0)
    except (DeadlineError, UnavailableError):
        return False
    return True


def cut(lab: Lab, node: LabNode, peers: list[LabNode]) -> None:
    """Drop everything between a node and its peers, in both directions."""
    for peer in peers:
        set_fault(lab, node, peer, drop=True)
        set_fault(lab, peer, node, drop=True)


def heal(lab: Lab) -> None:
    """Undo every cut and delay."""
    for node in lab.nodes:
        for peer in lab.nodes:
            if peer != node:
                set_fault(lab, node, peer)


def slow(lab: Lab, node: LabNode, delay_ms: int) -> None:
    """Delay every datagram between a node and the others by so many milliseconds."""
    for peer in lab.nodes:
        if peer != node:
            set_fault(lab, node, peer, delay_ms=delay_ms)


def report(lab: Lab) -> list[NodeReport]:
    """Ask every node how it is."""
    found = []
    for node in lab.nodes:
        power, processes = node_power(lab, node)
        controller = None
        if power == "up":
            try:
                controller = controller_state(lab, node)
            except HatoolsError:
                controller = None
        found.append(NodeReport(node, power, processes, controller))
    return found


def controller_state(lab: Lab, node: LabNode) -> ControllerState:
    """Ask a node's controller for its state.

    Raises:
        UnavailableError, DeadlineError: it does not answer.
    """
    path = lab.directories(node).socket("crmd")
    with BlockingConnection(path, "crmd", name="crm_lab", timeout_s=2.0) as connection:
        answer: ControllerState = connection.request(DescribeController(), timeout_s=2.0)
    return answer


def wait_settled(lab: Lab, nodes: list[LabNode], timeout_s: float) -> ControllerState:
    """Wait until the nodes have a common DC that is idle.

    Raises:
        DeadlineError: they had none in time.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            states = [controller_state(lab, node) for node in nodes]
        except HatoolsError:
            states = []
        dcs = {state.dc for state in states}
        if states and len(dcs) == 1 and "" not in dcs:
            leader = next((state for state in states if state.node == state.dc), None)
            if leader is not None and leader.settled:
                return leader
        time.sleep(0.02)
    raise DeadlineError(
        f"the lab did not settle within {timeout_s:g} s; see `crm lab status` and {lab.folder}/node*/var/log"
    )


def shut_down(lab: Lab, *, hard: bool = False) -> None:
    """Stop every node, in order of their ids, then the supervisors; ``hard`` cuts the power."""
    nodes = running_supervisors(lab)
    if not hard:
        for node in nodes:
            if node_power(lab, node)[0] == "frozen":
                command_node(lab, node, "resume")
        for node in nodes:
            command_node(lab, node, "stop")
    for node in nodes:
        command_node(lab, node, "quit")


def destroy(folder: Path) -> None:
    """Remove a lab's folder; its nodes must be off."""
    shutil.rmtree(folder)


def _messaging(lab: Lab, node: LabNode) -> BlockingConnection:
    return BlockingConnection(lab.directories(node).socket("messaging"), "messaging", name="crm_lab", timeout_s=2.0)
