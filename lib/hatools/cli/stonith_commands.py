"""What ``stonith_admin`` does, command by command. I/O."""

from typing import TYPE_CHECKING

from hatools.cli.output import Output, TextOutput, XmlOutput
from hatools.values.errors import DisconnectedError, HatoolsError, NoSuchObjectError
from hatools.values.exitcode import ExitCode
from hatools.values.records import dataclass

if TYPE_CHECKING:
    from hatools.ipc.blocking import BlockingConnection
    from hatools.status.model import FencingEvent

__all__ = ["Request", "carry_out"]

_NOT_CONNECTED = "Transport endpoint is not connected"
_ANSWER_MARGIN_S = 30.0

_VALIDATION_TARGET = "node1"
"""The node that an agent is told while its configuration is validated, as Pacemaker has it."""


@dataclass(frozen=True, slots=True)
class Request:
    """A command line that has been understood. Times in milliseconds; ``operand`` is the command's own argument."""

    command: str
    operand: str
    agent: str
    parameters: dict[str, str]
    devices: tuple[str, ...]
    index: int
    timeout_ms: int
    delay_ms: int
    tolerance_ms: int
    client: str
    action: str
    verbose: bool
    cleanup: bool
    broadcast: bool
    as_node_id: bool


def carry_out(request: Request, out: Output) -> int:
    """Do what was asked for and return the exit status."""
    match request.command:
        case "list-installed":
            return _list_installed(out)
        case "metadata":
            return _metadata(request, out)
        case "validate":
            return _validate(request, out)
        case "fence" | "unfence" | "reboot":
            return _fence(request, out)
    try:
        connection = _connect(request)
    except DisconnectedError:
        out.error(f"Could not connect to fencer: {_NOT_CONNECTED}")
        return ExitCode.DISCONNECT
    with connection:
        try:
            return _ask(connection, request, out)
        except HatoolsError as error:
            out.error(_complaint(request, error))
            return int(error.exit_code)


def _ask(connection: "BlockingConnection", request: Request, out: Output) -> int:
    match request.command:
        case "list-registered" | "list":
            return _list_registered(connection, request, out)
        case "list-targets":
            return _list_targets(connection, request, out)
        case "query":
            return _query(connection, request)
        case "register" | "deregister" | "register-level" | "deregister-level":
            return _define(connection, request, out)
        case "confirm":
            from hatools.ipc.messages.stonith import ConfirmDown

            connection.request(ConfirmDown(request.operand, request.client))
            return ExitCode.OK
        case "last":
            return _last(connection, request, out)
    return _history(connection, request, out)


def _connect(request: Request) -> "BlockingConnection":
    from hatools.ipc.blocking import BlockingConnection
    from hatools.runtime.directories import Directories

    path = Directories.from_environment().socket("stonithd")
    return BlockingConnection(path, "stonithd", name=request.client.rpartition(".")[0])


def _complaint(request: Request, error: HatoolsError) -> str:
    """Word what went wrong the way the original does."""
    words = {
        "list-registered": "Failed to list registered devices",
        "list": "Failed to list registered devices",
        "list-targets": "Couldn't list targets",
        "query": f"Couldn't check device {request.operand}",
        "register": f"Can't register device {request.operand} using agent {request.agent}",
        "deregister": f"Can't unregister device {request.operand}",
        "register-level": f"Can't register topology level {request.index} for {request.operand}",
        "deregister-level": f"Can't unregister topology level {request.index} for {request.operand}",
        "confirm": f"Couldn't confirm that {request.operand} is down",
        "last": f"Couldn't tell when {request.operand} was fenced",
        "history": "Failed to get history",
    }
    return f"{words[request.command]}: {error}"


# Agents


def _list_installed(out: Output) -> int:
    from hatools.agents.catalog import Catalog

    _list(out, "Installed fence devices", Catalog.from_environment().fence_agents())
    return ExitCode.OK


def _list(out: Output, title: str, names: tuple[str, ...]) -> None:
    out.begin_list("fence device", "fence devices", title.lower() if isinstance(out, XmlOutput) else title)
    for name in names:
        out.list_item(name, "device")
    out.end_list()


def _metadata(request: Request, out: Output) -> int:
    from hatools.agents.catalog import Catalog
    from hatools.agents.fence_metadata import complete_metadata
    from hatools.cli.output import format_result_xml
    from hatools.values.agentname import AgentName

    try:
        text = Catalog.from_environment().metadata(
            AgentName("stonith", "", request.agent), timeout_s=request.timeout_ms / 1000
        )
        document = format_result_xml(complete_metadata(text))
    except NoSuchObjectError:
        out.error("Can't get fence agent meta-data: No such device")
        return ExitCode.NOSUCH
    except HatoolsError as error:
        out.error(f"Can't get fence agent meta-data: {error}")
        return int(error.exit_code)
    out.xml("metadata", document)
    return ExitCode.OK


