"""``crmadmin``: the state of the controllers, the DC, the nodes. I/O."""

import os
import time

from hatools.cib.document import Document, Element, children
from hatools.cli.options import CommandLine, Finished, Group, Option, Program, begin, format_help
from hatools.cli.output import Output, XmlOutput
from hatools.values.duration import parse_interval_ms
from hatools.values.errors import DeadlineError, DisconnectedError, HatoolsError, NoSuchObjectError, UsageError
from hatools.values.exitcode import ExitCode

_EPILOGUE = """Notes:

Time Specification:

The TIMESPEC in any command line option can be specified in many different
formats.  It can be just an integer number of seconds, a number plus units
(ms/msec/us/usec/s/sec/m/min/h/hr), or an ISO 8601 period specification.

Report bugs to users@clusterlabs.org
"""

PROGRAM = Program(
    "crmadmin",
    "query and manage the Pacemaker controller",
    (
        Group(
            "command",
            "Commands:",
            "Show command options",
            (
                Option(
                    "status",
                    "S",
                    "Display the status of the specified node.\n"
                    "Result is state of node's internal finite state\n"
                    "machine, which can be useful for debugging",
                    "NODE",
                ),
                Option(
                    "pacemakerd",
                    "P",
                    "Display the status of local pacemakerd.\n"
                    "Result is the state of the sub-daemons watched\n"
                    "by pacemakerd.",
                ),
                Option(
                    "dc_lookup",
                    "D",
                    "Display the uname of the node co-ordinating the cluster.\n"
                    "This is an internal detail rarely useful to\n"
                    "administrators except when deciding on which\n"
                    "node to examine the logs.",
                ),
                Option(
                    "nodes",
                    "N",
                    "Display the uname of all member nodes [optionally filtered by type (comma-separated)]\n"
                    "Types: all (default), cluster, guest, remote",
                    "TYPE",
                    optional=True,
                ),
                Option("election", "E", hidden=True),
                Option("kill", "K", argument="NODE", hidden=True),
                Option("health", "H", hidden=True),
            ),
        ),
        Group(
            "additional",
            "Additional Options:",
            "Show additional options",
            (
                Option("timeout", "t", "Time  to wait before declaring the operation\nfailed", "TIMESPEC"),
                Option(
                    "bash-export",
                    "B",
                    "Display nodes as shell commands of the form 'export uname=uuid'\n(valid with -N/--nodes)",
                ),
                Option("ipc-name", "i", "Name to use for ipc instead of 'crmadmin' (with -P/--pacemakerd).", "NAME"),
            ),
        ),
    ),
    options=(Option("quiet", "q", "Display only the essential query information"),),
    epilogue=_EPILOGUE,
    special="itKNS",
    indent=29,
)

DEFAULT_TIMEOUT_S = 30.0

_PACEMAKERD_TEXTS = {
    "init": "Initializing pacemaker",
    "starting_daemons": "Pacemaker daemons are starting",
    "wait_for_ping": "Waiting for startup trigger from SBD",
    "running": "Pacemaker is running",
    "shutting_down": "Pacemaker daemons are shutting down",
    "shutdown_complete": "Pacemaker daemons are shut down (reporting to SBD)",
}

_COMMANDS = ("status", "pacemakerd", "dc_lookup", "nodes", "election", "health", "kill")


def main(argv: list[str]) -> int:
    """Answer one question about the cluster's controllers."""
    try:
        line, out = begin(PROGRAM, argv)
    except Finished as finished:
        return finished.code
    out.quiet = line.has("quiet")
    command = line.last_of(_COMMANDS)
    if command is None or line.rest:
        problem = "Must specify a command option" if command is None else f"Unexpected argument '{line.rest[0]}'"
        out.error(f"error: {problem}\n\n{format_help(PROGRAM)}")
        return out.finish(ExitCode.USAGE)
    try:
        _COMMAND_TABLE[command](line, out)
    except DisconnectedError as error:
        daemon = "launcher" if command == "pacemakerd" else "controller"
        if command != "nodes":
            out.error(f"error: Could not connect to {daemon}: Connection refused")
            out.error("error: Command failed: Connection refused")
            return out.finish(ExitCode.DISCONNECT)
        out.error(f"error: Command failed: {error}")
        return out.finish(ExitCode.DISCONNECT)
    except DeadlineError:
        out.error("error: Command failed: Timer expired")
        return out.finish(ExitCode.TIMEOUT)
    except NoSuchObjectError as error:
        out.error(f"error: Command failed: {error}")
        return out.finish(ExitCode.NOHOST if command == "status" else ExitCode.NOSUCH)
    except _NoInput:
        out.error("error: Command failed: Input file not available")
        return out.finish(ExitCode.NOINPUT)
    except HatoolsError as error:
        out.error(f"error: Command failed: {error}")
        return out.finish(error.exit_code)
    return out.finish(ExitCode.OK)


class _NoInput(Exception):
    """There is no CIB to read."""


def _timeout_s(line: CommandLine) -> float:
    return parse_interval_ms(line.get("timeout")) / 1000 or DEFAULT_TIMEOUT_S


