"""The scheduler's kept inputs: numbering, limits, identical inputs. Uses a temporary folder."""

import bz2
from pathlib import Path

from hatools.cib.document import Document, empty_document
from hatools.daemons.pengine.archive import Archive, series_limit, with_execution_date


def with_limit(option: str, value: int) -> Document:
    text = str(empty_document()).replace(
        "<crm_config/>",
        '<crm_config><cluster_property_set id="s">'
        f'<nvpair id="n" name="{option}" value="{value}"/></cluster_property_set></crm_config>',
    )
    return Document.parse(text)


def test_inputs_are_numbered_and_the_next_number_is_kept(tmp_path: Path):
    archive = Archive(tmp_path)
    names = [archive.reserve(empty_document(), "input", b"%d" % index).path for index in range(3)]
    assert [path.name for path in names if path] == ["pe-input-0.bz2", "pe-input-1.bz2", "pe-input-2.bz2"]
    assert (tmp_path / "pe-input.last").read_text() == "3\n"
    assert Archive(tmp_path).reserve(empty_document(), "input", b"x").number == 3


def test_each_quality_has_its_own_series(tmp_path: Path):
    archive = Archive(tmp_path)
    archive.reserve(empty_document(), "input", b"1")
    path = archive.reserve(empty_document(), "error", b"2").path
    assert path is not None
    assert path.name == "pe-error-0.bz2"


def test_at_the_limit_a_series_begins_again(tmp_path: Path):
    archive = Archive(tmp_path)
    document = with_limit("pe-warn-series-max", 2)
    numbers = [archive.reserve(document, "warn", b"%d" % index).number for index in range(5)]
    assert numbers == [0, 1, 0, 1, 0]


def test_a_limit_of_zero_keeps_nothing(tmp_path: Path):
    document = with_limit("pe-input-series-max", 0)
    slot = Archive(tmp_path).reserve(document, "input", b"1")
    Archive(tmp_path).save(slot, "text")
    assert slot.path is None
    assert list(tmp_path.iterdir()) == []


def test_the_same_input_again_keeps_its_place(tmp_path: Path):
    archive = Archive(tmp_path)
    first = archive.reserve(empty_document(), "input", b"same")
    assert archive.reserve(empty_document(), "input", b"same") == first


def test_what_is_saved_can_be_read_and_tells_its_time(tmp_path: Path):
    archive = Archive(tmp_path)
    document = empty_document()
    slot = archive.reserve(document, "input", b"x")
    archive.save(slot, str(Document(with_execution_date(document.root, 1_700_000_000))))
    assert slot.path is not None
    stored = Document.parse(bz2.decompress(slot.path.read_bytes()))
    assert stored.root.get("execution-date") == "1700000000"
    assert document.root.get("execution-date") is None


def test_the_defaults_are_pacemakers():
    assert [series_limit(empty_document(), quality) for quality in ("input", "warn", "error")] == [4000, 5000, -1]
