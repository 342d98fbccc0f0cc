"""The external style's engine on a Corosync that the test plays."""

import random
from collections.abc import Sequence

import pytest

from hatools.messaging.external.engine import FROZEN_LIMIT_S, ExternalEngine, ThrowOut
from hatools.messaging.external.events import MembersChanged, Message, Process, QuorumChanged, Reason, RingChanged
from hatools.messaging.external.packets import seal
from hatools.messaging.views import (
    Departed,
    DirectMessage,
    Expelled,
    ForStyle,
    GroupMembersChanged,
    GroupMessage,
    NodeIdentity,
    RingId,
    SafeUpTo,
    View,
    ViewInstalled,
)
from tests.unit.messaging.external.fake_corosync import FakeCorosync


def formed(count: int = 3) -> FakeCorosync:
    cluster = FakeCorosync(count)
    numbers = tuple(cluster.nodes)
    cluster.form(*numbers)
    cluster.start(*numbers)
    cluster.settle()
    for number in numbers:
        cluster.perform(number, cluster.of(number).join_group(cluster.now, "talk"))
    cluster.settle()
    for number in numbers:
        cluster.take(number)
    return cluster


def views(seen: Sequence[object]) -> list[View]:
    return [effect.view for effect in seen if isinstance(effect, ViewInstalled)]


def texts(seen: Sequence[object]) -> list[bytes]:
    return [b"".join((*effect.before, effect.payload)) for effect in seen if isinstance(effect, GroupMessage)]


def test_nodes_that_start_on_one_ring_get_the_same_view() -> None:
    cluster = FakeCorosync(3)
    cluster.form(1, 2, 3)
    cluster.start(1, 2, 3)
    cluster.settle()

    last = {number: views(cluster.take(number))[-1] for number in (1, 2, 3)}

    assert {view.ring_id for view in last.values()} == {last[1].ring_id}
    assert [member.name for member in last[2].members] == ["n1", "n2", "n3"]
    assert last[3].quorate and last[3].votes == (("n1", 1), ("n2", 1), ("n3", 1))


def test_no_view_comes_before_the_quorum_of_its_ring_is_known() -> None:
    cluster = formed()
    cluster.hurry = False

    cluster.form(1)
    cluster.order()
    assert views(cluster.take(1)) == []

    cluster.tell_quorum(1)
    cluster.order()
    found = views(cluster.take(1))
    assert [(view.member_ids, view.quorate, view.lost) for view in found] == [(frozenset({1}), False, (2, 3))]


def test_cards_of_nodes_that_know_the_quorum_earlier_are_not_lost() -> None:
    cluster = formed()
    cluster.hurry = False
    cluster.form(1, 2)
    cluster.tell_quorum(1)
    cluster.order()

    cluster.tell_quorum(2)
    cluster.order()

    assert cluster.members(1) == cluster.members(2) == [1, 2]
    assert cluster.take(1) == cluster.take(2)


def test_a_killed_daemon_is_lost_and_its_restart_arrives_as_a_new_one() -> None:
    cluster = formed()
    cluster.kill(3)
    cluster.settle()
    assert [(view.lost, view.left) for view in views(cluster.take(1))] == [((3,), ())]

    cluster.start(3)
    cluster.settle()
    assert [(view.arrived, view.lost) for view in views(cluster.take(1))] == [((3,), ())]


def test_a_daemon_that_says_goodbye_has_left() -> None:
    cluster = formed()
    cluster.perform(3, cluster.of(3).depart(cluster.now))
    cluster.settle()
    assert Departed() in cluster.take(3)

    cluster.kill(3, reason=Reason.LEAVE)
    cluster.settle()
    assert [(view.lost, view.left) for view in views(cluster.take(2))] == [((), (3,))]


def test_view_numbers_grow_over_a_restart_of_all_nodes() -> None:
    cluster = formed()
    before = cluster.of(1).view
    for number in (1, 2, 3):
        cluster.kill(number)
    cluster.start(1, 2, 3)
    cluster.settle()

    after = cluster.of(3).view

    assert before is not None and after is not None and after.ring_id > before.ring_id


