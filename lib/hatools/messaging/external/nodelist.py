"""Nodes, links and encryption as the keys of a running Corosync tell them. Pure."""

import re
from collections.abc import Mapping

from hatools.messaging.views import NodeIdentity
from hatools.values.records import dataclass

_NODE_KEY = re.compile(r"nodelist\.node\.(\d+)\.(nodeid|name|ring(\d+)_addr)")
_CONNECTED_KEY = re.compile(r"stats\.knet\.node(\d+)\.link(\d+)\.connected")
_DEFAULT_TOKEN_S = 3.0


@dataclass(frozen=True, slots=True)
class ListedNode:
    """An entry of the node list; ``name`` is empty where the file gives none that is a name."""

    id: int
    name: str
    addresses: Mapping[int, str]

    @property
    def identity(self) -> NodeIdentity:
        """Return the node under its name, or under its address as Corosync's own tools call it."""
        return NodeIdentity(self.id, self.name or self.addresses.get(0, str(self.id)))


def listed_nodes(settings: Mapping[str, str]) -> tuple[ListedNode, ...]:
    """Return the node list, by id."""
    entries: dict[str, dict[str, str]] = {}
    for key, value in settings.items():
        if match := _NODE_KEY.fullmatch(key):
            entries.setdefault(match[1], {})[match[2]] = value
    nodes = []
    for entry in entries.values():
        if entry.get("nodeid", "").isdigit():
            addresses = {int(key[4:-5]): value for key, value in sorted(entry.items()) if key.startswith("ring")}
            name = entry.get("name") or (addresses.get(0, "") if _is_name(addresses.get(0, "")) else "")
            nodes.append(ListedNode(int(entry["nodeid"]), name, addresses))
    return tuple(sorted(nodes, key=lambda node: node.id))


def _is_name(address: str) -> bool:
    return bool(address) and ":" not in address and not re.fullmatch(r"[0-9.]+", address)


def is_encrypted(settings: Mapping[str, str]) -> bool:
    """Say whether Corosync encrypts; unlike ours, it does so only when asked to."""
    cipher = settings.get("totem.crypto_cipher", "")
    if cipher:
        return cipher != "none"
    return settings.get("totem.secauth", "off") in ("on", "yes")


def connected_links(statistics: Mapping[str, str]) -> frozenset[tuple[int, int]]:
    """Return the (link, node) pairs that knet holds for connected."""
    found = set()
    for key, value in statistics.items():
        if (match := _CONNECTED_KEY.fullmatch(key)) and value == "1":
            found.add((int(match[2]), int(match[1])))
    return frozenset(found)


def token_s(settings: Mapping[str, str]) -> float:
    """Return the effective token timeout in seconds."""
    value = settings.get("runtime.config.totem.token", "")
    return int(value) / 1000 if value.isdigit() and int(value) else _DEFAULT_TOKEN_S
