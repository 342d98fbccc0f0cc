"""corosync-keygen: what it prints and returns, as Corosync 3.1.7 does (its man page, and run beside ours)."""

import os
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest

from tests.support import requires

OURS = Path(__file__).resolve().parents[2] / "bin" / "corosync-keygen"


def run(program: str | Path, *arguments: str) -> tuple[int, str, str]:
    result = subprocess.run([str(program), *arguments], capture_output=True, text=True, timeout=30, check=False)
    return result.returncode, result.stdout, result.stderr


def test_a_key_is_written_with_mode_0400_and_progress_on_stdout(tmp_path: Path) -> None:
    key = tmp_path / "authkey"

    status, out, err = run(OURS, "-k", str(key))

    assert status == 0 and err == ""
    assert out == (
        "Corosync Cluster Engine Authentication key generator.\n"
        "Gathering 2048 bits for key from /dev/urandom.\n"
        f"Writing corosync key to {key}.\n"
    )
    assert (key.stat().st_size, stat.S_IMODE(key.stat().st_mode)) == (256, 0o400)


@pytest.mark.parametrize("size", [128, 4096])
def test_the_size_can_be_chosen(tmp_path: Path, size: int) -> None:
    key = tmp_path / "authkey"

    status, out, _ = run(OURS, "-l", "-s", str(size), "-k", str(key))

    assert status == 0 and f"Gathering {size * 8} bits" in out
    assert key.stat().st_size == size


def test_an_old_key_is_replaced_with_a_reminder_on_stderr(tmp_path: Path) -> None:
    key = tmp_path / "authkey"
    key.write_bytes(b"old key")

    status, _, err = run(OURS, "-k", str(key))

    assert status == 0 and "copy it to every node" in err
    assert key.stat().st_size == 256
    assert os.listdir(tmp_path) == ["authkey"]


@pytest.mark.parametrize(
    "arguments",
    [["-s", "127"], ["-s", "4097"], ["-s", "many"], ["-z"], ["-k"], ["-h"], ["-k", "/nonexistent/authkey"],
     ["-r", "/nonexistent"]],
    ids=" ".join,
)  # fmt: skip
def test_mistakes_are_answered_as_by_the_original(arguments: list[str]) -> None:
    original = requires.program("corosync-keygen", "corosync")

    status, out, err = run(original, *arguments)

    # The C library's getopt puts the program's whole path before its complaints.
    assert run(OURS, *arguments) == (status, out, err.replace(original, "corosync-keygen"))


def test_a_source_that_blocks_is_waited_for_with_progress(tmp_path: Path) -> None:
    source, key = tmp_path / "source", tmp_path / "authkey"
    os.mkfifo(source)

    with subprocess.Popen(
        [str(OURS), "-r", str(source), "-k", str(key)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        with source.open("wb", buffering=0) as writer:
            writer.write(os.urandom(100))
            time.sleep(0.3)
            writer.write(os.urandom(156))
        rest = process.stdout.read()

    assert lines[2] == "Press keys on your keyboard to generate entropy (2048 bits still needed).\n"
    assert "(1248 bits still needed)" in rest
    assert process.returncode == 0 and key.stat().st_size == 256


def test_an_interrupt_while_waiting_ends_cleanly_and_leaves_the_old_key(tmp_path: Path) -> None:
    source, key = tmp_path / "source", tmp_path / "authkey"
    os.mkfifo(source)
    key.write_bytes(b"old key")

    with subprocess.Popen(
        [str(OURS), "-r", str(source), "-k", str(key)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        while "still needed" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGINT)
        complaint = process.stderr.read()

    assert process.returncode == 130
    assert "no key was written" in complaint and "Traceback" not in complaint
    assert key.read_bytes() == b"old key"


def test_a_source_that_ends_too_early_is_an_error(tmp_path: Path) -> None:
    short = tmp_path / "short"
    short.write_bytes(b"x" * 10)

    status, _, err = run(OURS, "-r", str(short), "-k", str(tmp_path / "authkey"))

    assert status == 1 and "ended after 10 of 256 bytes" in err
    assert not (tmp_path / "authkey").exists()


def test_a_full_disk_leaves_the_old_key(tmp_path: Path) -> None:
    requires.root()
    unshare = requires.program("unshare", "util-linux")
    script = (
        f"mount -t tmpfs -o size=4k small {tmp_path} && head -c 4096 /dev/zero > {tmp_path}/authkey; "
        f"{OURS} -k {tmp_path}/authkey; echo status $?; stat -c %s {tmp_path}/authkey"
    )

    _, out, err = run(unshare, "-m", "sh", "-c", script)

    assert "status 2\n4096\n" in out
    assert "Could not create" in err and "No space left" in err
