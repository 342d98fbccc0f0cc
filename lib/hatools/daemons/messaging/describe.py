"""The state of ring, links and quorum in the words of the socket. Pure."""

from hatools.ipc.messages.messaging import LinkState, Member, RingState
from hatools.messaging.corosync.crypto import Protection, Suite
from hatools.messaging.corosync.engine import CorosyncEngine
from hatools.messaging.views import View


def describe_ring(
    engine: CorosyncEngine, addresses: list[tuple[int, int, str]], heard: frozenset[tuple[int, int]]
) -> RingState:
    """Return the answer to DescribeRing.

    Args:
        addresses: (link, node id, address) of all nodes on all links.
        heard: the (link, node id) pairs that datagrams came from lately.
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
        links=tuple(LinkState(link, node, address, (link, node) in connected) for link, node, address in addresses),
        encrypted=configuration.protection.is_encrypted,
        settings=_settings(engine, view),
    )


def _members(view: View | None) -> tuple[Member, ...]:
    return tuple(Member(member.id, member.name) for member in view.members) if view else ()


def _settings(engine: CorosyncEngine, view: View | None) -> dict[str, str]:
    """Return configuration and runtime keys as corosync-cmapctl names them."""
    configuration = engine.configuration
    verdict = engine.quorum.verdict
    settings = dict(configuration.settings)
    settings["runtime.config.totem.protection"] = _protection(configuration.protection)
    position = [node.id for node in configuration.nodes].index(engine.local.id)
    settings["nodelist.local_node_pos"] = str(position)
    settings["runtime.votequorum.this_node_id"] = str(engine.local.id)
    settings["runtime.votequorum.ev_barrier"] = str(verdict.highest_expected)
    settings["runtime.votequorum.two_node"] = str(int("2Node" in verdict.flags))
    settings["runtime.votequorum.wait_for_all_status"] = str(int(verdict.waiting_for_all))
    members = view.member_ids if view else frozenset[int]()
    for node in configuration.nodes:
        prefix = f"runtime.members.{node.id}"
        if node.id in members:
            shown = (f"r({link}) ip({address}) " for link, address in sorted(node.addresses.items()))
            settings[f"{prefix}.ip"] = "".join(shown)
            settings[f"{prefix}.status"] = "joined"
            settings[f"{prefix}.config_version"] = str(configuration.config_version)
    settings["stats.srp.token_losses"] = str(engine.totem.token_losses)
    settings["stats.srp.rejected_datagrams"] = str(engine.rejections.total)
    return settings


def _protection(protection: Protection) -> str:
    match protection.suite:
        case Suite.GCM:
            return "aes256-gcm"
        case Suite.CBC:
            return f"{protection.cipher} {protection.hash_name}"
        case Suite.HASH:
            return f"none {protection.hash_name}"
    return "none none"
