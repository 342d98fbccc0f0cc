"""The DC's book of nodes: takes members in, writes how each node stands, keeps the CIB true to who is here. Pure."""

from collections.abc import Callable

from hatools.daemons.crmd import status
from hatools.daemons.crmd.cluster import Cluster
from hatools.daemons.crmd.cutoff import cut_off_wait_s
from hatools.daemons.crmd.effects import SendToPeer, SetAttributes
from hatools.daemons.crmd.events import Instant
from hatools.daemons.crmd.fsa import Input, State
from hatools.daemons.crmd.history import FEATURE_SET
from hatools.daemons.crmd.holds import Holds
from hatools.daemons.crmd.join import NEWCOMER_PATIENCE_S, URGENT_PATIENCE_S, Joins, Phase, refusal_reason
from hatools.daemons.crmd.peers import Peer
from hatools.ipc.messages.attrd import RemovePeer, UpdateAttribute
from hatools.ipc.messages.cib import Change
from hatools.ipc.messages.crmd import JoinAck, JoinConfirm, JoinOffer, JoinRequest

CONTROLLER_GRACE_S = 10.0
"""Seconds a node whose controller died, but not the node, has for the controller to be back before it is fenced."""

DEFAULT_DEADTIME_S = 20.0
REPLICAS = "the CIB's replicas"
_UNSEEN = "configured nodes that nobody has seen yet"
_REFUSED = "the CIB to take the members that join"
FINALIZE_RETRY_S = 2.0

Want = Callable[[Instant, str], None]
"""Asks for a calculation, with the reason."""


