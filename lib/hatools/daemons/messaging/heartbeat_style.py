"""The heartbeat style in the daemon: ha.cf, authkeys, media, stored identity. I/O."""

import asyncio
import contextlib
import logging
import os
import socket
import time
from pathlib import Path

from hatools.daemons.messaging.describe import describe_ring
from hatools.daemons.messaging.store import Numbers, NumberStore
from hatools.daemons.messaging.styles import Host, not_understood
from hatools.ipc.messages.messaging import (
    DescribeHeartbeat,
    HeartbeatNode,
    HeartbeatState,
    RingState,
    SetExpectedVotes,
    SetFault,
    SetVotes,
)
from hatools.ipc.messages.session import Done
from hatools.ipc.rights import Rights
from hatools.ipc.server import Client
from hatools.messaging.corosync.engine import RING_SEQUENCE
from hatools.messaging.corosync.totem.effects import SEQUENCE_RESERVE
from hatools.messaging.corosync.totem.links import Fault
from hatools.messaging.heartbeat.authkeys import KeyRing, check_mode, read_authkeys
from hatools.messaging.heartbeat.effects import NodeMet, PingWanted, StatusChanged
from hatools.messaging.heartbeat.engine import HeartbeatEngine, Life
from hatools.messaging.heartbeat.ha_cf import DEFAULT_PORT, UNICAST, Autojoin, HaConfiguration, local_name, read_ha_cf
from hatools.messaging.heartbeat.media import Media
from hatools.messaging.heartbeat.outgoing import LocalNode
from hatools.messaging.heartbeat.peers import Peer
from hatools.messaging.heartbeat.pinger import Pinger
from hatools.messaging.heartbeat.status import parameters
from hatools.messaging.heartbeat.store import HeartbeatStore
from hatools.messaging.views import NodeIdentity
from hatools.runtime.addresses import broadcast_address
from hatools.runtime.daemon import Context
from hatools.runtime.directories import Directories
from hatools.runtime.ha_logs import add_log_files, add_syslog
from hatools.values.boolean import is_true
from hatools.values.errors import ConfigError, NoSuchObjectError, UnavailableError
from hatools.values.nodenumber import number_of_name
from hatools.values.records import replace

_log = logging.getLogger(__name__)

_INTERFACE_INTERVAL_S = 0.25
_LARGEST_PACKET = 8192
"""Bytes: larger datagrams bring little and overrun receive buffers when several members send."""
ADDRESS_VARIABLE = "HATOOLS_NODE_ADDRESS"
"""Environment: the address that media bind to where several nodes share a machine (a lab)."""


