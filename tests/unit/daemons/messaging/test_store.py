from pathlib import Path

from hatools.daemons.messaging.store import Numbers, NumberStore


def test_numbers_are_kept(tmp_path: Path) -> None:
    NumberStore(tmp_path, 7).keep(Numbers(3, 400, 5))

    store = NumberStore(tmp_path, 7)
    store.load()

    assert store.numbers == Numbers(3, 400, 5)


def test_the_sequence_goes_on_when_a_style_gives_the_node_another_id(tmp_path: Path) -> None:
    NumberStore(tmp_path, 7).keep(Numbers(3, 400, 5))

    store = NumberStore(tmp_path, 1242755867)
    store.load()

    assert store.numbers == Numbers(0, 400, 0)


def test_a_damaged_file_costs_its_numbers_only(tmp_path: Path) -> None:
    NumberStore(tmp_path, 7).keep(Numbers(3, 400, 5))
    (tmp_path / "hatools_8").write_text("{")

    store = NumberStore(tmp_path, 8)
    store.load()

    assert store.numbers == Numbers(0, 400, 0)
