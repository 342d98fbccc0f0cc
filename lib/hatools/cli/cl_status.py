"""cl_status: the cluster as Heartbeat's protocol sees it. I/O.

Outputs and exit codes are those of Heartbeat 3.0.6: 1 without a daemon or without an answer and for what is dead or
offline, 11 for a wrong command line or an unknown node, 13 for an unknown link. Clients are the daemons that talk
to those of other nodes.
"""

import os
import sys
import time

from hatools.ipc.blocking import BlockingConnection
from hatools.ipc.messages.messaging import DescribeHeartbeat, GroupList, HeartbeatNode, HeartbeatState, ListGroups
from hatools.runtime.directories import Directories
from hatools.values.errors import HatoolsError
from hatools.values.nodenumber import number_of_name
from hatools.values.records import dataclass

USAGE = """\
Usage: cl_status <sub-command> [<options>] [<parameters>]

Sub-commands:
clientstatus <node-name> <client-id> [<timeout>]
\tShow the status of heartbeat clients.
hblinkstatus <node-name> <link-name>
\tShow the status of a heartbeat link
hbstatus
\tIndicate if heartbeat is running on the local system.
\tOptions:
\t\t-v\tverbose: also add "listnodes -v" output
listnodes [<option>]
\tList the nodes in the cluster.
\tOptions:
\t\t-p\tlist only 'ping' type nodes
\t\t-n\tlist only 'normal' type nodes
\t\t-v\tverbose: also list type and status,
\t\t\tthen add "listhblinks -v" output
listhblinks <node-name>
\tList the network interfaces used as hearbeat links.
\tOptions:
\t\t-v\tverbose: list link status as well
nodestatus <node-name>
\tList the node status.
nodeweight <node-name>
\tList the node weight.
nodesite <node-name>
\tList the node site.
nodetype <node-name>
\tList the nodes of a given type.
rscstatus
\tShow the status of cluster resources.
hbparameter -p <parameter-name>
\tRetrieve the value of a cluster parameter.
\tAs for the valid parameter names, please refer to the man page.
"""

_NO_ANSWER = 1
_WRONG_PARAMETER = 11
_FAILED = 13
_DEAD = 1
_WEIGHT = "100"
_WRONG_NODE = "Error. May be due to incorrect node name"
_SUBCOMMANDS = (
    "clientstatus", "hblinkstatus", "hbstatus", "listnodes", "listhblinks", "nodestatus", "nodeweight", "nodesite",
    "nodetype", "rscstatus", "hbparameter", "parameter",
)  # fmt: skip
_ALIVE = frozenset({"active", "up", "ping", "online"})
"""Statuses with exit code 0."""
_GROUPS = {"stonith-ng": "stonith", "stonithd": "stonith"}
"""Clients whose group has another name."""
_PARAMETERS = frozenset(
    {
        "apiauth", "auto_failback", "baud", "debug", "debugfile", "deadping", "deadtime", "hbversion", "hopfudge",
        "initdead", "keepalive", "logfacility", "logfile", "msgfmt", "nice_failback", "normalpoll", "realtime",
        "stonith", "udpport", "use_logd", "warntime", "watchdog",
    }
)  # fmt: skip
"""Those that the original answers with a value; of lists of nodes and media it does not tell."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A command line: the letters of its options, and the words that are none."""

    options: str
    words: list[str]
    named: str
    """What follows ``-p``, for hbparameter."""


def main(argv: list[str]) -> int:
    """Run the command; return its exit status."""
    if not argv or argv[0] == "-h":
        sys.stdout.write(USAGE)
        return 0
    name = argv[0]
    if name not in _SUBCOMMANDS:
        return _complain(_WRONG_PARAMETER, f"{name}: invalid sub-command.")
    line = _read_line(argv[1:], name in ("hbparameter", "parameter"))
    state = _state()
    if name == "hbstatus":
        return _hbstatus(line, state)
    if isinstance(state, str):
        _complain(_NO_ANSWER, "Cannot signon with heartbeat")
        return _complain(_NO_ANSWER, f"REASON: {state}")
    return _answer(name, line, state)


def _answer(name: str, line: _Line, state: HeartbeatState) -> int:
    if name == "listnodes":
        return _listnodes(line, state)
    if name in ("hbparameter", "parameter"):
        return _hbparameter(line, state)
    if name == "rscstatus":
        return _complain(_DEAD, "Cannot get cluster resource status of a pacemaker cluster; try crm_mon")
    if len(line.words) < (2 if name in ("hblinkstatus", "clientstatus") else 1):
        plural = name in ("nodestatus", "nodeweight", "nodesite")
        print("Not enough parameters." if plural else "No enough parameter.", file=sys.stderr)
        return _WRONG_PARAMETER
    node = next((node for node in state.nodes if node.name == line.words[0]), None)
    if name == "listhblinks":
        return _listhblinks(line, node)
    if name == "hblinkstatus":
        return _hblinkstatus(line, node)
    if name == "clientstatus":
        return _clientstatus(line.words[1], node)
    if node is None:
        wrong = "Error. Maybe due to incorrect node name." if name == "nodeweight" else _WRONG_NODE
        print(wrong, file=sys.stderr)
        return _WRONG_PARAMETER
    readable = "m" in line.options
    match name:
        case "nodestatus":
            print(f"The cluster node {node.name} is {node.status}" if readable else node.status)
            return 0 if node.status in _ALIVE else _DEAD
        case "nodetype":
            print(f"The node {node.name}'s type: {node.kind}" if readable else node.kind)
        case "nodeweight":
            print(f"The weight of the cluster node {node.name} is {_WEIGHT}" if readable else _WEIGHT)
        case _:
            print(f"The site of the cluster node {node.name} is " if readable else "")
    return 0


