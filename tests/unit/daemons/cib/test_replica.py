"""The replica: when a write is answered, and whose content wins."""

from hatools.cib.document import empty_document
from hatools.cib.operations import Stamp
from hatools.daemons.cib.divergence import has_own_changes
from hatools.daemons.cib.effects import Answer, BroadcastToPeers, Effect, Mark, Persist, SendToPeer
from hatools.daemons.cib.replica import Replica
from hatools.daemons.cib.rounds import Round, parse_ring_id
from hatools.daemons.cib.voting import Voting
from hatools.ipc.messages.cib import Change
from hatools.ipc.messages.cib_peers import PeerState, PeerStored, PeerWrite
from hatools.ipc.messages.messaging import GroupChanged, Member, ViewChanged
from hatools.values.ciboperation import CibOperation
from hatools.values.errors import AlreadyExistsError

NODE = b'<node id="1" uname="node1"/>'
CREATE = (Change(CibOperation.CREATE, "nodes", xml=NODE),)
STAMP = Stamp("now", "node1", "test")


def view(*nodes: int, ring: str = "1.1", quorate: bool = True) -> ViewChanged:
    members = tuple(Member(node, f"node{node}") for node in nodes)
    return ViewChanged(ring, members, quorate, votes={member.name: 1 for member in members})


def alone() -> Replica:
    """Return the replica of a cluster of one node that has agreed with itself, all of it on disk."""
    replica = Replica(1, "node1", empty_document(), Mark(), "a")
    replica.view_changed(view(1))
    effects = replica.group_changed(GroupChanged("cib", (1,), (1,)))
    settle(replica, effects, sequence=1)
    return replica


def settle(replica: Replica, effects: list[Effect], *, sequence: int) -> None:
    """Deliver our own broadcasts and finish what goes to disk."""
    for effect in effects:
        if isinstance(effect, BroadcastToPeers):
            settle(replica, replica.delivered(0.0, 1, sequence, effect.message), sequence=sequence + 1)
        elif isinstance(effect, Persist):
            replica.persisted(effect.token)


def written(replica: Replica, request: int = 1) -> PeerWrite:
    (effect,) = replica.submit(request, CREATE, STAMP)
    assert isinstance(effect, BroadcastToPeers)
    assert isinstance(effect.message, PeerWrite)
    return effect.message


def answers(effects: list[Effect]) -> list[Answer]:
    return [effect for effect in effects if isinstance(effect, Answer)]


def token(effects: list[Effect]) -> int:
    return next(effect.token for effect in effects if isinstance(effect, Persist))


def test_a_write_is_answered_when_it_is_safe_and_on_disk() -> None:
    replica = alone()
    delivered = replica.delivered(0.0, 1, 5, written(replica))
    assert answers(delivered) == []
    assert answers(replica.became_safe(5)) == []
    assert answers(replica.persisted(token(delivered))) == [Answer(1, (0, 2, 0))]


def test_a_write_on_disk_waits_until_all_have_received_it() -> None:
    replica = alone()
    delivered = replica.delivered(0.0, 1, 5, written(replica))
    assert answers(replica.persisted(token(delivered))) == []
    assert answers(replica.became_safe(5)) == [Answer(1, (0, 2, 0))]


def test_a_change_of_the_status_needs_no_disk() -> None:
    replica = alone()
    (effect,) = replica.submit(1, (Change(CibOperation.CREATE, "status", xml=b'<node_state id="1"/>'),), STAMP)
    assert isinstance(effect, BroadcastToPeers)
    delivered = replica.delivered(0.0, 1, 5, effect.message)
    assert not any(isinstance(effect, Persist) for effect in delivered)
    assert answers(replica.became_safe(5)) == [Answer(1, (0, 1, 1))]


