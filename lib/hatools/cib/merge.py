"""Merging XML into XML, as a modification of the CIB does. Pure."""

from hatools.cib.document import Element, copy_element
from hatools.cib.patchset import same_comment
from hatools.values.score import INFINITY, parse_score


def merge(target: Element, update: Element) -> Element:
    """Return ``target`` with the attributes and children of ``update``; the very same if nothing changes.

    Children are matched by tag and ``id``, else by tag and ``id-ref``, else by tag alone; what has no match is
    added at the end. Attribute values may be expressions, see :func:`evaluate`.
    """
    result = target
    for name, value in update.items():
        wanted = evaluate(target.get(name), name, value)
        if result.get(name) != wanted:
            if result is target:
                result = copy_element(target)
            result.set(name, wanted)
    places: dict[tuple[str, str, str | None], int] | None = None
    for child in update:
        if not isinstance(child.tag, str):
            position = _comment_place(result, child)
        else:
            places = _index(result) if places is None else places
            position = places.get(_key(child))
        if position is None:
            if result is target:
                result = copy_element(target)
            addition = merge(Element(child.tag), child) if isinstance(child.tag, str) else child
            result.append(addition)
            if places is not None and isinstance(child.tag, str):
                _note(places, addition, len(result) - 1)
        elif isinstance(child.tag, str):
            merged = merge(result[position], child)
            if merged is not result[position]:
                if result is target:
                    result = copy_element(target)
                result[position] = merged
    return result


def _key(element: Element) -> tuple[str, str, str | None]:
    for name in ("id", "id-ref"):
        value = element.get(name)
        if value is not None:
            return element.tag, name, value
    return element.tag, "", None


def _index(parent: Element) -> dict[tuple[str, str, str | None], int]:
    places: dict[tuple[str, str, str | None], int] = {}
    for position, child in enumerate(parent):
        if isinstance(child.tag, str):
            _note(places, child, position)
    return places


def _note(places: dict[tuple[str, str, str | None], int], element: Element, position: int) -> None:
    places.setdefault((element.tag, "", None), position)
    for name in ("id", "id-ref"):
        value = element.get(name)
        if value is not None:
            places.setdefault((element.tag, name, value), position)


def _comment_place(parent: Element, comment: Element) -> int | None:
    for position, child in enumerate(parent):
        if same_comment(child, comment):
            return position
    return None


def evaluate(old: str | None, name: str, value: str) -> str:
    """Return the value an attribute gets: ``NAME++`` and ``NAME+=N`` count up from the old value (0)"""
    if not value.startswith(name):
        return value
    expression = value[len(name) :]
    if expression.startswith("++"):
        offset = 1
    elif expression.startswith("+="):
        offset = parse_score(expression[2:])
    else:
        return value
    start = 0 if old in (None, value) else parse_score(old)
    return str(min(start + offset, INFINITY))


def expand_expressions(element: Element) -> Element:
    """Return an element in which no ``NAME++`` is left; the very same if there was none."""
    result = element
    for name, value in element.items():
        wanted = evaluate(value, name, value)
        if wanted != value:
            if result is element:
                result = copy_element(element)
            result.set(name, wanted)
    for position, child in enumerate(element):
        if isinstance(child.tag, str):
            expanded = expand_expressions(child)
            if expanded is not child:
                if result is element:
                    result = copy_element(element)
                result[position] = expanded
    return result


def same_content(first: Element, second: Element) -> bool:
    """Say whether two elements are the same in attributes, their order, and everything below."""
    if first is second:
        return True
    if first.tag != second.tag or len(first) != len(second):
        return False
    if not isinstance(first.tag, str):
        return first.text == second.text
    if list(first.items()) != list(second.items()):
        return False
    return all(same_content(left, right) for left, right in zip(first, second, strict=True))
