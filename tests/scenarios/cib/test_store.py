"""The files of a CIB: whatever is torn, edited or missing, what comes back is a state that was stored."""

import errno
import os
from pathlib import Path
from random import Random

import pytest

from hatools.cib.document import Document
from hatools.cib.operations import Edit, parse_update, perform
from hatools.daemons.cib.applying import stored_form
from hatools.daemons.cib.effects import Mark, Persist
from hatools.daemons.cib.store import Store
from hatools.values.ciboperation import CibOperation

CHANGES = 24


def filled(folder: Path, whole_at: int = 11) -> list[str]:
    """Store some changes, with a whole file in the middle; return the stored form after each."""
    store = Store(folder)
    document = store.load().document
    store.prepare()
    history = [str(stored_form(document))]
    for number in range(CHANGES):
        update = parse_update(f'<node id="{number}" uname="n{number}"/>')
        after = perform(document, Edit(CibOperation.CREATE, "nodes", update=update)).document
        mark = Mark("1.2", (0, number, 0))
        store.write([Persist(number, mark, after, None if number == whole_at else document)])
        history.append(str(stored_form(after)))
        document = after
    return history


def loaded(folder: Path) -> str:
    return str(stored_form(Store(folder).load().document))


def test_what_was_written_is_read(tmp_path: Path) -> None:
    history = filled(tmp_path)
    stored = Store(tmp_path).load()
    assert str(stored_form(stored.document)) == history[-1]
    assert stored.mark == Mark("1.2", (0, CHANGES - 1, 0))


def test_files_belong_to_their_owner_alone(tmp_path: Path) -> None:
    filled(tmp_path)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize("kind", ["torn", "edited"])
def test_a_file_damaged_anywhere_costs_at_most_the_journal_behind_it(tmp_path: Path, kind: str) -> None:
    history = filled(tmp_path)
    random = Random(1)
    for path in sorted(tmp_path.iterdir()):
        data = path.read_bytes()
        length = len(data.rstrip(b"\0"))
        for position in sorted({0, *(random.randrange(max(1, length)) for _ in range(40))}):
            damaged = bytearray(data)
            if kind == "torn":
                del damaged[position:]
            elif damaged:
                damaged[position] ^= 0x15
            path.write_bytes(damaged)
            found = loaded(tmp_path)
            assert found in history, f"{path.name} at {position}"
            if path.name != "cib.journal":
                assert found == history[-1], f"{path.name} at {position}"
        path.write_bytes(data)


def test_a_missing_file_costs_nothing_but_the_journal(tmp_path: Path) -> None:
    history = filled(tmp_path)
    for path in sorted(tmp_path.iterdir()):
        data = path.read_bytes()
        path.unlink()
        found = loaded(tmp_path)
        assert found in history
        if path.name != "cib.journal":
            assert found == history[-1], path.name
        path.write_bytes(data)


def test_a_cib_put_in_place_by_hand_without_a_digest_is_taken(tmp_path: Path) -> None:
    filled(tmp_path)
    document = Document.parse((tmp_path / "cib.xml").read_text().replace('epoch="', 'epoch="9'))
    (tmp_path / "cib.xml").write_text(str(document))
    (tmp_path / "cib.xml.sig").unlink()
    assert Store(tmp_path).load().document.version == document.version


class CutOffError(Exception):
    """The machine stopped."""


def test_a_crash_at_any_step_of_writing_a_whole_file_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for steps in range(40):
        folder = tmp_path / str(steps)
        folder.mkdir()
        history = filled(folder, whole_at=-1)
        store = Store(folder)
        document = store.load().document
        remaining = [steps]

        def limited(name: str, counter: list[int] = remaining) -> None:
            real = getattr(os, name)

            def call(*arguments: object, **options: object) -> object:
                if counter[0] <= 0:
                    raise CutOffError
                counter[0] -= 1
                return real(*arguments, **options)

            monkeypatch.setattr(os, name, call)

        for name in ("replace", "link", "fsync", "open"):
            limited(name)
        finished = True
        try:
            store.write([Persist(99, Mark("1.3", (0, 99, 0)), document, None)])
        except CutOffError:
            finished = False
        monkeypatch.undo()
        assert loaded(folder) == history[-1], f"after {steps} steps"
        if finished:
            return
    raise AssertionError("a whole file takes more steps than expected")


def test_a_full_disk_is_reported_and_what_was_stored_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = filled(tmp_path)
    store = Store(tmp_path)
    document = store.load().document
    store.prepare()

    def no_space(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", no_space)
    assert store.has_room(100)
    assert not store.has_room(1_000_000)
    monkeypatch.setattr(os, "pwrite", no_space)
    after = perform(document, Edit(CibOperation.BUMP)).document
    with pytest.raises(OSError, match="No space"):
        store.write([Persist(1, Mark(), after, document)])
    monkeypatch.undo()
    assert loaded(tmp_path) == history[-1]
    store.rescue(Persist(2, Mark(), after, document))
    assert loaded(tmp_path) == str(stored_form(after))
