"""Asks the addresses of ping nodes whether they are there, by ICMP echo. I/O."""

import asyncio
import logging
import os
import socket
import struct
from collections.abc import Callable

from hatools.messaging.heartbeat.ha_cf import PingNode

_log = logging.getLogger(__name__)

_ECHO = struct.Struct("!BBHHH")
_REQUEST = {socket.AF_INET: 8, socket.AF_INET6: 128}
_REPLY = {socket.AF_INET: 0, socket.AF_INET6: 129}
_PROTOCOL = {socket.AF_INET: socket.IPPROTO_ICMP, socket.AF_INET6: socket.IPPROTO_ICMPV6}
_TEXT = b"hatools"


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def echo_request(family: socket.AddressFamily, identity: int, sequence: int) -> bytes:
    """Return an ICMP echo request; for IPv6 the kernel fills in the checksum."""
    head = _ECHO.pack(_REQUEST[family], 0, 0, identity, sequence)
    if family == socket.AF_INET:
        head = _ECHO.pack(_REQUEST[family], 0, checksum(head + _TEXT), identity, sequence)
    return head + _TEXT


class Pinger:
    """The ICMP sockets of this node.

    Args:
        answered: gets the name of a ping node that answered.
    """

    def __init__(self, nodes: tuple[PingNode, ...], answered: Callable[[str], None]) -> None:
        self._nodes = {node.name: node for node in nodes}
        self._answered = answered
        self._owners: dict[str, list[str]] = {}
        for node in nodes:
            for address in node.addresses:
                self._owners.setdefault(address, []).append(node.name)
        self._sockets: dict[socket.AddressFamily, socket.socket] = {}
        self._identity = os.getpid() & 0xFFFF
        self._sequence = 0

    def open(self) -> None:
        """Open what is needed; without the right to, ping nodes stay dead and the log says so."""
        loop = asyncio.get_running_loop()
        for family in sorted({_family(address) for address in self._owners}):
            try:
                made = socket.socket(family, socket.SOCK_RAW, _PROTOCOL[family])
            except PermissionError:
                _log.warning("ping nodes cannot be asked: that needs root's rights")
                continue
            made.setblocking(False)
            self._sockets[family] = made
            loop.add_reader(made.fileno(), self._readable, made, family)

    def close(self) -> None:
        """Close the sockets."""
        for made in self._sockets.values():
            asyncio.get_running_loop().remove_reader(made.fileno())
            made.close()
        self._sockets.clear()

    def ask(self, name: str) -> None:
        """Send an echo request to every address of a ping node."""
        self._sequence = (self._sequence + 1) & 0xFFFF
        for address in self._nodes[name].addresses:
            family = _family(address)
            made = self._sockets.get(family)
            if made is None:
                continue
            try:
                made.sendto(echo_request(family, self._identity, self._sequence), (address, 0))
            except OSError as error:
                _log.debug("ping %s: %s", address, error)

    def _readable(self, made: socket.socket, family: socket.AddressFamily) -> None:
        while True:
            try:
                data, address = made.recvfrom(2048)
            except OSError:
                return
            if family == socket.AF_INET:
                data = data[(data[0] & 0x0F) * 4 :] if data else b""
            if len(data) < _ECHO.size:
                continue
            kind, _, _, identity, _ = _ECHO.unpack_from(data)
            if kind == _REPLY[family] and identity == self._identity:
                for name in self._owners.get(str(address[0]).partition("%")[0], ()):
                    self._answered(name)


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
