"""What the log says about ignored datagrams: once per peer and cause, and never without bound."""

from hatools.messaging.corosync.rejections import Rejections


def test_a_peer_and_a_cause_are_named_once_and_counted() -> None:
    rejections = Rejections()

    said = [rejections.note(f"10.0.0.9:{port}", "wrong signature") for port in (5405, 40_000, 40_001)]

    assert said == ["ignored a datagram from 10.0.0.9:5405: wrong signature", "", ""]
    assert (rejections.total, rejections.by_cause) == (3, {("10.0.0.9", "wrong signature"): 3})


def test_other_numbers_in_a_cause_make_no_other_cause() -> None:
    rejections = Rejections()

    said = [rejections.note("10.0.0.9:1", f"node {number} is not in the node list") for number in (7, 8)]

    assert [bool(text) for text in said] == [True, False]


def test_another_peer_or_cause_is_named_as_well() -> None:
    rejections = Rejections()

    assert all(rejections.note(peer, cause) for peer in ("10.0.0.8:1", "fe80::1:1") for cause in ("a", "b"))


def test_a_flood_of_made_up_peers_is_bounded_and_said_once() -> None:
    rejections = Rejections()

    said = [rejections.note(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}:1", "too short") for n in range(3000)]

    assert sum(bool(text) for text in said) == 1001
    assert "more than 1000 kinds" in next(text for text in said[1000:] if text)
    assert rejections.total == 3000 and len(rejections.by_cause) == 1000
