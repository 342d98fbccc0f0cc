"""How records get on disk: at once while it is quick, by the thread while it is not, again when it refused."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from hatools.cib.document import empty_document
from hatools.daemons.cib import disk as disk_module
from hatools.daemons.cib.disk import Disk
from hatools.daemons.cib.effects import KeepBackup, Mark, Persist
from hatools.daemons.cib.store import Store

NOTHING = empty_document()


class Recorder(Store):
    """A store that notes what it is given; ``lasts_s`` is how slow its disk is, ``errors`` what it raises next."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.batches: list[list[int]] = []
        self.rescued: list[int] = []
        self.lasts_s = 0.0
        self.errors: list[OSError] = []

    def continues(self, record: Persist) -> bool:
        return record.before is not None

    def keep_backup(self, document: object) -> None:
        self.batches.append([])

    def write(self, batch: Sequence[Persist]) -> None:
        time.sleep(self.lasts_s)
        if self.errors:
            raise self.errors.pop(0)
        self.batches.append([record.token for record in batch])

    def rescue(self, newest: Persist) -> None:
        self.rescued.append(newest.token)


def record(token: int, *, whole: bool = False) -> Persist:
    return Persist(token, Mark(), NOTHING, None if whole else NOTHING, "")


def play(folder: Path, story: Callable[[Disk, Recorder, list[int]], Awaitable[None]]) -> Recorder:
    """Run a story with a disk whose thread works."""
    store = Recorder(folder)

    async def run() -> None:
        stored: list[int] = []
        disk = Disk(store, folder, stored.append)
        writer = asyncio.create_task(disk.run())
        await story(disk, store, stored)
        writer.cancel()

    asyncio.run(run())
    return store


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.001)


def test_a_quick_disk_is_waited_for(tmp_path: Path) -> None:
    async def story(disk: Disk, store: Recorder, stored: list[int]) -> None:
        assert not disk.put(record(1))  # nobody knows yet how quick it is
        await until(lambda: stored == [1])
        assert disk.put(record(2))
        assert stored == [1]  # who put it knows

    assert play(tmp_path, story).batches == [[1], [2]]


def test_what_comes_while_a_slow_disk_writes_shares_one_sync(tmp_path: Path) -> None:
    async def story(disk: Disk, store: Recorder, stored: list[int]) -> None:
        store.lasts_s = 10 * disk_module.QUICK_S
        disk.put(record(1))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert [disk.put(record(token)) for token in (2, 3)] == [False, False]
        await until(lambda: stored[-1:] == [3])
        assert not disk.put(record(4))  # it was slow
        await until(lambda: stored[-1:] == [4])
        assert stored == [1, 3, 4]

    assert play(tmp_path, story).batches == [[1], [2, 3], [4]]


def test_whole_files_and_backups_are_the_threads_work(tmp_path: Path) -> None:
    async def story(disk: Disk, store: Recorder, stored: list[int]) -> None:
        disk.put(record(1))
        await until(lambda: stored == [1])
        assert not disk.put(KeepBackup(NOTHING))
        assert not disk.put(record(2, whole=True))
        assert not disk.put(record(3))  # not before what waits
        await until(lambda: stored[-1:] == [3])

    assert play(tmp_path, story).batches == [[1], [], [2, 3]]


def test_a_quick_disk_that_refuses_is_tried_again_and_then_rescued(tmp_path: Path) -> None:
    async def story(disk: Disk, store: Recorder, stored: list[int]) -> None:
        disk.put(record(1))
        await until(lambda: stored == [1])
        store.errors = [OSError(28, "No space left on device")]
        assert not disk.put(record(2))
        await until(lambda: stored == [1, 2])
        assert disk.error == ""
        store.errors = [OSError(28, "No space left on device")] * 2
        disk.put(record(3))
        await until(lambda: disk.error != "")
        assert "No space left on device" in disk.error
        await until(lambda: stored == [1, 2, 3])
        assert disk.error == ""

    assert play(tmp_path, story).rescued == [3]
