"""From the CIB's elements to the syntax tree. Pure.

The tree holds what the language can say about an element; what it cannot say is left out. So a
tree alone does not tell whether it stands for the whole element: translate it back and compare.
"""

from collections.abc import Callable, Iterable
from xml.etree.ElementTree import Element

from hatools.cib.document import children
from hatools.parser import syntax
from hatools.parser.acl_words import OLD_ATTRIBUTES, PERMISSION_ATTRIBUTES, RIGHTS
from hatools.values.boolean import parse_boolean

STATEMENT_OF = {
    "node": "node",
    "op": "op",
    "primitive": "primitive",
    "group": "group",
    "clone": "clone",
    "master": "ms",
    "template": "rsc_template",
    "bundle": "bundle",
    "rsc_location": "location",
    "rsc_colocation": "colocation",
    "rsc_order": "order",
    "rsc_ticket": "rsc_ticket",
    "cluster_property_set": "property",
    "rsc_defaults": "rsc_defaults",
    "op_defaults": "op_defaults",
    "fencing-topology": "fencing_topology",
    "acl_role": "role",
    "acl_user": "user",
    "acl_target": "acl_target",
    "acl_group": "acl_group",
    "tag": "tag",
    "alert": "alert",
}
_DEFAULT_NODE_TYPE = "normal"

IsReferenced = Callable[[str, str], bool]


