"""Merging two people's changes to one configuration. Pure.

Three documents take part: the *base* that both began with, *ours* and *theirs*. What only one side changed is
taken from that side, wherever it stands; what both changed to the same is taken once. The rest are collisions,
small ones: a value, a place, an order, something that one side removed and the other changed. Every collision is
settled for the preferred side and recorded.
"""

from collections.abc import Iterable, Iterator
from enum import Enum
from xml.etree.ElementTree import Element

from hatools.shell.changeset.merging import is_comment
from hatools.shell.changeset.objects import CONTAINER_TAGS, DEFAULTS_TAGS, OBJECT_TAGS, RESOURCE_TAGS, TOPOLOGY_ID
from hatools.values.records import dataclass

Key = tuple[str, str]
_REMOVED, _CHANGED = "(removed)", "(changed)"
_ORDERED_TAGS = frozenset(("group", "resource_set"))
_STAMPS = frozenset(
    (
        "epoch",
        "num_updates",
        "admin_epoch",
        "cib-last-written",
        "update-origin",
        "update-client",
        "update-user",
        "have-quorum",
        "dc-uuid",
        "crm_feature_set",
        "execution-date",
    )
)


class Side(Enum):
    """Whose version stands where both changed the same."""

    OURS = "ours"
    THEIRS = "theirs"


@dataclass(frozen=True, slots=True)
class Collision:
    """Something that both sides changed, each differently.

    Attributes:
        subject: id of the configuration object that it is in.
        what: which part of the object, for a person to read.
        base, ours, theirs: what stands there in the three versions; None: nothing.
    """

    subject: str
    what: str
    base: str | None
    ours: str | None
    theirs: str | None


@dataclass(frozen=True, slots=True)
class Merge:
    """The merged document, and what collided."""

    root: Element
    collisions: tuple[Collision, ...]


def merge(base: Element, ours: Element, theirs: Element, prefer: Side = Side.OURS) -> Merge:
    """Merge two successors of a document; none of the three is changed, but the result shares parts with them."""
    merger = _Merger(base, ours, theirs, prefer)
    root = merger.merge(base, ours, theirs)
    merger.rescue(root)
    for name in _STAMPS & root.attrib.keys():
        if name in theirs.attrib:
            root.set(name, theirs.attrib[name])
    return Merge(root, tuple(merger.collisions))


class _Document:
    """One version: its resources, each with the key of the element it is in, since resources move about."""

    def __init__(self, root: Element) -> None:
        self.resources: dict[Key, tuple[Element, Key]] = {}
        self._note(root)

    def _note(self, parent: Element) -> None:
        for child in parent:
            if is_comment(child):
                continue
            if child.tag in RESOURCE_TAGS:
                self.resources[_key(child)] = child, _key(parent)
            if len(child):
                self._note(child)

    def resource(self, key: Key) -> tuple[Element | None, Key | None]:
        """Return a resource and what it is in, None twice if it does not exist."""
        return self.resources.get(key, (None, None))


