"""Editing corosync.conf. I/O: reads and writes that file."""

import os
from collections.abc import Sequence
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


def _put(section: Section, key: str, value: str) -> None:
    for index, entry in enumerate(section.entries):
        if entry.key == key:
            section.entries[index] = Entry(key, value, entry.line, entry.column)
            return
    section.entries.append(Entry(key, value, 0, 0))


def next_text(root: Section) -> str:
    """Return the file of a section tree; the version, if it has one, is counted up.

    Raises:
        CommandError: messaging could not read it.
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
    return text


def replace_text(text: str) -> None:
    """Put a text into the file's place, whole or not at all.

    Raises:
        CommandError: it cannot be written.
    """
    path = conf_path()
    temporary = path.with_name(f".{path.name}.new")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None


def with_value(path: str, value: str) -> str:
    """Return the file with the value at a path set, sections and key made if they are missing.

    Raises:
        CommandError: the path names no key, or the file would be wrong.
    """
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
    return next_text(root)


def with_node(addresses: Sequence[str], name: str | None) -> tuple[str, int]:
    """Return the file with a node more, and the node's id.

    Args:
        addresses: of the node, one for each link.

    Raises:
        CommandError: it is there already, or there is no nodelist.
    """
    root = _tree()
    lists = root.named("nodelist")
    if not lists:
        raise CommandError("there is no nodelist section to add a node to")
    nodes = lists[0].named("node")
    for node in nodes:
        if any(entry.value in (*addresses, name) for entry in node.entries if entry.key != "nodeid"):
            raise CommandError(f"{name or addresses[0]} is in the nodelist already")
    links = sum(entry.key.startswith("ring") for entry in nodes[0].entries) if nodes else len(addresses)
    if links != len(addresses):
        raise CommandError(f"a node has {links} addresses here, one for each link; {len(addresses)} given")
    used = {int(entry.value) for node in nodes for entry in node.entries if entry.key == "nodeid"}
    number = next(number for number in range(1, len(used) + 2) if number not in used)
    entries = [Entry(f"ring{link}_addr", address, 0, 0) for link, address in enumerate(addresses)]
    entries += [Entry("name", name, 0, 0)] if name else []
    entries.append(Entry("nodeid", str(number), 0, 0))
    lists[0].sections.append(Section("node", entries=entries))
    _count_two_nodes(root)
    return next_text(root), number


def without_node(name: str) -> str | None:
    """Return the file without a node, named or by address; None if it is not there."""
    root = _tree()
    for nodelist in root.named("nodelist"):
        for node in nodelist.named("node"):
            if any(entry.value == name for entry in node.entries if entry.key != "nodeid"):
                nodelist.sections.remove(node)
                _count_two_nodes(root)
                return next_text(root)
    return None


def _count_two_nodes(root: Section) -> None:
    """With exactly two nodes quorum must not need both."""
    count = len(_sections(root, ["nodelist", "node"]))
    for quorum in root.named("quorum"):
        if quorum.find("two_node") is not None or count == 2:
            _put(quorum, "two_node", "1" if count == 2 else "0")
