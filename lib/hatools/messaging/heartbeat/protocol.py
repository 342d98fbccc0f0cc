"""Heartbeat's own protocol at one node: who is alive, and nothing lost that was numbered. Pure.

Datagrams and time go in, effects come out; the caller performs them in order and calls :meth:`Heartbeat.expire`
at ``deadline``. Every ``keepalive`` a numbered ``status`` message says that we are there; a node that is silent for
*its own* deadtime is dead. Our own life::

    init ──some ms──► up ──all nodes heard, or initdead──► (asks a live node for its node list) ──► active

Messages whose type begins with ``NS_`` have no number and are never repeated.
"""

from collections.abc import Callable, Mapping

from hatools.messaging.heartbeat.authkeys import KeyRing
from hatools.messaging.heartbeat.effects import (
    Deliver,
    Effect,
    LinkChanged,
    NodeMet,
    Noted,
    PingWanted,
    Settled,
    StatusChanged,
    Transmit,
    Warned,
)
from hatools.messaging.heartbeat.ha_cf import Autojoin, HaConfiguration
from hatools.messaging.heartbeat.incoming import Heard, Said
from hatools.messaging.heartbeat.messages import Field, Message, decode
from hatools.messaging.heartbeat.outgoing import LocalNode, Outgoing
from hatools.messaging.heartbeat.peers import Arrival, LinkRecord, Peer, Status
from hatools.values.errors import RemoteError

_UP_AFTER_S = 0.05
_EXTRA_DEADTIME_S = 2.0
"""What a starting node asks its peers to wait longer for it, and for how long it does so."""
_EXTRA_UNTIL_S = 4.5
_LIST_INTERVAL_S = 1.0
_GOODBYES = 3
_MISSING_INSTANCE = bytes(16)


