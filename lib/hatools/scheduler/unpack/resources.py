"""Resources: templates, meta attributes, flags, groups and clones, tags. Pure."""

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from hatools.cib.document import children
from hatools.scheduler.model.node import Discovery, Node, NodeScore
from hatools.scheduler.model.resource import CloneData, GroupData, Kind, MultipleActive, Resource
from hatools.scheduler.options import QuorumPolicy
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.nodes import create_node, link_remote_node
from hatools.scheduler.unpack.nvpairs import unpack_set
from hatools.scheduler.unpack.operations import is_remote_connection_xml, operation_elements
from hatools.scheduler.unpack.parameters import parameters
from hatools.values.boolean import is_true, parse_boolean
from hatools.values.duration import parse_interval_ms
from hatools.values.role import Role, parse_role
from hatools.values.score import INFINITY, add_scores

_KINDS = {
    "primitive": Kind.PRIMITIVE,
    "group": Kind.GROUP,
    "clone": Kind.CLONE,
    "master": Kind.CLONE,
    "bundle": Kind.BUNDLE,
}


def base_entry(node: Node) -> NodeScore:
    """Return what a resource thinks of a node before anything was said about it."""
    return NodeScore(node, node.score, node.discovery)


def whole_table(plan: Plan, score: int) -> dict[Node, NodeScore]:
    """Return a table with the same score for every node."""
    return {node: NodeScore(node, score, node.discovery) for node in plan.nodes}


def scan_minimum(text: str | None, minimum: int) -> int:
    """Read an integer that is at least a minimum; nothing or nonsense means the minimum."""
    digits = (text or "").strip()
    sign, body = (-1, digits[1:]) if digits.startswith("-") else (1, digits.removeprefix("+"))
    end = 0
    while end < len(body) and "0" <= body[end] <= "9":
        end += 1
    return max(minimum, min(2**31 - 1, sign * int(body[:end]))) if end else minimum


def add_node_score(resource: Resource, node: Node, score: int) -> None:
    """Add to the score of a resource, and of everything in it, on a node."""
    for child in resource.children:
        add_node_score(child, node, score)
    entry = resource.allowed.get(node)
    if entry is None:
        entry = resource.allowed[node] = base_entry(node)
    entry.score = add_scores(entry.score, score)


def add_location_score(plan: Plan, resource: Resource, node: Node | None, score: int) -> None:
    """Add to a resource's score on one node, or on every node; a total ban undoes an assignment."""
    if node is not None:
        add_node_score(resource, node, score)
        return
    for each in plan.nodes:
        add_node_score(resource, each, score)
    if score <= -INFINITY:
        resource.assigned_to = None


def _allow_everywhere(plan: Plan, resource: Resource) -> None:
    """Let a resource run on every node that is not reserved for something else."""
    if resource.exclusive_discovery:
        return
    for child in resource.children:
        _allow_everywhere(plan, child)
    for node in plan.nodes:
        if node.discovery is not Discovery.NEVER and node not in resource.allowed:
            resource.allowed[node] = base_entry(node)


# -- remote nodes


@dataclass(frozen=True, slots=True)
class RemoteConnection:
    """What describes a connection resource that exists only by implication."""

    name: str
    container: str | None = None
    allow_migrate: str | None = None
    managed: str | None = None
    start_timeout: str | None = None
    server: str | None = None
    port: str | None = None


def remote_connection_xml(connection: RemoteConnection) -> Element:
    """Build the resource that connects to a remote node."""
    name = connection.name
    xml = Element("primitive", {"id": name, "class": "ocf", "provider": "pacemaker", "type": "remote"})
    meta = _pairs("meta_attributes", f"{name}-meta_attributes")
    _add_pair(meta, "internal_rsc", "true")
    _add_pair(meta, "container", connection.container)
    _add_pair(meta, "allow-migrate", connection.allow_migrate)
    _add_pair(meta, "is-managed", connection.managed)
    xml.append(meta)
    if connection.port or connection.server:
        attributes = _pairs("instance_attributes", f"{name}-instance_attributes")
        _add_pair(attributes, "addr", connection.server)
        _add_pair(attributes, "port", connection.port)
        xml.append(attributes)
    operations = Element("operations")
    operations.append(operation_xml(name, "monitor", "30s", "30s"))
    if connection.start_timeout:
        operations.append(operation_xml(name, "start", "0", connection.start_timeout))
    xml.append(operations)
    return xml


