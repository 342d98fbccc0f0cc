"""corosync.conf: what is read, what is warned about and what is refused, with its place."""

import pytest

from hatools.messaging.corosync.conf import Configuration, fixed_differences, read_configuration
from hatools.messaging.corosync.crypto import Suite
from hatools.messaging.corosync.sections import export, parse_sections
from hatools.messaging.corosync.votequorum import TieBreaker
from hatools.values.errors import ConfigError

NODES = """\
nodelist {
    node {
        ring0_addr: 10.0.0.1
        name: alpha
        nodeid: 1
    }
    node {
        ring0_addr: 10.0.0.2
        name: beta
        nodeid: 2
        quorum_votes: 2
    }
}
"""


def read(totem: str = "", rest: str = "", nodes: str = NODES) -> Configuration:
    return read_configuration(f"totem {{\n version: 2\n{totem}}}\n{nodes}{rest}")


def refusal(totem: str = "", rest: str = "", nodes: str = NODES) -> str:
    with pytest.raises(ConfigError) as caught:
        read(totem, rest, nodes)
    return str(caught.value)


def test_a_usual_file_is_read() -> None:
    conf = read(" cluster_name: hacluster\n transport: knet\n", "quorum {\n provider: corosync_votequorum\n}\n")

    assert conf.cluster_name == "hacluster"
    assert [(node.id, node.name, node.addresses[0], node.votes) for node in conf.nodes] == [
        (1, "alpha", "10.0.0.1", 1),
        (2, "beta", "10.0.0.2", 2),
    ]
    assert conf.quorum.expected_votes == 3
    assert conf.warnings == ()
    assert conf.settings["nodelist.node.1.name"] == "beta"


@pytest.mark.parametrize(
    ("token", "count", "effective", "consensus", "retransmit", "hold"),
    [(3000, 2, 3.0, 3.6, 0.714, 0.561), (1000, 2, 1.0, 1.2, 0.238, 0.18), (1000, 3, 1.65, 1.98, 0.392, 0.303)],
)
def test_timers_follow_from_the_token_as_documented(
    token: int, count: int, effective: float, consensus: float, retransmit: float, hold: float
) -> None:
    nodes = "".join(f"node {{\n nodeid: {n}\n ring0_addr: 10.0.0.{n}\n}}\n" for n in range(1, count + 1))

    timing = read(f" token: {token}\n", nodes=f"nodelist {{\n{nodes}}}\n").timing

    assert (timing.token, timing.consensus, timing.retransmit, timing.hold) == (effective, consensus, retransmit, hold)


@pytest.mark.parametrize(
    ("keys", "suite"),
    [("", Suite.GCM), (" secauth: on\n", Suite.GCM), (" crypto_cipher: aes256\n crypto_hash: sha256\n", Suite.CBC),
     (" crypto_cipher: none\n crypto_hash: sha1\n", Suite.HASH), (" crypto_hash: sha1\n", Suite.HASH),
     (" crypto_cipher: none\n crypto_hash: none\n", Suite.PLAIN)],
)  # fmt: skip
def test_protection_is_on_unless_both_keys_say_none(keys: str, suite: Suite) -> None:
    conf = read(keys)

    assert conf.protection.suite is suite
    assert conf.plain_on_purpose is (suite is Suite.PLAIN)


@pytest.mark.parametrize("keys", [" crypto_cipher: none\n", " crypto_hash: none\n", " crypto_cipher: aes256\n"])
def test_half_a_choice_of_protection_is_refused(keys: str) -> None:
    assert "crypto_" in refusal(keys)


def test_unknown_keys_and_sections_are_warned_about_by_name_and_place() -> None:
    conf = read(" tokn: 1000\n", "gadget {\n}\n")

    assert [(finding.line, finding.text) for finding in conf.warnings] == [
        (3, 'unknown key "totem.tokn" is ignored'),
        (18, 'unknown section "gadget" is ignored'),
    ]


