"""Resources: templates, meta attributes, flags, groups and clones, tags. Pure."""

from xml.etree.ElementTree import Element

from hatools.cib.document import children
from hatools.scheduler.model.resource import CloneData, GroupData, Kind, MultipleActive, Resource
from hatools.scheduler.options import QuorumPolicy
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.nodes import link_remote_node
from hatools.scheduler.unpack.nvpairs import unpack_set
from hatools.scheduler.unpack.operations import is_remote_connection_xml, operation_elements
from hatools.scheduler.unpack.parameters import parameters
from hatools.scheduler.unpack.scores import (
    add_location_score,
    allow_everywhere,
    limit_instances,
    scan_minimum,
)
from hatools.scheduler.unpack.templates import add_tag_reference, expand_template
from hatools.values.boolean import is_true, parse_boolean
from hatools.values.duration import parse_interval_ms
from hatools.values.role import Role, parse_role

_KINDS = {
    "primitive": Kind.PRIMITIVE,
    "group": Kind.GROUP,
    "clone": Kind.CLONE,
    "master": Kind.CLONE,
    "bundle": Kind.BUNDLE,
}

_MOST_INSTANCES = 1000
"""More than so many instances of a clone are a slip of the pen."""


def unpack_resources(plan: Plan, implied: list[Element]) -> None:
    """Read the ``resources`` section, then the connections that guests imply; sort by priority."""
    for xml in [*children(plan.document.section("resources")), *implied]:
        identifier = xml.get("id")
        if not identifier:
            plan.config_error(f"Ignoring <{xml.tag}> resource without ID")
            continue
        if xml.tag == "template":
            plan.templates.setdefault(identifier, [])
            continue
        resource = unpack_resource(plan, xml, None)
        if resource is None:
            plan.config_error(f"Ignoring <{xml.tag}> resource '{identifier}' because configuration is invalid")
        else:
            plan.add_resource(resource)
    for resource in plan.resources:
        _link_container(plan, resource)
        link_remote_node(plan, resource)
    plan.resources.sort(key=lambda each: -each.priority)
    if plan.options.fencing_enabled and not plan.have_fencing_resource:
        plan.say("error", "Resource start-up disabled since no STONITH resources have been defined", processing=False)
        plan.say("error", "Either configure some or disable STONITH with the stonith-enabled option")
        plan.say("error", "NOTE: Clusters with shared data need STONITH to ensure data integrity")


def _link_container(plan: Plan, resource: Resource) -> None:
    if resource.children:
        for child in resource.children:
            _link_container(plan, child)
        return
    name = resource.meta.get("container")
    if name and name.lower() != resource.id.lower():
        container = plan.find_resource(name)
        if container is None:
            plan.config_error(f"Resource {resource.id}: Unknown resource container ({name})")
            return
        resource.container = container
        container.is_container = True
        container.fillers.append(resource)


def unpack_resource(plan: Plan, xml: Element, parent: Resource | None) -> Resource | None:
    """Build a resource and everything in it; None if its configuration is unusable."""
    expanded = expand_template(plan, xml)
    kind = _KINDS.get(str(xml.tag).lower())
    if expanded is None or not xml.get("id"):
        return None
    if kind is None:
        plan.config_error(f"Ignoring resource '{xml.get('id')}' of unknown type '{xml.tag}'")
        return None
    instance = expanded.get("clone")
    identifier = xml.get("id") or ""
    resource = Resource(
        identifier if instance is None else f"{identifier}:{instance}",
        kind,
        expanded,
        parent,
        original_xml=None if expanded is xml else xml,
    )
    resource.operations = operation_elements(plan, expanded)
    _unpack_meta(plan, resource)
    resource.parameters = parameters(plan, resource, None)
    _unpack_flags(plan, resource)
    _unpack_failure_handling(plan, resource)
    target = target_role(plan, resource)
    if target is not None:
        resource.next_role = target
    if not _unpack_kind(plan, resource):
        return None
    if plan.options.symmetric:
        allow_everywhere(plan, resource)
    elif resource.is_remote_connection and "container" in resource.meta:
        add_location_score(plan, resource, None, 0)
    unpack_set(plan, expanded, "utilization", resource.utilization)
    if expanded is not xml:
        add_tag_reference(plan.templates, xml.get("template") or "", identifier)
    return resource


