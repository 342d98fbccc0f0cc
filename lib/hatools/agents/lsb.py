"""LSB init scripts: what their exit statuses mean, and the metadata their header stands for. Pure."""

import re
from xml.sax.saxutils import escape

from hatools.values.exitcode import ExitCode

_STATUS = {
    0: ExitCode.OK,
    1: ExitCode.NOT_RUNNING,  # dead, but a pid file exists
    2: ExitCode.NOT_RUNNING,  # dead, but a lock file exists
    3: ExitCode.NOT_RUNNING,
    4: ExitCode.INSUFFICIENT_PRIV,
    150: ExitCode.NOT_INSTALLED,
}


def script_action(operation: str) -> str:
    """Return the argument that stands for an operation."""
    return "status" if operation == "monitor" else operation


def lsb_exit_status(operation: str, exit_status: int) -> int:
    """Return the OCF result for a script's exit status; only ``status`` has a numbering of its own.

    >>> lsb_exit_status("monitor", 3)
    7
    """
    if operation in ("monitor", "status"):
        return int(_STATUS.get(exit_status, ExitCode.ERROR))
    return exit_status if 0 <= exit_status <= ExitCode.NOT_RUNNING else int(ExitCode.ERROR)


_HEADER = re.compile(r"### BEGIN INIT INFO[ \t]*\n(.*?)### END INIT INFO", re.DOTALL)
_FIELD = re.compile(r"#[ \t]*([A-Za-z-]+):(.*)")

_ACTION_LINES = """\
    <action name='meta-data'    timeout='5' />
    <action name='start'        timeout='15' />
    <action name='stop'         timeout='15' />
    <action name='status'       timeout='15' />
    <action name='restart'      timeout='15' />
    <action name='force-reload' timeout='15' />
    <action name='monitor'      timeout='15' interval='15' />
"""

_SPECIAL = (
    "Provides",
    "Required-Start",
    "Required-Stop",
    "Should-Start",
    "Should-Stop",
    "Default-Start",
    "Default-Stop",
)


def lsb_metadata(name: str, script: str) -> str:
    """Return an OCF-like metadata document made from a script's ``INIT INFO`` header.

    Layout and white space are Pacemaker's: each value is what follows the colon, to the end of its line.
    """
    fields = header_fields(script)
    values = {key: escape(value) + "\n" for key, value in fields.items()}
    short = values.get("Short-Description", "")
    description = values.get("Description") or escape(name)
    special = "".join(f"    <{key}>{values.get(key, '')}</{key}>\n" for key in _SPECIAL)
    return (
        "<?xml version='1.0'?>\n"
        "<!DOCTYPE resource-agent SYSTEM 'ra-api-1.dtd'>\n"
        f"<resource-agent name='{escape(name)}' version='0.1'>\n"
        "  <version>1.0</version>\n"
        f"  <longdesc lang='en'>\n{description}  </longdesc>\n"
        f"  <shortdesc lang='en'>{short}</shortdesc>\n"
        "  <parameters>\n"
        "  </parameters>\n"
        "  <actions>\n"
        f"{_ACTION_LINES}"
        "  </actions>\n"
        "  <special tag='LSB'>\n"
        f"{special}"
        "  </special>\n"
        "</resource-agent>\n"
    )


def header_fields(script: str) -> dict[str, str]:
    """Return the fields of a script's ``INIT INFO`` header as written; a description may go over several lines."""
    match = _HEADER.search(script)
    fields: dict[str, str] = {}
    last = ""
    for line in match[1].splitlines() if match else ():
        field = _FIELD.match(line)
        if field is not None:
            last = field[1]
            fields.setdefault(last, field[2])
        elif last == "Description" and line.startswith(("#  ", "#\t")):
            fields[last] += "\n" + line[1:]
    return fields
