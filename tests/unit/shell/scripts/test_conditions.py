"""The expressions behind ``when``."""

import pytest

from hatools.shell.scripts.conditions import ConditionError, holds

VALUES = {"mode": "shared", "count": 3, "install": "true", "no": "false", "empty": ""}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('mode == "shared"', True),
        ('mode != "shared"', False),
        ("count > 2 and install", True),
        ("not install or no", False),
        ("install == True", True),
        ('mode in ("shared", "exclusive")', True),
        ("1 < count <= 3", True),
        ("unknown == None", True),
        ("empty", False),
        ("count + 1 == 4", True),
    ],
)
def test_a_condition_is_true_or_not(expression: str, expected: bool) -> None:
    assert holds(expression, VALUES) is expected


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os').system('true')",
        "mode.__class__",
        "[x for x in mode]",
        "lambda: 1",
        "mode ==",
        "count < 'a'",
        "(" * 200,
        "9 ** 9 ** 9",
        "mode[0]",
        "f'{mode}'",
        "1" * 2000,
    ],
)
def test_everything_else_is_refused(expression: str) -> None:
    with pytest.raises(ConditionError):
        holds(expression, VALUES)
