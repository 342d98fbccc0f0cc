"""A CIB of the past as lines: its configuration, its status, and how two of them differ. I/O: a temporary file."""

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element

from hatools.shell.programs import capture

if TYPE_CHECKING:
    from hatools.shell.console import Console


def configuration_lines(console: "Console", root: Element) -> list[str]:
    """Return the configuration in the crm language."""
    from hatools.parser.printer import Layout
    from hatools.shell.changeset.host import Host
    from hatools.shell.changeset.workspace import Workspace

    workspace = Workspace(root, Host(console))
    layout = Layout(node_count=len(workspace.node_names()))
    return "\n".join(workspace.text(item, layout) for item in workspace.sorted(workspace.objects)).splitlines()


def status_lines(root: Element) -> list[str]:
    """Return how crm_mon shows the cluster of a CIB."""
    import tempfile

    from hatools.cib.document import format_xml

    with tempfile.NamedTemporaryFile("w", suffix=".xml", encoding="utf-8") as file:
        file.write(format_xml(root))
        file.flush()
        saved: dict[str, Any] = {name: os.environ.pop(name, None) for name in ("CIB_file", "CIB_shadow")}
        os.environ["CIB_file"] = file.name
        try:
            return capture("crm_mon", ["-1", "-r"]).out.splitlines()
        finally:
            del os.environ["CIB_file"]
            os.environ.update({name: value for name, value in saved.items() if value is not None})


def word_difference(first: Sequence[str], second: Sequence[str]) -> str:
    """Return two texts as one, in which [-words-] are gone and {+words+} are new."""
    import difflib

    old, new = (re.findall(r"\S+|\n", "\n".join(lines)) for lines in (first, second))
    parts: list[str] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            parts += old[a:b]
        else:
            parts += [f"[-{' '.join(old[a:b])}-]"] if b > a else []
            parts += [f"{{+{' '.join(new[c:d])}+}}"] if d > c else []
    return " ".join(parts).replace(" \n ", "\n").replace("\n ", "\n")
