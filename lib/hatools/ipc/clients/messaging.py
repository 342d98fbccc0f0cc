"""The messaging daemon as other daemons and commands see it. I/O."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from hatools.ipc.blocking import BlockingConnection
from hatools.ipc.client import Connection
from hatools.ipc.messages.messaging import (
    Announce,
    BecameSafe,
    Broadcast,
    BroadcastMany,
    CancelWaitForAll,
    ClearStatistics,
    DeleteMapKey,
    Delivered,
    DeliveredMany,
    DeliveredPiece,
    DescribeRing,
    Direct,
    GroupChanged,
    GroupList,
    GroupProcess,
    Joined,
    JoinGroup,
    KillNode,
    LeaveGroup,
    ListGroups,
    MapEntries,
    MapEntry,
    ReadMap,
    ReloadConfiguration,
    ReopenLogs,
    RingState,
    SendTo,
    SetExpectedVotes,
    SetFault,
    SetMapKey,
    SetVotes,
    UnregisterDevice,
    ViewChanged,
)
from hatools.runtime.directories import Directories
from hatools.values.bundle import pack_bundle, unpack_bundle
from hatools.values.errors import RemoteError
from hatools.values.records import dataclass, field, replace

GroupEvent = ViewChanged | GroupChanged | Delivered | BecameSafe | Direct
"""What a member of a group is told, in order."""


PIECE = 256 * 1024
"""Bytes: larger payloads travel in pieces of this size."""

_BUNDLE = 64 * 1024
"""Bytes of payload after which a bundle goes out: nothing of it is delivered before all of it has come."""


def in_pieces(message: Broadcast | SendTo) -> list[Announce | Broadcast | SendTo]:
    """Return the requests that send a message, one unless it is large; submit them in this order."""
    payload = message.payload
    if len(payload) <= PIECE:
        return [message]
    cuts = range(0, len(payload), PIECE)
    *pieces, last = (payload[start : start + PIECE] for start in cuts)
    announced: list[Announce | Broadcast | SendTo] = [Announce(message.group, piece) for piece in pieces]
    return [*announced, replace(message, payload=last)]


class PieceJoiner:
    """Joins the pieces of large messages; sits between a connection's events and their reader.

    It is for clients that joined their groups without ``batches``.
    """

    def __init__(self) -> None:
        self._pieces: dict[str, list[bytes]] = {}

    def take(self, event: object) -> GroupEvent | None:
        """Return the event as its reader wants it, None for a piece."""
        match event:
            case DeliveredPiece(group, payload):
                self._pieces.setdefault(group, []).append(payload)
                return None
            case Delivered() | Direct():
                pieces = self._pieces.pop(event.group, None)
                return event if pieces is None else replace(event, payload=b"".join([*pieces, event.payload]))
            case ViewChanged() | GroupChanged() | BecameSafe():
                return event
        raise RemoteError(f"messaging sent an unexpected {type(event).__name__}")


@dataclass(slots=True)
class _Batch:
    """Broadcasts that go out together, and the one result they share."""

    sent: "asyncio.Future[object]"
    payloads: list[bytes] = field(default_factory=list)
    tags: list[int] = field(default_factory=list)
    size: int = 0

    def finish(self, answer: "asyncio.Future[object]") -> None:
        if self.sent.done():
            return
        if answer.cancelled():
            self.sent.cancel()
        elif (error := answer.exception()) is not None:
            self.sent.set_exception(error)
        else:
            self.sent.set_result(answer.result())


class MessagingClient:
    """A daemon's connection to messaging; ``closed`` completes when the node has left the cluster."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._batches: dict[str, _Batch] = {}
        """What was broadcast since the event loop last turned: it goes out together."""

    @classmethod
    async def open(
        cls, path: Path, *, name: str, on_event: Callable[[GroupEvent], None], deadline_s: float = 0.0
    ) -> "MessagingClient":
        """Connect; ``on_event`` gets the events of all groups, synchronously and in order.

        Raises:
            DisconnectedError: messaging does not run.
        """
        joiner = PieceJoiner()

        def on_raw_event(raw: object) -> None:
            if isinstance(raw, DeliveredMany):
                group, sender, sequence = raw.group, raw.sender, raw.sequence
                for payload, tag in zip(*unpack_bundle(raw.bundle), strict=True):
                    on_event(Delivered(group, sender, sequence, payload, tag))
                    sequence += 1
            elif (event := joiner.take(raw)) is not None:
                on_event(event)

        return cls(await Connection.open(path, "messaging", name=name, on_event=on_raw_event, deadline_s=deadline_s))

    @property
    def closed(self) -> "asyncio.Future[None]":
        return self._connection.closed

    async def join(self, group: str, *, report_safe: bool = False) -> Joined:
        """Take part in a group; the current view and the group's members follow as events."""
        answer = await self._connection.request(JoinGroup(group, report_safe, batches=True))
        assert isinstance(answer, Joined)
        return answer

    async def leave(self, group: str) -> None:
        """Leave a group."""
        await self._connection.request(LeaveGroup(group))

    def broadcast(self, group: str, payload: bytes, tag: int = 0) -> "asyncio.Future[object]":
        """Send to all members of the group in total order; wait for the result to be slowed down in a flood."""
        if len(payload) > PIECE:
            self._flush(group)
            return self._submit(Broadcast(group, payload, tag))
        batch = self._batches.get(group)
        if batch is None:
            loop = asyncio.get_running_loop()
            batch = self._batches[group] = _Batch(loop.create_future())
            loop.call_soon(self._flush, group)
        batch.payloads.append(payload)
        batch.tags.append(tag)
        batch.size += len(payload)
        if batch.size > _BUNDLE:
            self._flush(group)
        return batch.sent

    def send_to(self, group: str, node_id: int, payload: bytes) -> "asyncio.Future[object]":
        """Send to the group's client on one node."""
        self._flush(group)
        return self._submit(SendTo(group, node_id, payload))

    def _flush(self, group: str) -> None:
        batch = self._batches.pop(group, None)
        if batch is None:
            return
        if len(batch.payloads) == 1:
            answer = self._connection.submit(Broadcast(group, batch.payloads[0], batch.tags[0]))
        else:
            answer = self._connection.submit(BroadcastMany(group, pack_bundle(batch.payloads, batch.tags)))
        answer.add_done_callback(batch.finish)

    def _submit(self, message: Broadcast | SendTo) -> "asyncio.Future[object]":
        *announced, last = in_pieces(message)
        for piece in announced:
            # Only the last answer is waited for; it can only be good if the earlier ones were.
            self._connection.submit(piece).add_done_callback(asyncio.Future.exception)
        return self._connection.submit(last)

    async def describe(self) -> RingState:
        """Return the state of ring, links and quorum."""
        answer = await self._connection.request(DescribeRing())
        assert isinstance(answer, RingState)
        return answer

    async def set_fault(self, node_id: int, *, drop: bool = False, delay_ms: int = 0, loss_percent: int = 0) -> None:
        """Cut off, slow down or thin out a peer on purpose; nothing of it heals it."""
        await self._connection.request(SetFault(node_id, drop, delay_ms, loss_percent))

    def close(self) -> None:
        """Close the connection; the groups see this client leave."""
        self._connection.close()


