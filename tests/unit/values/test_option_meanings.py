"""What options mean is told once, and daemons' metadata is made of it."""

from hatools.cli.daemon_metadata import format_metadata
from hatools.values.fencing_options import FENCING_PARAMETERS
from hatools.values.options import CLUSTER_OPTIONS, DAEMON_OPTIONS, OptionMeaning, default_of
from hatools.values.resource_options import OPERATION_OPTIONS, RESOURCE_META


def test_every_daemons_options_are_cluster_options() -> None:
    listed = {option.name for options in DAEMON_OPTIONS.values() for option in options}
    assert listed == set(CLUSTER_OPTIONS)


def test_a_default_can_be_looked_up() -> None:
    assert (default_of("no-quorum-policy"), default_of("cluster-name"), default_of("nope")) == ("stop", None, None)


def test_names_are_unique_in_each_family() -> None:
    for family in (FENCING_PARAMETERS, RESOURCE_META, OPERATION_OPTIONS):
        names = [option.name for option in family]
        assert len(names) == len(set(names))


def test_a_default_of_a_choice_is_one_of_the_choices() -> None:
    for option in CLUSTER_OPTIONS.values():
        assert not option.choices or option.default in option.choices


def test_metadata_tells_choices_in_words_and_elements() -> None:
    option = OptionMeaning("policy", "select", "a", "What's done", choices=("a", "b"))
    assert format_metadata("d", "long", "short", (option,)).splitlines()[6:15] == [
        '    <parameter name="policy">',
        '      <longdesc lang="en">What&apos;s done  Allowed values: a, b</longdesc>',
        '      <shortdesc lang="en">What&apos;s done</shortdesc>',
        '      <content type="select" default="a">',
        '        <option value="a" />',
        '        <option value="b" />',
        "      </content>",
        "    </parameter>",
        "  </parameters>",
    ]