def _unpack_kind(plan: Plan, resource: Resource) -> bool:
    match resource.kind:
        case Kind.PRIMITIVE:
            return _unpack_primitive(plan, resource)
        case Kind.GROUP:
            return _unpack_group(plan, resource)
        case Kind.CLONE:
            return _unpack_clone(plan, resource)
        case Kind.BUNDLE:
            from hatools.scheduler.unpack.bundles import unpack_bundle

            return unpack_bundle(plan, resource)


def _unpack_meta(plan: Plan, resource: Resource) -> None:
    """Collect meta attributes: own first, then those of what contains the resource, then defaults."""
    meta = resource.meta
    agent = (resource.standard, resource.provider, resource.agent_type)
    for name, value in resource.xml.attrib.items():
        _set_default(meta, name, value)
    unpack_set(plan, resource.xml, "meta_attributes", meta, agent=agent)
    inherited: dict[str, str] = {}
    ancestor = resource.parent
    while ancestor is not None:
        unpack_set(plan, ancestor.xml, "meta_attributes", inherited, agent=agent)
        ancestor = ancestor.parent
    for name, value in inherited.items():
        _set_default(meta, name, value)
    for defaults in plan.rsc_defaults:
        unpack_set(plan, defaults, "meta_attributes", meta, agent=agent)
    if resource.parent is not None:
        for name, value in resource.parent.meta.items():
            _set_default(meta, name, value)


def _set_default(meta: dict[str, str], name: str, value: str) -> None:
    if value.lower() != "#default":
        meta.setdefault(name, value)


def _given(resource: Resource, name: str) -> str | None:
    """Return a meta attribute unless it only says ``default``."""
    value = resource.meta.get(name)
    return None if value is None or value.lower() == "default" else value


def _unpack_flags(plan: Plan, resource: Resource) -> None:
    meta = resource.meta
    maintenance = plan.options.maintenance
    resource.managed = not maintenance
    resource.priority = plan.options.score(meta.get("priority"))
    resource.critical = "critical" not in meta or is_true(meta["critical"])
    resource.notify = is_true(meta.get("notify"))
    resource.is_remote_connection = is_remote_connection_xml(resource.xml)
    migrate = meta.get("allow-migrate")
    is_remote = resource.is_remote_connection and "container" not in meta
    resource.allow_migrate = is_true(migrate) or (migrate is None and is_remote)
    managed = _given(resource, "is-managed")
    if managed is not None:
        resource.managed = is_true(managed)
    if maintenance or is_true(meta.get("maintenance")):
        resource.managed = False
        resource.maintenance = True
    if resource.top.is_clone:
        resource.unique = is_true(meta.get("globally-unique"))
        if is_true(meta.get("promotable")):
            resource.promotable = True
        elif resource.xml.tag == "master":
            resource.promotable = True
            meta["promotable"] = "true"
    else:
        resource.unique = True
    if (meta.get("restart-type") or "").lower() == "restart":
        resource.restart_with_dependency = True
        plan.say(
            "warning",
            "Support for restart-type is deprecated and will be removed in a future release",
            processing=True,
            once="restart-type",
        )
    multiple = meta.get("multiple-active")
    try:
        resource.multiple_active = MultipleActive((multiple or "stop_start").lower())
    except ValueError:
        plan.config_warning(f'{multiple} is not a valid value for multiple-active, using default of "stop_start"')
    if (resource.standard or "").lower() == "stonith":
        plan.have_fencing_resource = True
        resource.fence_device = True


