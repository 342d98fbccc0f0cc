"""Carries out lrmd's operations with real agents. I/O.

Each class of agents has its own way: OCF agents and init scripts are processes, systemd units are driven over D-Bus,
and fence devices belong to stonithd, which is asked to do it.
"""

import asyncio
import errno
import logging
import os
import pwd
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from hatools.agents.catalog import Catalog, metadata_arguments, metadata_environment, systemd_metadata
from hatools.agents.environment import base_environment, lab_refusal
from hatools.agents.lsb import lsb_exit_status, lsb_metadata, script_action
from hatools.agents.ocf import (
    EXIT_REASON_PREFIX,
    ended_by_signal,
    exit_reason,
    kept_output,
    ocf_result,
    ocf_variables,
    timed_out,
)
from hatools.agents.systemd import Systemd
from hatools.daemons.lrmd.operations import Run
from hatools.ipc.messages.lrm import RunAlertAgent
from hatools.ipc.messages.stonith import DeviceResult, RunDevice
from hatools.runtime.commands import commands_folder
from hatools.runtime.directories import CLUSTER_USER, Directories
from hatools.runtime.inflight import InFlight
from hatools.runtime.process import AgentProcess, Command, ProcessResult, run_process
from hatools.runtime.secrets import with_secrets
from hatools.values.agentname import AgentName
from hatools.values.errors import DeadlineError, HatoolsError, NoSuchObjectError, UnavailableError
from hatools.values.exitcode import ExitCode
from hatools.values.result import ExecStatus, OperationResult

_log = logging.getLogger(__name__)

_METADATA_LIMIT = 4 * 1024 * 1024
"""Bytes of metadata that are taken from an agent; the largest known has 0.1 MB."""

AskFencer = Callable[[RunDevice], Awaitable[DeviceResult]]