def test_messages_are_safe_when_all_have_acknowledged_them() -> None:
    cluster = formed()
    cluster.say(1, b"hello")
    data = cluster.nodes[1].queue.pop()
    for number in (1, 2, 3):
        cluster.perform(number, cluster.of(number).take(cluster.now, [Message(cluster.nodes[1].process, data)]))
    assert [effect for effect in cluster.take(1) if isinstance(effect, SafeUpTo)] == []

    cluster.settle()
    for number in (1, 2, 3):
        safe = [effect for effect in cluster.take(number) if isinstance(effect, SafeUpTo)]
        assert safe == [SafeUpTo(1)]


def test_a_member_that_is_silent_holds_up_safety_and_nothing_else() -> None:
    cluster = formed()
    cluster.say(1, b"hello")
    data = cluster.nodes[1].queue.pop()
    for number in (1, 2):
        cluster.perform(number, cluster.of(number).take(cluster.now, [Message(cluster.nodes[1].process, data)]))
    cluster.settle()

    assert texts(cluster.nodes[2].seen) == [b"hello"]
    assert [effect for effect in cluster.take(1) if isinstance(effect, SafeUpTo)] == []


def test_a_member_that_answers_nothing_for_long_is_thrown_out_by_the_first_of_the_others() -> None:
    cluster = formed()
    cluster.say(2, b"hello")
    for _ in range(3):
        for sender in (1, 2):
            for data in cluster.nodes[sender].queue:
                for number in (1, 2):
                    message = Message(cluster.nodes[sender].process, data)
                    cluster.perform(number, cluster.of(number).take(cluster.now, [message]))
            cluster.nodes[sender].queue.clear()
        cluster.now += 0.01

    wanted = {number: cluster.of(number).expire(cluster.now + FROZEN_LIMIT_S) for number in (1, 2)}

    thrown = {
        number: [effect.request.node for effect in effects if isinstance(effect, ForStyle)
                 and isinstance(effect.request, ThrowOut)]
        for number, effects in wanted.items()
    }  # fmt: skip
    assert thrown == {1: [3], 2: []}


def test_a_member_whose_card_does_not_come_is_thrown_out() -> None:
    cluster = FakeCorosync(2)
    cluster.form(1, 2)
    cluster.start(1, 2)
    data = cluster.nodes[1].queue[-1]
    cluster.perform(1, cluster.of(1).take(cluster.now, [Message(cluster.nodes[1].process, data)]))

    effects = cluster.of(1).expire(cluster.now + FROZEN_LIMIT_S)

    assert [effect.request.node for effect in effects if isinstance(effect, ForStyle)
            and isinstance(effect.request, ThrowOut)] == [2]  # fmt: skip


def test_nobody_is_thrown_out_while_nothing_is_said() -> None:
    cluster = formed()
    cluster.say(1, b"hello")
    cluster.settle()

    assert all(cluster.of(number).deadline is None for number in (1, 2, 3))


def test_a_lone_node_is_its_own_witness() -> None:
    cluster = formed(1)
    cluster.say(1, b"hello")
    cluster.settle()

    assert [effect for effect in cluster.take(1) if isinstance(effect, SafeUpTo)] == [SafeUpTo(1)]


def test_large_messages_are_cut_and_small_ones_of_other_groups_pass_them() -> None:
    cluster = formed()
    large = random.Random(1).randbytes(5_000_000)
    cluster.say(1, large)
    cluster.say(1, b"tick", group="other")
    assert max(map(len, cluster.nodes[1].queue)) <= 60_000

    cluster.settle()

    arrived = texts(cluster.take(3))
    assert arrived == [b"tick", large]


def test_at_most_a_window_of_packets_is_on_its_way() -> None:
    cluster = formed()
    cluster.say(1, bytes(5_000_000))

    assert len(cluster.nodes[1].queue) <= 8
    assert cluster.of(1).waiting_bytes("talk") > 4_000_000