def _unpack_failure_handling(plan: Plan, resource: Resource) -> None:
    stickiness = _given(resource, "resource-stickiness")
    if stickiness is not None:
        resource.stickiness = plan.options.score(stickiness)
    threshold = _given(resource, "migration-threshold")
    if threshold is not None:
        resource.migration_threshold = plan.options.score(threshold)
        if resource.migration_threshold < 0:
            plan.say(
                "warning",
                "migration-threshold must be non-negative, using 1 instead",
                processing=True,
                once="migration-threshold",
            )
            resource.migration_threshold = 1
    _unpack_requires(plan, resource, resource.meta.get("requires"))
    timeout = resource.meta.get("failure-timeout")
    if timeout is not None:
        resource.failure_timeout_s = parse_interval_ms(timeout) // 1000
    if resource.is_remote_connection and "container" not in resource.meta:
        interval = resource.parameters.get("reconnect_interval")
        if interval is not None:
            # A set reconnect interval replaces any failure timeout.
            resource.reconnect_ms = parse_interval_ms(interval)
            resource.failure_timeout_s = resource.reconnect_ms // 1000


def _default_requires(plan: Plan, resource: Resource) -> str:
    if resource.fence_device or (resource.is_primitive and resource.is_remote_connection):
        return "quorum"
    if plan.unfencing_enabled:
        return "unfencing"
    if plan.options.fencing_enabled:
        return "fencing"
    return "nothing" if plan.options.quorum_policy is QuorumPolicy.IGNORE else "quorum"


def _unpack_requires(plan: Plan, resource: Resource, value: str | None) -> None:
    word = (value or "").lower()
    if word not in ("nothing", "quorum", "fencing", "unfencing"):
        word = _default_requires(plan, resource)
        if value is not None:
            plan.say(
                "error",
                f"Resetting 'requires' for {resource.id} to '{word}' because '{value}' is not valid",
            )
    if word == "unfencing":
        problem = None
        if resource.fence_device:
            problem = "fencing devices cannot require unfencing"
        elif not plan.options.fencing_enabled:
            problem = "fencing is disabled"
        if problem is not None:
            plan.say("warning", f'Resetting "requires" for {resource.id} to "quorum" because {problem}')
            word = "quorum"
    if word == "fencing" and not plan.options.fencing_enabled:
        plan.say("warning", f"{resource.id} requires fencing but fencing is disabled")
    resource.needs_quorum = word == "quorum"
    resource.needs_fencing = word in ("fencing", "unfencing")
    resource.needs_unfencing = word == "unfencing"


def target_role(plan: Plan, resource: Resource) -> Role | None:
    """Return the role that ``target-role`` limits a resource to; None if it does not."""
    value = resource.meta.get("target-role")
    if value is None or value.lower() in ("started", "default"):
        return None
    role = parse_role(value)
    if role is Role.UNKNOWN:
        plan.say("error", f"Unknown role: {value}")
        plan.say("error", f"Ignoring 'target-role' for {resource.id} because '{value}' is not valid")
        return None
    if role > Role.STARTED:
        if not resource.top.promotable:
            plan.say(
                "error",
                f"Ignoring 'target-role' for {resource.id} because '{value}' only makes sense for promotable clones",
            )
            return None
        if role > Role.UNPROMOTED:
            return None
    return role


_UNIQUE_CAPABLE = ("ocf", "stonith")


def _unpack_primitive(plan: Plan, resource: Resource) -> bool:
    parent = resource.top
    standard = (resource.standard or "").lower()
    if standard not in _UNIQUE_CAPABLE and resource.unique and parent.is_clone:
        assert parent.clone_data is not None
        plan.config_warning(
            f"Ignoring globally-unique for {parent.id} because {resource.standard} resources "
            f"such as {resource.id} can be used only as anonymous clones"
        )
        parent.clone_data.clone_node_max = 1
        parent.clone_data.clone_max = min(parent.clone_data.clone_max, len(plan.nodes))
        _clear_unique(parent)
        _clear_unique(resource)
    if standard != "ocf" and parent.promotable:
        plan.config_error(
            f"Resource {resource.id} is of type {resource.standard} and therefore "
            "cannot be used as a promotable clone resource"
        )
        return False
    return True


