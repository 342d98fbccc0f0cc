"""The fence devices registered on this node, with what is found out about them. I/O: asks agents.

A device is looked at as soon as it is registered, its metadata and its list of targets included, so that nothing has to
be asked when a node must be fenced.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping

from hatools.agents.fence import action_timeout_ms
from hatools.daemons.stonithd.configuration import DeviceConfig
from hatools.daemons.stonithd.devices import Device, DeviceTable, HostCheck, Verdict
from hatools.daemons.stonithd.runner import DeviceRunner
from hatools.ipc.messages.stonith import DeviceResult, PeerExecute, RunDevice
from hatools.values.errors import HatoolsError, NoSuchObjectError
from hatools.values.exitcode import ExitCode
from hatools.values.result import ExecStatus

_log = logging.getLogger(__name__)

_LIST_REFRESH_S = 60.0
_LONGEST_PATIENCE_S = 10.0
"""How long looking after a device waits at most while a node is being fenced."""

Announce = Callable[[str, str], None]
"""Told of each change: ``add`` or ``del``, and the device's name."""


class LocalDevices:
    """All fence devices of one node."""

    def __init__(self, runner: DeviceRunner, announce: Announce) -> None:
        self._runner = runner
        self._announce = announce
        self._table = DeviceTable()
        self._preparing: dict[str, asyncio.Task[None]] = {}
        self._calm = asyncio.Event()
        self._calm.set()

    def note_fencing(self, under_way: bool) -> None:
        """Take whether a node is being fenced: then devices are not looked after, which would keep them busy."""
        if under_way:
            self._calm.clear()
        else:
            self._calm.set()

    @property
    def preparations(self) -> Iterable["asyncio.Task[None]"]:
        """Return what is being found out, for the end of the daemon."""
        return self._preparing.values()

    def configure(self, configs: Mapping[str, DeviceConfig]) -> None:
        """Take over the devices of the CIB."""
        changed, gone = self._table.configure(configs)
        for device in changed:
            self._prepare(device)
            self._announce("add", device.name)
        for name in gone:
            self._announce("del", name)

    def register(self, config: DeviceConfig) -> None:
        """Register a device by hand, or because the cluster starts it."""
        device = self._table.register(config)
        if device is not None:
            self._prepare(device)
            self._announce("add", config.name)

    def deregister(self, name: str) -> None:
        """Undo :meth:`register`.

        Raises:
            NoSuchObjectError: it is not registered.
        """
        if self._table.deregister(name):
            self._announce("del", name)

    async def prepared(self, name: str) -> Device | None:
        """Return a device when everything is known about it; None if it is not registered."""
        preparing = self._preparing.get(name)
        if preparing is not None:
            await asyncio.wait((preparing,))
        return self._table.get(name)

    async def able(self, target: str, timeout_ms: int) -> list[Device]:
        """Return the devices that can fence a node (all, if the name is empty), sorted by name."""

        async def look(device: Device) -> Device | None:
            able = not target or await self._can_fence(device.name, target, timeout_ms)
            return self._table.get(device.name) if able else None

        found = await asyncio.gather(*(look(device) for device in self._table))
        return sorted((device for device in found if device is not None), key=lambda device: device.name)

    async def fence(self, order: PeerExecute, target_id: str) -> DeviceResult:
        """Carry out what the origin of an operation orders."""
        device = await self.prepared(order.device)
        if device is None:
            reason = f"{order.device} is not registered any more"
            return DeviceResult(int(ExecStatus.NO_FENCE_DEVICE), int(ExitCode.ERROR), "", reason)
        return await self._runner.execute(
            device,
            order.action,
            target=order.target,
            target_id=target_id,
            timeout_ms=order.timeout_ms,
            delay_ms=order.delay_ms,
        )

    async def run(self, request: RunDevice) -> DeviceResult:
        """Carry out what lrmd or a person asks of a device: start, stop, probe, monitor, list, status ...

        Raises:
            NoSuchObjectError: it is not registered.
        """
        if not request.name:
            return await self._runner.run_once(
                request.agent, request.parameters or {}, request.action, timeout_ms=request.timeout_ms
            )
        if request.action == "stop":
            if self._table.get(request.name) is not None:
                self.deregister(request.name)
            return DeviceResult(int(ExecStatus.DONE), int(ExitCode.OK), "")
        if request.action == "probe":
            present = self._table.get(request.name)
            running = present is not None and present.started
            return DeviceResult(int(ExecStatus.DONE), int(ExitCode.OK if running else ExitCode.NOT_RUNNING), "")
        if request.agent and (
            request.action == "start" or (request.action == "monitor" and self._table.get(request.name) is None)
        ):
            # The cluster starts what the CIB has just got; waiting for our own view of it would only cost time.
            parameters = {n: v for n, v in (request.parameters or {}).items() if not n.startswith("CRM_meta_")}
            self.register(DeviceConfig(request.name, request.agent, parameters))
        device = await self.prepared(request.name)
        if device is None:
            raise NoSuchObjectError(f"fence device {request.name} is not registered here")
        return await self._run(device, request)

    async def _run(self, device: Device, request: RunDevice) -> DeviceResult:
        word = "monitor" if request.action == "start" else request.action
        if word == "monitor" and not self._calm.is_set():
            await _bounded(self._calm.wait(), min(_LONGEST_PATIENCE_S, request.timeout_ms / 3000))
        limit = action_timeout_ms(device.config.parameters, word, request.timeout_ms)
        result = await self._runner.execute(
            device, word, target=request.target, timeout_ms=min(limit, request.timeout_ms)
        )
        if word == "monitor":
            device.verified = result.exit_status == 0
            # Only lrmd names the agent: a monitor of its that succeeds is of a resource that runs here.
            device.started = device.started or (device.verified and bool(request.agent))
        return result

    async def keep_lists_young(self) -> None:
        """Ask for dynamic lists again and again, so that fencing does not have to wait for them."""
        while True:
            await asyncio.sleep(_LIST_REFRESH_S)
            for device in self._table:
                if device.metadata is not None and device.host_check() is HostCheck.LIST:
                    await self._update_list(device)

    def _prepare(self, device: Device) -> None:
        old = self._preparing.pop(device.name, None)
        if old is not None:
            old.cancel()
        self._preparing[device.name] = asyncio.get_running_loop().create_task(self._find_out(device))

    async def _find_out(self, device: Device) -> None:
        try:
            device.metadata = await self._runner.metadata(device.config.agent)
        except HatoolsError as error:
            _log.error("fence device %s: %s", device.name, error)
            return
        if "action" in device.config.parameters:
            _log.warning(
                "fence device %s: parameter 'action' is ignored, the fencer says what to do (pcmk_reboot_action "
                "changes the word for it)",
                device.name,
            )
        if device.host_check() is HostCheck.LIST:
            await self._update_list(device)

    async def _update_list(self, device: Device) -> None:
        timeout_ms = action_timeout_ms(device.config.parameters, "list")
        listed = await self._runner.list_targets(device, timeout_ms)
        device.listed = listed if listed is not None else device.listed or ()
        device.listed_at = asyncio.get_running_loop().time()

    async def _can_fence(self, name: str, target: str, timeout_ms: int) -> bool:
        device = await self.prepared(name)
        if device is None:
            return False
        now = asyncio.get_running_loop().time()
        verdict = device.can_fence(target, now)
        if verdict is Verdict.ASK_LIST:
            await self._update_list(device)
            verdict = device.can_fence(target, asyncio.get_running_loop().time())
        elif verdict is Verdict.ASK_STATUS:
            limit = min(timeout_ms, action_timeout_ms(device.config.parameters, "status"))
            reached = await self._runner.can_reach(device, target, limit)
            device.statuses[target] = (reached, now)
            return reached
        return verdict is Verdict.YES


async def _bounded(event: Awaitable[object], seconds: float) -> None:
    """Wait for something, but no longer than so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await event
    except TimeoutError:
        _log.debug("no longer waiting after %s s", seconds)