def test_an_early_change_of_the_status_is_answered_when_it_is_made_even_behind_one_that_waits() -> None:
    replica = alone()
    durable = written(replica, 1)
    status = (Change(CibOperation.CREATE, "status", xml=b'<node_state id="1"/>'),)
    (effect,) = replica.submit(2, status, STAMP, early=True)
    assert isinstance(effect, BroadcastToPeers)
    assert answers(replica.delivered(0.0, 1, 5, durable)) == []
    assert answers(replica.delivered(0.0, 1, 6, effect.message)) == [Answer(2, (0, 2, 1))]


def test_an_early_change_that_belongs_on_disk_waits_for_it() -> None:
    replica = alone()
    (effect,) = replica.submit(1, CREATE, STAMP, early=True)
    assert isinstance(effect, BroadcastToPeers)
    delivered = replica.delivered(0.0, 1, 5, effect.message)
    assert answers(delivered) == []
    replica.became_safe(5)
    assert answers(replica.persisted(token(delivered))) == [Answer(1, (0, 2, 0))]


def test_a_refused_write_is_answered_at_once() -> None:
    replica = alone()
    first, second = written(replica, 1), written(replica, 2)
    replica.delivered(0.0, 1, 5, first)
    (answer,) = answers(replica.delivered(0.0, 1, 6, second))
    assert isinstance(answer.error, AlreadyExistsError)


def test_a_write_is_made_once_however_often_it_comes() -> None:
    replica = alone()
    message = written(replica)
    replica.delivered(0.0, 1, 5, message)
    version = replica.document.version
    replica.delivered(0.0, 1, 6, message)
    assert replica.document.version == version


def test_a_write_with_a_gap_before_it_is_not_made() -> None:
    replica = alone()
    message = PeerWrite("2.x:7", "2.x.0", 2, CREATE, "now", "node2", "test", "root")
    assert replica.delivered(0.0, 2, 5, message) == []
    assert replica.document.version == empty_document().version


def state(lineage: str, base: tuple[int, int, int], version: tuple[int, int, int], digest: str = "d") -> PeerState:
    return PeerState("r", f"{lineage}{version}{digest}", lineage, base, version, digest, {}, ())


def winner_of(**states: PeerState) -> int | None:
    numbered = {int(name[1:]): one for name, one in states.items()}
    agreement = Round("r", frozenset(numbered))
    for node, one in numbered.items():
        agreement.add(node, one)
    return agreement.winner


def test_the_newest_quorate_lineage_wins_over_a_higher_version() -> None:
    assert winner_of(n1=state("1.5", (0, 3, 0), (0, 3, 0)), n2=state("1.4", (0, 3, 0), (0, 9, 0), "e")) == 1


def test_within_a_lineage_what_belonged_to_it_further_wins_over_a_higher_version() -> None:
    assert winner_of(n1=state("1.5", (0, 4, 0), (0, 4, 0)), n2=state("1.5", (0, 3, 0), (0, 9, 0), "e")) == 1


def test_within_a_lineage_the_newer_version_wins() -> None:
    assert winner_of(n1=state("1.5", (0, 3, 0), (0, 3, 5)), n2=state("1.5", (0, 3, 0), (0, 3, 6), "e")) == 2


def test_a_round_waits_for_every_member() -> None:
    agreement = Round("r", frozenset({1, 2}))
    assert not agreement.add(1, state("", (0, 0, 0), (0, 1, 0)))
    assert not agreement.add(3, state("", (0, 0, 0), (0, 1, 0)))
    assert agreement.add(2, state("", (0, 0, 0), (0, 1, 0)))


def test_ring_ids_compare_as_numbers() -> None:
    assert parse_ring_id("1.10") > parse_ring_id("2.9") > parse_ring_id("nonsense")


def test_a_write_needs_the_disks_of_a_majority_and_of_a_quorum() -> None:
    voting = Voting()
    voting.set_view(view(1, 2, 3))
    voting.stored.update({1: 7, 2: 5, 3: 2})
    assert voting.agreed_step() == 5
    voting.quorum_votes = 3
    assert voting.agreed_step() == 2
    voting.set_view(view(1, 2, 3, quorate=False))
    assert voting.agreed_step() == 5


