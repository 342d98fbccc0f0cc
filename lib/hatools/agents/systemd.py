"""systemd units, over D-Bus. I/O.

The bus is the system's, or the one that ``DBUS_SYSTEM_BUS_ADDRESS`` names (tests run a stand-in there). A unit that the
cluster starts gets a drop-in that keeps systemd from restarting it behind our back and from stopping it after us at
shutdown. A job's end is told by a signal where systemd sends one, and looked for where it does not.
"""

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatools.values.exitcode import ExitCode
from hatools.values.result import ExecStatus, OperationResult

if TYPE_CHECKING:
    from dbus_fast.aio import MessageBus
    from dbus_fast.message import Message

_SERVICE = "org.freedesktop.systemd1"
_MANAGER_PATH = "/org/freedesktop/systemd1"
_MANAGER = "org.freedesktop.systemd1.Manager"
_UNIT = "org.freedesktop.systemd1.Unit"

_DROP_IN = "50-pacemaker.conf"
_DROP_IN_TEXT = """\
[Unit]
Description=Cluster Controlled {unit}
Before=pacemaker.service pacemaker_remote.service

[Service]
Restart=no
"""

_FIRST_LOOK_S = 0.05
_LONGEST_LOOK_S = 1.0
_CALL_LIMIT_S = 25.0

_UNSETTLED = frozenset({"activating", "deactivating", "reloading", "maintenance"})