def _clear_unique(resource: Resource) -> None:
    resource.unique = False
    resource.meta.setdefault("globally-unique", "false")
    for child in resource.children:
        _clear_unique(child)


def _group_option(plan: Plan, resource: Resource, name: str) -> bool:
    value = resource.meta.get(name)
    if value is None or parse_boolean(value) is not False:
        return True
    plan.say(
        "warning",
        f"Support for the '{name}' group meta-attribute is deprecated and will be removed in a future release "
        "(use a resource set instead)",
        processing=True,
        once="group " + name,
    )
    return False


def with_instance(xml: Element, instance: str | None) -> Element:
    """Return an element that is marked as belonging to a numbered clone instance."""
    if instance is None:
        return xml
    marked = Element(xml.tag, {**xml.attrib, "clone": instance})
    marked.extend(children(xml))
    return marked


def _unpack_group(plan: Plan, resource: Resource) -> bool:
    resource.group_data = GroupData(
        ordered=_group_option(plan, resource, "ordered"), colocated=_group_option(plan, resource, "collocated")
    )
    instance = resource.xml.get("clone")
    for xml in children(resource.xml, "primitive"):
        member = unpack_resource(plan, with_instance(xml, instance), resource)
        if member is not None:
            resource.children.append(member)
    if not resource.children:
        plan.say("warning", f"Group {resource.id} will be ignored because it does not have any members")
    return True


def _unpack_clone(plan: Plan, resource: Resource) -> bool:
    meta = resource.meta
    child_xml = next(children(resource.xml, "primitive", "group"), None)
    node_max_text = meta.get("clone-node-max")
    max_text = meta.get("clone-max")
    node_max = 1 if node_max_text is None else scan_minimum(node_max_text, 0)
    clone_max = max(1, len(plan.nodes)) if max_text is None else scan_minimum(max_text, 0)
    clone_max = limit_instances(plan, resource.id, "clone-max", clone_max, _MOST_INSTANCES)
    if not resource.unique and node_max > 1:
        plan.say(
            "error",
            f"Ignoring promoted-max for {resource.id} because anonymous clones support only one instance per node",
        )
        node_max = 1
    if child_xml is None:
        plan.say("error", f"{resource.id} has nothing to clone")
        return False
    data = resource.clone_data = CloneData(clone_max, node_max, child_xml, ordered=is_true(meta.get("ordered")))
    if resource.promotable:
        promoted_max = meta.get("promoted-max", meta.get("master-max"))
        promoted_node_max = meta.get("promoted-node-max", meta.get("master-node-max"))
        data.promoted_max = 1 if promoted_max is None else scan_minimum(promoted_max, 0)
        data.promoted_node_max = 1 if promoted_node_max is None else scan_minimum(promoted_node_max, 0)
    # Instances prefer slightly to stay, so that they are not shuffled for nothing.
    meta.setdefault("resource-stickiness", "1")
    meta.setdefault("globally-unique", "true" if resource.unique else "false")
    count = max(1, data.clone_max)
    created = 0
    while created < count and created < max(1, data.clone_max):
        if create_instance(plan, resource) is None:
            return False
        created += 1
    return True


def create_instance(plan: Plan, clone: Resource) -> Resource | None:
    """Add an instance to a clone; one beyond ``clone-max`` is an orphan."""
    data = clone.clone_data
    assert data is not None
    orphan = data.total >= data.clone_max
    clone_max = str(data.clone_max)
    instance = unpack_resource(plan, with_instance(data.child_xml, str(data.total)), clone)
    if instance is None:
        return None
    data.total += 1
    clone.children.append(instance)
    if orphan:
        for each in instance.descendants():
            each.orphan = True
    instance.meta.setdefault("clone-max", clone_max)
    if clone in plan.resources or (clone.parent is not None and clone.parent in plan.resources):
        plan.register(instance)
    return instance
