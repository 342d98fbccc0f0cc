"""Digests of whole CIBs. Pure.

The digest beside ``cib.xml`` is the one Pacemaker 2.1.5 writes and checks: the MD5 sum of the XML without layout,
with a blank before and a line end after it. The *versioned* digest, which patches may carry, leaves out the attributes
that say who wrote the XML and when; before feature set 3.0.5 it was the same as the one on disk.
"""

import hashlib

from hatools.cib.document import Element, format_xml
from hatools.cib.version import compare_versions

VOLATILE_ATTRIBUTES = ("crm-debug-origin", "cib-last-written", "update-origin", "update-client", "update-user")


def on_disk_digest(root: Element) -> str:
    """Return the digest that belongs into ``cib.xml.sig``."""
    return _md5(f" {format_xml(root, indent=None)}\n")


def versioned_digest(root: Element, feature_set: str | None) -> str:
    """Return the digest that patches carry (``crm_diff --cib``), in the form of a feature set."""
    if feature_set is None or compare_versions("3.0.5", feature_set) > 0:
        return on_disk_digest(root)
    return _md5(format_xml(_without_volatile(root), indent=None))


def content_digest(root: Element) -> str:
    """Return the digest by which nodes compare their CIBs."""
    return hashlib.sha256(format_xml(root, indent=None).encode("utf-8", "surrogateescape")).hexdigest()


def _md5(text: str) -> str:
    return hashlib.md5(text.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()


def _without_volatile(element: Element) -> Element:
    if not isinstance(element.tag, str):
        return element
    copy = Element(element.tag, {name: value for name, value in element.items() if name not in VOLATILE_ATTRIBUTES})
    copy.text = element.text
    copy.extend(_without_volatile(child) for child in element)
    return copy
