"""What the replica asks its shell to do. Pure."""

from hatools.cib.document import Document, Element
from hatools.ipc.messages.cib_peers import PeerContent, PeerResync, PeerState, PeerStored, PeerWrite
from hatools.values.errors import HatoolsError
from hatools.values.records import dataclass

OrderedMessage = PeerWrite | PeerState | PeerStored | PeerResync
DirectMessage = PeerContent | PeerStored


@dataclass(frozen=True, slots=True)
class BroadcastToPeers:
    """Send in total order to the cib daemons of all members, our own included."""

    message: OrderedMessage


@dataclass(frozen=True, slots=True)
class SendToPeer:
    """Send to the cib daemon of one node."""

    node: int
    message: DirectMessage


@dataclass(frozen=True, slots=True)
class Mark:
    """What is kept on disk beside the content.

    ``lineage`` is the last quorate view the content belongs to; ``base`` is the version it had when it last did.
    """

    lineage: str = ""
    base: tuple[int, int, int] = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Persist:
    """Put on disk and then call ``persisted(token)``: the patch that leads to the document, or all of it."""

    token: int
    mark: Mark
    document: Document
    before: Document | None = None
    """The document the patch starts from; None: write the whole."""
    patch: str | None = None
    """The patch between their stored forms as text, where it is known already."""


@dataclass(frozen=True, slots=True)
class KeepBackup:
    """Keep a document that is about to be replaced by what other nodes hold."""

    document: Document


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer a client's write: the version after it, or why it was refused."""

    request: int
    version: tuple[int, int, int] = (0, 0, 0)
    error: HatoolsError | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """Tell subscribers. ``patch`` is None where the whole content was replaced."""

    before: Document
    after: Document
    patch: Element | None
    operation: str
    origin: str
    client: str


@dataclass(frozen=True, slots=True)
class Note:
    """Log. ``level`` is ``info``, ``notice``, ``warning`` or ``error``."""

    level: str
    text: str


Effect = BroadcastToPeers | SendToPeer | Persist | KeepBackup | Answer | Changed | Note
