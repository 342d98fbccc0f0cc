"""Whether two elements say the same. Pure.

The order of children does not count, except inside a resource set, where it is the meaning.
"""

from xml.etree.ElementTree import Element


def same_element(first: Element, second: Element) -> bool:
    """Say whether two elements are equal but for the order of children."""
    if first is second:
        return True
    if (
        first.tag != second.tag
        or first.attrib != second.attrib
        or (first.text or "").strip() != (second.text or "").strip()
        or len(first) != len(second)
    ):
        return False
    if first.tag == "resource_set" or len(first) < 2:
        return all(map(same_element, first, second))
    return all(map(same_element, sorted(first, key=_sort_key), sorted(second, key=_sort_key)))


def _sort_key(element: Element) -> str:
    if element.tag == "primitive":
        return "primitive"
    name = element.tag if isinstance(element.tag, str) else element.text or ""
    return name + "".join(sorted([*element.attrib, *element.attrib.values()]))
