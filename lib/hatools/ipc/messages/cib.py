"""Words of the cib daemon. XML travels as UTF-8 bytes. Pure."""

from hatools.values.ciboperation import CibOperation
from hatools.values.records import dataclass

__all__ = ["CibOperation"]


@dataclass(frozen=True, slots=True)
class Query:
    """Request. Answer: :class:`QueryResult`.

    ``section`` is ``cib``, ``configuration``, ``status``, ``resources`` ...; with ``xpath`` the section is
    ignored. ``children`` False leaves out what is below the matches.
    """

    section: str = ""
    xpath: str = ""
    children: bool = True
    local: bool = True
    user: str = ""
    """Whose permissions apply, if not the client's own (root and hacluster only)."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The matching element, or for an XPath with several matches an ``<xpath-query>`` around them."""

    xml: bytes
    version: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Change:
    """Request: change the CIB on every node. Answer: :class:`Changed` once it cannot be lost any more.

    ``allow_create`` is cibadmin's ``--allow-create``; ``force`` and ``dry_run`` as there. ``expected`` (admin_epoch,
    epoch, num_updates), if given, refuses the change with StaleError when the CIB is at another version.
    """

    operation: CibOperation
    section: str = ""
    xpath: str = ""
    xml: bytes = b""
    allow_create: bool = False
    force: bool = False
    dry_run: bool = False
    no_children: bool = False
    expected: tuple[int, int, int] | None = None
    origin: str = ""
    """Client name for update-client; empty: what the client said in its Hello."""
    mixed: bool = False
    """Remove what carries ``__delete__`` after a modification."""
    user: str = ""
    """Whose permissions apply, if not the client's own (root and hacluster only)."""
    schema: str = ""
    """The schema an upgrade stops at, empty for the newest."""


@dataclass(frozen=True, slots=True)
class Changed:
    """Answer to :class:`Change`: the version after it, and the result document of a dry run."""

    version: tuple[int, int, int]
    xml: bytes = b""


@dataclass(frozen=True, slots=True)
class Batch:
    """Request: several changes as one, all or none (crmd's status updates). Answer: :class:`Changed`.

    ``early`` asks for the answer as soon as the changes are made here, in their place of the order, if nothing of
    them is kept on disk: whatever is sent afterwards reaches the other nodes behind them.
    """

    changes: tuple[Change, ...]
    early: bool = False


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Request: send :class:`CibChanged` events from now on. Answer: QueryResult with the whole CIB now.

    ``with_patch`` False sends only versions and sections.
    """

    with_patch: bool = True


@dataclass(frozen=True, slots=True)
class CibChanged:
    """Event: a change was applied. ``patch`` is a diff of format 2; empty with ``replaced``: fetch the whole CIB."""

    before: tuple[int, int, int]
    after: tuple[int, int, int]
    patch: bytes
    operation: str
    origin_node: str
    origin_client: str
    replaced: bool = False


@dataclass(frozen=True, slots=True)
class Lineage:
    """Request (crmd): where the local replica stands. Answer: :class:`LineageState`.

    With ``ring``, a ring's id, it is answered when the replica agrees with every member of that ring, at the latest
    after a second.
    """

    ring: str = ""


@dataclass(frozen=True, slots=True)
class LineageState:
    """``view`` is the last quorate view the content belongs to; ``synchronised`` says that the replica agrees
    with every member of the current view, ``ring`` is that view's ring id, and ``adopted``: the replica took over the
    content of another member there."""

    version: tuple[int, int, int]
    view: str
    synchronised: bool
    primary: str = ""
    ring: str = ""
    adopted: bool = False
