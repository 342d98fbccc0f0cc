"""Who leads, and how this node gets in: its votes, and its answers to the DC's offers. Pure."""

from collections.abc import Callable

from hatools.daemons.crmd import status
from hatools.daemons.crmd.bulletin import read_throttle
from hatools.daemons.crmd.cluster import Cluster
from hatools.daemons.crmd.coordinator import Coordinator
from hatools.daemons.crmd.effects import BroadcastToPeers, EndProcess, SendToPeer
from hatools.daemons.crmd.election import AskAgain, CastVote, Elected, Election, ElectionEffect
from hatools.daemons.crmd.events import Instant
from hatools.daemons.crmd.fsa import Input, State
from hatools.daemons.crmd.history import FEATURE_SET
from hatools.daemons.crmd.peers import Peer
from hatools.ipc.messages.crmd import Elect, JoinAck, JoinConfirm, JoinOffer, Vote

EXIT_STAY_DOWN = 100


class Candidacy:
    """This node in the election.

    Args:
        cluster: what the controller's parts share.
        coordinator: the DC's duties, ours if we are it.
        state: tells the controller's state.

    Attributes:
        dc: the id of the node that leads, 0 while that is open.
    """

    def __init__(self, cluster: Cluster, coordinator: Coordinator, state: Callable[[], State]) -> None:
        self._cluster = cluster
        self._coordinator = coordinator
        self._state = state
        self._election = Election()
        self._offer: JoinOffer | None = None
        self._early_offer: tuple[int, JoinOffer] | None = None
        """An offer from one that is the DC if the votes, once we have them all, say so."""
        self.dc = 0

    @property
    def deadline(self) -> float | None:
        """Return when :meth:`expire` wants to be called."""
        return self._election.deadline

    def expire(self, at: Instant) -> None:
        """Ask again for votes that are missing."""
        self.proceed(at, self._election.expire(at.now))

    # --- what happens

    def view(self, at: Instant, ring: str) -> list[ElectionEffect]:
        """Take another ring; :meth:`proceed` with what is returned when all others know of it."""
        return self._election.view(at.now, ring)

    def group(self, at: Instant, members: frozenset[int], *, arrived: bool) -> list[ElectionEffect]:
        """Take the controllers that are there; :meth:`proceed` with what is returned when all others know of it."""
        if self.dc not in members:
            self.dc = 0
        effects = self._election.group(at.now, members, arrived)
        self._cluster.electing = self._election.is_open
        return effects

    def called(self, at: Instant, ring: str, cause: str) -> None:
        """Somebody calls for an election."""
        if ring == self._cluster.ring:
            self._cluster.log("info", f"Election: {cause}")
            self.proceed(at, self._election.start(at.now))

    def voted(self, at: Instant, peer: Peer, vote: Vote) -> None:
        """Take a vote; a controller that was restarted without leaving the group shows here."""
        restarted = peer.in_group and peer.incarnation not in ("", vote.incarnation)
        if not restarted or vote.round == self._cluster.ring:
            # Else it was cast before the ring changed, and comes again.
            self._learn(peer, vote)
            if restarted:
                self._restarted(at, peer)
        self.proceed(at, self._election.receive(at.now, peer.id, vote))

    def offered(self, sender: int, offer: JoinOffer) -> None:
        """A DC offers to take us in."""
        if sender == self._election.winner:
            self._offer = offer
            self.dc = sender
        elif self._election.is_open:
            self._early_offer = (sender, offer)

    def answer_offer(self) -> None:
        """Ask to join, once what we wrote so far is known everywhere: a new DC must see what runs here."""
        cluster = self._cluster
        if self._offer is None or cluster.writes or cluster.agreed_ring != cluster.ring:
            return
        offer, self._offer = self._offer, None
        cluster.emit(SendToPeer(self.dc, self._coordinator.membership.own_request(offer.join_id)))

    def acknowledged(self, sender: int, ack: JoinAck) -> None:
        """The DC has taken us in, or refuses us for good."""
        cluster = self._cluster
        if sender != self.dc:
            return
        if not ack.accepted:
            cluster.log("error", f"The cluster refuses this node: {ack.reason}")
            cluster.emit(EndProcess(EXIT_STAY_DOWN, f"refused by the DC: {ack.reason}"))
            return
        cluster.peers.learn(cluster.me.id, cluster.me.name).joined = True
        cluster.post(Input.ACCEPTED)
        cluster.emit(SendToPeer(sender, JoinConfirm(ack.join_id)))

    def withdraw(self) -> None:
        """Answer no offer any more: this node leaves."""
        self._offer = None

    # --- the votes

    def proceed(self, at: Instant, effects: list[ElectionEffect]) -> None:
        """Do what the election asks for."""
        cluster = self._cluster
        cluster.electing = self._election.is_open
        for effect in effects:
            match effect:
                case CastVote():
                    cluster.emit(BroadcastToPeers(self._own_vote(at)))
                    if self.dc == 0 and self._state() in (State.PENDING, State.NOT_DC):
                        cluster.post(Input.NO_DC)
                case Elected(winner):
                    self._elected(winner)
                case AskAgain(silent):
                    cluster.log("warning", f"No vote from {silent}: asking again")
                    cluster.emit(BroadcastToPeers(Elect(cluster.ring, "votes were missing")))

    def _own_vote(self, at: Instant) -> Vote:
        cluster, me = self._cluster, self._cluster.me
        return Vote(
            round=cluster.ring,
            name=me.name,
            is_dc=self._coordinator.active,
            quorate=cluster.quorate,
            feature_set=FEATURE_SET,
            style=me.style,
            uptime=int(at.now - cluster.started),
            job_limit=me.job_limit,
            incarnation=me.uuid,
            cores=me.cores,
            throttle=int(cluster.peers.learn(me.id, me.name).throttle),
            unclean=self._suspects(),
        )

    def _suspects(self) -> tuple[int, ...]:
        if not status.has_fencing(self._cluster.document):
            return ()
        return tuple(peer.id for peer in self._cluster.peers.all() if peer.unclean)

    def _learn(self, peer: Peer, vote: Vote) -> None:
        peer.name, peer.job_limit, peer.style = vote.name, vote.job_limit, vote.style
        peer.incarnation, peer.cores, peer.throttle = vote.incarnation, vote.cores, read_throttle(vote.throttle)

    def _restarted(self, at: Instant, peer: Peer) -> None:
        cluster = self._cluster
        cluster.log("NOTICE", f"The controller of {peer.name} was restarted")
        if peer.id == self.dc:
            self.dc = 0
        peer.joined = peer.leaving = False
        effects = self._election.start(at.now)
        cluster.electing = True
        # Who did not know the earlier incarnation has no reason of its own to vote again.
        cluster.emit(BroadcastToPeers(Elect(cluster.ring, f"{peer.name} has a new controller")))
        self._coordinator.controllers_changed(at, [peer], [peer])
        self.proceed(at, effects)

    def _elected(self, winner: int) -> None:
        cluster = self._cluster
        if winner != self.dc:
            self._offer = None  # while the DC is the same, it still waits for the answer
        early, self._early_offer = self._early_offer, None
        if winner == cluster.me.id:
            self.dc = winner
            cluster.post(Input.WON)
        elif winner != self.dc or self._coordinator.active or self._state() is not State.NOT_DC:
            self.dc = winner
            cluster.post(Input.LOST)
        if early is not None and early[0] == winner:
            self._offer = early[1]
