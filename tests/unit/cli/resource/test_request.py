"""A crm_resource command line folds into one request, the last command deciding."""

import pytest

from hatools.cli.options import CommandLineError, parse
from hatools.cli.resource.interface import PROGRAM
from hatools.cli.resource.request import Command, Find, Request, read_request


def request(*argv: str, on_file: bool = False) -> Request:
    return read_request(parse(PROGRAM, list(argv)), on_file=on_file)


def test_without_a_command_resources_are_listed() -> None:
    assert request().command is Command.LIST_RESOURCES
    assert not request().needs_resource


def test_the_last_command_wins() -> None:
    assert request("-L", "-r", "a", "-W").command is Command.LOCATE


@pytest.mark.parametrize(
    ("argv", "command", "find"),
    [
        (["-q"], Command.QUERY_XML, Find.ANY),
        (["-A"], Command.CONSTRAINTS, Find.ANONYMOUS),
        (["-Y"], Command.WHY, Find.ANONYMOUS),
        (["-p", "x", "-v", "1"], Command.SET_PARAMETER, Find.ANY),
        (["--restart"], Command.RESTART, Find.ANONYMOUS),
        (["-F"], Command.FAIL, Find.NOTHING),
    ],
)
def test_a_command_says_how_its_resource_is_found(argv: list[str], command: Command, find: Find) -> None:
    found = request(*argv)
    assert (found.command, found.find) == (command, find)


def test_cleaning_up_needs_the_controller_only_in_a_live_cluster() -> None:
    assert request("-C").needs_controller
    assert not request("-C", on_file=True).needs_controller


def test_agents_are_listed_without_a_cluster() -> None:
    found = request("--list-agents", "ocf:pacemaker")
    assert (found.agent_spec, found.needs_cib, found.needs_resource) == ("ocf:pacemaker", False, False)


def test_parameters_given_here_are_collected() -> None:
    found = request("--validate", "--class", "ocf", "--agent", "Dummy", "--option", "a=b=c", "--option=d=")
    assert found.configured_here
    assert (found.operation, found.given_parameters) == ("validate", {"a": "b=c", "d": ""})


def test_a_timeout_is_read_in_its_unit() -> None:
    assert (request("-T", "30").timeout_ms, request("-T", "500ms").timeout_ms) == (30_000, 500)


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["--validate=x"], "Invalid check level setting: x"),
        (["--option", "nothing"], "Error parsing option --option"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(argv: list[str], text: str) -> None:
    with pytest.raises(CommandLineError) as raised:
        request(*argv)
    assert str(raised.value) == text
