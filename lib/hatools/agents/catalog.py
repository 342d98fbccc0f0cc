"""Which agents this machine has, and where. I/O: reads folders and runs agents for their metadata.

OCF and fence agents are looked for in the system's folders first and then among the ones shipped with hatools, so that
a machine without the resource-agents package still has a Dummy, a Stateful and a service agent, and a machine with it
uses the real ones.
"""

import os
import stat
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from hatools.values.agentname import AgentName
from hatools.values.errors import DeadlineError, HatoolsError, NoSuchObjectError
from hatools.values.records import dataclass

SHIPPED = Path(__file__).parent / "shipped"

_FENCE_FOLDERS = ("/usr/sbin", "/sbin", "/usr/local/sbin")
_SYSTEMD_FOLDERS = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
_UNIT_TYPES = (".service", ".socket", ".mount", ".timer", ".path")

_STAND_IN_PROVIDERS = {"pacemaker": ("Dummy", "Stateful"), "heartbeat": ("Dummy", "Stateful")}
"""Providers whose simplest agents ours may stand in for, where the system has none of that name."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """The agents of one machine, as seen from one node's root.

    ``ocf_root`` and the fence folders belong to the machine even in a lab; init scripts hang below the node's root.
    """

    root: Path = Path("/")
    ocf_root: Path = Path("/usr/lib/ocf")
    fence_folders: tuple[Path, ...] = tuple(Path(folder) for folder in _FENCE_FOLDERS)
    shipped: Path = SHIPPED

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> "Catalog":
        """Take the root from ``HATOOLS_ROOT``, the OCF folder from ``OCF_ROOT``.

        ``HATOOLS_FENCE_AGENTS`` names folders, separated by colons, that are searched first for fence agents.
        """
        values = os.environ if environ is None else environ
        folders = (*(part for part in values.get("HATOOLS_FENCE_AGENTS", "").split(":") if part), *_FENCE_FOLDERS)
        return cls(
            root=Path(values.get("HATOOLS_ROOT") or "/"),
            ocf_root=Path(values.get("OCF_ROOT") or "/usr/lib/ocf"),
            fence_folders=tuple(Path(folder) for folder in folders),
        )

    def find(self, agent: AgentName) -> Path | None:
        """Return the program of an OCF, LSB or fence agent; None if there is none (systemd units have no program)."""
        match agent.standard:
            case "ocf":
                return _executable(self._ocf_candidates(agent.provider, agent.type))
            case "lsb":
                return _executable([self.root / "etc/init.d" / agent.type])
            case "stonith":
                return self.find_fence_agent(agent.type)
        return None

    def find_fence_agent(self, name: str) -> Path | None:
        """Return the program of a fence agent (``fence_xvm``); None if it is not installed."""
        if not name.startswith("fence_") or "/" in name:
            return None
        return _executable([folder / name for folder in (*self.fence_folders, self.shipped / "fence")])

    def resolve_service(self, name: str) -> AgentName:
        """Return what ``service:NAME`` stands for: an init script if there is one, else a systemd unit."""
        if _executable([self.root / "etc/init.d" / name]) is not None:
            return AgentName("lsb", "", name)
        return AgentName("systemd", "", name)

    def standards(self) -> tuple[str, ...]:
        """Return the classes that can be used here, in Pacemaker's order."""
        found = ["ocf", "lsb"]
        if self.has_systemd():
            found.append("systemd")
        return (*found, "service", "stonith")

    def has_systemd(self) -> bool:
        """Say whether a systemd can be reached (the usual place of its bus, or the one the environment names)."""
        return "DBUS_SYSTEM_BUS_ADDRESS" in os.environ or Path("/run/systemd/system").is_dir()

    def providers(self) -> tuple[str, ...]:
        """Return the OCF providers, sorted."""
        folders = (self.ocf_root / "resource.d", self.shipped / "ocf")
        return tuple(sorted({name for folder in folders for name in _subfolders(folder)}))

    def providers_of(self, type_: str) -> tuple[str, ...]:
        """Return the OCF providers that have an agent of this type, sorted."""
        candidates = {*self.providers(), *_STAND_IN_PROVIDERS}
        return tuple(sorted(p for p in candidates if _executable(self._ocf_candidates(p, type_)) is not None))

    def types(self, standard: str, provider: str = "") -> tuple[str, ...]:
        """Return the agents of a class (and, for ocf, a provider; all providers if empty), sorted."""
        match standard:
            case "ocf":
                providers = (provider,) if provider else self.providers()
                return tuple(sorted({name for one in providers for name in self._ocf_types(one)}))
            case "lsb":
                return tuple(sorted(_programs(self.root / "etc/init.d")))
            case "stonith":
                return self.fence_agents()
            case "systemd":
                return tuple(sorted({unit for folder in _SYSTEMD_FOLDERS for unit in _units(Path(folder))}))
            case "service":
                return tuple(sorted({*self.types("lsb"), *(self.types("systemd") if self.has_systemd() else ())}))
        return ()

    def fence_agents(self) -> tuple[str, ...]:
        """Return the names of all installed fence agents, sorted."""
        folders = (*self.fence_folders, self.shipped / "fence")
        return tuple(sorted({name for folder in folders for name in _programs(folder) if name.startswith("fence_")}))

    def metadata(self, agent: AgentName, *, timeout_s: float = 30.0) -> str:
        """Return an agent's metadata by asking it (commands use this; daemons have their own way).

        Raises:
            NoSuchObjectError: there is no such agent.
            DeadlineError: it did not answer in time.
            HatoolsError: it failed.
        """
        if agent.standard == "service":
            agent = self.resolve_service(agent.type)
        if agent.standard == "systemd":
            if agent.type not in self.types("systemd"):
                raise NoSuchObjectError(f"there is no systemd unit {agent.type}")
            return systemd_metadata(agent.type)
        path = self.find(agent)
        if path is None:
            raise NoSuchObjectError(f"there is no agent {agent}")
        if agent.standard == "lsb":
            from hatools.agents.lsb import lsb_metadata

            return lsb_metadata(agent.type, path.read_text(encoding="utf-8", errors="replace"))
        return _ask_metadata(agent, path, self, timeout_s)

    def _ocf_candidates(self, provider: str, type_: str) -> list[Path]:
        if not provider or not type_ or "/" in provider + type_ or type_.startswith("."):
            return []
        candidates = [self.ocf_root / "resource.d" / provider / type_, self.shipped / "ocf" / provider / type_]
        if type_ in _STAND_IN_PROVIDERS.get(provider, ()):
            candidates.append(self.shipped / "ocf" / "hatools" / type_)
        return candidates

    def _ocf_types(self, provider: str) -> Iterable[str]:
        yield from _programs(self.ocf_root / "resource.d" / provider)
        yield from _programs(self.shipped / "ocf" / provider)
        yield from _STAND_IN_PROVIDERS.get(provider, ())


