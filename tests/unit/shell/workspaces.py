"""Working copies without a cluster behind them, for tests."""

from collections.abc import Callable

from hatools.cib.document import parse_xml
from hatools.parser.printer import Layout
from hatools.shell.changeset.host import Host
from hatools.shell.changeset.imports import import_text
from hatools.shell.changeset.workspace import Workspace

EMPTY = (
    '<cib validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0"><configuration>'
    "<crm_config/><nodes/><resources/><constraints/></configuration><status/></cib>"
)


class Notes:
    """Messages, kept."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def error(self, text: str) -> None:
        self.texts.append(f"ERROR: {text}")

    def warning(self, text: str) -> None:
        self.texts.append(f"WARNING: {text}")

    def info(self, text: str) -> None:
        self.texts.append(f"INFO: {text}")

    def detail(self, describe: Callable[[], str]) -> None:
        pass


def workspace(text: str = "", xml: str = EMPTY) -> Workspace:
    """Return a working copy with the objects that a text in the crm language says."""
    notes = Notes()
    made = Workspace(parse_xml(xml), Host(notes))
    if text:
        assert import_text(made, [], text, remove=False, merge=False), notes.texts
    return made


def shown(made: Workspace) -> str:
    """Return the text of all objects that are shown by themselves."""
    layout = Layout(node_count=len(made.node_names()))
    return "\n".join(made.text(item, layout) for item in made.sorted(made.objects))
