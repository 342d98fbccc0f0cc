"""Fence agents' metadata as the cluster's tools show it. Pure.

A fence agent knows nothing of being a resource: the tools add the actions start and stop, and do not require of a
person what the fencer fills in.
"""

from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from hatools.values.errors import InputError

_FILLED_IN = frozenset({"action", "plug", "port"})


def complete_metadata(text: str) -> Element:
    """Return a fence agent's metadata with what the cluster adds.

    Raises:
        InputError: the text is not well-formed XML.
    """
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise InputError(f"the agent's metadata is not well-formed XML: {error}") from None
    for element in root.iter():
        # White space between elements is layout; a text that only consists of it is none.
        if element.text is not None and not element.text.strip():
            element.text = None
        if element.tail is not None and not element.tail.strip():
            element.tail = None
    actions = root.find("actions")
    if actions is not None:
        for name in ("stop", "start"):
            if all(action.get("name") != name for action in actions):
                SubElement(actions, "action", {"name": name, "timeout": "20s"})
    for parameter in root.iterfind("parameters/parameter"):
        if parameter.get("name") in _FILLED_IN and parameter.get("required") is not None:
            parameter.set("required", "0")
    return root
