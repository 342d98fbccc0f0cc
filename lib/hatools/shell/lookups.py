"""What lies on this machine and can be suggested to a person: agents' descriptions, inputs, paths. I/O."""

import re
from functools import cache
from pathlib import Path

_UNIT_FOLDERS = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
_BIGGEST_SCRIPT = 300_000
_DESCRIPTION = re.compile(r"^Description=(.+)$", re.MULTILINE)
_SHORT_TEXTS = (
    # OCF: the agent's own stands between its long text and the parameters.
    re.compile(r"</longdesc>\s*<shortdesc[^>]*>([^<]+)</shortdesc>\s*<parameters", re.DOTALL),
    re.compile(r"""docs\[["']shortdesc["']\]\s*=\s*["'](.+?)["']\s*(?:#|$)""", re.MULTILINE),
    re.compile(r"""shortdesc\s*=\s*["'](.+?)["']\s*[,)]""", re.MULTILINE),
)


@cache
def short_text(standard: str, provider: str, type_: str) -> str:
    """Return an agent's short description as its file says it, without running it; empty if it cannot be found."""
    from hatools.shell.agents import catalog, usual_provider
    from hatools.values.agentname import AgentName

    if standard in ("systemd", "service"):
        units = (Path(folder, f"{type_}.service") for folder in _UNIT_FOLDERS)
        found = _DESCRIPTION.search(next((text for unit in units if (text := _read(unit))), ""))
        return found[1] if found else ""
    if standard == "ocf" and not provider:
        provider = usual_provider(type_)
    path = catalog().find(AgentName(standard, provider, type_))
    text = _read(path) if path is not None else ""
    found = next((match for pattern in _SHORT_TEXTS if (match := pattern.search(text))), None)
    return " ".join(found[1].split()) if found else ""


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _BIGGEST_SCRIPT:
            return ""
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def scheduler_inputs() -> list[str]:
    """Return the names of the scheduler's saved inputs, newest first."""
    from hatools.runtime.directories import Directories

    folder = Directories.from_environment().pengine
    found = folder.glob("pe-*.bz2") if folder.is_dir() else ()
    try:
        return [path.name.removesuffix(".bz2") for path in sorted(found, key=lambda path: -path.stat().st_mtime)]
    except OSError:
        return []


def corosync_paths() -> list[str]:
    """Return the paths of the values in corosync.conf, as ``corosync get`` takes them."""
    from hatools.shell.corosync import read_text

    try:
        lines = read_text().splitlines()
    except (OSError, ValueError):
        return []
    found: dict[str, None] = {}
    sections: list[str] = []
    for line in lines:
        words = line.split("#", 1)[0].strip()
        if words.endswith("{"):
            sections.append(words[:-1].strip())
        elif words == "}":
            del sections[-1:]
        elif ":" in words:
            found[".".join([*sections, words.partition(":")[0].strip()])] = None
    return list(found)
