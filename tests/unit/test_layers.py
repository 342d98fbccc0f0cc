"""Who may import whom, and which code is pure. The table is also drawn in lib/hatools/ARCHITECTURE.md."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "lib" / "hatools"
PAGE = PACKAGE / "ARCHITECTURE.md"

CORES = ("values", "cib", "transition", "messaging", "agents", "scheduler", "ipc.messages")

MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "values": (),
    "cib": ("values",),
    "transition": ("values", "cib"),
    "messaging": ("values",),
    "agents": ("values", "cib"),
    "ipc.messages": ("values",),
    "ipc.frames": ("values",),
    "ipc.rights": ("values",),
    "ipc.address": (),
    "ipc.refusals": ("values", "ipc.messages"),
    "ipc.codec": ("values", "ipc.messages"),
    "ipc.server": ("values", "ipc"),
    "ipc.client": ("values", "ipc"),
    "ipc.blocking": ("values", "ipc"),
    "ipc.brief": (),
    "ipc.stream": ("values", "ipc"),
    "ipc.cluster_tls": (),
    "ipc.clients": ("values", "cib", "ipc", "runtime.directories"),
    "scheduler": ("values", "cib", "transition"),
    "status": ("values", "cib", "scheduler"),
    "simulate": ("values", "cib", "transition", "scheduler", "status"),
    "parser": ("values", "cib"),
    "runtime": ("values", "ipc"),
    "daemons": (*CORES, "ipc", "runtime"),
    "lab": ("values", "cib", "agents", "ipc", "runtime"),
    "shell": ("values", "cib", "transition", "scheduler", "status", "simulate", "parser", "ipc", "runtime", "agents",
              "lab", "messaging", "cli"),
    "cli": ("values", "cib", "transition", "scheduler", "status", "simulate", "parser", "ipc", "runtime", "agents",
            "messaging", "lab", "shell"),
}  # fmt: skip
"""Longest matching prefix decides; a package may always import itself (and ``hatools`` itself).

``shell`` may call ``cli`` commands in-process: that is how `crm` runs what other commands do.
"""

IMPURE_MODULES = frozenset(
    {"asyncio", "socket", "selectors", "subprocess", "signal", "os", "pathlib", "time", "random", "threading"}
    | {"netifaces", "prompt_toolkit"}
)

IMPURE = (
    "ipc.address", "ipc.server", "ipc.client", "ipc.blocking", "ipc.brief", "ipc.stream", "ipc.cluster_tls",
    "ipc.clients",
    "runtime", "lab", "shell", "cli",
    "messaging.corosync.authkey", "messaging.corosync.totem.links",
    "messaging.heartbeat.media", "messaging.heartbeat.pinger",
    "messaging.external.library", "messaging.external.cpg", "messaging.external.quorum", "messaging.external.cmap",
    "messaging.external.cfg",
    "messaging.qdevice.secure", "messaging.qdevice.keys", "messaging.qdevice.connection", "messaging.qdevice.server",
    "daemons.messaging.log_targets", "daemons.messaging.link_watch", "daemons.messaging.styles",
    "daemons.messaging.corosync_style", "daemons.messaging.heartbeat_style", "daemons.messaging.external_style",
    "values.returncode",  # asks the system for the words of its error numbers
    "agents.catalog", "agents.systemd", "agents.shipped", "daemons.pengine.archive", "daemons.pacemakerd.image",
    "daemons.lrmd.runner", "daemons.stonithd.runner", "daemons.stonithd.registry", "daemons.channel.runner",
    "daemons.crmd.executor", "daemons.crmd.colleagues", "daemons.cib.disk",
)  # fmt: skip
"""Packages and files that do I/O; besides these every ``store.py``, ``daemon.py`` and ``__main__.py``."""

PURE_AGAIN = ("shell.completion", "shell.changeset")


def _modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        yield ".".join(part for part in parts if part != "__init__"), path


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _covers(prefix: str, module: str) -> bool:
    return module == prefix or module.startswith(prefix + ".")


def _rule(module: str) -> str | None:
    matches = [prefix for prefix in MAY_IMPORT if _covers(prefix, module)]
    return max(matches, key=len, default=None)


def _is_pure(module: str) -> bool:
    if any(_covers(prefix, module) for prefix in PURE_AGAIN):
        return True
    if module.rpartition(".")[2] in ("store", "daemon", "__main__"):
        return False
    return module != "" and not any(_covers(prefix, module) for prefix in IMPURE)


MODULES = list(_modules())


@pytest.mark.parametrize(("module", "path"), MODULES, ids=[name or "hatools" for name, _ in MODULES])
def test_imports_go_downwards_only(module: str, path: Path) -> None:
    rule = _rule(module)
    own = rule if rule is not None else module
    allowed = (*MAY_IMPORT.get(own, ()), own, own.partition(".")[0] if own.startswith("ipc.") else own)
    wrong = []
    for line, name in _imports(path):
        if not name.startswith("hatools.") or module == "":
            continue
        target = name.removeprefix("hatools.")
        if target in ("COMPATIBLE_VERSION", "CRM_FEATURE_SET", "__version__"):
            continue
        if any(_covers(prefix, target) for prefix in allowed):
            continue
        if module == "cli.pacemakerd" and _covers("daemons.pacemakerd", target):
            continue
        if module == "cli.lab_node" and _covers("daemons.pacemakerd", target):
            continue
        wrong.append(f"line {line}: {name}")
    assert wrong == []


@pytest.mark.parametrize(("module", "path"), MODULES, ids=[name or "hatools" for name, _ in MODULES])
def test_daemons_do_not_import_each_other(module: str, path: Path) -> None:
    own = ".".join(module.split(".")[:2])
    if not module.startswith("daemons."):
        return
    others = [
        f"line {line}: {name}"
        for line, name in _imports(path)
        if name.startswith("hatools.daemons.") and not _covers(f"hatools.{own}", name)
    ]
    assert others == []


@pytest.mark.parametrize(("module", "path"), MODULES, ids=[name or "hatools" for name, _ in MODULES])
def test_pure_code_does_no_io(module: str, path: Path) -> None:
    if not _is_pure(module):
        return
    wrong = [f"line {line}: {name}" for line, name in _imports(path) if name.partition(".")[0] in IMPURE_MODULES]
    assert wrong == []


def test_the_page_for_people_draws_the_same_table() -> None:
    cells = dict(re.findall(r"^\| `([\w.]+)` \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert cells == {name: ", ".join(allowed) or "-" for name, allowed in MAY_IMPORT.items()}


@pytest.mark.parametrize("name", ["utils", "common", "helpers", "misc", "tools", "base"])
def test_no_module_is_a_drawer_for_odds_and_ends(name: str) -> None:
    assert [module for module, _ in MODULES if name in module.split(".")] == []


def test_records_are_declared_by_ours_alone() -> None:
    """The standard library's take longer to declare than most commands to run."""
    users = [module for module, path in MODULES if any(name == "dataclasses" for _, name in _imports(path))]
    assert users == ["values.records"]
