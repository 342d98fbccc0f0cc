"""What a ``crm_resource`` command line asks for. Pure.

Every command option says which command is meant and what it needs; the last one decides, as in the original.
"""

from enum import Enum, auto

from hatools.cli.options import CommandLine, CommandLineError
from hatools.values.duration import parse_duration_ms
from hatools.values.records import dataclass, field


class Command(Enum):
    """What to do."""

    NONE = auto()
    BAN = auto()
    CLEANUP = auto()
    CLEAR = auto()
    CONSTRAINTS = auto()
    CTS = auto()
    DELETE = auto()
    DELETE_PARAMETER = auto()
    DIGESTS = auto()
    EXECUTE = auto()
    FAIL = auto()
    GET_PARAMETER = auto()
    GET_PROPERTY = auto()
    LIST_ACTIVE_OPERATIONS = auto()
    LIST_AGENTS = auto()
    LIST_ALL_OPERATIONS = auto()
    LIST_ALTERNATIVES = auto()
    LIST_INSTANCES = auto()
    LIST_PROVIDERS = auto()
    LIST_RESOURCES = auto()
    LIST_STANDARDS = auto()
    LOCATE = auto()
    METADATA = auto()
    MOVE = auto()
    QUERY_RAW_XML = auto()
    QUERY_XML = auto()
    REFRESH = auto()
    RESTART = auto()
    SET_PARAMETER = auto()
    SET_PROPERTY = auto()
    WAIT = auto()
    WHY = auto()


class Find(Enum):
    """Which instances a resource id may mean: only the one so called, those of anonymous clones, or any."""

    NOTHING = auto()
    ANONYMOUS = auto()
    ANY = auto()


@dataclass(slots=True)
class Request:
    """The command line, folded. ``needs_*`` say what has to be there before the command can run."""

    command: Command = Command.NONE
    resource: str | None = None
    node: str | None = None
    quiet: bool = False
    force: bool = False
    recursive: bool = False
    promoted: bool = False
    lifetime: str | None = None
    expired: bool = False
    operation: str | None = None
    interval: str | None = None
    timeout_ms: int = 0
    # parameters
    set_tag: str = "instance_attributes"
    parameter: str | None = None
    value: str | None = None
    set_id: str | None = None
    pair_id: str | None = None
    element: str | None = None
    # agents
    agent_spec: str | None = None
    standard: str | None = None
    provider: str | None = None
    agent: str | None = None
    configured_here: bool = False
    given_parameters: dict[str, str] = field(default_factory=dict)
    overrides: dict[str, str] | None = None
    check_level: int = -1
    xml_file: str | None = None
    needs_resource: bool = True
    needs_node: bool = False
    needs_cib: bool = True
    needs_status: bool = True
    needs_controller: bool = False
    find: Find = Find.NOTHING


_ACTIONS = {
    "validate": "validate",
    "force-demote": "force-demote",
    "force-stop": "force-stop",
    "force-start": "force-start",
    "force-promote": "force-promote",
    "force-check": "force-check",
}

_QUERIES = {
    "query-xml": (Command.QUERY_XML, Find.ANY),
    "query-xml-raw": (Command.QUERY_RAW_XML, Find.ANY),
    "locate": (Command.LOCATE, Find.ANONYMOUS),
    "constraints": (Command.CONSTRAINTS, Find.ANONYMOUS),
    "move": (Command.MOVE, Find.ANONYMOUS),
    "ban": (Command.BAN, Find.ANONYMOUS),
    "clear": (Command.CLEAR, Find.ANONYMOUS),
    "restart": (Command.RESTART, Find.ANONYMOUS),
}

_LISTS = {
    "list": Command.LIST_RESOURCES,
    "list-raw": Command.LIST_INSTANCES,
    "list-operations": Command.LIST_ACTIVE_OPERATIONS,
    "list-all-operations": Command.LIST_ALL_OPERATIONS,
    "list-cts": Command.CTS,
}

_AGENT_LISTS = {
    "list-standards": Command.LIST_STANDARDS,
    "list-ocf-providers": Command.LIST_PROVIDERS,
    "list-agents": Command.LIST_AGENTS,
    "list-ocf-alternatives": Command.LIST_ALTERNATIVES,
    "show-metadata": Command.METADATA,
}

_PLAIN = {
    "node": "node",
    "host-uname": "node",
    "resource": "resource",
    "lifetime": "lifetime",
    "operation": "operation",
    "interval": "interval",
    "parameter-value": "value",
    "set-name": "set_id",
    "nvpair": "pair_id",
    "resource-type": "element",
    "xml-file": "xml_file",
}


