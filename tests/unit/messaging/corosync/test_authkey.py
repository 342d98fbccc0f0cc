"""Which key files are acceptable, and how one is replaced."""

import os
import random
import stat
from pathlib import Path

import pytest

from hatools.messaging.corosync.authkey import FILE_MODE, check_key, load_key
from hatools.runtime.files import replace_file
from hatools.values.errors import ConfigError, UnavailableError

KEY = random.Random(1).randbytes(256)
REGULAR = stat.S_IFREG


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o700])
def test_a_key_that_only_its_owner_can_read_is_used(mode: int) -> None:
    assert check_key(KEY, REGULAR | mode, "authkey") == KEY


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o644, 0o620, 0o602])
def test_a_key_that_others_can_read_or_change_is_refused(mode: int) -> None:
    with pytest.raises(ConfigError, match=f"{mode:04o}.*chmod 0400 authkey"):
        check_key(KEY, REGULAR | mode, "authkey")


@pytest.mark.parametrize("size", [0, 1, 127, 4097])
def test_a_key_of_a_wrong_length_is_refused(size: int) -> None:
    with pytest.raises(ConfigError, match="a key has 128 to 4096"):
        check_key((KEY * 17)[:size], REGULAR | 0o400, "authkey")


def test_a_key_that_is_not_random_is_refused() -> None:
    with pytest.raises(ConfigError, match="no random key"):
        check_key(b"\0" * 256, REGULAR | 0o400, "authkey")


def test_a_missing_key_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="corosync-keygen"):
        load_key(tmp_path / "authkey")


def test_a_stored_key_can_be_loaded_and_has_mode_0400(tmp_path: Path) -> None:
    path = tmp_path / "authkey"
    path.write_bytes(b"old")

    replace_file(path, KEY, FILE_MODE)

    assert load_key(path) == KEY
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert os.listdir(tmp_path) == ["authkey"]


def test_a_failure_leaves_the_old_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "authkey"
    replace_file(path, KEY, FILE_MODE)

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        replace_file(path, KEY[::-1], FILE_MODE)
    monkeypatch.undo()

    assert load_key(path) == KEY
    assert os.listdir(tmp_path) == ["authkey"]
