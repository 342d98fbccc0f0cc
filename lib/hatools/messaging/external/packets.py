"""The head of the messages that the external style sends through Corosync. Pure.

``"HTX", version, tag[8], u64 received``, then the chunks of ``packing.py``. The tag names the configuration the
sender was in: Corosync orders messages and changes of the group against each other, but a message may be
delivered after a change that its sender had not seen when it sent it. ``received`` tells how many packets of
this configuration the sender has had, from which everybody learns what is safe.
"""

import hashlib
import struct
from collections.abc import Iterable

from hatools.messaging.external.events import Process
from hatools.messaging.views import RingId
from hatools.values.errors import RemoteError

_VERSION = 1
"""Of this head."""

_MAGIC = b"HTX"
_HEAD = struct.Struct("!3sB8sQ")
HEAD_SIZE = _HEAD.size


def tag_of(ring: RingId, members: Iterable[Process], occurrence: int) -> bytes:
    """Return the name of a configuration: another ring or another member makes another one.

    Args:
        occurrence: how often on this ring the group has consisted of these members; a process that comes for a
            moment only leaves the same ones behind, and what they said before is not meant for after.
    """
    text = f"{ring} {occurrence} {' '.join(map(str, sorted(members)))}"
    return hashlib.sha256(text.encode()).digest()[:8]


def seal(tag: bytes, received: int, payload: bytes) -> bytes:
    """Return a packet."""
    return _HEAD.pack(_MAGIC, _VERSION, tag, received) + payload


def unseal(packet: bytes) -> tuple[bytes, int, bytes]:
    """Return tag, received and payload of a packet.

    Raises:
        RemoteError: it is no packet of ours.
    """
    if len(packet) < _HEAD.size or packet[:3] != _MAGIC:
        raise RemoteError("a message in our group that is none of ours")
    _, version, tag, received = _HEAD.unpack_from(packet)
    if version != _VERSION:
        raise RemoteError(f"its packets have version {version}, ours {_VERSION}")
    return tag, received, packet[_HEAD.size :]
