"""Trying agents out: validate-all, and running resources' operations here and on other nodes. I/O: runs agents."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from hatools.cib.document import children
from hatools.parser import syntax
from hatools.parser.printer import agent_text
from hatools.shell.agents import catalog, metadata
from hatools.shell.commands import CommandError
from hatools.shell.running import is_running
from hatools.shell.semantics import agent_of
from hatools.values.agentname import AgentName

if TYPE_CHECKING:
    from hatools.shell.members import Member, Members
    from hatools.shell.session import Session

_TIMEOUT_S = 120


def parameters_of(element: Element) -> dict[str, str] | None:
    """Return a primitive's parameters; None if they depend on references or rules."""
    values: dict[str, str] = {}
    for block in children(element, "instance_attributes"):
        if "id-ref" in block.attrib:
            return None
        for pair in children(block, "nvpair"):
            name, value = pair.get("name"), pair.get("value")
            if name is None or value is None:
                return None
            values[name] = value
    return values


def validate_resource(session: "Session", name: str) -> bool:
    """Let a resource's agent judge its parameters."""
    workspace = session.configuration.workspace
    item = workspace.find_object(name)
    if item is None:
        raise CommandError(f"Not found: {name}")
    if item.word != "primitive":
        raise CommandError(f"Not a primitive: {name}")
    merged = workspace.merged(item.node)
    if merged is None:
        raise CommandError(f"No resource template {item.node.get('template')} for {name}")
    values = parameters_of(merged)
    if values is None:
        raise CommandError(f"Primitive too complex: {name}")
    agent = agent_of(merged)
    if not can_validate(agent):
        raise CommandError(f"{name}: Cannot run validate-all for agent: {agent_text(agent)}")
    return validate_agent(session, agent, values) == 0


def can_validate(agent: syntax.Agent) -> bool:
    """Say whether an agent has validate-all and we may run it."""
    if os.geteuid() != 0 or agent.standard != "ocf":
        return False
    found = metadata(agent)
    return found is not None and found.supports("validate-all")


def validate_agent(session: "Session", agent: syntax.Agent, values: Mapping[str, str]) -> int:
    """Run an agent's validate-all, passing its messages on; return its exit status."""
    status, output = run_agent(agent, "validate-all", values)
    for line in output.splitlines():
        for prefix, say in (
            ("ERROR: ", session.console.error),
            ("WARNING: ", session.console.warning),
            ("INFO: ", session.console.info),
            ("DEBUG: ", None),
        ):
            if line.startswith(prefix):
                if say is not None:
                    say(line.removeprefix(prefix))
                break
        else:
            session.console.info(line)
    return status