class Heartbeat:
    """The protocol's state at one node.

    Args:
        known: uuids of nodes met before, by name.
        clock: returns the seconds of this machine's clock, which messages mention; nothing is decided by it.
        load: returns its load average as the kernel writes it, which messages mention, too.
        randomness: yields random bytes.
    """

    def __init__(
        self,
        me: LocalNode,
        configuration: HaConfiguration,
        keys: KeyRing,
        *,
        clock: Callable[[], int],
        load: Callable[[], str],
        randomness: Callable[[int], bytes],
        known: Mapping[str, bytes] | None = None,
    ) -> None:
        self.me = me
        self.configuration = configuration
        self.keys = keys
        self.status = Status.INIT
        self.is_settled = False
        self.peers: dict[str, Peer] = {}
        self.own = Peer(me.name, uuid=me.uuid, generation=me.generation)
        self._randomness = randomness
        self._known = dict(known or {})
        self._out = Outgoing(
            me,
            keys,
            sign_fields=configuration.sign_fields,
            pause=configuration.timing.max_rexmit_delay - 0.01,
            clock=clock,
            load=load,
        )
        self._started_at = 0.0
        self._status_at = 0.0
        self._up_at: float | None = None
        self._list_at: float | None = None
        self._asked: list[str] = []
        self._next: float | None = None
        self._effects: list[Effect] = []
        self._by_uuid: dict[bytes, str] = {}
        for name in configuration.nodes:
            if name != me.name:
                self._add_peer(name)
        for node in configuration.ping_nodes:
            self.peers[node.name] = Peer(node.name, is_ping=True)

    # -- the caller's side

    @property
    def deadline(self) -> float | None:
        """Return when :meth:`expire` wants to be called."""
        return self._next

    @property
    def messages_sent(self) -> int:
        """Return the number of the newest message of ours that has one."""
        return self._out.newest

    @property
    def node_names(self) -> list[str]:
        """Return all nodes of the cluster, ourselves included; no ping nodes."""
        return sorted([self.me.name, *(peer.name for peer in self.peers.values() if not peer.is_ping)])

    def start(self, now: float) -> list[Effect]:
        """Begin: tell everybody that we are there."""
        self._started_at = now
        self._send_status(now)
        self._up_at = now + _UP_AFTER_S
        self._status_at = now + self.configuration.timing.keepalive
        self._ask_ping_nodes()
        return self._take(now)

    def receive(self, now: float, datagram: bytes, link: str, address: str = "") -> list[Effect]:
        """Process a datagram that came in on a link, sent from an address.

        Raises:
            RemoteError: it is not genuine, or not of a node of this cluster; nothing was changed.
        """
        heard = Heard.of(decode(datagram, self.keys))
        if heard.source == self.me.name:
            self._hear_ourselves(now, heard, link)
            return []
        peer = self._sender(heard)
        if heard.generation < peer.generation:
            raise RemoteError(f"it belongs to an earlier life of {peer.name} (replayed)")
        if heard.kind.startswith("NS_"):
            self._unnumbered(now, peer, heard.kind, heard.message)
            self._hear_on_link(now, peer, link)
            return self._effects_of_carriage(now, heard.kind)
        is_new = self._numbered(now, peer, heard)
        self._hear_on_link(now, peer, link)
        if is_new:
            peer.links[link].address = address
        return self._take(now)

    def ping_answered(self, now: float, node: str) -> list[Effect]:
        """Note that a ping node is there."""
        peer = self.peers.get(node)
        if peer is None or not peer.is_ping:
            return []
        peer.heard_at = now
        self._hear_on_link(now, peer, node)
        if peer.status is not Status.PING:
            self._change(peer, Status.PING, "it answers")
        return self._take(now)

    def expire(self, now: float) -> list[Effect]:
        """Act on every deadline that has passed."""
        if self._next is not None and now - self._next > self.configuration.timing.keepalive / 2:
            self._forgive(now - self._next)
        if self._up_at is not None and self._up_at <= now:
            self._up_at = None
            self.status = Status.UP
            self._send_status(now)
        if self._status_at <= now:
            self._status_at = max(self._status_at + self.configuration.timing.keepalive, now)
            self._send_status(now)
            self._ask_ping_nodes()
        for peer in list(self.peers.values()):
            self._watch(now, peer)
        if self._list_at is not None and self._list_at <= now:
            self._ask_for_nodes(now)
        return self._take(now)

    def carry(self, now: float, kind: str, fields: tuple[Field, ...], dest: str = "") -> Transmit:
        """Return an unnumbered message of another protocol, signed as a whole."""
        to = (Field("dest", dest),) if dest else ()
        return Transmit(self._out.carriage((Field("t", kind), *to, *fields), self._ttl), dest)

    def leave(self, now: float) -> list[Effect]:
        """Say that we stop. The word is of our own making, Heartbeat believes it: nobody waits for deadtime."""
        self.status = Status.DEAD
        data = self._send_status(now)
        self._effects += [Transmit(data)] * (_GOODBYES - 1)
        effects = self._take(now)
        self._next = None
        return effects

    # -- what we send

    @property
    def _ttl(self) -> int:
        return 1 + len(self.peers) - len(self.configuration.ping_nodes) + self.configuration.hopfudge

    def _send(self, kind: str, fields: tuple[Field, ...] = (), dest: str = "") -> bytes:
        """Send a message of our own."""
        uuid = self.peers[dest].uuid if dest in self.peers else b""
        data = self._out.message(kind, fields, self._ttl, uuid)
        self._effects.append(Transmit(data))
        return data

    def _send_status(self, now: float) -> bytes:
        deadtime = self.configuration.timing.deadtime
        if now - self._started_at < _EXTRA_UNTIL_S:
            deadtime += _EXTRA_DEADTIME_S
        fields = (Field("st", self.status), Field("dt", f"{round(deadtime * 1000):x}"), Field("protocol", "1"))
        self.own.status, self.own.heard_at = self.status, now
        return self._send("status", fields)

    def _ask_ping_nodes(self) -> None:
        self._effects += [PingWanted(node.name) for node in self.configuration.ping_nodes]

    # -- who it was

    def _add_peer(self, name: str) -> Peer:
        peer = self.peers[name] = Peer(name, ack_digit=self._randomness(1)[0] % 10)
        peer.deadtime = self.configuration.timing.deadtime
        uuid = self._known.get(name, b"")
        if uuid:
            peer.uuid = uuid
            self._by_uuid[uuid] = name
        return peer

    def _hear_ourselves(self, now: float, heard: Heard, link: str) -> None:
        uuid = heard.message.data("srcuuid")
        is_unsent = heard.generation == self.me.generation and heard.number > self._out.newest
        if (uuid and uuid != self.me.uuid) or heard.generation > self.me.generation or is_unsent:
            raise RemoteError(f"another machine calls itself {self.me.name} as this one does")
        self.own.links[link] = LinkRecord(now)

    def _sender(self, heard: Heard) -> Peer:
        """Return who sent the message.

        Raises:
            RemoteError: a stranger, or a second machine with the name of a node.
        """
        source, uuid = heard.source, heard.message.data("srcuuid") or b""
        if uuid == self.me.uuid:
            raise RemoteError(f"{source} has the uuid of this node: its hb_uuid file is a copy, remove it there")
        peer = self.peers.get(source)
        if peer is None:
            if self.configuration.autojoin is Autojoin.NONE:
                raise RemoteError(f"node {source[:64]} is not in ha.cf")
            peer = self._add_peer(source)
            self._effects.append(NodeMet(source))
        if peer.is_ping:
            raise RemoteError(f"{source} is a ping node and sends no messages")
        owner = self._by_uuid.get(uuid, source)
        if uuid and owner != source:
            raise RemoteError(f"{source} has the uuid of {owner}: one of the two has a copied hb_uuid file")
        if uuid and peer.uuid != uuid:
            if peer.uuid and peer.is_alive and heard.generation <= peer.generation:
                raise RemoteError(f"a second machine calls itself {source}")
            self._by_uuid.pop(peer.uuid, None)
            self._by_uuid[uuid] = source
            peer.uuid = uuid
        return peer

    def _is_for_us(self, message: Message) -> bool:
        uuid = message.data("destuuid")
        if uuid and uuid != _MISSING_INSTANCE:
            return uuid == self.me.uuid
        dest = message.text("dest")
        return dest is None or dest.lower() == self.me.name

    # -- what it says

    def _unnumbered(self, now: float, peer: Peer, kind: str, message: Message) -> None:
        if not self._is_for_us(message):
            return
        match kind:
            case "NS_ackmsg":
                number = message.number("ackseq", 16) or 0
                if number > self._out.newest:
                    raise RemoteError(f"{peer.name} acknowledges message {number}, which was never sent")
                peer.acknowledged = max(peer.acknowledged, number)
            case "NS_rexmit":
                self._send_again(now, peer, message)
            case "NS_nak_rexmit":
                number = message.number("firstseq", 16) or 0
                if peer.sequence.give_up(number):
                    self._effects.append(Noted(f"message {number} of {peer.name} is lost for good"))
            case _:
                self._effects.append(Deliver(peer.name, message))

    def _effects_of_carriage(self, now: float, kind: str) -> list[Effect]:
        """Return the effects; deadlines change only with what is Heartbeat's own."""
        if kind in ("NS_ackmsg", "NS_rexmit", "NS_nak_rexmit"):
            return self._take(now)
        effects, self._effects = self._effects, []
        return effects

    def _numbered(self, now: float, peer: Peer, heard: Heard) -> bool:
        """Take a numbered message in; False if it is old, or too early to be understood."""
        number = heard.number
        said = Said.of(heard.message) if heard.kind == "status" else None
        if heard.generation > peer.generation:
            if said is None:
                return False  # only a status begins a new life
            if peer.generation >= 0:
                self._effects.append(Warned(f"Heartbeat restart on node {peer.name}"))
            peer.restart(heard.generation)
        if said is not None and peer.status is Status.DEAD and peer.heard_at is not None:
            if number <= peer.status_number:
                return False
            if not peer.announced_dead and said.status is not Status.DEAD:
                self._effects.append(Warned(f"Cluster node {peer.name} returning after partition."))
        delay = 0.05 + (self.configuration.timing.max_rexmit_delay - 0.05) * self._randomness(1)[0] / 255
        if peer.sequence.arrive(number, now + delay) is not Arrival.NEW:
            return False
        self._acknowledge(peer, number)
        if said is not None:
            self._believe_status(now, peer, said, number)
        elif self._is_for_us(heard.message):
            self._handle(now, peer, heard.kind, heard.message)
        return True

    def _acknowledge(self, peer: Peer, number: int) -> None:
        if not peer.sequence.missing and number == peer.sequence.last and number % 10 == peer.ack_digit:
            self._send("NS_ackmsg", (Field("dest", peer.name), Field("ackseq", f"{number:x}")), peer.name)

    def _believe_status(self, now: float, peer: Peer, said: Said, number: int) -> None:
        if number <= peer.status_number:
            return  # a late one: it says what was
        status = said.status
        if peer.heard_at is not None and peer.is_alive:
            interval = now - peer.heard_at
            if interval > self.configuration.timing.warntime:
                text = f"Late heartbeat: Node {peer.name}: interval {round(interval * 1000)} ms"
                self._effects.append(Warned(text))
        peer.status_number = number
        peer.heard_at = now
        peer.deadtime = said.deadtime or self.configuration.timing.deadtime
        peer.announced_dead = status is Status.DEAD
        if status is not peer.status:
            self._change(peer, status, "it says goodbye" if status is Status.DEAD else "it says so")

    def _handle(self, now: float, peer: Peer, kind: str, message: Message) -> None:
        match kind:
            case "reqnodes":
                names = "".join(f"{name} " for name in self.node_names) or " "
                fields = (Field("dest", peer.name), Field("nodelist", names), Field("delnodelist", " "))
                self._send("repnodes", fields, peer.name)
            case "repnodes":
                self._compare_nodes(peer, message)
                self._list_at = None
                self._become_active(now)
            case "query-cstatus":
                answer = (
                    Field("dest", peer.name),
                    Field("result", "1"),
                    Field("cn", (message.text("cn") or "")[:64]),
                    Field("cs", "offline"),
                    Field("to_id", (message.text("from_id") or "")[:64]),
                )
                self._send("respond-cstatus", answer, peer.name)
            case _:
                self._effects.append(Deliver(peer.name, message))

    def _send_again(self, now: float, peer: Peer, message: Message) -> None:
        first, last = message.number("firstseq") or 0, message.number("lastseq") or 0
        again = self._out.again(now, first, last, peer.acknowledged)
        self._effects += [Transmit(data) for data in again.datagrams]
        for number in again.gone:
            fields = (Field("firstseq", f"{number:x}"), Field("dest", peer.name), Field("info", "seqno too low"))
            self._send("NS_nak_rexmit", fields, peer.name)

    # -- the whole cluster

    def _ask_for_nodes(self, now: float) -> None:
        alive = [peer.name for peer in self.peers.values() if not peer.is_ping and peer.is_alive]
        ask = next((name for name in sorted(alive) if self._asked.count(name) < 2), None)
        if ask is None:
            self._list_at = None
            self._become_active(now)
            return
        self._asked.append(ask)
        self._send("reqnodes", (Field("dest", ask),), ask)
        self._list_at = now + _LIST_INTERVAL_S

    def _compare_nodes(self, peer: Peer, message: Message) -> None:
        theirs = {name.lower() for name in (message.text("nodelist") or "").split()}
        for name in sorted(theirs - set(self.node_names)):
            if self.configuration.autojoin is not Autojoin.NONE and name not in self.peers:
                self._add_peer(name)
                self._effects.append(NodeMet(name))
            else:
                self._effects.append(Warned(f"{peer.name} knows a node {name[:64]} that our ha.cf does not have"))
        absent = sorted(set(self.configuration.nodes) - theirs)
        if absent and theirs:
            self._effects.append(Warned(f"{peer.name} does not know {', '.join(absent)}: make the ha.cf files equal"))

    def _become_active(self, now: float) -> None:
        if self.status is Status.UP:
            self.status = Status.ACTIVE
            self._send_status(now)

    def _change(self, peer: Peer, status: Status, cause: str) -> None:
        old, peer.status = peer.status, status
        if status is Status.DEAD:
            peer.sequence.missing.clear()  # there is nobody to ask
        self._effects.append(StatusChanged(peer.name, old, status, cause))

    def _hear_on_link(self, now: float, peer: Peer, link: str) -> None:
        record = peer.links.get(link)
        if record is None:
            peer.links[link] = LinkRecord(now)
            self._effects.append(LinkChanged(peer.name, link, True))
            return
        record.heard_at = now
        if not record.is_up:
            record.is_up = True
            self._effects.append(LinkChanged(peer.name, link, True))

    # -- time

    def _dead_at(self, peer: Peer) -> float | None:
        if peer.status is Status.DEAD:
            return None
        timing = self.configuration.timing
        if peer.heard_at is None:
            return self._started_at + timing.initdead
        if peer.is_ping:
            return peer.heard_at + timing.deadping
        return peer.heard_at + (peer.deadtime if self.is_settled else max(peer.deadtime, timing.initdead))

    def _watch(self, now: float, peer: Peer) -> None:
        dead_at = self._dead_at(peer)
        if dead_at is not None and dead_at <= now:
            silence = "it was never heard" if peer.heard_at is None else f"silent for {now - peer.heard_at:.3f} s"
            self._change(peer, Status.DEAD, silence)
        for name, link in peer.links.items():
            if link.is_up and link.heard_at + self._link_deadtime(peer) <= now:
                link.is_up = False
                self._effects.append(LinkChanged(peer.name, name, False))
        if peer.sequence.missing and peer.status is not Status.DEAD:
            for number in peer.sequence.take_due(now):
                fields = (Field("dest", peer.name), Field("firstseq", str(number)), Field("lastseq", str(number)))
                self._send("NS_rexmit", fields, peer.name)

    def _link_deadtime(self, peer: Peer) -> float:
        return self.configuration.timing.deadping if peer.is_ping else peer.deadtime

    def _forgive(self, pause: float) -> None:
        """We were not scheduled: that is nobody's silence, and what they said may still wait in our sockets."""
        for peer in self.peers.values():
            if peer.heard_at is not None:
                peer.heard_at += pause
            for link in peer.links.values():
                link.heard_at += pause

    def _check_settled(self, now: float) -> None:
        if self.is_settled or self.status is not Status.UP:
            return
        waiting = [peer for peer in self.peers.values() if peer.heard_at is None and peer.status is not Status.DEAD]
        if not waiting:
            self.is_settled = True
            self._effects.append(Settled())
            self._list_at = now

    def _take(self, now: float) -> list[Effect]:
        self._check_settled(now)
        times = [self._status_at]
        times += [time for time in (self._up_at, self._list_at) if time is not None]
        for peer in self.peers.values():
            dead_at = self._dead_at(peer)
            if dead_at is not None:
                times.append(dead_at)
            if peer.sequence.missing and peer.status is not Status.DEAD:
                times.append(min(peer.sequence.missing.values()))
            times += [link.heard_at + self._link_deadtime(peer) for link in peer.links.values() if link.is_up]
        self._next = min(times)
        effects, self._effects = self._effects, []
        return effects
