"""corosync.conf: what is read, what is warned about and what is refused, with its place."""

import pytest

from hatools.messaging.corosync.conf import Configuration, read_configuration
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


def test_two_node_with_other_than_two_votes_is_refused() -> None:
    assert "two_node needs exactly 2 expected votes, not 3" in refusal(rest="quorum {\n two_node: 1\n}\n")


def test_quorum_rules_that_are_not_there_are_refused_and_not_ignored() -> None:
    text = refusal(rest="quorum {\n expected_votes_tracking: 1\n}\n")

    assert "quorum.expected_votes_tracking is not supported yet" in text


@pytest.mark.parametrize(
    ("value", "breaker", "nodes"),
    [("", TieBreaker.LOWEST, ()), (" auto_tie_breaker_node: highest\n", TieBreaker.HIGHEST, ()),
     (" auto_tie_breaker_node: 2 1\n", TieBreaker.LIST, (2, 1))],
)  # fmt: skip
def test_tie_breakers_are_read(value: str, breaker: TieBreaker, nodes: tuple[int, ...]) -> None:
    quorum = read(rest=f"quorum {{\n auto_tie_breaker: 1\n{value}}}\n").quorum

    assert (quorum.tie_breaker, quorum.tie_breaker_nodes) == (breaker, nodes)


@pytest.mark.parametrize(
    ("keys", "part"),
    [(" auto_tie_breaker: 1\n two_node: 1\n expected_votes: 2\n", "exclude each other"),
     (" last_man_standing: 1\n", "requires one vote for every node"),
     (" allow_downscale: 1\n", "requires expected_votes"),
     (" auto_tie_breaker: 1\n auto_tie_breaker_node: best\n", "not lowest, highest or node ids")],
)  # fmt: skip
def test_combinations_that_votequorum_rules_out_are_refused(keys: str, part: str) -> None:
    assert part in refusal(rest=f"quorum {{\n{keys}}}\n")


def test_parsing_inverts_exporting() -> None:
    section = parse_sections(NODES + "totem {\n version: 2\n interface {\n  linknumber: 0\n }\n}\n")

    again = parse_sections(export(section))

    assert export(again) == export(section)
