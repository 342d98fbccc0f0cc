"""Replication under crashes, partitions and merges at any step, with time and chance in one seed."""

from random import Random

import pytest

from tests.support.cib_cluster import Cluster, count_of, labels_of

SEEDS = 150


def play(seed: int) -> Cluster:
    """Run one history: writes everywhere, nodes that crash and come back, views that change at any moment."""
    random = Random(seed)
    size = random.choice((2, 3, 3, 5))
    cluster = Cluster(size, random)
    everyone = set(cluster.nodes)
    for number in everyone:
        cluster.start(number)
    cluster.regroup([everyone])
    for number in range(random.randint(10, 60)):
        for _ in range(random.randint(0, 30)):
            cluster.step()
        event = random.random()
        if event < 0.7:
            cluster.submit(random.choice(sorted(everyone)), f"w{number}")
        elif event < 0.8:
            victim = random.choice(sorted(everyone))
            cluster.crash(victim)
            cluster.regroup(components(cluster, random))
        elif event < 0.9:
            for node in sorted(everyone):
                if random.random() < 0.6:
                    cluster.start(node)
            cluster.regroup(components(cluster, random))
        else:
            cluster.regroup(components(cluster, random))
    heal(cluster)
    return cluster


def components(cluster: Cluster, random: Random) -> list[set[int]]:
    """Cut the cluster in at most three parts, mostly not at all."""
    if random.random() < 0.5:
        return [set(cluster.nodes)]
    parts: list[set[int]] = [set(), set(), set()]
    for number in cluster.nodes:
        random.choice(parts).add(number)
    return [part for part in parts if part]


def heal(cluster: Cluster) -> None:
    for number in cluster.nodes:
        cluster.start(number)
    cluster.regroup([set(cluster.nodes)])
    cluster.settle()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_acknowledged_writes_last_and_all_copies_become_one(seed: int) -> None:
    cluster = play(seed)
    replicas = [node.replica for node in cluster.nodes.values()]
    documents = [replica.document for replica in replicas if replica is not None]
    assert len({str(document) for document in documents}) == 1
    survived = labels_of(documents[0])
    lost = set(cluster.acknowledged) - survived
    assert not lost, f"seed {seed}: {sorted(lost)}"
    assert count_of(documents[0]) == len(survived), f"seed {seed}: a write was made twice or in part"
    assert all(replica is not None and replica.is_synchronised for replica in replicas)
    assert not any(node.unanswered for node in cluster.nodes.values()), f"seed {seed}: somebody still waits"
