"""``crm_standby``: whether a node may host resources. I/O."""

import os
import sys

from hatools.cli.nodename import local_node_name
from hatools.cli.options import Finished
from hatools.cli.wrapper import ATTRIBUTE_ENTRIES, attribute, attribute_silently, read_words, refuse, show_version
from hatools.ipc.clients.cib import cib_file_path
from hatools.values.errors import DisconnectedError
from hatools.values.exitcode import ExitCode

USAGE = """Usage: crm_standby <command> [options]

Common options:
 --help                 Display this text, then exit
 --version              Display version information, then exit
 -V, --verbose          Specify multiple times to increase debug output
 -q, --quiet            Print only the standby status (if querying)

Commands:
 -G, --query            Query the current value of standby mode (on/off)
 -v, --update=VALUE     Update the value of standby mode (on/off)
 -D, --delete           Let standby mode use default value

Additional Options:
 -N, --node=NODE        Operate on the named node instead of the current one
 -l, --lifetime=VALUE   Until when should the setting take effect
                        (valid values: reboot, forever)
 -i, --id=VALUE         (Advanced) XML ID used to identify standby attribute"""

HELP = f"""crm_standby - Query, enable, or disable standby mode for a node

Nodes in standby mode may not host cluster resources.

{USAGE}
"""


def main(argv: list[str]) -> int:
    """Query or change standby mode: without a lifetime the permanent one, then the one until reboot."""
    try:
        line = read_words("crm_standby", ATTRIBUTE_ENTRIES, argv, USAGE, ExitCode.ERROR)
    except Finished as finished:
        return finished.code
    target, operation, lifetime = "", "", False
    options: list[str] = []
    for event, value in line.events:
        given = (value or "").split()  # the shell splits unquoted words
        match event:
            case "help":
                print(HELP)
                return ExitCode.OK
            case "version":
                return show_version()
            case "q" | "V" | "Q":
                options.append(f"-{event}")
            case "N" | "U":
                target = value or ""
            case "G" | "get-value":
                options.append("--query")
                operation = "query"
            case "v" | "attr-value":
                options += ["--update", *given]
                operation = "update"
            case "D" | "delete-attr":
                options.append("--delete")
                operation = "delete"
            case "l":
                options += ["--lifetime", *given]
                lifetime = True
            case "i" | "attr-id":
                options += ["--id", *given]
            case _:
                return refuse(f"unknown option '{event}'", USAGE, ExitCode.ERROR)
    if not target:
        target = _local_node()
    options = ["-N", *target.split(), "-n", "standby", *options]
    if not operation:
        options.append("-G")
        operation = "query"
    if lifetime:
        return attribute(options)
    if operation == "update":
        return attribute([*options, "-l", "forever"])
    if operation == "delete":
        attribute([*options, "-l", "forever"])
        attribute([*options, "-l", "reboot"])
        return ExitCode.OK
    if attribute_silently([*options, "-l", "forever"]) == ExitCode.OK:
        return attribute([*options, "-l", "forever"])
    return attribute([*options, "-l", "reboot", "-d", "off"])


def _local_node() -> str:
    """Return what ``crm_node -n`` prints: nothing without a cluster, which is said."""
    try:
        if cib_file_path(os.environ) is not None:
            raise DisconnectedError
        return local_node_name(os.environ)
    except DisconnectedError:
        print("error: Could not connect to controller: Connection refused", file=sys.stderr, flush=True)
        return ""
