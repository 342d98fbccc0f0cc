"""What a controller tells the others about its own node: what its software can do, how loaded its machine is. Pure."""

from hatools.daemons.crmd import status
from hatools.daemons.crmd.changes import transient_attributes
from hatools.daemons.crmd.cluster import Cluster
from hatools.daemons.crmd.effects import BroadcastToPeers, SetAttributes
from hatools.daemons.crmd.history import FEATURE_ATTRIBUTE, FEATURE_SET
from hatools.daemons.crmd.throttle import Throttle, configured_threshold, throttle_of
from hatools.ipc.messages.attrd import UpdateAttribute
from hatools.ipc.messages.crmd import ThrottleChanged


class Bulletin:
    """Tells what has changed, and nothing twice."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._told_features_in = ""

    def tell_load(self, load: float) -> None:
        """Tell the load average over a minute if it is of another class than before."""
        cluster, me = self._cluster, self._cluster.me
        threshold = configured_threshold(status.cluster_option(cluster.document, "load-threshold"))
        mode = throttle_of(load, me.cores, threshold)
        peer = cluster.peers.learn(me.id, me.name)
        if mode is not peer.throttle:
            peer.throttle = mode
            cluster.log("NOTICE" if mode is Throttle.HIGH else "info", f"CPU load {load:.2f}: {mode.name.lower()}")
            cluster.emit(BroadcastToPeers(ThrottleChanged(int(mode))))

    def tell_features(self) -> None:
        """As a member, tell what this node's software can do; in another ring again, if it was forgotten meanwhile."""
        cluster, me = self._cluster, self._cluster.me
        if self._told_features_in == cluster.ring or not cluster.peers.learn(me.id, "").joined:
            return
        self._told_features_in = cluster.ring
        known = transient_attributes(status.node_states(cluster.document).get(me.node_id))
        if known.get(FEATURE_ATTRIBUTE) != FEATURE_SET:
            cluster.emit(SetAttributes(UpdateAttribute(FEATURE_ATTRIBUTE, FEATURE_SET, node=me.name)))


def read_throttle(mode: int) -> Throttle:
    """Read a peer's class of load; one that we do not know counts as the highest."""
    return Throttle(mode) if mode in Throttle.__members__.values() else Throttle.EXTREME
