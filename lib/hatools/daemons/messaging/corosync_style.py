"""The corosync style in the daemon: corosync.conf, authkey, UDP links, stored numbers. I/O."""

import asyncio
import grp
import logging
import os
import pwd
import time
from collections.abc import Callable, Mapping

from hatools.daemons.messaging.describe import describe_ring, map_of
from hatools.daemons.messaging.link_watch import LinkWatch
from hatools.daemons.messaging.log_targets import LogTargets
from hatools.daemons.messaging.store import Numbers, NumberStore
from hatools.daemons.messaging.styles import Host, not_understood
from hatools.ipc.messages.messaging import (
    CancelWaitForAll,
    ClearStatistics,
    DeleteMapKey,
    KillNode,
    MapEntries,
    MapEntry,
    ReadMap,
    ReloadConfiguration,
    ReopenLogs,
    RingState,
    SetExpectedVotes,
    SetFault,
    SetMapKey,
    SetVotes,
    UnregisterDevice,
)
from hatools.ipc.messages.session import Done
from hatools.ipc.rights import AccessPolicy, Rights
from hatools.ipc.server import Client
from hatools.messaging.corosync.authkey import configured_key
from hatools.messaging.corosync.cmap import CANCEL_WAIT_FOR_ALL, Entry, UserKeys, type_of
from hatools.messaging.corosync.conf import (
    Configuration,
    NodeEntry,
    SocketAccess,
    fixed_differences,
    read_configuration,
)
from hatools.messaging.corosync.engine import (
    EXPECTED_VOTES,
    RING_SEQUENCE,
    AskArbiter,
    CorosyncEngine,
    Identity,
    LinkProbed,
    ReadConfiguration,
    TellArbiter,
)
from hatools.messaging.corosync.ourselves import local_node
from hatools.messaging.corosync.totem.effects import SEQUENCE_RESERVE
from hatools.messaging.corosync.totem.links import Endpoint, Fault, Layout, Links, resolve
from hatools.messaging.corosync.totem.paths import LinkMode
from hatools.messaging.qdevice.connection import DeviceConnection
from hatools.messaging.qdevice.device import Device, DeviceEffect
from hatools.messaging.qdevice.secure import device_context
from hatools.messaging.views import NodeIdentity, RingId
from hatools.runtime.addresses import is_local_address
from hatools.runtime.daemon import Context
from hatools.runtime.logs import notice, reopen_logging
from hatools.values.errors import ConfigError, HatoolsError, NoSuchObjectError, RemoteError, UnavailableError
from hatools.values.records import replace

_log = logging.getLogger(__name__)

_ADDRESS_INTERVAL_S = 0.25
_LARGEST_PACKET = 8192
"""Bytes: larger datagrams bring little and overrun receive buffers when several members send."""