class SystemdError(Exception):
    """systemd, or the bus, refused; ``name`` is the D-Bus error's."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


def unit_name(name: str) -> str:
    """Return the full name of a unit: ``.service`` is understood."""
    known = (".service", ".socket", ".mount", ".timer", ".path", ".target", ".device", ".slice", ".scope", ".swap")
    return name if name.endswith(known) else f"{name}.service"


class Systemd:
    """The systemd that a bus leads to; connects when it is first needed and again after the bus was lost."""

    def __init__(self, drop_in_folder: Path = Path("/run/systemd/system")) -> None:
        self._folder = drop_in_folder
        self._bus: MessageBus | None = None
        self._jobs: dict[str, asyncio.Future[str]] = {}

    async def operate(self, operation: str, name: str) -> OperationResult:
        """Carry out start, stop, monitor, status, reload or restart of a unit.

        A start or stop returns when the unit has settled; the caller bounds the time and cancels us.
        """
        unit = unit_name(name)
        try:
            match operation:
                case "monitor" | "status":
                    return _state_result(await self._settled_state(unit))
                case "start":
                    return await self._start(unit)
                case "stop":
                    return await self._stop(unit)
                case "reload" | "restart":
                    await self._job("ReloadUnit" if operation == "reload" else "RestartUnit", unit)
                    return _started_result(await self._settled_state(unit))
        except SystemdError as error:
            return _error_result(operation, unit, error)
        return OperationResult(
            ExecStatus.DONE, int(ExitCode.UNIMPLEMENT_FEATURE), f"a systemd unit has no action {operation}"
        )

    async def active_state(self, unit: str) -> str:
        """Return a unit's ActiveState.

        Raises:
            SystemdError: there is no such unit, or no systemd.
        """
        path = (await self._call(_MANAGER_PATH, _MANAGER, "LoadUnit", "s", [unit]))[0]
        load_state = await self._property(path, "LoadState")
        if load_state == "not-found":
            raise SystemdError("org.freedesktop.systemd1.NoSuchUnit", f"there is no unit {unit}")
        return await self._property(path, "ActiveState")

    async def _property(self, path: str, name: str) -> str:
        try:
            value = (await self._call(path, "org.freedesktop.DBus.Properties", "Get", "ss", [_UNIT, name]))[0]
        except SystemdError as error:
            if name == "LoadState" and error.name.endswith((".UnknownProperty", ".InvalidArgs", ".Failed")):
                return ""
            raise
        return str(getattr(value, "value", value))

    async def units(self) -> list[str]:
        """Return the names of all services, without ``.service``, sorted."""
        names = set()
        for method in ("ListUnitFiles", "ListUnits"):
            for entry in (await self._call(_MANAGER_PATH, _MANAGER, method, "", []))[0]:
                base = str(entry[0]).rsplit("/", 1)[-1]
                if base.endswith(".service"):
                    names.add(base.removesuffix(".service"))
        return sorted(names)

    def close(self) -> None:
        """Leave the bus."""
        if self._bus is not None:
            self._bus.disconnect()
            self._bus = None

    async def _start(self, unit: str) -> OperationResult:
        folder = self._folder / f"{unit}.d"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / _DROP_IN).write_text(_DROP_IN_TEXT.format(unit=unit.removesuffix(".service")))
        except OSError as error:
            return OperationResult(
                ExecStatus.ERROR, int(ExitCode.INSUFFICIENT_PRIV), f"cannot write {folder / _DROP_IN}: {error.strerror}"
            )
        await self._call(_MANAGER_PATH, _MANAGER, "Reload", "", [])
        await self._job("StartUnit", unit)
        return _started_result(await self._settled_state(unit))

    async def _stop(self, unit: str) -> OperationResult:
        folder = self._folder / f"{unit}.d"
        with contextlib.suppress(OSError):
            (folder / _DROP_IN).unlink()
            folder.rmdir()
        await self._call(_MANAGER_PATH, _MANAGER, "Reload", "", [])
        try:
            await self._job("StopUnit", unit)
            state = await self._settled_state(unit)
        except SystemdError as error:
            if error.name.endswith((".NoSuchUnit", ".NoSuchUnitFile")):
                return OperationResult(ExecStatus.DONE, int(ExitCode.OK))
            raise
        if state in ("inactive", "failed"):
            return OperationResult(ExecStatus.DONE, int(ExitCode.OK))
        return OperationResult(ExecStatus.DONE, int(ExitCode.ERROR), f"{unit} is still {state} after it was stopped")

    async def _job(self, method: str, unit: str) -> None:
        """Ask for a job and wait for its end as long as signals tell; the state is looked at afterwards anyway."""
        path = str((await self._call(_MANAGER_PATH, _MANAGER, method, "ss", [unit, "replace"]))[0])
        future = self._jobs.setdefault(path, asyncio.get_running_loop().create_future())
        delay = _FIRST_LOOK_S
        try:
            while not future.done():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(delay):
                        await asyncio.shield(future)
                delay = min(delay * 2, _LONGEST_LOOK_S)
                if not future.done() and await self.active_state(unit) not in _UNSETTLED:
                    # No signal, yet the unit rests: either the job is over, or it has not begun. A second look tells.
                    await asyncio.sleep(delay)
                    if await self._has_settled(method, unit):
                        return
        finally:
            self._jobs.pop(path, None)

    async def _has_settled(self, method: str, unit: str) -> bool:
        state = await self.active_state(unit)
        return state in ("inactive", "failed") if method == "StopUnit" else state in ("active", "failed")

    async def _settled_state(self, unit: str) -> str:
        delay = _FIRST_LOOK_S
        while (state := await self.active_state(unit)) in _UNSETTLED:
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_LOOK_S)
        return state

    async def _call(self, path: str, interface: str, member: str, signature: str, body: list[Any]) -> list[Any]:
        from dbus_fast.constants import MessageType
        from dbus_fast.message import Message

        bus = await self._connect()
        message = Message(
            destination=_SERVICE, path=path, interface=interface, member=member, signature=signature, body=body
        )
        try:
            async with asyncio.timeout(_CALL_LIMIT_S):
                reply = await bus.call(message)
        except TimeoutError:
            raise SystemdError("timeout", f"systemd did not answer {member} within {_CALL_LIMIT_S:g} s") from None
        except (OSError, EOFError) as error:
            self._bus = None
            raise SystemdError("disconnected", f"the system bus was lost: {error}") from None
        if reply is None:
            raise SystemdError("no reply", f"systemd did not answer {member}")
        if reply.message_type is MessageType.ERROR:
            raise SystemdError(reply.error_name or "", str(reply.body[0]) if reply.body else str(reply.error_name))
        return list(reply.body)

    async def _connect(self) -> "MessageBus":
        if self._bus is not None and self._bus.connected:
            return self._bus
        from dbus_fast.aio import MessageBus
        from dbus_fast.constants import BusType
        from dbus_fast.errors import DBusError
        from dbus_fast.message import Message

        try:
            bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
        except (OSError, ValueError, DBusError, EOFError) as error:
            raise SystemdError("disconnected", f"there is no system bus: {error}") from None
        bus.add_message_handler(self._signal)
        self._bus = bus
        with contextlib.suppress(OSError, EOFError):
            await bus.call(
                Message(
                    destination="org.freedesktop.DBus",
                    path="/org/freedesktop/DBus",
                    interface="org.freedesktop.DBus",
                    member="AddMatch",
                    signature="s",
                    body=[f"type='signal',interface='{_MANAGER}',member='JobRemoved'"],
                )
            )
            await bus.call(Message(destination=_SERVICE, path=_MANAGER_PATH, interface=_MANAGER, member="Subscribe"))
        return bus

    def _signal(self, message: "Message") -> None:
        if message.member == "JobRemoved" and len(message.body) >= 4:
            future = self._jobs.setdefault(str(message.body[1]), asyncio.get_running_loop().create_future())
            if not future.done():
                future.set_result(str(message.body[3]))
            if len(self._jobs) > 64:  # jobs of others that nobody waits for
                for path in [path for path, known in self._jobs.items() if known.done()]:
                    del self._jobs[path]


def _state_result(state: str) -> OperationResult:
    running = state in ("active", "reloading")
    return OperationResult(ExecStatus.DONE, int(ExitCode.OK if running else ExitCode.NOT_RUNNING))


def _started_result(state: str) -> OperationResult:
    if state in ("active", "reloading"):
        return OperationResult(ExecStatus.DONE, int(ExitCode.OK))
    return OperationResult(ExecStatus.DONE, int(ExitCode.ERROR), f"the unit is {state or 'in an unknown state'}")


def _error_result(operation: str, unit: str, error: SystemdError) -> OperationResult:
    missing = error.name.endswith((".NoSuchUnit", ".NoSuchUnitFile", ".LoadFailed"))
    if missing and operation in ("monitor", "status"):
        # Pacemaker answers so too: a unit that is not there is certainly not running.
        return OperationResult(ExecStatus.DONE, int(ExitCode.NOT_RUNNING))
    if missing:
        return OperationResult(ExecStatus.NOT_INSTALLED, int(ExitCode.NOT_INSTALLED), f"there is no unit {unit}")
    return OperationResult(ExecStatus.ERROR, int(ExitCode.ERROR), f"{unit}: {error}")
