"""The cib daemon on real sockets and a real disk, with a messaging daemon that has no network."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hatools.cib.document import Document, parse_xml
from hatools.cib.patchset import apply_patch
from hatools.daemons.cib.daemon import CibDaemon
from hatools.daemons.cib.store import Store
from hatools.ipc.client import Connection
from hatools.ipc.messages.cib import Batch, Change, Changed, CibChanged, Lineage, Query, Subscribe
from hatools.ipc.messages.messaging import DescribeRing
from hatools.runtime.daemon import Context, access_policy
from hatools.runtime.directories import Directories
from hatools.values.ciboperation import CibOperation
from hatools.values.errors import (
    AlreadyExistsError,
    HatoolsError,
    NotSupportedError,
    PermissionRefusedError,
    SchemaError,
    StaleError,
    SyntaxProblem,
    UnavailableError,
)
from tests.support.fake_messaging import FakeMessaging

DUMMY = b'<primitive id="d" class="ocf" provider="pacemaker" type="Dummy"/>'


class World:
    """One node's folders, its messaging, its cib daemon and a client."""

    def __init__(self, root: Path) -> None:
        self.directories = Directories(root)
        self.messaging = FakeMessaging(self.directories.socket("messaging"), os.geteuid())
        self.events: list[Any] = []
        self.client: Connection

    async def ask(self, message: Any) -> Any:
        return await self.client.request(message, timeout_s=20)

    async def create(self, xml: bytes, section: str = "resources", **more: Any) -> Any:
        return await self.ask(Change(CibOperation.CREATE, section, xml=xml, **more))

    async def document(self) -> Document:
        return Document.parse((await self.ask(Query())).xml)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds; events tell when to look again, a deadline bounds it."""
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.01)


@asynccontextmanager
async def world(root: Path, *, with_messaging: bool = True) -> AsyncIterator[World]:
    here = World(root)
    here.directories.prepare()
    if with_messaging:
        await here.messaging.open()
    context = Context("cib", here.directories, access_policy())
    daemon = asyncio.create_task(CibDaemon(context).run())
    here.client = await Connection.open(
        here.directories.socket("cib"), "cib", name="test", on_event=here.events.append, deadline_s=10
    )
    try:
        if with_messaging:
            async with asyncio.timeout(20):
                while not (await here.ask(Lineage())).synchronised:
                    await asyncio.sleep(0.01)
        yield here
    finally:
        context.stopping.set()
        async with asyncio.timeout(20):
            await daemon
        await here.messaging.close()


def in_world(root: Path, play: Callable[[World], Awaitable[None]], **options: Any) -> None:
    async def run() -> None:
        async with world(root, **options) as here:
            await play(here)

    asyncio.run(run())


def test_a_write_is_answered_and_found_after_a_restart(tmp_path: Path) -> None:
    async def write(here: World) -> None:
        answer = await here.create(DUMMY)
        assert answer == Changed((0, 2, 0))

    async def read(here: World) -> None:
        document = await here.document()
        assert document.by_id("d") is not None
        assert document.root.get("update-client") == "test"

    in_world(tmp_path, write)
    in_world(tmp_path, read)


def test_the_status_is_not_kept(tmp_path: Path) -> None:
    async def write(here: World) -> None:
        await here.create(b'<node_state id="1" uname="node1"/>', "status")
        assert (await here.document()).root.find("status/node_state") is not None

    async def read(here: World) -> None:
        assert (await here.document()).root.find("status/node_state") is None

    in_world(tmp_path, write)
    in_world(tmp_path, read)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (Change(CibOperation.CREATE, "resources", xml=b"<primitive"), SyntaxProblem),
        (Change(CibOperation.CREATE, "resources", xml=b'<primitive id="x"/>'), SchemaError),
        (Change(CibOperation.CREATE, "resources", xml=DUMMY), AlreadyExistsError),
        (Change(CibOperation.MODIFY, "resources", xml=DUMMY, expected=(0, 1, 0)), StaleError),
        (Change(CibOperation.REPLACE, xml=b"<cib/>"), StaleError),
    ],
)
def test_a_bad_write_is_refused_with_its_reason_and_changes_nothing(
    tmp_path: Path, change: Change, error: type[HatoolsError]
) -> None:
    async def play(here: World) -> None:
        await here.create(DUMMY)
        before = str(await here.document())
        with pytest.raises(error):
            await here.ask(change)
        assert str(await here.document()) == before

    in_world(tmp_path, play)


def test_what_exists_already_is_named(tmp_path: Path) -> None:
    async def play(here: World) -> None:
        await here.create(DUMMY)
        with pytest.raises(AlreadyExistsError) as caught:
            await here.create(DUMMY)
        assert 'object_type="primitive"' in caught.value.details

    in_world(tmp_path, play)


def test_a_batch_is_made_as_one_or_not_at_all(tmp_path: Path) -> None:
    first = Change(CibOperation.CREATE, "resources", xml=DUMMY)
    second = Change(CibOperation.CREATE, "nodes", xml=b'<node id="1" uname="node1"/>')

    async def play(here: World) -> None:
        with pytest.raises(AlreadyExistsError):
            await here.ask(Batch((first, second, first)))
        assert (await here.document()).by_id("d") is None
        assert (await here.ask(Batch((first, second)))).version == (0, 2, 0)

    in_world(tmp_path, play)


def test_subscribers_get_patches_that_lead_to_the_new_cib(tmp_path: Path) -> None:
    async def play(here: World) -> None:
        root = parse_xml((await here.ask(Subscribe())).xml)
        await here.create(DUMMY)
        await here.create(b'<node_state id="1" uname="node1"/>', "status")
        await here.until(lambda: len(here.events) == 2)
        for event in here.events:
            assert isinstance(event, CibChanged)
            root = apply_patch(root, parse_xml(event.patch))
        assert str(Document(root)) == str(await here.document())

    in_world(tmp_path, play)


def test_a_rehearsal_shows_the_result_and_changes_nothing(tmp_path: Path) -> None:
    async def play(here: World) -> None:
        answer = await here.create(DUMMY, dry_run=True)
        assert b'<primitive id="d"' in answer.xml
        assert (await here.document()).by_id("d") is None

    in_world(tmp_path, play)


def test_lists_bind_a_delegated_user(tmp_path: Path) -> None:
    acls = (
        b'<cib><configuration><acls><acl_target id="nobody"><role id="r"/></acl_target><acl_role id="r">'
        b'<acl_permission id="p" kind="read" xpath="//nodes"/></acl_role></acls></configuration></cib>'
    )
    options = b'<cluster_property_set id="s"><nvpair id="s-a" name="enable-acl" value="true"/></cluster_property_set>'

    async def play(here: World) -> None:
        await here.ask(Change(CibOperation.MODIFY, xml=acls))
        await here.create(options, "crm_config")
        with pytest.raises(PermissionRefusedError):
            await here.create(DUMMY, user="nobody")
        seen = parse_xml((await here.ask(Query(user="nobody"))).xml)
        assert [part.tag for part in seen.iter()] == ["cib", "configuration", "nodes"]
        await here.create(DUMMY)

    in_world(tmp_path, play)


def test_without_room_on_the_disk_a_write_is_refused_and_the_node_lives_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play(here: World) -> None:
        monkeypatch.setattr(Store, "has_room", lambda *_: False)
        with pytest.raises(UnavailableError, match="no space"):
            await here.create(DUMMY)
        await here.create(b'<node_state id="1" uname="node1"/>', "status")
        monkeypatch.undo()
        async with asyncio.timeout(20):
            while True:
                try:
                    await here.create(DUMMY)
                except UnavailableError:
                    await asyncio.sleep(0.05)
                    continue
                break

    in_world(tmp_path, play)


def test_a_disk_that_refuses_delays_the_answer_until_it_takes_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    async def play(here: World) -> None:
        monkeypatch.setattr(Store, "write", refuse)
        waiting = asyncio.create_task(here.create(DUMMY))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        monkeypatch.undo()
        assert (await waiting).version == (0, 2, 0)

    in_world(tmp_path, play)
    assert Store(Directories(tmp_path).cib).load().document.by_id("d") is not None


def test_writes_wait_for_messaging_to_come_back(tmp_path: Path) -> None:
    async def play(here: World) -> None:
        await here.create(DUMMY)
        here.messaging.deaf = True
        waiting = asyncio.create_task(here.create(DUMMY.replace(b'"d"', b'"e"')))
        await asyncio.sleep(0.05)
        await here.messaging.close()
        assert (await here.document()).by_id("d") is not None
        here.messaging = FakeMessaging(here.directories.socket("messaging"), os.geteuid())
        await here.messaging.open()
        assert (await waiting).version == (0, 3, 0)

    in_world(tmp_path, play)


def test_reads_are_answered_without_messaging(tmp_path: Path) -> None:
    async def play(here: World) -> None:
        assert (await here.document()).root.tag == "cib"
        with pytest.raises(UnavailableError):
            await here.create(DUMMY)

    in_world(tmp_path, play, with_messaging=False)


def test_garbage_from_a_peer_or_a_client_changes_nothing(tmp_path: Path) -> None:
    async def play(here: World) -> None:
        here.messaging.deliver(b"\x00\x01garbage", sender=2)
        with pytest.raises(NotSupportedError):
            await here.ask(DescribeRing())
        await here.create(DUMMY)

    in_world(tmp_path, play)
