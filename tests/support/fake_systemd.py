"""A stand-in for systemd on a bus of its own. Run as a program: ``python fake_systemd.py STATE-FOLDER [--silent]``.

The bus is the one that DBUS_SYSTEM_BUS_ADDRESS names. Units are the files UNIT in the folder, which hold their
state (``inactive``, ``active``, ``failed``). Starting and stopping takes a moment, during which the state is
``activating`` or ``deactivating``; a unit whose name begins with ``bad`` fails to start. With ``--silent`` no signal
tells of a job's end.
"""

import asyncio
import sys
from pathlib import Path

from dbus_fast import BusType, DBusError, PropertyAccess
from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface, dbus_property, method, signal

_JOB_TIME_S = 0.3

# dbus_fast reads the D-Bus types from the annotations of methods.
# ruff: noqa: F821


class Unit(ServiceInterface):
    def __init__(self, path: Path) -> None:
        super().__init__("org.freedesktop.systemd1.Unit")
        self.path = path

    @dbus_property(access=PropertyAccess.READ)
    def ActiveState(self) -> "s":
        return self.path.read_text().strip() if self.path.exists() else "inactive"

    @dbus_property(access=PropertyAccess.READ)
    def LoadState(self) -> "s":
        return "loaded" if self.path.exists() else "not-found"


class Manager(ServiceInterface):
    def __init__(self, bus: MessageBus, folder: Path, silent: bool) -> None:
        super().__init__("org.freedesktop.systemd1.Manager")
        self.bus = bus
        self.folder = folder
        self.silent = silent
        self.jobs = 0
        self.tasks: set[asyncio.Task[None]] = set()
        self.units: dict[str, str] = {}

    def unit(self, name: str) -> str:
        if name not in self.units:
            self.units[name] = f"/org/freedesktop/systemd1/unit/u{len(self.units)}"
            self.bus.export(self.units[name], Unit(self.folder / name))
        return self.units[name]

    def job(self, name: str, passing: str, final: str) -> str:
        if not (self.folder / name).exists():
            raise DBusError("org.freedesktop.systemd1.NoSuchUnit", f"Unit {name} not found.")
        self.jobs += 1
        path = f"/org/freedesktop/systemd1/job/{self.jobs}"
        (self.folder / name).write_text(passing)
        task = asyncio.get_running_loop().create_task(self.finish(self.jobs, path, name, final))
        self.tasks.add(task)
        return path

    async def finish(self, number: int, path: str, name: str, final: str) -> None:
        await asyncio.sleep(_JOB_TIME_S)
        (self.folder / name).write_text(final)
        if not self.silent:
            self.JobRemoved(number, path, name, "done" if final != "failed" else "failed")

    @method()
    def LoadUnit(self, name: "s") -> "o":
        return self.unit(name)

    @method()
    def StartUnit(self, name: "s", mode: "s") -> "o":
        return self.job(name, "activating", "failed" if name.startswith("bad") else "active")

    @method()
    def StopUnit(self, name: "s", mode: "s") -> "o":
        return self.job(name, "deactivating", "inactive")

    @method()
    def Reload(self) -> None:
        return None

    @method()
    def Subscribe(self) -> None:
        return None

    @method()
    def ListUnits(self) -> "a(ssssssouso)":
        return []

    @method()
    def ListUnitFiles(self) -> "a(ss)":
        return [[f"/lib/systemd/system/{path.name}", "enabled"] for path in sorted(self.folder.iterdir())]

    @signal()
    def JobRemoved(self, number: "u", path: "o", unit: "s", result: "s") -> "uoss":
        return [number, path, unit, result]


async def main(folder: Path, silent: bool) -> None:
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    bus.export("/org/freedesktop/systemd1", Manager(bus, folder, silent))
    await bus.request_name("org.freedesktop.systemd1")
    print("ready", flush=True)
    await bus.wait_for_disconnect()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), "--silent" in sys.argv[2:]))