def test_many_small_messages_share_packets() -> None:
    cluster = formed()
    for _ in range(1000):
        cluster.say(1, bytes(100))
    packets = 0
    while cluster.nodes[1].queue:
        packets += 1
        data = cluster.nodes[1].queue.pop(0)
        for number in (1, 2, 3):
            cluster.perform(number, cluster.of(number).take(cluster.now, [Message(cluster.nodes[1].process, data)]))

    assert packets < 20
    assert len(texts(cluster.take(2))) == 1000


def test_a_message_to_one_node_reaches_that_one_only() -> None:
    cluster = formed()
    cluster.perform(1, cluster.of(1).send_to(cluster.now, "talk", 2, (b"psst",)))
    cluster.settle()

    assert cluster.take(2) == [DirectMessage("talk", 1, b"psst")]
    assert cluster.take(3) == []


def test_what_was_sent_before_a_change_is_delivered_in_the_old_view() -> None:
    cluster = formed()
    cluster.say(1, b"from before")
    cluster.kill(3)
    cluster.settle()

    for number in (1, 2):
        seen = [effect for effect in cluster.take(number) if isinstance(effect, GroupMessage | ViewInstalled)]
        assert [type(effect) for effect in seen] == [GroupMessage, ViewInstalled]


def test_a_large_message_cut_in_two_by_a_change_arrives_whole_in_the_new_view() -> None:
    cluster = formed()
    large = random.Random(2).randbytes(2_000_000)
    cluster.say(1, large)
    for _ in range(3):
        data = cluster.nodes[1].queue.pop(0)
        for number in (1, 2, 3):
            cluster.perform(number, cluster.of(number).take(cluster.now, [Message(cluster.nodes[1].process, data)]))
    cluster.kill(3)
    cluster.settle()

    for number in (1, 2):
        seen = [effect for effect in cluster.take(number) if isinstance(effect, GroupMessage | ViewInstalled)]
        assert [type(effect) for effect in seen] == [ViewInstalled, GroupMessage]
        assert texts(seen) == [large]


def test_a_large_message_whose_end_was_sent_before_the_change_arrives_whole_in_the_old_view() -> None:
    cluster = formed()
    large = random.Random(3).randbytes(400_000)
    cluster.say(1, large)
    assert cluster.of(1).waiting_bytes("talk") == 0
    data = cluster.nodes[1].queue.pop(0)
    for number in (1, 2, 3):
        cluster.perform(number, cluster.of(number).take(cluster.now, [Message(cluster.nodes[1].process, data)]))
    cluster.kill(3)
    cluster.settle()

    seen = [effect for effect in cluster.take(2) if isinstance(effect, GroupMessage | ViewInstalled)]
    assert [type(effect) for effect in seen] == [GroupMessage, ViewInstalled]
    assert texts(seen) == [large]


def test_messages_of_the_other_half_are_not_delivered_after_a_merge() -> None:
    cluster = formed()
    cluster.form(1, 2)
    cluster.form(3)
    cluster.settle()
    for number in (1, 2, 3):
        cluster.take(number)
    cluster.say(3, b"from the other half")
    cluster.form(1, 2, 3)
    cluster.settle()

    assert texts(cluster.take(1)) == []
    seen = cluster.take(3)
    assert texts(seen) == [b"from the other half"]
    assert isinstance(seen[0], GroupMessage), "in the view it was sent in"


def test_a_node_that_was_away_for_a_moment_is_lost_and_arrived() -> None:
    cluster = formed()
    cluster.hurry = False
    cluster.form(1, 2)
    cluster.form(3)
    cluster.form(1, 2, 3)
    cluster.settle()

    assert [(view.arrived, view.lost) for view in views(cluster.take(1))] == [((3,), (3,))]
    assert [(view.arrived, view.lost) for view in views(cluster.take(3))] == [((1, 2), (1, 2))]


def test_a_ring_that_gains_a_node_without_messaging_makes_a_view_of_the_same_members() -> None:
    cluster = FakeCorosync(3)
    cluster.form(1, 2)
    cluster.start(1, 2)
    cluster.settle()
    cluster.take(1)

    cluster.form(1, 2, 3)
    cluster.settle()

    view = views(cluster.take(1))[-1]
    assert (sorted(view.member_ids), view.arrived, view.lost) == ([1, 2], (), ())


