"""Words of pacemakerd. Pure."""

from hatools.values.records import dataclass


@dataclass(frozen=True, slots=True)
class DescribeNode:
    """Request: what runs here. Answer: :class:`NodeProcesses`."""


@dataclass(frozen=True, slots=True)
class DaemonState:
    """One daemon: its process id (0: none) and how often it was restarted."""

    name: str
    pid: int
    ready: bool
    restarts: int


@dataclass(frozen=True, slots=True)
class NodeProcesses:
    """``state`` is init, starting_daemons, wait_for_ping, running, shutting_down or shutdown_complete."""

    state: str
    daemons: tuple[DaemonState, ...]
    last_updated: int
    node: str = ""


@dataclass(frozen=True, slots=True)
class StopNode:
    """Request: drain the node's resources and stop everything. Answer: Done at once; watch the socket for the end."""
