"""What the daemons' programs answer when they are called for their options (``pacemaker-based metadata``). I/O.

The daemons themselves are run by pacemakerd; these commands exist because tools ask them for the cluster options.
"""

import sys
from xml.sax.saxutils import escape

from hatools.cli.gnu_options import GnuProgram, parse, print_version, show_help
from hatools.cli.options import VERSION, program_name
from hatools.values.exitcode import ExitCode
from hatools.values.options import OptionMeaning

_ENTITIES = {'"': "&quot;", "'": "&apos;"}


def format_metadata(daemon: str, long: str, short: str, options: tuple[OptionMeaning, ...]) -> str:
    """Write options the way a resource agent's metadata describes parameters."""
    lines = [
        '<?xml version="1.0"?>',
        f'<resource-agent name="{daemon}" version="{VERSION}">',
        "  <version>1.1</version>",
        f'  <longdesc lang="en">{escape(long, _ENTITIES)}</longdesc>',
        f'  <shortdesc lang="en">{escape(short, _ENTITIES)}</shortdesc>',
        "  <parameters>",
        *(line for option in options for line in _parameter(option)),
        "  </parameters>",
        "</resource-agent>",
    ]
    return "\n".join(lines) + "\n"


def _parameter(option: OptionMeaning) -> list[str]:
    # The original escapes the description, but not the allowed values.
    long = escape(option.details or option.summary, _ENTITIES) + option.allowed_values
    default = "" if option.default is None else f' default="{option.default}"'
    content = f'<content type="{option.type}"{default}'
    if option.choices:
        values = [
            f"      {content}>",
            *(f'        <option value="{choice}" />' for choice in option.choices),
            "      </content>",
        ]
    else:
        values = [f"      {content}/>"]
    return [
        f'    <parameter name="{option.name}">',
        f'      <longdesc lang="en">{long}</longdesc>',
        f'      <shortdesc lang="en">{escape(option.summary, _ENTITIES)}</shortdesc>',
        *values,
        "    </parameter>",
    ]


def answer(program: GnuProgram, argv: list[str], metadata: str) -> int:
    """Answer ``metadata``, ``--help`` and ``--version``; anything else is refused."""
    line = parse(program.entries, argv)
    for error in line.errors:
        print(error, file=sys.stderr)
    for event, _ in line.events:
        if event == "$":
            print_version()
            return ExitCode.OK
        if event in ("?", "help"):
            return show_help(program, ExitCode.USAGE if line.errors else ExitCode.OK)
    if line.rest == ["metadata"]:
        print(metadata, end="")
        return ExitCode.OK
    return refuse_to_start()


def refuse_to_start() -> int:
    """Say how daemons are started."""
    name = program_name()
    print(f"{name}: the daemons are started by pacemakerd; use 'pacemakerd' or 'crm cluster start'", file=sys.stderr)
    return ExitCode.USAGE
