"""The sockets of the ring: one UDP socket per link, unicast or multicast. I/O.

A node is addressed by id. Where nodes have several links, small datagrams (the token, votes, short messages)
go over every link, so that a link that fails costs nothing; large ones go where ``link_mode`` says, see
``paths.py``. The envelope drops copies. A :class:`Fault` disturbs the traffic with single peers on purpose
(for the lab), in both directions on this node.
"""

import asyncio
import contextlib
import errno
import random
import socket
import struct
from collections.abc import Callable, Mapping

from hatools.messaging.corosync.conf_totem import LinkOptions
from hatools.messaging.corosync.totem.paths import LinkMode, Paths
from hatools.values.errors import NoSuchObjectError, UnavailableError
from hatools.values.records import dataclass

Receiver = Callable[[bytes, str], None]
Complaint = Callable[[str, str], None]
"""Gets the address of a datagram that is ignored, and why."""
Arrival = Callable[[int, bytes, tuple[str, int]], None]
"""Gets a link's number, a datagram and where it came from."""

_RECEIVE_BUFFER = 4 * 1024 * 1024
_MAX_DATAGRAM = 65536
_BATCH = 64
"""Datagrams taken from a socket before timers and clients get their turn."""
_SMALL = 512
"""Bytes up to which a datagram goes over every link."""
_IP_MTU = 14
_IPV6_MTU = 24


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A node's numeric address on the link."""

    node: int
    address: str
    port: int