class BlockingMessaging:
    """A command's connection to messaging."""

    def __init__(self, directories: Directories | None = None, *, name: str) -> None:
        folders = directories or Directories.from_environment()
        self._connection = BlockingConnection(folders.socket("messaging"), "messaging", name=name)

    def describe(self) -> RingState:
        """Return the state of ring, links and quorum."""
        answer = self._connection.request(DescribeRing())
        assert isinstance(answer, RingState)
        return answer

    def set_fault(self, node_id: int, *, drop: bool = False, delay_ms: int = 0, loss_percent: int = 0) -> None:
        """Cut off, slow down or thin out a peer on purpose; nothing of it heals it."""
        self._connection.request(SetFault(node_id, drop, delay_ms, loss_percent))

    def set_expected_votes(self, votes: int) -> None:
        """Change the expected votes of the partition."""
        self._connection.request(SetExpectedVotes(votes))

    def set_votes(self, node_id: int, votes: int) -> None:
        """Change the votes of a node."""
        self._connection.request(SetVotes(node_id, votes))

    def cancel_wait_for_all(self) -> None:
        """Give up waiting for all nodes."""
        self._connection.request(CancelWaitForAll())

    def reload(self) -> None:
        """Have the configuration file read again."""
        self._connection.request(ReloadConfiguration())

    def read_map(self, name: str = "icmap") -> tuple[MapEntry, ...]:
        """Return the keys of a map, icmap or stats."""
        answer = self._connection.request(ReadMap(name))
        assert isinstance(answer, MapEntries)
        return answer.entries

    def set_key(self, entry: MapEntry) -> None:
        """Set a key of the map."""
        self._connection.request(SetMapKey(entry))

    def delete_key(self, key: str) -> None:
        """Delete a key of the map."""
        self._connection.request(DeleteMapKey(key))

    def clear_statistics(self, which: str) -> None:
        """Count anew."""
        self._connection.request(ClearStatistics(which))

    def reopen_logs(self) -> None:
        """Have log files opened anew."""
        self._connection.request(ReopenLogs())

    def kill_node(self, node_id: int, reason: str) -> None:
        """Throw a node out of the cluster."""
        self._connection.request(KillNode(node_id, reason))

    def unregister_device(self) -> None:
        """Do without the quorum device."""
        self._connection.request(UnregisterDevice())

    def list_groups(self) -> tuple[GroupProcess, ...]:
        """Return who is in which group."""
        answer = self._connection.request(ListGroups())
        assert isinstance(answer, GroupList)
        return answer.processes

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