def metadata_arguments(agent: AgentName, path: Path) -> tuple[str, ...]:
    """Return the command line that makes an agent print its metadata."""
    return (str(path), "-o", "metadata") if agent.standard == "stonith" else (str(path), "meta-data")


def metadata_environment(agent: AgentName, catalog: Catalog) -> dict[str, str]:
    """Return what an agent needs in its environment to print its metadata, besides the usual."""
    return {
        "OCF_ROOT": str(catalog.ocf_root),
        "OCF_RA_VERSION_MAJOR": "1",
        "OCF_RA_VERSION_MINOR": "1",
        "OCF_RESOURCE_TYPE": agent.type,
        "OCF_RESOURCE_INSTANCE": agent.type,
        "OCF_RESOURCE_PROVIDER": agent.provider,
        "OCF_EXIT_REASON_PREFIX": "ocf-exit-reason:",
        "LC_ALL": "C",
    }


def systemd_metadata(name: str, description: str = "") -> str:
    """Return the metadata document that stands for a systemd unit."""
    return (
        '<?xml version="1.0"?>\n'
        '<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">\n'
        f'<resource-agent name="{name}" version="0.1">\n'
        "  <version>1.1</version>\n"
        f'  <longdesc lang="en">\n    {description}\n  </longdesc>\n'
        f'  <shortdesc lang="en">systemd unit file for {name}</shortdesc>\n'
        "  <parameters/>\n"
        "  <actions>\n"
        '    <action name="start"     timeout="100s" />\n'
        '    <action name="stop"      timeout="100s" />\n'
        '    <action name="status"    timeout="100s" />\n'
        '    <action name="monitor"   timeout="100s" interval="60s" />\n'
        '    <action name="meta-data" timeout="5s"   />\n'
        "  </actions>\n"
        '  <special tag="systemd"/>\n'
        "</resource-agent>\n"
    )


def _ask_metadata(agent: AgentName, path: Path, catalog: Catalog, timeout_s: float) -> str:
    environment = {**os.environ, **metadata_environment(agent, catalog)}
    try:
        done = subprocess.run(
            metadata_arguments(agent, path),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise DeadlineError(f"{agent} did not print its metadata within {timeout_s:g} s") from None
    except OSError as error:
        raise HatoolsError(f"{agent} ({path}) cannot be run: {error.strerror}") from None
    text = done.stdout.decode("utf-8", "replace")
    if done.returncode != 0 or not text.strip():
        words = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise HatoolsError(
            f"{agent} printed no metadata (exit status {done.returncode}" + (f": {words[-1]})" if words else ")")
        )
    return text


def _executable(candidates: Iterable[Path]) -> Path | None:
    return next((path for path in candidates if _is_program(path)), None)


def _is_program(path: Path) -> bool:
    try:
        mode = path.stat()
    except OSError:
        return False
    return stat.S_ISREG(mode.st_mode) and bool(mode.st_mode & 0o111)


def _programs(folder: Path) -> list[str]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    return [name for name in names if not name.startswith(".") and _is_program(folder / name)]


def _subfolders(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith(".")]
    except OSError:
        return []


def _units(folder: Path) -> list[str]:
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [name.removesuffix(".service") for name in names if name.endswith(_UNIT_TYPES)]
