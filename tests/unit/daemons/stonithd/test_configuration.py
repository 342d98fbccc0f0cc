"""What a CIB means for one node's fencer."""

from hatools.cib.document import Document
from hatools.daemons.stonithd.configuration import DeviceConfig, FencingConfiguration, read_configuration
from hatools.values.iso8601 import Moment

NOW = Moment.from_epoch(1_700_000_000)


def read(resources: str, *, constraints: str = "", options: str = "", node: str = "n1") -> FencingConfiguration:
    pairs = "".join(
        f'<nvpair id="o-{name}" name="{name}" value="{value}"/>'
        for name, _, value in (word.partition("=") for word in options.split())
    )
    return read_configuration(
        Document.parse(
            '<cib><configuration><crm_config><cluster_property_set id="cib-bootstrap-options">'
            f"{pairs}</cluster_property_set></crm_config>"
            '<nodes><node id="1" uname="n1"><instance_attributes id="n1-a">'
            '<nvpair id="n1-rack" name="rack" value="r1"/></instance_attributes></node>'
            '<node id="2" uname="n2"/></nodes>'
            f"<resources>{resources}</resources><constraints>{constraints}</constraints></configuration></cib>"
        ),
        node,
        NOW,
    )


def device(name: str = "f", more: str = "") -> str:
    return (
        f'<primitive id="{name}" class="stonith" type="fence_x"><instance_attributes id="{name}-i">'
        f'<nvpair id="{name}-p" name="ip" value="10.0.0.1"/></instance_attributes>{more}</primitive>'
    )


def meta(name: str, value: str) -> str:
    return f'<meta_attributes id="m-{name}"><nvpair id="m-{name}-1" name="{name}" value="{value}"/></meta_attributes>'


def test_fence_devices_are_found_wherever_they_are() -> None:
    found = read(
        device("a")
        + f'<group id="g">{device("b")}</group><clone id="cl">{device("c")}</clone>'
        + '<primitive id="d" class="ocf" provider="heartbeat" type="Dummy"/>'
    )
    assert sorted(found.devices) == ["a", "b", "c"]
    assert found.devices["a"] == DeviceConfig("a", "fence_x", {"ip": "10.0.0.1"})


def test_a_template_gives_agent_and_parameters() -> None:
    found = read(
        '<template id="t" class="stonith" type="fence_t"><instance_attributes id="t-i">'
        '<nvpair id="t-1" name="ip" value="1"/><nvpair id="t-2" name="user" value="u"/></instance_attributes>'
        "</template>"
        '<primitive id="p" template="t"><instance_attributes id="p-i"><nvpair id="p-1" name="ip" value="2"/>'
        "</instance_attributes></primitive>"
    )
    assert found.devices["p"] == DeviceConfig("p", "fence_t", {"ip": "2", "user": "u"})


def test_without_fencing_there_are_no_devices() -> None:
    assert read(device(), options="stonith-enabled=false") == FencingConfiguration(
        enabled=False, attributes={"n1": {"rack": "r1"}, "n2": {}}, node_ids={"n1": "1", "n2": "2"}
    )


def test_a_stopped_device_is_not_used() -> None:
    assert read(device(more=meta("target-role", "Stopped"))).devices == {}


def test_a_device_that_is_banned_here_is_not_used() -> None:
    ban = '<rsc_location id="l" rsc="f" node="n1" score="-INFINITY"/>'
    assert read(device(), constraints=ban).devices == {}
    assert list(read(device(), constraints=ban, node="n2").devices) == ["f"]


def test_a_ban_of_the_clone_counts_for_what_is_in_it() -> None:
    ban = '<rsc_location id="l" rsc="cl" node="n1" score="-INFINITY"/>'
    assert read(f'<clone id="cl">{device()}</clone>', constraints=ban).devices == {}


def test_a_rule_can_ban_a_device() -> None:
    ban = (
        '<rsc_location id="l" rsc="f"><rule id="r" score="-INFINITY">'
        '<expression id="e" attribute="{}" operation="eq" value="{}"/></rule></rsc_location>'
    )
    assert read(device(), constraints=ban.format("rack", "r1")).devices == {}
    assert list(read(device(), constraints=ban.format("#uname", "n2")).devices) == ["f"]


def test_a_pattern_can_ban_several_devices() -> None:
    ban = '<rsc_location id="l" rsc-pattern="^f" node="n1" score="-INFINITY"/>'
    assert list(read(device("f1") + device("g1"), constraints=ban).devices) == ["g1"]


def test_in_an_opt_in_cluster_a_device_needs_a_score() -> None:
    options = "symmetric-cluster=false"
    assert read(device(), options=options).devices == {}
    allowed = '<rsc_location id="l" rsc="f" node="n1" score="0"/>'
    assert list(read(device(), options=options, constraints=allowed).devices) == ["f"]


def test_unfencing_can_be_asked_for() -> None:
    assert read(device(more=meta("provides", "unfencing"))).devices["f"].provides_unfencing
