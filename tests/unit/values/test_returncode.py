"""Codes have the names and words that ``crm_error`` of Pacemaker 2.1.5 shows."""

import pytest

from hatools.values.exitcode import exit_text
from hatools.values.returncode import describe_legacy_code, describe_return_code, legacy_codes, return_codes


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0, ("pcmk_rc_ok", "OK")),
        (-1005, ("pcmk_rc_node_unknown", "Node not found")),
        (-10000, ("Unknown", "Error")),
        (5, ("EIO", "Input/output error")),
        (95, ("EOPNOTSUPP", "Operation not supported")),
        (109, ("Unknown", "Too many references: cannot splice")),
    ],
)
def test_return_codes(code: int, expected: tuple[str, str]) -> None:
    assert describe_return_code(code) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (201, ("pcmk_err_generic", "Error")),
        (-201, ("pcmk_err_generic", "Error")),
        (-5, ("EIO", "Input/output error")),
        (211, ("Unknown", "Schema is already the latest available")),
        (-(2**31), ("Unknown", "Error")),
    ],
)
def test_older_codes_ignore_the_sign(code: int, expected: tuple[str, str]) -> None:
    assert describe_legacy_code(code) == expected


def test_lists_are_ascending_and_leave_out_what_the_original_has_no_name_for() -> None:
    assert return_codes() == sorted(return_codes())
    assert return_codes()[0] == -1033
    assert 48 not in legacy_codes() and 217 in legacy_codes()


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (128, "Unknown exit status"),
        (129, "Interrupted by signal"),
        (193, "No exit status available"),
        (254, "Interrupted by signal"),
        (255, "Error occurred"),
        (256, "Unknown exit status"),
    ],
)
def test_exit_statuses_beyond_the_table(code: int, text: str) -> None:
    assert exit_text(code) == text
