"""A follower of the CIB and a scripted cib daemon: what comes together, in which order, and what is lost."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hatools.cib.document import Document, Version, empty_document, format_xml
from hatools.cib.operations import Edit, perform_all
from hatools.cib.patchset import create_patch
from hatools.ipc.clients.cib_follower import CibFollower
from hatools.ipc.codec import Envelope, Kind, decode, encode
from hatools.ipc.frames import FrameReader, pack_frame
from hatools.ipc.messages.cib import Batch, Change, Changed, CibChanged, Query, QueryResult, Subscribe
from hatools.values.ciboperation import CibOperation


def next_document(before: Document) -> Document:
    """Return the document after one more change."""
    name = f"p{before.version.num_updates}"
    update = Document.parse(f'<cib><status><node_state id="{name}"/></status></cib>'.encode()).root[0][0]
    return perform_all(before, [Edit(CibOperation.CREATE, "status", "", update)], stamp=None).document


def triple(version: Version) -> tuple[int, int, int]:
    return (version.admin_epoch, version.epoch, version.num_updates)


def whole(document: Document) -> QueryResult:
    return QueryResult(format_xml(document.root, indent=None).encode(), triple(document.version))


def change(before: Document, after: Document, *, replaced: bool = False) -> CibChanged:
    patch = create_patch(before.root, after.root)
    xml = b"" if replaced or patch is None else format_xml(patch, indent=None).encode()
    return CibChanged(triple(before.version), triple(after.version), xml, "test", "node1", "test", replaced=replaced)


Script = Callable[[Any], list[Any]]
"""Given a request, the answer to it (first) and the events that follow it in the same packet."""


class ScriptedCib:
    """Answers as told; ``requests`` are what it was asked."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.requests: list[Any] = []
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        frames = FrameReader()
        while data := await reader.read(65536):
            for payload in frames.feed(data):
                envelope = decode(payload)
                if envelope.kind is Kind.REQUEST:
                    self.requests.append(envelope.message)
                    self.say(*self._script(envelope.message), answer_to=envelope.request_id)
        writer.close()

    def say(self, *messages: Any, answer_to: int = 0) -> None:
        """Send in one packet; the first message answers a request if its number is given."""
        frames = []
        for place, message in enumerate(messages):
            is_answer = answer_to and place == 0
            envelope = Envelope(Kind.ANSWER, answer_to, message) if is_answer else Envelope(Kind.EVENT, 0, message)
            frames.append(pack_frame(encode(envelope)))
        self.writers[-1].write(b"".join(frames))


class Following:
    """A follower and what it told."""

    def __init__(self, path: Path) -> None:
        self.seen: list[Version] = []
        self.written: list[int] = []
        self.react: Callable[[], None] = lambda: None
        self.follower = CibFollower(path, "test", self._see, lambda tag, *_: self.written.append(tag))

    def _see(self, document: Document) -> None:
        self.seen.append(document.version)
        self.react()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.005)


@asynccontextmanager
async def followed(root: Path, script: Script) -> AsyncIterator[tuple[ScriptedCib, Following]]:
    cib = ScriptedCib(script)
    path = root / "cib.sock"
    server = await asyncio.start_unix_server(cib.serve, path)
    following = Following(path)
    try:
        await following.follower.connect()
        yield cib, following
    finally:
        following.follower.close()
        server.close()


FIRST = empty_document()
SECOND = next_document(FIRST)
THIRD = next_document(SECOND)
FOURTH = next_document(THIRD)


def test_a_change_that_comes_with_the_first_document_is_part_of_it(tmp_path: Path) -> None:
    async def play() -> list[Version]:
        async with followed(tmp_path, lambda _: [whole(FIRST), change(FIRST, SECOND)]) as (_, following):
            await following.until(lambda: len(following.seen) == 2)
            return following.seen

    assert asyncio.run(play()) == [FIRST.version, SECOND.version]


def test_a_change_that_comes_right_behind_a_document_fetched_anew_is_not_lost(tmp_path: Path) -> None:
    """It may be the last one for a long time: a document without it would stay behind all that while."""

    def script(request: Any) -> list[Any]:
        return [whole(FIRST)] if isinstance(request, Subscribe) else [whole(THIRD), change(THIRD, FOURTH)]

    async def play() -> list[Version]:
        async with followed(tmp_path, script) as (cib, following):
            cib.say(change(SECOND, THIRD, replaced=True))
            await following.until(lambda: Query() in cib.requests and len(following.seen) == 3)
            return following.seen

    assert asyncio.run(play()) == [FIRST.version, THIRD.version, FOURTH.version]


def test_a_replacement_by_an_older_content_right_behind_a_document_is_fetched(tmp_path: Path) -> None:
    answers: list[list[Any]] = [[whole(FOURTH), change(FOURTH, SECOND, replaced=True)], [whole(SECOND)]]

    def script(request: Any) -> list[Any]:
        return [whole(FIRST)] if isinstance(request, Subscribe) else answers.pop(0)

    async def play() -> list[Version]:
        async with followed(tmp_path, script) as (cib, following):
            cib.say(change(THIRD, FOURTH))
            await following.until(lambda: len(following.seen) == 3)
            return following.seen

    assert asyncio.run(play()) == [FIRST.version, FOURTH.version, SECOND.version]


def test_changes_that_the_fetched_document_knows_of_are_not_made_twice(tmp_path: Path) -> None:
    def script(request: Any) -> list[Any]:
        return [whole(FIRST)] if isinstance(request, Subscribe) else [whole(FOURTH)]

    async def play() -> tuple[list[Version], int]:
        async with followed(tmp_path, script) as (cib, following):
            cib.say(change(SECOND, THIRD), change(THIRD, FOURTH))
            await following.until(lambda: len(following.seen) == 2)
            return following.seen, cib.requests.count(Query())

    assert asyncio.run(play()) == ([FIRST.version, FOURTH.version], 1)


def test_a_write_made_while_the_connection_comes_back_is_sent_once(tmp_path: Path) -> None:
    batch = Batch((Change(CibOperation.CREATE, "status", xml=b"<node_state/>"),))

    def script(request: Any) -> list[Any]:
        return [Changed(triple(SECOND.version))] if isinstance(request, Batch) else [whole(FIRST)]

    async def play() -> tuple[list[int], int]:
        async with followed(tmp_path, script) as (cib, following):
            # The connection is back then, and the follower has not gone on yet.
            following.react = lambda: following.follower.write(7, batch)
            cib.writers[0].close()
            await following.until(lambda: bool(following.written))
            await asyncio.sleep(0)
            return following.written, cib.requests.count(batch)

    assert asyncio.run(play()) == ([7], 1)
