"""Agents' metadata."""

import pytest

from hatools.agents.fence_metadata import complete_metadata
from hatools.agents.metadata import parse_metadata
from hatools.values.errors import InputError

AGENT = """<?xml version="1.0"?>
<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">
<resource-agent name="X" version="1"><version>1.1</version>
<longdesc lang="en">
Long
</longdesc><shortdesc lang="en">Short</shortdesc>
<parameters>
<parameter name="ip" unique="1" required="1"><shortdesc>IP</shortdesc><content type="string"/></parameter>
<parameter name="nic" reloadable="1"><content type="string" default="eth0"/></parameter>
<parameter name="passwd"><content/></parameter>
</parameters>
<actions><action name="start" timeout="20s"/><action name="monitor" timeout="20s" interval="10s" depth="10"/>
<action name="reload-agent" timeout="20"/></actions></resource-agent>"""


def test_parameters_and_actions_are_read() -> None:
    metadata = parse_metadata(AGENT)
    ip = metadata.parameter("ip")
    assert ip is not None
    assert (ip.unique, ip.required, ip.default, ip.short_text, ip.content_type) == (True, True, None, "IP", "string")
    monitor = metadata.action("monitor")
    assert monitor is not None
    assert (monitor.timeout, monitor.interval, monitor.depth) == ("20s", "10s", "10")
    assert (metadata.version, metadata.short_text, metadata.long_text) == ("1.1", "Short", "Long")


def test_a_secret_is_known_by_its_name_where_nothing_is_marked() -> None:
    assert parse_metadata(AGENT).private_parameters == {"passwd"}
    marked = AGENT.replace('name="nic"', 'name="nic" private="1"')
    assert parse_metadata(marked).private_parameters == {"nic"}


def test_what_is_not_reloadable_needs_a_restart() -> None:
    assert parse_metadata(AGENT).restart_parameters == ("ip", "passwd")
    legacy = AGENT.replace("reload-agent", "reload")
    assert parse_metadata(legacy).restart_parameters == ("ip",)
    assert parse_metadata(AGENT.replace("reload-agent", "other")).restart_parameters is None


@pytest.mark.parametrize("text", ["", "<a", "<other/>", "no xml at all", b"\xff\xfe"])
def test_what_is_no_metadata_is_refused(text: str | bytes) -> None:
    with pytest.raises(InputError):
        parse_metadata(text)


def test_fence_agents_get_start_and_stop_and_nothing_is_required_that_the_fencer_fills_in() -> None:
    root = complete_metadata(
        '<resource-agent name="fence_x"><parameters><parameter name="action" required="1"/>'
        '<parameter name="ip" required="1"/></parameters>\n<actions>\n<action name="off"/></actions></resource-agent>'
    )
    assert [(p.get("name"), p.get("required")) for p in root.iter("parameter")] == [("action", "0"), ("ip", "1")]
    assert [action.get("name") for action in root.iter("action")] == ["off", "stop", "start"]
