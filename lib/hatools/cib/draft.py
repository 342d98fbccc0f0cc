"""A document on its way to its successor: copies the path to whatever is changed, once. Pure.

Elements of a document are never changed. A draft hands out elements that may be: the way from the
root to them is copied on first use, everything beside it stays shared. An element is addressed by
its *trail*, the elements from the root down to it.
"""

from collections.abc import Iterator, Sequence

from hatools.cib.document import Element, copy_element

Trail = tuple[Element, ...]
"""The elements from the root (first) to the one meant (last)."""


class Draft:
    """The successor of a document while it is being written."""

    __slots__ = ("_copies", "root")

    def __init__(self, root: Element) -> None:
        self.root = root
        # The original is kept beside its copy so that its id() cannot be given to another element.
        self._copies: dict[int, tuple[Element, Element]] = {}

    def writable(self, trail: Sequence[Element]) -> Element:
        """Return the last element of a trail (of originals or of earlier copies) as one that may be changed."""
        parent: Element | None = None
        for element in trail:
            known = self._copies.get(id(element))
            if known is not None:
                own = known[1]
            else:
                own = copy_element(element)
                self._copies[id(element)] = (element, own)
                self._copies[id(own)] = (own, own)
                if parent is None:
                    self.root = own
                else:
                    parent[child_position(parent, element)] = own
            parent = own
        assert parent is not None
        return parent

    def remove(self, trail: Sequence[Element]) -> None:
        """Take an element (not the root) out of its parent."""
        parent = self.writable(trail[:-1])
        del parent[child_position(parent, self.current(trail[-1]))]

    def replace(self, trail: Sequence[Element], element: Element) -> None:
        """Put another element in the place of one."""
        if len(trail) == 1:
            self.root = element
            return
        parent = self.writable(trail[:-1])
        parent[child_position(parent, self.current(trail[-1]))] = element

    def current(self, element: Element) -> Element:
        """Return what stands for an original element in the draft now."""
        known = self._copies.get(id(element))
        return element if known is None else known[1]


def child_position(parent: Element, child: Element) -> int:
    """Return the index of this very child.

    Raises:
        ValueError: it is not a child of the parent (any more).
    """
    for position, candidate in enumerate(parent):
        if candidate is child:
            return position
    raise ValueError("not a child of this element")


def walk(trail: Trail) -> Iterator[Trail]:
    """Yield the trails of an element and of all elements below it in document order, comments left out."""
    yield trail
    for child in trail[-1]:
        if isinstance(child.tag, str):
            yield from walk((*trail, child))
