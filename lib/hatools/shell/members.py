"""The nodes of this cluster as the shell reaches them, and asking many of them at once. I/O: the channel.

Who is a member stands in corosync.conf. What is asked goes over TLS to the listener of each node
(:mod:`hatools.daemons.channel`), so no node needs a login on another.
"""

import os
import socket
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

from hatools.ipc.clients.channel import ChannelConnection
from hatools.ipc.stream import surviving_hangups
from hatools.runtime.directories import Directories
from hatools.shell.commands import CommandError
from hatools.values.errors import HatoolsError
from hatools.values.records import dataclass

if TYPE_CHECKING:
    from hatools.messaging.corosync.conf import Configuration

_T = TypeVar("_T")
CONF = "/etc/corosync/corosync.conf"
"""Messaging's configuration, as every node calls it."""

_MOST_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Member:
    """A node of the nodelist."""

    name: str
    addresses: tuple[str, ...]
    is_local: bool


@dataclass(frozen=True, slots=True)
class Outcome(Generic[_T]):
    """What asking one node led to: an answer, or why there is none."""

    member: Member
    answer: _T | None
    problem: str = ""


class Members:
    """The nodes that a corosync.conf lists, by default this node's present one."""

    def __init__(self, configuration: "Configuration | None" = None) -> None:
        """Read the node list.

        Raises:
            CommandError: there is none that can be used.
        """
        self.directories = Directories.from_environment()
        self.configuration = configuration or read_conf()
        self.all = tuple(self._members())

    def _members(self) -> list[Member]:
        from hatools.messaging.corosync.ourselves import local_node
        from hatools.runtime.addresses import is_local_address

        try:
            here = local_node(
                self.configuration,
                given_name=os.environ.get("HATOOLS_NODE_NAME", ""),
                host_name=socket.gethostname(),
                is_local=is_local_address,
                path=str(self.directories.corosync_conf),
            ).id
        except HatoolsError:
            here = 0
        return [Member(node.name, tuple(node.addresses.values()), node.id == here) for node in self.configuration.nodes]

    @property
    def others(self) -> tuple[Member, ...]:
        """The members that are not this node."""
        return tuple(member for member in self.all if not member.is_local)

    @property
    def local(self) -> Member:
        """This node.

        Raises:
            CommandError: it is not in the list.
        """
        for member in self.all:
            if member.is_local:
                return member
        raise CommandError("this node is not in the nodelist of its corosync.conf")

    def find(self, word: str) -> Member:
        """Return a member by name or address.

        Raises:
            CommandError: there is none.
        """
        for member in self.all:
            if word == member.name or word in member.addresses:
                return member
        names = ", ".join(member.name for member in self.all)
        raise CommandError(f"Node {word} is not configured in cluster! Its nodes are {names}")

    def chosen(self, words: Sequence[str], *, default: Sequence[Member]) -> list[Member]:
        """Return the members that were named, each once; the default if none was."""
        return list(dict.fromkeys(self.find(word) for word in words)) or list(default)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        from hatools.ipc.cluster_tls import client_context
        from hatools.messaging.corosync.authkey import configured_key

        try:
            return client_context(configured_key(self.configuration, self.directories.root))
        except HatoolsError as error:
            raise CommandError(f"other nodes are reached with the cluster's key, for root only: {error}") from None

    def connect(self, member: Member) -> ChannelConnection:
        """Connect to a member's channel.

        Raises:
            HatoolsError: it cannot be reached, or refuses.
        """
        return ChannelConnection(member.name, member.addresses, self.configuration.ports[0], self._tls)

    def ask(self, members: Sequence[Member], ask: Callable[[ChannelConnection], _T]) -> list[Outcome[_T]]:
        """Ask members, all at once; the outcomes come in their order."""

        def ask_one(member: Member) -> Outcome[_T]:
            try:
                with self.connect(member) as connection:
                    return Outcome(member, ask(connection))
            except HatoolsError as error:
                return Outcome(member, None, str(error).removeprefix(f"{member.name}: "))

        if not members:
            return []
        _ = self._tls  # a key that cannot be read is one error, not one for each node
        with surviving_hangups(), ThreadPoolExecutor(min(_MOST_AT_ONCE, len(members))) as pool:
            return list(pool.map(ask_one, members))


def read_conf() -> "Configuration":
    """Return this node's corosync.conf, checked.

    Raises:
        CommandError: there is none that can be used.
    """
    from hatools.messaging.corosync.conf import read_configuration
    from hatools.shell.corosync import conf_path, read_text

    heartbeat = Directories.from_environment().heartbeat / "ha.cf"
    if not conf_path().exists() and heartbeat.exists():
        raise CommandError(f"other nodes are reached with what corosync.conf says; this one has {heartbeat} instead")
    try:
        return read_configuration(read_text(), str(conf_path()))
    except HatoolsError as error:
        raise CommandError(str(error)) from None
