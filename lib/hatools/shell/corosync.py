"""Editing corosync.conf: comments, order and layout of the file stay as they are. I/O: reads and writes that file."""

import os
from collections.abc import Sequence
from pathlib import Path

from hatools.messaging.corosync.sections import Section, parse_sections
from hatools.runtime.directories import Directories
from hatools.runtime.files import replace_file
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
    except UnicodeDecodeError:
        raise CommandError(f"{conf_path()} is no text") from None


def replace_text(text: str) -> None:
    """Put a text into the file's place, whole or not at all.

    Raises:
        CommandError: it cannot be written.
    """
    path = conf_path()
    try:
        replace_file(path, text.encode("utf-8"), path.stat().st_mode & 0o777 if path.exists() else 0o644)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None


def get_values(path: str) -> list[str]:
    """Return the values at a path such as ``totem.token`` or ``nodelist.node.ring0_addr``."""
    *names, key = path.split(".")
    sections = Draft(read_text()).sections(names)
    return [entry.value for section in sections for entry in section.entries if entry.key == key]


class Draft:
    """The file's text, being changed line by line."""

    def __init__(self, text: str) -> None:
        """Take a text.

        Raises:
            CommandError: it is no configuration file.
        """
        self._lines = text.splitlines()
        self._root = self._parsed()

    def _parsed(self) -> Section:
        try:
            return parse_sections(self.text)
        except SyntaxProblem as problem:
            raise CommandError(f"{conf_path()}: line {problem.line}: {problem}") from None

    @property
    def text(self) -> str:
        """The text as it is now."""
        return "\n".join(self._lines) + "\n"

    def sections(self, names: Sequence[str]) -> list[Section]:
        """Return the sections at a path."""
        found = [self._root]
        for name in names:
            found = [inner for section in found for inner in section.named(name)]
        return found

    def put(self, names: Sequence[str], key: str, value: str) -> None:
        """Set a value in the first section at a path; what is missing of the path is made."""
        for depth in range(len(names)):
            if not self.sections(names[: depth + 1]):
                self._insert(self.sections(names[:depth])[0], [f"{names[depth]} {{", "}"])
        section = self.sections(names)[0]
        entry = section.find(key)
        if entry is None:
            self._insert(section, [f"{key}: {value}"])
        else:
            line = self._lines[entry.line - 1]
            self._lines[entry.line - 1] = line[: line.index(":") + 1] + " " + value
            self._root = self._parsed()

    def add(self, parent: Section, name: str, pairs: Sequence[tuple[str, str]]) -> None:
        """Add a section at the end of another."""
        step = self._step()
        self._insert(parent, [f"{name} {{", *(f"{step}{key}: {value}" for key, value in pairs), "}"])

    def drop(self, section: Section) -> None:
        """Remove a section."""
        del self._lines[section.line - 1 : section.end]
        self._root = self._parsed()

    def _insert(self, section: Section, lines: Sequence[str]) -> None:
        """Put lines before the end of a section, as deep as what is there."""
        at = section.end - 1 if section.end else len(self._lines)
        if not section.end:
            indent = ""
        else:
            closing = self._lines[at]
            indent = closing[: len(closing) - len(closing.lstrip())] + self._step()
        self._lines[at:at] = [indent + line for line in lines]
        self._root = self._parsed()

    def _step(self) -> str:
        """Return what one level is indented by in this file."""
        for section in self._root.sections:
            for entry in section.entries:
                line = self._lines[entry.line - 1]
                return line[: len(line) - len(line.lstrip())]
        return "    "

    def finish(self) -> str:
        """Return the text, its version, if it has one, counted up.

        Raises:
            CommandError: messaging could not read it.
        """
        from hatools.messaging.corosync.conf import read_configuration

        for totem in self.sections(["totem"])[:1]:
            version = totem.find("config_version")
            if version is not None and version.value.isdigit():
                self.put(["totem"], "config_version", str(int(version.value) + 1))
        try:
            read_configuration(self.text)
        except HatoolsError as error:
            raise CommandError(f"refused, the file would be wrong: {error}") from None
        return self.text

    def count_two_nodes(self) -> None:
        """With exactly two nodes quorum must not need both."""
        count = len(self.sections(["nodelist", "node"]))
        for quorum in self.sections(["quorum"])[:1]:
            has_device = bool(self.sections(["quorum", "device"]))
            wanted = "1" if count == 2 and not has_device else "0"
            if quorum.find("two_node") is not None or wanted == "1":
                self.put(["quorum"], "two_node", wanted)


def with_value(path: str, value: str) -> str:
    """Return the file with the value at a path set, sections and key made if they are missing.

    Raises:
        CommandError: the path names no key, or the file would be wrong.
    """
    *names, key = path.split(".")
    if not names or not all((*names, key)):
        raise CommandError(f"{path}: expected <section>.<key>")
    if "\n" in value or "\r" in value:
        raise CommandError("a value is one line")
    draft = Draft(read_text())
    draft.put(names, key, value)
    return draft.finish()


def with_node(addresses: Sequence[str], name: str | None) -> tuple[str, int]:
    """Return the file with a node more, and the node's id.

    Args:
        addresses: of the node, one for each link.

    Raises:
        CommandError: it is there already, or there is no nodelist.
    """
    draft = Draft(read_text())
    lists = draft.sections(["nodelist"])
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
    pairs = [(f"ring{link}_addr", address) for link, address in enumerate(addresses)]
    pairs += [("name", name)] if name else []
    draft.add(lists[0], "node", [*pairs, ("nodeid", str(number))])
    draft.count_two_nodes()
    return draft.finish(), number


def without_node(name: str) -> str | None:
    """Return the file without a node, named or by address; None if it is not there."""
    draft = Draft(read_text())
    for node in draft.sections(["nodelist", "node"]):
        if any(entry.value == name for entry in node.entries if entry.key != "nodeid"):
            draft.drop(node)
            draft.count_two_nodes()
            return draft.finish()
    return None
