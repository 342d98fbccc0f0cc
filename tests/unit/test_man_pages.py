"""Every command, agent and file format has a man page, and every page has its beginning."""

import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
COMMANDS = sorted(path.name for path in (SOURCE / "bin").iterdir())
FENCE_AGENTS = sorted(path.name for path in (SOURCE / "lib/hatools/agents/shipped/fence").iterdir())
PAGES = sorted(path for path in (SOURCE / "man").iterdir() if path.is_file())

_TITLE = re.compile(r"^\.TH (?P<name>\S+) (?P<section>\d)\b", re.MULTILINE)
_NAME = re.compile(r"^\.SH NAME\n(?P<name>\S+) \\- \S", re.MULTILINE)
_REFERENCE = re.compile(r"^\.BR (?P<name>[\w.\\-]+) \((?P<section>[1-8])\)", re.MULTILINE)


@pytest.mark.parametrize("name", [*COMMANDS, *FENCE_AGENTS])
def test_a_command_has_a_man_page(name: str) -> None:
    assert [page.name for page in PAGES if page.stem == name]


@pytest.mark.parametrize("name", ["corosync.conf.5", "cib.xml.5"])
def test_a_file_format_has_a_man_page(name: str) -> None:
    assert (SOURCE / "man" / name).is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_begins_with_its_title_and_says_what_it_is_about(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    title, name = _TITLE.search(text), _NAME.search(text)
    assert title is not None and name is not None
    written = (title["name"].replace("\\-", "-").lower(), title["section"], name["name"].replace("\\-", "-"))
    assert written == (page.stem.lower(), page.suffix[1:], page.stem)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_refers_only_to_pages_that_exist(page: Path) -> None:
    known = {other.name for other in PAGES}
    named = {
        f"{match['name'].replace(chr(92), '')}.{match['section']}"
        for match in _REFERENCE.finditer(page.read_text(encoding="utf-8"))
    }
    assert named - known == set()
