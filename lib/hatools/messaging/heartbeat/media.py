"""The sockets of ha.cf's media: what is sent goes out on all of them, what comes in is told with its link. I/O.

A node hears on one socket per interface and port; unicast lines of one interface share it. Where it is known at
which address a node is, what is meant for that node alone goes only to the unicast lines with that address. A
:class:`Fault` disturbs the traffic with single addresses on purpose (for the lab).
"""

import asyncio
import contextlib
import errno
import random
import socket
import struct
from collections.abc import Callable, Collection
from pathlib import Path

from hatools.messaging.corosync.totem.links import Fault
from hatools.messaging.heartbeat.ha_cf import UNICAST, Medium, Transport
from hatools.values.errors import ConfigError, NoSuchObjectError, UnavailableError

Receiver = Callable[[bytes, str], None]
"""Gets a datagram and ``LINK ADDRESS``."""

_BUFFER = 4 * 1024 * 1024
_MAX_DATAGRAM = 65536
_BATCH = 64
"""Datagrams taken from a socket before timers and clients get their turn."""
_LOW_DELAY = 0x10
_SIX = (Transport.UCAST6, Transport.MCAST6)


def interface_mtu(device: str, default: int = 1500) -> int:
    """Return the MTU of an interface."""
    try:
        return int(Path(f"/sys/class/net/{device}/mtu").read_text())
    except (OSError, ValueError):
        return default


