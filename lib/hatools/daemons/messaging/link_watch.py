"""Probing the links of the ring, if there are several, and what is counted on them. I/O.

Which link is up and which one is taken is decided in ``messaging/corosync/totem/paths.py``; here are the timer and
the datagrams.
"""

import asyncio
import logging

from hatools.messaging.corosync.engine import CorosyncEngine
from hatools.messaging.corosync.totem.links import Links
from hatools.messaging.corosync.totem.packets import Probe
from hatools.runtime.logs import notice

_log = logging.getLogger(__name__)


class LinkWatch:
    """Asks every node over every link from time to time whether the link works."""

    def __init__(self, links: Links, engine: CorosyncEngine) -> None:
        self._links = links
        self._engine = engine
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin, or begin anew after the links have changed; one link alone is not probed."""
        self.stop()
        if len(self._links.links) > 1:
            self._timer = asyncio.get_running_loop().call_later(self._links.paths.interval, self._probe)

    def stop(self) -> None:
        """Ask no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _probe(self) -> None:
        now = asyncio.get_running_loop().time()
        for link, node in self._links.paths.check(now):
            _log.warning("link %s to node %s is down", link, node)
        stamp = int(now * 1_000_000)
        for link, node in self._links.paths.states:
            self._links.send_over(link, node, self._engine.seal_probe(Probe(link, False, stamp)))
        self.start()

    def probed(self, node: int, probe: Probe) -> None:
        """Answer a node that asks, or take note of its answer."""
        now = asyncio.get_running_loop().time()
        if not probe.is_answer:
            answer = Probe(probe.link, True, probe.stamp)
            self._links.send_over(probe.link, node, self._engine.seal_probe(answer))
        elif self._links.paths.answered(now, probe.link, node, max(now - probe.stamp / 1_000_000, 0.0)):
            notice(_log, "link %s to node %s is up", probe.link, node)

    def keys(self, heard: frozenset[tuple[int, int]]) -> dict[str, str]:
        """Return what corosync-cmapctl shows of the links.

        Args:
            heard: the (link, node id) pairs that datagrams came from lately.
        """
        keys: dict[str, str] = {}
        for link in self._links.links:
            keys[f"stats.link.{link.number}.tx_packets"] = str(link.sent)
            keys[f"stats.link.{link.number}.tx_errors"] = str(link.failed_sends)
            keys[f"stats.link.{link.number}.rx_packets"] = str(link.received)
        for (number, node), state in self._links.paths.states.items():
            prefix = f"stats.knet.node{node}.link{number}"
            keys[f"{prefix}.enabled"] = "1"
            keys[f"{prefix}.connected"] = str(int((number, node) in heard))
            keys[f"{prefix}.latency_ave"] = str(round(state.latency * 1_000_000))
            keys[f"{prefix}.mtu"] = str(self._engine.identity.mtu)
            keys[f"{prefix}.down_count"] = str((state.changes + 1) // 2)
            keys[f"{prefix}.up_count"] = str(state.changes // 2)
        return keys
