"""Words of access rules and what they stand for in the CIB. Pure.

A *shortcut* names a place in the CIB that would otherwise need an XPath: ``meta:RSC:ATTR``,
``node:NAME``. ``@@`` in a template is where the next part of the shortcut goes.
"""

import re

RIGHTS = ("read", "write", "deny")

# What the language calls it -> the attribute of acl_permission.
PERMISSION_WORDS = {
    "xpath": "xpath",
    "ref": "reference",
    "reference": "reference",
    "tag": "object-type",
    "type": "object-type",
    "attr": "attribute",
    "attribute": "attribute",
}
# The attribute of acl_permission -> what is printed, in printing order.
PERMISSION_ATTRIBUTES = {"xpath": "xpath", "reference": "ref", "attribute": "attr", "object-type": "type"}
# Attributes of the rules before schema 2.0.
OLD_ATTRIBUTES = ("xpath", "ref", "tag", "attribute")

SHORTCUTS: dict[str, tuple[str, ...]] = {
    "meta": ("//primitive[@id='@@']/meta_attributes", "/nvpair[@name='@@']"),
    "params": ("//primitive[@id='@@']/instance_attributes", "/nvpair[@name='@@']"),
    "utilization": ("//primitive[@id='@@']/utilization",),
    "location": ("//rsc_location[@id='cli-prefer-@@' and @rsc='@@']",),
    "property": ("//crm_config/cluster_property_set", "/nvpair[@name='@@']"),
    "nodeattr": ("//nodes/node/instance_attributes", "/nvpair[@name='@@']"),
    "nodeutil": ("//nodes/node/utilization", "[@uname='@@']"),
    "node": ("//nodes/node", "[@uname='@@']"),
    "status": ("/cib/status",),
    "cib": ("/cib",),
}
_NAME = "([a-zA-Z_][a-zA-Z0-9_.-]*)"


def expand_shortcut(word: str, argument: str | None) -> str | None:
    """Return the XPath of a shortcut; None if its argument is missing or has too many parts."""
    templates = SHORTCUTS[word]
    if argument is None:
        return None if "@@" in templates[0] else templates[0]
    xpath, index = "", 0
    for part in argument.split(":"):
        if index < len(templates) and "@@" not in templates[index]:
            xpath += templates[index]
            index += 1
        if index >= len(templates):
            return None
        xpath += templates[index].replace("@@", part)
        index += 1
    return xpath


def find_shortcut(xpath: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the shortcut and its arguments that stand for an XPath; None if there is none."""
    for word, templates in SHORTCUTS.items():
        pattern = ""
        for count, template in enumerate(templates, 1):
            pattern += re.escape(template).replace("@@", _NAME)
            match = re.fullmatch(pattern, xpath)
            if match:
                return word, match.groups()[:count]
    return None
