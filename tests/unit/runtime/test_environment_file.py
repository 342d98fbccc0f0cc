"""The environment file: assignments, quotes, comments, and lines that are neither."""

from pathlib import Path

from hatools.runtime.environment_file import read_environment_file


def test_assignments_are_read_and_the_rest_is_warned_about(tmp_path: Path) -> None:
    file = tmp_path / "pacemaker"
    file.write_text(
        "# a comment\n\nHATOOLS_MESSAGING=corosync\nexport PCMK_debug='crmd,cib' # why\nEMPTY=\n"
        "rm -rf /\nA=$(reboot)\nB='unbalanced\n"
    )
    variables, warnings = read_environment_file(file)
    assert variables == {
        "HATOOLS_MESSAGING": "corosync",
        "PCMK_debug": "crmd,cib",
        "EMPTY": "",
        "A": "$(reboot)",
    }
    assert [warning.partition(": ")[0] for warning in warnings] == [f"{file}:6", f"{file}:8"]


def test_a_missing_file_is_empty(tmp_path: Path) -> None:
    assert read_environment_file(tmp_path / "none") == ({}, [])