class AgentRunner:
    """Runs agents for one node.

    Args:
        ask_fencer: passes a request to stonithd and returns its answer.
    """

    def __init__(self, directories: Directories, in_flight: InFlight, ask_fencer: AskFencer) -> None:
        self._directories = directories
        self._in_flight = in_flight
        self._ask_fencer = ask_fencer
        self._systemd = Systemd()
        self._metadata: dict[Path, tuple[int, str]] = {}
        self._running: dict[int, AgentProcess | asyncio.Task[OperationResult]] = {}
        self.catalog = Catalog.from_environment({**os.environ, "HATOOLS_ROOT": str(directories.root)})
        self._environment = base_environment(
            os.environ,
            service="pacemaker-execd",
            root=str(directories.root),
            node_name=os.environ.get("HATOOLS_NODE_NAME", ""),
            commands=commands_folder(),
            python=sys.executable,
            log_file=str(directories.log_file),
        )
        self._folder = str(directories.cores) if directories.cores.is_dir() else None

    async def run(self, run: Run) -> OperationResult:
        """Carry out one operation, whatever becomes of it."""
        agent = run.agent
        if agent.standard == "service":
            agent = self.catalog.resolve_service(agent.type)
        refusal = lab_refusal(str(agent), self._environment)
        if refusal and run.operation == "stop":
            return OperationResult(ExecStatus.DONE, int(ExitCode.OK))  # it was never started
        if refusal:
            return OperationResult(ExecStatus.NOT_INSTALLED, int(ExitCode.NOT_INSTALLED), refusal)
        try:
            parameters = with_secrets(self._directories, run.resource, run.parameters, lenient=run.operation == "stop")
        except HatoolsError as error:
            _log.warning("%s", error)
            return OperationResult(
                ExecStatus.NO_SECRETS, int(ExitCode.NOT_CONFIGURED), "Failed to retrieve CIB secrets"
            )
        match agent.standard:
            case "ocf" | "lsb":
                return await self._run_program(run, agent, parameters)
            case "systemd":
                return await self._bounded(run, self._systemd.operate(run.operation, agent.type))
            case "stonith":
                return await self._bounded(run, self._run_device(run, agent, parameters))
        return OperationResult(
            ExecStatus.NOT_INSTALLED, int(ExitCode.NOT_INSTALLED), f"agents of class {agent.standard} are not supported"
        )

    async def alert(self, request: RunAlertAgent) -> None:
        """Call the program of an alert; what comes of it is a matter for the log."""
        environment = self._environment | request.environment
        command = Command(
            (request.path,),
            environment,
            timeout_ms=request.timeout_ms,
            directory=self._folder,
            user=_alert_user(self._directories),
        )
        try:
            result = await run_process(command)
        except OSError as error:
            _log.warning("alert %s: %s cannot be called: %s", request.id, request.path, error.strerror)
            return
        if result.timed_out:
            _log.warning("alert %s: %s took longer than %s ms", request.id, request.path, request.timeout_ms)
        elif result.exit_status != 0:
            _log.warning("alert %s: %s ended with status %s", request.id, request.path, result.exit_status)
        else:
            _log.info("alert %s: %s was called", request.id, request.path)

    def kill(self, call_id: int) -> None:
        """End a running operation at once."""
        match self._running.get(call_id):
            case AgentProcess() as process:
                process.kill()
            case asyncio.Task() as task:
                task.cancel()

    def kill_all(self) -> None:
        """End everything that runs (the executor itself ends)."""
        for call_id in list(self._running):
            self.kill(call_id)
        self._systemd.close()

    async def _run_program(self, run: Run, agent: AgentName, parameters: dict[str, str]) -> OperationResult:
        path = self.catalog.find(agent)
        if path is None:
            return _not_installed(agent)
        action = script_action(run.operation) if agent.standard == "lsb" else run.operation
        environment = dict(self._environment)
        if agent.standard == "ocf":
            environment |= ocf_variables(agent, run.resource, parameters, ocf_root=str(self.catalog.ocf_root))
        else:
            environment["OCF_OUTPUT_FORMAT"] = "text"
        command = Command(
            (str(path), action),
            environment,
            timeout_ms=run.timeout_ms,
            directory=self._folder,
            kept_line=EXIT_REASON_PREFIX.encode(),
        )
        what = f"{run.operation} of {run.resource}"
        try:
            process = AgentProcess(command, on_start=lambda pid: self._in_flight.add(pid, what))
        except OSError as error:
            return _not_executed(agent, path, error)
        self._running[run.call_id] = process
        try:
            result = await process.result
        finally:
            self._running.pop(run.call_id, None)
            self._in_flight.remove(process.pid)
        if result.leaked:
            _log.error("%s cannot be killed: process %s is stuck in the kernel", what, process.pid)
        return _judge(run, agent, result)

    async def _bounded(self, run: Run, work: Awaitable[OperationResult]) -> OperationResult:
        """Run what is no process of ours, within the operation's time."""
        started = asyncio.get_running_loop().time()

        async def limited() -> OperationResult:
            async with asyncio.timeout(run.timeout_ms / 1000 if run.timeout_ms else None):
                return await work

        task = asyncio.get_running_loop().create_task(limited())
        self._running[run.call_id] = task
        try:
            result = await task
        except TimeoutError:
            what = "Fence agent" if run.agent.standard == "stonith" else "Resource agent"
            result = timed_out(what, run.timeout_ms)
        except asyncio.CancelledError:
            if not task.cancelled():
                task.cancel()
                raise
            result = OperationResult(ExecStatus.CANCELLED, int(ExitCode.ERROR))
        finally:
            self._running.pop(run.call_id, None)
        elapsed_ms = int((asyncio.get_running_loop().time() - started) * 1000)
        return OperationResult(result.exec_status, result.exit_status, result.exit_reason, result.output, elapsed_ms)

    async def _run_device(self, run: Run, agent: AgentName, parameters: dict[str, str]) -> OperationResult:
        action = "probe" if run.operation == "monitor" and not run.recurring else run.operation
        request = RunDevice(
            name=run.resource, action=action, timeout_ms=run.timeout_ms, agent=agent.type, parameters=parameters
        )
        try:
            answer = await self._ask_fencer(request)
        except DeadlineError:
            return timed_out("Fence agent", run.timeout_ms)
        except UnavailableError as error:
            return OperationResult(ExecStatus.NOT_CONNECTED, int(ExitCode.ERROR), str(error))
        except HatoolsError as error:
            return OperationResult(ExecStatus.ERROR, int(ExitCode.ERROR), str(error))
        return OperationResult(ExecStatus(answer.exec_status), answer.exit_status, answer.reason, answer.output)

    async def metadata(self, agent: AgentName, timeout_ms: int) -> str:
        """Return an agent's metadata; asked once for each version of the agent's file.

        Raises:
            NoSuchObjectError, DeadlineError, HatoolsError: there is none.
        """
        if agent.standard == "service":
            agent = self.catalog.resolve_service(agent.type)
        if agent.standard == "systemd":
            return systemd_metadata(agent.type)
        path = self.catalog.find(agent)
        if path is None:
            raise NoSuchObjectError(f"there is no agent {agent}")
        version = path.stat().st_mtime_ns
        known = self._metadata.get(path)
        if known is not None and known[0] == version:
            return known[1]
        if agent.standard == "lsb":
            text = lsb_metadata(agent.type, path.read_text(encoding="utf-8", errors="replace"))
        else:
            text = await self._ask_metadata(agent, path, timeout_ms)
        self._metadata[path] = (version, text)
        return text

    async def _ask_metadata(self, agent: AgentName, path: Path, timeout_ms: int) -> str:
        environment = {**self._environment, **metadata_environment(agent, self.catalog)}
        command = Command(
            metadata_arguments(agent, path),
            environment,
            timeout_ms=timeout_ms,
            directory=self._folder,
            output_limit=_METADATA_LIMIT,
        )
        try:
            result = await run_process(command)
        except OSError as error:
            raise HatoolsError(f"{agent} ({path}) cannot be run: {error.strerror}") from None
        if result.timed_out:
            raise DeadlineError(f"{agent} did not print its metadata within {timeout_ms} ms")
        if result.exit_status != 0 or not result.stdout.strip():
            raise HatoolsError(f"{agent} printed no metadata (exit status {result.exit_status})")
        return result.stdout


