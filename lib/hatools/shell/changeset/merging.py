"""Taking over parts of one element into another. Pure."""

import copy
from collections.abc import Iterator
from xml.etree.ElementTree import Comment, Element, SubElement

from hatools.cib.document import children
from hatools.parser.identities import IdStore, find_counterpart
from hatools.shell.changeset.objects import SET_TAGS


def is_comment(element: Element) -> bool:
    """Say whether a node of the tree is a comment."""
    return not isinstance(element.tag, str)


def add_comments(element: Element, comments: list[str]) -> None:
    """Put comments in front of an element's children, in their order."""
    for position, text in enumerate(comment for comment in comments if comment):
        element.insert(position, Comment(text))


def comments_of(element: Element) -> list[str]:
    """Return the texts of the comments among an element's children."""
    return [child.text or "" for child in element if is_comment(child)]


def copy_pairs(target: Element, source: Element, store: IdStore) -> None:
    """Copy pairs, rules and comments of a block into another: pairs by name, others by id."""
    for child in source:
        if is_comment(child):
            if child.text not in comments_of(target):
                target.append(copy.deepcopy(child))
        elif child.tag == "nvpair":
            _copy_pair(target, child, store)
        else:
            _replace_by_id(target, child)


def _copy_pair(target: Element, pair: Element, store: IdStore) -> None:
    if "value" not in pair.attrib:
        target.append(copy.deepcopy(pair))
        return
    for existing in children(target):
        if existing.get("name") == pair.get("name"):
            existing.set("value", pair.attrib["value"])
            return
    added = copy.deepcopy(pair)
    target.append(added)
    if "id" not in added.attrib:
        added.set("id", store.create(added, target.get("id") or pair.get("name") or ""))


def _replace_by_id(target: Element, element: Element) -> None:
    for position, existing in enumerate(target):
        if not is_comment(existing) and existing.get("id") == element.get("id"):
            target[position] = copy.deepcopy(element)
            return
    target.append(copy.deepcopy(element))


def merge_attributes(target: Element, source: Element, tag: str) -> bool:
    """Merge children with this tag by what identifies them; return whether anything changed."""
    changed = False
    added = []
    for child in children(source, tag):
        existing = find_counterpart(child, target, ignore_id=True)
        if existing is None:
            added.append(child)
            changed = True
            continue
        for name, value in child.items():
            if name != "id" and existing.get(name) != value:
                existing.set(name, value)
                changed = True
    target.extend(copy.deepcopy(child) for child in added)
    return changed


def merge_element(target: Element, source: Element) -> bool:
    """Merge blocks of pairs and operations; return whether anything changed."""
    changed = False
    added = []
    for child in children(source):
        existing = find_counterpart(child, target, ignore_id=True)
        if existing is None:
            if child.tag in SET_TAGS or child.tag == "operations":
                added.append(child)
                changed = True
        elif existing.tag in SET_TAGS:
            changed = merge_attributes(existing, child, "nvpair") or changed
        elif existing.tag == "operations":
            changed = merge_attributes(existing, child, "op") or changed
    target.extend(copy.deepcopy(child) for child in added)
    return changed


def apply_template(primitive: Element, template: Element) -> Element:
    """Return what a primitive amounts to with its template."""
    merged = Element(primitive.tag)
    merge_element(merged, template)
    merge_element(merged, primitive)
    merged.attrib.update(primitive.attrib)
    for name in ("class", "provider", "type"):
        value = template.get(name)
        if value is not None:
            merged.set(name, value)
    return merged


def pair_named(block: Element | None, name: str) -> Element | None:
    """Return the pair of this name in a block."""
    return next((pair for pair in children(block, "nvpair") if pair.get("name") == name), None)


def pair_value(block: Element | None, name: str) -> str | None:
    """Return the value of the pair of this name in a block."""
    pair = pair_named(block, name)
    return pair.get("value") if pair is not None else None


def set_pair(block: Element, name: str, value: str, store: IdStore) -> None:
    """Set the pair of this name, making it if it is missing."""
    pair = pair_named(block, name)
    if pair is None:
        pair = SubElement(block, "nvpair", {"id": "", "name": name, "value": value})
        pair.set("id", store.create(pair, block.get("id") or ""))
    pair.set("value", value)


def blocks(element: Element, tag: str, store: IdStore | None = None) -> list[Element]:
    """Return the blocks with this tag; with a store, make one if there is none."""
    found = list(children(element, tag))
    if not found and store is not None:
        block = SubElement(element, tag, {"id": ""})
        block.set("id", store.create(block, element.get("id") or ""))
        found.append(block)
    return found


def drop_empty_blocks(element: Element) -> None:
    """Remove blocks of pairs without content anywhere below."""
    for parent in element.iter():
        for child in list(children(parent)):
            if child.tag in SET_TAGS and not len(child) and not child.get("id-ref"):
                parent.remove(child)


def pairs_below(element: Element, name: str) -> Iterator[Element]:
    """Yield all pairs of this name anywhere below."""
    return (pair for pair in element.iter("nvpair") if pair.get("name") == name)
