"""The expressions behind ``when``: comparisons, and, or, not, numbers, texts and names of parameters. Pure.

They look like Python and are read with its parser, but only what is listed here is understood.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, items: item in items,
    ast.NotIn: lambda item, items: item not in items,
}
_OPERATIONS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mod: operator.mod,
}
_LONGEST = 1000


class ConditionError(ValueError):
    """An expression cannot be understood."""


def holds(expression: str, values: Mapping[str, Any]) -> bool:
    """Say whether a condition is true of some values; an unknown name has the value None.

    Raises:
        ConditionError: it is no expression of ours, or compares what cannot be compared.
    """
    if len(expression) > _LONGEST:
        raise ConditionError("the condition is too long")
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
        return bool(_evaluate(tree, values))
    except (SyntaxError, TypeError, RecursionError, MemoryError, ValueError) as error:
        if isinstance(error, ConditionError):
            raise
        raise ConditionError(f"{expression}: {error}") from None


def _evaluate(node: ast.expr, values: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=str() | int() | float() | bool() | None as value):
            return value
        case ast.Name(id=name):
            return _plain(values.get(name))
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(_evaluate(part, values) for part in parts)
        case ast.BoolOp(op=ast.Or(), values=parts):
            return any(_evaluate(part, values) for part in parts)
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return not _evaluate(inner, values)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_evaluate(inner, values)
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return [_evaluate(part, values) for part in parts]
        case ast.Compare(left=left, ops=ops, comparators=rights):
            return _compare(_evaluate(left, values), ops, [_evaluate(right, values) for right in rights])
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATIONS:
            return _OPERATIONS[type(op)](_evaluate(left, values), _evaluate(right, values))
    raise ConditionError(f"{ast.unparse(node)} is not understood in a condition")


def _compare(left: Any, ops: list[ast.cmpop], rights: list[Any]) -> bool:
    for op, right in zip(ops, rights, strict=True):
        if type(op) not in _COMPARISONS:
            raise ConditionError("only == != < <= > >= in and not in compare")
        if not _COMPARISONS[type(op)](left, right):
            return False
        left = right
    return True


def _plain(value: Any) -> Any:
    """Return a value as expressions see it: the words true and false are what they say."""
    if callable(value):
        value = value()
    words = {"true": True, "false": False}
    return words.get(value, value) if isinstance(value, str) else value
