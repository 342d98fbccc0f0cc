"""The map of keys that corosync-cmapctl shows: types, and which keys may be changed while we run. Pure."""

from hatools.messaging.corosync.conf_keys import KEYS, MAX_LINKS
from hatools.values.errors import NoSuchObjectError, PermissionRefusedError
from hatools.values.records import dataclass

INTEGERS = {f"{sign}{bits}": (sign, bits) for sign in "iu" for bits in (8, 16, 32, 64)}
"""The types of whole numbers, with sign and size."""
TYPES = (*INTEGERS, "flt", "dbl", "str", "bin")

CANCEL_WAIT_FOR_ALL = "quorum.cancel_wait_for_all"

_TYPES_BY_LAST = {
    "allow_downscale": "u8",
    "auto_tie_breaker": "u8",
    "cancel_wait_for_all": "u8",
    "config_version": "u64",
    "connected": "u8",
    "down_count": "u32",
    "enabled": "u8",
    "expected_votes_tracking": "u8",
    "last_man_standing": "u8",
    "latency_ave": "u32",
    "linknumber": "u8",
    "mcastport": "u16",
    "mtu": "u32",
    "reload_in_progress": "u8",
    "reload_status": "i32",
    "service_id": "u16",
    "ttl": "u8",
    "two_node": "u8",
    "up_count": "u32",
    "wait_for_all": "u8",
    "wait_for_all_status": "u8",
}
"""Types of numbers by the last part of the key; others are u32, counters below ``stats.`` u64."""
_TEXTS = ("cluster_name", "name", "key", "ip", "status", *(f"ring{number}_addr" for number in range(MAX_LINKS)))

_CHANGEABLE = frozenset(
    {f"totem.{key}" for key in KEYS["totem"]}
    - {f"totem.{key}" for key in ("version", "cluster_name", "transport", "keyfile", "key", "netmtu", "secauth")}
    - {f"totem.{key}" for key in ("crypto_cipher", "crypto_hash", "crypto_model", "ip_version", "config_version")}
) | {"quorum.expected_votes", "quorum.two_node", *(f"logging.{key}" for key in KEYS["logging"])}
"""Keys of corosync.conf that may be set for this node's life."""
_RESERVED = ("totem.", "nodelist.", "quorum.", "runtime.", "stats.", "logging.", "system.", "uidgid.", "config.")


@dataclass(frozen=True, slots=True)
class Entry:
    """A value with its type; binary values are hexadecimal."""

    type: str
    value: str


def type_of(key: str, value: str) -> str:
    """Return the type that Corosync stores a key of its own in."""
    last = key.rpartition(".")[2]
    if key.startswith(("uidgid.", "runtime.votequorum.two_node")):
        return "u8"
    if last in _TEXTS or not value.removeprefix("-").isdecimal():
        return "str"
    return _TYPES_BY_LAST.get(last, "u64" if key.startswith(("stats.", "runtime.services.")) else "u32")


class UserKeys:
    """Keys that were set by hand: free ones, and the configuration's that may be changed while we run."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}

    @property
    def overrides(self) -> dict[str, str]:
        """Return the keys that replace those of the configuration."""
        return {key: entry.value for key, entry in self.entries.items() if key in _CHANGEABLE}

    def set(self, key: str, entry: Entry) -> bool:
        """Set a key; True if the configuration changes by it.

        Raises:
            PermissionRefusedError: it may not be changed.
        """
        if key not in _CHANGEABLE and key.startswith(_RESERVED):
            raise PermissionRefusedError(f"{key} cannot be changed while the cluster runs")
        self.entries[key] = entry
        return key in _CHANGEABLE

    def delete(self, key: str, known: bool) -> bool:
        """Delete a key that was set by hand; True if the configuration changes by it.

        Args:
            known: whether there is such a key at all.

        Raises:
            NoSuchObjectError: it is not there.
            PermissionRefusedError: it is not ours to delete.
        """
        if key in self.entries:
            del self.entries[key]
            return key in _CHANGEABLE
        if known:
            raise PermissionRefusedError(f"{key} cannot be deleted")
        raise NoSuchObjectError(f"there is no key {key}")
