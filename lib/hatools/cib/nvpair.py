"""Sets of name-value pairs: ``instance_attributes``, ``meta_attributes``, ``utilization``, properties. Pure."""

from collections.abc import MutableMapping
from xml.etree.ElementTree import Element

from hatools.cib.document import children
from hatools.cib.rules import FindElement, RuleInput, any_rule_holds
from hatools.values.score import parse_score

FIRST_PROPERTY_SET = "cib-bootstrap-options"
"""The property set that wins over all others, whatever their scores."""


def resolve(element: Element, find: FindElement) -> Element | None:
    """Follow an ``id-ref``; None if its target does not exist."""
    reference = element.get("id-ref")
    return element if reference is None else find(element.tag, reference)


def ordered_sets(parent: Element | None, tag: str, find: FindElement, first: str | None = None) -> list[Element]:
    """Return the sets of an element, the most important first.

    Higher scores come first; of equal ones, the last in the document does.
    """
    found: list[Element] = []
    for child in children(parent, tag):
        target = resolve(child, find)
        if target is not None:
            found.append(target)
    if len(found) < 2:
        return found
    found.reverse()
    found.sort(key=lambda each: (first is None or (each.get("id") or "").lower() != first.lower(), -_score(each)))
    return found


def _score(element: Element) -> int:
    return parse_score(element.get("score"))


def unpack_pairs(
    parent: Element | None,
    tag: str,
    table: MutableMapping[str, str],
    given: RuleInput,
    find: FindElement,
    *,
    first: str | None = None,
    overwrite: bool = False,
) -> None:
    """Add the pairs of all sets whose rules hold; earlier sets win unless ``overwrite``."""
    for each in ordered_sets(parent, tag, find, first):
        if any_rule_holds(each, given, find):
            _add_pairs(each, table, find, overwrite)


def _add_pairs(each: Element, table: MutableMapping[str, str], find: FindElement, overwrite: bool) -> None:
    container = next(iter(children(each)), None)
    if container is not None and container.tag == "attributes":
        each = container
    for pair in children(each, "nvpair"):
        name, value = pair.get("name"), pair.get("value")
        if pair.get("id-ref") is not None:
            target = resolve(pair, find)
            if target is not None:
                name = name if name is not None else target.get("name")
                value = value if value is not None else target.get("value")
        if name is None or value is None:
            continue
        if value.lower() == "#default":
            table.pop(name, None)
        elif overwrite or name not in table:
            table[name] = value