@pytest.mark.parametrize(
    ("line", "place", "part"),
    [(" token: fast\n", "line 3, column 9", '"fast" is not a number'),
     ("   token:   5\n", "line 3, column 13", "5 is not between 100 and"),
     (" transport: pigeon\n", "line 3, column 13", '"pigeon" is not one of knet, udp, udpu'),
     (" secauth: maybe\n", "line 3, column 11", '"maybe" is neither yes nor no'),
     (" hold: 5000\n", "line 3, column 8", "must be below token_retransmit"),
     (" token_retransmit: 9000\n", "line 3, column 20", "must be below the token"),
     (" crypto_hash: sha3\n", "line 3, column 15", "is not one of none, md5")],
)  # fmt: skip
def test_wrong_values_are_refused_with_line_and_column(line: str, place: str, part: str) -> None:
    text = refusal(line)

    assert place in text and part in text


def test_all_errors_are_shown_at_once() -> None:
    text = refusal(" token: x\n join: y\n")

    assert "line 3" in text and "line 4" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [("totem {\n version: 2\n", 'line 1, column 1: section "totem" is not closed'),
     ("}\n", 'line 1, column 1: "}" without'),
     ("totem {\n  what is this\n}\n", 'line 2, column 3: expected'),
     (" {\n}\n", "line 1, column 2: a section needs a name")],
)  # fmt: skip
def test_broken_syntax_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_configuration(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("nodes", "part"),
    [("", "a nodelist with at least one node is required"),
     ("nodelist {\nnode {\n nodeid: 1\n}\n}\n", "ring0_addr is required"),
     ("nodelist {\nnode {\n ring0_addr: a\n}\n}\n", "nodeid is required"),
     (NODES.replace("nodeid: 2", "nodeid: 1"), "nodeid 1 is used twice (alpha and beta)"),
     (NODES.replace("name: beta", "name: alpha"), 'the name "alpha" is used twice'),
     (NODES.replace("10.0.0.2", "10.0.0.1"), "10.0.0.1 is the address of alpha already")],
)  # fmt: skip
def test_a_node_list_that_cannot_be_is_refused(nodes: str, part: str) -> None:
    assert part in refusal(nodes=nodes)


def test_links_have_ports_of_their_own() -> None:
    nodes = NODES.replace("ring0_addr: 10.0.0.", "ring1_addr: 10.1.0.9\n ring0_addr: 10.0.0.", 1)
    nodes = nodes.replace("ring0_addr: 10.0.0.2", "ring1_addr: 10.1.0.2\n ring0_addr: 10.0.0.2")

    conf = read(" interface {\n  linknumber: 0\n  mcastport: 6000\n }\n", nodes=nodes)

    assert conf.ports[:2] == (6000, 5406)
    assert conf.nodes[1].addresses == {0: "10.0.0.2", 1: "10.1.0.2"}


def test_a_link_that_only_some_nodes_have_is_refused() -> None:
    nodes = NODES.replace("ring0_addr: 10.0.0.2", "ring0_addr: 10.0.0.2\n ring1_addr: 10.1.0.2")

    assert "ring1_addr is given for some nodes only: compare alpha and beta" in refusal(nodes=nodes)


def test_two_node_implies_wait_for_all_unless_it_is_written() -> None:
    nodes = NODES.replace("        quorum_votes: 2\n", "")

    implied = read(rest="quorum {\n two_node: 1\n}\n", nodes=nodes).quorum
    written = read(rest="quorum {\n two_node: 1\n wait_for_all: 0\n}\n", nodes=nodes).quorum

    assert (implied.two_node, implied.wait_for_all) == (True, True)
    assert (written.two_node, written.wait_for_all) == (True, False)


def test_two_node_with_more_than_two_votes_is_not_applied_and_warned_about() -> None:
    conf = read(rest="quorum {\n two_node: 1\n}\n")

    assert (conf.quorum.two_node, conf.quorum.wait_for_all) == (False, False)
    assert "two_node is not applied: there are 3 expected votes" in str(conf.warnings[0])


EVEN = NODES.replace("        quorum_votes: 2\n", "")


@pytest.mark.parametrize(
    ("value", "breaker", "nodes"),
    [("", TieBreaker.LOWEST, ()), (" auto_tie_breaker_node: highest\n", TieBreaker.HIGHEST, ()),
     (" auto_tie_breaker_node: 2 1\n", TieBreaker.LIST, (2, 1))],
)  # fmt: skip
def test_tie_breakers_are_read(value: str, breaker: TieBreaker, nodes: tuple[int, ...]) -> None:
    quorum = read(rest=f"quorum {{\n auto_tie_breaker: 1\n{value}}}\n", nodes=EVEN).quorum

    assert (quorum.tie_breaker, quorum.tie_breaker_nodes) == (breaker, nodes)