class Translator:
    """Translates elements.

    Args:
        is_referenced: says whether something refers to the id of a set, rule or pair (tag, id);
            only then is the id part of the tree.
    """

    def __init__(self, is_referenced: IsReferenced) -> None:
        self._is_referenced = is_referenced

    def statement(self, element: Element, word: str) -> syntax.Statement | None:
        """Return the tree of a configuration object; None if the language has no words for it.

        Args:
            word: the statement's keyword, which for the defaults is not the element's name.
        """
        match word:
            case "node":
                return self._node(element)
            case "primitive" | "rsc_template":
                return self._primitive(element, word)
            case "group" | "clone" | "ms":
                names = tuple(child.get("id", "") for child in children(element, "primitive", "group"))
                sets = tuple(self._sets(element, {"instance_attributes": "params", "meta_attributes": "meta"}))
                return syntax.Container(word, element.get("id", ""), names, element.get("description"), sets)
            case "bundle":
                return self._bundle(element)
            case "location":
                return self._location(element)
            case "colocation" | "order" | "rsc_ticket":
                return _relation(element, word)
            case "property" | "rsc_defaults" | "op_defaults":
                parts = tuple(
                    self._rule(child) if child.tag == "rule" else self._pair(child)
                    for child in children(element, "rule", "nvpair")
                )
                return syntax.PropertySet(word, element.get("id"), None, parts)
            case "fencing_topology":
                return _fencing(element)
            case "role":
                permissions = tuple(_permission(child) for child in children(element, "acl_permission", *RIGHTS))
                is_old = any(child.tag in RIGHTS for child in children(element))
                return syntax.AclRole(element.get("id", ""), element.get("description"), permissions, is_old)
            case "user":
                return _user(element)
            case "acl_target" | "acl_group":
                roles = tuple(child.get("id", "") for child in children(element, "role"))
                return syntax.AclTarget(word, element.get("id", ""), roles)
            case "tag":
                return syntax.Tag(element.get("id", ""), tuple(child.get("id", "") for child in children(element)))
            case "alert":
                return self._alert(element)
            case _:
                return None

    def _pair(self, element: Element) -> syntax.NvPair:
        name, value = element.get("name"), element.get("value")
        if "id-ref" in element.attrib:
            return syntax.NvPair(name, ref=element.get("id-ref"))
        identifier = element.get("id")
        if identifier is not None and self._is_referenced(element.tag, identifier):
            return syntax.NvPair(name, value, id=identifier)
        return syntax.NvPair(name, value)

    def _set(self, element: Element, word: str) -> syntax.AttributeSet:
        identifier = element.get("id")
        if identifier is not None and not self._is_referenced(element.tag, identifier):
            identifier = None
        return syntax.AttributeSet(
            word,
            identifier,
            None if identifier is not None else element.get("id-ref"),
            element.get("score"),
            tuple(self._rule(rule) for rule in children(element, "rule")),
            tuple(self._pair(pair) for pair in children(element, "nvpair")),
        )

    def _sets(self, element: Element, words: dict[str, str]) -> Iterable[syntax.AttributeSet]:
        for child in children(element, *words):
            yield self._set(child, words[child.tag])

    def _rule(self, element: Element) -> syntax.Rule:
        identifier = element.get("id")
        if identifier is not None and not self._is_referenced(element.tag, identifier):
            identifier = None
        if not identifier and element.get("id-ref"):
            return syntax.Rule(ref=element.get("id-ref"))
        expressions = tuple(_expression(child) for child in children(element, "expression", "date_expression"))
        return syntax.Rule(
            identifier, None, element.get("role"), _score(element), element.get("boolean-op"), expressions
        )

    def _node(self, element: Element) -> syntax.Node:
        uname, identifier, kind = element.get("uname", ""), element.get("id"), element.get("type")
        return syntax.Node(
            uname,
            identifier if identifier != uname else None,
            kind if kind != _DEFAULT_NODE_TYPE else None,
            element.get("description"),
            tuple(self._sets(element, {"instance_attributes": "attributes", "utilization": "utilization"})),
        )

    def _primitive(self, element: Element, word: str) -> syntax.Primitive:
        template = element.get("template") if word == "primitive" else None
        agent = syntax.Agent(element.get("class", ""), element.get("provider", ""), element.get("type", ""))
        parts: list[syntax.AttributeSet | syntax.Operations] = []
        words = {"instance_attributes": "params", "meta_attributes": "meta", "utilization": "utilization"}
        for child in children(element):
            if child.tag in words:
                parts.append(self._set(child, words[child.tag]))
            elif child.tag == "operations":
                parts.append(self._operations(child))
        return syntax.Primitive(
            element.get("id", ""),
            None if template else agent,
            template or None,
            element.get("description"),
            tuple(parts),
            word == "rsc_template",
        )

    def _operations(self, element: Element) -> syntax.Operations:
        operations = []
        for op in children(element, "op"):
            attributes = tuple((name, value) for name, value in op.items() if name not in ("id", "name"))
            sets = tuple(self._sets(op, {"instance_attributes": "op_params", "meta_attributes": "op_meta"}))
            operations.append(syntax.Operation(op.get("name", ""), attributes, (), sets))
        return syntax.Operations(tuple(operations), element.get("id"), element.get("id-ref"))

    def _bundle(self, element: Element) -> syntax.Bundle:
        parts: list[syntax.BundlePart | syntax.BundlePrimitive | syntax.AttributeSet] = []
        words = {"instance_attributes": "params", "meta_attributes": "meta"}
        for child in children(element):
            if child.tag in words:
                parts.append(self._set(child, words[child.tag]))
            elif child.tag == "primitive":
                parts.append(syntax.BundlePrimitive(child.get("id", "")))
            else:
                mappings = tuple(
                    (inner.tag, tuple(inner.items()))
                    for tag in ("port-mapping", "storage-mapping")
                    for inner in children(child, tag)
                )
                # Storage has mappings only; attributes of its own cannot be said.
                attributes = () if child.tag == "storage" else tuple(child.items())
                parts.append(syntax.BundlePart(child.tag, attributes, mappings))
        return syntax.Bundle(element.get("id", ""), element.get("description"), tuple(parts))

    def _location(self, element: Element) -> syntax.Location | None:
        resource, pattern = element.get("rsc"), element.get("rsc-pattern")
        sets: tuple[syntax.ResourceSet, ...] = ()
        if resource is None and pattern is None:
            sets = _resource_sets(element, "location")
            if element.find("resource_set") is None:
                return None
        known = ((name, element.get(name)) for name in ("role", "resource-discovery"))
        node = element.get("node")
        return syntax.Location(
            element.get("id", ""),
            resource,
            pattern if resource is None else None,
            sets,
            tuple((name, value) for name, value in known if value is not None),
            _score(element) if node is not None else None,
            node,
            None,
            tuple(self._rule(rule) for rule in children(element, "rule")),
        )

    def _alert(self, element: Element) -> syntax.Alert:
        parts: list[syntax.AttributeSet | syntax.AlertSelect | syntax.Recipient] = []
        words = {"instance_attributes": "attributes", "meta_attributes": "meta"}
        for child in children(element):
            if child.tag in words:
                parts.append(self._set(child, words[child.tag]))
            elif child.tag == "select":
                kinds = tuple(
                    (
                        chosen.tag.removeprefix("select_"),
                        tuple(n.get("name", "") for n in children(chosen, "attribute")),
                    )
                    for chosen in children(child)
                    if chosen.tag.startswith("select_")
                )
                parts.append(syntax.AlertSelect(kinds))
            elif child.tag == "recipient":
                parts.append(syntax.Recipient(child.get("value", ""), None, tuple(self._sets(child, words))))
        return syntax.Alert(element.get("id", ""), element.get("path", ""), element.get("description"), tuple(parts))