def operation_xml(prefix: str, name: str, interval: str, timeout: str | None) -> Element:
    """Build an ``<op>``."""
    xml = Element("op", {"id": f"{prefix}-{name}-{interval}", "interval": interval, "name": name})
    if timeout is not None:
        xml.set("timeout", timeout)
    return xml


def _pairs(tag: str, identifier: str) -> Element:
    return Element(tag, {"id": identifier})


def _add_pair(parent: Element, name: str, value: str | None) -> None:
    if value is not None:
        parent.append(Element("nvpair", {"id": f"{parent.get('id')}-{name}", "name": name, "value": value}))


def unpack_remote_nodes(plan: Plan) -> list[Element]:
    """Create nodes for remote connections; return the connections that guests imply, as XML."""
    implied: list[Element] = []
    pending = list(children(plan.document.section("resources")))
    for xml in pending:
        if is_remote_connection_xml(xml):
            name = xml.get("id")
            if name and plan.find_node(name) is None:
                create_node(plan, name, name, "remote")
        elif xml.tag == "primitive":
            _add_guest(plan, xml, implied)
        elif xml.tag == "group":
            for member in children(xml):
                _add_guest(plan, member, implied)
    return implied


_GUEST_WORDS = {
    "remote-node": "name",
    "remote-addr": "server",
    "remote-port": "port",
    "remote-connect-timeout": "start_timeout",
    "remote-allow-migrate": "allow_migrate",
    "is-managed": "managed",
}


def _add_guest(plan: Plan, xml: Element, implied: list[Element]) -> None:
    found: dict[str, str | None] = {"start_timeout": "60s"}
    for meta in children(xml, "meta_attributes"):
        for pair in children(meta):
            word = _GUEST_WORDS.get((pair.get("name") or "").lower())
            if word is not None:
                found[word] = pair.get("value")
    name = found.pop("name", None)
    if not name:
        return
    implied.append(
        remote_connection_xml(
            RemoteConnection(
                name,
                container=xml.get("id"),
                allow_migrate=found.get("allow_migrate"),
                managed=found.get("managed"),
                start_timeout=found.get("start_timeout"),
                server=found.get("server"),
                port=found.get("port"),
            )
        )
    )
    if plan.find_node(name) is None:
        create_node(plan, name, name, "remote")


# -- templates


def _operation_identity(operation: Element) -> str:
    role = operation.get("role")
    if role is None or role.lower() in ("started", "unpromoted", "slave"):
        role = "Unknown"
    return f"{operation.get('name')}-{role}"


def _expand_template(plan: Plan, xml: Element) -> Element | None:
    """Return the resource with what its template adds; None if the template cannot be used."""
    reference = xml.get("template")
    if reference is None:
        return xml
    identifier = xml.get("id") or ""
    if reference == identifier:
        plan.config_error(f"The resource object '{identifier}' should not reference itself")
        return None
    templates = children(plan.document.section("resources"), "template")
    template = next((each for each in templates if each.get("id") == reference), None)
    if template is None:
        plan.config_error(f"No template named '{reference}'")
        return None
    expanded = Element(xml.tag, {**template.attrib, "id": identifier})
    if "clone" in xml.attrib:
        expanded.set("clone", xml.attrib["clone"])
    inherited = next(children(template, "operations"), None)
    own = next(children(xml, "operations"), None)
    for child in children(template):
        if not (child is inherited and own is not None):
            expanded.append(child)
    for child in children(xml):
        if child is own and inherited is not None:
            merged = Element("operations", dict(child.attrib))
            merged.extend(children(child))
            known = {_operation_identity(operation) for operation in children(child)}
            merged.extend(op for op in children(inherited) if _operation_identity(op) not in known)
            expanded.append(merged)
        else:
            expanded.append(child)
    return expanded


def add_tag_reference(tags: dict[str, list[str]], tag: str, reference: str) -> None:
    """Add an id to a tag, once."""
    references = tags.setdefault(tag, [])
    if reference not in references:
        references.append(reference)


def unpack_tags(plan: Plan) -> None:
    """Read the ``tags`` section."""
    for tag in children(plan.document.section("tags"), "tag"):
        identifier = tag.get("id")
        if identifier is None:
            plan.config_error("Ignoring <tag> without id")
            continue
        for reference in children(tag, "obj_ref"):
            target = reference.get("id")
            if target is None:
                plan.config_error(f"Ignoring <obj_ref> for tag '{identifier}' without id")
            else:
                add_tag_reference(plan.tags, identifier, target)


# -- resources


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
    expanded = _expand_template(plan, xml)
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
        _allow_everywhere(plan, resource)
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