def _validate(request: Request, out: Output) -> int:
    import os
    import subprocess

    from hatools.agents.catalog import Catalog
    from hatools.agents.fence import agent_input

    path = Catalog.from_environment().find_fence_agent(request.agent)
    if path is None:
        _show_validation(out, request, -2, "", f"Agent {request.agent} not found")
        return ExitCode.NOSUCH
    parameters = request.parameters
    if request.devices:
        from hatools.runtime.directories import Directories
        from hatools.runtime.secrets import with_secrets

        parameters = with_secrets(Directories.from_environment(), request.devices[-1], parameters)
    environment = {**os.environ, "LC_ALL": "C", "OCF_OUTPUT_FORMAT": "log", "PCMK_service": "pacemaker-fenced"}
    try:
        done = subprocess.run(
            [str(path)],
            input=agent_input(parameters, "validate-all", target=_VALIDATION_TARGET),
            capture_output=True,
            env=environment,
            timeout=request.timeout_ms / 1000,
            check=False,
        )
        code, stdout, stderr = done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr
        words = stderr.decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        code, stdout, words = 1, "", f"{request.agent} did not answer within {request.timeout_ms // 1000}s"
    _show_validation(out, request, 0 if code == 0 else -201, stdout, words)
    return ExitCode.OK if code == 0 else ExitCode.ERROR


def _show_validation(out: Output, request: Request, code: int, stdout: str, stderr: str) -> None:
    device = request.devices[-1] if request.devices else ""
    if isinstance(out, XmlOutput):
        attributes = {"agent": request.agent}
        if device:
            attributes["id"] = device
        out.push("validate", {**attributes, "valid": "true" if code == 0 else "false"})
        out.push("command", {"code": str(code)})
        for source, text in (("stdout", stdout), ("stderr", stderr)):
            if text:
                out.element("output", {"source": source}, text)
        out.pop()
        out.pop()
    elif isinstance(out, TextOutput):
        name = f"{request.agent} on {device}" if device else request.agent
        out.line(f"Validation of {name} {'succeeded' if code == 0 else 'failed'}")
        for text in (stdout, stderr):
            if text:
                out.dest.write(f"{text}\n")


# Devices and levels


def _list_registered(connection: "BlockingConnection", request: Request, out: Output) -> int:
    from hatools.ipc.messages.stonith import DeviceList, QueryDevices

    target = request.operand if request.command == "list" else ""
    answer: DeviceList = connection.request(
        QueryDevices(target, request.timeout_ms), timeout_s=request.timeout_ms / 1000 + _ANSWER_MARGIN_S
    )
    _list(out, "Registered fence devices", tuple(device.name for device in answer.devices))
    return ExitCode.OK


def _run_device(connection: "BlockingConnection", request: Request, action: str) -> tuple[int, str]:
    """Return exit status and output of a device's action."""
    from hatools.ipc.messages.stonith import DeviceResult, RunDevice

    answer: DeviceResult = connection.request(
        RunDevice(request.operand, action, timeout_ms=request.timeout_ms),
        timeout_s=request.timeout_ms / 1000 + _ANSWER_MARGIN_S,
    )
    return answer.exit_status, answer.output


def _list_targets(connection: "BlockingConnection", request: Request, out: Output) -> int:
    from hatools.agents.fence import parse_list_output

    try:
        status, text = _run_device(connection, request, "list")
    except NoSuchObjectError:
        out.error("Couldn't list targets: No such device")
        return ExitCode.NOSUCH
    if status != 0:
        out.error("Couldn't list targets: No data available")
        return ExitCode.ERROR
    out.begin_list("fence target", "fence targets", "fence targets" if isinstance(out, XmlOutput) else "Fence Targets")
    for name in parse_list_output(text):
        out.list_item(name, "fence_target")
    out.end_list()
    return ExitCode.OK


def _query(connection: "BlockingConnection", request: Request) -> int:
    try:
        status, _ = _run_device(connection, request, "monitor")
        if status != 0:
            status, _ = _run_device(connection, request, "list")
    except NoSuchObjectError:
        return ExitCode.NOSUCH
    return ExitCode.OK if status == 0 else ExitCode.ERROR


def _define(connection: "BlockingConnection", request: Request, out: Output) -> int:
    from hatools.ipc.messages.stonith import DeregisterDevice, DeregisterLevel, RegisterDevice, RegisterLevel

    if request.command in ("register-level", "deregister-level") and not 1 <= request.index <= 9:
        out.error(_complaint(request, HatoolsError("Invalid argument")))
        return ExitCode.SOFTWARE
    match request.command:
        case "register":
            connection.request(RegisterDevice(request.operand, request.agent, request.parameters))
        case "deregister":
            try:
                connection.request(DeregisterDevice(request.operand))
            except NoSuchObjectError:
                return ExitCode.OK
        case "register-level":
            connection.request(RegisterLevel(request.operand, request.index, request.devices))
        case "deregister-level":
            connection.request(DeregisterLevel(request.operand, request.index))
    return ExitCode.OK


