"""What a command line asks ``crm_simulate`` for. Pure."""

from hatools.cli.options import CommandLine
from hatools.simulate.inject import Injections
from hatools.status.view import Section
from hatools.values.records import dataclass, field

__all__ = ["Request", "read_request"]


@dataclass(slots=True)
class Request:
    """What the command line asks for."""

    process: bool = False
    simulate: bool = False
    store: bool = False
    scores: bool = False
    utilization: bool = False
    all_actions: bool = False
    sanitized: bool = True
    source: str | None = "-"
    save_input: str | None = None
    save_output: str | None = None
    graph_file: str | None = None
    dot_file: str | None = None
    profile: str | None = None
    repeat: int = 1
    date: str | None = None
    sections: Section = Section.NODES | Section.RESOURCES
    injections: Injections = field(default_factory=Injections)
    failures: list[str] = field(default_factory=list)
    verbosity: int = 0


def read_request(line: CommandLine) -> Request:
    """Turn the options into a request; later options overrule earlier ones."""
    request = Request(verbosity=line.verbosity)
    injections = request.injections
    lists = {
        "node-up": injections.node_up,
        "node-down": injections.node_down,
        "node-fail": injections.node_fail,
        "op-inject": injections.operations,
        "op-fail": request.failures,
        "ticket-grant": injections.ticket_grant,
        "ticket-revoke": injections.ticket_revoke,
        "ticket-standby": injections.ticket_standby,
        "ticket-activate": injections.ticket_activate,
    }
    for name, value in line.events:
        if name in lists and value is not None:
            lists[name].append(value)
        _apply_switch(request, name, value)
    return request


_PROCESSING = (
    "run",
    "simulate",
    "in-place",
    "op-fail",
    "show-scores",
    "show-utilization",
    "save-graph",
    "save-dotfile",
)
"""Options that need the scheduler's decision."""


def _apply_switch(request: Request, name: str, value: str | None) -> None:
    """Apply one option other than the lists of changes."""
    if name in _PROCESSING:
        request.process = True
    match name:
        case "simulate" | "op-fail":
            request.simulate = True
        case "in-place":
            request.simulate = request.store = True
        case "show-attrs":
            request.sections |= Section.ATTRIBUTES
        case "show-failcounts":
            request.sections |= Section.FAILCOUNTS | Section.FAILURES
        case "show-scores":
            request.scores = True
        case "show-utilization":
            request.utilization = True
        case "all-actions":
            request.all_actions = True
        case "live-check":
            request.source, request.sanitized = None, False
        case "xml-file":
            request.source, request.sanitized = value, True
        case "xml-pipe":
            request.source, request.sanitized = "-", True
        case "profile":
            request.profile = value
        case "repeat":
            request.repeat = int(value or "1")
        case "set-datetime":
            request.date = value
        case "quorum":
            request.injections.quorum = value
        case "watchdog":
            request.injections.watchdog = value
        case "save-input":
            request.save_input = value
        case "save-output":
            request.save_output = value
        case "save-graph":
            request.graph_file = value
        case "save-dotfile":
            request.dot_file = value
