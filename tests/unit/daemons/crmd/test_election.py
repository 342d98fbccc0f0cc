"""The election of the DC: when it is decided, for whom, and that everybody decides alike."""

from hatools.daemons.crmd.election import AskAgain, CastVote, Elected, Election, feature_numbers
from hatools.ipc.messages.crmd import Vote


def vote(name: str, *, uptime: int = 10, is_dc: bool = False, quorate: bool = True, unclean: tuple[int, ...] = (),
         feature_set: str = "3.16.1", ring: str = "r1") -> Vote:  # fmt: skip
    return Vote(ring, name, is_dc, quorate, feature_set, "corosync", uptime, unclean=unclean)


def election(*members: int) -> Election:
    found = Election()
    found.view(0.0, "r1")
    found.group(0.0, frozenset(members), True)
    return found


def test_an_arrival_makes_everybody_vote():
    found = Election()
    found.view(0.0, "r1")
    assert found.group(0.0, frozenset({1, 2}), True) == [CastVote()]
    assert found.is_open


def test_nothing_is_decided_while_a_vote_is_missing():
    found = election(1, 2)
    assert found.receive(0.0, 1, vote("a")) == []
    assert found.receive(0.0, 2, vote("b", uptime=20)) == [Elected(2)]


def test_the_winner_does_not_depend_on_the_order_of_the_votes():
    votes = {1: vote("a", uptime=5), 2: vote("b", uptime=7), 3: vote("c", uptime=7)}
    for order in ((1, 2, 3), (3, 2, 1), (2, 3, 1)):
        found = election(1, 2, 3)
        for member in order:
            found.receive(0.0, member, votes[member])
        assert found.winner == 2


def test_a_dc_stays_and_a_quorate_one_wins_over_another():
    found = election(1, 2, 3)
    found.receive(0.0, 1, vote("a", uptime=900, is_dc=True, quorate=False))
    found.receive(0.0, 2, vote("b", is_dc=True))
    found.receive(0.0, 3, vote("c", uptime=9999))
    assert found.winner == 2


def test_who_was_lost_and_not_fenced_does_not_lead():
    found = election(1, 2, 3)
    found.receive(0.0, 1, vote("a", unclean=(3,)))
    found.receive(0.0, 2, vote("b", unclean=(3,)))
    found.receive(0.0, 3, vote("c", is_dc=True, uptime=9999))
    assert found.winner == 1


def test_the_older_feature_set_leads():
    found = election(1, 2)
    found.receive(0.0, 1, vote("a", feature_set="3.17.0", uptime=100))
    found.receive(0.0, 2, vote("b", feature_set="3.16.1"))
    assert found.winner == 2
    assert feature_numbers("3.16.1") < feature_numbers("3.17.0")


def test_the_survivors_of_a_dc_know_its_successor_without_a_message():
    found = election(1, 2, 3)
    for member, uptime in ((1, 30), (2, 10), (3, 20)):
        found.receive(0.0, member, vote(str(member), uptime=uptime))
    assert found.winner == 1
    assert found.group(1.0, frozenset({2, 3}), False) == [Elected(3)]


def test_who_goes_before_voting_is_not_waited_for():
    found = election(1, 2, 3)
    found.receive(0.0, 1, vote("a"))
    found.receive(0.0, 2, vote("b"))
    assert found.group(1.0, frozenset({1, 2}), False) == [Elected(1)]


def test_votes_of_another_view_do_not_count():
    found = election(1)
    assert found.receive(0.0, 1, vote("a", ring="r0")) == []
    assert found.is_open


def test_a_silent_member_makes_everybody_vote_again():
    found = election(1, 2)
    found.receive(0.0, 1, vote("a"))
    assert found.expire(119.0) == []
    assert found.expire(120.0) == [AskAgain((2,))]


def test_a_vote_of_an_older_ring_is_cast_again_while_nothing_is_decided():
    found = election(1, 2)
    assert found.view(5.0, "r2") == [CastVote()]
    found.receive(5.0, 1, vote("a", ring="r2"))
    assert found.receive(5.0, 2, vote("b", ring="r2", uptime=20)) == [Elected(2)]
    assert found.view(6.0, "r3") == []
