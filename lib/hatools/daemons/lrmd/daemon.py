"""The shell around :class:`Operations`: socket, timer, agents. I/O."""

import asyncio
import logging
import time
from typing import Any, assert_never

from hatools.daemons.lrmd.operations import Effect, Kill, Operations, Report, Run
from hatools.daemons.lrmd.runner import AgentRunner
from hatools.ipc.client import Connection
from hatools.ipc.messages.lrm import (
    Accepted,
    CancelOperation,
    Execute,
    GetMetadata,
    ListResources,
    Metadata,
    RegisterResource,
    ResourceList,
    RunAlertAgent,
    SubscribeOperations,
    UnregisterResource,
)
from hatools.ipc.messages.session import Done
from hatools.ipc.messages.stonith import DeviceResult, RunDevice
from hatools.ipc.rights import Rights
from hatools.ipc.server import Client, Server
from hatools.runtime.daemon import Context
from hatools.runtime.inflight import InFlight
from hatools.values.agentname import CLASSES, AgentName
from hatools.values.errors import InputError, RemoteError
from hatools.values.exitcode import exit_text
from hatools.values.result import ExecStatus, OperationResult, exec_status_text

_log = logging.getLogger(__name__)

_SUBSCRIBED = "operations"
_FENCER_WAIT_S = 10.0
"""How long an operation of a fence device waits for stonithd to be there, before it fails."""

_ANSWER_MARGIN_S = 5.0


class Executor:
    """One node's lrmd."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._core = Operations()
        self._server = Server("lrmd", context.directories.socket("lrmd"), self._answer, policy=context.policy)
        self._in_flight = InFlight(context.directories.run / "lrmd-actions")
        self._runner = AgentRunner(context.directories, self._in_flight, self._ask_fencer)
        self._fencer: Connection | None = None
        self._fencer_lock = asyncio.Lock()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._stopping = False

    async def serve(self) -> int:
        """Work until told to stop."""
        self._in_flight.kill_leftovers()
        await self._server.open()
        self._context.ready()
        stop = asyncio.ensure_future(self._context.stopping.wait())
        await asyncio.wait((stop, self._server.failed), return_when=asyncio.FIRST_COMPLETED)
        self._stopping = True
        self._runner.kill_all()
        await self._server.close()
        if self._server.failed.done():
            self._server.failed.result()
        return 0

    async def _answer(self, client: Client, message: Any) -> Any:
        # Nothing is awaited before the core has seen a request: requests of one client keep their order.
        now = self._loop.time()
        match message:
            case Execute():
                client.require(Rights.FULL)
                _check(message)
                call_id, effects = self._core.execute(now, message)
                self._perform(effects)
                return Accepted(call_id)
            case RegisterResource(resource, standard, provider, type_):
                client.require(Rights.FULL)
                if standard not in CLASSES or not resource or not type_:
                    raise InputError(
                        f"{resource or 'a resource'} cannot be registered as {standard}:{provider}:{type_}"
                    )
                self._perform(self._core.register(now, resource, AgentName(standard, provider, type_)))
                return Done()
            case UnregisterResource(resource):
                client.require(Rights.FULL)
                self._perform(self._core.unregister(now, resource))
                return Done()
            case CancelOperation(resource, operation, interval_ms):
                client.require(Rights.FULL)
                self._perform(self._core.cancel(now, resource, operation, interval_ms))
                return Done()
            case SubscribeOperations():
                client.state[_SUBSCRIBED] = True
                return Done()
            case ListResources():
                return ResourceList(tuple(self._core.listing()))
            case RunAlertAgent():
                client.require(Rights.FULL)
                self._server.start(self._runner.alert(message))
                return Done()
            case GetMetadata(standard, provider, type_, timeout_ms):
                text = await self._runner.metadata(AgentName(standard, provider, type_), timeout_ms)
                return Metadata(text.encode())
        raise RemoteError(f"lrmd does not answer {type(message).__name__}")

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Run():
                    self._server.start(self._carry_out(effect))
                case Kill(call_id):
                    self._runner.kill(call_id)
                case Report(done):
                    _log.info(
                        "%s_%s_%s (call %s): %s, %s%s, after %s ms",
                        done.resource,
                        done.operation,
                        done.interval_ms,
                        done.call_id,
                        exec_status_text(done.exec_status),
                        exit_text(done.exit_status),
                        f" ({done.exit_reason})" if done.exit_reason else "",
                        done.exec_time_ms,
                    )
                    self._server.broadcast(
                        done, [client for client in self._server.clients.values() if client.state.get(_SUBSCRIBED)]
                    )
                case _:
                    assert_never(effect)
        self._arm()

    async def _carry_out(self, run: Run) -> None:
        last_run = int(time.time())
        _log.debug("call %s: %s of %s (%s)", run.call_id, run.operation, run.resource, run.agent)
        result: OperationResult = await self._runner.run(run)
        if self._stopping:
            return
        if result.exec_status is ExecStatus.TIMEOUT:
            _log.warning("%s of %s: %s", run.operation, run.resource, result.exit_reason)
        self._perform(self._core.finished(self._loop.time(), run.call_id, result, last_run=last_run))

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._core.deadline
        if deadline is not None:
            self._timer = self._loop.call_at(deadline, self._expire)

    def _expire(self) -> None:
        self._timer = None
        self._perform(self._core.expire(self._loop.time()))

    async def _ask_fencer(self, request: RunDevice) -> DeviceResult:
        async with self._fencer_lock:
            if self._fencer is None or self._fencer.closed.done():
                self._fencer = await Connection.open(
                    self._context.directories.socket("stonithd"),
                    "stonithd",
                    name="lrmd",
                    deadline_s=min(_FENCER_WAIT_S, request.timeout_ms / 1000),
                )
            fencer = self._fencer
        answer: DeviceResult = await fencer.request(request, timeout_s=request.timeout_ms / 1000 + _ANSWER_MARGIN_S)
        return answer


def _check(request: Execute) -> None:
    """Refuse what cannot be meant.

    Raises:
        InputError: a time is negative or the operation's name is none.
    """
    if min(request.interval_ms, request.timeout_ms, request.start_delay_ms) < 0:
        raise InputError(f"{request.operation} of {request.resource}: a time cannot be negative")
    if not request.operation or "/" in request.operation or request.operation.startswith("-"):
        raise InputError(f"{request.operation!r} cannot be an operation of {request.resource}")


async def serve(context: Context) -> int:
    """Run lrmd until told to stop."""
    return await Executor(context).serve()
