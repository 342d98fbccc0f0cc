"""Words of the channel: what one node of a cluster asks of another on an administrator's behalf. Pure.

They travel over TLS between processes that hold the cluster's key (``ipc/cluster_tls.py``), in the same frames as
everything else.
"""

from hatools.values.records import dataclass


@dataclass(frozen=True, slots=True)
class AskNode:
    """Request: who are you. Answer: :class:`NodeAbout`."""


@dataclass(frozen=True, slots=True)
class NodeAbout:
    """``cluster_runs``: pacemakerd is up; ``clock`` is the node's time (seconds since 1970).

    Of its corosync.conf: the version (0 if none) and the SHA-256 in hex.
    """

    name: str
    version: str
    cluster_runs: bool
    config_version: int
    config_digest: str
    clock: float


@dataclass(frozen=True, slots=True)
class ReadFile:
    """Request: a file of the node. Answer: :class:`FileContent`."""

    path: str


@dataclass(frozen=True, slots=True)
class FileContent:
    """A file: its permission bits, the SHA-256 of its content in hex, and the content."""

    mode: int
    digest: str
    content: bytes


@dataclass(frozen=True, slots=True)
class WriteFile:
    """Request: put a file into the place of an old one, whole or not at all. Answer: Done."""

    path: str
    content: bytes
    mode: int


@dataclass(frozen=True, slots=True)
class StoreConfiguration:
    """Request: take this corosync.conf if it can be read and is not older than the present one. Answer: Done.

    With ``replaces`` the present one may be newer: a person has chosen.
    """

    text: str
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class RunCommand:
    """Request: run a program, not through a shell, with these words. Answer: :class:`CommandEnded`.

    Its output comes as :class:`CommandOutput` while it runs, and :class:`StillRunning` every few seconds. The program
    is killed when the caller goes away. ``timeout_s`` 0: no limit.
    """

    argv: tuple[str, ...]
    stdin: bytes = b""
    timeout_s: float = 0.0


@dataclass(frozen=True, slots=True)
class CommandOutput:
    """Event: a piece of what the program printed; ``is_error``: on standard error."""

    data: bytes
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class StillRunning:
    """Event: the program runs and had nothing to say lately."""


@dataclass(frozen=True, slots=True)
class CommandEnded:
    """How the program ended: its exit status, or -1 and a reason."""

    status: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ForgetCluster:
    """Request: the node is no member any more: its configuration, key and CIB are set aside. Answer: Done.

    Refused while the cluster's daemons run there.
    """


@dataclass(frozen=True, slots=True)
class AskToJoin:
    """Request of a new node to the one that invited it: ``addresses`` by link. Answer: :class:`Membership`."""

    secret: str
    name: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Membership:
    """What makes a node a member: the corosync.conf that lists it, and the cluster's key."""

    configuration: str
    key: bytes


@dataclass(frozen=True, slots=True)
class ReadyToJoin:
    """Request: the new node has everything on its disk; list me on all nodes. Answer: Done, then it may start."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Request: the new node has taken its files into use. Answer: Done."""
