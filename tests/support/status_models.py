"""Small cluster statuses for tests of status displays."""

from hatools.status.model import (
    CloneStatus,
    ClusterStatus,
    GroupStatus,
    NodeKind,
    NodeRef,
    NodeStatus,
    OptionsStatus,
    PrimitiveStatus,
    ResourceStatus,
    SummaryStatus,
)
from hatools.values.role import Role

NOON = 1_600_000_000


def ref(name: str, *, online: bool = True, unclean: bool = False) -> NodeRef:
    return NodeRef(name[-1], name, online, unclean)


def node(name: str, **changes: object) -> NodeStatus:
    made = NodeStatus(id=name[-1], name=name, kind=NodeKind.MEMBER, online=True)
    for key, value in changes.items():
        setattr(made, key, value)
    return made


def primitive(name: str, *nodes: NodeRef, **changes: object) -> PrimitiveStatus:
    active = bool(nodes)
    made = PrimitiveStatus(
        name,
        name.partition(":")[0],
        active=active,
        partly_active=active,
        nodes=nodes,
        standard="ocf",
        provider="heartbeat",
        type="Dummy",
        role=Role.STARTED if active else Role.STOPPED,
        current=nodes[0] if nodes else None,
        node=nodes[0] if nodes else None,
    )
    for key, value in changes.items():
        setattr(made, key, value)
    return made


def group(name: str, *members: PrimitiveStatus, **changes: object) -> GroupStatus:
    made = GroupStatus(name, name, children=members)
    _adopt(made, members, changes)
    return made


def clone(name: str, *members: ResourceStatus, hosts: tuple[str, ...], **changes: object) -> CloneStatus:
    made = CloneStatus(name, name, children=members, template=members[0].shown_id, clone_max=len(members), hosts=hosts)
    _adopt(made, members, changes)
    return made


def _adopt(made: ResourceStatus, members: tuple[ResourceStatus, ...], changes: dict[str, object]) -> None:
    """Make resources the parts of another."""
    for member in members:
        member.parent = made
    made.active = bool(members) and all(member.active for member in members)
    made.partly_active = any(member.partly_active for member in members)
    made.nodes = tuple({each.id: each for member in members for each in member.nodes}.values())
    for key, value in changes.items():
        setattr(made, key, value)


def cluster(*resources: ResourceStatus, nodes: tuple[NodeStatus, ...] = (), **options: object) -> ClusterStatus:
    """Return a status with a DC (the first node) and these resources."""
    settings = OptionsStatus()
    summary = SummaryStatus(
        stack="corosync",
        dc_version="2.1.5",
        dc=nodes[0] if nodes else None,
        has_quorum=True,
        mixed_version=False,
        last_written=None,
        update_user=None,
        update_client=None,
        update_origin=None,
        node_count=len(nodes),
        resource_count=len(resources),
        disabled_count=0,
        blocked_count=0,
        options=settings,
    )
    made = ClusterStatus(now=NOON, summary=summary, nodes=nodes, resources=resources)
    for key, value in options.items():
        setattr(made, key, value)
    return made
