import pytest

from hatools.messaging.heartbeat.ha_cf import (
    Autojoin,
    HaConfiguration,
    Medium,
    PingNode,
    Transport,
    local_name,
    read_ha_cf,
)
from hatools.values.errors import ConfigError

IN_THE_WILD = """\
use_logd off
logfile /var/log/ha-log
debugfile /var/log/ha-debug
crm on
autojoin none
mcast6 eth3 ff02::1 694 1 0
#mcast eth3 224.0.0.1 694 1 0
node charlie-brown
node snoopy
pacemaker
"""
BASE = "bcast eth0\nnode a b\ncrm on\n"


def warnings_of(text: str) -> list[str]:
    return [str(finding) for finding in read_ha_cf(BASE + text).warnings]


def test_the_file_found_in_the_wild_is_read_as_the_original_reads_it() -> None:
    found = read_ha_cf(IN_THE_WILD)

    assert found.nodes == ("charlie-brown", "snoopy")
    assert found.media == (Medium(Transport.MCAST6, "eth3", "ff02::1", 694, 1, False),)
    assert found.manages_resources, "a bare 'pacemaker' says nothing; 'crm on' holds"
    assert (found.logfile, found.debugfile) == ("/var/log/ha-log", "/var/log/ha-debug")
    assert [finding.line for finding in found.warnings] == [6, 10]
    assert "pacemaker has no value" in found.warnings[1].text


def test_this_node_is_found_by_its_host_name() -> None:
    found = read_ha_cf(IN_THE_WILD)

    assert local_name(found, "Snoopy", "ha.cf") == "snoopy"
    with pytest.raises(ConfigError, match="uname -n says linus, the nodes are charlie-brown, snoopy"):
        local_name(found, "linus", "ha.cf")


def test_without_node_lines_autojoin_any_takes_every_name() -> None:
    found = read_ha_cf("bcast eth0\nautojoin any\ncrm on\n")

    assert found.autojoin is Autojoin.ANY
    assert local_name(found, "linus", "ha.cf") == "linus"


def test_times_are_seconds_or_milliseconds_and_have_defaults() -> None:
    def timing(text: str):  # type: ignore[no-untyped-def]
        return read_ha_cf(BASE + text).timing

    assert (timing("").keepalive, timing("").deadtime, timing("").warntime, timing("").initdead) == (1, 30, 15, 30)
    given = timing("keepalive 500ms\ndeadtime 4\nwarntime 1.5\ninitdead 10 s\ndeadping 2500msec\n")
    assert (given.keepalive, given.deadtime, given.warntime, given.initdead, given.deadping) == (0.5, 4, 1.5, 10, 2.5)
    assert timing("deadtime 5\nkeepalive 1\n").initdead == 12
    assert timing("deadtime 8\nkeepalive 1\n").initdead == 16


def test_the_port_holds_for_the_media_behind_it() -> None:
    found = read_ha_cf(
        "ucast eth0 10.0.0.1\nudpport 700\nbcast eth1 eth2\nmcast eth3 239.0.0.1 800 4 1\n"
        "ucast6 eth1 fe80::1%eth1\nnode a\ncrm on\n",
        default_port=695,
    )

    assert [(medium.transport.value, medium.device, medium.port) for medium in found.media] == [
        ("ucast", "eth0", 695),
        ("bcast", "eth1", 700),
        ("bcast", "eth2", 700),
        ("mcast", "eth3", 800),
        ("ucast6", "eth1", 700),
    ]
    assert any("udpport 700 does not hold for 'ucast eth0 10.0.0.1'" in finding.text for finding in found.warnings)


def test_ping_nodes_and_groups() -> None:
    found = read_ha_cf(BASE + "ping 10.0.0.254 10.0.0.253\nping_group routers 10.0.0.1 10.0.0.2\n")

    assert found.ping_nodes == (
        PingNode("10.0.0.254", ("10.0.0.254",)),
        PingNode("10.0.0.253", ("10.0.0.253",)),
        PingNode("routers", ("10.0.0.1", "10.0.0.2"), is_group=True),
    )


