"""Numbers of nodes that have only a name. Pure."""

from hashlib import sha256


def number_of_name(name: str) -> int:
    """Return the number of a node, from 1 to 2**31-1; made of its name, so that no list has to agree on it."""
    return int.from_bytes(sha256(name.lower().encode()).digest()[:4], "big") & 0x7FFFFFFF or 1
