"""Puts on disk what the replica wants kept, without keeping anybody waiting longer than the disk does. I/O.

A thread writes all that has come together with one sync. While the disk is quick, handing a record to that thread and
hearing of its end takes longer than the sync itself: then it is written at once.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from hatools.daemons.cib.effects import KeepBackup, Persist
from hatools.daemons.cib.store import Store

_log = logging.getLogger(__name__)

RETRY_S = 1.0
"""Seconds between attempts to write after the disk has refused."""

QUICK_S = 0.005
"""A disk that took no longer for its last record is waited for; a slower one gets the thread."""


class Disk:
    """The store as the daemon uses it.

    Args:
        stored: called with the token of the newest record when the thread has put it on disk.
    """

    def __init__(self, store: Store, folder: Path, stored: Callable[[int], None]) -> None:
        self._store = store
        self._folder = folder
        self._stored = stored
        self._waiting: deque[Persist | KeepBackup] = deque()
        self._work = asyncio.Event()
        self._is_quick = False
        self.error = ""
        """Why the disk takes nothing, empty while it does."""

    def prepare(self) -> None:
        """Write a whole file, and open a journal for what comes."""
        try:
            self._store.prepare()
        except OSError as error:
            self._refused(f"cannot write in {self._folder}: {error.strerror}")

    @property
    def is_idle(self) -> bool:
        """Say whether nothing waits, or nothing can be done about it."""
        return not self._waiting or bool(self.error)

    def put(self, item: Persist | KeepBackup) -> bool:
        """Take a record; True if it is on disk now, else ``stored`` tells when it is."""
        if self._is_quick and not self._waiting and isinstance(item, Persist) and self._store.continues(item):
            try:
                self._write([item])
            except OSError:
                self._is_quick = False  # the thread tries again, and knows what to do
            else:
                return True
        self._waiting.append(item)
        self._work.set()
        return False

    def has_room(self, size: int) -> bool:
        """Say whether a change of so many bytes may be made; if not, ``error`` says why."""
        if not self.error and not self._store.has_room(size):
            self._refused(f"no space is left under {self._folder}")
        return not self.error

    async def await_room(self, size: int) -> None:
        """Wait until there is room again."""
        while not self._store.has_room(size):
            await asyncio.sleep(RETRY_S)
        self._accepted("there is space under %s again")

    async def run(self) -> None:
        """Write what waits, for ever."""
        while True:
            await self._work.wait()
            self._work.clear()
            while self._waiting:
                batch = list(self._waiting)
                records = [item for item in batch if isinstance(item, Persist)]
                try:
                    await asyncio.to_thread(self._write, batch)
                except OSError as error:
                    await self._rescue(error)
                    continue
                for _ in batch:
                    self._waiting.popleft()
                if records:
                    self._stored(records[-1].token)

    def _write(self, batch: list[Persist | KeepBackup]) -> None:
        begin = time.monotonic()
        for item in batch:
            if isinstance(item, KeepBackup):
                self._store.keep_backup(item.document)
        self._store.write([item for item in batch if isinstance(item, Persist)])
        self._is_quick = time.monotonic() - begin < QUICK_S

    async def _rescue(self, error: OSError) -> None:
        """The disk refused: say so, refuse new changes, and try until it takes the whole content."""
        self._refused(f"the disk under {self._folder} refuses: {error.strerror}")
        while True:
            await asyncio.sleep(RETRY_S)
            waiting = [item for item in self._waiting if isinstance(item, Persist)]
            if not waiting:
                break
            try:
                await asyncio.to_thread(self._store.rescue, waiting[-1])
            except OSError:
                continue
            while self._waiting:
                item = self._waiting.popleft()
                if item is waiting[-1]:
                    break
            self._stored(waiting[-1].token)
            break
        self._accepted("the disk under %s takes data again")

    def _refused(self, reason: str) -> None:
        self.error = reason
        _log.error("%s", reason)

    def _accepted(self, text: str) -> None:
        self.error = ""
        _log.warning(text, self._folder)