def read_request(line: CommandLine, *, on_file: bool) -> Request:
    """Fold a command line.

    Args:
        on_file: the CIB is a file, so no controller is needed for cleaning up.

    Raises:
        CommandLineError: a value cannot be used.
    """
    request = Request()
    for event, value in line.events:
        _apply(request, event, value, on_file)
    if request.command is Command.NONE:
        request.command = Command.LIST_RESOURCES
        request.needs_resource = False
    return request


class MalformedOption(CommandLineError):
    """An option cannot be read at all, so not even the output format is settled yet."""


def _choose(request: Request, command: Command) -> None:
    """Take a command; one that was given before is forgotten with its needs."""
    if request.command is not Command.NONE:
        request.needs_resource = request.needs_cib = request.needs_status = True
        request.needs_node = request.needs_controller = False
        request.find = Find.NOTHING
    request.command = command


def _apply(request: Request, event: str, value: str | None, on_file: bool) -> None:
    if event in _PLAIN:
        setattr(request, _PLAIN[event], value)
    elif event in _QUERIES:
        command, find = _QUERIES[event]
        _choose(request, command)
        request.find = find
    elif event in _LISTS:
        _choose(request, _LISTS[event])
        request.needs_resource = False
    elif event in _AGENT_LISTS:
        _choose(request, _AGENT_LISTS[event])
        request.agent_spec = value
        request.needs_cib = request.needs_status = request.needs_resource = False
    elif event in _ACTIONS:
        _apply_action(request, event, value)
    else:
        _apply_other(request, event, value, on_file)


def _apply_action(request: Request, event: str, value: str | None) -> None:
    _choose(request, Command.EXECUTE)
    request.find = Find.ANONYMOUS
    request.operation = _ACTIONS[event]
    if request.overrides is None:
        request.overrides = {}
    if value is not None:
        if not value.isdigit():
            raise CommandLineError(f"Invalid check level setting: {value}")
        request.check_level = int(value)


def _apply_other(request: Request, event: str, value: str | None, on_file: bool) -> None:
    match event:
        case "quiet":
            request.quiet = True
        case "force":
            request.force = True
        case "recursive":
            request.recursive = True
        case "promoted" | "master":
            request.promoted = True
        case "meta":
            request.set_tag = "meta_attributes"
        case "utilization":
            request.set_tag = "utilization"
        case "stack":
            _choose(request, Command.CONSTRAINTS)
            request.find, request.recursive = Find.ANONYMOUS, True
        case "why":
            _choose(request, Command.WHY)
            request.find, request.needs_resource = Find.ANONYMOUS, False
        case "wait":
            _choose(request, Command.WAIT)
            request.needs_resource = request.needs_status = False
        case "expired":
            request.expired, request.needs_resource = True, False
        case "cleanup" | "refresh":
            _choose(request, Command.CLEANUP if event == "cleanup" else Command.REFRESH)
            request.find, request.needs_resource = Find.ANONYMOUS, False
            request.needs_controller = not on_file
        case "fail":
            _choose(request, Command.FAIL)
            request.needs_controller = request.needs_node = True
        case "delete":
            _choose(request, Command.DELETE)
            request.find = Find.ANY
            request.needs_status = False
        case "set-property":
            _choose(request, Command.SET_PROPERTY)
            request.find, request.parameter = Find.ANY, value
            request.needs_status = False
        case "get-parameter" | "get-property":
            _choose(request, Command.GET_PARAMETER if event == "get-parameter" else Command.GET_PROPERTY)
            request.find, request.parameter = Find.ANY, value
        case "set-parameter" | "delete-parameter":
            _choose(request, Command.SET_PARAMETER if event == "set-parameter" else Command.DELETE_PARAMETER)
            request.find, request.parameter = Find.ANY, value
        case "digests":
            _choose(request, Command.DIGESTS)
            request.find, request.needs_node = Find.ANONYMOUS, True
            if request.overrides is None:
                request.overrides = {}
        case "timeout":
            request.timeout_ms = parse_duration_ms(value) or 0
        case "class" | "provider" | "agent":
            request.configured_here, request.needs_resource = True, False
            setattr(request, "standard" if event == "class" else event, value)
        case "option":
            name, separator, text = (value or "").partition("=")
            if not separator or not name:
                raise MalformedOption("Error parsing option --option")
            request.given_parameters[name] = text
