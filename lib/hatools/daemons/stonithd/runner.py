"""Runs fence agents: queues per device, delays, tries, time limits. I/O."""

import asyncio
import errno
import logging
import os
import random
import sys
from collections.abc import Mapping
from pathlib import Path

from hatools.agents.catalog import Catalog, metadata_arguments, metadata_environment
from hatools.agents.environment import base_environment
from hatools.agents.fence import STATUS_OFF, STATUS_ON, action_tries, agent_input, fencing_delay, parse_list_output
from hatools.agents.metadata import AgentMetadata, parse_metadata
from hatools.daemons.stonithd.devices import ActionQueue, Device
from hatools.ipc.messages.stonith import DeviceResult
from hatools.runtime.commands import commands_folder
from hatools.runtime.directories import Directories
from hatools.runtime.inflight import InFlight
from hatools.runtime.process import AgentProcess, Command, ProcessResult, run_process
from hatools.runtime.secrets import with_secrets
from hatools.values.agentname import AgentName
from hatools.values.duration import format_readable_interval
from hatools.values.errors import HatoolsError, NoSuchObjectError
from hatools.values.exitcode import ExitCode
from hatools.values.result import ExecStatus

_log = logging.getLogger(__name__)

RETRY_PAUSE_S = 1.0
"""Between two tries: power switches need a rest."""

_LIST_LIMIT = 1024 * 1024
_METADATA_LIMIT = 4 * 1024 * 1024
_METADATA_TIMEOUT_MS = 30_000

FENCING = frozenset({"on", "off", "reboot"})