def resolve(host: str, port: int, ip_version: str) -> str:
    """Return a numeric address for a host name.

    Raises:
        UnavailableError: the name cannot be resolved.
    """
    order = {"ipv4": (socket.AF_INET,), "ipv6": (socket.AF_INET6,), "ipv4-6": (socket.AF_INET, socket.AF_INET6)}
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise UnavailableError(f"the address {host} cannot be resolved: {error.strerror}") from None
    for family in order.get(ip_version, (socket.AF_INET6, socket.AF_INET)):
        for entry in found:
            if entry[0] == family:
                return str(entry[4][0])
    raise UnavailableError(f"the address {host} has no form that ip_version {ip_version} allows")


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to datagrams on purpose; ``loss`` is a share of 1."""

    cut: bool = False
    delay_s: float = 0.0
    loss: float = 0.0


class Link:
    """Our sockets on one link and the peers' addresses there.

    Args:
        peers: by node id.
        arrived: gets every datagram.
    """

    def __init__(self, options: LinkOptions, local: Endpoint, peers: Mapping[int, Endpoint], arrived: Arrival) -> None:
        self.options = options
        self.number = options.number
        self.local = local
        self.failed_sends = 0
        self.sent = 0
        self.received = 0
        self.targets: dict[int, tuple[str, int]] = {}
        self.set_peers(peers)
        self._arrived = arrived
        self._loop = asyncio.get_running_loop()
        self._family = socket.AF_INET6 if ":" in local.address else socket.AF_INET
        self._socket = socket.socket(self._family, socket.SOCK_DGRAM)
        self._group_socket: socket.socket | None = None
        self.is_open = False

    @property
    def addresses(self) -> dict[int, str]:
        """Return the numeric address of every node on this link, our own included."""
        return {self.local.node: self.local.address} | {node: target[0] for node, target in self.targets.items()}

    def set_peers(self, peers: Mapping[int, Endpoint]) -> None:
        """Take over who is on the link besides us."""
        self.targets = {node: (peer.address, peer.port) for node, peer in peers.items()}

    def open(self) -> None:
        """Bind and begin to receive.

        Raises:
            NoSuchObjectError: the address is not one of this machine (yet).
            UnavailableError: the port is taken, or may not be used.
        """
        self._prepare(self._socket, self.local.address)
        if self.options.group:
            self._group_socket = group = socket.socket(self._family, socket.SOCK_DGRAM)
            group.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._prepare(group, self.options.group)
            self._join_group(group)
        self.is_open = True

    def _prepare(self, peer: socket.socket, address: str) -> None:
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            peer.setsockopt(socket.SOL_SOCKET, option, _RECEIVE_BUFFER)
        with contextlib.suppress(PermissionError):
            peer.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_RCVBUFFORCE", 33), _RECEIVE_BUFFER)
        where = f"UDP {address} port {self.local.port}"
        try:
            peer.bind((address, self.local.port))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise NoSuchObjectError(f"cannot bind {where}: no interface has this address") from None
            raise UnavailableError(f"cannot bind {where}: {error.strerror}") from None
        peer.setblocking(False)
        self._loop.add_reader(peer.fileno(), self._readable, peer)

    def _join_group(self, group: socket.socket) -> None:
        """Let datagrams to the group in, and send ours there over the interface of our address."""
        sender = self._socket
        try:
            if self._family == socket.AF_INET6:
                index = _interface_index(self.local.address)
                request = socket.inet_pton(socket.AF_INET6, self.options.group) + struct.pack("@I", index)
                group.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, request)
                sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
                sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, self.options.ttl)
                sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
            elif self.options.group == "255.255.255.255":
                sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            else:
                ours = socket.inet_aton(self.local.address)
                request = socket.inet_aton(self.options.group) + ours
                group.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
                sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, ours)
                sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, self.options.ttl)
                sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        except OSError as error:
            raise UnavailableError(f"cannot join {self.options.group} at {self.local.address}: {error}") from None

    def close(self) -> None:
        """Stop receiving and close the sockets."""
        for peer in (self._socket, self._group_socket):
            if peer is not None and peer.fileno() >= 0:
                self._loop.remove_reader(peer.fileno())
                peer.close()
        self.is_open = False

    def mtu(self, default: int = 1500) -> int:
        """Return the smallest MTU on the way to a peer."""
        family = self._family
        level, option = (socket.IPPROTO_IPV6, _IPV6_MTU) if family == socket.AF_INET6 else (socket.IPPROTO_IP, _IP_MTU)
        found = []
        for target in self.targets.values():
            with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.bind((self.local.address, 0))
                probe.connect(target)
                found.append(probe.getsockopt(level, option))
        return min(found, default=default)

    def send(self, node: int, data: bytes) -> None:
        """Send a datagram; what cannot be sent is lost, as on any network."""
        try:
            self._socket.sendto(data, self.targets[node])
            self.sent += 1
        except (OSError, KeyError):
            # Full buffers, an interface that is down, a peer without a socket: the ring retransmits.
            self.failed_sends += 1

    def send_to_group(self, data: bytes) -> None:
        """Send a datagram to all at once."""
        try:
            self._socket.sendto(data, (self.options.group, self.local.port))
            self.sent += 1
        except OSError:
            self.failed_sends += 1

    def _readable(self, peer: socket.socket) -> None:
        receive = peer.recvfrom
        for _ in range(_BATCH):
            try:
                data, address = receive(_MAX_DATAGRAM)
            except BlockingIOError:
                return
            except OSError:
                self.failed_sends += 1  # the echo of an earlier send, such as "connection refused"
                continue
            self.received += 1
            self._arrived(self.number, data, address)


def _interface_index(address: str) -> int:
    """Return the number of the interface that has an IPv6 address; 0 lets the kernel choose."""
    wanted = socket.inet_pton(socket.AF_INET6, address).hex()
    with contextlib.suppress(OSError), open("/proc/net/if_inet6", encoding="ascii") as table:
        for line in table:
            digits, index, *_ = line.split()
            if digits == wanted:
                return int(index, 16)
    return 0


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything that the links are made of.

    Attributes:
        endpoints: by link number, the nodes' addresses on it; ours included.
        options: of the links, by number.
        block_unlisted: drop what comes from an address that is not in the node list.
    """

    me: int
    endpoints: Mapping[int, Mapping[int, Endpoint]]
    options: tuple[LinkOptions, ...]
    mode: LinkMode
    block_unlisted: bool


