"""What commands say comes out as Pacemaker's text and XML."""

import io

import pytest

from hatools.cli.output import CData, OutputError, TextOutput, XmlOutput, open_output, quote_command_line


def test_plain_text_shows_items_only() -> None:
    stream = io.StringIO()
    out = TextOutput(stream)
    out.begin_list(None, None, "Nodes")
    out.list_item("alpha")
    out.end_list()
    assert stream.getvalue() == "alpha\n"


def test_fancy_text_shows_titles_and_nested_bullets() -> None:
    stream = io.StringIO()
    out = TextOutput(stream, fancy=True)
    out.begin_list(None, None, "Outer")
    out.list_item("one")
    out.begin_list(None, None, "Inner")
    out.list_item("two", "name")
    out.end_list()
    out.end_list()
    assert stream.getvalue() == "Outer:\n  * one\n  * Inner:\n    * name: two\n"


def test_a_list_with_nouns_counts_its_items() -> None:
    stream = io.StringIO()
    out = TextOutput(stream)
    for count in (1, 2):
        out.begin_list("device", "devices", None)
        for number in range(count):
            out.list_item(str(number))
        out.end_list()
    assert stream.getvalue() == "0\n1 device found\n0\n1\n2 devices found\n"


def test_a_quiet_command_gives_no_information() -> None:
    stream = io.StringIO()
    out = TextOutput(stream)
    out.quiet = True
    out.info("never mind")
    assert stream.getvalue() == ""


def test_xml_is_written_at_the_end_with_the_errors() -> None:
    stream = io.StringIO()
    out = XmlOutput(stream, ["crm_example", "-n", "a b"])
    out.begin_list(None, None, "names")
    out.list_item("<é>", "x")
    out.end_list()
    out.error("went wrong")
    assert stream.getvalue() == ""
    assert out.finish(105) == 105
    assert stream.getvalue() == (
        '<pacemaker-result api-version="2.25" request="crm_example -n \'a b\'">\n'
        '  <list name="names" count="1">\n'
        '    <item name="x">&lt;&#xE9;&gt;</item>\n'
        "  </list>\n"
        '  <status code="105" message="No such object">\n'
        "    <errors>\n"
        "      <error>went wrong</error>\n"
        "    </errors>\n"
        "  </status>\n"
        "</pacemaker-result>\n"
    )


def test_an_element_with_text_is_not_laid_out() -> None:
    stream = io.StringIO()
    out = XmlOutput(stream)
    out.element("metadata", {}, CData("<a>\n</a>\n"))
    out.finish(0)
    assert "  <metadata><![CDATA[<a>\n</a>\n]]></metadata>\n" in stream.getvalue()


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(OutputError, match="Error creating output format json: Unknown output format"):
        open_output("json")


def test_words_with_blanks_are_quoted_in_the_request() -> None:
    assert quote_command_line(["a", "b c", "it's d", ""]) == "a 'b c' 'it\\'s d' "
