"""``crm_master``: a resource's promotion score; today ``crm_attribute --promotion``. I/O."""

import os

from hatools.cli.gnu_options import Entry
from hatools.cli.options import Finished
from hatools.cli.wrapper import ATTRIBUTE_ENTRIES, attribute, read_words, refuse, show_version
from hatools.values.exitcode import ExitCode

USAGE = """Usage: crm_master <command> [<options>]

This command is deprecated. Use crm_attribute with the --promotion option
instead."""

ENTRIES = (*ATTRIBUTE_ENTRIES, Entry("resource", "r", argument=1))


def main(argv: list[str]) -> int:
    """Pass everything on to crm_attribute, permanent unless said otherwise."""
    try:
        line = read_words("crm_master", ENTRIES, argv, USAGE, ExitCode.ERROR)
    except Finished as finished:
        return finished.code
    resource = os.environ.get("OCF_RESOURCE_INSTANCE", "")
    options = ["--lifetime", "forever"]
    for event, value in line.events:
        match event:
            case "help":
                print(f"crm_master - Query, update, or delete a resource's promotion score\n\n{USAGE}")
                return ExitCode.OK
            case "version":
                return show_version()
            case "r":
                resource = value or ""
            case _:
                options.append(f"-{event}" if len(event) == 1 else f"--{event}")
                if value is not None:
                    options += value.split()
    if not resource:
        return refuse("No resource specified", USAGE, ExitCode.ERROR)
    return attribute(["-n", f"master-{resource}", *options])