class DeviceRunner:
    """Runs the agents of one node's fence devices."""

    def __init__(self, directories: Directories, in_flight: InFlight) -> None:
        self._directories = directories
        self._in_flight = in_flight
        self.catalog = Catalog.from_environment({**os.environ, "HATOOLS_ROOT": str(directories.root)})
        self._environment = base_environment(
            os.environ,
            service="pacemaker-fenced",
            root=str(directories.root),
            node_name=os.environ.get("HATOOLS_NODE_NAME", ""),
            commands=commands_folder(),
            python=sys.executable,
            log_file=str(directories.log_file),
        )
        self._environment["OCF_OUTPUT_FORMAT"] = "log"
        self._folder = str(directories.cores) if directories.cores.is_dir() else None
        self._queues: dict[str, ActionQueue] = {}
        self._turns: dict[int, asyncio.Future[None]] = {}
        self._last_job = 0
        self._metadata: dict[Path, tuple[int, AgentMetadata]] = {}

    async def execute(
        self,
        device: Device,
        action: str,
        *,
        target: str = "",
        target_id: str = "",
        timeout_ms: int,
        delay_ms: int = 0,
    ) -> DeviceResult:
        """Run an action of a device when it is its turn; a failing one is tried again while there is time.

        ``delay_ms`` is added to the device's own delay before off and reboot; -1 switches that off.
        """
        if action in ("off", "reboot"):
            await self._wait_before_fencing(device, target, delay_ms)
        queue = self._queues.get(device.name)
        if queue is None:
            queue = self._queues[device.name] = ActionQueue.of(device.config)
        self._last_job += 1
        job = self._last_job
        turn = self._turns[job] = asyncio.get_running_loop().create_future()
        self._let_start(queue.add(job, urgent=action in FENCING))
        try:
            await turn
            return await self._try(device, device.effective_action(action), target, target_id, timeout_ms)
        finally:
            self._turns.pop(job, None)
            self._let_start(queue.remove(job))
            if queue.idle and self._queues.get(device.name) is queue:
                del self._queues[device.name]  # the next one follows the configuration of its time

    async def metadata(self, agent: str) -> AgentMetadata:
        """Return a fence agent's metadata, asked once for each version of its file.

        Raises:
            NoSuchObjectError, HatoolsError: there is none.
        """
        path = self.catalog.find_fence_agent(agent)
        if path is None:
            raise NoSuchObjectError(f"there is no fence agent {agent} on this node")
        version = path.stat().st_mtime_ns
        known = self._metadata.get(path)
        if known is not None and known[0] == version:
            return known[1]
        name = AgentName("stonith", "", agent)
        command = Command(
            metadata_arguments(name, path),
            {**self._environment, **metadata_environment(name, self.catalog)},
            timeout_ms=_METADATA_TIMEOUT_MS,
            directory=self._folder,
            output_limit=_METADATA_LIMIT,
        )
        try:
            result = await run_process(command)
        except OSError as error:
            raise HatoolsError(f"{path} cannot be run: {error.strerror}") from None
        if result.timed_out or result.exit_status != 0:
            raise HatoolsError(f"{agent} printed no metadata (exit status {result.exit_status})")
        metadata = parse_metadata(result.stdout)
        self._metadata[path] = (version, metadata)
        return metadata

    async def list_targets(self, device: Device, timeout_ms: int) -> tuple[str, ...] | None:
        """Ask a device what it can fence; None if it does not tell."""
        result = await self.execute(device, "list", timeout_ms=timeout_ms)
        if result.exec_status != ExecStatus.DONE or result.exit_status != 0:
            _log.warning("fence device %s gave no list of targets: %s", device.name, result.reason or result.output)
            return None
        return parse_list_output(result.output)

    async def can_reach(self, device: Device, target: str, timeout_ms: int) -> bool:
        """Ask a device for the status of a node: whoever knows whether it is on or off can fence it."""
        result = await self.execute(device, "status", target=target, timeout_ms=timeout_ms)
        return result.exec_status == ExecStatus.DONE and result.exit_status in (STATUS_ON, STATUS_OFF)

    async def run_once(
        self,
        agent: str,
        parameters: Mapping[str, str],
        action: str,
        *,
        target: str = "",
        target_id: str = "",
        plug: str = "",
        metadata: AgentMetadata | None = None,
        timeout_ms: int,
    ) -> DeviceResult:
        """Run an agent one time, without a queue."""
        path = self.catalog.find_fence_agent(agent)
        if path is None:
            return DeviceResult(
                int(ExecStatus.NOT_INSTALLED), int(ExitCode.NOT_INSTALLED), "", f"fence agent {agent} is not installed"
            )
        text = agent_input(parameters, action, target=target, target_id=target_id, plug=plug, metadata=metadata)
        command = Command(
            (str(path),),
            self._environment,
            stdin=text,
            timeout_ms=timeout_ms,
            directory=self._folder,
            output_limit=_LIST_LIMIT,
        )
        what = f"{action} by {agent}" + (f" for {target}" if target else "")
        try:
            process = AgentProcess(command, on_start=lambda pid: self._in_flight.add(pid, what))
        except OSError as error:
            status = ExecStatus.NOT_INSTALLED if error.errno == errno.ENOENT else ExecStatus.ERROR
            return DeviceResult(int(status), int(ExitCode.ERROR), "", f"{path}: {error.strerror}")
        try:
            result = await asyncio.shield(process.result)
        except asyncio.CancelledError:
            process.kill()
            raise
        finally:
            self._in_flight.remove(process.pid)
        return _judge(agent, action, result, timeout_ms)

    async def _try(self, device: Device, action: str, target: str, target_id: str, timeout_ms: int) -> DeviceResult:
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout_ms / 1000
        try:
            parameters = with_secrets(self._directories, device.name, device.config.parameters)
        except HatoolsError as error:
            _log.warning("%s", error)
            return DeviceResult(
                int(ExecStatus.NO_SECRETS), int(ExitCode.NOT_CONFIGURED), "", "Failed to get CIB secrets"
            )
        tries = action_tries(device.config.parameters, action)
        while True:
            tries -= 1
            remaining_ms = max(1, int((end - loop.time()) * 1000))
            result = await self.run_once(
                device.config.agent,
                parameters,
                action,
                target=target,
                target_id=target_id,
                plug=device.plug(target) if target else "",
                metadata=device.metadata,
                timeout_ms=remaining_ms,
            )
            # A node that is off is an answer, and an agent that is not there will not come by itself.
            final = result.exec_status in (ExecStatus.DONE, ExecStatus.NOT_INSTALLED)
            if final or tries <= 0 or end - loop.time() <= RETRY_PAUSE_S:
                return _with_whole_time(result, timeout_ms)
            _log.warning("%s by %s failed (%s), trying again", action, device.name, result.reason)
            await asyncio.sleep(RETRY_PAUSE_S)

    async def _wait_before_fencing(self, device: Device, target: str, delay_ms: int) -> None:
        if delay_ms < 0:
            return
        own = fencing_delay(device.config.parameters, target).pick(random.random())
        if own + delay_ms > 0:
            _log.info("fencing %s with %s begins in %s ms", target, device.name, own + delay_ms)
            await asyncio.sleep((own + delay_ms) / 1000)

    def _let_start(self, jobs: list[int]) -> None:
        for job in jobs:
            turn = self._turns.get(job)
            if turn is not None and not turn.done():
                turn.set_result(None)


def _judge(agent: str, action: str, result: ProcessResult, timeout_ms: int) -> DeviceResult:
    output = result.stdout
    if result.timed_out:
        reason = f"Fence agent did not complete within {format_readable_interval(timeout_ms)}"
        return DeviceResult(int(ExecStatus.TIMEOUT), int(ExitCode.ERROR), output, reason)
    if result.exit_status < 0:
        return DeviceResult(
            int(ExecStatus.ERROR), int(ExitCode.ERROR), output, f"{agent} was killed by signal {result.signal}"
        )
    if result.exit_status == 0 or (action == "status" and result.exit_status == STATUS_OFF):
        return DeviceResult(int(ExecStatus.DONE), result.exit_status, output)
    words = [line.strip() for line in (result.stderr or result.stdout).splitlines() if line.strip()]
    reason = words[-1] if words else f"{agent} ended with status {result.exit_status}"
    return DeviceResult(int(ExecStatus.ERROR), int(ExitCode.ERROR), output, reason[-500:])


def _with_whole_time(result: DeviceResult, timeout_ms: int) -> DeviceResult:
    """Name the whole time in the reason of a timeout: a later try had less, but that was all there was left."""
    if result.exec_status != ExecStatus.TIMEOUT:
        return result
    reason = f"Fence agent did not complete within {format_readable_interval(timeout_ms)}"
    return DeviceResult(result.exec_status, result.exit_status, result.output, reason)
