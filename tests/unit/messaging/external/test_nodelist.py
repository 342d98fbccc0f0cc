"""Nodes, links and encryption from the keys of Corosync's map."""

import pytest

from hatools.messaging.external.nodelist import (
    ListedNode,
    connected_links,
    is_encrypted,
    listed_nodes,
    token_s,
)
from hatools.messaging.views import NodeIdentity

KEYS = {
    "nodelist.local_node_pos": "0",
    "nodelist.node.0.nodeid": "7",
    "nodelist.node.0.name": "alpha",
    "nodelist.node.0.ring0_addr": "10.0.0.7",
    "nodelist.node.0.ring1_addr": "10.0.1.7",
    "nodelist.node.1.nodeid": "3",
    "nodelist.node.1.ring0_addr": "beta.example.org",
    "nodelist.node.2.nodeid": "9",
    "nodelist.node.2.ring0_addr": "fd00::9",
    "nodelist.node.3.name": "has no id",
    "totem.token": "3000",
}


def test_nodes_are_listed_by_id_with_their_addresses() -> None:
    assert listed_nodes(KEYS) == (
        ListedNode(3, "beta.example.org", {0: "beta.example.org"}),
        ListedNode(7, "alpha", {0: "10.0.0.7", 1: "10.0.1.7"}),
        ListedNode(9, "", {0: "fd00::9"}),
    )


def test_a_node_without_a_name_goes_by_its_address() -> None:
    assert [node.identity for node in listed_nodes(KEYS)] == [
        NodeIdentity(3, "beta.example.org"),
        NodeIdentity(7, "alpha"),
        NodeIdentity(9, "fd00::9"),
    ]


@pytest.mark.parametrize(
    ("keys", "encrypted"),
    [({}, False), ({"totem.crypto_cipher": "none"}, False), ({"totem.crypto_cipher": "aes256"}, True),
     ({"totem.secauth": "on"}, True), ({"totem.secauth": "on", "totem.crypto_cipher": "none"}, False)],
)  # fmt: skip
def test_corosync_encrypts_only_when_asked_to(keys: dict[str, str], encrypted: bool) -> None:
    assert is_encrypted(keys) is encrypted


def test_links_are_connected_as_knet_says() -> None:
    statistics = {
        "stats.knet.node3.link0.connected": "1",
        "stats.knet.node3.link1.connected": "0",
        "stats.knet.node9.link1.connected": "1",
        "stats.knet.node9.link1.latency_ave": "1",
    }
    assert connected_links(statistics) == {(0, 3), (1, 9)}


def test_the_effective_token_is_what_corosync_uses() -> None:
    assert token_s({"runtime.config.totem.token": "1650"}) == 1.65
    assert token_s({}) == 3.0