@pytest.mark.parametrize(
    "line",
    [
        "keepalive abc",
        "keepalive 0",
        "debug 999",
        "msgfmt xyz",
        "logfacility bogus",
        "compression foo",
        "realtime maybe",
        "udpport abc",
        "udpport 70000",
        "autojoin foo",
        "ping notanaddress",
        "ping_group g",
        "mcast eth3 224.0.0.5 694 0 0",
        "mcast eth3 10.0.0.1 694 1 0",
        "mcast eth3 239.0.0.1 694",
        "mcast eth3 239.0.0.1 694 1 2",
        "mcast6 eth3 239.0.0.1 694 1 0",
        "mcast6 eth3 ff02::5 694 9 0",
        "ucast eth3",
        "ucast eth3 fe80::1",
        "ucast6 eth3 fe80::1%eth4",
        "serial /dev/ttyS0",
        "bcast /dev/eth0",
        "crm perhaps",
        "apiauth foo",
        "respawn hacluster",
        "node under/score",
        "hopfudge x",
        "hbgenmethod x",
        "uuidfrom x",
        "baud 1",
        "auto_failback perhaps",
    ],
)
def test_what_cannot_be_is_refused_with_its_line(line: str) -> None:
    with pytest.raises(ConfigError, match="line 4: "):
        read_ha_cf(BASE + line + "\n")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("node a\n", "no medium"),
        ("bcast eth0\n", "no node"),
        (BASE + "deadtime 2\nkeepalive 1\n", "not more than twice keepalive"),
        (BASE + "deadtime 20\ninitdead 10\n", "initdead 10 s is less than deadtime 20 s"),
        (BASE + "ping_group a 10.0.0.1\n", "cannot be a ping node"),
    ],
)
def test_what_cannot_be_in_the_whole_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        read_ha_cf(text)


def test_all_errors_are_shown_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        read_ha_cf(BASE + "keepalive x\ndebug x\n", "/etc/ha.d/ha.cf")

    assert str(caught.value).splitlines() == [
        "/etc/ha.d/ha.cf: line 4: keepalive x: no time; write seconds (2, 1.5) or milliseconds (500ms)",
        "/etc/ha.d/ha.cf: line 5: debug x: it is a number from 0 to 255",
    ]


def test_unknown_directives_are_warned_about_with_their_lines() -> None:
    (warning,) = warnings_of("frobnicate 7\n")

    assert warning.startswith("line 4: 'frobnicate' is no directive of ha.cf")


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("watchdog /dev/watchdog", "sbd"),
        ("respawn hacluster /usr/lib/heartbeat/ipfail", "ocf:pacemaker:ping"),
        ("respawn root /usr/bin/thing", "make the program a cluster resource"),
        ("stonith_host * meatware a", "crm configure primitive"),
        ("node a", "node a is there already"),
        ("keepalive", "keepalive has no value"),
        ("warntime 40", "there will be no warnings"),
        ("initdead 5\ndeadtime 4", "initdead 5 s is short"),
    ],
)
def test_what_others_do_here_is_said(line: str, hint: str) -> None:
    assert any(hint in warning for warning in warnings_of(line + "\n"))


@pytest.mark.parametrize("word", ["off", "no", "none"])
def test_without_a_resource_manager_the_way_for_haresources_is_shown(word: str) -> None:
    found: HaConfiguration = read_ha_cf(f"bcast eth0\nnode a\ncrm {word}\n")

    assert not found.manages_resources
    assert any("crm import haresources" in finding.text for finding in found.warnings)


@pytest.mark.parametrize(
    "text", ["\0\0", "node " + "x" * 5000, "bcast " * 3000, "\x1b[2J 1", "mcast \u0663 \u0664 1 1 1"]
)
def test_garbage_is_refused_or_warned_about(text: str) -> None:
    try:
        read_ha_cf(BASE + text)
    except ConfigError as error:
        assert "line" in str(error) or "media" in str(error)