# Fencing


def _fence(request: Request, out: Output) -> int:
    from hatools.ipc.messages.stonith import Fence

    word = "unfence" if request.command == "unfence" else "fence"
    message = Fence(
        request.operand,
        request.action,
        timeout_ms=request.timeout_ms,
        tolerance_ms=request.tolerance_ms,
        delay_ms=request.delay_ms,
        client=request.client,
    )
    try:
        with _connect(request) as connection:
            # The fencer keeps the time, which depends on the devices; it always answers.
            connection.request(message, timeout_s=24 * 3600.0)
    except DisconnectedError:
        out.error(f"stonith_admin: Couldn't {word} {request.operand}: {_NOT_CONNECTED}")
        return ExitCode.DISCONNECT
    except HatoolsError as error:
        out.error(f"stonith_admin: Couldn't {word} {request.operand}: {error}")
        return int(error.exit_code)
    return ExitCode.OK


# History


def _events(connection: "BlockingConnection", target: str) -> tuple["FencingEvent", ...]:
    from hatools.cli.fencing_events import event_of
    from hatools.ipc.messages.stonith import History, QueryHistory
    from hatools.status.fencing import arrange

    answer: History = connection.request(QueryHistory(target))
    return arrange(event_of(each, exit_reason=each.exit_reason, extended_state=1) for each in answer.records)


def _last(connection: "BlockingConnection", request: Request, out: Output) -> int:
    from hatools.cli.html_output import HtmlOutput
    from hatools.status.model import FencingState
    from hatools.status.phrases import format_clock, format_stamp

    target = _node_name(request.operand) if request.as_node_id else request.operand
    when = max(
        (event.completed for event in _events(connection, target) if event.state is FencingState.SUCCESS), default=0
    )
    if isinstance(out, TextOutput):
        fenced = f"last fenced at: {format_clock(when)}" if when else "has never been fenced"
        out.line(f"Node {request.operand} {fenced}")
        return ExitCode.OK
    if not when:
        return ExitCode.IOERR
    if isinstance(out, XmlOutput):
        out.element("last-fenced", {"target": request.operand, "when": format_stamp(when)})
    elif isinstance(out, HtmlOutput):
        out.block(f"Node {request.operand} last fenced at: {format_clock(when)}\n")
    return ExitCode.OK


def _node_name(identifier: str) -> str:
    """Return the name of the node with an id; the id itself if there is none."""
    from hatools.ipc.clients.cib import open_cib

    try:
        with open_cib(name="stonith_admin") as cib:
            nodes = cib.query("nodes")
    except HatoolsError:
        return identifier
    return next((node.get("uname", "") for node in nodes if node.get("id") == identifier), identifier)


def _history(connection: "BlockingConnection", request: Request, out: Output) -> int:
    from hatools.ipc.messages.stonith import CleanHistory
    from hatools.status.model import FencingState

    if request.cleanup:
        out.info(f"cleaning up fencing-history for node {request.operand}")
        connection.request(CleanHistory(request.operand))
        return ExitCode.OK
    if request.broadcast:
        out.info("gather fencing-history from all nodes")
        connection.request(CleanHistory(request.operand, broadcast=True))
    events = _events(connection, request.operand)
    out.begin_list("event", "events", "fencing history" if isinstance(out, XmlOutput) else "Fencing history")
    last = next((event for event in events if event.state is FencingState.SUCCESS), None)
    if out.quiet:
        if last is not None and isinstance(out, TextOutput):
            out.line(str(last.completed))
    elif request.verbose:
        for event in events:
            _show_event(out, event, full=True)
    elif last is not None:
        _show_event(out, last, full=False)
    out.end_list()
    return ExitCode.OK


def _show_event(out: Output, event: "FencingEvent", *, full: bool) -> None:
    from hatools.status.model import FencingState
    from hatools.status.phrases import fencing_line, format_stamp

    if isinstance(out, XmlOutput):
        pending = event.state is FencingState.PENDING
        attributes = {
            "action": event.action,
            "target": event.target,
            "client": event.client,
            "origin": event.origin,
            "status": str(event.state),
            "exit-reason": event.exit_reason if event.state is FencingState.FAILED else None,
            "extended-status": str(event.extended_state) if pending else None,
            "delegate": event.delegate,
            "completed": None if pending else format_stamp(event.completed),
        }
        out.element("fence_event", {name: value for name, value in attributes.items() if value is not None})
        out.increment_list()
        return
    text = fencing_line(event, full=full, technical=True)
    if isinstance(out, TextOutput):
        out.line(text)
        out.increment_list()
    else:
        out.list_item(text, _CLASSES[event.state.value])


_CLASSES = {
    "pending": "pending-stonith-event",
    "failed": "failed-stonith-event",
    "success": "successful-stonith-event",
}
