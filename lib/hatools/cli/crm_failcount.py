"""``crm_failcount``: how often a resource failed on a node. I/O."""

import os
import re
import sys

from hatools.cli.gnu_options import Entry, GnuLine
from hatools.cli.nodename import local_node_name, node_name_from_agent
from hatools.cli.options import Finished
from hatools.cli.wrapper import attribute_value, read_words, refuse, show_version
from hatools.ipc.clients.cib import cib_file_path, open_cib, query_or_none
from hatools.values.errors import HatoolsError
from hatools.values.exitcode import ExitCode
from hatools.values.score import INFINITY

USAGE = """Usage: crm_failcount <command> [<options>]
Common options:
 --help                 Display this text, then exit
 --version              Display version information, then exit
 -V, --verbose          Specify multiple times to increase debug output
 -q, --quiet            Print only the value (if querying)

Commands:
 -G, --query            Query the current value of the resource's fail count
 -D, --delete           Delete resource's recorded failures

Additional Options:
 -r, --resource=value   Name of the resource to use (required)
 -n, --operation=value  Name of operation to use (instead of all operations)
 -I, --interval=value   If operation is specified, its interval
 -N, --node=value       Use failcount on named node (instead of local node)"""

HELP = f"crm_failcount - Query or delete resource fail counts\n\n{USAGE}"

ENTRIES = (
    Entry("help"),
    Entry("version"),
    Entry("verbose", "V"),
    Entry("quiet", "q"),
    Entry("query", "G"),
    Entry("delete", "D"),
    Entry("resource", "r", argument=1),
    Entry("node", "N", argument=1),
    Entry("operation", "n", argument=1),
    Entry("interval", "I", argument=1),
    Entry("delete-attr"),
    Entry("get-value"),
    Entry("resource-id", argument=1),
    Entry("uname", "U", argument=1),
    Entry("lifetime", "l", argument=1),
    Entry("attr-value", "v", argument=1),
    Entry("attr-id", "i", argument=1),
    Entry("", "Q"),
)

_UNITS_MS = {
    "": 1000,
    "s": 1000,
    "sec": 1000,
    "ms": 1,
    "msec": 1,
    "m": 60_000,
    "min": 60_000,
    "h": 3_600_000,
    "hr": 3_600_000,
}
_SIMPLE = re.compile(r"[ \t]*(\d+)[ \t]*([a-z]*)[ \t]*")
_WEEKS = re.compile(r"P(\d+)W")
_ISO = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")
_ISO_MS = (31_536_000_000, 2_592_000_000, 86_400_000, 3_600_000, 60_000, 1000)


def main(argv: list[str]) -> int:
    """Query a fail count, or clean the resource up."""
    try:
        line = read_words("crm_failcount", ENTRIES, argv, USAGE, ExitCode.USAGE)
    except Finished as finished:
        return finished.code
    if line.has("help") or line.has("version"):
        first = next(event for event, _ in line.events if event in ("help", "version"))
        if first == "version":
            return show_version()
        print(HELP)
        return ExitCode.OK
    command = _command(line)
    resource = _last(line, "r", "resource-id")
    node = _last(line, "N", "U")
    if node is None:
        node = _local_node()
    if not command:
        return refuse("must specify a command", USAGE, ExitCode.USAGE)
    if not resource:
        return refuse("resource name required", USAGE, ExitCode.USAGE)
    if not node:
        return refuse("node name required", USAGE, ExitCode.USAGE)
    operation = line.get("n") or ""
    interval_ms = _interval_ms(_last(line, "I") or "0")
    verbose = ["-V"] * sum(1 for event, _ in line.events if event == "V")
    quiet = line.has("q") or line.has("Q")
    if command == "delete":
        from hatools.cli import crm_resource

        only = ["-n", *operation.split(), "-I", f"{interval_ms}ms"] if operation else []
        silent = ["--quiet"] if quiet else []
        return crm_resource.main([*silent, *verbose, "--cleanup", "-N", node, "-r", resource, *only])
    name, count = _query(node, resource, operation, interval_ms, verbose)
    print(count if quiet else f"scope=status  name={name} value={count}")
    return ExitCode.OK


def _command(line: GnuLine) -> str:
    command = ""
    for event, value in line.events:
        match event:
            case "G" | "get-value":
                command = "query"
            case "D" | "delete-attr":
                command = "delete"
            case "v" if value == "0":
                command = "delete"
            case "v":
                print(f"warning: ignoring deprecated option '-{event}' with nonzero value", file=sys.stderr)
            case "i" | "l":
                print(f"warning: ignoring deprecated option '-{event}'", file=sys.stderr)
    return command


def _last(line: GnuLine, *names: str) -> str | None:
    return next((value for event, value in reversed(line.events) if event in names), None)


def _local_node() -> str:
    """Return the local node's name, nothing without a cluster."""
    known = node_name_from_agent(os.environ)
    if known or cib_file_path(os.environ) is not None:
        return known or ""
    try:
        return local_node_name(os.environ)
    except HatoolsError:
        return ""


def _query(node: str, resource: str, operation: str, interval_ms: int, verbose: list[str]) -> tuple[str, str]:
    """Return the attribute's name and value; one without operation counts for clusters before 1.1.17."""
    whole = f"fail-count-{resource}"
    name = f"{whole}#{operation}_{interval_ms}" if operation else whole
    count = _single(node, name, verbose) if operation else _sum(node, f"{whole}#")
    if count == "0":
        count = _single(node, whole, verbose)
        if count != "0":
            name = whole
    return name, count


def _single(node: str, name: str, verbose: list[str]) -> str:
    return attribute_value([*verbose, "--quiet", "--query", "-t", "status", "-d", "0", "-N", node, "-n", name])


def _sum(node: str, prefix: str) -> str:
    """Add up the fail counts of all operations."""
    try:
        with open_cib(name="crm_failcount") as cib:
            state = query_or_none(cib, xpath=f"/cib/status/node_state[@uname='{node}']/transient_attributes")
    except HatoolsError:
        print("error: could not query CIB for fail counts", file=sys.stderr)
        return ""
    total = 0
    for pair in () if state is None else state.iter("nvpair"):
        if (pair.get("name") or "").startswith(prefix):
            value = pair.get("value") or ""
            total += INFINITY if value == "INFINITY" else int(value) if value.isdigit() else 0
    return "INFINITY" if total >= INFINITY else str(total)


def _interval_ms(text: str) -> int:
    """Read an interval as the cluster does, with a warning if it is none."""
    simple = _SIMPLE.fullmatch(text)
    if simple is not None:
        if simple[2] in _UNITS_MS:
            return int(simple[1]) * _UNITS_MS[simple[2]]
        if simple[2] in ("us", "usec"):
            return int(simple[1]) // 1000
    weeks = _WEEKS.fullmatch(text)
    if weeks is not None:
        return int(weeks[1]) * 604_800_000
    iso = _ISO.fullmatch(text)
    if iso is not None:
        return sum(int(part or 0) * unit for part, unit in zip(iso.groups(), _ISO_MS, strict=True))
    print("warning: Unrecognized interval, using 0", file=sys.stderr)
    return 0
