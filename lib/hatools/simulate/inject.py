"""Change a CIB the way a user wants to see the cluster react to. Pure."""

import re
from collections.abc import Callable, Iterator

from hatools.simulate.run import Step, Trouble, count_failure
from hatools.simulate.workbench import ActionRecord, Workbench
from hatools.values.opkey import parse_operation_key
from hatools.values.records import dataclass, field

__all__ = ["AgentOf", "Injections", "NodeChange", "SpecChange", "TicketChange", "inject"]

AgentOf = Callable[[str], "tuple[str | None, str | None, str | None] | None"]
"""Returns class, provider and type of a resource by its id; None if there is no such resource."""


@dataclass(slots=True)
class Injections:
    """What is to be changed, each kind in the order of the command line."""

    quorum: str | None = None
    watchdog: str | None = None
    node_up: list[str] = field(default_factory=list)
    node_down: list[str] = field(default_factory=list)
    node_fail: list[str] = field(default_factory=list)
    ticket_grant: list[str] = field(default_factory=list)
    ticket_revoke: list[str] = field(default_factory=list)
    ticket_standby: list[str] = field(default_factory=list)
    ticket_activate: list[str] = field(default_factory=list)
    operations: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Say whether the CIB will be changed. Quorum alone is not taken for a change (as in 2.1.5)."""
        return self.watchdog is not None or any(
            (
                self.node_up,
                self.node_down,
                self.node_fail,
                self.ticket_grant,
                self.ticket_revoke,
                self.ticket_standby,
                self.ticket_activate,
                self.operations,
            )
        )


@dataclass(frozen=True, slots=True)
class NodeChange:
    """A node's state was changed: ``Online``, ``Offline`` or ``Failing``."""

    action: str
    node: str


@dataclass(frozen=True, slots=True)
class TicketChange:
    """A ticket was changed: ``Granting``, ``Revoking``, ``Standby`` or ``Activating``."""

    action: str
    ticket: str


@dataclass(frozen=True, slots=True)
class SpecChange:
    """The result of an operation is put into the history."""

    spec: str


Change = NodeChange | TicketChange | SpecChange | Step


def inject(bench: Workbench, injections: Injections, agent_of: AgentOf, when: int) -> Iterator[Change]:
    """Make all changes, saying what is done.

    Args:
        when: stamps injected results, in seconds since the epoch.
    """
    bench.add_configuration = bench.add_configuration or bool(injections.node_up)
    if injections.quorum is not None:
        bench.root.set("have-quorum", injections.quorum)
        bench.changed()
    if injections.watchdog is not None:
        bench.set_property("have-watchdog", injections.watchdog)
    yield from _change_nodes(bench, injections)
    yield from _change_tickets(bench, injections)
    for spec in injections.operations:
        yield SpecChange(spec)
        yield from _inject_operation(bench, spec, agent_of, when)


def _change_nodes(bench: Workbench, injections: Injections) -> Iterator[Change]:
    for node in injections.node_up:
        yield NodeChange("Online", node)
        bench.set_member(node, up=True)
        bench.changed()
    for node in injections.node_down:
        yield NodeChange("Offline", node)
        state = bench.set_member(node, up=False)
        bench.changed()
        bench.forget(state)
    for node in injections.node_fail:
        yield NodeChange("Failing", node)
        bench.set_member(node, up=True).set("in_ccm", "false")
        bench.changed()


def _change_tickets(bench: Workbench, injections: Injections) -> Iterator[Change]:
    for action, tickets, attribute, value in (
        ("Granting", injections.ticket_grant, "granted", True),
        ("Revoking", injections.ticket_revoke, "granted", False),
        ("Standby", injections.ticket_standby, "standby", True),
        ("Activating", injections.ticket_activate, "standby", False),
    ):
        for ticket in tickets:
            yield TicketChange(action, ticket)
            bench.set_ticket(ticket, attribute, value)


_SPEC = re.compile(r"([^@]+)(?:@([^=]+)(?:=\s*([+-]?\d+))?)?")


def _inject_operation(bench: Workbench, spec: str, agent_of: AgentOf, when: int) -> Iterator[Change]:
    match = _SPEC.match(spec)
    key, node, outcome = match.groups() if match else (None, None, None)
    if key is None or node is None or outcome is None:
        found = sum(part is not None for part in (key, node, outcome))
        yield Trouble(f"Invalid operation spec: {spec}.  Only found {found} fields")
        return
    parsed = parse_operation_key(key)
    resource, task, interval_ms = parsed or ("(null)", "", 0)
    agent = agent_of(resource) if parsed else None
    if agent is None:
        yield Trouble(f"Invalid resource name: {resource}")
        return
    rc = int(outcome)
    state = bench.node_state(node)
    yield from count_failure(bench, state, (resource, task, interval_ms), rc, when)
    entry = bench.history(state, resource)
    if entry is None:
        standard, provider, type_ = agent
        if standard is None or type_ is None:
            yield Trouble(
                f"Resource {resource} not found in the status section of {state.get('id')}."
                "  Please supply the class and type to continue"
            )
            return
        entry = bench.add_history(state, resource, (standard, provider, type_))
    record = ActionRecord(
        resource=entry.get("id") or resource,
        task=task,
        interval_ms=interval_ms,
        rc=rc,
        target_rc=0,
        when=when,
        exit_reason="Simulated action result",
    )
    bench.record(entry, record)
    bench.changed()
