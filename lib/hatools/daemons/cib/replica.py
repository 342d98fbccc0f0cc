"""One node's copy of the CIB and how the copies of a cluster stay one. Pure.

Writes are broadcasts in one total order; every member applies each of them with the same code. When the view or the
members of the group change, a round of agreement (``rounds``) comes first: writes that arrive before it is decided are
dropped by everyone alike and sent again by their author, who numbers them so that none is made twice or out of order.

A client is answered when its write is applied, every member has received it (*safe*), and members with enough votes
have it on disk. The caller's duties: feed every event of the group "cib" in order, carry out the effects in order,
call :meth:`Replica.persisted` for every :class:`~hatools.daemons.cib.effects.Persist` that is on disk (in order), and
call :meth:`Replica.expire` at :attr:`Replica.deadline`.

What makes an acknowledged write last: it is on disk, with its lineage, at members that every later quorate view has one
of; and rounds prefer the newest quorate lineage, then what belonged to it furthest (``base``). Writes of a partition
without quorum are kept and answered too, but do not move ``base``: they give way at a merge, with a backup and a note.
"""

import zlib
from collections import deque

from hatools.cib.acl import Subject
from hatools.cib.document import Document, Version, format_xml
from hatools.cib.document_digest import content_digest
from hatools.cib.operations import Stamp
from hatools.daemons.cib.applying import Applied, Applier, patch_between
from hatools.daemons.cib.divergence import describe_discarded, has_own_changes, touches_status
from hatools.daemons.cib.effects import (
    Answer,
    BroadcastToPeers,
    Changed,
    DirectMessage,
    Effect,
    KeepBackup,
    Mark,
    Note,
    OrderedMessage,
    Persist,
    SendToPeer,
)
from hatools.daemons.cib.pending import Pending, PendingWrites, Stage
from hatools.daemons.cib.rounds import Round
from hatools.daemons.cib.steps import Steps
from hatools.daemons.cib.voting import Voting
from hatools.ipc.messages.cib import Change
from hatools.ipc.messages.cib_peers import PeerContent, PeerResync, PeerState, PeerStored, PeerWrite
from hatools.ipc.messages.messaging import GroupChanged, ViewChanged
from hatools.values.errors import UnavailableError

CONTENT_TIMEOUT = 20.0
"""Seconds a member waits for the content it lacks before it asks for a new round."""

EVERYBODY = Subject()

REMEMBERED_WRITERS = 64
REMEMBERED_WRITES = 256

Triple = tuple[int, int, int]