class Membership:
    """The nodes as the DC leads them. ``standings`` are how it has said that they stand, by node id."""

    def __init__(self, cluster: Cluster, holds: Holds, want: Want) -> None:
        self._cluster = cluster
        self._holds = holds
        self._want = want
        self.joins = Joins()
        self._standings: dict[str, status.NodeStanding] = {}
        self._finalizing: int | None = None
        self._entered: dict[int, JoinRequest] = {}
        """Whose entries the write under way makes."""

    # --- taking members in

    def offer(self, at: Instant) -> None:
        """Offer every controller that may join and has not."""
        cluster = self._cluster
        members = [peer.id for peer in cluster.peers.in_group() if self._may_join(peer)]
        for member in self.joins.offer(at.now, members):
            if member == cluster.me.id:
                self.joins.request(member, self.own_request(self.joins.join_id))
            else:
                self._send_offer(member)
        self.joins.hasten(at.now, self._newcomers(members), NEWCOMER_PATIENCE_S)

    def hasten(self, at: Instant) -> None:
        """Do not let others wait long for newcomers: somebody was lost, or something failed."""
        members = [peer.id for peer in self._cluster.peers.in_group()]
        self.joins.hasten(at.now, self._newcomers(members), URGENT_PATIENCE_S)

    def _send_offer(self, member: int) -> None:
        self._cluster.emit(SendToPeer(member, JoinOffer(self.joins.join_id, self._cluster.me.name)))

    def _newcomers(self, members: list[int]) -> list[int]:
        """Return those of the members whose node holds nothing as far as the CIB knows: all goes on without them."""
        return [member for member in members if not self._is_member(self._cluster.peers.learn(member, ""))]

    def _is_member(self, peer: Peer) -> bool:
        standing = self._cluster.standing(peer)
        return standing is not None and standing.in_ccm and standing.crmd

    def own_request(self, join_id: int) -> JoinRequest:
        """Return what this node answers to an offer; whether it is fresh is the controller's to say."""
        me = self._cluster.me
        fresh = not (self._cluster.peers.learn(me.id, me.name).joined)
        return JoinRequest(join_id, me.name, FEATURE_SET, me.style, fresh, me.start_state)

    def requested(self, member: int, request: JoinRequest) -> None:
        """Take an answer to an offer."""
        self.joins.request(member, request)

    def confirmed(self, member: int, confirm: JoinConfirm) -> None:
        """Take a confirmation."""
        self.joins.confirm(member, confirm.join_id)

    def next_input(self, state: State) -> Input | None:
        """Return what the joins mean for the state table now, if anything."""
        cluster = self._cluster
        if cluster.electing:
            return None
        if any(self._may_join(peer) and not self.joins.has(peer.id) for peer in cluster.peers.in_group()):
            return Input.JOIN_NEEDED
        if state is State.INTEGRATION and self.joins.all_answered:
            return Input.INTEGRATED
        if state is State.FINALIZE_JOIN and self._finalizing is None and self.joins.all_confirmed:
            return Input.FINALIZED
        return None

    def finalize(self) -> None:
        """Write the members that asked to the CIB; they are acknowledged when that is done."""
        cluster = self._cluster
        changes = [status.write_root(self.root_attributes())]
        names = {str(peer.id): peer.name for peer in cluster.peers.all() if peer.name}
        known = status.configured_nodes(cluster.document)
        missing = {key: name for key, name in names.items() if known.get(key) != name}
        if missing:
            changes.append(status.write_nodes(missing))
        options = self._own_options()
        if options:
            changes.append(status.write_options(options))
        self._entered.clear()
        for member, request in self.joins.requests().items():
            peer = cluster.peers.learn(member, request.name)
            reason = refusal_reason(request, FEATURE_SET, cluster.me.style)
            if reason:
                self._refuse(peer, reason)
                continue
            if request.fresh or not self._is_member(peer):
                changes.append(status.erase_history(peer.node_id))
            changes.append(self.stand(peer, status.MEMBER, "do_dc_join_finalize"))
            if request.start_state in ("standby", "online"):
                value = "on" if request.start_state == "standby" else "off"
                cluster.emit(SetAttributes(UpdateAttribute("standby", value, node=peer.name)))
            self._entered[member] = request
        self._finalizing = cluster.write(*changes)

    def _acknowledge(self, at: Instant) -> None:
        cluster = self._cluster
        for member, request in self.joins.requests().items():
            if self._entered.get(member) is not request:
                continue
            self.joins.acknowledge(at.now, member)
            peer = cluster.peers.get(member)
            if peer is not None:
                peer.joined = True
            if member == cluster.me.id:
                self.joins.confirm(member, self.joins.join_id)
            else:
                cluster.emit(SendToPeer(member, JoinAck(self.joins.join_id, True)))

    def _refuse(self, peer: Peer, reason: str) -> None:
        self._cluster.log("error", f"{peer.name} is refused: {reason}")
        self.joins.refuse(peer.id)
        self._cluster.emit(SendToPeer(peer.id, JoinAck(self.joins.join_id, False, reason)))

    def _may_join(self, peer: Peer) -> bool:
        standing = self._cluster.standing(peer)
        if peer.fenced or peer.leaving:
            return False
        if peer.unclean and status.has_fencing(self._cluster.document):
            return False
        if standing is None or self._is_member(peer) or standing.expected != "member":
            return True
        return not status.has_fencing(self._cluster.document)

    def expire(self, at: Instant) -> None:
        """Go on without newcomers that do not answer in time; count members that do not as gone, as they may be."""
        silent = []
        for member, phase in self.joins.overdue(at.now).items():
            peer = self._cluster.peers.learn(member, "")
            if phase is Phase.SILENT:
                self.joins.give_up(at.now, member)
                self._send_offer(member)
            elif not self._is_member(peer):
                self.joins.give_up(at.now, member)
                silent.append(peer.name)
            elif not self.joins.ask_again(at.now, member):
                self.joins.give_up(at.now, member)
                self._count_as_gone(peer)
                self._want(at, f"the controller of {peer.name} does not answer")
            elif phase is Phase.OFFERED:
                self._send_offer(member)
            else:
                self._cluster.emit(SendToPeer(member, JoinAck(self.joins.join_id, True)))
        if silent:
            names = ", ".join(silent)
            self._cluster.log("warning", f"The controllers of {names} do not answer: they join when they do")

    def written(self, at: Instant, tag: int, error: str) -> None:
        """Acknowledge the members whose entries are in the CIB now; if that refused them, try again later."""
        if tag != self._finalizing:
            return
        self._finalizing = None
        if error:
            self._holds.add(_REFUSED, at.now + FINALIZE_RETRY_S)
            return
        self._acknowledge(at)
        if self.joins.requests():
            self.finalize()  # they asked after the entries were written

    # --- how nodes stand

    def stand(self, peer: Peer, standing: status.NodeStanding, origin: str) -> Change:
        """Return the change that writes how a node stands, and remember that we said so."""
        self._standings[peer.node_id] = standing
        return status.write_standing(peer.node_id, peer.name, standing, origin)

    def correct_standings(self, at: Instant) -> None:
        """Write again what is not as we said: overwritten by a node that was a DC until we met, or replaced as a whole.

        What such a CIB says about the resources of a member is void as well: they are probed.
        """
        cluster = self._cluster
        if cluster.writes or cluster.electing or REPLICAS in self._holds or not cluster.has_document:
            return
        states = status.node_states(cluster.document)
        wrong = [
            (peer, standing)
            for peer in cluster.peers.all()
            if (standing := self._standings.get(peer.node_id)) is not None
            and status.standing_of(states.get(peer.node_id)) != standing
        ]
        if wrong:
            names = ", ".join(peer.name for peer, _ in wrong)
            cluster.log("warning", f"Correcting how {names} stand in the CIB")
            changes = [self.stand(peer, standing, "correct_standings") for peer, standing in wrong]
            changes += [status.erase_history(peer.node_id) for peer, standing in wrong if standing == status.MEMBER]
            cluster.write(*changes)
            self._want(at, f"{names} stood otherwise in the CIB")
        root = self.root_attributes()
        if any(cluster.document.root.get(name) != value for name, value in root.items()):
            cluster.write(status.write_root(root))

    def survey(self, at: Instant) -> None:
        """Compare how the nodes stand in the CIB with who is here; the CIB may come from another partition."""
        cluster = self._cluster
        for node_id, state in status.node_states(cluster.document).items():
            if node_id.isdigit():
                cluster.peers.learn(int(node_id), state.get("uname", ""))
        for peer in cluster.peers.all():
            known = cluster.standing(peer)
            if peer.unwritten:
                self.mark_fenced(peer)
            elif known in (None, status.GONE) or self._standings.get(peer.node_id) in (status.LOST, status.GONE):
                continue  # nothing is known, or all is said
            elif known == status.LOST and not peer.in_view:
                continue
            elif not peer.in_view or (peer.unclean and status.has_fencing(cluster.document)):
                self.mark_lost(at, peer, known)
            elif not peer.in_group and known.crmd:
                self.grant_grace(at, peer)

    def mark_lost(self, at: Instant, peer: Peer, known: status.NodeStanding | None) -> None:
        cluster = self._cluster
        self._holds.release(grace_hold(peer.name))
        if known is None and not peer.joined:
            return
        # The CIB may still show an earlier departure of a node that has just joined again.
        in_order = peer.fenced or peer.leaving or (known is not None and known.expected == "down" and not peer.joined)
        standing = status.GONE if in_order else status.LOST
        peer.joined = False
        cluster.write(self.stand(peer, standing, "peer_update_callback"))
        if in_order:
            cluster.log("NOTICE", f"{peer.name} has left")
            return
        cluster.log("warning", f"{peer.name} was lost without saying goodbye")
        wait = cut_off_wait_s(cluster.document, peer.node_id, quorate=cluster.quorate)
        if wait > 0:
            self._holds.add(stopping_hold(peer.name), at.now + wait)

    def mark_fenced(self, peer: Peer, *, rebooted: bool = False) -> int:
        """Write that a node is down for certain and holds nothing; return the write's tag.

        ``rebooted``: what is in the view is its next incarnation, which may join.
        """
        peer.fenced = peer.in_view and not rebooted
        peer.joined = peer.unclean = peer.unwritten = False
        self.joins.drop(peer.id)
        self._holds.release(grace_hold(peer.name))
        self._holds.release(stopping_hold(peer.name))
        self._cluster.emit(SetAttributes(RemovePeer(peer.name)))
        return self._cluster.write(
            self.stand(peer, status.GONE, "send_stonith_update"),
            status.erase_history(peer.node_id),
            status.erase_attributes(peer.node_id),
        )

    def controller_left(self, at: Instant, peer: Peer) -> None:
        """Note that a controller is gone while its node stays: expected, or to be waited for."""
        known = self._cluster.standing(peer)
        if peer.leaving or (known is not None and known.expected == "down" and not peer.joined):
            standing = status.NodeStanding(True, False, "down", "down")
            self._cluster.write(self.stand(peer, standing, "peer_update_callback"))
            self._want(at, f"{peer.name} left")
        else:
            self.grant_grace(at, peer)

    def is_present(self, node_id: str) -> bool:
        """Say whether a node is in the cluster: what is erased about one that is not was expected."""
        standing = status.standing_of(status.node_states(self._cluster.document).get(node_id))
        return standing is None or standing.in_ccm

    def grant_grace(self, at: Instant, peer: Peer) -> None:
        self._cluster.log("warning", f"The controller of {peer.name} is gone: waiting for it to be back")
        self._holds.add(grace_hold(peer.name), at.now + CONTROLLER_GRACE_S)

    def hold_expired(self, reason: str) -> None:
        """Act on what was waited for and did not come."""
        if reason == _REFUSED and self._finalizing is None:
            self.finalize()
        for peer in self._cluster.peers.all():
            if reason == grace_hold(peer.name) and not peer.in_group:
                self._count_as_gone(peer)

    def _count_as_gone(self, peer: Peer) -> None:
        """Write that a controller is gone and should not be: whoever fences, fences its node."""
        standing = status.NodeStanding(peer.in_view, False, "down", "member")
        self._cluster.write(self.stand(peer, standing, "peer_update_callback"))

    def hold_for_unseen(self, at: Instant) -> None:
        """Wait, when the cluster starts, for configured nodes nobody has seen yet."""
        cluster = self._cluster
        dead_time = status.option_seconds(cluster.document, "dc-deadtime", DEFAULT_DEADTIME_S)
        deadline = cluster.started + dead_time
        states = status.node_states(cluster.document)
        unseen = [
            name
            for node_id, name in status.configured_nodes(cluster.document).items()
            if not _is_in_group(cluster, node_id) and status.standing_of(states.get(node_id)) is None
        ]
        if unseen and at.now < deadline:
            self._holds.add(_UNSEEN, deadline)
        else:
            self._holds.release(_UNSEEN)

    def root_attributes(self) -> dict[str, str]:
        return {"have-quorum": "1" if self._cluster.quorate else "0", "dc-uuid": self._cluster.me.node_id}

    def _own_options(self) -> dict[str, str]:
        me, document = self._cluster.me, self._cluster.document
        infrastructure = _INFRASTRUCTURE.get(me.style, me.style)
        values = {"have-watchdog": "false", "dc-version": me.version, "cluster-infrastructure": infrastructure}
        if me.cluster_name and not status.cluster_option(document, "cluster-name"):
            values["cluster-name"] = me.cluster_name
        return {name: value for name, value in values.items() if status.cluster_option(document, name) != value}


_INFRASTRUCTURE = {"external": "corosync", "heartbeat": "Heartbeat"}
"""What the property says by style. Pacemaker's schemas have not allowed ``heartbeat``, so written, since 3.0."""


def grace_hold(name: str) -> str:
    """Return the name of the hold for a controller that is expected back."""
    return f"the controller of {name}"


def stopping_hold(name: str) -> str:
    """Return the name of the hold for a node that may still be stopping its resources."""
    return f"{name} to stop what it may still run"


def _is_in_group(cluster: Cluster, node_id: str) -> bool:
    peer = cluster.peers.get(int(node_id)) if node_id.isdigit() else None
    return peer is not None and peer.in_group