def _read_line(argv: list[str], takes_name: bool) -> _Line:
    options, words, named = "", [], ""
    rest = iter(argv)
    for word in rest:
        if word.startswith("-") and len(word) > 1:
            options += word[1:]
            if takes_name and "p" in word:
                named = word.partition("p")[2] or next(rest, "")
        else:
            words.append(word)
    return _Line(options, words, named)


def _state() -> HeartbeatState | str:
    """Return what the daemon says, or why it says nothing."""
    try:
        answer = _ask(DescribeHeartbeat())
    except HatoolsError as error:
        return f"hb_api_signon: Can't initiate connection to heartbeat ({error})"
    return answer if isinstance(answer, HeartbeatState) else "the daemon does not speak Heartbeat's protocol"


def _groups() -> dict[str, frozenset[int]]:
    """Return the numbers of the nodes where each client is online, by the client's group."""
    answer = _ask(ListGroups())
    assert isinstance(answer, GroupList)
    groups: dict[str, frozenset[int]] = {}
    for process in answer.processes:
        groups[process.group] = groups.get(process.group, frozenset()) | {process.node_id}
    return groups


def _ask(request: DescribeHeartbeat | ListGroups) -> object:
    path = Directories.from_environment().socket("messaging")
    with BlockingConnection(path, "messaging", name="cl_status") as connection:
        answer: object = connection.request(request, timeout_s=10.0)
        return answer


def _complain(code: int, text: str) -> int:
    host = os.environ.get("HATOOLS_NODE_NAME") or os.uname().nodename
    print(f"{time.strftime('%b %d %H:%M:%S')} {host} cl_status: [{os.getpid()}]: ERROR: {text}", file=sys.stderr)
    return code


def _hbstatus(line: _Line, state: HeartbeatState | str) -> int:
    if isinstance(state, str):
        print("Heartbeat is stopped on this machine.")
        if "v" in line.options:
            print(f"({state})")
        return 1
    if "v" not in line.options:
        print("Heartbeat is running on this machine.")
        return 0
    print(f"version:\t{state.parameters['hbversion']} (hatools)\nmanaged by:\tpacemaker")
    _show_nodes(list(state.nodes))
    return 0


def _listnodes(line: _Line, state: HeartbeatState) -> int:
    wanted = {"ping"} if "p" in line.options else {"normal"} if "n" in line.options else {"ping", "normal"}
    nodes = [node for node in state.nodes if node.kind in wanted]
    if "v" in line.options:
        _show_nodes(nodes)
        return 0
    if "m" in line.options:
        print("The nodes are as follow:")
    for node in nodes:
        print(node.name)
    return 0


def _show_nodes(nodes: list[HeartbeatNode]) -> None:
    for node in nodes:
        print(f"\n{node.name}\t{node.status}\t(nodetype: {node.kind})")
        for link, status in node.links.items():
            print(f"\t{link}\t{status}")


def _listhblinks(line: _Line, node: HeartbeatNode | None) -> int:
    if node is None:
        _complain(_FAILED, "Cannot start heartbeat link interface walk.")
        return _complain(_FAILED, "REASON: EINVAL")
    if "m" in line.options:
        print("\tthis node has the following heartbeat links:")
    for link, status in node.links.items():
        print(f"\t{link}\t{status}" if "v" in line.options else f"\t{link}")
    return 0


def _hblinkstatus(line: _Line, node: HeartbeatNode | None) -> int:
    status = node.links.get(line.words[1]) if node is not None else None
    if node is None or status is None:
        _complain(_FAILED, "Cannot get heartbeat link status")
        return _complain(_FAILED, "REASON: no such node or link")
    readable = "m" in line.options
    print(f"The node {node.name}'s heartbeat link {line.words[1]} is {status}" if readable else status)
    return 0 if status in _ALIVE else _DEAD


def _clientstatus(client: str, node: HeartbeatNode | None) -> int:
    """Say whether a client of a node is there; a node that is not cannot say it."""
    if node is None or node.status not in _ALIVE:
        _complain(_FAILED, f"Cannot get heartbeat client {client}'s status")
        return _complain(_FAILED, "REASON: no such node, or it does not answer")
    status = "online" if number_of_name(node.name) in _groups().get(_GROUPS.get(client, client), ()) else "offline"
    print(status)
    return 0 if status in _ALIVE else _DEAD


def _hbparameter(line: _Line, state: HeartbeatState) -> int:
    if not line.named:
        return _complain(_WRONG_PARAMETER, "parameter name required")
    value = state.parameters.get(line.named) if line.named in _PARAMETERS else None
    if value is None:
        _complain(_NO_ANSWER, f"Cannot get parameter {line.named}'s value")
        return _complain(_NO_ANSWER, "REASON: it is not set, or there is no such parameter")
    print(f"Heartbeat parameter {line.named}'s value: {value}" if "m" in line.options else value)
    return 0
