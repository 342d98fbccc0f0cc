"""corosync-quorumtool: what quorum is made of, and changing votes. I/O.

Output and exit codes are those of Corosync 3.1: 0 quorate, 2 not quorate, 1 error.
"""

import sys
import time

from hatools.cli.corosync_getopt import parse
from hatools.ipc.clients.messaging import BlockingMessaging
from hatools.ipc.messages.messaging import RingState
from hatools.values.errors import HatoolsError
from hatools.values.records import dataclass

VERSION = "3.1.7"
"""The version of Corosync whose interface this is."""

USAGE = """\
usage: 
corosync-quorumtool <options>

  options:

  -s             show quorum status
  -m             constantly monitor quorum status
  -l             list nodes
  -a             show all names or addresses for each node
  -p             when used with -s or -l, generates machine parsable output
  -v <votes>     change the number of votes for a node (*)
  -n <nodeid>    optional nodeid of node for -v
  -e <expected>  change expected votes for the cluster (*)
  -H             show nodeids in hexadecimal rather than decimal
  -i             show node IP addresses instead of the resolved name
  -o <a|n|i>     order by [a] IP address (default), [n] name, [i] nodeid
  -f             forcefully unregister a quorum device *DANGEROUS* (*)
  -h             show this help text
  -V             show version and exit

  (*) Starred items only work if votequorum is the quorum provider for corosync
"""  # noqa: W291 (the original's blank at the end of a line)

_MONITOR_INTERVAL_S = 0.5


@dataclass(slots=True)
class _Wish:
    action: str = "status"
    votes: int = -1
    node_id: int = 0
    expected: int = -1
    hexadecimal: bool = False
    addresses: bool = False
    all_names: bool = False
    parsable: bool = False
    order: str = "a"


def main(argv: list[str]) -> int:
    """Run the command; return its exit status."""
    line = parse("corosync-quorumtool", argv, "VHaslpmfe:v:hin:o:")
    if line is None:
        print(USAGE)
        return 1
    wish = _Wish()
    for name, value in line[0]:
        complaint = _take(wish, name, value)
        if complaint:
            print(complaint, file=sys.stderr)
            return 1
    if wish.action == "help":
        print(USAGE)
        return 0
    if wish.action == "version":
        print(f"corosync-quorumtool version: {VERSION}")
        return 0
    if wish.action == "unregister":
        print("corosync-quorumtool: quorum devices are not supported", file=sys.stderr)
        return 64
    try:
        messaging = BlockingMessaging(name="corosync-quorumtool")
    except HatoolsError:
        print("Cannot initialize CMAP service", file=sys.stderr)
        return 1
    return _run(wish, messaging)


def _take(wish: _Wish, name: str, value: str) -> str:
    """Note an option; return a complaint if its value is wrong."""
    match name:
        case "-e" | "-v" | "-n":
            if not value.isdecimal() or (name == "-e" and int(value) == 0):
                what = {"-e": "Expected", "-v": "Votes", "-n": "The nodeid"}[name]
                return f"{what} must be a positive number"
            if name == "-e":
                wish.expected, wish.action = int(value), "expected"
            elif name == "-v":
                wish.votes, wish.action = int(value), "votes"
            else:
                wish.node_id = int(value)
        case "-o":
            if value not in ("a", "n", "i"):
                return "-o needs to be 'a', 'n' or 'i'"
            wish.order = value
        case "-H":
            wish.hexadecimal = True
        case "-i":
            wish.addresses = True
        case "-a":
            wish.all_names = True
        case "-p":
            wish.parsable = True
        case _:
            wish.action = {
                "-s": "status", "-l": "list", "-m": "monitor", "-h": "help", "-V": "version", "-f": "unregister"
            }[name]  # fmt: skip
    return ""


def _run(wish: _Wish, messaging: BlockingMessaging) -> int:
    match wish.action:
        case "expected":
            messaging.set_expected_votes(wish.expected)
            return 0
        case "votes":
            messaging.set_votes(wish.node_id or messaging.describe().local.id, wish.votes)
            return 0
        case "monitor":
            return _monitor(wish, messaging)
    state = messaging.describe()
    if wish.action == "list":
        print("\n".join(_membership(state, wish)))
        return 0
    print("\n".join(_status(state, wish)))
    return 0 if state.quorate else 2


def _monitor(wish: _Wish, messaging: BlockingMessaging) -> int:
    last = ""
    while True:
        state = messaging.describe()
        shown = "\n".join(line for line in _status(state, wish) if not line.startswith("Date:"))
        if shown != last:
            print("\n".join(_status(state, wish)), flush=True)
            last = shown
        time.sleep(_MONITOR_INTERVAL_S)


def _status(state: RingState, wish: _Wish) -> list[str]:
    quorate = "Yes" if state.quorate else "No"
    blocked = "  " if state.quorate else " Activity blocked"
    return [
        "Quorum information",
        "------------------",
        f"Date:             {time.ctime()}",
        f"Quorum provider:  {state.settings.get('quorum.provider', 'none')}",
        f"Nodes:            {len(state.members)}",
        f"Node ID:          {_node_id(state.local.id, wish)}",
        f"Ring ID:          {state.ring_id}",
        f"Quorate:          {quorate}",
        "",
        "Votequorum information",
        "----------------------",
        f"Expected votes:   {state.expected_votes}",
        f"Highest expected: {state.highest_expected}",
        f"Total votes:      {state.total_votes}",
        f"Quorum:           {state.quorum}{blocked}",
        "Flags:            " + "".join(f"{flag} " for flag in state.flags),
        *_membership(state, wish),
    ]


def _membership(state: RingState, wish: _Wish) -> list[str]:
    addresses = {link.node_id: link.address for link in state.links if link.link == 0}
    rows = [(member.id, member.name, addresses.get(member.id, "")) for member in state.members]
    keys = {
        "a": lambda row: _address_key(row[2]),
        "n": lambda row: row[1],
        "i": lambda row: row[0],
    }
    rows.sort(key=keys[wish.order])
    device = "    Qdevice" if wish.parsable else ""
    lines = ["", "Membership information", "----------------------", f"    Nodeid      Votes{device} Name"]
    for node_id, name, address in rows:
        shown = address if wish.addresses else name
        local = " (local)" if node_id == state.local.id else ""
        state_of_device = "         NR" if wish.parsable else ""
        lines.append(f"{_node_id(node_id, wish):>10} {state.votes.get(name, 0):>10}{state_of_device} {shown}{local}")
    return lines


def _address_key(address: str) -> tuple[int, ...] | tuple[str]:
    parts = address.split(".")
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else (address,)


def _node_id(node_id: int, wish: _Wish) -> str:
    return f"0x{node_id:08x}" if wish.hexadecimal else str(node_id)
