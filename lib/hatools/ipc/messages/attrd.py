"""Words of attrd, the attribute daemon. Pure."""

from hatools.values.records import dataclass


@dataclass(frozen=True, slots=True)
class UpdateAttribute:
    """Request: set a transient attribute. Answer: Done as soon as it is ordered on the ring.

    ``value`` None deletes; ``++`` and ``+=N`` count. ``dampen_ms`` None keeps the present delay; ``update`` False
    changes the delay only. ``private`` keeps it out of the CIB. ``pattern`` sets every known attribute matching the
    regex ``name``. ``node`` "" is the local node.
    """

    name: str
    value: str | None
    node: str = ""
    dampen_ms: int | None = None
    update: bool = True
    private: bool = False
    set_name: str = ""
    pattern: bool = False
    both: bool = False


@dataclass(frozen=True, slots=True)
class UpdateAttributes:
    """Request: several updates in one ordered message. Answer: Done."""

    updates: tuple[UpdateAttribute, ...]


@dataclass(frozen=True, slots=True)
class QueryAttribute:
    """Request: values of an attribute (or, with an empty name, of all) on ``node`` ("" for every node).
    Answer: :class:`AttributeValues`."""

    name: str
    node: str = ""


@dataclass(frozen=True, slots=True)
class AttributeValue:
    """The value of one attribute on one node."""

    name: str
    node: str
    value: str


@dataclass(frozen=True, slots=True)
class AttributeValues:
    """Answer to :class:`QueryAttribute`; no entry means that it is not set."""

    values: tuple[AttributeValue, ...]


@dataclass(frozen=True, slots=True)
class RefreshAttributes:
    """Request: write every attribute to the CIB again (after the CIB's status was lost). Answer: Done."""


@dataclass(frozen=True, slots=True)
class RemovePeer:
    """Request: forget all attributes of a node. Answer: Done."""

    node: str


@dataclass(frozen=True, slots=True)
class ClearFailures:
    """Request: remove fail counts and last-failure of a resource ("": all), operation and interval ("": all) on a node
    ("": all). Answer: Done."""

    resource: str = ""
    operation: str = ""
    interval_ms: int = 0
    node: str = ""


# Between peers: payloads of the messaging group "attrd".


@dataclass(frozen=True, slots=True)
class PeerUpdates:
    """Broadcast: updates in order, each with its node's name."""

    updates: tuple[UpdateAttribute, ...]


@dataclass(frozen=True, slots=True)
class PeerRemoval:
    """Broadcast: forget a node's values."""

    node: str


@dataclass(frozen=True, slots=True)
class PeerRefresh:
    """Broadcast: whoever writes to the CIB writes everything again."""


@dataclass(frozen=True, slots=True)
class DumpedAttribute:
    """An attribute with its values by node."""

    name: str
    set_name: str
    private: bool
    dampen_ms: int
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class PeerArrival:
    """Broadcast by a daemon that nobody saw arrive in the group: it was started in the place of another one."""


@dataclass(frozen=True, slots=True)
class PeerPlace:
    """Broadcast: a place in the order, of which everybody has the state. ``place`` is unique."""

    place: str


@dataclass(frozen=True, slots=True)
class PeerDump:
    """Broadcast: the state at ``place`` as the members of ``company`` know it, all of them the same.

    ``informed`` False: they know only what changed since they are here, even of their own nodes.
    """

    place: str
    company: tuple[int, ...]
    informed: bool
    attributes: tuple[DumpedAttribute, ...]