class CorosyncStyle:
    """Our own ring, configured as Corosync is."""

    name = "corosync"

    def __init__(self, context: Context, configuration: Configuration, node: NodeEntry) -> None:
        self._context = context
        self._configuration = configuration
        self._node = node
        self._store = NumberStore(context.directories.messaging, node.id)
        self._links: Links
        self._host: Host
        self._watch: LinkWatch
        self._user_keys = UserKeys()
        self._log_targets = LogTargets(context.directories.root, with_syslog=context.directories.is_system)
        self._device: DeviceConnection | None = None
        self._asked_ring: tuple[RingId, tuple[int, ...]] | None = None
        """The ring that the arbiter was asked about last."""
        self._reloads: list[asyncio.Future[Done]] = []
        """Who waits here for the file to be taken over."""
        self.engine: CorosyncEngine

    @property
    def cluster_name(self) -> str:
        """Return ``totem.cluster_name``."""
        return self._configuration.cluster_name

    @property
    def local(self) -> NodeIdentity:
        """Return our entry of the node list."""
        return NodeIdentity(self._node.id, self._node.name)

    @property
    def nodes(self) -> tuple[NodeIdentity, ...]:
        """Return the node list."""
        return tuple(NodeIdentity(node.id, node.name) for node in self._configuration.nodes)

    @property
    def pause_limit_s(self) -> float | None:
        """Return the token timeout: after it the peers form a ring without us."""
        return self._configuration.timing.token

    @property
    def realtime(self) -> bool:
        """Return ``system.sched_rr``."""
        return self._configuration.sched_rr

    async def open(self, host: Host) -> bool:
        """Bind the links and begin a new life of this node."""
        self._host = host
        self._complain(self._log_targets.apply(self._configuration))
        if self._configuration.plain_on_purpose:
            _log.warning("messages between nodes are neither encrypted nor authenticated (crypto_cipher, crypto_hash)")
        secrets: tuple[bytes, ...] = ()
        if self._configuration.protection.needs_key:
            secrets = (configured_key(self._configuration, self._context.directories.root),)
        self._links = Links(self._layout(self._configuration), host.received, self._unlisted)
        if not await self._open_links():
            return False
        old, numbers = self._begin_life()
        identity = Identity(
            node_id=self._node.id,
            epoch=numbers.epoch,
            ring_sequence=old.ring_sequence,
            reserved_sequence=numbers.ring_sequence,
            mtu=min(self._links.mtu(), _LARGEST_PACKET),
            secrets=secrets,
            randomness=os.urandom,
            highest_expected=numbers.expected_votes,
        )
        self.engine = CorosyncEngine(self._configuration, identity)
        self._watch = LinkWatch(self._links, self.engine)
        self._watch.start()
        self._connect_device()
        return True

    def _layout(self, configuration: Configuration) -> Layout:
        endpoints: dict[int, dict[int, Endpoint]] = {}
        for node in configuration.nodes:
            for link, name in node.addresses.items():
                port = configuration.ports[link]
                address = resolve(name, port, configuration.ip_version)
                endpoints.setdefault(link, {})[node.id] = Endpoint(node.id, address, port)
        mode = LinkMode(configuration.link_mode)
        return Layout(self._node.id, endpoints, configuration.links, mode, configuration.block_unlisted)

    async def _open_links(self) -> bool:
        """Bind our addresses; at boot an interface may come up after us."""
        waiting = False
        while not self._context.stopping.is_set():
            try:
                self._links.open()
                return True
            except NoSuchObjectError as error:
                if not waiting:
                    _log.warning("%s: waiting for it", error)
                waiting = True
                self._context.waiting()
                await asyncio.sleep(_ADDRESS_INTERVAL_S)
        return False

    def _begin_life(self) -> tuple[Numbers, Numbers]:
        """Return the numbers of our earlier life and of this one, which are on disk."""
        folder = self._context.directories.messaging
        folder.mkdir(parents=True, exist_ok=True)
        self._store.load()
        old = self._store.numbers
        numbers = Numbers(
            max(old.epoch + 1, int(time.time())), old.ring_sequence + SEQUENCE_RESERVE, old.expected_votes
        )
        try:
            self._store.keep(numbers)
        except OSError as error:
            raise UnavailableError(f"nothing can be stored in {folder}: {error.strerror}") from None
        return old, numbers

    def send(self, targets: tuple[int, ...], data: bytes) -> None:
        """Send over every link."""
        self._links.send(targets, data)

    def keep(self, name: str, value: int) -> None:
        """Store the ring's sequence, or the most expected votes."""
        field = {RING_SEQUENCE: "ring_sequence", EXPECTED_VOTES: "expected_votes"}[name]
        self._store.keep(replace(self._store.numbers, **{field: value}))

    def close(self) -> None:
        """Close the links."""
        self._watch.stop()
        if self._device is not None:
            self._device.close()
        self._links.close()

    def carry_out(self, request: object) -> None:
        """Do what the engine asks for beyond datagrams and numbers."""
        match request:
            case ReadConfiguration():
                self._read_again()
            case LinkProbed(node, probe):
                self._watch.probed(node, probe)
            case AskArbiter(ring_id, members):
                self._asked_ring = (ring_id, members)
                self._with_device(lambda device: device.ring_formed(ring_id, members))
            case TellArbiter(quorate, members):
                self._with_device(lambda device: device.view_installed(quorate, members))
            case _:
                raise RemoteError(f"the corosync style does not know {type(request).__name__}")

    # -- links

    def _unlisted(self, source: str, cause: str) -> None:
        self._host.perform(self.engine.reject(source, cause))

    def describe(self, now: float) -> RingState:
        """Return the state of ring, links and quorum."""
        heard = self._links.heard(now - self._configuration.timing.token)
        by_hand = {key: entry.value for key, entry in self._user_keys.entries.items()}
        keys = map_of(self.engine) | self._watch.keys(heard) | by_hand
        return describe_ring(self.engine, self._links.addresses(), heard, keys)

    def answer(self, client: Client, message: object) -> object:
        """Answer requests about votes, faults, keys and the configuration."""
        now = asyncio.get_running_loop().time()
        if isinstance(message, ReadMap):
            return self._read_map(now, message.map)
        client.require(Rights.FULL)
        match message:
            case SetFault():
                return self._set_fault(message)
            case SetExpectedVotes(votes):
                self._host.perform(self.engine.set_expected_votes(now, votes))
            case SetVotes(node_id, votes):
                self._require_node(node_id)
                self._host.perform(self.engine.set_votes(now, node_id, votes))
            case CancelWaitForAll():
                self._host.perform(self.engine.cancel_wait_for_all(now))
            case KillNode(node_id, reason):
                self._require_node(node_id)
                self._host.perform(self.engine.kill(now, node_id, reason))
            case UnregisterDevice():
                self._host.perform(self.engine.unregister_device(now))
            case ReopenLogs():
                reopen_logging()
                self._complain(self._log_targets.reopen())
            case ClearStatistics(which):
                self._clear_statistics(which)
            case SetMapKey(MapEntry(key, kind, value)):
                self._set_key(now, key, Entry(kind, value))
            case DeleteMapKey(key):
                if self._user_keys.delete(key, key in self.describe(now).settings):
                    self._amend(now)
            case ReloadConfiguration():
                self._wanted()  # so that a mistake is told to who asks, before anybody reads it
                taken_over: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
                self._reloads.append(taken_over)
                self._host.perform(self.engine.reload(now))
                return taken_over
            case _:
                raise not_understood(self, message)
        return Done()

    # -- the map

    def _read_map(self, now: float, name: str) -> MapEntries:
        typed = self._user_keys.entries
        entries = []
        for key, value in sorted(self.describe(now).settings.items()):
            if key.startswith("stats.") == (name == "stats"):
                entries.append(MapEntry(key, typed[key].type if key in typed else type_of(key, value), value))
        return MapEntries(tuple(entries))

    def _set_key(self, now: float, key: str, entry: Entry) -> None:
        if key == CANCEL_WAIT_FOR_ALL:
            if entry.value != "0":
                self._host.perform(self.engine.cancel_wait_for_all(now))
            return
        before = dict(self._user_keys.entries)
        if not self._user_keys.set(key, entry):
            return
        try:
            self._amend(now)
        except HatoolsError:
            self._user_keys.entries = before
            raise

    def _amend(self, now: float) -> None:
        """Run with the keys that were set by hand, at this node only."""
        configuration, layout = self._wanted()
        self._adopt(configuration, layout)
        self._host.perform(self.engine.reconfigure(now, configuration))

    def _clear_statistics(self, which: str) -> None:
        if which in ("totem", "all"):
            self.engine.totem.counters.clear()
        if which in ("knet", "all"):
            for link in self._links.links:
                link.sent = link.received = link.failed_sends = 0

    def _complain(self, problem: str) -> None:
        if problem:
            _log.warning("%s", problem)

    def _require_node(self, node_id: int) -> None:
        if all(node.id != node_id for node in self._configuration.nodes):
            raise NoSuchObjectError(f"there is no node {node_id}")

    def _set_fault(self, fault: SetFault) -> Done:
        self._require_node(fault.node_id)
        wanted = Fault(fault.drop, max(fault.delay_ms, 0) / 1000, min(max(fault.loss_percent, 0), 100) / 100)
        if self._links.set_fault(fault.node_id, wanted):
            _log.warning("fault on purpose towards node %s: %s", fault.node_id, wanted)
        return Done()

    # -- the quorum device

    def _connect_device(self) -> None:
        """Connect to the arbiter that the configuration names, to another one, or to none."""
        options, old = self._configuration.quorum.device, self._device
        nodes = frozenset(node.id for node in self._configuration.nodes)
        if old is not None and old.device.options == options:
            old.perform(old.device.set_configuration(nodes, self._configuration.config_version))
            return
        if old is not None:
            old.close()
            self._device = None
        if options is None:
            return
        root = self._context.directories.root
        device = Device(options, self.cluster_name, self._node.id, nodes, self._configuration.config_version)
        self._device = DeviceConnection(device, lambda: device_context(options, root), self._device_voted)
        if self._asked_ring is not None:
            self._device.perform(device.ring_formed(*self._asked_ring))

    def _with_device(self, action: Callable[[Device], list[DeviceEffect]]) -> None:
        if self._device is not None:
            self._device.perform(action(self._device.device))

    def _device_voted(self, ring_id: RingId, casts_vote: bool) -> None:
        now = asyncio.get_running_loop().time()
        self._host.perform(self.engine.device_answered(now, ring_id, casts_vote))

    # -- the configuration, again

    def _wanted(self) -> tuple[Configuration, Layout]:
        """Return what the file says now.

        Raises:
            HatoolsError: it cannot be taken over while we run.
        """
        configuration = self._read_file()
        path = self._context.directories.corosync_conf
        if all(node.id != self._node.id for node in configuration.nodes):
            raise ConfigError(f"{path}: this node ({self._node.name}, id {self._node.id}) is not in the nodelist")
        complaints = fixed_differences(self._configuration, configuration, self._node.id)
        if complaints:
            raise ConfigError("\n".join(f"{path}: {complaint}" for complaint in complaints))
        return configuration, self._layout(configuration)

    def _read_file(self) -> Configuration:
        return _read_configuration_file(self._context, self._user_keys.overrides)

    def _adopt(self, configuration: Configuration, layout: Layout) -> None:
        """Run with another configuration, as far as it is not the engine's matter."""
        self._links.reconfigure(layout)
        self._configuration = configuration
        self._watch.start()
        self._connect_device()
        self._complain(self._log_targets.apply(configuration))

    def _read_again(self) -> None:
        """Take over the file, or say why not; whoever asked here is answered."""
        path = self._context.directories.corosync_conf
        problem: HatoolsError | None = None
        try:
            configuration = self._read_file()
            if any(node.id == self._node.id for node in configuration.nodes):
                configuration, layout = self._wanted()
                self._adopt(configuration, layout)
            self._host.perform(self.engine.reconfigure(asyncio.get_running_loop().time(), configuration))
        except HatoolsError as error:
            _log.error("the configuration was not taken over: %s", error)
            problem = error
        else:
            for finding in configuration.warnings:
                _log.warning("%s: %s", path, finding)
            notice(_log, "took over the changed %s (config_version %s)", path, configuration.config_version)
        waiting, self._reloads = self._reloads, []
        for asked in waiting:
            if asked.done():
                continue
            if problem is None:
                asked.set_result(Done())
            else:
                asked.set_exception(problem)


