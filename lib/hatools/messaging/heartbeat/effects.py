"""What Heartbeat's protocol asks of its caller. Pure."""

from hatools.messaging.heartbeat.messages import Message
from hatools.messaging.heartbeat.peers import Status
from hatools.values.records import dataclass


@dataclass(frozen=True, slots=True)
class Transmit:
    """Effect: send the datagram over all media; to one node (``dest``) where media can tell nodes apart."""

    data: bytes
    dest: str = ""


@dataclass(frozen=True, slots=True)
class Deliver:
    """Effect: a checked message that is not the protocol's own, from ``source``."""

    source: str
    message: Message


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """Effect: how we see a node has changed, and why."""

    node: str
    old: Status
    new: Status
    cause: str


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """Effect: a node is heard on a link, or is not any more."""

    node: str
    link: str
    is_up: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """Effect: every configured node was heard or given up; from now on ``deadtime`` holds."""


@dataclass(frozen=True, slots=True)
class NodeMet:
    """Effect: a node that no line of ha.cf names takes part (``autojoin``)."""

    node: str


@dataclass(frozen=True, slots=True)
class PingWanted:
    """Effect: ask the addresses of a ping node whether they are there."""

    node: str


@dataclass(frozen=True, slots=True)
class Warned:
    """Effect, for the log: something an operator should look at."""

    text: str


@dataclass(frozen=True, slots=True)
class Noted:
    """Effect, for the log: something worth a line."""

    text: str


Effect = Transmit | Deliver | StatusChanged | LinkChanged | Settled | NodeMet | PingWanted | Warned | Noted
