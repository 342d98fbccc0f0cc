"""corosync-cfgtool: links, addresses, reload, removing a node, stopping. I/O.

Output and exit codes are those of Corosync 3.1.
"""

import sys

from hatools.cli.corosync_getopt import parse
from hatools.ipc.clients.messaging import BlockingMessaging
from hatools.ipc.messages.messaging import LinkState, RingState
from hatools.values.errors import HatoolsError, NoSuchObjectError

USAGE = """\
corosync-cfgtool [[-i <interface ip>] [-b] -s] [-R] [-L] [-k nodeid] [-a nodeid] [-h] [-H]

A tool for displaying and configuring active parameters within corosync.
options:
	-i	Finds only information about the specified interface IP address or link id when used with -s..
	-s	Displays the status of the current links on this node.
	-n	Displays the status of the connected nodes and their links.
	-b	Displays the brief status of the current links on this node when used with -s.
	-R	Tell all instances of corosync in this cluster to reload corosync.conf.
	-L	Tell corosync to reopen all logging files.
	-k	Kill a node identified by node id.
	-a	Display the IP address(es) of a node
	-h	Print basic usage.
	-H	Shutdown corosync cleanly on this node.
		--force will shut down corosync regardless of daemon vetos"""

_LONG = ("if=", "status", "nodes", "brief", "reload", "reopen", "kill=", "address=", "shutdown", "force")
_SHORT = {
    "--if": "-i", "--status": "-s", "--nodes": "-n", "--brief": "-b", "--reload": "-R", "--reopen": "-L",
    "--kill": "-k", "--address": "-a", "--shutdown": "-H",
}  # fmt: skip
_ACTIONS = ("-s", "-n", "-R", "-L", "-k", "-a", "-H")
_CS_ERR_BUSY = 10


def main(argv: list[str]) -> int:
    """Run the command; return its exit status."""
    line = parse("corosync-cfgtool", argv, "i:snbrRLk:a:hH", _LONG)
    if line is None:
        return 1
    options = [(_SHORT.get(name, name), value) for name, value in line[0]]
    for name, value in options:
        if name in ("-k", "-a") and not (value.isdecimal() and 0 < int(value) < 2**32):
            print("The nodeid was not valid, try a positive number", file=sys.stderr)
            return 1
    action, value = next(((name, value) for name, value in reversed(options) if name in _ACTIONS), ("", ""))
    names = {name for name, _ in options}
    match action:
        case "":
            print(USAGE)
            return 0
        case "-R":
            print("Reloading corosync.conf...", flush=True)
        case "-H":
            return _shut_down(force="--force" in names)
        case "-k":
            print(f"Killing node {value}", flush=True)
    try:
        messaging = BlockingMessaging(name="corosync-cfgtool")
    except HatoolsError:
        print("Could not initialize corosync configuration API error 2", file=sys.stderr)
        return 1
    match action:
        case "-R":
            return _reload(messaging)
        case "-L":
            messaging.reopen_logs()
            return 0
        case "-k":
            return _kill(messaging, int(value))
    state = messaging.describe()
    if action == "-a":
        return _show_address(state, value)
    print(f"Local node ID {state.local.id}, transport {_transport(state)}")
    if action == "-n":
        _show_nodes(state)
    else:
        _show_links(state, brief="-b" in names)
    return 0


def _reload(messaging: BlockingMessaging) -> int:
    try:
        messaging.reload()
    except HatoolsError as error:
        print(f"Could not reload configuration. Error {error}", file=sys.stderr)
        return 1
    print("Done")
    return 0


def _kill(messaging: BlockingMessaging, node: int) -> int:
    try:
        messaging.kill_node(node, "Killed by corosync-cfgtool")
    except NoSuchObjectError:
        print("Could not kill node (error = CS_ERR_NOT_EXIST)", file=sys.stderr)
        return 1
    return 0


def _shut_down(*, force: bool) -> int:
    """As Pacemaker does with Corosync, refuse while the cluster manager runs, unless it is forced."""
    print("Shutting down corosync", flush=True)
    if not force:
        print(f"Could not shutdown (error = {_CS_ERR_BUSY})", file=sys.stderr)
        print("corosync-cfgtool: messaging ends with its node: crm cluster stop, or --force", file=sys.stderr)
        return 0
    from hatools.cli import pacemakerd

    return pacemakerd.main(["--shutdown"])


def _transport(state: RingState) -> str:
    return state.settings.get("totem.transport", "knet")


def _show_address(state: RingState, node: str) -> int:
    addresses = [link.address for link in state.links if str(link.node_id) == node]
    if not addresses:
        print(f"Could not get node address for nodeid {node}", file=sys.stderr)
        return 1
    print(" ".join(addresses))
    return 0


def _show_links(state: RingState, *, brief: bool) -> None:
    for number in sorted({link.link for link in state.links}):
        links = [link for link in state.links if link.link == number]
        local = next((link.address for link in links if link.node_id == state.local.id), "")
        print(f"LINK ID {number} {_kind(state)}")
        print(f"\taddr\t= {local}")
        if brief:
            print("\tstatus\t= " + "".join(_brief(link, state) for link in links))
            continue
        print("\tstatus:")
        for link in links:
            print(f"\t\tnodeid: {link.node_id:10d}:\t{_status(link, state)}")


def _kind(state: RingState) -> str:
    return "udp" if _transport(state) == "knet" else ""


def _brief(link: LinkState, state: RingState) -> str:
    if link.node_id == state.local.id:
        return "n"
    return "3" if link.connected else "1"


def _status(link: LinkState, state: RingState) -> str:
    if link.node_id == state.local.id:
        return "localhost"
    return "connected" if link.connected else "disconnected"


def _show_nodes(state: RingState) -> None:
    local = {link.link: link.address for link in state.links if link.node_id == state.local.id}
    for node in sorted({link.node_id for link in state.links if link.node_id != state.local.id}):
        links = [link for link in state.links if link.node_id == node]
        if not any(link.connected for link in links):
            continue
        print(f"nodeid: {node} reachable")
        arrow = "->" if _transport(state) == "knet" else ""
        for link in links:
            words = "enabled connected" if link.connected else "enabled"
            ours = local.get(link.link, "")
            print(f"   LINK: {link.link} {_kind(state)} ({ours}{arrow}{link.address}) {words} mtu: {link.mtu}")
        print()
