"""What the controller has done by the executor of its node: one thing after the other per resource. I/O.

The end of an operation is told by the executor itself, see :class:`~hatools.ipc.clients.lrm.LrmClient`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from hatools.agents.metadata import parse_metadata
from hatools.daemons.crmd import effects as does
from hatools.daemons.crmd.events import (
    Event,
    MetadataRead,
    OperationRefused,
    RecurringCancelled,
    ResourceForgotten,
)
from hatools.daemons.crmd.requests import alert_request, execute_request
from hatools.ipc.clients.lrm import LrmClient
from hatools.ipc.messages.lrm import OperationDone
from hatools.runtime.timestamps import alert_moment
from hatools.values.agentname import AgentName
from hatools.values.errors import DisconnectedError, HatoolsError, NoSuchObjectError
from hatools.values.result import ExecStatus

_log = logging.getLogger(__name__)

_CONNECT_S = 30.0


class LocalExecutor:
    """The executor as the controller uses it.

    Args:
        client: the connection to lrmd.
        tell: hands an event to the controller.
        fail: told of an error that nobody expected.
    """

    def __init__(self, client: LrmClient, tell: Callable[[Event], None], fail: Callable[[BaseException], None]) -> None:
        self._client = client
        self._tell = tell
        self._fail = fail
        self._tails: dict[str, asyncio.Future[Any]] = {}

    @classmethod
    async def connect(
        cls,
        path: Path,
        tell: Callable[[Event], None],
        fail: Callable[[BaseException], None],
        on_done: Callable[[OperationDone], None],
    ) -> "LocalExecutor":
        """Connect, and let go of what an earlier incarnation had watched: it is probed and watched again.

        Raises:
            HatoolsError: the executor is not there or does not answer.
        """
        client = await LrmClient.connect(path, name="crmd", on_done=on_done, deadline_s=_CONNECT_S)
        for resource in await client.resources():
            await client.unregister(resource.resource)
        return cls(client, tell, fail)

    @property
    def closed(self) -> "asyncio.Future[None]":
        """Done when the executor is gone."""
        return self._client.connection.closed

    def run(self, run: does.RunOperation) -> None:
        self._in_order(run.resource.name, partial(self._run, run))

    def cancel(self, cancel: does.CancelRecurring) -> None:
        self._in_order(cancel.resource, partial(self._cancel, cancel))

    def forget(self, forget: does.ForgetResource) -> None:
        self._in_order(forget.resource, partial(self._forget, forget))

    async def alert(self, alert: does.RunAlert) -> None:
        """Have an alert agent run."""
        try:
            await self._client.run_alert(alert_request(alert, alert_moment(alert.timestamp_format)))
        except HatoolsError as error:
            _log.warning("alert %s was not raised: %s", alert.id, error)

    async def read_metadata(self, effect: does.ReadMetadata) -> None:
        """Tell the controller what an agent says of itself, None if it says nothing that can be read."""
        resource = effect.resource
        found = None
        try:
            text = await self._client.metadata(AgentName(resource.standard, resource.provider, resource.type))
            found = parse_metadata(text)
        except DisconnectedError:
            return
        except HatoolsError as error:
            _log.info("no metadata of %s:%s:%s: %s", resource.standard, resource.provider, resource.type, error)
        self._tell(MetadataRead(resource, found))

    def _in_order(self, resource: str, work: Callable[[], Awaitable[None]]) -> None:
        before = self._tails.get(resource)

        async def run() -> None:
            if before is not None:
                await asyncio.wait((before,))
            await work()

        task = asyncio.ensure_future(run())
        self._tails[resource] = task

        def finished(done: "asyncio.Future[None]") -> None:
            if self._tails.get(resource) is done:
                del self._tails[resource]
            if not done.cancelled() and (error := done.exception()) is not None:
                self._fail(error)

        task.add_done_callback(finished)

    async def _run(self, run: does.RunOperation) -> None:
        resource = run.resource
        try:
            agent = AgentName(resource.standard, resource.provider, resource.type)
            await self._client.register_and_execute(agent, execute_request(run))
        except DisconnectedError:
            return
        except HatoolsError as error:
            self._tell(OperationRefused(run.key, str(error), int(ExecStatus.ERROR)))

    async def _cancel(self, cancel: does.CancelRecurring) -> None:
        try:
            await self._client.cancel(cancel.resource, cancel.operation, cancel.interval_ms)
        except NoSuchObjectError:
            _log.debug("%s_%s_%s was not running", cancel.resource, cancel.operation, cancel.interval_ms)
        except DisconnectedError:
            return
        if cancel.key:
            self._tell(RecurringCancelled(cancel.key))

    async def _forget(self, forget: does.ForgetResource) -> None:
        try:
            await self._client.unregister(forget.resource)
        except NoSuchObjectError:
            _log.debug("%s was not registered", forget.resource)
        except DisconnectedError:
            return
        self._tell(ResourceForgotten(forget.key, forget.resource))
