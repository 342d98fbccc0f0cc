"""The rewriting of schema 2.10 to 3.0: names superseded long ago give way to those in force. Pure.

Each table says what becomes of an option: another name, another place, another value, or nothing. An option that moves
does not replace one that is there already.
"""

from hatools.cib.document import Element, children
from hatools.values.records import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of one option.

    Attributes:
        to: the new name; empty: the option is dropped.
        where: the place it moves to; empty: it stays where it is.
        values: the rule holds only for these values (or, for operations, operation names); empty: always.
        prefix: the rule holds only for values that begin so, and the beginning is dropped.
        value: the new value; None: as it was.
        extra: what the user should know.
    """

    what: str
    to: str = ""
    where: str = ""
    values: tuple[str, ...] = ()
    prefix: str = ""
    value: str | None = None
    extra: str = ""

    def fits(self, name: str | None, value: str) -> bool:
        if name != self.what or (self.values and value not in self.values):
            return False
        return value.startswith(self.prefix)

    def new_value(self, value: str) -> str:
        return self.value if self.value is not None else value.removeprefix(self.prefix)


_OLD_STACKS = ("heartbeat", "openais", "classic openais", "classic openais (with plugin)", "cman")
_THRESHOLD = "migration-threshold in rsc_defaults can be configured instead"
_ALERTS = "standalone alerts can be configured instead"

CLUSTER_RULES = (
    Rule(
        "cluster-infrastructure",
        values=_OLD_STACKS,
        extra="corosync (2+) infrastructure can be used instead, though the value is not of significance",
    ),
    *(
        Rule(name, name.replace("_", "-"))
        for name in (
            "cluster_recheck_interval",
            "dc_deadtime",
            "election_timeout",
            "no_quorum_policy",
            "remove_after_stop",
            "shutdown_escalation",
            "startup_fencing",
            "stonith_action",
            "stonith_enabled",
            "stop_orphan_actions",
            "stop_orphan_resources",
            "symmetric_cluster",
        )
    ),
    *(Rule(name, "timeout", "op_defaults") for name in ("default-action-timeout", "default_action_timeout")),
    *(Rule(name, extra=_THRESHOLD) for name in ("default-migration-threshold", "default_migration_threshold")),
    *(
        Rule(name, "resource-stickiness", "rsc_defaults")
        for name in ("default-resource-stickiness", "default_resource_stickiness")
    ),
    *(
        rule
        for name in ("default-resource-failure-stickiness", "default_resource_failure_stickiness")
        for rule in (
            Rule(name, "migration-threshold", "rsc_defaults", ("-INFINITY",), value="1"),
            Rule(name, extra=_THRESHOLD),
        )
    ),
    Rule("expected-quorum-votes", extra="corosync (2+) infrastructure tracks quorum on its own"),
    *(Rule(name, "is-managed", "rsc_defaults") for name in ("is-managed-default", "is_managed_default")),
    *(Rule(name, extra=_ALERTS) for name in ("notification-agent", "notification-recipient")),
    Rule("transition_idle_timeout", "cluster-delay"),
)

PARAMETER_RULES = (
    Rule("pcmk_arg_map", "pcmk_host_argument", prefix="port:"),
    Rule("pcmk_arg_map"),
    *(
        Rule(f"pcmk_{action}_cmd", f"pcmk_{action}_action")
        for action in ("list", "monitor", "off", "on", "reboot", "status")
    ),
)

_ISOLATION = "i.e. resource at hand disabled; isolation wrappers obsoleted with bundle resources"

META_RULES = (
    *(
        Rule(name, "target-role", value="Stopped", extra=_ISOLATION)
        for name in ("isolation", "isolation-host", "isolation-instance", "isolation-wrapper")
    ),
    *(
        Rule(name, extra="migration-threshold can be configured instead")
        for name in ("resource-failure-stickiness", "resource_failure_stickiness")
    ),
)

MOVED_TO_OPERATION_META = ("interval-origin", "start-delay", "enabled", "on-fail", "record-pending", "role", "timeout")


def upgrade_from_2_10(root: Element) -> tuple[Element, list[str]]:
    """Return the CIB as schema 3.0 wants it, and notes for the user."""
    rewriter = _Rewriter()
    result = _deep_copy(root)
    rewriter.rewrite(result)
    result.set("validate-with", "pacemaker-3.0")
    return result, rewriter.notes


def _deep_copy(element: Element) -> Element:
    copy = Element(element.tag, dict(element.attrib))
    copy.text = element.text
    copy.extend(_deep_copy(child) if isinstance(child.tag, str) else child for child in element)
    return copy


class _Rewriter:
    """Works on a copy that nobody else sees."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def rewrite(self, root: Element) -> None:
        configuration = root.find("configuration")
        if configuration is None:
            return
        self._unfold(configuration)
        self._cluster_options(configuration)
        for node in configuration.iterfind("nodes/node"):
            if node.get("type") == "normal":
                node.set("type", "member")
        for tag in ("primitive", "template"):
            for resource in list(configuration.iter(tag)):
                self._resource(resource)
        for colocation in configuration.iterfind("constraints/rsc_colocation"):
            for name in ("score-attribute", "score-attribute-mangle"):
                if colocation.attrib.pop(name, None) is not None:
                    self._say("Constraints-colocation", f"dropping {name}", "was actually never in effect")
        self._fold(configuration)

    def _say(self, prefix: str, text: str, extra: str = "") -> None:
        if extra:
            level = "WARNING" if extra == _ISOLATION else "INFO"
            self.notes.append(f"{level}: {prefix}: {text}")
            self.notes.append(f"{level}: {prefix}: ... {extra}")
        else:
            self.notes.append(f"DEBUG: {prefix}: {text}")

    # A set that refers to another is written out first, rewritten like any other, and referred to again if it
    # still says the same.

    _PREFIX = "_cibtr-2_"

    def _unfold(self, configuration: Element) -> None:
        originals = {
            (part.tag, part.get("id")): _deep_copy(part) for part in configuration.iter() if _is_pair_set(part)
        }
        for part in configuration.iter():
            if _is_pair_set(part) and part.get("id-ref") is not None:
                reference = part.get("id-ref", "")
                original = originals.get((part.tag, reference))
                if original is None:
                    continue
                del part.attrib["id-ref"]
                part.set("id", f"{self._PREFIX}{reference}")
                for name, value in original.items():
                    if name != "id":
                        part.set(name, value)
                for child in original:
                    copy = _deep_copy(child)
                    for inner in copy.iter():
                        if isinstance(inner.tag, str) and inner.get("id") is not None:
                            inner.set("id", f"__cibtr-2_{reference}__{inner.get('id')}")
                    part.append(copy)

    def _fold(self, configuration: Element) -> None:
        originals = {(part.tag, part.get("id")): part for part in configuration.iter() if _is_pair_set(part)}
        for part in list(originals.values()):
            identifier = part.get("id") or ""
            if not identifier.startswith(self._PREFIX):
                continue
            reference = identifier.removeprefix(self._PREFIX)
            original = originals.get((part.tag, reference))
            if original is None:
                self.notes.append(
                    f"DEBUG: {part.tag}: original element pointed to with @id-ref ({reference})"
                    " disappeared during upgrade"
                )
            elif _content(original) == _content(part):
                part[:] = []
                part.attrib.clear()
                part.set("id-ref", reference)

    def _cluster_options(self, configuration: Element) -> None:
        crm_config = configuration.find("crm_config")
        moved: dict[str, list[Element]] = {"op_defaults": [], "rsc_defaults": []}
        for properties in [] if crm_config is None else list(children(crm_config)):
            had_pairs = _has_pairs(properties)
            for pair, rule in list(_pairs_with_rules(properties, CLUSTER_RULES)):
                self._note("Cluster properties", pair, rule)
                if rule.to and not rule.where:
                    pair.set("name", rule.to)
                    continue
                properties.remove(pair)
                if rule.to:
                    pair.set("name", rule.to)
                    pair.set("value", rule.new_value(pair.get("value", "")))
                    moved[rule.where].append(pair)
            if had_pairs and not _has_pairs(properties) and crm_config is not None:
                crm_config.remove(properties)
        for where, pairs in moved.items():
            if pairs:
                self._add_defaults(configuration, where, pairs)

    def _add_defaults(self, configuration: Element, where: str, pairs: list[Element]) -> None:
        """Add options to the first set of a section of defaults, but for those the section has already."""
        section = configuration.find(where)
        if section is None:
            section = Element(where)
            configuration.append(section)
        present = {pair.get("name") for pair in section.iter("nvpair")}
        fresh = [pair for pair in pairs if pair.get("name") not in present]
        if not fresh:
            return
        attributes = next(children(section, "meta_attributes"), None)
        if attributes is None:
            attributes = Element("meta_attributes", {"id": f"_2TO3_-{where.replace('_', '-')}"})
            section.append(attributes)
        attributes.extend(fresh)

    def _note(self, prefix: str, pair: Element, rule: Rule) -> None:
        if not rule.to:
            text = f"dropping {rule.what}"
        elif rule.where:
            text = f"moving {rule.what} under {rule.where} as {rule.to} unless already defined there"
        else:
            text = f"renaming {rule.what} as {rule.to}"
        if rule.value is not None:
            text += f", redefined as {rule.value}" + ("," if rule.values else "")
        if rule.values:
            text += f" for matching {'|'.join(rule.values)}"
        elif rule.prefix:
            text += f" for matching {rule.prefix} prefix that will, meanwhile, get dropped"
        self._say(prefix, text, rule.extra)

    def _resource(self, resource: Element) -> None:
        for tag, rules, prefix in (
            ("instance_attributes", PARAMETER_RULES, "Resource instance_attributes"),
            ("meta_attributes", META_RULES, "Resource meta_attributes"),
        ):
            for attributes in list(children(resource, tag)):
                self._rename_pairs(resource, attributes, rules, prefix)
        wanted: list[Element] = []
        for operation in resource.iterfind("operations/op"):
            self._operation(resource, operation, wanted)
        has_it = any(
            pair.get("name") == "requires"
            for attributes in children(resource, "meta_attributes")
            for pair in children(attributes, "nvpair")
        )
        if wanted and not has_it:
            resource.append(wanted[0])

    def _rename_pairs(self, parent: Element, attributes: Element, rules: tuple[Rule, ...], prefix: str) -> None:
        for pair, rule in list(_pairs_with_rules(attributes, rules)):
            self._note(prefix, pair, rule)
            if not rule.to or any(other.get("name") == rule.to for other in children(attributes, "nvpair")):
                attributes.remove(pair)
                continue
            pair.set("name", rule.to)
            pair.set("value", rule.new_value(pair.get("value", "")))
        if not len(attributes) and attributes.get("id-ref") is None:
            parent.remove(attributes)

    def _operation(self, resource: Element, operation: Element, wanted: list[Element]) -> None:
        """Take ``requires`` to the resource's meta attributes, and options out of the parameters."""
        counts = operation.get("name") in ("start", "promote")
        value = operation.attrib.pop("requires", None)
        if value is not None:
            pair = Element("nvpair", {"id": f"_2TO3_{operation.get('id')}-meta-requires", "name": "requires"})
            pair.set("value", value)
            self._say_required("Resources-operation", resource, operation, None, counts)
            if counts:
                wanted.append(_meta(f"_2TO3_{resource.get('id')}-meta", pair))
        for tag in ("meta_attributes", "instance_attributes"):
            for attributes in list(children(operation, tag)):
                prefix = "Resources-operation" + (" instance_attributes" if tag == "instance_attributes" else "")
                for pair in list(children(attributes, "nvpair")):
                    if pair.get("name") == "requires":
                        attributes.remove(pair)
                        self._say_required(prefix, resource, operation, attributes, counts)
                        if counts:
                            wanted.append(_meta(f"_2TO3_{attributes.get('id')}", pair))
                if tag == "instance_attributes":
                    self._move_options(operation, attributes)
                if not len(attributes) and attributes.get("id-ref") is None:
                    operation.remove(attributes)

    def _say_required(
        self, prefix: str, resource: Element, operation: Element, attributes: Element | None, counts: bool
    ) -> None:
        place = f"{operation.get('id')} (rsc={resource.get('id')}"
        if attributes is not None:
            place += f", meta={(attributes.get('id') or '').removeprefix(self._PREFIX)}"
        if counts:
            self._say(
                prefix, f"{place}): moving requires under meta_attributes as requires unless already defined there"
            )
        else:
            self._say(prefix, f"{place}): dropping requires", "only start/promote operation taken into account")

    def _move_options(self, operation: Element, attributes: Element) -> None:
        moved = [pair for pair in children(attributes, "nvpair") if pair.get("name") in MOVED_TO_OPERATION_META]
        if not moved:
            return
        for pair in moved:
            attributes.remove(pair)
        meta = next(children(operation, "meta_attributes"), None)
        if meta is None:
            meta = Element("meta_attributes", {"id": f"_2TO3_{operation.get('id')}-meta"})
            operation.append(meta)
        present = {pair.get("name") for pair in children(meta, "nvpair")}
        meta.extend(pair for pair in moved if pair.get("name") not in present)


def _meta(identifier: str, pair: Element) -> Element:
    attributes = Element("meta_attributes", {"id": identifier})
    attributes.append(pair)
    return attributes


def _has_pairs(attributes: Element) -> bool:
    return next(children(attributes, "nvpair"), None) is not None


def _is_pair_set(element: Element) -> bool:
    return element.tag in ("cluster_property_set", "instance_attributes", "meta_attributes")


def _pairs_with_rules(attributes: Element, rules: tuple[Rule, ...]) -> list[tuple[Element, Rule]]:
    found = []
    for pair in children(attributes, "nvpair"):
        rule = next((rule for rule in rules if rule.fits(pair.get("name"), pair.get("value", ""))), None)
        if rule is not None:
            found.append((pair, rule))
    return found


def _content(element: Element) -> list[object]:
    """Return what an element says, its identifiers left out."""
    return [
        {name: value for name, value in element.items() if name != "id"},
        [(child.tag, _content(child)) for child in children(element)],
    ]
