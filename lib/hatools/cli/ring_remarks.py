"""What an operator must know of the messages between nodes; messaging alone knows it. I/O."""

from hatools.ipc.clients.messaging import BlockingMessaging
from hatools.ipc.messages.messaging import RingState
from hatools.values.errors import HatoolsError

__all__ = ["ring_remarks", "words_on"]


def ring_remarks() -> tuple[str, ...]:
    """Return what is wrong with the ring of this node; nothing if messaging does not answer."""
    try:
        messaging = BlockingMessaging(name="crm_mon")
    except HatoolsError:
        return ()
    try:
        return words_on(messaging.describe())
    except HatoolsError:
        return ()
    finally:
        messaging.close()


def words_on(ring: RingState) -> tuple[str, ...]:
    """Return what an operator must know about a ring."""
    if ring.encrypted:
        return ()
    if ring.style == "heartbeat":
        return ("messages between nodes are not encrypted and not authenticated: the key in authkeys is crc",)
    where = "the real corosync's corosync.conf" if ring.style == "external" else "corosync.conf"
    return (f"messages between nodes are not encrypted (crypto_cipher in the section totem of {where})",)
