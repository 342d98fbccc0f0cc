"""Requests about ring, votes and keys, answered by a running Corosync. Pure but for the libraries it is given."""

from hatools.ipc.messages.messaging import (
    CancelWaitForAll,
    ClearStatistics,
    DeleteMapKey,
    KillNode,
    LinkState,
    MapEntries,
    MapEntry,
    Member,
    ReadMap,
    ReloadConfiguration,
    ReopenLogs,
    RingState,
    SetExpectedVotes,
    SetMapKey,
    SetVotes,
    UnregisterDevice,
)
from hatools.ipc.messages.session import Done
from hatools.messaging.external.cfg import Control
from hatools.messaging.external.cmap import ConfigurationMap
from hatools.messaging.external.engine import STYLE, ExternalEngine
from hatools.messaging.external.nodelist import connected_links, is_encrypted, listed_nodes
from hatools.messaging.external.quorum import QuorumService
from hatools.values.records import dataclass


@dataclass(frozen=True)
class Answers:
    """The libraries that know the answers."""

    map: ConfigurationMap
    statistics: ConfigurationMap
    control: Control
    quorum: QuorumService

    def answer(self, message: object) -> object | None:
        """Do what a request asks and return its answer; None if Corosync has nothing of the kind.

        Raises:
            HatoolsError: Corosync refuses it.
        """
        match message:
            case ReadMap(name):
                read = self.statistics if name == "stats" else self.map
                return MapEntries(tuple(MapEntry(*entry) for entry in read.entries()))
            case SetMapKey(MapEntry(key, kind, value)):
                self.map.set(key, kind, value)
            case DeleteMapKey(key):
                self.map.delete(key)
            case ClearStatistics(which):
                self.statistics.set(f"stats.clear.{which}", "u32", "1")
            case CancelWaitForAll():
                self.map.set("quorum.cancel_wait_for_all", "u8", "1")
            case SetExpectedVotes(votes):
                self.quorum.set_expected(votes)
            case SetVotes(node_id, votes):
                self.quorum.set_votes(node_id, votes)
            case UnregisterDevice():
                self.quorum.unregister_device()
            case KillNode(node_id, reason):
                self.control.throw_out(node_id, reason)
            case ReloadConfiguration():
                self.control.reload()
            case ReopenLogs():
                self.control.reopen_logs()
            case _:
                return None
        return Done()

    def describe(self, engine: ExternalEngine, cluster_name: str) -> RingState:
        """Return the state of ring, links and quorum."""
        settings = self.map.read()
        connected = connected_links(self.statistics.read("stats.knet."))
        standing = self.quorum.standing()
        listed = listed_nodes(settings)
        view, local = engine.view, engine.local
        return RingState(
            local=Member(local.id, local.name),
            cluster_name=cluster_name,
            style=STYLE,
            state=engine.state,
            ring_id=str(view.ring_id) if view else "",
            members=tuple(Member(member.id, member.name) for member in view.members) if view else (),
            configured=tuple(Member(node.id, node.identity.name) for node in listed),
            quorate=view is not None and view.quorate,
            expected_votes=standing.expected,
            highest_expected=standing.highest_expected,
            total_votes=standing.total,
            quorum=standing.quorum,
            flags=standing.flags,
            votes=dict(view.votes) if view else {},
            links=tuple(
                LinkState(link, node.id, address, node.id == local.id or (link, node.id) in connected)
                for node in listed
                for link, address in node.addresses.items()
            ),
            encrypted=is_encrypted(settings),
            settings=settings,
        )
