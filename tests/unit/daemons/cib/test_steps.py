"""Steps since an agreement: sums of changes, what is on disk, who waits for it."""

from hatools.daemons.cib.steps import REMEMBERED_STEPS, Steps


def begun(digest: str = "d") -> Steps:
    steps = Steps()
    steps.begin(digest)
    return steps


def test_the_same_changes_have_the_same_chain_and_others_another():
    first, second, third = begun(), begun(), begun()
    for steps, patches in ((first, "ab"), (second, "ab"), (third, "ba")):
        for patch in patches:
            steps.add(patch)
    assert first.chain_at(2) == second.chain_at(2) != third.chain_at(2)
    assert first.chain_at(1) != first.chain_at(2)
    assert begun("e").chain_at(0) != first.chain_at(0)


def test_chains_are_forgotten_in_time_and_at_once():
    steps = begun()
    for _ in range(REMEMBERED_STEPS):
        steps.add("")
    assert steps.chain_at(0) == ""
    assert steps.chain_at(1) != ""
    steps.forget_chains()
    assert steps.chain_at(1) == ""


def test_a_step_that_needs_no_disk_counts_with_the_one_before_it():
    steps = begun()
    steps.add("durable")
    token = steps.to_disk()
    steps.add("volatile")
    assert steps.stored == 0
    assert steps.on_disk(token)
    assert steps.stored == 2
    assert not steps.on_disk(token)


def test_a_token_of_an_earlier_round_says_nothing():
    steps = begun()
    steps.add("a")
    old = steps.to_disk()
    steps.begin("e")
    new = steps.to_disk()
    assert not steps.on_disk(old)
    assert steps.on_disk(new)


def test_authors_are_told_once_and_not_before_their_step():
    steps = begun()
    for author in (2, 3, 2):
        steps.add("")
        steps.owe(author)
    assert steps.authors_up_to(2) == [2, 3]
    assert steps.authors_up_to(3) == [2]
    assert steps.authors_up_to(3) == []