def run_agent(
    agent: syntax.Agent, action: str, values: Mapping[str, str], instance: str = "default"
) -> tuple[int, str]:
    """Run an OCF agent; return exit status and all it printed.

    Raises:
        CommandError: there is no such agent, or it did not end in time.
    """
    path, environment = _call_of(agent, values, instance)
    try:
        done = subprocess.run(
            [path, action],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CommandError(f"{agent_text(agent)} {action} did not end within {_TIMEOUT_S} s") from None
    return done.returncode, done.stdout.decode("utf-8", errors="replace")


def _call_of(agent: syntax.Agent, values: Mapping[str, str], instance: str) -> tuple[str, dict[str, str]]:
    """Return an agent's program and the environment that it is called with."""
    from hatools.agents.catalog import metadata_environment

    name = AgentName(agent.standard, agent.provider, agent.type)
    path = catalog().find(name)
    if path is None:
        raise CommandError(f"agent {agent_text(agent)} is not installed on this node")
    environment = {**metadata_environment(name, catalog()), "OCF_RESOURCE_INSTANCE": instance}
    return str(path), environment | {f"OCF_RESKEY_{key}": value for key, value in values.items()}


class Trial:
    """A resource whose operations are run by hand, outside the cluster's control, here or on other nodes."""

    def __init__(self, session: "Session", element: Element) -> None:
        """Look at a primitive of the working copy.

        Raises:
            CommandError: it is too complex to be run by hand.
        """
        self.name = element.get("id") or ""
        merged = session.configuration.workspace.merged(element)
        values = parameters_of(merged) if merged is not None else None
        if merged is None or values is None:
            raise CommandError(f"{self.name}: too complex to be run by hand")
        self.agent = agent_of(merged)
        self._values = values
        self._session = session

    def require_ocf(self) -> None:
        """Raise CommandError unless the agent is one that can be called by hand."""
        if self.agent.standard != "ocf":
            raise CommandError(f"{self.name}: only OCF agents can be run by hand, not {agent_text(self.agent)}")

    def supports(self, action: str) -> bool:
        """Say whether the agent knows an action."""
        found = metadata(self.agent)
        return action in ("meta-data", "validate-all") or (found is not None and found.supports(action))

    def run(self, action: str, node: "Member | None", members: "Members | None") -> tuple[int, str]:
        """Run an operation on a node, None for this one; return exit status and all it printed.

        Raises:
            CommandError: it could not be run.
        """
        if node is None or node.is_local or members is None:
            return run_agent(self.agent, action, self._values, self.name)
        from hatools.shell.remote import run_on

        path, environment = _call_of(self.agent, self._values, self.name)
        words = ["env", *(f"{key}={value}" for key, value in environment.items()), path, action]
        outcome = run_on(self._session, members, [node], words, timeout_s=_TIMEOUT_S)[0]
        if outcome.answer is None:
            raise CommandError(f"{node.name}: {outcome.problem}")
        return outcome.answer.status, "\n".join(filter(None, (outcome.answer.text, outcome.answer.complaint)))


def test_resources(session: "Session", names: Sequence[str]) -> bool:
    """Start, monitor and stop resources on nodes (by default all), one node after the other.

    All of them must be down everywhere before; on each node they are stopped again in reverse.
    """
    chosen = _chosen(session, names)
    if chosen is None:
        return False
    elements, names_of_nodes = chosen
    try:
        trials = [Trial(session, element) for element in elements]
        for trial in trials:
            trial.require_ocf()
        members, nodes, everywhere = _nodes(session, names_of_nodes)
        # Everything is looked at, also behind the first failure: a person wants to know all of it. The cluster is asked
        # too, because an agent that is called by hand may not see what it started for the cluster.
        running = [trial.name for trial in trials if is_running(session, trial.name)]
        for name in running:
            session.console.error(f"resource {name} is running")
        stopped = [_is_stopped(session, trial, node, members) for trial in trials for node in everywhere]
        if running or not all(stopped):
            session.console.error("Stop all resources before testing!")
            return False
        passed = [_test_on(session, node, members, trials) for node in nodes]
        return all(passed)
    except CommandError as error:
        session.console.error(str(error))
        return False


def _chosen(session: "Session", names: Sequence[str]) -> tuple[list[Element], list[str]] | None:
    """Return the primitives and the nodes that are named; None, with a message, if something else is."""
    workspace = session.configuration.workspace
    resources: list[Element] = []
    nodes: list[str] = []
    succeeded = True
    for name in names:
        item = workspace.find_object(name)
        if item is None:
            session.console.error(f"element {name} does not exist")
            succeeded = False
        elif item.is_resource and not nodes:
            inner = [e for e in item.node.iter("primitive") if e is not item.node]
            resources += inner if item.is_container else [item.node]
        elif item.word == "node":
            nodes.append(item.node.get("uname") or "")
        else:
            session.console.error(f"syntax in rsctest near <{name}> parsing 'rsctest {name}'")
            return None
    if succeeded and not resources:
        session.console.error("specify at least one resource")
    return (resources, nodes) if succeeded and resources else None


def _nodes(session: "Session", names: Sequence[str]) -> "tuple[Members | None, list[Member], list[Member]]":
    """Return the nodes to test on, and all on which nothing may run; where there is no cluster only this one."""
    from hatools.shell.members import Member, Members

    here = Member(session.node_name, (), is_local=True)
    try:
        members = Members() if session.is_live else None
    except CommandError:
        members = None
    if members is None:
        for name in names:
            if name != here.name:
                session.console.warning(
                    f"{name}: without a cluster resources are tested on this node ({here.name}) only"
                )
        return None, [here], [here]
    return members, members.chosen(names, default=members.all), list(members.all)


def _is_stopped(session: "Session", trial: Trial, node: "Member", members: "Members | None") -> bool:
    status, output = trial.run("monitor", node, members)
    if status in (0, 8):
        session.console.error(f"resource {trial.name} is running on {node.name}")
    elif status != 7:
        session.console.error(f"{trial.name}: monitor ended with {status} on {node.name}, expected 7")
        if output.strip():
            print(output.rstrip())
    return status == 7


def _test_on(session: "Session", node: "Member", members: "Members | None", trials: Sequence[Trial]) -> bool:
    """Start resources on a node in their order, and stop them in reverse; return whether all went well."""
    started: list[Trial] = []
    succeeded = True
    for trial in trials:
        started.append(trial)
        if not all(_step(session, trial, action, node, members) for action in ("start", "monitor")):
            succeeded = False
            break
    for trial in reversed(started):
        succeeded = _step(session, trial, "stop", node, members) and succeeded
    if succeeded:
        names = " ".join(trial.name for trial in trials)
        session.console.info(f"testing on {node.name}: {names}: start, monitor and stop succeeded")
    return succeeded


def _step(session: "Session", trial: Trial, action: str, node: "Member", members: "Members | None") -> bool:
    status, output = trial.run(action, node, members)
    if status == 0:
        return True
    session.console.error(f"{trial.name}: {action} ended with {status} on {node.name}, expected 0")
    if output.strip():
        print(output.rstrip())
    return False