class _Merger:
    def __init__(self, base: Element, ours: Element, theirs: Element, prefer: Side) -> None:
        self._documents = _Document(base), _Document(ours), _Document(theirs)
        self._prefer = prefer
        self._places: dict[Key, Key | None] = {}
        self._placed: set[Key] = set()
        self.collisions: list[Collision] = []

    def merge(self, base: Element, ours: Element, theirs: Element, subject: str = "", inside: str = "") -> Element:
        """Merge three versions of one element.

        Args:
            subject: the object that the element is in.
            inside: where in that object, for messages.
        """
        own = _own_subject(ours, subject)
        subject, inside = (own, "") if own is not None else (subject, _join(inside, _describe(ours)))
        merged = Element(ours.tag, self._attributes(base, ours, theirs, subject, inside))
        merged.text = ours.text if theirs.text == base.text else theirs.text
        versions = _keyed(base), _keyed(ours), _keyed(theirs)
        kept: dict[Key, Element] = {}
        for key in dict.fromkeys((*versions[1], *versions[2], *versions[0])):
            if key[0] in RESOURCE_TAGS:
                found = self._resource(key, _key(ours))
            else:
                one, two, three = (version.get(key) for version in versions)
                found = self._child(one, two, three, subject, inside)
            if found is not None:
                kept[key] = found
        merged.extend(kept[key] for key in self._order(merged, versions, kept, subject))
        return merged

    def _attributes(self, base: Element, ours: Element, theirs: Element, subject: str, inside: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for name in dict.fromkeys((*theirs.attrib, *ours.attrib)):
            before, mine, other = base.get(name), ours.get(name), theirs.get(name)
            if mine == other or other == before:
                value = mine
            elif mine == before or name in _STAMPS or (name == "id" and before is None):
                value = other
            else:
                value = self._settle(subject, _join(inside, "" if name == "value" else name), before, mine, other)
            if value is not None:
                found[name] = value
        return found

    def _settle(self, subject: str, what: str, base: str | None, ours: str | None, theirs: str | None) -> str | None:
        self.collisions.append(Collision(subject, what, base, ours, theirs))
        return ours if self._prefer is Side.OURS else theirs

    def _child(
        self, base: Element | None, ours: Element | None, theirs: Element | None, subject: str, inside: str
    ) -> Element | None:
        """Merge something that stays where it is; None if it goes."""
        if base is None:
            return self._contents(base, ours, theirs, subject, inside)
        if ours is not None and theirs is not None:
            return self._contents(base, ours, theirs, subject, inside)
        remaining = theirs if ours is None else ours
        if remaining is None or _same(base, remaining):
            return None
        own = _own_subject(base, subject)
        where, what = (own, "") if own else (subject, _join(inside, _describe(base)))
        words = (_REMOVED, _CHANGED) if ours is None else (_CHANGED, _REMOVED)
        return remaining if self._settle(where, what, None, *words) == _CHANGED else None

    def _contents(
        self, base: Element | None, ours: Element | None, theirs: Element | None, subject: str, inside: str
    ) -> Element | None:
        known = ours if ours is not None else theirs if theirs is not None else base
        if known is None or is_comment(known):
            return known
        if known.tag not in CONTAINER_TAGS and known.tag != "resources":
            # Resources inside may come from elsewhere; everything else can be taken as a whole.
            if ours is None or theirs is None:
                return known
            if base is not None and (_same(base, theirs) or _same(base, ours)):
                return ours if _same(base, theirs) else theirs
        nothing = Element(known.tag)
        one, two, three = (nothing if version is None else version for version in (base, ours, theirs))
        return self.merge(one, two, three, subject, inside)

    def _resource(self, key: Key, here: Key) -> Element | None:
        """Return a merged resource if this is where it belongs now."""
        if key not in self._places:
            self._places[key] = self._place(key)
        if self._places[key] != here or key in self._placed:
            return None
        self._placed.add(key)
        base, ours, theirs = (document.resource(key)[0] for document in self._documents)
        return self._contents(base, ours, theirs, "", "")

    def _place(self, key: Key) -> Key | None:
        """Return what a resource is in after the merge, None if it is gone."""
        (base, was), (ours, mine), (theirs, other) = (document.resource(key) for document in self._documents)
        if mine == other or other == was:
            place = mine
        elif mine == was:
            place = other
        else:
            settled = self._settle(key[1], "place", *map(_place_text, (was, mine, other)))
            return mine if settled == _place_text(mine) else other
        remaining = theirs if ours is None else ours
        if place is None and base is not None and remaining is not None and not _same(base, remaining):
            words = (_REMOVED, _CHANGED) if ours is None else (_CHANGED, _REMOVED)
            if self._settle(key[1], "", None, *words) == _CHANGED:
                return other if ours is None else mine
        return place

    def rescue(self, root: Element) -> None:
        """Put resources whose container went into the section."""
        section = root.find("configuration/resources")
        for key, place in list(self._places.items()):
            if section is not None and place is not None and key not in self._placed:
                self._places[key] = _key(section)
                found = self._resource(key, _key(section))
                if found is not None:
                    section.append(found)

    def _order(
        self, merged: Element, versions: tuple[dict[Key, Element], ...], kept: dict[Key, Element], subject: str
    ) -> list[Key]:
        """Return the order of children: that of the side that changed it.

        What the other side added stands behind what it followed there.
        """
        base, ours, theirs = versions
        common = [key for key in base if key in ours and key in theirs]
        before, mine, other = common, _only(ours, common), _only(theirs, common)
        leads = ours if mine != before else theirs
        follows = theirs if leads is ours else ours
        if mine != before and other != before and mine != other:
            if merged.tag in _ORDERED_TAGS:
                self._settle(subject, "order", *(" ".join(name for _, name in keys) for keys in (before, mine, other)))
            leads, follows = (ours, theirs) if self._prefer is Side.OURS else (theirs, ours)
        order = [key for key in leads if key in kept]
        placed = set(order)
        previous: Key | None = None
        for key in follows:
            if key in kept and key not in placed:
                order.insert(0 if previous is None else order.index(previous) + 1, key)
                placed.add(key)
            if key in placed:
                previous = key
        return order + [key for key in kept if key not in placed]


def _only(version: Iterable[Key], common: list[Key]) -> list[Key]:
    wanted = set(common)
    return [key for key in version if key in wanted]


def _key(element: Element) -> Key:
    return element.tag, element.get("id", "")


def _keyed(parent: Element) -> dict[Key, Element]:
    """Return the children by what tells them apart: tag and id, pairs by name, what has neither by its place."""
    found: dict[Key, Element] = {}
    for child, key in _keys(parent):
        number = 2
        unique = key
        while unique in found:
            unique = key[0], f"{key[1]}#{number}"
            number += 1
        found[unique] = child
    return found


def _keys(parent: Element) -> Iterator[tuple[Element, Key]]:
    for child in parent:
        if is_comment(child):
            yield child, ("#", child.text or "")
        elif child.tag == "nvpair":
            yield child, ("nvpair", child.get("name") or child.get("id-ref") or "")
        else:
            yield child, (str(child.tag), child.get("id") or child.get("id-ref") or "")


def _same(first: Element, second: Element) -> bool:
    if first is second:
        return True
    return (
        first.tag == second.tag
        and first.attrib == second.attrib
        and (first.text or "").strip() == (second.text or "").strip()
        and len(first) == len(second)
        and all(map(_same, first, second))
    )


_BLOCK_WORDS = {"instance_attributes": "params", "meta_attributes": "meta", "utilization": "utilization"}


def _describe(element: Element) -> str:
    """Return what a part of an object is called in the crm language."""
    if element.tag in ("cib", "configuration", "operations"):
        return ""
    if element.tag in _BLOCK_WORDS:
        return _BLOCK_WORDS[element.tag]
    name = element.get("name") or element.get("id") or ""
    if element.tag == "op":
        interval = element.get("interval")
        return f"op {name}" + (f" interval={interval}" if interval else "")
    return name if element.tag == "nvpair" else f"{element.tag} {name}".strip()


def _join(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _own_subject(element: Element, subject: str) -> str | None:
    """Return the object that an element is; None if it is part of one, or holds several."""
    if element.tag in RESOURCE_TAGS:
        return element.get("id", "")
    if subject or element.tag in DEFAULTS_TAGS:
        return None
    if element.tag == "fencing-topology":
        return TOPOLOGY_ID
    is_object = element.tag in OBJECT_TAGS or element.tag == "meta_attributes"
    return element.get("id", "") if is_object else None


def _place_text(place: Key | None) -> str:
    if place is None:
        return _REMOVED
    return f"in {place[1]}" if place[1] else "by itself"