def test_members_that_made_different_cibs_agree_anew() -> None:
    replica = Replica(1, "node1", empty_document(), Mark(), "a")
    replica.view_changed(view(1, 2))
    (own,) = replica.group_changed(GroupChanged("cib", (1, 2), (1, 2)))
    assert isinstance(own, BroadcastToPeers)
    assert isinstance(own.message, PeerState)
    other = PeerState(own.message.round, "2.b.1", "", (0, 0, 0), (0, 1, 0), own.message.digest, {}, ())
    replica.delivered(0.0, 1, 1, own.message)
    replica.delivered(0.0, 2, 2, other)
    assert replica.is_synchronised
    assert replica._round is not None
    effects = replica.delivered(0.0, 2, 3, PeerStored(replica._round.agreement, 0, "another chain"))
    assert any(isinstance(effect, BroadcastToPeers) for effect in effects)


def test_an_empty_copy_gives_way_silently() -> None:
    assert not has_own_changes(empty_document(), Mark(), state("1.9", (0, 9, 0), (0, 9, 0)))


def test_changes_made_without_quorum_are_worth_a_backup() -> None:
    replica = alone()
    replica.delivered(0.0, 1, 5, written(replica))
    assert has_own_changes(replica.document, Mark("1.1", (0, 1, 0)), state("1.9", (0, 9, 0), (0, 9, 0)))


class Company:
    """Replicas in one view: what one broadcasts is delivered to all, what it sends to one to that one."""

    def __init__(self, *nodes: int) -> None:
        self.replicas = {node: Replica(node, f"node{node}", empty_document(), Mark(), "a") for node in nodes}
        self.sequence = 0
        for replica in self.replicas.values():
            replica.view_changed(view(*nodes))

    def group(self, *members: int, arrived: tuple[int, ...] = (), told: tuple[int, ...] = ()) -> None:
        """Tell members (all of them by default) who is in the group."""
        change = GroupChanged("cib", members, arrived)
        self.carry_out([(node, self.replicas[node].group_changed(change)) for node in told or members])

    def carry_out(self, told: list[tuple[int, list[Effect]]]) -> None:
        present = {node for node, _ in told} | {node for node, r in self.replicas.items() if r.is_synchronised}
        while told:
            sender, effects = told.pop(0)
            for effect in effects:
                if isinstance(effect, BroadcastToPeers):
                    self.sequence += 1
                    for node in sorted(present):
                        told.append((node, self.replicas[node].delivered(0.0, sender, self.sequence, effect.message)))
                elif isinstance(effect, SendToPeer):
                    told.append((effect.node, self.replicas[effect.node].direct(0.0, sender, effect.message)))
                elif isinstance(effect, Persist):
                    told.append((sender, self.replicas[sender].persisted(effect.token)))

    def agree(self) -> set[int]:
        return {node for node, replica in self.replicas.items() if replica.is_synchronised}


def test_who_arrives_after_a_call_to_agree_anew_agrees_with_the_others() -> None:
    company = Company(1, 2, 3)
    company.group(1, 2, arrived=(1, 2))
    company.carry_out([(1, company.replicas[1].resynchronise("a test"))])
    assert company.agree() == {1, 2}
    company.group(1, 2, 3, arrived=(3,))
    assert company.agree() == {1, 2, 3}


def test_a_replica_that_takes_its_predecessors_place_unseen_agrees_with_the_others() -> None:
    company = Company(1, 2)
    company.group(1, 2, arrived=(1, 2))
    company.replicas[2] = Replica(2, "node2", empty_document(), Mark(), "b")
    company.replicas[2].view_changed(view(1, 2))
    company.group(1, 2, told=(2,))
    assert company.agree() == {1, 2}