def test_a_tie_breaker_among_an_odd_number_of_votes_is_switched_off_unless_all_are_waited_for() -> None:
    off = read(rest="quorum {\n auto_tie_breaker: 1\n}\n")
    kept = read(rest="quorum {\n auto_tie_breaker: 1\n wait_for_all: 1\n}\n")

    assert off.quorum.tie_breaker is TieBreaker.NONE
    assert "auto_tie_breaker is switched off" in str(off.warnings[0])
    assert kept.quorum.tie_breaker is TieBreaker.LOWEST


@pytest.mark.parametrize(
    ("keys", "nodes", "part"),
    [(" auto_tie_breaker: 1\n two_node: 1\n expected_votes: 2\n", EVEN, "exclude each other"),
     (" auto_tie_breaker: 1\n last_man_standing: 1\n", NODES, "excludes last_man_standing"),
     (" last_man_standing: 1\n", NODES, "requires one vote for every node"),
     (" allow_downscale: 1\n", NODES, "requires expected_votes"),
     (" auto_tie_breaker: 1\n auto_tie_breaker_node: best\n", EVEN, "not lowest, highest or node ids"),
     (" two_node: 1\n expected_votes: 2\n device {\n model: net\n votes: 0\n net {\n host: q\n algorithm: lms\n}\n}\n",
      EVEN, "quorum.device and two_node exclude each other")],
)  # fmt: skip
def test_combinations_that_votequorum_rules_out_are_refused(keys: str, nodes: str, part: str) -> None:
    assert part in refusal(rest=f"quorum {{\n{keys}}}\n", nodes=nodes)


def with_device(keys: str, net: str = "") -> str:
    return f"quorum {{\n device {{\n  model: net\n{keys}  net {{\n   host: qnetd.example\n{net}}}\n }}\n}}\n"


def test_a_device_is_read_and_its_votes_are_expected() -> None:
    net = "   algorithm: lms\n   tie_breaker: 2\n   tls: required\n"
    quorum = read(rest=with_device("  timeout: 5000\n", net), nodes=EVEN).quorum

    device = quorum.device
    assert device is not None
    assert (device.host, device.port, device.votes, device.algorithm) == ("qnetd.example", 5403, 1, "lms")
    assert (device.timeout, device.sync_timeout, device.connect_timeout) == (5.0, 30.0, 4.0)
    assert (device.tie_breaker, device.tls, quorum.expected_votes) == ("2", "required", 3)


@pytest.mark.parametrize(
    ("keys", "net", "part"),
    [("  votes: 2\n", "", "works with one vote of the device only"),
     ("", "   algorithm: magic\n", '"magic" is not one of'),
     ("", "   algorithm: test\n", "the algorithm test is not supported"),
     ("", "   tie_breaker: 7\n", "is not lowest, highest or a node id"),
     ("", "   port: 0\n", "0 is not between 1 and 65535")],
)  # fmt: skip
def test_a_device_that_cannot_be_is_refused(keys: str, net: str, part: str) -> None:
    assert part in refusal(rest=with_device(keys, net), nodes=EVEN)


def test_without_node_ids_they_are_made_of_the_addresses_where_the_transport_allows_it() -> None:
    nodes = "nodelist {\nnode {\n ring0_addr: 192.168.1.1\n}\nnode {\n ring0_addr: 192.168.1.2\n}\n}\n"

    plain = read(" transport: udpu\n", nodes=nodes)
    cleared = read(" transport: udpu\n clear_node_high_bit: yes\n", nodes=nodes)

    assert [node.id for node in plain.nodes] == [0xC0A80101, 0xC0A80102]
    assert [node.id for node in cleared.nodes] == [0x40A80101, 0x40A80102]
    assert "nodeid is required" in refusal(nodes=nodes)


LINKS = EVEN.replace("ring0_addr: 10.0.0.1", "ring0_addr: 10.0.0.1\n        ring1_addr: 10.1.0.1").replace(
    "ring0_addr: 10.0.0.2", "ring0_addr: 10.0.0.2\n        ring1_addr: 10.1.0.2"
)


