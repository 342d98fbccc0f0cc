"""Texts whose XML and layout crmsh 4.4.1 itself wrote, in tests/golden/parser."""

from pathlib import Path
from xml.etree.ElementTree import Element, canonicalize, tostring

import pytest

from hatools.cib.document import parse_xml
from hatools.shell.changeset.workspace import Workspace

from .workspaces import EMPTY, shown, workspace

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "parser"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.crm"))


def _canonical(element: Element) -> str:
    return canonicalize(tostring(element, encoding="unicode"), strip_text=True)


def _configuration(made: Workspace) -> Element:
    configuration = made.document_of(made.objects).find("configuration")
    assert configuration is not None
    return configuration


def _objects(configuration: Element) -> list[str]:
    """Return the objects in an order of their own: where new ones are put is the commit's business."""
    found: list[str] = []
    for section in configuration:
        outer = [section] if section.tag in ("rsc_defaults", "op_defaults", "fencing-topology") else list(section)
        found += [_canonical(element) for element in outer]
    return sorted(found)


@pytest.mark.parametrize("name", NAMES)
def test_a_text_becomes_the_xml_that_the_original_writes(name: str) -> None:
    made = workspace((GOLDEN / f"{name}.crm").read_text(encoding="utf-8"))
    expected = parse_xml((GOLDEN / f"{name}.xml").read_text(encoding="utf-8"))
    assert _objects(_configuration(made)) == _objects(expected)


@pytest.mark.parametrize("name", NAMES)
def test_xml_is_shown_as_the_original_shows_it(name: str) -> None:
    configuration = (GOLDEN / f"{name}.xml").read_text(encoding="utf-8")
    root = parse_xml(EMPTY)
    root[:] = [parse_xml(configuration)]
    made = workspace(xml=tostring(root, encoding="unicode"))
    assert shown(made) + "\n" == (GOLDEN / f"{name}.show").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [name for name in NAMES if name != "administration"])
def test_what_is_shown_can_be_loaded_again(name: str) -> None:
    # a topology for "all nodes" means those that exist before the load, so that one is left out
    text = (GOLDEN / f"{name}.show").read_text(encoding="utf-8")
    assert shown(workspace(text)) + "\n" == text
