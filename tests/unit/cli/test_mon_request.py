"""Which sections crm_mon shows."""

import pytest

from hatools.cli.mon_options import PROGRAM
from hatools.cli.mon_request import FENCING_LEVELS, Format, SectionError, read_request, settle_format
from hatools.cli.options import parse
from hatools.status.view import Section, Show


def sections(*words: str) -> Section:
    line = parse(PROGRAM, list(words))
    request = read_request(line)
    settle_format(request, line.get("output-as"))
    return request.sections()


def test_text_leaves_out_what_xml_shows() -> None:
    assert sections("-1") == Section.DEFAULT | FENCING_LEVELS[1]
    assert Section.OPTIONS in sections("--output-as=xml")
    assert Section.OPTIONS not in sections("-1", "--include=all")


def test_names_are_applied_from_left_to_right() -> None:
    assert sections("-1", "--include=none,nodes") == Section.NODES
    assert sections("-1", "--include=nodes,none") == Section.NONE
    assert sections("-1", "--exclude=all", "--include=nodes,tickets") == Section.NODES | Section.TICKETS
    assert Section.NODES not in sections("-1", "--include=all", "--exclude=nodes")


def test_bans_may_be_limited_by_a_prefix() -> None:
    request = read_request(parse(PROGRAM, ["-1", "--include=none,bans:cli-"]))
    assert request.sections() == Section.BANS
    assert request.ban_prefix == "cli-"


@pytest.mark.parametrize("option", ["--include", "--exclude"])
def test_a_wrong_name_lists_the_right_ones(option: str) -> None:
    with pytest.raises(SectionError, match="options: all, "):
        sections("-1", f"{option}=nonsense")


def test_short_options_add_sections() -> None:
    request = read_request(parse(PROGRAM, ["-1Arft"]))
    assert Section.ATTRIBUTES | Section.FAILCOUNTS | Section.OPERATIONS in request.sections()
    assert Show.INACTIVE | Show.TIMING in request.show
    assert request.one_shot
    assert request.format in (Format.UNSET, Format.TEXT, Format.CONSOLE)
