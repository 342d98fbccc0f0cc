"""The words of ``crm lab``: what is refused before anything is done."""

from pathlib import Path

import pytest

from hatools.lab.command import main
from hatools.values.errors import NoSuchObjectError, UsageError


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["start", "3", "--no-fence"], "--no-fence"),
        (["kill", "node1", "--force"], "--force"),
        (["demo", "--dir", "elsewhere"], "--dir"),
    ],
)
def test_an_option_that_a_command_does_not_have_is_refused(words: list[str], named: str) -> None:
    with pytest.raises(UsageError, match=f"has no option {named}"):
        main(words)


def test_an_option_without_its_value_is_refused() -> None:
    with pytest.raises(UsageError, match="--port needs a value"):
        main(["start", "--port"])


def test_a_command_that_does_not_exist_is_answered_with_those_that_do() -> None:
    with pytest.raises(UsageError, match="start, stop, status"):
        main(["stert"])


def test_another_folder_may_be_named(tmp_path: Path) -> None:
    with pytest.raises(NoSuchObjectError, match=str(tmp_path)):
        main(["status", f"--dir={tmp_path}"])