def test_interfaces_say_how_their_link_is_used() -> None:
    conf = read(
        " link_mode: rr\n token: 1000\n interface {\n  linknumber: 1\n  knet_link_priority: 7\n  mcastport: 7000\n"
        "  knet_ping_interval: 100\n  knet_ping_timeout: 300\n  knet_pong_count: 3\n }\n",
        nodes=LINKS,
    )

    first, second = conf.links[:2]
    assert conf.link_mode == "rr"
    assert (first.port, first.priority, first.ping_interval, first.ping_timeout) == (5405, 1, 0.25, 0.5)
    assert (second.port, second.priority, second.ping_interval, second.ping_timeout) == (7000, 7, 0.1, 0.3)
    assert second.pong_count == 3


@pytest.mark.parametrize(
    ("totem", "nodes", "part"),
    [(" transport: udpu\n", LINKS, "transport udpu has one link only"),
     (" interface {\n linknumber: 0\n }\n interface {\n linknumber: 0\n }\n", EVEN, "two interface sections"),
     (" interface {\n knet_transport: sctp\n }\n", EVEN, "sctp is not supported"),
     (" interface {\n knet_ping_interval: 500\n knet_ping_timeout: 400\n }\n", EVEN, "must be above knet_ping_"),
     (" transport: udp\n", EVEN, "transport udp needs mcastaddr"),
     (" transport: udp\n interface {\n broadcast: yes\n mcastaddr: 239.1.1.1\n }\n", EVEN, "exclude each other")],
)  # fmt: skip
def test_links_that_cannot_be_are_refused(totem: str, nodes: str, part: str) -> None:
    assert part in refusal(totem, nodes=nodes)


@pytest.mark.parametrize(
    ("totem", "group"),
    [(" transport: udp\n interface {\n mcastaddr: 239.255.1.1\n }\n", "239.255.1.1"),
     (" transport: udp\n interface {\n broadcast: yes\n }\n", "255.255.255.255"),
     (" transport: udp\n cluster_name: x\n", "239.192.0.120"),
     (" transport: udpu\n cluster_name: x\n", "")],
)  # fmt: skip
def test_the_multicast_group_is_given_or_made_of_the_clusters_name(totem: str, group: str) -> None:
    assert read(totem, nodes=EVEN).links[0].group == group


def test_the_logging_section_is_read_with_its_subsystems() -> None:
    conf = read(
        rest="logging {\n to_syslog: no\n to_logfile: yes\n logfile: /var/log/c.log\n debug: on\n"
        " logger_subsys {\n  subsys: QUORUM\n  debug: off\n }\n}\n"
    )

    assert (conf.logging.to_syslog, conf.logging.to_logfile, conf.logging.logfile) == (False, True, "/var/log/c.log")
    assert conf.logging.debug == "on"
    assert [(name, target.debug, target.logfile) for name, target in conf.subsystems] == [
        ("QUORUM", "off", "/var/log/c.log")
    ]
    assert "to_logfile needs logging.logfile" in refusal(rest="logging {\n to_logfile: yes\n}\n")
    assert "subsys is required" in refusal(rest="logging {\n logger_subsys {\n debug: on\n }\n}\n")


def test_users_and_groups_that_may_use_the_socket_are_collected() -> None:
    conf = read(rest="uidgid {\n uid: haproxy\n gid: 33\n}\nuidgid {\n uid: 1000\n}\n")

    assert (conf.access.users, conf.access.groups) == (("haproxy", "1000"), ("33",))
    assert conf.settings["uidgid.config.uid.haproxy"] == "1"


def test_a_key_in_the_file_is_not_among_the_settings() -> None:
    conf = read(" key: " + "x" * 200 + "\n")

    assert conf.key == "x" * 200
    assert not any("xxx" in value for value in conf.settings.values())


def test_what_cannot_be_changed_while_running_is_named() -> None:
    before = read(" cluster_name: a\n")
    after = read(" cluster_name: b\n crypto_cipher: aes128\n crypto_hash: sha1\n token: 5000\n")

    complaints = fixed_differences(before, after, 1)

    assert [complaint.split(" cannot")[0] for complaint in complaints] == [
        "totem.cluster_name",
        "totem.crypto_cipher, totem.crypto_hash",
    ]


def test_parsing_inverts_exporting() -> None:
    section = parse_sections(NODES + "totem {\n version: 2\n interface {\n  linknumber: 0\n }\n}\n")

    again = parse_sections(export(section))

    assert export(again) == export(section)
