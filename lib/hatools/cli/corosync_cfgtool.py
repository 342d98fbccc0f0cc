"""corosync-cfgtool: links, addresses, reload, removing a node, stopping. I/O.

Output and exit codes are those of Corosync 3.1.
"""

import sys

from hatools.cli.corosync_getopt import parse
from hatools.ipc.clients.messaging import BlockingMessaging
from hatools.ipc.messages.messaging import LinkState, RingState
from hatools.values.errors import HatoolsError

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

_UNBUILT = {
    "-L": "log files are opened anew by every start only",
    "-k": "use stonith_admin --fence NODE to remove a node",
    "-H": "messaging is a part of the node: use crm cluster stop, or pacemakerd --shutdown",
}


def main(argv: list[str]) -> int:
    """Run the command; return its exit status."""
    line = parse("corosync-cfgtool", argv, "i:snbRLk:a:hH", ("force",))
    if line is None or not line[0] or any(name == "-h" for name, _ in line[0]):
        print(USAGE)
        return 1 if line is None else 0
    options = dict(line[0])
    for name, hint in _UNBUILT.items():
        if name in options:
            print(f"corosync-cfgtool: {name} is not there: {hint}", file=sys.stderr)
            return 64
    try:
        messaging = BlockingMessaging(name="corosync-cfgtool")
    except HatoolsError:
        print("Could not initialize corosync configuration API error 2", file=sys.stderr)
        return 1
    return _run(options, messaging)


def _run(options: dict[str, str], messaging: BlockingMessaging) -> int:
    if "-R" in options:
        print("Reloading corosync.conf...", flush=True)
        try:
            messaging.reload()
        except HatoolsError as error:
            print(f"Could not reload configuration. {error}", file=sys.stderr)
            return 1
        print("Done")
        return 0
    state = messaging.describe()
    if "-a" in options:
        return _show_address(state, options["-a"])
    print(f"Local node ID {state.local.id}, transport {_transport(state)}")
    if "-n" in options:
        _show_nodes(state)
    elif "-s" in options:
        _show_links(state, options.get("-i", ""), brief="-b" in options)
    return 0


def _transport(state: RingState) -> str:
    return state.settings.get("totem.transport", "knet")


def _show_address(state: RingState, node: str) -> int:
    addresses = [link.address for link in state.links if str(link.node_id) == node]
    if not addresses:
        print(f"Could not get node address for nodeid {node}", file=sys.stderr)
        return 1
    print(" ".join(addresses))
    return 0


def _show_links(state: RingState, only: str, *, brief: bool) -> None:
    for number in sorted({link.link for link in state.links}):
        links = [link for link in state.links if link.link == number]
        local = next((link.address for link in links if link.node_id == state.local.id), "")
        if only and only not in (str(number), local):
            continue
        print(f"LINK ID {number} {'udp' if _transport(state) == 'knet' else ''}")
        print(f"\taddr\t= {local}")
        if brief:
            print("\tstatus\t= " + "".join(_brief(link, state) for link in links))
            continue
        print("\tstatus:")
        for link in links:
            print(f"\t\tnodeid: {link.node_id:10d}:\t{_status(link, state)}")


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
        for link in links:
            word = "connected" if link.connected else "disconnected"
            print(f"   LINK: {link.link} udp ({local.get(link.link, '')}->{link.address}) enabled {word} mtu: 1500")
        print()