def test_lost_quorum_on_the_same_ring_is_told_in_its_place_of_the_order() -> None:
    cluster = formed()
    node = cluster.nodes[2]
    cluster.perform(2, cluster.of(2).take(cluster.now, [QuorumChanged(node.ring, False, node.ring_nodes)]))
    cluster.settle()

    for number in (1, 2, 3):
        assert [view.quorate for view in views(cluster.take(number))] == [False]


def test_changed_votes_are_told() -> None:
    cluster = formed()
    node = cluster.nodes[2]
    cluster.perform(2, cluster.of(2).take(cluster.now, [QuorumChanged(node.ring, True, node.ring_nodes, votes=3)]))
    cluster.settle()

    assert views(cluster.take(1))[-1].votes == (("n1", 1), ("n2", 3), ("n3", 1))


def test_news_of_a_ring_that_has_gone_is_ignored() -> None:
    cluster = formed()
    cluster.perform(1, cluster.of(1).take(cluster.now, [QuorumChanged(RingId(1, 1), False, frozenset({1}))]))
    cluster.perform(1, cluster.of(1).take(cluster.now, [Message(Process(9, 9), seal(bytes(8), 0, b"late"))]))
    cluster.settle()

    assert cluster.take(1) == []


@pytest.mark.parametrize("data", [b"", b"HTX", b"garbage that is long enough for a head", b"HTX\x63" + bytes(30)])
def test_messages_of_strangers_are_named_once_and_ignored(data: bytes) -> None:
    cluster = formed()
    sender = cluster.nodes[2].process
    remarks = [len(cluster.of(1).take(cluster.now, [Message(sender, data)])) for _ in range(3)]

    assert remarks == [1, 0, 0]


def test_garbage_inside_a_packet_changes_nothing() -> None:
    cluster = formed()
    generator = random.Random(5)
    for _ in range(300):
        packet = seal(cluster.of(1)._tag, 0, generator.randbytes(generator.randrange(60)))
        for number in (1, 2, 3):
            effects = cluster.of(number).take(cluster.now, [Message(cluster.nodes[2].process, packet)])
            cluster.perform(number, effects)
    cluster.settle()

    assert cluster.members(1) == [1, 2, 3]


def test_a_second_daemon_of_a_node_steps_back() -> None:
    cluster = formed()
    node = cluster.nodes[3]
    double = Process(3, 999)
    engine = ExternalEngine(NodeIdentity(3, "n3"), double, 0)
    engine.start(cluster.now)
    engine.take(
        cluster.now,
        [MembersChanged((*node.members, double), (), (double,)), RingChanged(node.ring, node.ring_nodes),
         QuorumChanged(node.ring, True, node.ring_nodes)],
    )  # fmt: skip

    effects = engine.expire(cluster.now + 6)

    assert len(effects) == 1 and isinstance(effects[0], Expelled) and "another messaging daemon" in effects[0].reason


def test_a_newcomer_of_another_protocol_is_refused_and_the_others_go_on() -> None:
    cluster = formed()
    cluster.kill(3)
    cluster.settle()
    cluster.take(1)

    cluster.start(3, protocol=99)
    cluster.settle()

    refusals = [effect for effect in cluster.take(3) if isinstance(effect, Expelled)]
    assert len(refusals) == 1 and "protocol 2, ours external, protocol 99" in refusals[0].reason
    assert cluster.members(1) == [1, 2]


