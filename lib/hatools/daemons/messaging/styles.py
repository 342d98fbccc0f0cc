"""What a messaging style brings to the daemon, and what the daemon offers to it. I/O: imports the chosen style.

``daemon.py`` owns what is the same in every style: the clients and their groups, the timer of the engine,
the words of a scheduling pause, the goodbye. A :class:`Style` owns what differs: its configuration files, who
this node is, the sockets (or the library) that carry the messages, and the engine that puts them in order.

To plug in a style, write ``NAME_style.py`` with ``configure(context) -> Style``: it reads and checks the
configuration, opens nothing yet, and raises :class:`HatoolsError` with file and line for what is wrong. Then
name it in :func:`configure_style`. The order of calls:

1. ``configure(context)``;
2. ``open(host)``: open the sockets and make the engine; wait there for what comes up late (an interface, a
   running corosync) and watch ``host.context.stopping``;
3. the daemon performs ``engine.start(now)``, then calls ``send``, ``keep`` and ``expire`` as the engine's effects
   and its ``deadline`` ask; the style hands in what arrives with ``host.received`` (a datagram for
   ``engine.receive``) or, when its input is of another kind, gives the effects of its own engine's methods to
   ``host.perform``;
4. ``engine.depart``, then ``engine.leave``, then ``close()``. A node that is cut off gets none of the three.
"""

from typing import Protocol

from hatools.ipc.messages.messaging import RingState
from hatools.ipc.server import Client
from hatools.messaging.views import Effect, GroupEngine, NodeIdentity
from hatools.runtime.daemon import Context
from hatools.values.errors import HatoolsError, NotSupportedError


class Host(Protocol):
    """What the daemon offers to a style."""

    context: Context

    def received(self, datagram: bytes, source: str) -> None:
        """Give a datagram to the engine; ``source`` is its sender's address, for the log."""

    def perform(self, effects: list[Effect]) -> None:
        """Perform what the engine asked for outside of its timer and of :meth:`received`."""


class Style(Protocol):
    """One way to carry messages between nodes."""

    @property
    def name(self) -> str:
        """Return the style as ``HATOOLS_MESSAGING`` names it; peers of another one are refused at the join."""

    @property
    def cluster_name(self) -> str:
        """Return the name of the cluster."""

    @property
    def local(self) -> NodeIdentity:
        """Return this node. Where nodes have no numbers of their own, the style finds some that all agree upon."""

    @property
    def nodes(self) -> tuple[NodeIdentity, ...]:
        """Return the nodes of the configuration, and those that were met besides."""

    @property
    def engine(self) -> GroupEngine:
        """Return the engine; there is one once :meth:`open` has returned."""

    @property
    def pause_limit_s(self) -> float | None:
        """Return after which pause of this process the peers hold the node for lost; None if a pause costs nothing."""

    @property
    def realtime(self) -> bool:
        """Say whether the configuration asks for real-time scheduling."""

    async def open(self, host: Host) -> bool:
        """Open what carries the messages and make the engine; False if the daemon was told to stop before that.

        Raises:
            HatoolsError: an address, a key or a store cannot be used; the daemon ends and stays down.
        """

    def send(self, targets: tuple[int, ...], data: bytes) -> None:
        """Perform a :class:`Datagram` of the engine; what cannot be sent is lost, or kept by the style."""

    def keep(self, name: str, value: int) -> None:
        """Perform a :class:`Keep`: the number is on disk when this returns."""

    def carry_out(self, request: object) -> None:
        """Perform a :class:`ForStyle` of the engine; effects of what follows go to ``host.perform``."""

    def close(self) -> None:
        """Close everything; no call follows."""

    def describe(self, now: float) -> RingState:
        """Return the state of ring, links and quorum for status displays."""

    def answer(self, client: Client, message: object) -> object:
        """Answer a request that is the style's own business (reload, votes, faults); check the client's rights.

        What takes a while is returned as an awaitable.

        Raises:
            HatoolsError: it cannot be done, or (:func:`not_understood`) this style has no such thing.
        """


def not_understood(style: Style, message: object) -> HatoolsError:
    """Return the refusal of a request that the style has no answer to."""
    return NotSupportedError(f"the messaging style {style.name} does not offer {type(message).__name__}")


def configure_style(name: str, context: Context) -> Style:
    """Read the configuration of the named style; only that style's code is imported.

    Raises:
        HatoolsError: the configuration is missing or wrong.
    """
    match name:
        case "heartbeat":
            from hatools.daemons.messaging import heartbeat_style

            return heartbeat_style.configure(context)
        case "external":
            from hatools.daemons.messaging import external_style

            return external_style.configure(context)
    from hatools.daemons.messaging import corosync_style

    return corosync_style.configure(context)
