"""Editing corosync.conf. I/O: reads and writes that file."""

import os
from pathlib import Path

from hatools.messaging.corosync.sections import Entry, Section, export, parse_sections
from hatools.runtime.directories import Directories
from hatools.shell.commands import CommandError
from hatools.values.errors import HatoolsError, SyntaxProblem


def conf_path() -> Path:
    """Return the file: ``COROSYNC_MAIN_CONFIG_FILE``, else below this node's root."""
    given = os.environ.get("COROSYNC_MAIN_CONFIG_FILE")
    return Path(given) if given else Directories.from_environment().corosync_conf


def read_text() -> str:
    """Return the file's text.

    Raises:
        CommandError: it cannot be read.
    """
    try:
        return conf_path().read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{conf_path()}: {error.strerror}") from None


def _tree() -> Section:
    try:
        return parse_sections(read_text())
    except SyntaxProblem as problem:
        raise CommandError(f"{conf_path()}: line {problem.line}: {problem}") from None


def get_values(path: str) -> list[str]:
    """Return the values at a path such as ``totem.token`` or ``nodelist.node.ring0_addr``."""
    *names, key = path.split(".")
    return [entry.value for section in _sections(_tree(), names) for entry in section.entries if entry.key == key]


def _sections(root: Section, names: list[str]) -> list[Section]:
    found = [root]
    for name in names:
        found = [inner for section in found for inner in section.named(name)]
    return found


def edit_file(path: str, value: str) -> None:
    """Set the value at a path, making sections and key if they are missing; a file that becomes wrong is refused."""
    root = _tree()
    *names, key = path.split(".")
    if not names or not key:
        raise CommandError(f"{path}: expected <section>.<key>")
    section = root
    for name in names:
        inner = section.named(name)
        if not inner:
            inner = [Section(name)]
            section.sections += inner
        section = inner[0]
    _put(section, key, value)
    write_tree(root)


def _put(section: Section, key: str, value: str) -> None:
    for index, entry in enumerate(section.entries):
        if entry.key == key:
            section.entries[index] = Entry(key, value, entry.line, entry.column)
            return
    section.entries.append(Entry(key, value, 0, 0))


def write_tree(root: Section) -> None:
    """Write the file, its version counted up, if messaging could read it.

    Raises:
        CommandError: the file would be wrong, or cannot be written.
    """
    from hatools.messaging.corosync.conf import read_configuration

    totem = root.named("totem")
    if totem:
        version = totem[0].find("config_version")
        if version is not None and version.value.isdigit():
            _put(totem[0], "config_version", str(int(version.value) + 1))
    text = export(root)
    try:
        read_configuration(text)
    except HatoolsError as error:
        raise CommandError(f"refused, the file would be wrong: {error}") from None
    path = conf_path()
    temporary = path.with_name(path.name + ".new")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None


def add_node(address: str, name: str | None) -> int:
    """Add a node to the nodelist; return its id."""
    root = _tree()
    lists = root.named("nodelist")
    if not lists:
        raise CommandError("there is no nodelist section to add a node to")
    nodes = lists[0].named("node")
    for node in nodes:
        if any(entry.value in (address, name) for entry in node.entries if entry.key != "nodeid"):
            raise CommandError(f"{name or address} is in the nodelist already")
    used = {int(entry.value) for node in nodes for entry in node.entries if entry.key == "nodeid"}
    number = next(number for number in range(1, len(used) + 2) if number not in used)
    entries = [Entry("ring0_addr", address, 0, 0)]
    entries += [Entry("name", name, 0, 0)] if name else []
    entries.append(Entry("nodeid", str(number), 0, 0))
    lists[0].sections.append(Section("node", entries=entries))
    _count_two_nodes(root)
    write_tree(root)
    return number


def remove_node(name: str) -> bool:
    """Remove a node, named or by address, from the nodelist; return whether it was there."""
    root = _tree()
    for nodelist in root.named("nodelist"):
        for node in nodelist.named("node"):
            if any(entry.value == name for entry in node.entries if entry.key != "nodeid"):
                nodelist.sections.remove(node)
                _count_two_nodes(root)
                write_tree(root)
                return True
    return False


def _count_two_nodes(root: Section) -> None:
    """With exactly two nodes quorum must not need both."""
    count = len(_sections(root, ["nodelist", "node"]))
    for quorum in root.named("quorum"):
        if quorum.find("two_node") is not None or count == 2:
            _put(quorum, "two_node", "1" if count == 2 else "0")
