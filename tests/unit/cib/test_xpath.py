"""XPath: the simple form that is evaluated here says the same as libxml2."""

import pytest

from hatools.cib.document import parse_xml
from hatools.cib.xpath import _parse, _select_by_libxml, select

ROOT = parse_xml(
    "<cib><a id='1'><b id='2' n='x'><a id='3'><b id='4'/></a><!-- c --></b><b id='5' n='y'/></a>"
    "<c><b id='6' n='x'/></c></cib>"
)

SIMPLE = [
    "/cib",
    "//b",
    "//a//b",
    "//a/b",
    "/cib/a/b[@n='x']",
    '//b[@n="x"]',
    "//b[@n]",
    "//*[@id='4']",
    "//a[@id='1']//b[@id='4']",
    "//b[@n='x' and @id='6']",
    "//b[@n='x'][@id='2']",
    "/cib/*/b",
    "//b/@n",
    "//nothing",
    " //b ",
    "//a//a",
]


@pytest.mark.parametrize("expression", SIMPLE)
def test_the_simple_form_agrees_with_libxml2(expression: str) -> None:
    assert _parse(expression) is not None
    assert [trail[-1] for trail in select(ROOT, expression)] == [
        trail[-1] for trail in _select_by_libxml(ROOT, expression)
    ]


def test_other_expressions_are_left_to_libxml2() -> None:
    assert [trail[-1].get("id") for trail in select(ROOT, "//b[2]|//c")] == ["5", None]
    assert [trail[-1].get("id") for trail in select(ROOT, "//comment()")] == ["2"]


@pytest.mark.parametrize("expression", ["", "//b[", "count(//b)", "string(//b/@n)", "//p:q"])
def test_what_selects_no_nodes_matches_nothing(expression: str) -> None:
    assert select(ROOT, expression) == []
