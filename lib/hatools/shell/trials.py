"""Trying agents out: validate-all, and running resources' operations on this node. I/O: runs agents."""

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
from hatools.shell.semantics import agent_of
from hatools.values.agentname import AgentName

if TYPE_CHECKING:
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
    from hatools.agents.catalog import metadata_environment

    name = AgentName(agent.standard, agent.provider, agent.type)
    path = catalog().find(name)
    if path is None:
        raise CommandError(f"agent {agent_text(agent)} is not installed on this node")
    environment = {**os.environ, **metadata_environment(name, catalog()), "OCF_RESOURCE_INSTANCE": instance}
    environment |= {f"OCF_RESKEY_{key}": value for key, value in values.items()}
    try:
        done = subprocess.run(
            [str(path), action],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CommandError(f"{agent_text(agent)} {action} did not end within {_TIMEOUT_S} s") from None
    return done.returncode, done.stdout.decode("utf-8", errors="replace")


def test_resources(session: "Session", names: Sequence[str]) -> bool:
    """Start, monitor and stop resources on this node, one after the other, outside the cluster's control."""
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
            return False
    if not succeeded:
        return False
    if not resources:
        session.console.error("specify at least one resource")
        return False
    here = session.node_name
    for node in nodes:
        if node != here:
            session.console.warning(f"{node}: resources are tested on this node ({here}) only; run rsctest there")
    for element in resources:
        succeeded = _test(session, element) and succeeded
    return succeeded


def _test(session: "Session", element: Element) -> bool:
    """Probe a resource that must not run, then start, monitor and stop it."""
    identifier = element.get("id") or ""
    merged = session.configuration.workspace.merged(element)
    values = parameters_of(merged) if merged is not None else None
    if merged is None or values is None:
        session.console.error(f"{identifier}: too complex to be tested")
        return False
    agent = agent_of(merged)
    if agent.standard != "ocf":
        session.console.error(f"{identifier}: only OCF agents can be tested, not {agent_text(agent)}")
        return False
    for action, wanted in (("monitor", 7), ("start", 0), ("monitor", 0), ("stop", 0), ("monitor", 7)):
        status, output = run_agent(agent, action, values, identifier)
        if status != wanted:
            session.console.error(f"{identifier}: {action} ended with {status}, expected {wanted}")
            if output.strip():
                print(output.rstrip())
            if action == "monitor" and wanted == 0:
                run_agent(agent, "stop", values, identifier)
            return False
    session.console.info(f"{identifier}: probe, start, monitor and stop succeeded")
    return True
