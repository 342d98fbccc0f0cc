"""``attrd_updater``: query and update transient node attributes. I/O."""

from hatools.cli.options import CommandLine, Finished, Group, Option, Program, begin
from hatools.cli.output import Output, XmlOutput
from hatools.values.duration import parse_interval_ms
from hatools.values.errors import DisconnectedError, HatoolsError
from hatools.values.exitcode import ExitCode

PROGRAM = Program(
    "attrd_updater",
    "query and update Pacemaker node attributes",
    (
        Group(
            "required",
            "Required Arguments:",
            "Show required arguments",
            (Option("name", "n", "The attribute's name", "NAME"),),
        ),
        Group(
            "command",
            "Command:",
            "Show command options (mutually exclusive)",
            (
                Option(
                    "update",
                    "U",
                    "Update attribute's value in pacemaker-attrd. If this causes the value\n"
                    "to change, it will also be updated in the cluster configuration.",
                    "VALUE",
                ),
                Option(
                    "update-both",
                    "B",
                    "Update attribute's value and time to wait (dampening) in\n"
                    "pacemaker-attrd. If this causes the value or dampening to change,\n"
                    "the attribute will also be written to the cluster configuration,\n"
                    "so be aware that repeatedly changing the dampening reduces its\n"
                    "effectiveness.\n"
                    "Requires -d/--delay",
                    "VALUE",
                ),
                Option(
                    "update-delay",
                    "Y",
                    "Update attribute's dampening in pacemaker-attrd. If this causes\n"
                    "the dampening to change, the attribute will also be written\n"
                    "to the cluster configuration, so be aware that repeatedly\n"
                    "changing the dampening reduces its effectiveness.\n"
                    "Requires -d/--delay",
                ),
                Option("query", "Q", "Query the attribute's value from pacemaker-attrd"),
                Option(
                    "delete",
                    "D",
                    "Unset attribute from pacemaker-attrd. At the moment, there is no way\n"
                    "to remove an attribute. This option will instead set its value\n"
                    "to the empty string.",
                ),
                Option(
                    "refresh",
                    "R",
                    "(Advanced) Force the pacemaker-attrd daemon to resend all current\nvalues to the CIB",
                ),
            ),
        ),
        Group(
            "additional",
            "Additional Options:",
            "Show additional options",
            (
                Option(
                    "delay",
                    "d",
                    "The time to wait (dampening) in seconds for further changes\nbefore sending to the CIB",
                    "SECONDS",
                ),
                Option("set", "s", "(Advanced) The attribute set in which to place the value", "SET"),
                Option("node", "N", "Set the attribute for the named node (instead of the local one)", "NODE"),
                Option("all", "A", "Show values of the attribute for all nodes (query only)"),
                Option(
                    "lifetime",
                    "l",
                    "(Not yet implemented) Lifetime of the node attribute (silently\nignored by cluster)",
                    "SECTION",
                ),
                Option("private", "p", "If this creates a new attribute, never write the attribute to CIB"),
                Option("oldupdate", "v", argument="VALUE", hidden=True),
                Option("quiet", "q", hidden=True),
                Option("section", "S", argument="SECTION", hidden=True),
            ),
        ),
    ),
    epilogue="Report bugs to users@clusterlabs.org\n\n",
    special="dnsvBNUS",
    indent=30,
)

_COMMANDS = ("update", "oldupdate", "update-both", "update-delay", "query", "delete", "refresh")
_NAME = "attrd_updater"


def main(argv: list[str]) -> int:
    """Carry out one command on an attribute."""
    try:
        line, out = begin(PROGRAM, argv)
    except Finished as finished:
        return finished.code
    out.quiet = line.has("quiet")
    command = line.last_of(_COMMANDS) or "query"
    name = line.get("name")
    if not name and command != "refresh":
        out.error(f"{_NAME}: Command requires --name argument")
        return out.finish(ExitCode.USAGE)
    code = _query(out, line, name or "") if command == "query" else _update(out, line, command, name)
    return out.finish(code)


def _query(out: Output, line: CommandLine, name: str) -> int:
    from hatools.ipc.clients.attrd import BlockingAttributes

    try:
        attributes = BlockingAttributes(name=_NAME)
    except DisconnectedError:
        out.error(f"{_NAME}: Could not connect to attrd: Connection refused")
        return ExitCode.DISCONNECT
    try:
        node = "" if line.has("all") else _node(line)
        values = attributes.query(name, node)
    except HatoolsError as error:
        out.error(f"{_NAME}: Could not query value of {name}: {error}")
        return int(error.exit_code)
    finally:
        attributes.close()
    if not values:
        out.error(f"{_NAME}: Could not query value of {name}: attribute does not exist")
        return ExitCode.NOSUCH
    for value in values:
        if isinstance(out, XmlOutput):
            out.element("attribute", {"name": value.name, "value": value.value, "host": value.node})
        elif out.quiet:
            print(value.value)
        else:
            out.info(f'name="{value.name}" host="{value.node}" value="{value.value}"')
    return ExitCode.OK


def _node(line: CommandLine) -> str:
    """Return the node meant: the one given, the one the cluster told an agent, or the local one."""
    import os

    from hatools.cli.nodename import local_node_name, node_name_from_agent

    given = line.get("node")
    if given in (None, "", "auto", "localhost"):
        return node_name_from_agent(os.environ) or local_node_name(os.environ)
    return given or ""


def _update(out: Output, line: CommandLine, command: str, name: str | None) -> int:
    from hatools.ipc.clients.attrd import BlockingAttributes
    from hatools.ipc.messages.attrd import UpdateAttribute

    value = None
    if command in ("update", "oldupdate", "update-both"):
        value = line.get(command)
    delay = line.get("delay")
    try:
        attributes = BlockingAttributes(name=_NAME)
    except DisconnectedError:
        out.error(f"{_NAME}: Could not update {name or '(null)'}={_shown(value)}: Connection refused (111)")
        return ExitCode.DISCONNECT
    try:
        if command == "refresh":
            attributes.refresh()
        else:
            attributes.send(
                UpdateAttribute(
                    name=name or "",
                    value=value,
                    node=_node(line) if line.get("node") else "",
                    dampen_ms=None if delay is None else parse_interval_ms(delay),
                    update=command != "update-delay",
                    private=line.has("private"),
                    set_name=line.get("set") or "",
                    both=command == "update-both",
                )
            )
    except HatoolsError as error:
        out.error(f"{_NAME}: Could not update {name or '(null)'}={_shown(value)}: {error}")
        return int(error.exit_code)
    finally:
        attributes.close()
    return ExitCode.OK


def _shown(value: str | None) -> str:
    return "(null)" if value is None else value