class Replica:
    """The copy of one node.

    Args:
        node: our node id.
        name: our node name (``update-origin`` of our clients' writes).
        document, mark: what was on disk.
        incarnation: tells this life of the daemon from its earlier ones.
    """

    def __init__(self, node: int, name: str, document: Document, mark: Mark, incarnation: str) -> None:
        self.node = node
        self.name = name
        self.document = document
        self.mark = mark
        self.deadline: float | None = None
        self._applier = Applier()
        self._incarnation = f"{node}.{incarnation}"
        self._states_sent = 0
        self._pending = PendingWrites(self._incarnation)
        self._writers: dict[str, int] = {}
        self._recent: dict[str, None] = {}
        self._view: ViewChanged | None = None
        self._group: frozenset[int] = frozenset()
        self._round: Round | None = None
        self._early: dict[str, PeerContent] = {}
        self._resync = ""
        """What names the last call to agree anew since somebody arrived; empty if there was none."""
        self._resyncs_sent = 0
        self._has_content = False
        self.is_adopted = False
        """Whether the content was taken over from another member in this ring, in place of our own."""
        self._waiting: deque[tuple[int, int, PeerWrite]] = deque()
        self._voting = Voting()
        self._steps = Steps()
        self._safe_sequence = 0

    @property
    def is_synchronised(self) -> bool:
        """Say whether this copy is what the members of the view agreed on."""
        return self._round is not None and self._round.winner is not None and self._has_content

    def agrees_in(self, ring: str) -> bool:
        """Say whether this copy is what the members of a ring agreed on."""
        return self.is_synchronised and self.ring_id == ring

    @property
    def primary(self) -> int | None:
        """Return the node whose content the round took, None while undecided."""
        return self._round.winner if self._round is not None else None

    @property
    def ring_id(self) -> str:
        """Return the ring id of the view we know, empty if there is none."""
        return "" if self._view is None else self._view.ring_id

    @property
    def is_quorate(self) -> bool:
        return self._view is not None and self._view.quorate

    # -- what clients want

    def submit(
        self,
        request: int,
        changes: tuple[Change, ...],
        stamp: Stamp,
        subject: Subject = EVERYBODY,
        *,
        early: bool = False,
    ) -> list[Effect]:
        """Take a client's write; an :class:`Answer` with its number follows some time (``early``: see Batch)."""
        return [BroadcastToPeers(self._pending.add(request, changes, stamp=stamp, subject=subject, early=early))]

    def resynchronise(self, reason: str) -> list[Effect]:
        """Ask all members to agree anew."""
        self._resyncs_sent += 1
        return [BroadcastToPeers(PeerResync(reason, f"{self._incarnation}.{self._resyncs_sent}"))]

    # -- what messaging tells

    def view_changed(self, view: ViewChanged) -> list[Effect]:
        """Take a new view; the same ring with another quorum or votes is no new round."""
        before = self._view
        self._view = view
        self._voting.set_view(view)
        if before is not None and before.ring_id == view.ring_id:
            return [*self._enter_lineage(), *self._answer_what_is_done()]
        self._safe_sequence = 0
        self._resync = ""
        self.is_adopted = False
        return self._begin_round()

    def group_changed(self, change: GroupChanged) -> list[Effect]:
        """Take the nodes that have a cib daemon in the group now."""
        is_unseen = not self._group and self.node in change.members and self.node not in change.arrived
        self._group = frozenset(change.members)
        if is_unseen and len(change.members) > 1:
            # Our predecessor was in the group up to now, and the others do not see that we have taken its place.
            return self.resynchronise("another cib daemon has taken its predecessor's place")
        members = self._participants()
        if self._round is not None and self._round.members == members and not change.arrived:
            return []
        if change.arrived:
            self._resync = ""  # who arrives does not know of it
        return self._begin_round()

    def set_quorum_votes(self, votes: int) -> list[Effect]:
        """Take how many votes make a quorum, so that acknowledged writes survive in every quorate view to come."""
        self._voting.quorum_votes = votes
        return self._answer_what_is_done()

    def disconnected(self) -> list[Effect]:
        """Messaging went away: nothing is agreed until it is back with a view."""
        self._view = None
        self._round = None
        self._has_content = False
        self._group = frozenset()
        self._waiting.clear()
        self.deadline = None
        self._pending.distrust_all()
        return []

    def delivered(self, now: float, sender: int, sequence: int, message: OrderedMessage) -> list[Effect]:
        """Take an ordered message in its place."""
        match message:
            case PeerWrite():
                return self._write_delivered(sender, sequence, message)
            case PeerState():
                return self._state_delivered(now, sender, message)
            case PeerStored():
                return self._stored_elsewhere(sender, message)
            case PeerResync(reason, nonce):
                self._resync = nonce
                return [
                    Note("notice", f"agreeing on the CIB anew, asked by node {sender}: {reason}"),
                    *self._begin_round(),
                ]

    def direct(self, now: float, sender: int, message: DirectMessage) -> list[Effect]:
        """Take a message from one member to us."""
        match message:
            case PeerContent():
                return self._content_arrived(sender, message)
            case PeerStored():
                return self._stored_elsewhere(sender, message)

    def became_safe(self, sequence: int) -> list[Effect]:
        """Every member has received the deliveries of this view up to here."""
        self._safe_sequence = max(self._safe_sequence, sequence)
        return self._answer_what_is_done()

    # -- what the disk and the clock tell

    def persisted(self, token: int) -> list[Effect]:
        """Everything up to this :class:`Persist` is on disk."""
        if not self._steps.on_disk(token) or not self.is_synchronised:
            return []
        return self._tell_stored(self._steps.stored)

    def expire(self, now: float) -> list[Effect]:
        """The deadline has come: content that was promised did not arrive."""
        if self.deadline is None or now < self.deadline:
            return []
        self.deadline = now + CONTENT_TIMEOUT
        return self.resynchronise("content did not arrive in time")

    # -- rounds

    def _participants(self) -> frozenset[int]:
        if self._view is None:
            return frozenset()
        return self._group & {member.id for member in self._view.members}

    def _begin_round(self) -> list[Effect]:
        members = self._participants()
        self._pending.drop(entry.message for entry in self._own_waiting())
        self._waiting.clear()
        self._has_content = False
        self.deadline = None
        if self._view is None or self.node not in members:
            self._round = None
            return []
        names = ",".join(map(str, sorted(members)))
        self._round = Round(f"{self._view.ring_id}/{names}/{self._resync}", members)
        self._states_sent += 1
        state = PeerState(
            self._round.id,
            f"{self._incarnation}.{self._states_sent}",
            self.mark.lineage,
            self.mark.base,
            _triple(self.document),
            content_digest(self.document.root),
            dict(self._writers),
            tuple(self._recent),
        )
        return [BroadcastToPeers(state)]

    def _own_waiting(self) -> list[Pending]:
        found = []
        for sender, _, message in self._waiting:
            if sender == self.node and (entry := self._pending.find(message)) is not None:
                found.append(entry)
        return found

    def _state_delivered(self, now: float, sender: int, state: PeerState) -> list[Effect]:
        if self._round is None or not self._round.add(sender, state):
            return []
        current = self._round
        self._voting.forget_stored()
        self._steps.forget_chains()
        if not current.agrees(self.node):
            self.deadline = now + CONTENT_TIMEOUT
            note = Note("info", f"waiting for the CIB of node {current.winner}: it has version {_text(current)}")
            early, self._early = self._early, {}
            if current.agreement in early:
                return [note, *self._content_arrived(current.winner or 0, early[current.agreement])]
            return [note]
        effects = self._send_content(current)
        effects += self._settle(replaced=False)
        return effects

    def _send_content(self, current: Round) -> list[Effect]:
        """Send the content to our share of those who lack it: the suppliers take turns."""
        lacking = [node for node in sorted(current.members) if not current.agrees(node)]
        if not lacking:
            return []
        suppliers = current.suppliers()
        mine = [node for place, node in enumerate(lacking) if suppliers[place % len(suppliers)] == self.node]
        if not mine:
            return []
        xml = zlib.compress(format_xml(self.document.root, indent=None).encode("utf-8", "surrogateescape"), 1)
        return [SendToPeer(node, PeerContent(current.agreement, xml)) for node in mine]

    def _content_arrived(self, sender: int, content: PeerContent) -> list[Effect]:
        current = self._round
        if current is not None and current.winner is None:
            # A member that knows the last state before us may be faster than the order.
            self._early = {content.agreement: content}
            return []
        if current is None or content.agreement != current.agreement or self._has_content:
            return []
        received = Document.parse(zlib.decompress(content.xml))
        if content_digest(received.root) != current.winning_state.digest:
            return [Note("error", f"the CIB sent by node {sender} is damaged"), *self.resynchronise("damaged content")]
        effects: list[Effect] = []
        before = self.document
        if has_own_changes(before, self.mark, current.winning_state):
            effects.append(KeepBackup(before))
            effects.append(Note("warning", describe_discarded(before, received)))
        self.document = received
        effects.append(Changed(before, received, None, "cib_sync", current_name(self._view, current.winner), "cib"))
        effects += self._settle(replaced=True)
        return effects

    def _settle(self, *, replaced: bool) -> list[Effect]:
        """The content is the agreed one now: persist it, catch up with the writes since, go on with our own."""
        current = self._round
        assert current is not None and self._view is not None
        self._has_content = True
        self.is_adopted = self.is_adopted or replaced
        self.deadline = None
        winning = current.winning_state
        self._steps.begin(winning.digest)
        # Only now: what the others have made of our writes counts once we have it too.
        self._writers = dict(winning.writers)
        self._recent = dict.fromkeys(winning.recent)
        self.mark = Mark(winning.lineage, winning.base)
        if self._view.quorate:
            self.mark = Mark(self._view.ring_id, _triple(self.document))
        effects: list[Effect] = [
            self._persist(None if replaced else self.document),
            Note("info", f"the CIB of {len(current.members)} nodes is version {self.document.version}"),
        ]
        self._pending.included(self._recent, _triple(self.document), replaced=replaced)
        effects += self._send_again()
        waiting, self._waiting = self._waiting, deque()
        for sender, sequence, message in waiting:
            effects += self._apply(sender, sequence, message)
        return effects

    def _enter_lineage(self) -> list[Effect]:
        """Quorum came back in the same ring: from here on the content belongs to this view's lineage."""
        assert self._view is not None
        if not (self._view.quorate and self.is_synchronised) or self.mark.lineage == self._view.ring_id:
            return []
        self.mark = Mark(self._view.ring_id, _triple(self.document))
        return [self._persist(self.document)]

    def _send_again(self) -> list[Effect]:
        """Broadcast our writes that were dropped or lost, under a new name so that their numbers start afresh."""
        if not self._pending.must_send_again:
            return []
        return [BroadcastToPeers(write) for write in self._pending.renumber()]

    # -- writes

    def _write_delivered(self, sender: int, sequence: int, message: PeerWrite) -> list[Effect]:
        if self._round is None:
            self._pending.drop([message] if sender == self.node else [])
            return []
        if not self.is_synchronised:
            self._waiting.append((sender, sequence, message))
            return []
        return self._apply(sender, sequence, message)

    def _apply(self, sender: int, sequence: int, message: PeerWrite) -> list[Effect]:
        last = self._writers.get(message.writer, 0)
        if message.serial > last + 1:
            # A gap: an earlier write was dropped, and its author sends all again under another name.
            if sender != self.node or self._pending.find(message) is None:
                return []
            self._pending.drop([message])
            return self._send_again()
        own = self._pending.of_message(message) if sender == self.node else None
        is_new = message.serial == last + 1 and message.id not in self._recent
        if message.serial == last + 1:
            self._remember(message)
        if not is_new:
            return self._made_already(sender, sequence, own)
        before = self.document
        applied = self._applier.apply(before, message)
        if not applied.changed:
            if own is None:
                return []
            self._pending.remove(own)
            return [Answer(own.request, _triple(before), applied.error)]
        effects = self._advance(sender, message, applied)
        if own is not None:
            effects += self._now_included(own, sequence, durable=applied.durable)
        return effects

    def _made_already(self, sender: int, sequence: int, own: Pending | None) -> list[Effect]:
        """A write came again that the content has: its author wants to know when it is on our disk."""
        if sender != self.node:
            self._steps.owe(sender)
            return self._report_stored(self._voting.stored.get(self.node, -1))
        if own is None or own.stage is Stage.APPLIED:
            return []
        return self._now_included(own, sequence)

    def _now_included(self, own: Pending, sequence: int, *, durable: bool = True) -> list[Effect]:
        own.stage = Stage.APPLIED
        own.step = self._steps.number
        own.sequence = sequence
        own.durable = durable
        own.version = _triple(self.document)
        return self._answer_what_is_done()

    def _remember(self, message: PeerWrite) -> None:
        self._writers.pop(message.writer, None)
        self._writers[message.writer] = message.serial
        while len(self._writers) > REMEMBERED_WRITERS:
            del self._writers[next(iter(self._writers))]
        self._recent[message.id] = None
        while len(self._recent) > REMEMBERED_WRITES:
            del self._recent[next(iter(self._recent))]

    def _advance(self, sender: int, message: PeerWrite, applied: Applied) -> list[Effect]:
        """Make the new document ours: chain, disk, subscribers."""
        before, self.document = self.document, applied.document
        patch = patch_between(before, self.document)
        text = "" if patch is None else format_xml(patch, indent=None)
        self._steps.add(text)
        if self._view is not None and self._view.quorate:
            self.mark = Mark(self.mark.lineage, _triple(self.document))
        effects: list[Effect] = []
        if applied.durable:
            if sender != self.node:
                self._steps.owe(sender)
            fits_disk = applied.configuration_changed and patch is not None and not touches_status(patch)
            effects.append(self._persist(before, text if fits_disk else None))
        operation = message.changes[0].operation if len(message.changes) == 1 else "cib_batch"
        effects.append(Changed(before, self.document, patch, operation, message.origin, message.client))
        return effects

    def _persist(self, before: Document | None, patch: str | None = None) -> Persist:
        return Persist(self._steps.to_disk(), self.mark, self.document, before, patch)

    def _tell_stored(self, step: int) -> list[Effect]:
        before = self._voting.stored.get(self.node, -1)
        if step <= before:
            return []
        self._voting.stored[self.node] = step
        effects: list[Effect] = []
        if before < 0:
            effects.append(BroadcastToPeers(self._stored_report(step)))
        return [*effects, *self._report_stored(step), *self._answer_what_is_done()]

    def _stored_report(self, step: int) -> PeerStored:
        assert self._round is not None
        return PeerStored(self._round.agreement, step, self._steps.chain_at(step))

    def _report_stored(self, step: int) -> list[Effect]:
        """Tell the authors of what we have on disk up to a step."""
        return [SendToPeer(author, self._stored_report(step)) for author in self._steps.authors_up_to(step)]

    def _stored_elsewhere(self, sender: int, report: PeerStored) -> list[Effect]:
        current = self._round
        if (
            current is None
            or report.agreement != current.agreement
            or sender not in current.members
            or sender == self.node
        ):
            return []
        self._voting.stored[sender] = max(report.step, self._voting.stored.get(sender, -1))
        known = self._steps.chain_at(report.step)
        if known and report.chain and known != report.chain:
            text = f"node {sender} made another CIB of the same writes"
            return [Note("error", text), *self.resynchronise(text)]
        return self._answer_what_is_done()

    def _answer_what_is_done(self) -> list[Effect]:
        """Answer our applied writes, in order, when they cannot be lost any more, or their clients need no more."""
        if not self.is_synchronised:
            return []
        effects: list[Effect] = []
        agreed = self._voting.agreed_step()
        all_last = True
        for entry in self._pending.applied():
            all_last &= entry.sequence <= self._safe_sequence and (entry.step <= agreed or not entry.durable)
            if all_last or (entry.early and not entry.durable):
                self._pending.remove(entry)
                effects.append(Answer(entry.request, entry.version))
        return effects

    def give_up(self, request: int, reason: str) -> list[Effect]:
        """Answer a write with a failure: its outcome is not known, or it cannot be kept."""
        entry = self._pending.of_request(request)
        if entry is None:
            return []
        self._pending.remove(entry)
        return [Answer(request, error=UnavailableError(reason))]


def _triple(document: Document) -> Triple:
    version = document.version
    return (version.admin_epoch, version.epoch, version.num_updates)


def _text(current: Round) -> str:
    return str(Version(*current.winning_state.version))


def current_name(view: ViewChanged | None, node: int | None) -> str:
    """Return the name of a member, its number where the name is not known."""
    names = {} if view is None else {member.id: member.name for member in view.members}
    return names.get(node or 0, str(node))
