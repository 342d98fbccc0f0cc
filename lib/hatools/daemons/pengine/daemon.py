"""The scheduler's daemon: answers what the next transition is, keeps the inputs. I/O.

A calculation runs in a thread, so that the socket answers meanwhile; one at a time, and when several questions
wait only the newest is worth an answer of its own.
"""

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hatools.cib.document import Document, format_xml
from hatools.daemons.pengine.archive import Archive, Slot, with_execution_date
from hatools.ipc.messages.pengine import ScheduleRequest, ScheduleResult
from hatools.ipc.rights import Rights
from hatools.ipc.server import Client, Server
from hatools.runtime.daemon import Context
from hatools.runtime.logs import notice
from hatools.scheduler.schedule import Schedule, schedule
from hatools.transition.xml import format_graph
from hatools.values.errors import RemoteError
from hatools.values.iso8601 import Moment

_log = logging.getLogger(__name__)

_SLOW_S = 30.0
"""A calculation longer than this deserves a warning."""


class SchedulerDaemon:
    """One node's pengine."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._archive = Archive(context.directories.pengine)
        self._server = Server("pengine", context.directories.socket("pengine"), self._answer, policy=context.policy)
        self._turn = asyncio.Lock()
        self._saving = ThreadPoolExecutor(max_workers=1, thread_name_prefix="saving")
        """Inputs are saved one after the other, behind the answer: no fencing waits for a compression."""
        self._count = 0

    async def serve(self) -> int:
        """Work until told to stop."""
        await self._server.open()
        self._context.ready()
        stop = asyncio.ensure_future(self._context.stopping.wait())
        await asyncio.wait((stop, self._server.failed), return_when=asyncio.FIRST_COMPLETED)
        await self._server.close()
        await asyncio.to_thread(self._saving.shutdown)
        if self._server.failed.done():
            self._server.failed.result()
        return 0

    async def _answer(self, client: Client, message: Any) -> Any:
        if not isinstance(message, ScheduleRequest):
            raise RemoteError(f"pengine does not answer {type(message).__name__}")
        client.require(Rights.FULL)
        async with self._turn:
            if message.rehearsal:
                return await asyncio.to_thread(_rehearse, message.cib)
            number = self._count
            self._count += 1
            return await asyncio.to_thread(self._calculate, message.cib, number)

    def _calculate(self, xml: bytes, number: int) -> ScheduleResult:
        begun = time.monotonic()
        epoch = int(time.time())
        document = Document.parse(xml)
        decided = schedule(document, Moment.from_epoch(epoch), transition_id=number, record_scores=False)
        quality = quality_of(decided)
        slot = self._archive.reserve(document, quality, xml)
        took = time.monotonic() - begun
        self._report(decided, slot, took)
        self._saving.submit(self._save, slot, document, epoch)
        return ScheduleResult(
            graph=format_graph(decided.graph).encode("utf-8", "surrogateescape"),
            input_file=str(slot.path or ""),
            quality=quality,
            recheck_by=decided.graph.recheck_by,
        )

    def _save(self, slot: Slot, document: Document, epoch: int) -> None:
        if slot.path is None:
            return
        try:
            self._archive.save(slot, format_xml(with_execution_date(document.root, epoch)))
        except OSError as error:
            _log.error("the scheduler's input could not be kept in %s: %s", slot.path, error.strerror)

    def _report(self, decided: Schedule, slot: Slot, took: float) -> None:
        for finding in decided.findings:
            level = {"error": logging.ERROR, "warning": logging.WARNING}.get(finding.severity, logging.INFO)
            _log.log(level, "%s", finding.text)
        words = {"error": " (with errors)", "warn": " (with warnings)"}.get(slot.quality, "")
        notice(_log, "Calculated a transition%s in %.0f ms, saving inputs in %s", words, took * 1000, slot.path)
        if took > _SLOW_S:
            _log.warning("the calculation took %.1f s", took)


def _rehearse(xml: bytes) -> ScheduleResult:
    """Calculate without a trace."""
    decided = schedule(Document.parse(xml), Moment.from_epoch(int(time.time())), record_scores=False)
    graph = format_graph(decided.graph).encode("utf-8", "surrogateescape")
    return ScheduleResult(graph, "", quality_of(decided))


def quality_of(decided: Schedule) -> str:
    """Return the series an input belongs to: ``error``, ``warn`` or ``input``."""
    severities = {finding.severity for finding in decided.findings if finding.processing}
    return "error" if "error" in severities else "warn" if "warning" in severities else "input"


async def serve(context: Context) -> int:
    """Run pengine until told to stop."""
    return await SchedulerDaemon(context).serve()