def _status(line: CommandLine, out: Output) -> None:
    from hatools.ipc.clients.crmd import BlockingController

    controller = BlockingController(name="crmadmin", timeout_s=_timeout_s(line))
    try:
        name = line.get("status") if line.has("status") else ""
        state = controller.describe(name or "")
    finally:
        controller.close()
    if isinstance(out, XmlOutput):
        out.element("crmd", {"node_name": state.node, "state": state.state, "result": state.result})
    elif out.quiet:
        print(state.state)
    else:
        out.info(f"Controller on {state.node} in state {state.state}: {state.result}")


def _dc_lookup(line: CommandLine, out: Output) -> None:
    from hatools.ipc.clients.crmd import BlockingController

    limit = time.monotonic() + _timeout_s(line)
    controller = BlockingController(name="crmadmin", timeout_s=_timeout_s(line))
    try:
        while not (dc := controller.describe().dc):
            # Nobody answers for a DC that is being elected; the original waits for it in the same way.
            if time.monotonic() >= limit:
                raise DeadlineError("no DC was elected in time")
            time.sleep(0.05)
    finally:
        controller.close()
    if isinstance(out, XmlOutput):
        out.element("dc", {"node_name": dc})
    elif out.quiet:
        print(dc)
    else:
        out.info(f"Designated Controller is: {dc}")


def _pacemakerd(line: CommandLine, out: Output) -> None:
    from hatools.ipc.blocking import BlockingConnection
    from hatools.ipc.messages.pacemakerd import DescribeNode, NodeProcesses
    from hatools.runtime.directories import Directories

    name = line.get("ipc-name") or "crmadmin"
    connection = BlockingConnection(Directories.from_environment().socket("pacemakerd"), "launcher", name=name)
    try:
        answer = connection.request(DescribeNode(), timeout_s=_timeout_s(line))
    finally:
        connection.close()
    assert isinstance(answer, NodeProcesses)
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(answer.last_updated))
    zone = time.strftime("%z", time.localtime(answer.last_updated))
    updated = f"{stamp}Z" if zone == "+0000" else f"{stamp} {zone[:3]}:{zone[3:]}"
    if isinstance(out, XmlOutput):
        out.element("pacemakerd", {"sys_from": "pacemakerd", "state": answer.state, "last_updated": updated})
    elif out.quiet:
        print(answer.state)
    else:
        words = _PACEMAKERD_TEXTS.get(answer.state, answer.state)
        out.info(f"Status of pacemakerd: '{words}' (last updated {updated})")


def _election(line: CommandLine, out: Output) -> None:
    from hatools.ipc.clients.crmd import BlockingController

    controller = BlockingController(name="crmadmin", timeout_s=_timeout_s(line))
    try:
        controller.elect()
    finally:
        controller.close()


def _kill(line: CommandLine, out: Output) -> None:
    raise UsageError("-K/--kill is not there yet; stop a node with 'crm cluster stop'")


def _nodes(line: CommandLine, out: Output) -> None:
    wanted = (line.get("nodes") or "all").split(",")
    everything = wanted == ["all"] or "all" in wanted
    found = [
        (kind, name, identifier) for kind, name, identifier in known_nodes(_read_cib()) if everything or kind in wanted
    ]
    if isinstance(out, XmlOutput):
        out.push("nodes")
        for kind, name, identifier in found:
            out.element("node", {"type": kind, "name": name, "id": identifier})
        out.pop()
        return
    for kind, name, identifier in found:
        if out.quiet:
            print(name)
        elif line.has("bash-export"):
            out.info(f"export {name}={identifier}")
        else:
            out.info(f"{kind} node: {name} ({identifier})")
    if not found:
        out.info("No nodes configured")


def _read_cib() -> Document:
    from hatools.ipc.clients.cib import open_cib

    try:
        with open_cib(os.environ, name="crmadmin") as cib:
            return cib.document()
    except (DisconnectedError, NoSuchObjectError):
        raise _NoInput from None


def known_nodes(document: Document) -> list[tuple[str, str, str]]:
    """Return (kind, name, id) of the cluster nodes, then of the guest nodes, then of the remote nodes."""
    nodes = [
        ("cluster", node.get("uname", ""), node.get("id", ""))
        for node in children(document.section("nodes"), "node")
        if node.get("type", "member") == "member"
    ]
    resources = document.section("resources")
    if resources is None:
        return nodes
    for pair in resources.iterfind(".//meta_attributes/nvpair[@name='remote-node']"):
        nodes.append(("guest", pair.get("value", ""), pair.get("value", "")))
    for primitive in resources.iter("primitive"):
        if _is_remote_connection(primitive):
            nodes.append(("remote", primitive.get("id", ""), primitive.get("id", "")))
    return nodes


def _is_remote_connection(primitive: Element) -> bool:
    return primitive.get("type") == "remote" and primitive.get("provider") == "pacemaker"


_COMMAND_TABLE = {
    "status": _status,
    "health": _status,
    "pacemakerd": _pacemakerd,
    "dc_lookup": _dc_lookup,
    "nodes": _nodes,
    "election": _election,
    "kill": _kill,
}
