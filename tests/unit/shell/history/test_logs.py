"""Logs of several nodes, what of them concerns whom, and the transitions that they tell of."""

from datetime import datetime

import pytest

from hatools.shell.history.logs import View, matching, merged, parse_lines
from hatools.shell.history.patterns import EVENTS, NODE, RESOURCE, patterns_for
from hatools.shell.history.transitions import Transition, find_transitions

NOW = datetime(2026, 1, 15, 12, 0, 0)
ALPHA = """\
Jan 15 10:00:00.100 alpha hatools-pengine[1] (_report) \tnotice: Calculated, saving inputs in /p/pe-input-3.bz2
Jan 15 10:00:00.200 alpha hatools-crmd[2] (_schedule) \tinfo: 2 steps, saved in /p/pe-input-3.bz2
Jan 15 10:00:00.300 alpha hatools-crmd[2] (_perform) \tinfo: Initiating web_start_0 on beta
Jan 15 10:00:02.000 alpha crmd[2] \tnotice: Transition 4 (Complete=2, Pending=0, Failed=1, Skipped=0): Complete
Jan 15 10:00:03.000 alpha hatools-crmd[2] (_perform) \twarning: beta was lost without saying goodbye
  more of it
Jan 15 10:00:04.000 alpha hatools-crmd[2] (_perform) \tnotice: Quorum lost
"""
BETA = """\
Jan 15 10:00:01.000 beta hatools-crmd[3] (_perform) \twarning: Result of web_start_0 on beta: rc=1 (3 ms)
Jan 15 10:00:01.100 beta web(web)[77]: ERROR: cannot bind
Jan 15 10:00:01.200 beta hatools-lrmd[4] (_perform) \tinfo: website_start_0 (call 5): complete
"""
LINES = merged([parse_lines(ALPHA, "alpha", NOW), parse_lines(BETA, "beta", NOW)])


def found(patterns: list[str]) -> list[str]:
    return [line.text.partition("\t")[2] or line.text for line in matching(LINES, patterns)]


def test_logs_are_merged_by_time() -> None:
    assert [line.node for line in LINES] == ["alpha"] * 3 + ["beta"] * 3 + ["alpha"] * 4
    assert LINES[-2].text == "  more of it"


def test_a_resource_is_told_from_others_with_similar_names() -> None:
    texts = found(patterns_for(RESOURCE, ["web"], 0))
    assert texts == [
        "info: Initiating web_start_0 on beta",
        "warning: Result of web_start_0 on beta: rc=1 (3 ms)",
        "Jan 15 10:00:01.100 beta web(web)[77]: ERROR: cannot bind",
    ]


def test_a_node_and_events_are_found() -> None:
    assert found(patterns_for(NODE, ["beta"], 0)) == ["warning: beta was lost without saying goodbye"]
    assert "notice: Quorum lost" in found(patterns_for(EVENTS, (), 0))
    assert len(found(patterns_for(EVENTS, (), 1))) > len(found(patterns_for(EVENTS, (), 0)))


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("pacemaker-controld [1] (process_lrm_event) notice: Result of start operation for vip on a: ok", "vip"),
        ("pacemaker-schedulerd[1] (log_list_item) notice:  * Start      vip     (                   a )", "vip"),
        ("pacemaker-execd (log_execute) info: executing - rsc:vip action:start call_id:3", "vip"),
        ("pacemaker-controld  notice: Initiating start operation vip_start_0 locally on a", "vip"),
        ("IPaddr2(vip)[123]: INFO: Adding inet address", "vip"),
    ],
)
def test_messages_of_pacemaker_are_known_too(line: str, name: str) -> None:
    lines = parse_lines(f"Jan 15 10:00:00 a {line}", "a", NOW)
    assert list(matching(lines, patterns_for(RESOURCE, [name], 0)))


def test_a_transition_has_a_begin_an_end_and_tags() -> None:
    assert find_transitions(LINES, ["web", "website"]) == [
        Transition(
            "pe-input-3.bz2",
            3,
            "alpha",
            datetime(2026, 1, 15, 10, 0, 0, 100000),
            datetime(2026, 1, 15, 10, 0, 2),
            2,
            "Complete",
            {"web", "error"},
        )
    ]


def test_a_view_limits_what_is_seen() -> None:
    view = View(datetime(2026, 1, 15, 10, 0, 1), datetime(2026, 1, 15, 10, 0, 3), ["beta"], ["bind"])
    assert [line.text[-8:] for line in LINES if view.shows(line)] == ["1 (3 ms)", "complete"]
