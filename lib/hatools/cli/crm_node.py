"""``crm_node``: the nodes as the cluster layer knows them. I/O."""

import sys

from hatools.cli.options import CommandLine, Finished, Group, Option, Program, begin, format_help
from hatools.values.errors import DisconnectedError, HatoolsError
from hatools.values.exitcode import ExitCode

PROGRAM = Program(
    "crm_node",
    "crm_node - Tool for displaying low-level node information",
    (
        Group(
            "commands",
            "Commands:",
            "Show command help",
            (
                Option("cluster-id", "i", "Display this node's cluster id"),
                Option("list", "l", "Display all known members (past and present) of this cluster"),
                Option("name", "n", "Display the name used by the cluster for this node"),
                Option("partition", "p", "Display the members of this partition"),
                Option("quorum", "q", "Display a 1 if our partition has quorum, 0 if not"),
                Option(
                    "name-for-id",
                    "N",
                    "Display the name used by the cluster for the node with the specified ID",
                    "ID",
                    integer=True,
                ),
                Option(
                    "remove",
                    "R",
                    "(Advanced) Remove the (stopped) node with the specified name from Pacemaker's\n"
                    "configuration and caches (the node must already have been removed from\n"
                    "the underlying cluster stack configuration",
                    "NAME",
                ),
            ),
        ),
        Group("additional", "Additional Options:", "Show additional options", (Option("force", "f"),)),
    ),
    options=(Option("quiet", "Q", "Be less descriptive in output."),),
    epilogue="Report bugs to users@clusterlabs.org\n\n",
    formats=(),
    special="NR",
    indent=27,
)

_COMMANDS = ("cluster-id", "list", "name", "partition", "quorum", "name-for-id", "remove")

_DANGEROUS = (
    "The supplied command is considered dangerous.  To prevent accidental destruction of the cluster, "
    "the --force flag is required in order to proceed."
)


def main(argv: list[str]) -> int:
    """Answer one question about the membership, or remove a node that is gone."""
    try:
        line, _ = begin(PROGRAM, argv)
    except Finished as finished:
        return finished.code
    command = line.last_of(_COMMANDS)
    if command is None or line.rest:
        print(format_help(PROGRAM), end="", file=sys.stderr)
        return ExitCode.USAGE
    if command == "remove" and not line.has("force"):
        print(_DANGEROUS, file=sys.stderr)
        return ExitCode.USAGE
    try:
        return _remove(line.get("remove") or "") if command == "remove" else _show(command, line)
    except DisconnectedError:
        print("error: Could not connect to controller: Connection refused", file=sys.stderr)
        return ExitCode.DISCONNECT


def _show(command: str, line: CommandLine) -> int:
    from hatools.ipc.clients.crmd import BlockingController

    controller = BlockingController(name="crm_node")
    try:
        known = controller.nodes()
    finally:
        controller.close()
    nodes = sorted((node for node in known.nodes if not node.is_remote), key=lambda node: node.name.lower())
    match command:
        case "cluster-id":
            print(known.local_id)
        case "name":
            print(known.local)
        case "quorum":
            print(int(known.quorate))
        case "list":
            for node in nodes:
                print(f"{node.id} {node.name} {node.state}")
        case "partition":
            print("".join(f"{node.name} " for node in nodes if node.state == "member"))
        case "name-for-id":
            name = next((node.name for node in nodes if node.id == line.get("name-for-id")), None)
            if name is None:
                print("Node is not known to cluster", file=sys.stderr)
                return ExitCode.NOHOST
            print(name)
    return ExitCode.OK


def _remove(name: str) -> int:
    from hatools.ipc.clients.attrd import BlockingAttributes
    from hatools.ipc.clients.crmd import BlockingController

    controller = BlockingController(name="crm_node")
    try:
        known = next((node for node in controller.nodes().nodes if name in (node.name, node.id)), None)
        if known is not None and known.state == "member":
            print(f"error: Node {known.name} is still a member of the cluster: stop it first", file=sys.stderr)
            return ExitCode.ERROR
        node = name if known is None else known.name
        controller.forget(node)
    finally:
        controller.close()
    attributes = BlockingAttributes(name="crm_node")
    try:
        attributes.remove_peer(node)
    finally:
        attributes.close()
    return _remove_from_cib(node)


def _remove_from_cib(node: str) -> int:
    from hatools.cib.operations import Edit
    from hatools.ipc.clients.cib import open_cib
    from hatools.values.ciboperation import CibOperation

    quoted = f'"{node}"' if "'" in node else f"'{node}'"
    try:
        with open_cib(name="crm_node") as cib:
            cib.change_all(
                [
                    Edit(CibOperation.DELETE_ALL, xpath=f"/cib/configuration/nodes/node[@uname={quoted}]"),
                    Edit(CibOperation.DELETE_ALL, xpath=f"/cib/status/node_state[@uname={quoted}]"),
                ]
            )
    except DisconnectedError:
        raise
    except HatoolsError as error:
        print(f"error: Could not remove node {node} from the CIB: {error}", file=sys.stderr)
        return int(error.exit_code)
    return ExitCode.OK