class HeartbeatStyle:
    """Heartbeat's protocol and files, with our ring inside."""

    name = "heartbeat"

    def __init__(self, context: Context, configuration: HaConfiguration, keys: KeyRing, local: str) -> None:
        self._context = context
        self._configuration = configuration
        self._keys = keys
        self._local = local
        self._store = HeartbeatStore(state_folder(context.directories))
        self._numbers = NumberStore(context.directories.messaging, number_of_name(local))
        self._loop = asyncio.get_running_loop()
        self._saved: dict[str, bytes] = {}
        self._devices = tuple(dict.fromkeys(medium.device for medium in configuration.media))
        self._unicast = frozenset(medium.address for medium in configuration.media if medium.transport in UNICAST)
        self._media: Media
        self._pinger: Pinger
        self._host: Host
        self.engine: HeartbeatEngine

    @property
    def cluster_name(self) -> str:
        """Return the name of the cluster (``cluster``)."""
        return self._configuration.cluster_name

    @property
    def local(self) -> NodeIdentity:
        """Return this node; the number is made of its name."""
        return NodeIdentity(number_of_name(self._local), self._local)

    @property
    def nodes(self) -> tuple[NodeIdentity, ...]:
        """Return all nodes, those that joined by themselves included."""
        return self.engine.nodes

    @property
    def pause_limit_s(self) -> float | None:
        """Return deadtime."""
        return self._configuration.timing.deadtime

    @property
    def realtime(self) -> bool:
        """Return ``realtime``."""
        return self._configuration.realtime

    async def open(self, host: Host) -> bool:
        """Open the media and begin a new life of this node."""
        self._host = host
        self._media = Media(
            self._configuration.media,
            host.received,
            broadcast_of=broadcast_address,
            bind_address=os.environ.get(ADDRESS_VARIABLE, ""),
        )
        self._pinger = Pinger(self._configuration.ping_nodes, self._ping_answered)
        if not await self._open_media():
            return False
        self._pinger.open()
        clock = int(time.time())
        generation = clock if self._configuration.generation_from_clock else self._store.next_generation(clock)
        uuid = self._local.encode()[:16].ljust(16, b"\0")
        if not self._configuration.uuid_from_name:
            uuid = self._store.own_uuid(os.urandom(16))
        self._context.directories.messaging.mkdir(parents=True, exist_ok=True)
        self._numbers.load()
        first = self._numbers.numbers.ring_sequence
        self._keep_numbers(Numbers(generation, first + SEQUENCE_RESERVE))
        life = Life(
            local=LocalNode(self._local, uuid, generation),
            keys=self._keys,
            ring_sequence=first,
            reserved_sequence=first + SEQUENCE_RESERVE,
            mtu=min(self._media.mtu(), _LARGEST_PACKET),
            clock=_clock,
            load=_load,
            randomness=os.urandom,
            known=self._known_nodes(),
        )
        self.engine = HeartbeatEngine(self._with_nodes_met(life), life)
        return True

    def _known_nodes(self) -> dict[str, bytes]:
        self._saved = self._store.known_nodes()
        return {name: uuid for name, uuid in self._saved.items() if name != self._local}

    def _with_nodes_met(self, life: Life) -> HaConfiguration:
        """Return the configuration with the nodes that joined by themselves in earlier lives."""
        nodes = self._configuration.nodes
        if self._local not in nodes:
            nodes = (*nodes, self._local)
        if self._configuration.autojoin is not Autojoin.NONE:
            nodes = (*nodes, *sorted(set(life.known) - set(nodes)))
        return replace(self._configuration, nodes=nodes)

    async def _open_media(self) -> bool:
        """Open the media; at boot an interface may come up after us."""
        waiting = False
        while not self._context.stopping.is_set():
            try:
                self._media.open()
                return True
            except NoSuchObjectError as error:
                if not waiting:
                    _log.warning("%s: waiting for it", error)
                waiting = True
                await asyncio.sleep(_INTERFACE_INTERVAL_S)
        return False

    def send(self, targets: tuple[int, ...], data: bytes) -> None:
        """Send over all media; what is for one node goes only to its addresses where they are known."""
        only: set[str] = set()
        if len(targets) == 1:
            only = self._addresses_of(targets[0])
        self._media.send(data, only)

    def _addresses_of(self, node: int) -> set[str]:
        """Return at which addresses of unicast lines a node is; none unless every interface hears it from such a one.

        A node may send from another address than the one our line has (it has several, or a router is between).
        """
        peer = self.engine.heartbeat.peers.get(self.engine.name_of(node))
        if peer is None:
            return set()
        found = {record.address.rpartition(":")[0] for record in peer.links.values() if record.address}
        return found if len(found) == len(self._devices) and found <= self._unicast else set()

    def keep(self, name: str, value: int) -> None:
        """Store the ring's sequence."""
        assert name == RING_SEQUENCE
        self._keep_numbers(Numbers(self._numbers.numbers.epoch, value))

    def _keep_numbers(self, numbers: Numbers) -> None:
        try:
            self._numbers.keep(numbers)
        except OSError as error:
            folder = self._context.directories.messaging
            raise UnavailableError(f"nothing can be stored in {folder}: {error.strerror}") from None

    def carry_out(self, request: object) -> None:
        """Ask a ping node, or store what was learnt of nodes."""
        match request:
            case PingWanted(node):
                self._pinger.ask(node)
            case NodeMet() | StatusChanged():
                self._loop.call_soon(self._save_nodes)

    def _save_nodes(self) -> None:
        """Store whose uuids were learnt; the original reads them from there."""
        peers = self.engine.heartbeat.peers.values()
        known = {peer.name: peer.uuid for peer in peers if peer.uuid} | {self._local: self.engine.heartbeat.me.uuid}
        if known != self._saved:
            self._saved = known
            self._store.keep_nodes(known)

    def _ping_answered(self, node: str) -> None:
        self._host.perform(self.engine.ping_answered(self._loop.time(), node))

    def close(self) -> None:
        """Close media and ICMP sockets."""
        self._save_nodes()
        self._media.close()
        self._pinger.close()

    def describe(self, now: float) -> RingState:
        """Return the state of ring, links and quorum."""
        engine = self.engine
        addresses: list[tuple[int, int, str]] = []
        heard: set[tuple[int, int]] = set()
        for entry in engine.nodes:
            peer = engine.heartbeat.peers.get(entry.name, engine.heartbeat.own)
            for number, device in enumerate(self._devices):
                record = peer.links.get(device)
                address = record.address.rpartition(":")[0] if record is not None else ""
                addresses.append((number, entry.id, address or device))
                if record is not None and record.is_up:
                    heard.add((number, entry.id))
        state = describe_ring(engine.ring, addresses, frozenset(heard))
        state.settings["stats.heartbeat.rejected_datagrams"] = str(engine.rejections.total)
        return state

    def answer(self, client: Client, message: object) -> object:
        """Answer requests about nodes, votes and faults."""
        match message:
            case DescribeHeartbeat():
                return self._describe_nodes()
            case SetFault():
                client.require(Rights.FULL)
                return self._set_fault(message)
            case SetExpectedVotes(votes):
                client.require(Rights.FULL)
                effects = self.engine.ring.set_expected_votes(self._loop.time(), votes)
            case SetVotes(node, votes):
                client.require(Rights.FULL)
                self._require_node(node)
                effects = self.engine.ring.set_votes(self._loop.time(), node, votes)
            case _:
                raise not_understood(self, message)
        self._host.perform(self.engine.change_ring(self._loop.time(), effects))
        return Done()

    def _describe_nodes(self) -> HeartbeatState:
        core = self.engine.heartbeat

        def describe(peer: Peer) -> HeartbeatNode:
            names = (peer.name,) if peer.is_ping else self._devices
            links = {name: "up" if name in peer.links and peer.links[name].is_up else "dead" for name in names}
            return HeartbeatNode(peer.name, "ping" if peer.is_ping else "normal", peer.status.value, links)

        # The original lists its nodes the other way round than ha.cf does.
        order = [*(node.name for node in core.configuration.ping_nodes), *core.configuration.nodes]
        known = {core.own.name: core.own, **core.peers}
        names = [name for name in order if name in known]
        peers = [known[name] for name in [*names, *sorted(set(known) - set(names))]]
        peers.sort(key=lambda peer: peer.is_ping, reverse=True)
        return HeartbeatState(tuple(map(describe, reversed(peers))), parameters(self._configuration))

    def _require_node(self, node: int) -> str:
        name = self.engine.name_of(node)
        if not name:
            raise NoSuchObjectError(f"there is no node {node}")
        return name

    def _set_fault(self, fault: SetFault) -> Done:
        name = self._require_node(fault.node_id)
        wanted = Fault(fault.drop, max(fault.delay_ms, 0) / 1000, min(max(fault.loss_percent, 0), 100) / 100)
        peer = self.engine.heartbeat.peers.get(name)
        addresses = {record.address.rpartition(":")[0] for record in peer.links.values()} if peer else set()
        if not addresses - {""}:
            raise NoSuchObjectError(f"node {name} was not heard yet: its address is not known")
        changed = [self._media.set_fault(address, wanted) for address in sorted(addresses - {""})]
        if any(changed):
            _log.warning("fault on purpose towards node %s: %s", name, wanted)
        return Done()


