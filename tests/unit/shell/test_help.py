"""Help comes from one text, and names every command."""

from pathlib import Path

import pytest

from hatools.shell.commands import Level
from hatools.shell.help import man_page, manual, short_help
from hatools.shell.levels.root import Root


def _levels(level: type[Level], seen: dict[str, type[Level]]) -> dict[str, type[Level]]:
    from hatools.shell.commands import Door

    if level.name not in seen:
        seen[level.name] = level
        for name in level.names():
            entry = level.find(name)
            if isinstance(entry, Door):
                _levels(entry.open(), seen)
    return seen


LEVELS = _levels(Root, {})


@pytest.mark.parametrize("level", LEVELS.values(), ids=list(LEVELS))
def test_every_command_has_a_line_of_help(level: type[Level]) -> None:
    missing = [name for name in level.names() if not name.startswith(("_", "-")) and not short_help(level.name, name)]
    assert missing == []


def test_the_man_page_has_every_level() -> None:
    page = man_page()
    assert [name for name in LEVELS if name not in page] == []
    assert manual()


def test_the_shipped_man_page_is_the_one_made_from_the_help() -> None:
    shipped = Path(__file__).resolve().parents[3] / "man" / "crm.8"
    assert shipped.read_text(encoding="utf-8") == man_page()
