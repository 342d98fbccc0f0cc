"""Configuration objects: what the shell lists, shows and edits as one thing. Pure."""

from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element

from hatools.cib.document import children
from hatools.parser.from_cib import STATEMENT_OF
from hatools.values.records import dataclass, field

RESOURCE_TAGS = frozenset(("primitive", "group", "clone", "master", "template", "bundle"))
CONTAINER_TAGS = frozenset(("group", "clone", "master", "bundle"))
CONTAINER_WORDS = frozenset(("group", "clone", "ms", "bundle"))
CLONE_TAGS = frozenset(("clone", "master"))
CHILD_TAGS = ("primitive", "group")
CONSTRAINT_TAGS = frozenset(("rsc_location", "rsc_colocation", "rsc_order", "rsc_ticket"))
DEFAULTS_TAGS = frozenset(("rsc_defaults", "op_defaults"))
PROPERTY_WORDS = frozenset(("property", "rsc_defaults", "op_defaults"))
SET_TAGS = frozenset(("meta_attributes", "instance_attributes", "utilization"))

TAG_OF = {word: tag for tag, word in STATEMENT_OF.items()}
# Elements that are objects of their own; operations belong to their primitive.
OBJECT_TAGS = frozenset(STATEMENT_OF) - {"op"}
SECTIONS = {
    **dict.fromkeys(RESOURCE_TAGS, "resources"),
    **dict.fromkeys(CONSTRAINT_TAGS, "constraints"),
    **dict.fromkeys(("acl_role", "acl_user", "acl_target", "acl_group"), "acls"),
    "node": "nodes",
    "cluster_property_set": "crm_config",
    "rsc_defaults": "rsc_defaults",
    "op_defaults": "op_defaults",
    "fencing-topology": "configuration",
    "tag": "tags",
    "alert": "alerts",
}
DEFAULT_IDS = {
    "cluster_property_set": "cib-bootstrap-options",
    "rsc_defaults": "rsc-options",
    "op_defaults": "op-options",
}
TOPOLOGY_ID = "fencing_topology"


def _ranks(groups: Iterable[tuple[str, ...]]) -> dict[str, int]:
    return {name: rank for rank, names in enumerate(groups) for name in names}


# The order in which elements are made, simple ones before those that contain or refer to them.
_ELEMENT_RANK = _ranks(
    (
        ("node",),
        ("template",),
        ("primitive",),
        ("bundle",),
        ("group",),
        ("master",),
        ("clone",),
        ("op",),
        ("tag",),
        ("rsc_location", "rsc_colocation", "rsc_order"),
        ("rsc_ticket", "fencing-topology"),
        ("cluster_property_set",),
        ("rsc_defaults",),
        ("op_defaults",),
        ("acl_role",),
        ("acl_target", "acl_group", "acl_user"),
        ("alert",),
    )
)
# The order in which objects are shown.
_STATEMENT_RANK = _ranks(
    (
        ("node",),
        ("rsc_template",),
        ("primitive",),
        ("bundle",),
        ("group",),
        ("ms",),
        ("clone",),
        ("op",),
        ("tag",),
        ("location", "colocation", "order"),
        ("rsc_ticket", "fencing_topology"),
        ("property",),
        ("rsc_defaults",),
        ("op_defaults",),
        ("role",),
        ("acl_target", "acl_group", "user"),
        ("alert",),
    )
)
_LAST = 1000


@dataclass(slots=True, eq=False)
class CibObject:
    """A configuration object.

    ``tag`` is the XML element that makes it an object, which for the defaults is the section, while
    ``node`` is the block inside. ``is_xml`` says that the language cannot say it.
    """

    tag: str
    node: Element
    id: str | None = None
    from_cib: bool = True
    updated: bool = False
    is_xml: bool = False
    parent: "CibObject | None" = None
    children: list["CibObject"] = field(default_factory=list)
    word: str = ""

    def __post_init__(self) -> None:
        self.word = STATEMENT_OF[self.tag]
        if self.id is None:
            self.set_id()

    def __str__(self) -> str:
        return self.id or "" if self.tag == "fencing-topology" else f"{self.word}:{self.id}"

    def set_id(self) -> None:
        """Take the id from the element."""
        if self.tag == "fencing-topology":
            self.id = TOPOLOGY_ID
        else:
            self.id = self.node.get("id") or self.node.get("uname") or DEFAULT_IDS.get(self.tag)

    @property
    def section(self) -> str:
        """Name of the section in which the object stands unless another contains it."""
        return SECTIONS[self.tag]

    @property
    def is_modified(self) -> bool:
        """Whether the object differs from what was loaded."""
        return self.updated or not self.from_cib

    def touch(self) -> None:
        """Mark the object and all that contain it as changed."""
        self.updated = True
        above = self.parent
        while above is not None:
            above.updated = True
            above = above.parent

    def top(self) -> "CibObject":
        """Return the outermost object that contains this one, or this one."""
        return self.parent.top() if self.parent else self

    @property
    def is_resource(self) -> bool:
        return self.node.tag in RESOURCE_TAGS

    @property
    def is_constraint(self) -> bool:
        return self.node.tag in CONSTRAINT_TAGS

    @property
    def is_container(self) -> bool:
        return self.node.tag in CONTAINER_TAGS


def child_resources(element: Element) -> Iterator[Element]:
    """Yield the resources directly inside a resource."""
    return children(element, *CHILD_TAGS)


def sorted_elements(elements: Iterable[Element]) -> list[Element]:
    """Return elements in the order in which they can be made."""
    return sorted(elements, key=lambda element: _ELEMENT_RANK.get(element.tag, _LAST))


def sorted_objects(objects: Iterable[CibObject], *, by_id: bool) -> list[CibObject]:
    """Return objects in the order in which they are shown."""
    if by_id:
        return sorted(objects, key=lambda item: (_STATEMENT_RANK.get(item.word, _LAST), item.id or ""))
    return sorted(objects, key=lambda item: _STATEMENT_RANK.get(item.word, _LAST))


def nested_objects(element: Element) -> Iterator[Element]:
    """Yield all elements below that are objects, those inside others included, in document order."""
    for child in children(element):
        if child.tag in OBJECT_TAGS:
            yield child
        yield from nested_objects(child)


def outer_objects(element: Element) -> Iterator[Element]:
    """Yield the elements below that are objects and not inside another."""
    for child in children(element):
        if child.tag in OBJECT_TAGS:
            yield child
        else:
            yield from outer_objects(child)