class Media:
    """All media of this node.

    Args:
        receiver: gets everything that comes in.
        broadcast_of: returns an interface's broadcast address.
        bind_address: where several nodes share a machine (a lab), the address that is ours; else empty.
    """

    def __init__(
        self,
        media: Collection[Medium],
        receiver: Receiver,
        *,
        broadcast_of: Callable[[str], str | None],
        bind_address: str = "",
    ) -> None:
        self.failed_sends = 0
        self._faults: dict[str, Fault] = {}
        self._media = tuple(media)
        self._receiver = receiver
        self._broadcast_of = broadcast_of
        self._bind_address = bind_address
        self._senders: list[tuple[Medium, socket.socket, tuple[str, int]]] = []
        self._listeners: dict[tuple[object, ...], socket.socket] = {}

    def open(self) -> None:
        """Open and bind every socket, and begin to receive.

        Raises:
            NoSuchObjectError: an interface is not there (yet), or has no broadcast address (yet).
            UnavailableError: a port is taken, or may not be used.
        """
        try:
            for medium in self._media:
                self._listen(medium)
                self._senders.append(self._sender(medium))
        except BaseException:
            self.close()
            raise
        loop = asyncio.get_running_loop()
        for key, listener in self._listeners.items():
            loop.add_reader(listener.fileno(), self._readable, listener, str(key[1]))

    def close(self) -> None:
        """Stop receiving and close all sockets."""
        loop = asyncio.get_running_loop()
        for listener in self._listeners.values():
            loop.remove_reader(listener.fileno())
            listener.close()
        for _, sender, _ in self._senders:
            sender.close()
        self._listeners.clear()
        self._senders.clear()

    def mtu(self) -> int:
        """Return the smallest MTU of the interfaces used."""
        return min((interface_mtu(medium.device) for medium in self._media), default=1500)

    def send(self, data: bytes, only: Collection[str] = ()) -> None:
        """Send a datagram over all media; over unicast lines only to these addresses, if there are any."""
        for medium, sender, target in self._senders:
            if medium.address == self._bind_address != "":
                continue  # our own copy would come back at once
            if only and medium.address not in only and medium.transport in UNICAST:
                continue
            self._pass_on(medium.address, self._transmit, sender, data, target)

    def set_fault(self, address: str, fault: Fault) -> bool:
        """Disturb the traffic with an address, or stop doing so; True if that changed anything."""
        before = self._faults.pop(address, Fault())
        if fault != Fault():
            self._faults[address] = fault
        return before != fault

    def _pass_on(self, address: str, action: Callable[..., None], *arguments: object) -> None:
        fault = self._faults.get(address)
        if fault is None:
            action(*arguments)
        elif fault.cut or (fault.loss and random.random() < fault.loss):
            return
        elif fault.delay_s:
            asyncio.get_running_loop().call_later(fault.delay_s, action, *arguments)
        else:
            action(*arguments)

    def _transmit(self, sender: socket.socket, data: bytes, target: tuple[str, int]) -> None:
        try:
            sender.sendto(data, target)
        except OSError:
            # Full buffers, an interface that is down, nobody there: lost, as on any network.
            self.failed_sends += 1

    def _readable(self, listener: socket.socket, link: str) -> None:
        for _ in range(_BATCH):
            try:
                data, address = listener.recvfrom(_MAX_DATAGRAM)
            except BlockingIOError:
                return
            except OSError:
                self.failed_sends += 1  # the echo of an earlier send, such as "connection refused"
                continue
            host = str(address[0]).partition("%")[0]
            self._pass_on(host, self._receiver, data, f"{link} {host}:{address[1]}")

    # -- making sockets

    def _listen(self, medium: Medium) -> None:
        """Make the socket that hears a medium, unless another medium's socket hears it, too."""
        group = medium.address if medium.transport in (Transport.MCAST, Transport.MCAST6) else ""
        key = (medium.transport in _SIX, medium.device, medium.port, group)
        if key in self._listeners:
            return
        listener = self._socket(medium)
        self._listeners[key] = listener
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        index = _interface_index(medium.device)
        match medium.transport:
            case Transport.MCAST:
                where = medium.address
                request = socket.inet_aton(group) + socket.inet_aton("0.0.0.0") + struct.pack("@i", index)
                _set(listener, medium, socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
            case Transport.MCAST6:
                where = "::"
                request = socket.inet_pton(socket.AF_INET6, group) + struct.pack("@I", index)
                _set(listener, medium, socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, request)
            case Transport.UCAST6:
                where = "::"
            case _:
                where = self._bind_address or "0.0.0.0"
        if medium.transport is not Transport.MCAST:
            self._bind_to_device(listener, medium)
        try:
            listener.bind((where, medium.port))
        except OSError as error:
            raise UnavailableError(f"{medium}: UDP port {medium.port} cannot be bound: {error.strerror}") from None
        listener.setblocking(False)

    def _sender(self, medium: Medium) -> tuple[Medium, socket.socket, tuple[str, int]]:
        sender = self._socket(medium)
        sender.setblocking(False)
        index = _interface_index(medium.device)
        address = medium.address
        match medium.transport:
            case Transport.BCAST:
                address = self._broadcast_of(medium.device) or ""
                if not address:
                    raise NoSuchObjectError(f"{medium}: the interface has no IPv4 broadcast address")
                sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                sender.setsockopt(socket.SOL_SOCKET, socket.SO_DONTROUTE, 1)
            case Transport.MCAST:
                request = socket.inet_aton("0.0.0.0") * 2 + struct.pack("@i", index)
                _set(sender, medium, socket.IPPROTO_IP, socket.IP_MULTICAST_IF, request)
                _set(sender, medium, socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, medium.ttl)
                _set(sender, medium, socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, int(medium.loop))
            case Transport.MCAST6:
                _set(sender, medium, socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
                _set(sender, medium, socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, medium.ttl)
                _set(sender, medium, socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, int(medium.loop))
            case Transport.UCAST | Transport.UCAST6:
                self._bind_to_device(sender, medium)
                if self._bind_address and medium.transport is Transport.UCAST:
                    sender.bind((self._bind_address, 0))
        if medium.transport not in _SIX:
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _LOW_DELAY)
            return medium, sender, (address, medium.port)
        scope = f"%{medium.device}" if address.startswith(("fe80", "ff")) else ""
        return medium, sender, (address + scope, medium.port)

    def _socket(self, medium: Medium) -> socket.socket:
        six = medium.transport in _SIX
        made = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
        if six:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            made.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
        with contextlib.suppress(PermissionError):
            made.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_RCVBUFFORCE", 33), _BUFFER)
        return made

    def _bind_to_device(self, made: socket.socket, medium: Medium) -> None:
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, medium.device.encode())
        except PermissionError:
            raise UnavailableError(f"{medium}: only root may use a single interface") from None
        except OSError as error:
            raise NoSuchObjectError(f"{medium}: {error.strerror}") from None


def _set(made: socket.socket, medium: Medium, level: int, option: int, value: int | bytes) -> None:
    try:
        made.setsockopt(level, option, value)
    except OSError as error:
        if error.errno in (errno.ENODEV, errno.EADDRNOTAVAIL, errno.ENXIO):
            raise NoSuchObjectError(f"{medium}: {error.strerror}") from None
        raise ConfigError(f"{medium} cannot be set up: {error.strerror}") from None


def _interface_index(device: str) -> int:
    try:
        return socket.if_nametoindex(device)
    except OSError:
        raise NoSuchObjectError(f"there is no network interface {device}") from None
