"""corosync-quorumtool: what quorum is made of, and changing votes. I/O.

Output and exit codes are those of Corosync 3.1: 0 quorate, 2 not quorate, 1 error.
"""

import sys
import time
from collections.abc import Callable

from hatools.cli.corosync_getopt import parse
from hatools.ipc.clients.messaging import BlockingMessaging
from hatools.ipc.messages.messaging import Member, RingState
from hatools.values.errors import HatoolsError, InputError, NoSuchObjectError, PermissionRefusedError
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
    try:
        messaging = BlockingMessaging(name="corosync-quorumtool")
    except HatoolsError:
        print("Cannot initialize CMAP service", file=sys.stderr)
        return 1
    return _run(wish, messaging)


def _take(wish: _Wish, name: str, value: str) -> str:
    """Note an option; return a complaint if its value is wrong."""
    match name:
        case "-e":
            if not _is_number(value, 1, 2**31 - 1):
                return "New expected votes value was not valid, try a positive number"
            wish.expected, wish.action = int(value), "expected"
        case "-v":
            if not _is_number(value, 0, 2**31 - 1):
                return "New votes value was not valid, try a positive number or zero"
            wish.votes, wish.action = int(value), "votes"
        case "-n":
            if not _is_number(value, 1, 2**32 - 1):
                return "The nodeid was not valid, try a positive number"
            wish.node_id = int(value)
        case "-o":
            if value not in ("a", "n", "i"):
                return "Invalid ordering option. valid orders are a(address), i(node ID) or n(name)"
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


def _is_number(text: str, low: int, high: int) -> bool:
    return text.isascii() and text.isdecimal() and low <= int(text) <= high


def _run(wish: _Wish, messaging: BlockingMessaging) -> int:
    state = messaging.describe()
    if wish.action in _NEED_VOTES and not _has_votes(state):
        what = {"expected": "change expected votes", "votes": "change node votes"}
        verb = what.get(wish.action, "unregister quorum device")
        print(f"You cannot {verb}, corosync is not using votequorum", file=sys.stderr)
        return 1
    match wish.action:
        case "expected":
            return _change(lambda: messaging.set_expected_votes(wish.expected), "Unable to set expected votes")
        case "votes":
            node = wish.node_id or state.local.id
            text = f"Unable to set votes {wish.votes} for nodeid: {node}"
            return _change(lambda: messaging.set_votes(node, wish.votes), text)
        case "unregister":
            if state.local.name in (state.devices or {}):
                return _change(messaging.unregister_device, "Unable to unregister quorum device")
            return 0
        case "monitor":
            return _monitor(wish, messaging)
        case "list":
            print("\n".join(_membership(state, wish)))
            return 0
    print("\n".join(_status(state, wish)))
    return 0 if state.quorate else 2


_NEED_VOTES = ("expected", "votes", "unregister")


def _has_votes(state: RingState) -> bool:
    """Say whether quorum is configured; Heartbeat has no provider of it and always counts a majority."""
    return state.settings.get("quorum.provider") == "corosync_votequorum" or state.style == "heartbeat"


def _change(action: Callable[[], None], complaint: str) -> int:
    try:
        action()
    except NoSuchObjectError:
        print(f"{complaint}: CS_ERR_NAME_NOT_FOUND", file=sys.stderr)
    except InputError:
        print(f"{complaint}: CS_ERR_INVALID_PARAM", file=sys.stderr)
    except PermissionRefusedError:
        print(f"{complaint}: CS_ERR_ACCESS", file=sys.stderr)
    else:
        return 0
    return 1


def _monitor(wish: _Wish, messaging: BlockingMessaging) -> int:
    if not _has_votes(messaging.describe()):
        print("\nQuorum is not configured - cannot monitor")
    last: list[str] = []
    while True:
        state = messaging.describe()
        shown = _status(state, wish)
        if [line for line in shown if not line.startswith("Date:")] != last:
            last = [line for line in shown if not line.startswith("Date:")]
            print("\n".join(shown), end="\n\n", flush=True)
        if not _has_votes(state):
            return 0 if state.quorate else 2
        time.sleep(_MONITOR_INTERVAL_S)


def _status(state: RingState, wish: _Wish) -> list[str]:
    has_votes = _has_votes(state)
    lines = [
        "Quorum information",
        "------------------",
        f"Date:             {time.ctime()}",
        f"Quorum provider:  {'corosync_votequorum' if has_votes else 'Not configured'}",
        f"Nodes:            {len(state.members)}",
        f"Node ID:          {_node_id(state.local.id if has_votes else 0, wish)}",
        f"Ring ID:          {state.ring_id if has_votes else state.ring_id.rpartition('.')[2]}",
        f"Quorate:          {'Yes' if state.quorate else 'No'}",
    ]
    if not has_votes:
        return lines
    blocked = " " if state.quorate else "Activity blocked"
    return [
        *lines,
        "",
        "Votequorum information",
        "----------------------",
        f"Expected votes:   {state.expected_votes}",
        f"Highest expected: {state.highest_expected}",
        f"Total votes:      {state.total_votes}",
        f"Quorum:           {state.quorum} {blocked}",
        "Flags:            " + "".join(f"{flag} " for flag in state.flags),
        *_membership(state, wish),
    ]


def _membership(state: RingState, wish: _Wish) -> list[str]:
    devices = state.devices or {}
    has_votes = _has_votes(state)
    shows_devices = has_votes and (wish.parsable or bool(devices))
    columns = [("Nodeid", True), ("Votes", has_votes), ("Qdevice", shows_devices)]
    head = "".join(f"{title:>10} " for title, shown in columns if shown)
    lines = ["", "Membership information", "----------------------", f"{head}Name"]
    rows = [(member.id, _shown_name(state, member, wish), member.name) for member in state.members]
    rows.sort(key=lambda row: row[1] if wish.order == "n" else "")
    for node_id, shown, name in rows:
        cells = [f"{_node_id(node_id, wish):>10} "]
        cells += [f"{state.votes.get(name, 0):>10} "] if has_votes else []
        cells += [f"{devices.get(name, 'NR'):>10} "] if shows_devices else []
        lines.append("".join(cells) + shown + (" (local)" if node_id == state.local.id else ""))
    if devices:
        ours = devices.get(state.local.name, "")
        casts = state.device_casts and ",V," in ours
        hint = "" if casts else f" (votes {state.device_votes})"
        votes = state.device_votes if casts else 0
        lines.append(f"{_node_id(0, wish):>10} {votes:>10}            Qdevice{hint}")
    return lines


def _shown_name(state: RingState, member: Member, wish: _Wish) -> str:
    addresses = [link.address for link in sorted(state.links, key=lambda link: link.link) if link.node_id == member.id]
    names = addresses if wish.addresses else [member.name, *addresses[1:]]
    return ", ".join(names if wish.all_names else names[:1])


def _node_id(node_id: int, wish: _Wish) -> str:
    return f"0x{node_id:08x}" if wish.hexadecimal else str(node_id)
