"""Who is here: what a new view or group means for the peers we know. Pure."""

from hatools.daemons.crmd.alerts import Alerts
from hatools.daemons.crmd.cluster import Cluster
from hatools.daemons.crmd.peers import Peer
from hatools.ipc.messages.messaging import GroupChanged, ViewChanged


class Attendance:
    """Keeps the peers' marks true to messaging's views and groups, and raises the alerts of nodes."""

    def __init__(self, cluster: Cluster, alerts: Alerts) -> None:
        self._cluster = cluster
        self._alerts = alerts
        self._members: frozenset[int] = frozenset()
        """Who was in the last view."""

    def leave(self, view: ViewChanged) -> tuple[list[Peer], list[Peer]]:
        """Take a view: mark who is lost, and return them and who arrives. Who did both is another incarnation."""
        cluster = self._cluster
        members = {member.id: member.name for member in view.members}
        lost, arrived = [], []
        for node, name in members.items():
            peer = cluster.peers.learn(node, name)
            back = node in view.arrived and node in self._members and node != cluster.me.id
            if peer.in_view and back:
                lost.append(peer)
            if not peer.in_view or back:
                arrived.append(peer)
        lost += [peer for peer in cluster.peers.all() if peer.in_view and peer.id not in members]
        for peer in lost:
            self._alerts.node(peer.node_id, peer.name, "lost")
            peer.in_view = peer.in_group = False
            peer.incarnation = ""
            known = cluster.standing(peer)
            was_member = known is not None and known.in_ccm and known.expected == "member"
            peer.unclean = peer.unclean or (was_member and not peer.fenced and not peer.leaving)
        self._members = frozenset(members)
        return lost, arrived

    def arrive(self, ring: str, lost: list[Peer], arrived: list[Peer]) -> None:
        """After all others have heard of the view: mark who is new."""
        for peer in lost:
            peer.leaving = peer.fenced = False
        for peer in arrived:
            self._alerts.node(peer.node_id, peer.name, "member")
            peer.in_view = True
            peer.arrived_in = ring
            peer.leaving = peer.fenced = peer.unwritten = False

    def regroup(self, group: GroupChanged) -> tuple[list[Peer], list[Peer]]:
        """Take the controllers' group; return whose controllers arrived and whose left, some both."""
        arrived, left = [], []
        for peer in self._cluster.peers.all():
            inside = peer.id in group.members
            returned = inside and peer.in_group and peer.id in group.arrived and peer.id != self._cluster.me.id
            if peer.in_group and (not inside or returned):
                left.append(peer)
                peer.incarnation = ""
            if inside and (not peer.in_group or returned):
                arrived.append(peer)
                peer.leaving = False
            peer.in_group = inside
        return arrived, left