class Links:
    """All links of this node.

    Args:
        receiver: gets (datagram, text of its source).
        complain: gets what is dropped because of where it comes from.
    """

    def __init__(self, layout: Layout, receiver: Receiver, complain: Complaint) -> None:
        self._receiver = receiver
        self._complain = complain
        self._loop = asyncio.get_running_loop()
        self._faults: dict[int, Fault] = {}
        self._heard: dict[tuple[int, int], float] = {}
        self.links: list[Link] = [self._make(layout, number) for number in sorted(layout.endpoints)]
        self._adopt(layout)

    def _make(self, layout: Layout, number: int) -> Link:
        nodes = layout.endpoints[number]
        return Link(layout.options[number], nodes[layout.me], _others(nodes, layout.me), self._arrived)

    def _adopt(self, layout: Layout) -> None:
        self._layout = layout
        self._by_number = {link.number: link for link in self.links}
        peers = {node for nodes in layout.endpoints.values() for node in nodes} - {layout.me}
        options = {link.number: link.options for link in self.links}
        self.paths = Paths(layout.mode, options, sorted(peers), self._loop.time())
        self._nodes = {
            (number, peer.address, peer.port): peer.node
            for number, nodes in layout.endpoints.items()
            for peer in _others(nodes, layout.me).values()
        }
        self._faults = {node: fault for node, fault in self._faults.items() if node in peers}

    def open(self) -> None:
        """Bind every link that is not bound yet, and begin to receive; raises what :meth:`Link.open` raises."""
        for link in self.links:
            if not link.is_open:
                link.open()

    def reconfigure(self, layout: Layout) -> None:
        """Take over another layout while running: new nodes, other addresses, more or fewer links.

        Raises:
            HatoolsError: a link cannot be opened; then nothing has changed.
        """
        kept: dict[int, Link] = {}
        fresh: list[Link] = []
        for number, nodes in sorted(layout.endpoints.items()):
            link = self._by_number.get(number)
            if link is not None and (link.local, link.options) == (nodes[layout.me], layout.options[number]):
                kept[number] = link
            else:
                fresh.append(self._make(layout, number))
        replaced = [link for link in self.links if link.number not in kept]
        opened = [link for link in fresh if not _same_socket(link, self._by_number.get(link.number))]
        try:
            for link in opened:
                link.open()
        except Exception:
            for link in fresh:
                link.close()
            raise
        for link in replaced:
            link.close()
        for link in fresh:
            if not link.is_open:
                link.open()
        for number, link in kept.items():
            link.set_peers(_others(layout.endpoints[number], layout.me))
        self.links = sorted((*kept.values(), *fresh), key=lambda link: link.number)
        self._adopt(layout)

    def close(self) -> None:
        """Stop receiving and close all sockets."""
        for link in self.links:
            link.close()

    def mtu(self) -> int:
        """Return the smallest MTU on the way to a peer."""
        return min(link.mtu() for link in self.links)

    def addresses(self) -> list[tuple[int, int, str]]:
        """Return (link, node id, address) of every node on every link."""
        return [(link.number, *entry) for link in self.links for entry in sorted(link.addresses.items())]

    def heard(self, since: float) -> frozenset[tuple[int, int]]:
        """Return the (link, node) pairs on which something arrived since then."""
        return frozenset(pair for pair, time in self._heard.items() if time >= since)

    def send(self, targets: tuple[int, ...], data: bytes) -> None:
        """Send a datagram to each of the nodes, over the links that are right for it."""
        first = self.links[0]
        if len(self.links) == 1 and not self._faults:
            if first.options.group and len(targets) > 1:
                first.send_to_group(data)
                return
            for node in targets:
                first.send(node, data)
            return
        everywhere = tuple(self._by_number) if len(data) <= _SMALL else ()
        for node in targets:
            for number in everywhere or self.paths.choose(node):
                self.send_over(number, node, data)

    def send_over(self, number: int, node: int, data: bytes) -> None:
        """Send a datagram to a node over one link."""
        link = self._by_number.get(number)
        if link is None or node not in link.targets:
            return
        if self._faults:
            self._disturb(node, link.send, node, data)
        else:
            link.send(node, data)

    def set_fault(self, node: int, fault: Fault) -> bool:
        """Disturb the traffic with a node, or stop doing so; True if that changed anything."""
        before = self._faults.pop(node, Fault())
        if fault != Fault():
            self._faults[node] = fault
        return before != fault

    def _disturb(self, node: int, action: Callable[..., None], *arguments: object) -> None:
        fault = self._faults.get(node, Fault())
        if fault.cut or (fault.loss and random.random() < fault.loss):
            return
        if fault.delay_s:
            self._loop.call_later(fault.delay_s, action, *arguments)
        else:
            action(*arguments)

    def _arrived(self, number: int, data: bytes, address: tuple[str, int]) -> None:
        node = self._nodes.get((number, address[0], address[1]))
        source = f"{address[0]}:{address[1]}"
        if node is None:
            if self._layout.block_unlisted:
                self._complain(source, "it is not an address of the nodelist (block_unlisted_ips)")
            else:
                self._receiver(data, source)
            return
        self._heard[number, node] = self._loop.time()
        if self._faults:
            self._disturb(node, self._receiver, data, source)
        else:
            self._receiver(data, source)


def _others(nodes: Mapping[int, Endpoint], me: int) -> dict[int, Endpoint]:
    return {node: endpoint for node, endpoint in nodes.items() if node != me}


def _same_socket(link: Link, old: Link | None) -> bool:
    """Say whether both want the same address and port: then the old one must be closed first."""
    return old is not None and (link.local.address, link.local.port) == (old.local.address, old.local.port)
