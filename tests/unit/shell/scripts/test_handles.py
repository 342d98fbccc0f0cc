"""Templates of wizards."""

import pytest

from hatools.shell.scripts.handles import Branch, HandleError, references, render

VALUES = {"id": "web", "on": "true", "off": False, "list": ["a", "b"], "step": {"ip": "10.0.0.1", "none": None}}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("primitive {{id}} Dummy", "primitive web Dummy"),
        ("{{step:ip}}", "10.0.0.1"),
        ("{{step:none}}{{nothing}}{{step:nothing}}", ""),
        ("{{#id}}has {{id}}{{/id}}{{^id}}none{{/id}}", "has web"),
        ("{{#off}}yes{{/off}}{{^off}}no{{/off}}", "no"),
        ("{{#list}}<{{list}}>{{/list}}", "<a><b>"),
        ("a\n{{#id}}\nb\n{{/id}}\nc", "a\nb\nc"),
        ("a\n{{#off}}\nb\n{{/off}}\nc", "a\nc"),
        ("{{off}}{{not a tag}}", "false{{not a tag}}"),
    ],
)
def test_a_template_is_filled_in(template: str, text: str) -> None:
    assert render(template, VALUES) == text


def test_a_block_that_is_not_closed_is_named() -> None:
    with pytest.raises(HandleError, match=r"Unclosed conditional: \{\{#id\}\}"):
        render("{{#id}} text", VALUES)


def test_a_step_may_stand_for_a_text_and_have_values() -> None:
    step = Branch()
    step["id"] = "vip"
    step.own = lambda: "primitive vip"
    assert render("{{step}}/{{step:id}}", {"step": step}) == "primitive vip/vip"


def test_what_a_template_refers_to_is_listed() -> None:
    assert list(references("{{id}} {{#list}}x{{/list}} {{gone}}", VALUES)) == [
        ("id", "web"),
        ("list", "a"),
        ("list", "b"),
        ("gone", ""),
    ]
