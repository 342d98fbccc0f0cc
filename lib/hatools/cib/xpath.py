"""XPath over a document. Pure.

The paths that commands, agents and ACLs use nearly always (``//tag[@a='v']/...``) are evaluated right here;
everything else goes to libxml2 through lxml, which is imported only then. Results are elements: an attribute,
text or comment that matches stands for the element it belongs to, as in Pacemaker.
"""

import re
from functools import lru_cache
from itertools import pairwise

from hatools.cib.document import Element, format_xml
from hatools.cib.draft import Trail, walk
from hatools.values.records import dataclass


@dataclass(frozen=True, slots=True)
class _Step:
    deep: bool
    tag: str
    tests: tuple[tuple[str, str | None], ...]


_NAME = r"[A-Za-z_][\w.\-]*"
_TEST = rf"@({_NAME})(?:\s*=\s*(?:'([^']*)'|\"([^\"]*)\"))?"
_STEP = rf"(//?)({_NAME}|\*)((?:\[\s*{_TEST}(?:\s+and\s+{_TEST})*\s*\])*)"
_FINAL_ATTRIBUTE = rf"/@({_NAME})$"
# Text, compiled when the first path is taken apart: most commands use none.


def select(root: Element, expression: str) -> list[Trail]:
    """Return the trails of the elements that an expression matches, in document order.

    Text that is no XPath, or does not select nodes, matches nothing.
    """
    steps = _parse(expression)
    if steps is None:
        return _select_by_libxml(root, expression)
    return _evaluate(root, steps)


def path_of(trail: Trail) -> str:
    """Return the path of an element as Pacemaker writes it: ``/cib/configuration/nodes/node[@id='1']``."""
    return "".join(map(path_step, trail))


def path_step(element: Element) -> str:
    """Return one element's part of a path."""
    if not isinstance(element.tag, str):
        return "/comment"
    identifier = element.get("id")
    return f"/{element.tag}" if identifier is None else f"/{element.tag}[@id='{identifier}']"


@lru_cache(maxsize=256)
def _parse(expression: str) -> tuple[_Step, ...] | None:
    """Take the expression apart, or return None if it is beyond the simple form."""
    text = expression.strip()
    final = re.search(_FINAL_ATTRIBUTE, text)
    if final is not None:
        text = text[: final.start()]
    one_step = re.compile(_STEP)
    steps: list[_Step] = []
    position = 0
    while position < len(text):
        match = one_step.match(text, position)
        if match is None:
            return None
        tests = tuple(
            (name, single if single is not None else double)
            for name, single, double in (found.groups() for found in re.finditer(_TEST, match[3]))
        )
        steps.append(_Step(match[1] == "//", match[2], tests))
        position = match.end()
    if not steps:
        return None
    if final is not None:
        last = steps[-1]
        steps[-1] = _Step(last.deep, last.tag, (*last.tests, (final[1], None)))
    return tuple(steps)


def _evaluate(root: Element, steps: tuple[_Step, ...]) -> list[Trail]:
    found: list[Trail] = []
    for number, step in enumerate(steps):
        previous = found
        if number == 0:
            candidates = walk((root,)) if step.deep else iter([(root,)])
            found = [trail for trail in candidates if _matches(step, trail[-1])]
            continue
        found = []
        seen: set[int] = set()
        for context in previous:
            for child in context[-1]:
                if not isinstance(child.tag, str):
                    continue
                trail = (*context, child)
                for candidate in walk(trail) if step.deep else (trail,):
                    if id(candidate[-1]) not in seen and _matches(step, candidate[-1]):
                        seen.add(id(candidate[-1]))
                        found.append(candidate)
        if not step.deep and _nested(previous):
            order = {id(element): place for place, element in enumerate(root.iter())}
            found.sort(key=lambda trail: order[id(trail[-1])])
    return found


def _matches(step: _Step, element: Element) -> bool:
    if step.tag not in ("*", element.tag):
        return False
    attributes = element.attrib
    return all(name in attributes and value in (None, attributes[name]) for name, value in step.tests)


def _nested(trails: list[Trail]) -> bool:
    """Say whether one of these elements lies inside another."""
    return any(len(first) < len(second) and second[len(first) - 1] is first[-1] for first, second in pairwise(trails))


def _select_by_libxml(root: Element, expression: str) -> list[Trail]:
    from hatools.cib.libxml2 import etree

    tree = etree.fromstring(format_xml(root, indent=None).encode("utf-8", "surrogateescape"))
    if expression.strip() == "/":
        return [(root,)]
    try:
        results = tree.getroottree().xpath(expression)
    except etree.XPathError:
        return []
    if not isinstance(results, list):
        return []
    trails: list[Trail] = []
    for result in results:
        element: object | None
        if isinstance(result, etree._Element):
            element = result if isinstance(result.tag, str) else result.getparent()
        else:
            element = getattr(result, "getparent", lambda: None)()
        if element is not None:
            trails.append(_trail_of(root, element))
    return trails


def _trail_of(root: Element, element: object) -> Trail:
    """Translate an element of the lxml copy into the trail of its original."""
    from hatools.cib.libxml2 import etree

    assert isinstance(element, etree._Element)
    positions: list[int] = []
    parent = element.getparent()
    while parent is not None:
        positions.append(parent.index(element))
        element, parent = parent, parent.getparent()
    trail = [root]
    for position in reversed(positions):
        trail.append(trail[-1][position])
    return tuple(trail)