def _clock() -> int:
    return int(time.time())


def _load() -> str:
    with contextlib.suppress(OSError):
        return Path("/proc/loadavg").read_text(encoding="ascii").strip()
    return "0.00 0.00 0.00 1/1 1"


def configuration_folder(directories: Directories) -> Path:
    """Return the folder of ha.cf: ``etc/ha.d``, or ``etc/heartbeat`` where only that exists."""
    other = directories.root / "etc/heartbeat"
    if not (directories.heartbeat / "ha.cf").exists() and (other / "ha.cf").exists():
        return other
    return directories.heartbeat


def state_folder(directories: Directories) -> Path:
    """Return the folder of generation and uuid."""
    return directories.root / "var/lib/heartbeat"


def _service_port() -> int:
    try:
        return socket.getservbyname("ha-cluster", "udp")
    except OSError:
        return DEFAULT_PORT


def _log_as_told(configuration: HaConfiguration, directories: Directories, node: str) -> None:
    """Log where ha.cf says; with ``use_logd`` the original does not look at the files, either."""
    if configuration.debug:
        logging.getLogger().setLevel(logging.DEBUG)
    if is_true(configuration.settings.get("use_logd")):
        return
    names = (configuration.logfile, configuration.debugfile)
    logfile, debugfile = (directories.root / name.lstrip("/") if name else None for name in names)
    add_log_files(node, logfile, debugfile)
    facility = configuration.logfacility
    if facility not in ("", "none") and directories.is_system:
        add_syslog(node, facility)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise UnavailableError(f"{path} cannot be read: {error.strerror}") from None


def configure(context: Context) -> HeartbeatStyle:
    """Read ha.cf and authkeys and find this node.

    Raises:
        HatoolsError: a file is missing or wrong, or does not list this node.
    """
    folder = configuration_folder(context.directories)
    path, key_path = folder / "ha.cf", folder / "authkeys"
    configuration = read_ha_cf(_read(path), str(path), default_port=_service_port())
    name = local_name(configuration, os.environ.get("HATOOLS_NODE_NAME") or os.uname().nodename, str(path))
    text = _read(key_path)
    try:
        check_mode(key_path.stat().st_mode, str(key_path))
    except OSError as error:
        raise ConfigError(f"{key_path}: {error.strerror}") from None
    keys = read_authkeys(text, str(key_path))
    _log_as_told(configuration, context.directories, name)
    for finding in configuration.warnings:
        _log.warning("%s: %s", path, finding)
    for warning in keys.warnings:
        _log.warning("%s", warning)
    return HeartbeatStyle(context, configuration, keys, name)