def _score(element: Element) -> syntax.Score | None:
    score = element.get("score")
    if score:
        return syntax.Score("score", score)
    attribute = element.get("score-attribute")
    return syntax.Score("score-attribute", attribute) if attribute else None


def _expression(element: Element) -> syntax.Expression:
    operation = element.get("operation", "")
    if element.tag == "expression":
        value = element.get("value")
        source = element.get("value-source")
        return syntax.Comparison(
            element.get("attribute", ""),
            operation,
            value or None,
            element.get("type") or None,
            source if source and source != "literal" and value else None,
        )
    fields = tuple(
        (name, value)
        for child in children(element, "duration", "date_spec")
        for name, value in child.items()
        if name != "id"
    )
    has_fields = any(True for _ in children(element, "duration", "date_spec"))
    return syntax.DateExpression(operation, element.get("start"), element.get("end"), fields, has_fields)


def _resource_sets(element: Element, word: str) -> tuple[syntax.ResourceSet, ...]:
    return tuple(
        syntax.ResourceSet(
            tuple(member.get("id", "") for member in children(resource_set, "resource_ref")),
            parse_boolean(resource_set.get("sequential")) is not False,
            parse_boolean(resource_set.get("require-all")) is not False,
            (word == "order" and resource_set.get("action")) or resource_set.get("role") or None,
        )
        for resource_set in children(element, "resource_set")
    )


def _reference(element: Element, name: str, kinds: tuple[str, ...]) -> syntax.ResourceRef:
    for kind in kinds:
        qualifier = element.get(f"{name}-{kind}")
        if qualifier:
            return syntax.ResourceRef(element.get(name, ""), qualifier, kind)
    return syntax.ResourceRef(element.get(name, ""))


def _relation(element: Element, word: str) -> syntax.Relation | None:
    sets = _resource_sets(element, word)
    references: tuple[syntax.ResourceRef, ...] = ()
    if element.find("resource_set") is None:
        names = {"order": ("first", "then"), "colocation": ("rsc", "with-rsc")}.get(word, ("rsc",))
        if any(element.get(name) is None for name in names):
            return None
        qualifier = "action" if word == "order" else "role"
        references = tuple(_reference(element, name, (qualifier, "instance")) for name in names)
    option_name = {"order": "symmetrical", "colocation": "node-attribute", "rsc_ticket": "loss-policy"}[word]
    option = element.get(option_name)
    score = _score(element) if word != "rsc_ticket" else None
    if score is None and word != "rsc_ticket" and element.get("kind"):
        score = syntax.Score("kind", element.get("kind", ""))
    return syntax.Relation(
        word,
        element.get("id", ""),
        references,
        sets,
        score,
        element.get("ticket") if word == "rsc_ticket" else None,
        (option_name, option) if option else None,
    )


def _fencing(element: Element) -> syntax.FencingTopology | None:
    targets: dict[syntax.FencingTarget, dict[int, str]] = {}
    for level in children(element, "fencing-level"):
        if "target-pattern" in level.attrib:
            target = syntax.FencingTarget(pattern=level.get("target-pattern"))
        elif "target-attribute" in level.attrib:
            target = syntax.FencingTarget(attribute=level.get("target-attribute"), value=level.get("target-value"))
        elif "target" in level.attrib:
            target = syntax.FencingTarget(node=level.get("target"))
        else:
            return None
        index = level.get("index", "")
        if not index.isdigit():
            return None
        targets.setdefault(target, {})[int(index)] = level.get("devices", "")
    return syntax.FencingTopology(
        tuple((target, devices[index]) for target, devices in targets.items() for index in sorted(devices))
    )


def _permission(element: Element) -> syntax.AclPermission:
    if element.tag != "acl_permission":
        found = ((name, element.get(name)) for name in OLD_ATTRIBUTES)
        return syntax.AclPermission(element.tag, attributes=tuple((n, v) for n, v in found if v))
    attributes = tuple((name, element.attrib[name]) for name in PERMISSION_ATTRIBUTES if name in element.attrib)
    return syntax.AclPermission(element.get("kind", ""), None, element.get("description"), attributes)


def _user(element: Element) -> syntax.AclUser:
    entries: list[str | syntax.AclPermission] = []
    for child in children(element):
        if child.tag == "role_ref":
            entries.append(child.get("id", ""))
        elif child.tag in RIGHTS:
            entries.append(_permission(child))
    return syntax.AclUser(element.get("id", ""), tuple(entries))
