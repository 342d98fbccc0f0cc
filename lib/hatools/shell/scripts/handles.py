"""Templates of wizards: ``{{name}}`` and what goes with it. Pure.

* ``{{a:b}}`` is the value ``b`` of the step ``a``; nothing if it has none.
* ``{{#a}} ... {{/a}}`` is there if ``a`` has a value; for a list, once for each element.
* ``{{^a}} ... {{/a}}`` is there if ``a`` has none.

A tag that stands alone on its line takes the line with it.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

_TAG = re.compile(r"\{\{([#^])?([A-Za-z0-9#$:_-]+)\}\}")


class HandleError(ValueError):
    """A template is wrong; the message says where."""


class Branch(dict[str, Any]):
    """The values of a step, which may have a value itself (an included agent's definition)."""

    def __init__(self) -> None:
        super().__init__()
        self.own: Callable[[], str] = str


def render(template: str, values: Mapping[str, Any]) -> str:
    """Fill in a template.

    Raises:
        HandleError: a block is not closed.
    """
    return _render(template, (values,))


def references(template: str, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield every value that a template could put into its text, by name."""
    for tag in _TAG.finditer(template):
        value = _look_up(tag[2].split(":"), (values,))
        for item in value if isinstance(value, list | tuple) else (value,):
            yield tag[2], _text(item)


def _render(template: str, scopes: Sequence[Mapping[str, Any]]) -> str:
    result = ""
    while (tag := _TAG.search(template)) is not None:
        result += template[: tag.start()]
        kind, key = tag[1], tag[2]
        value = _look_up(key.split(":"), scopes)
        rest = template[tag.end() :]
        if kind is None:
            result += _text(value)
            template = rest
            continue
        body, mark, after = rest.partition(f"{{{{/{key}}}}}")
        if not mark:
            raise HandleError(f"Unclosed conditional: {tag[0]}")
        if body.startswith("\n") and (not result or result.endswith("\n")):
            result = result[:-1]
        result += _block(kind, key.split(":"), value, body, scopes)
        if result.endswith("\n") and after.startswith("\n"):
            after = after[1:]
        template = after
    return result + template


def _block(kind: str, path: list[str], value: Any, body: str, scopes: Sequence[Mapping[str, Any]]) -> str:
    if kind == "^":
        return "" if value else _render(body, (_nested(path, ""), *scopes))
    if value is None or value is False:
        return ""
    if isinstance(value, list | tuple):
        return "".join(_render(body, (_nested(path, item), *scopes)) for item in value)
    return _render(body, scopes)


def _nested(path: list[str], value: Any) -> Mapping[str, Any]:
    for name in reversed(path):
        value = {name: value}
    assert isinstance(value, dict)
    return value


def _look_up(path: list[str], scopes: Sequence[Mapping[str, Any]]) -> Any:
    for scope in scopes:
        value: Any = scope
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
            if value is None:
                break
        if isinstance(value, Branch):
            value = value.own()
        elif callable(value):
            value = value()
        if value is not None:
            return value
    return None


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
