"""corosync-cpgtool: the groups and who is in them. I/O.

Output and exit codes are those of Corosync 3.1. Processes are known on their own node only; for those of other
nodes the PID is 0.
"""

import sys

from hatools.cli.corosync_getopt import parse
from hatools.ipc.clients.messaging import BlockingMessaging
from hatools.ipc.messages.messaging import RingState
from hatools.values.errors import HatoolsError

USAGE = """\
corosync-cpgtool [-d delimiter] [-e] [-n] [-h]

A tool for displaying cpg groups and members.
options:
\t-d\tDelimiter between fields.
\t-e\tDon't escape unprintable characters in group name.
\t-n\tDisplay only all existing group names.
\t-h\tDisplay this help."""


def main(argv: list[str]) -> int:
    """Run the command; return its exit status."""
    line = parse("corosync-cpgtool", argv, "hd:ne")
    if line is None:
        return 1
    options = dict(line[0])
    if "-h" in options:
        print(USAGE)
        return 0
    try:
        messaging = BlockingMessaging(name="corosync-cpgtool")
    except HatoolsError:
        print("Could not initialize corosync cpg API error 2", file=sys.stderr)
        return 1
    delimiter = options.get("-d", "")[:1]
    processes = messaging.list_groups()

    def shown(group: str) -> str:
        return group if "-e" in options else _escaped(group)

    if "-n" in options:
        names = list(dict.fromkeys(process.group for process in processes))
        end = delimiter or "\n"
        print("".join(shown(name) + end for name in names) + ("\n" if delimiter else ""), end="")
        return 0
    if delimiter:
        print(f"GRP_NAME{delimiter}PID{delimiter}NODEID")
        for process in processes:
            print(f"{shown(process.group)}{delimiter}{process.pid}{delimiter}{process.node_id}")
        return 0
    state = messaging.describe()
    print(f"Group Name\t{'PID':>10}\t{'Node ID':>10}")
    last = ""
    for process in processes:
        if process.group != last:
            print(shown(process.group))
            last = process.group
        print(f"\t\t{process.pid:>10}\t{process.node_id:>10} ({_addresses(state, process.node_id)})")
    return 0


def _addresses(state: RingState, node_id: int) -> str:
    return " ".join(link.address for link in state.links if link.node_id == node_id)


def _escaped(text: str) -> str:
    shown = []
    for byte in text.encode():
        letter = chr(byte)
        shown.append("\\\\" if letter == "\\" else letter if " " <= letter <= "~" else f"\\x{byte:02X}")
    return "".join(shown)
