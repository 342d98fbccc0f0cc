"""``stonith_admin``: fence devices, fencing and its history, for people and scripts. I/O."""

import os
import sys

from hatools.cli.options import CommandLine, Finished, Group, Option, Program, begin, format_help
from hatools.cli.output import Output
from hatools.values.errors import HatoolsError
from hatools.values.exitcode import ExitCode

PROGRAM = Program(
    "stonith_admin",
    "stonith_admin - Access the Pacemaker fencing API",
    (
        Group(
            "definition",
            "Device Definition Commands:",
            "Show device definition help",
            (
                Option(
                    "register",
                    "R",
                    "Register the named stonith device. Requires: --agent.\nOptional: --option, --env-option.",
                    "DEVICE",
                ),
                Option("deregister", "D", "De-register the named stonith device.", "DEVICE"),
                Option(
                    "register-level",
                    "r",
                    "Register a stonith level for the named target,\n"
                    "specified as one of NAME, @PATTERN, or ATTR=VALUE.\n"
                    "Requires: --index and one or more --device entries.",
                    "TARGET",
                ),
                Option(
                    "deregister-level",
                    "d",
                    "Unregister a stonith level for the named target,\n"
                    "specified as for --register-level. Requires: --index",
                    "TARGET",
                ),
            ),
        ),
        Group(
            "queries",
            "Queries:",
            "Show query help",
            (
                Option("list", "l", "List devices that can terminate the specified host.\nOptional: --timeout", "HOST"),
                Option("list-registered", "L", "List all registered devices. Optional: --timeout."),
                Option("list-installed", "I", "List all installed devices. Optional: --timeout."),
                Option(
                    "list-targets",
                    "s",
                    "List the targets that can be fenced by the\nnamed device. Optional: --timeout.",
                    "DEVICE",
                ),
                Option("metadata", "M", "Show agent metadata. Requires: --agent.\nOptional: --timeout."),
                Option("query", "Q", "Check the named device's status. Optional: --timeout.", "DEVICE"),
                Option(
                    "history",
                    "H",
                    "Show last successful fencing operation for named node\n"
                    "(or '*' for all nodes). Optional: --timeout, --cleanup,\n"
                    "--quiet (show only the operation's epoch timestamp),\n"
                    "--verbose (show all recorded and pending operations),\n"
                    "--broadcast (update history from all nodes available).",
                    "NODE",
                ),
                Option("last", "h", "Indicate when the named node was last fenced.\nOptional: --as-node-id.", "NODE"),
                Option(
                    "validate",
                    "K",
                    "Validate a fence device configuration.\n"
                    "Requires: --agent. Optional: --option, --env-option,\n"
                    "--quiet (print no output, only return status).\n",
                ),
            ),
        ),
        Group(
            "fence",
            "Fencing Commands:",
            "Show fence help",
            (
                Option("fence", "F", "Fence named host. Optional: --timeout, --tolerance, --delay.", "HOST"),
                Option("unfence", "U", "Unfence named host. Optional: --timeout, --tolerance, --delay.", "HOST"),
                Option("reboot", "B", "Reboot named host. Optional: --timeout, --tolerance, --delay.", "HOST"),
                Option("confirm", "C", "Tell cluster that named host is now safely down.", "HOST"),
            ),
        ),
        Group(
            "additional",
            "Additional Options:",
            "Show additional options",
            (
                Option("cleanup", "c", "Cleanup wherever appropriate. Requires --history."),
                Option("broadcast", "b", "Broadcast wherever appropriate."),
                Option(
                    "agent",
                    "a",
                    "The agent to use (for example, fence_xvm;\nwith --register, --metadata, --validate).",
                    "AGENT",
                ),
                Option(
                    "option",
                    "o",
                    "Specify a device configuration parameter as NAME=VALUE\n"
                    "(may be specified multiple times; with --register,\n"
                    "--validate).",
                    "PARAM",
                ),
                Option(
                    "env-option",
                    "e",
                    "Specify a device configuration parameter with the\n"
                    "specified name, using the value of the\n"
                    "environment variable of the same name prefixed with\n"
                    "OCF_RESKEY_ (may be specified multiple times;\n"
                    "with --register, --validate).",
                    "PARAM",
                ),
                Option(
                    "tag",
                    "T",
                    "Identify fencing operations in logs with the specified\n"
                    "tag; useful when multiple entities might invoke\n"
                    "stonith_admin (used with most commands).",
                    "TAG",
                ),
                Option(
                    "device",
                    "v",
                    "Device ID (with --register-level, device to associate with\n"
                    "a given host and level; may be specified multiple times)\n"
                    "(with --validate, name to use to load CIB secrets).",
                    "DEVICE",
                ),
                Option(
                    "index",
                    "i",
                    "The stonith level (1-9) (with --register-level,\n--deregister-level).",
                    "LEVEL",
                    integer=True,
                ),
                Option(
                    "timeout",
                    "t",
                    "Operation timeout in seconds (default 120;\nused with most commands).",
                    "SECONDS",
                    integer=True,
                ),
                Option(
                    "delay",
                    "y",
                    "Apply a fencing delay in seconds. Any static/random delays from\n"
                    "pcmk_delay_base/max will be added, otherwise all\n"
                    "disabled with the value -1\n"
                    "(default 0; with --fence, --reboot, --unfence).",
                    "SECONDS",
                    integer=True,
                ),
                Option("as-node-id", "n", "(Advanced) The supplied node is the corosync node ID\n(with --last)."),
                Option(
                    "tolerance",
                    "",
                    "(Advanced) Do nothing if an equivalent --fence request\n"
                    "succeeded less than this many seconds earlier\n"
                    "(with --fence, --unfence, --reboot).",
                    "SECONDS",
                ),
            ),
        ),
    ),
    options=(Option("quiet", "q", "Be less descriptive in output."),),
    epilogue="Report bugs to users@clusterlabs.org\n\n",
    formats=("text", "html", "xml"),
    special="adehilorstvyBCDFHQRTU",
    indent=36,
)