def _alert_user(directories: Directories) -> str:
    """Return the account that programs of alerts run with: the cluster's, where we may choose and it exists."""
    if os.geteuid() != 0 or not directories.is_system:
        return ""
    try:
        return pwd.getpwnam(CLUSTER_USER).pw_name
    except KeyError:
        return ""


def _judge(run: Run, agent: AgentName, result: ProcessResult) -> OperationResult:
    """Say what a finished process means."""
    if result.timed_out:
        return timed_out(
            "Resource agent",
            run.timeout_ms,
            stdout=result.stdout,
            stderr=result.stderr,
            exec_time_ms=result.duration_ms,
        )
    if result.exit_status < 0:
        return ended_by_signal(
            result.signal, stdout=result.stdout, stderr=result.stderr, exec_time_ms=result.duration_ms
        )
    if agent.standard == "lsb":
        return OperationResult(
            ExecStatus.DONE,
            lsb_exit_status(run.operation, result.exit_status),
            exit_reason(result.stderr),
            kept_output(result.stdout, result.stderr),
            result.duration_ms,
        )
    return ocf_result(result.exit_status, result.stdout, result.stderr, exec_time_ms=result.duration_ms)


def _not_installed(agent: AgentName) -> OperationResult:
    return OperationResult(
        ExecStatus.NOT_INSTALLED, int(ExitCode.NOT_INSTALLED), f"Agent {agent} does not exist on this node"
    )


def _not_executed(agent: AgentName, path: Path, error: OSError) -> OperationResult:
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENOEXEC):
        return OperationResult(ExecStatus.NOT_INSTALLED, int(ExitCode.NOT_INSTALLED), f"{path}: {error.strerror}")
    if error.errno in (errno.EACCES, errno.EPERM):
        return OperationResult(ExecStatus.ERROR, int(ExitCode.INSUFFICIENT_PRIV), f"{path}: {error.strerror}")
    return OperationResult(ExecStatus.ERROR, int(ExitCode.ERROR), f"{agent} could not be started: {error.strerror}")
