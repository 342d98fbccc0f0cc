"""Words of crmd, the controller. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DescribeController:
    """Request: state of the controller on a node ("": here). Answer: :class:`ControllerState`."""

    node: str = ""


@dataclass(frozen=True, slots=True)
class ControllerState:
    """``state`` is an ``S_*`` word; ``dc`` is the DC's name or empty; ``settled`` says that the DC is idle and nothing is
    pending (what ``crm_resource --wait`` waits for)."""

    node: str
    state: str
    dc: str
    settled: bool = False
    result: str = "ok"


@dataclass(frozen=True, slots=True)
class ListNodes:
    """Request: the nodes the controller knows. Answer: :class:`NodeList`."""


@dataclass(frozen=True, slots=True)
class KnownNode:
    """``state`` is member, lost or empty (never seen)."""

    id: str
    name: str
    state: str
    is_remote: bool = False


@dataclass(frozen=True, slots=True)
class NodeList:
    """Answer to :class:`ListNodes`, with the local node's name and quorum."""

    nodes: tuple[KnownNode, ...]
    local: str
    local_id: str
    quorate: bool


@dataclass(frozen=True, slots=True)
class RefreshResource:
    """Request: forget a resource's history on a node and probe it again. Answer: Done."""

    resource: str
    node: str


@dataclass(frozen=True, slots=True)
class FailResource:
    """Request: treat the resource as failed (``crm_resource --fail``). Answer: Done."""

    resource: str
    node: str


@dataclass(frozen=True, slots=True)
class Reprobe:
    """Request: probe everything again on a node ("": all). Answer: Done."""

    node: str = ""


@dataclass(frozen=True, slots=True)
class StartElection:
    """Request: force a DC election (``crmadmin -E``). Answer: Done."""


@dataclass(frozen=True, slots=True)
class ForgetNode:
    """Request: drop a node that is gone from caches and membership (``crm_node -R``). Answer: Done."""

    name: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class SubscribeController:
    """Request: send :class:`ControllerChanged` events. Answer: Done."""


@dataclass(frozen=True, slots=True)
class ControllerChanged:
    """Event: state or DC changed, or a transition ended."""

    state: ControllerState