_PRECEDENCE = (
    "validate",
    "list-installed",
    "list-registered",
    "register",
    "query",
    "deregister",
    "list-targets",
    "list",
    "metadata",
    "reboot",
    "fence",
    "unfence",
    "confirm",
    "last",
    "history",
    "register-level",
    "deregister-level",
)
"""Of several commands on one line, the one that comes last here is carried out."""

_NEED_AGENT = frozenset({"validate", "register", "metadata"})
_FENCING = {"fence": "off", "unfence": "on", "reboot": "reboot"}

NOT_CONNECTED = "Transport endpoint is not connected"


def main(argv: list[str]) -> int:
    """Carry out one command."""
    if any("html" in word for word in argv):
        import hatools.cli.html_output  # noqa: F401 (makes the format known)
    try:
        line, out = begin(PROGRAM, argv)
    except Finished as finished:
        return finished.code
    if _is_html(out):
        _set_page(out, line)
    given = [name for name in _PRECEDENCE if line.has(name)]
    command = given[-1] if given else ""
    if not command or (given and _NEED_AGENT & set(given) and not line.get("agent")):
        if command:
            out.error("Please specify an agent to query using -a,--agent [value]")
        out.error(format_help(PROGRAM))
        return out.finish(ExitCode.USAGE)
    out.quiet = line.has("quiet")
    try:
        parameters = _parameters(line)
    except HatoolsError as error:
        out.error(f"stonith_admin: {error}")
        return out.finish(ExitCode.USAGE)
    from hatools.cli.stonith_commands import Request, carry_out

    request = Request(
        command=command,
        operand=line.get(command) or "",
        agent=line.get("agent") or "",
        parameters=parameters,
        devices=tuple(line.all("device")),
        index=line.number("index", 0),
        timeout_ms=line.number("timeout", 120) * 1000,
        delay_ms=_delay_ms(line.number("delay", 0)),
        tolerance_ms=_tolerance_ms(line.get("tolerance")),
        client="stonith_admin" + (f".{line.get('tag')}" if line.get("tag") else "") + f".{os.getpid()}",
        action=_FENCING.get(command, ""),
        verbose=line.verbosity > 0,
        cleanup=line.has("cleanup"),
        broadcast=line.has("broadcast"),
        as_node_id=line.has("as-node-id"),
    )
    return out.finish(carry_out(request, out))


def _is_html(out: Output) -> bool:
    return out.format == "html"


def _set_page(out: Output, line: CommandLine) -> None:
    from hatools.cli.html_output import HtmlOutput

    if isinstance(out, HtmlOutput):
        out.title = line.get("html-title")
        out.stylesheet = line.get("html-stylesheet")
        out.cgi = line.has("html-cgi")


def _parameters(line: CommandLine) -> dict[str, str]:
    """Collect the device's parameters.

    Raises:
        HatoolsError: one is not of the form NAME=VALUE, or not in the environment.
    """
    found: dict[str, str] = {}
    for event, value in line.events:
        if event == "option":
            name, separator, content = (value or "").partition("=")
            if not separator or not name:
                raise HatoolsError(f"Invalid option: -o {value}: Operation not permitted")
            found[name] = content
        elif event == "env-option":
            content = os.environ.get(f"OCF_RESKEY_{value}", "")
            if f"OCF_RESKEY_{value}" not in os.environ:
                raise HatoolsError(f"Invalid option: -e {value}")
            found[value or ""] = content
    return found


def _delay_ms(seconds: int) -> int:
    return -1 if seconds < 0 else seconds * 1000


def _tolerance_ms(text: str | None) -> int:
    from hatools.values.duration import parse_duration_ms

    return max(0, parse_duration_ms(text) or 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
