"""Trees as plain data: dictionaries, lists and texts, ready for JSON. Pure."""

from collections.abc import Callable
from xml.etree.ElementTree import Element

from hatools.cib.document import format_xml
from hatools.parser import syntax

_HIDDEN = "******"

Data = dict[str, object]


def statement_data(
    statement: syntax.Statement, word: str, obscured: Callable[[str], bool] = lambda name: False
) -> Data:
    """Return a statement: ``statement`` is its keyword, the rest are the fields of its tree that say something.

    Args:
        obscured: says whether the value of a parameter of this name is hidden.
    """
    data = _data(statement, obscured)
    assert isinstance(data, dict)
    return {"statement": word, **data}


def element_data(element: Element) -> Data:
    """Return an object that only XML can say."""
    return {"statement": "xml", "id": element.get("id"), "xml": format_xml(element)}


def _data(value: object, obscured: Callable[[str], bool]) -> object:
    if isinstance(value, Element):
        return format_xml(value)
    if isinstance(value, syntax.NvPair) and value.name and value.value is not None and obscured(value.name):
        value = value._replace(value=_HIDDEN)
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        fields: dict[str, object] = value._asdict()
        return {name: _data(part, obscured) for name, part in fields.items() if part is not None and part != ()}
    if isinstance(value, tuple):
        return [_data(part, obscured) for part in value]
    return value