def configure(context: Context) -> CorosyncStyle:
    """Read corosync.conf and find this node in it.

    Raises:
        HatoolsError: the file is missing or wrong, or does not list this node.
    """
    configuration = _read_configuration_file(context)
    path = context.directories.corosync_conf
    for finding in configuration.warnings:
        _log.warning("%s: %s", path, finding)
    node = local_node(
        configuration,
        given_name=os.environ.get("HATOOLS_NODE_NAME", ""),
        host_name=os.uname().nodename,
        is_local=is_local_address,
        path=str(path),
    )
    context.policy = _with_others(context.policy, configuration.access)
    return CorosyncStyle(context, configuration, node)


def _with_others(policy: AccessPolicy, access: SocketAccess) -> AccessPolicy:
    """Return a policy that lets in the users and groups of the uidgid sections.

    Raises:
        ConfigError: one of them does not exist.
    """
    try:
        users = frozenset(int(name) if name.isdecimal() else pwd.getpwnam(name).pw_uid for name in access.users)
        groups = frozenset(int(name) if name.isdecimal() else grp.getgrnam(name).gr_gid for name in access.groups)
    except KeyError as error:
        raise ConfigError(f"uidgid: {error.args[0]}") from None
    return replace(policy, other_users=users, other_groups=groups)


def _read_configuration_file(context: Context, overrides: Mapping[str, str] | None = None) -> Configuration:
    path = context.directories.corosync_conf
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UnavailableError(f"{path} cannot be read: {error.strerror}") from None
    return read_configuration(text, str(path), overrides)
