"""The writes of our own clients that are under way. Pure."""

from collections.abc import Collection, Iterable, Iterator
from enum import Enum

from hatools.cib.acl import Subject
from hatools.cib.operations import Stamp
from hatools.ipc.messages.cib import Change
from hatools.ipc.messages.cib_peers import PeerWrite
from hatools.values.records import dataclass, replace


class Stage(Enum):
    """Where a write is."""

    SENT = "broadcast, not delivered yet"
    DROPPED = "delivered while nothing was agreed: must be sent again"
    APPLIED = "part of the document, not yet certain to last"


@dataclass(slots=True)
class Pending:
    """One write; ``step`` and ``sequence`` count within the present round and view.

    ``early``: its client wants to hear of it when it is applied, unless it has to be on disk.
    """

    request: int
    message: PeerWrite
    early: bool = False
    stage: Stage = Stage.SENT
    step: int = 0
    sequence: int = 0
    durable: bool = False
    version: tuple[int, int, int] = (0, 0, 0)


class PendingWrites:
    """The writes under way, in the order they were asked for."""

    def __init__(self, incarnation: str) -> None:
        self._incarnation = incarnation
        self._generation = 0
        self._last_serial = 0
        self._entries: dict[int, Pending] = {}
        self._by_number: dict[tuple[str, int], Pending] = {}

    @property
    def writer(self) -> str:
        """Return the name our writes are numbered under."""
        return f"{self._incarnation}.{self._generation}"

    @property
    def must_send_again(self) -> bool:
        return any(entry.stage is Stage.DROPPED for entry in self._entries.values())

    def add(
        self, request: int, changes: tuple[Change, ...], *, stamp: Stamp, subject: Subject, early: bool = False
    ) -> PeerWrite:
        """Number a new write."""
        self._last_serial += 1
        name = f"{self._incarnation}:{request}"
        message = PeerWrite(
            name,
            self.writer,
            self._last_serial,
            changes,
            stamp.written,
            stamp.origin,
            stamp.client,
            stamp.user,
            subject.user,
            subject.groups,
        )
        entry = Pending(request, message, early)
        self._entries[request] = entry
        self._by_number[message.writer, message.serial] = entry
        return message

    def find(self, message: PeerWrite) -> Pending | None:
        """Return the entry of a delivered write of ours, None if it was numbered anew since, or is done."""
        return self._by_number.get((message.writer, message.serial))

    def of_message(self, message: PeerWrite) -> Pending | None:
        """Return the entry of a delivered write of ours under whatever number it was sent."""
        entry = self._entries.get(int(message.id.rpartition(":")[2]))
        return entry if entry is not None and entry.message.id == message.id else None

    def of_request(self, request: int) -> Pending | None:
        return self._entries.get(request)

    def applied(self) -> Iterator[Pending]:
        """Yield the applied writes in order, up to the first that is not."""
        for entry in list(self._entries.values()):
            if entry.stage is not Stage.APPLIED:
                return
            yield entry

    def remove(self, entry: Pending) -> None:
        self._entries.pop(entry.request, None)
        self._by_number.pop((entry.message.writer, entry.message.serial), None)

    def drop(self, messages: Iterable[PeerWrite]) -> None:
        """Note that writes were delivered but not made."""
        for message in messages:
            entry = self.find(message)
            if entry is not None and entry.stage is Stage.SENT:
                entry.stage = Stage.DROPPED

    def distrust_all(self) -> None:
        """Messaging went away: what was sent and not delivered may never be."""
        for entry in self._entries.values():
            if entry.stage is Stage.SENT:
                entry.stage = Stage.DROPPED

    def included(self, recent: Collection[str], version: tuple[int, int, int], *, replaced: bool) -> None:
        """Sort out what the agreed content has of our writes.

        Args:
            recent: the ids of the newest writes that the content has.
            version: the content's; the answer to writes whose own result is not known.
            replaced: our own content gave way, so that what we had applied counts only if the other has it too.
        """
        for entry in self._entries.values():
            if entry.message.id in recent or (entry.stage is Stage.APPLIED and not replaced):
                if entry.stage is not Stage.APPLIED:
                    entry.version = version
                entry.stage = Stage.APPLIED
                entry.step = 0
                entry.sequence = 0
                entry.durable = True
            elif entry.stage is Stage.APPLIED:
                entry.stage = Stage.DROPPED

    def renumber(self) -> list[PeerWrite]:
        """Return all that is not applied, numbered from 1 under a new name, to be sent again."""
        done = [entry for entry in self._entries.values() if entry.stage is Stage.APPLIED]
        again = [entry for entry in self._entries.values() if entry.stage is not Stage.APPLIED]
        self._generation += 1
        self._last_serial = 0
        for entry in again:
            del self._by_number[entry.message.writer, entry.message.serial]
            self._last_serial += 1
            entry.message = replace(entry.message, writer=self.writer, serial=self._last_serial)
            entry.stage = Stage.SENT
            self._by_number[self.writer, self._last_serial] = entry
        self._entries = {entry.request: entry for entry in (*done, *again)}
        return [entry.message for entry in again]
