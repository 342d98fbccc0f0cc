"""What the Tab key suggests."""

from types import SimpleNamespace
from typing import cast

import pytest

from hatools.shell.completion import suggest
from hatools.shell.levels.root import Root
from hatools.shell.session import Session

from .workspaces import workspace

TEXT = """
node 1: one
primitive web ocf:pacemaker:Dummy
primitive db ocf:pacemaker:Stateful
clone dbs db meta promotable=true
"""


def _suggested(line: str) -> list[str]:
    copy = workspace(TEXT)
    configuration = SimpleNamespace(workspace=copy, is_loaded=True, load=lambda: True, ensure_loaded=lambda: True)
    session = cast(Session, SimpleNamespace(configuration=configuration, files_from=lambda prefix: [prefix + "x"]))
    return [suggestion.text for suggestion in suggest(session, Root, line)]


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("", ["configure", "resource", "node", "status"]),
        ("conf", ["configure"]),
        ("resource st", ["start", "status", "stop"]),
        ("configure prim", ["primitive"]),
        ("resource stop ", ["web", "db", "dbs"]),
        ("resource stop w", ["web"]),
        ("node standby ", ["one"]),
        ("configure delete d", ["db", "dbs"]),
        ("configure group g w", ["web"]),
    ],
)
def test_the_last_word_is_completed(line: str, some: list[str]) -> None:
    assert set(some) <= set(_suggested(line))


@pytest.mark.parametrize("line", ["nonsense ", "configure show 'open"])
def test_nothing_is_suggested_behind_what_is_not_understood(line: str) -> None:
    assert _suggested(line) == []
