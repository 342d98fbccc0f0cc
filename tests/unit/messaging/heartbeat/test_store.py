from pathlib import Path

from hatools.messaging.heartbeat.store import HeartbeatStore


def test_the_generation_grows_and_begins_with_the_time(tmp_path: Path) -> None:
    store = HeartbeatStore(tmp_path / "heartbeat")

    assert [store.next_generation(1000), store.next_generation(5), store.next_generation(5)] == [1001, 1002, 1003]
    assert (tmp_path / "heartbeat/hb_generation").read_bytes() == b"           1003\n"


def test_the_generation_of_a_real_heartbeat_goes_on(tmp_path: Path) -> None:
    (tmp_path / "hb_generation").write_bytes(b"     1795428874\n")

    assert HeartbeatStore(tmp_path).next_generation(0) == 1795428875


def test_a_broken_generation_is_replaced_by_the_time(tmp_path: Path) -> None:
    (tmp_path / "hb_generation").write_bytes(b"\xff\xfe")

    assert HeartbeatStore(tmp_path).next_generation(1795428000) == 1795428001


def test_the_uuid_stays(tmp_path: Path) -> None:
    store = HeartbeatStore(tmp_path)
    first = store.own_uuid(bytes(range(16)))

    assert len(first) == 16
    assert store.own_uuid(b"x" * 16) == first


def test_nodes_met_are_remembered_and_damaged_lines_skipped(tmp_path: Path) -> None:
    store = HeartbeatStore(tmp_path)
    store.keep_nodes({"b": b"b" * 16, "a": bytes(range(16))})
    with (tmp_path / "hostcache").open("a") as file:
        file.write("damaged\nline not-a-uuid 100\n")

    assert store.known_nodes() == {"a": bytes(range(16)), "b": b"b" * 16}
