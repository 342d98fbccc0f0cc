"""The state of ring, links and quorum in the words of the socket. Pure."""

from hatools.ipc.messages.messaging import LinkState, Member, RingState
from hatools.messaging.corosync.ballots import ballot_of
from hatools.messaging.corosync.crypto import Protection, Suite
from hatools.messaging.corosync.engine import CorosyncEngine
from hatools.messaging.corosync.votequorum import TieBreaker
from hatools.messaging.views import View


def describe_ring(
    engine: CorosyncEngine,
    addresses: list[tuple[int, int, str]],
    heard: frozenset[tuple[int, int]],
    settings: dict[str, str] | None = None,
) -> RingState:
    """Return the answer to DescribeRing.

    Args:
        addresses: (link, node id, address) of all nodes on all links.
        heard: the (link, node id) pairs that datagrams came from lately.
        settings: the keys of the map; by default those that the engine knows.
    """
    configuration = engine.configuration
    verdict = engine.quorum.verdict
    view = engine.view
    # An idle ring is silent but for the token, so with one link membership says more than what was heard.
    several = len({link for link, _, _ in addresses}) > 1
    members = frozenset(engine.totem.members)
    connected = {(link, node) for link, node, _ in addresses if node == engine.local.id}
    connected |= heard if several else heard | {(link, node) for link, node, _ in addresses if node in members}
    return RingState(
        local=Member(engine.local.id, engine.local.name),
        cluster_name=configuration.cluster_name,
        style=engine.style,
        state=engine.totem.state.value,
        ring_id=str(view.ring_id) if view else "",
        members=_members(view),
        configured=tuple(Member(node.id, node.name) for node in configuration.nodes),
        quorate=view is not None and view.quorate,
        expected_votes=verdict.expected_votes,
        highest_expected=verdict.highest_expected,
        total_votes=verdict.total_votes,
        quorum=verdict.quorum,
        flags=verdict.flags,
        votes=dict(view.votes) if view else {},
        links=tuple(
            LinkState(link, node, address, (link, node) in connected, engine.identity.mtu)
            for link, node, address in addresses
        ),
        encrypted=configuration.protection.is_encrypted,
        settings=map_of(engine) if settings is None else settings,
        devices=_devices(engine, view),
        device_votes=configuration.quorum.device.votes if configuration.quorum.device else 0,
        device_casts=verdict.device_votes > 0,
    )


def _devices(engine: CorosyncEngine, view: View | None) -> dict[str, str]:
    cards = engine.groups.cards.values() if view is not None else ()
    ballots = {card.name: ballot_of(card.facts) for card in cards}
    return {name: str(ballot.device) for name, ballot in ballots.items() if ballot.device is not None}


def _members(view: View | None) -> tuple[Member, ...]:
    return tuple(Member(member.id, member.name) for member in view.members) if view else ()


def map_of(engine: CorosyncEngine) -> dict[str, str]:
    """Return configuration, runtime keys and statistics as corosync-cmapctl names them."""
    configuration, totem, view = engine.configuration, engine.totem, engine.view
    keys = dict(configuration.settings)
    keys["nodelist.local_node_pos"] = str([node.id for node in configuration.nodes].index(engine.local.id))
    keys["runtime.config.totem.protection"] = _protection(configuration.protection)
    for link in configuration.links:
        if link.number in configuration.nodes[0].addresses:
            prefix = f"runtime.config.totem.interface.{link.number}"
            keys[f"{prefix}.knet_ping_interval"] = str(round(link.ping_interval * 1000))
            keys[f"{prefix}.knet_ping_timeout"] = str(round(link.ping_timeout * 1000))
    keys |= _quorum_keys(engine)
    cards = engine.groups.cards
    members = view.member_ids if view else frozenset[int]()
    for node in configuration.nodes:
        if node.id not in engine.joins and node.id not in members:
            continue
        prefix = f"runtime.members.{node.id}"
        version = cards[node.id].facts.get("config_version", 0) if node.id in cards else 0
        shown = (f"r({link}) ip({address}) " for link, address in sorted(node.addresses.items()))
        keys[f"{prefix}.config_version"] = str(version)
        keys[f"{prefix}.ip"] = "".join(shown)
        keys[f"{prefix}.join_count"] = str(engine.joins.get(node.id, 1))
        keys[f"{prefix}.status"] = "joined" if node.id in members else "left"
    keys |= {f"stats.srp.{name}": str(count) for name, count in totem.counters.items().items()}
    keys["stats.srp.token_losses"] = str(totem.token_losses)
    keys["stats.srp.rejected_datagrams"] = str(engine.rejections.total)
    for (peer, cause), count in sorted(engine.rejections.by_cause.items()):
        keys[f"stats.rejected.{_word(peer)}.{_word(cause)}"] = str(count)
    return keys


def _quorum_keys(engine: CorosyncEngine) -> dict[str, str]:
    verdict, options, view = engine.quorum.verdict, engine.quorum.options, engine.view
    members = sorted(view.member_ids) if view else [engine.local.id]
    keys = {
        "atb_type": str(list(TieBreaker).index(options.tie_breaker)),
        "ev_barrier": str(verdict.highest_expected),
        "highest_node_id": str(members[-1]),
        "lowest_node_id": str(members[0]),
        "this_node_id": str(engine.local.id),
        "two_node": str(int("2Node" in verdict.flags)),
    }
    if options.wait_for_all:
        keys["wait_for_all_status"] = str(int(verdict.waiting_for_all))
    if options.expected_votes_tracking:
        keys["ev_tracking_barrier"] = str(engine.quorum.tracked)
    if options.device is not None:
        keys["qdevice_can_operate"] = str(int(engine.quorum.device is not None))
        keys["qdevice_master_wins"] = str(int(engine.quorum.device is not None and engine.quorum.device.master_wins))
    return {f"runtime.votequorum.{key}": value for key, value in keys.items()}


def _word(text: str) -> str:
    """Return text as part of a key."""
    return "".join(letter if letter.isalnum() or letter in "-:" else "_" for letter in text)


def _protection(protection: Protection) -> str:
    match protection.suite:
        case Suite.GCM:
            return "aes256-gcm"
        case Suite.CBC:
            return f"{protection.cipher} {protection.hash_name}"
        case Suite.HASH:
            return f"none {protection.hash_name}"
    return "none none"
