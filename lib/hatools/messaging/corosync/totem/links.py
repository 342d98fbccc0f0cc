"""The sockets of the ring: one UDP socket per link, unicast to each peer. I/O.

A node is addressed by id. Where nodes have several addresses every datagram goes over all links and the
envelope drops the copies: a link that fails costs nothing, not even a retransmission. A :class:`Fault`
disturbs the traffic with single peers on purpose (for the lab), in both directions on this node.
"""

import asyncio
import contextlib
import errno
import random
import socket
from collections.abc import Callable, Mapping

from hatools.values.errors import NoSuchObjectError, UnavailableError
from hatools.values.records import dataclass

Receiver = Callable[[bytes, str], None]
Arrival = Callable[[int, bytes, tuple[str, int]], None]
"""Gets a link's number, a datagram and where it came from."""

_RECEIVE_BUFFER = 4 * 1024 * 1024
_MAX_DATAGRAM = 65536
_BATCH = 64
"""Datagrams taken from a socket before timers and clients get their turn."""
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
    """Our socket on one link and the peers' addresses there.

    Args:
        peers: by node id.
        arrived: gets every datagram.
    """

    def __init__(self, number: int, local: Endpoint, peers: Mapping[int, Endpoint], arrived: Arrival) -> None:
        self.number = number
        self.local = local
        self.failed_sends = 0
        self.targets = {node: (peer.address, peer.port) for node, peer in peers.items()}
        self._arrived = arrived
        self._loop = asyncio.get_running_loop()
        family = socket.AF_INET6 if ":" in local.address else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self.is_open = False

    @property
    def addresses(self) -> dict[int, str]:
        """Return the numeric address of every node on this link, our own included."""
        return {self.local.node: self.local.address} | {node: target[0] for node, target in self.targets.items()}

    def open(self) -> None:
        """Bind and begin to receive.

        Raises:
            NoSuchObjectError: the address is not one of this machine (yet).
            UnavailableError: the port is taken, or may not be used.
        """
        peer = self._socket
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            peer.setsockopt(socket.SOL_SOCKET, option, _RECEIVE_BUFFER)
        with contextlib.suppress(PermissionError):
            peer.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_RCVBUFFORCE", 33), _RECEIVE_BUFFER)
        where = f"UDP {self.local.address} port {self.local.port}"
        try:
            peer.bind((self.local.address, self.local.port))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise NoSuchObjectError(f"cannot bind {where}: no interface has this address") from None
            raise UnavailableError(f"cannot bind {where}: {error.strerror}") from None
        peer.setblocking(False)
        self._loop.add_reader(peer.fileno(), self._readable)
        self.is_open = True

    def close(self) -> None:
        """Stop receiving and close the socket."""
        if self.is_open:
            self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    def mtu(self, default: int = 1500) -> int:
        """Return the smallest MTU on the way to a peer."""
        family = self._socket.family
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
        except (OSError, KeyError):
            # Full buffers, an interface that is down, a peer without a socket: the ring retransmits.
            self.failed_sends += 1

    def _readable(self) -> None:
        receive = self._socket.recvfrom
        for _ in range(_BATCH):
            try:
                data, address = receive(_MAX_DATAGRAM)
            except BlockingIOError:
                return
            except OSError:
                self.failed_sends += 1  # the echo of an earlier send, such as "connection refused"
                continue
            self._arrived(self.number, data, address)


class Links:
    """All links of this node.

    Args:
        me: our node id.
        endpoints: by link number, the node's addresses on it; ours included.
        receiver: gets (datagram, text of its source).
        block_unlisted: drop what comes from an address that is not in the node list.
    """

    def __init__(
        self, me: int, endpoints: Mapping[int, Mapping[int, Endpoint]], receiver: Receiver, *, block_unlisted: bool
    ) -> None:
        self.unlisted = 0
        self._receiver = receiver
        self._block_unlisted = block_unlisted
        self._loop = asyncio.get_running_loop()
        self._faults: dict[int, Fault] = {}
        self._heard: dict[tuple[int, int], float] = {}
        self._nodes: dict[tuple[int, str, int], int] = {}
        self.links: list[Link] = []
        for number, nodes in sorted(endpoints.items()):
            peers = {node: endpoint for node, endpoint in nodes.items() if node != me}
            self.links.append(Link(number, nodes[me], peers, self._arrived))
            self._nodes |= {(number, peer.address, peer.port): peer.node for peer in peers.values()}

    def open(self) -> None:
        """Bind every link that is not bound yet, and begin to receive; raises what :meth:`Link.open` raises."""
        for link in self.links:
            if not link.is_open:
                link.open()

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
        """Send a datagram to each of the nodes, over every link."""
        for node in targets:
            for link in self.links:
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
            if self._block_unlisted:
                self.unlisted += 1
            else:
                self._receiver(data, source)
            return
        self._heard[number, node] = self._loop.time()
        if self._faults:
            self._disturb(node, self._receiver, data, source)
        else:
            self._receiver(data, source)
