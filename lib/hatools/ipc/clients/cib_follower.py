"""A copy of the CIB in another daemon, kept true by the patches that cib sends. I/O.

The copy is a value like every document: a listener gets the next one and may keep the old. If cib goes away, the
follower connects again, takes the whole document, and sends again the writes that were not answered.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hatools.cib.document import Document, Version, parse_xml
from hatools.cib.patchset import apply_patch
from hatools.ipc.client import Connection
from hatools.ipc.messages.cib import (
    Batch,
    Changed,
    CibChanged,
    Lineage,
    LineageState,
    Query,
    QueryResult,
    Subscribe,
)
from hatools.values.errors import DeadlineError, DisconnectedError, HatoolsError

_log = logging.getLogger(__name__)

_RECONNECT_S = 0.05
_CONNECT_S = 60.0
_ANSWER_S = 60.0

OnDocument = Callable[[Document], None]
OnWritten = Callable[[int, Version | None, str], None]
"""Told of a write's end: its tag, the version it is part of, or the error."""


class CibFollower:
    """The CIB as this process sees it.

    Attributes:
        document: the latest content; None while it is being fetched anew.
    """

    def __init__(self, path: Path, name: str, on_document: OnDocument, on_written: OnWritten) -> None:
        self._path = path
        self._name = name
        self._on_document = on_document
        self._on_written = on_written
        self._connection: Connection | None = None
        self._asked: asyncio.Future[Any] | None = None
        """Whose answer the whole document is, until it is taken over."""
        self._writes: dict[int, Batch] = {}
        self._sent: set[int] = set()
        """The writes that the present connection carries."""
        self._reconnecting: asyncio.Task[None] | None = None
        self._closed = False
        self.document: Document | None = None

    async def connect(self) -> None:
        """Connect, take the whole document and follow it.

        Raises:
            DisconnectedError: no cib daemon is there.
            DeadlineError: it does not answer.
        """
        connection = await Connection.open(
            self._path, "cib", name=self._name, on_event=self._event, deadline_s=_CONNECT_S
        )
        self._connection = connection
        self._sent.clear()
        connection.closed.add_done_callback(self._lost)
        asked = self._ask(connection, Subscribe())
        done, _ = await asyncio.wait((asked,), timeout=_ANSWER_S)
        if not done:
            raise DeadlineError(f"cib did not answer within {_ANSWER_S:g} s")
        asked.result()

    def close(self) -> None:
        """Follow no more."""
        self._closed = True
        if self._reconnecting is not None:
            self._reconnecting.cancel()
        if self._connection is not None:
            self._connection.close()

    def write(self, tag: int, batch: Batch) -> None:
        """Have changes made as one; the end is told with this tag, once, whatever happens to cib meanwhile."""
        self._writes[tag] = batch
        self._send(tag)

    async def lineage(self, ring: str = "") -> LineageState | None:
        """Return where the replica stands, with ``ring`` as soon as it agrees there; None while cib is away."""
        if self._connection is None or self._connection.closed.done():
            return None
        try:
            state = await self._connection.request(Lineage(ring))
        except (DisconnectedError, DeadlineError):
            return None
        assert isinstance(state, LineageState)
        return state

    def _event(self, event: Any) -> None:
        if not isinstance(event, CibChanged):
            return
        self._take()
        if self.document is None:
            return  # the answer that is on its way knows of it
        version = self.document.version
        if event.replaced or not event.patch or Version(*event.before) != version:
            if event.replaced or Version(*event.after) > version:
                self._fetch()
            return
        root = apply_patch(self.document.root, parse_xml(event.patch), check_version=False)
        self.document = Document(root)
        self._on_document(self.document)

    def _fetch(self) -> None:
        """Take the whole document again; events that come meanwhile belong to it or are told afterwards."""
        self.document = None
        assert self._connection is not None
        self._ask(self._connection, Query())

    def _ask(self, connection: Connection, request: Query | Subscribe) -> "asyncio.Future[Any]":
        self._asked = asked = connection.submit(request)
        asked.add_done_callback(lambda _: self._take())
        return asked

    def _take(self) -> None:
        """Take over the answer with the whole document, if it has come.

        The loop tells of an answer only in its next turn, and an event that came right behind it is told before that:
        so each event looks here first, or the document would lack that change until the next one shows the gap.
        """
        asked = self._asked
        if asked is None or not asked.done():
            return
        self._asked = None
        if asked.cancelled() or isinstance(error := asked.exception(), DisconnectedError):
            return  # the whole document is taken once cib is back
        if error is not None:
            _log.warning("cib does not give its document: %s; connecting again", error)
            assert self._connection is not None
            self._connection.close()
            return
        answer = asked.result()
        assert isinstance(answer, QueryResult)
        self.document = Document(parse_xml(answer.xml))
        self._on_document(self.document)

    def _lost(self, _: "asyncio.Future[None]") -> None:
        if not self._closed and (self._reconnecting is None or self._reconnecting.done()):
            _log.warning("the connection to cib was lost: waiting for it to be back")
            self._reconnecting = asyncio.ensure_future(self._reconnect())

    async def _reconnect(self) -> None:
        while True:
            try:
                await self.connect()
                break
            except (DisconnectedError, DeadlineError):
                if self._connection is not None:
                    self._connection.close()  # one that does not answer is no better than none
                await asyncio.sleep(_RECONNECT_S)
        for tag in sorted(self._writes.keys() - self._sent):
            self._send(tag)

    def _send(self, tag: int) -> None:
        if self._connection is not None:
            self._sent.add(tag)
            answer = self._connection.submit(self._writes[tag])
            answer.add_done_callback(lambda done: self._written(tag, done))

    def _written(self, tag: int, answer: "asyncio.Future[Any]") -> None:
        error = None if answer.cancelled() else answer.exception()
        if isinstance(error, DisconnectedError):
            return  # sent again once cib is back
        self._writes.pop(tag, None)
        self._sent.discard(tag)
        if error is None:
            changed = answer.result()
            assert isinstance(changed, Changed)
            self._on_written(tag, Version(*changed.version), "")
        elif isinstance(error, HatoolsError):
            self._on_written(tag, None, str(error))
        else:
            raise error
