"""Which local clients take part in which group, and what each of them is owed. Pure.

A client that joins is first told the view, then how the group looks; it gets messages from the place in
the order on where our node's membership in the group holds. Several clients may share a group.

Messages of one sender in a row are collected and handed over as one event; :meth:`Subscribers.flush` ends
such a run, and so does everything else that happens.
"""

from collections import deque
from collections.abc import Callable

from hatools.ipc.messages.messaging import (
    BecameSafe,
    Delivered,
    DeliveredMany,
    DeliveredPiece,
    Direct,
    GroupChanged,
    Member,
    ViewChanged,
)
from hatools.messaging.views import DirectMessage, GroupMembersChanged, GroupMessage, GroupMessages, View
from hatools.values.bundle import pack_bundle, unpack_bundle
from hatools.values.records import dataclass, field

Event = ViewChanged | GroupChanged | Delivered | DeliveredMany | DeliveredPiece | BecameSafe | Direct
Post = Callable[[list[int], Event], None]


@dataclass(slots=True)
class _Client:
    wants_safe: bool
    takes_batches: bool


@dataclass(slots=True)
class _Group:
    members: tuple[int, ...] = ()
    active: bool = False
    """Whether our own node is in ``members``: then local clients get messages."""
    clients: dict[int, _Client] = field(default_factory=dict)
    unsafe: deque[int] = field(default_factory=deque)


class Subscribers:
    """The clients of one messaging daemon.

    Args:
        post: delivers an event to clients by id.
    """

    def __init__(self, me: int, post: Post) -> None:
        self._me = me
        self._post = post
        self._groups: dict[str, _Group] = {}
        self._view: View | None = None
        self._run: list[GroupMessage] = []

    def add(self, client: int, group: str, *, report_safe: bool = False, batches: bool = False) -> bool:
        """Let a client take part; True if the node itself has to join the group for it."""
        self.flush()
        entry = self._groups.setdefault(group, _Group())
        first = not entry.clients
        known = any(client in other.clients for other in self._groups.values())
        entry.clients[client] = _Client(report_safe, batches)
        if self._view is not None and not known:
            self._post([client], view_event(self._view))
        if entry.active:
            self._post([client], GroupChanged(group, entry.members))
        return first

    def remove(self, client: int, group: str) -> bool:
        """Take a client out of a group; True if the node itself has no client left in it."""
        self.flush()
        entry = self._groups.get(group)
        if entry is None or entry.clients.pop(client, None) is None:
            return False
        return not entry.clients

    def groups_of(self, client: int) -> list[str]:
        """Return the groups a client takes part in."""
        return [name for name, entry in self._groups.items() if client in entry.clients]

    def listing(self) -> list[tuple[str, tuple[int, ...], tuple[int, ...]]]:
        """Return (group, nodes in it, local clients in it) of every group that somebody is in."""
        return [
            (name, entry.members, tuple(entry.clients)) for name, entry in sorted(self._groups.items()) if entry.members
        ]

    def view_installed(self, view: View) -> None:
        """Tell every client of the new view."""
        self.flush()
        self._view = view
        for entry in self._groups.values():
            entry.unsafe.clear()
        everybody = sorted({client for entry in self._groups.values() for client in entry.clients})
        if everybody:
            self._post(everybody, view_event(view))

    def group_changed(self, change: GroupMembersChanged) -> None:
        """Tell the group's clients who is in it now."""
        self.flush()
        entry = self._groups.setdefault(change.group, _Group())
        entry.members = change.members
        was_active, entry.active = entry.active, self._me in change.members
        if entry.clients and (entry.active or was_active):
            event = GroupChanged(change.group, change.members, change.arrived, change.left)
            self._post(list(entry.clients), event)

    def message(self, message: GroupMessage) -> None:
        """Deliver a message to the group's clients, possibly together with those that follow."""
        entry = self._groups.get(message.group)
        if entry is None or not entry.clients or not entry.active:
            return
        if any(client.wants_safe for client in entry.clients.values()):
            entry.unsafe.append(message.sequence)
        last = self._run[-1] if self._run else None
        if last is not None and (last.group, last.sender, last.sequence + 1) != (
            message.group,
            message.sender,
            message.sequence,
        ):
            self.flush()
        if message.before:
            self.flush()
            for piece in message.before:
                self._post(list(entry.clients), DeliveredPiece(message.group, piece))
        self._run.append(message)
        if message.before:
            self.flush()

    def messages(self, messages: GroupMessages) -> None:
        """Deliver several messages at once; a client that takes one at a time gets them one by one."""
        self.flush()
        group, sender, sequence = messages.group, messages.sender, messages.sequence
        entry = self._groups.get(group)
        if entry is None or not entry.clients or not entry.active:
            return
        if any(client.wants_safe for client in entry.clients.values()):
            entry.unsafe.append(sequence + messages.count - 1)
        batching = [client for client, wishes in entry.clients.items() if wishes.takes_batches]
        if batching:
            self._post(batching, DeliveredMany(group, sender, sequence, messages.bundle))
        single = [client for client in entry.clients if client not in batching]
        if single:
            for index, (payload, tag) in enumerate(zip(*unpack_bundle(messages.bundle), strict=True)):
                self._post(single, Delivered(group, sender, sequence + index, payload, tag))

    def flush_own(self) -> None:
        """Hand over what our own clients have sent: who sent it waits for it. All else can wait for the token."""
        if self._run and self._run[0].sender == self._me:
            self.flush()

    def flush(self) -> None:
        """Hand over the messages that were collected."""
        run, self._run = self._run, []
        if not run:
            return
        first = run[0]
        clients = self._groups[first.group].clients
        batching = [client for client, wishes in clients.items() if wishes.takes_batches and len(run) > 1]
        if batching:
            bundle = pack_bundle([message.payload for message in run], [message.tag for message in run])
            self._post(batching, DeliveredMany(first.group, first.sender, first.sequence, bundle))
        single = [client for client in clients if client not in batching]
        for message in run if single else ():
            self._post(single, Delivered(message.group, message.sender, message.sequence, message.payload, message.tag))

    def direct(self, message: DirectMessage) -> None:
        """Deliver a point to point message to the group's clients."""
        self.flush()
        entry = self._groups.get(message.group)
        if entry is not None and entry.clients:
            for piece in message.before:
                self._post(list(entry.clients), DeliveredPiece(message.group, piece))
            self._post(list(entry.clients), Direct(message.group, message.sender, message.payload))

    def safe(self, sequence: int) -> None:
        """Tell the clients that asked for it what became safe."""
        self.flush()
        for name, entry in self._groups.items():
            newest = 0
            while entry.unsafe and entry.unsafe[0] <= sequence:
                newest = entry.unsafe.popleft()
            if newest:
                asked = [client for client, wishes in entry.clients.items() if wishes.wants_safe]
                if asked:
                    self._post(asked, BecameSafe(name, newest))


def view_event(view: View) -> ViewChanged:
    """Return a view in the words of the socket."""
    return ViewChanged(
        str(view.ring_id),
        tuple(Member(member.id, member.name) for member in view.members),
        view.quorate,
        view.arrived,
        view.left,
        view.lost,
        dict(view.votes),
    )