@pytest.mark.parametrize("seed", range(60))
def test_whatever_happens_all_who_go_together_deliver_the_same(seed: int) -> None:
    """Random rings, deaths, starts, late news and messages; then one ring, and the histories are compared."""
    chance = random.Random(seed)
    count = chance.randrange(2, 6)
    cluster = FakeCorosync(count)
    histories: dict[int, list[Sequence[object]]] = {number: [] for number in cluster.nodes}

    def collect(number: int) -> None:
        histories[number].append(cluster.take(number))

    cluster.form(*cluster.nodes)
    cluster.start(*cluster.nodes)
    for number in cluster.nodes:
        cluster.perform(number, cluster.of(number).join_group(cluster.now, "talk"))
    for step in range(60):
        alive = [number for number, node in cluster.nodes.items() if node.engine is not None]
        cluster.hurry = chance.random() < 0.5
        match chance.randrange(12):
            case 0:
                numbers = list(cluster.nodes)
                chance.shuffle(numbers)
                cut = chance.randrange(1, count + 1)
                for part in (numbers[:cut], numbers[cut:]):
                    if part:
                        cluster.form(*part)
            case 1 if alive:
                number = chance.choice(alive)
                cluster.kill(number)
                collect(number)
            case 2:
                for number in set(cluster.nodes) - set(alive):
                    cluster.start(number)
                    cluster.perform(number, cluster.of(number).join_group(cluster.now, "talk"))
            case 3:
                cluster.tell_quorum(chance.choice(list(cluster.nodes)))
            case 4:
                cluster.settle(chance)
            case _ if alive:
                number = chance.choice(alive)
                size = chance.choice((3, 3, 3, 200_000))
                cluster.say(number, b"%d.%d " % (number, step) + bytes(size), tag=step)
                if chance.random() < 0.4:
                    _order_some(cluster, chance)
    for number in cluster.nodes:
        if cluster.nodes[number].engine is None:
            cluster.start(number)
    cluster.form(*cluster.nodes)
    cluster.settle(chance)
    for number in cluster.nodes:
        collect(number)

    assert all(cluster.members(number) == sorted(cluster.nodes) for number in cluster.nodes)
    _check(histories)


def _order_some(cluster: FakeCorosync, chance: random.Random) -> None:
    for _ in range(chance.randrange(1, 6)):
        ready = [number for number, node in cluster.nodes.items() if node.queue and node.engine is not None]
        if not ready:
            return
        sender = cluster.nodes[chance.choice(ready)]
        data = sender.queue.pop(0)
        for other in sorted(sender.ring_nodes):
            if cluster.nodes[other].engine is not None:
                cluster.perform(other, cluster.of(other).take(cluster.now, [Message(sender.process, data)]))


def _check(histories: dict[int, list[Sequence[object]]]) -> None:
    """Compare, for each pair of views that nodes went through together, what they delivered between them."""
    passages: dict[tuple[RingId, RingId], set[tuple[object, ...]]] = {}
    for number, lives in histories.items():
        for life in lives:
            view: View | None = None
            between: list[object] = []
            safe = delivered = 0
            members: tuple[int, ...] = ()
            for effect in life:
                if isinstance(effect, ViewInstalled):
                    if view is not None and view.ring_id != effect.view.ring_id:
                        assert effect.view.ring_id > view.ring_id
                        came = set(view.member_ids & effect.view.member_ids) - set(effect.view.arrived)
                        assert number in came
                        key = (view.ring_id, effect.view.ring_id)
                        passages.setdefault(key, set()).add((tuple(sorted(came)), *(between if delivered else ())))
                    if view is None or view.ring_id != effect.view.ring_id:
                        between, safe, delivered = [], 0, 0
                    view = effect.view
                elif isinstance(effect, GroupMessage):
                    assert view is not None and effect.sender in view.member_ids, "a message of a stranger"
                    if delivered == 0:
                        between = [members]  # what led to it differs with where a node came from
                    delivered += 1
                    between.append((effect.sender, effect.sequence, effect.tag, len(effect.before)))
                elif isinstance(effect, SafeUpTo):
                    assert safe < effect.sequence <= delivered
                    safe = effect.sequence
                elif isinstance(effect, GroupMembersChanged):
                    members = effect.members
                    between.append(members)
    different = {key: found for key, found in passages.items() if len({entry[1:] for entry in found}) > 1
                 and len({entry[0] for entry in found}) == 1}  # fmt: skip
    assert different == {}
