"""What can be asked of a CIB: sections, and what an XPath matches. Pure.

It stands apart from the operations so that a command that only asks starts without those.
"""

from hatools.cib.document import CONFIGURATION_SECTIONS, Document, Element
from hatools.cib.draft import Trail
from hatools.values.errors import NoSuchObjectError


def section_trail(root: Element, section: str) -> Trail | None:
    """Return the way to a section: the whole CIB for an empty or unknown name, None if it is known but absent."""
    if section in ("configuration", "status"):
        found = root.find(section)
        return None if found is None else (root, found)
    if section in CONFIGURATION_SECTIONS:
        configuration = root.find("configuration")
        found = None if configuration is None else configuration.find(section)
        return None if configuration is None or found is None else (root, configuration, found)
    return (root,)


def query(document: Document, *, section: str = "", xpath: str = "", no_children: bool = False) -> Element:
    """Return a section, or what an XPath matches: the element, or an ``<xpath-query>`` around several.

    Raises:
        NoSuchObjectError: there is no such section or match.
    """
    if xpath:
        from hatools.cib.xpath import select

        matches = [trail[-1] for trail in select(document.root, xpath)]
        if not matches:
            raise NoSuchObjectError(f"nothing in the CIB matches {xpath}")
        if no_children:
            matches = [Element(match.tag, dict(match.attrib)) for match in matches]
        if len(matches) == 1:
            return matches[0]
        answer = Element("xpath-query")
        answer.extend(matches)
        return answer
    trail = section_trail(document.root, section)
    if trail is None:
        raise NoSuchObjectError(f"the CIB has no section {section}")
    element = trail[-1]
    return Element(element.tag, dict(element.attrib)) if no_children else element


def query_paths(document: Document, xpath: str) -> list[str]:
    """Return the paths of all elements an XPath matches.

    Raises:
        NoSuchObjectError: there are none.
    """
    from hatools.cib.xpath import path_of, select

    trails = select(document.root, xpath)
    if not trails:
        raise NoSuchObjectError(f"nothing in the CIB matches {xpath}")
    return [path_of(trail) for trail in trails]
