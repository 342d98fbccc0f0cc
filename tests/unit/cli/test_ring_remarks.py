"""What status displays say of the messages between nodes, in every style."""

import pytest

from hatools.cli.ring_remarks import words_on
from hatools.ipc.messages.messaging import Member, RingState


def ring(style: str, *, encrypted: bool) -> RingState:
    return RingState(
        local=Member(1, "a"), cluster_name="c", style=style, state="operational", ring_id="1.1", members=(),
        configured=(), quorate=True, expected_votes=1, highest_expected=1, total_votes=1, quorum=1, flags=(), votes={},
        links=(), encrypted=encrypted, settings={},
    )  # fmt: skip


@pytest.mark.parametrize("style", ["corosync", "heartbeat", "external"])
def test_plain_messages_are_told_and_encrypted_ones_are_not(style: str) -> None:
    assert words_on(ring(style, encrypted=True)) == ()
    assert "not encrypted" in words_on(ring(style, encrypted=False))[0]
