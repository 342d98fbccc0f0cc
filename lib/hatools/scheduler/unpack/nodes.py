"""Cluster options, nodes, and whether nodes are online, clean, in standby or in maintenance. Pure."""

from xml.etree.ElementTree import Element

from hatools.cib.document import children
from hatools.cib.nvpair import FIRST_PROPERTY_SET
from hatools.scheduler.model.node import Node, NodeType
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.options import ClusterOptions, QuorumPolicy
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.factory import require_fencing
from hatools.scheduler.unpack.nvpairs import unpack_set
from hatools.values.boolean import is_true
from hatools.values.integer import leading_integer, whole_number
from hatools.values.role import Role
from hatools.values.score import INFINITY

_UNFENCING_NAMES = ("provides", "requires")


# -- cluster options


def unpack_options(plan: Plan) -> None:
    """Read the cluster properties and what the CIB itself says about the cluster."""
    root = plan.document.root
    plan.dc_id = root.get("dc-uuid")
    plan.have_quorum = is_true(root.get("have-quorum"))
    plan.op_defaults = _sections(plan, "op_defaults")
    plan.rsc_defaults = _sections(plan, "rsc_defaults")
    raw: dict[str, str] = {}
    unpack_set(plan, plan.document.section("crm_config"), "cluster_property_set", raw, first=FIRST_PROPERTY_SET)
    options = ClusterOptions.from_properties(raw)
    plan.options = options
    for name, value in options.invalid:
        plan.say(
            "error", f"Using default value for cluster option '{name}' because '{value}' is invalid", processing=False
        )
    if options.value("stonith-action") == "poweroff":
        plan.say(
            "warning",
            "Support for stonith-action of 'poweroff' is deprecated and will be removed in a future release "
            "(use 'off' instead)",
            processing=True,
            once="poweroff",
        )
    if is_true(options.value("have-watchdog")):
        plan.have_fencing_resource = True
    plan.unfencing_enabled = _configures_unfencing(plan)
    _settle_quorum_policy(plan)
    if options.remove_after_stop:
        plan.say(
            "warning",
            "Support for the remove-after-stop cluster property is deprecated and will be removed in a future release",
            processing=True,
            once="remove-after-stop",
        )
    if not options.startup_fencing:
        plan.say("warning", "Blind faith: not fencing unseen nodes", once="blind")
    if not plan.have_quorum and options.quorum_policy is not QuorumPolicy.IGNORE:
        plan.say("warning", "Fencing and resource management disabled due to lack of quorum")


def _sections(plan: Plan, name: str) -> list[Element]:
    section = plan.document.section(name)
    return [] if section is None else [section]


def _configures_unfencing(plan: Plan) -> bool:
    for name in ("resources", "rsc_defaults"):
        section = plan.document.section(name)
        for meta in () if section is None else section.iter("meta_attributes"):
            for pair in children(meta, "nvpair"):
                if pair.get("name") in _UNFENCING_NAMES and pair.get("value") == "unfencing":
                    return True
    return False


def _settle_quorum_policy(plan: Plan) -> None:
    options = plan.options
    if options.quorum_policy is not QuorumPolicy.SUICIDE:
        if options.quorum_policy is QuorumPolicy.IGNORE:
            plan.say("notice", "On loss of quorum: Ignore")
        return
    if not options.fencing_enabled:
        options.quorum_policy = QuorumPolicy.STOP
        plan.say("error", "Resetting no-quorum-policy to 'stop' because fencing is disabled")
        return
    panic = plan.document.root.get("no-quorum-panic") or "0"
    if plan.have_quorum or leading_integer(panic):
        plan.say("notice", "On loss of quorum: Fence all remaining nodes")
    else:
        options.quorum_policy = QuorumPolicy.STOP
        plan.say("notice", "Resetting no-quorum-policy to 'stop': cluster has never had quorum")


# -- nodes


def create_node(plan: Plan, identifier: str, name: str, kind: str | None, score: int = 0) -> Node:
    """Create a node and add it to the plan."""
    if plan.find_node(name) is not None:
        plan.config_warning(f"More than one node entry has name '{name}'")
    word = (kind or "member").lower()
    if word == "member":
        node_type = NodeType.MEMBER
    elif word == "remote":
        node_type = NodeType.REMOTE
        plan.have_remote_nodes = True
    else:
        if word != "ping":
            plan.config_warning(f"Node {name or 'without name'} has unrecognized type '{kind}', assuming 'ping'")
        plan.say(
            "warning",
            f"Support for nodes of type 'ping' (such as {name or 'unnamed node'}) is deprecated "
            "and will be removed in a future release",
            processing=True,
            once="ping",
        )
        node_type = NodeType.PING
    node = Node(identifier, name, node_type, score)
    node.attributes["#kind"] = "remote" if node.is_remote_or_guest else "cluster"
    plan.add_node(node)
    return node


def unpack_nodes(plan: Plan) -> None:
    """Read the ``nodes`` section."""
    for xml in children(plan.document.section("nodes"), "node"):
        identifier = xml.get("id")
        if identifier is None:
            plan.config_error("Ignoring <node> entry in configuration without id")
            continue
        score = plan.options.score(xml.get("score"))
        node = create_node(plan, identifier, xml.get("uname") or "", xml.get("type"), score)
        set_startup_fencing(plan, node)
        add_node_attributes(plan, xml, node, overwrite=False)
        unpack_set(plan, xml, "utilization", node.utilization)


def set_startup_fencing(plan: Plan, node: Node) -> None:
    """Presume a node unclean until something is known about it, if startup fencing is on."""
    if node.type is NodeType.REMOTE and node.remote_resource is None:
        # What was learned from a failed connection must not be forgotten.
        return
    node.unclean = plan.options.startup_fencing
    node.unseen = True


def add_node_attributes(plan: Plan, xml: Element | None, node: Node, *, overwrite: bool) -> None:
    """Set the attributes that rules can test, built in and configured or transient."""
    attributes = node.attributes
    attributes["#uname"] = node.name
    attributes["#id"] = node.id
    if plan.dc_id is not None and plan.dc_id.lower() == node.id.lower():
        plan.dc_node = node
        node.is_dc = True
    attributes["#is_dc"] = "true" if node.is_dc else "false"
    cluster_name = plan.options.raw.get("cluster-name")
    if cluster_name is not None:
        attributes["#cluster-name"] = cluster_name
    unpack_set(plan, xml, "instance_attributes", attributes, node_attributes=None, overwrite=overwrite)
    if "#site-name" not in attributes:
        site = attributes.get("site-name", cluster_name)
        if site is not None:
            attributes["#site-name"] = site


def link_remote_node(plan: Plan, resource: Resource) -> None:
    """Connect a remote connection resource with the node that it connects to."""
    if not resource.is_remote_connection:
        return
    node = plan.find_node(resource.id)
    if node is None:
        return
    node.remote_resource = resource
    if resource.container is None:
        set_startup_fencing(plan, node)
    else:
        node.attributes["#kind"] = "container"


# -- node states


def unpack_node_state(plan: Plan, state: Element) -> None:
    """Read one ``node_state``: transient attributes, membership, process and join state."""
    identifier, name = state.get("id"), state.get("uname")
    for attribute, value in (("id", identifier), ("uname", name)):
        if value is None:
            plan.say("warning", f"Ignoring malformed node_state entry without {attribute}")
            return
    node = plan.find_node_any(identifier, name)
    if node is None:
        plan.config_warning(f"Ignoring recorded node state for '{name}' because it is no longer in the configuration")
        return
    if node.is_remote_or_guest:
        # The rest is read once it is known whether the connection resource is active.
        node.remote_was_fenced = _number(state.get("node_fenced")) > 0
        return
    add_node_attributes(plan, next(children(state, "transient_attributes"), None), node, overwrite=True)
    if is_true(node.attributes.get("standby")):
        node.standby = True
    if is_true(node.attributes.get("maintenance")):
        node.maintenance = True
    discovery = node.attributes.get("resource-discovery-enabled")
    if discovery is not None and not is_true(discovery):
        plan.say(
            "warning",
            f"Ignoring resource-discovery-enabled attribute for {node.display_name} "
            "because disabling resource discovery is not allowed for cluster nodes",
        )
    node.unclean = False
    node.unseen = False
    determine_online(plan, state, node)
    if not plan.have_quorum and node.online and plan.options.quorum_policy is QuorumPolicy.SUICIDE:
        require_fencing(plan, node, "cluster does not have quorum")


def _number(text: str | None) -> int:
    return max(0, whole_number((text or "").strip()))


def shutdown_requested(node: Node) -> bool:
    """Say whether somebody asked the node to leave."""
    return node.attributes.get("shutdown", "0") != "0"


def determine_online(plan: Plan, state: Element, node: Node) -> None:
    """Settle whether a cluster node is online; one that is not, or is leaving, can run nothing."""
    node.shutdown = shutdown_requested(node)
    node.expected_up = not node.shutdown and (state.get("expected") or "").lower() == "member"
    if node.type is NodeType.PING:
        node.unclean = False
        online = False
    elif plan.options.fencing_enabled:
        online = _online_with_fencing(plan, state, node)
    else:
        online = _online_without_fencing(plan, state, node)
    if online:
        node.online = True
    if not online or node.shutdown:
        node.score = -INFINITY
    if node.type is not NodeType.PING and node.unclean:
        plan.say("warning", f"{node.display_name} is unclean", processing=True)


def _online_without_fencing(plan: Plan, state: Element, node: Node) -> bool:
    if not is_true(state.get("in_ccm")):
        return False
    if (state.get("crmd") or "").lower() == "online":
        return (state.get("join") or "").lower() == "member"
    if node.expected_up:
        require_fencing(plan, node, "peer is unexpectedly down")
    return False


def _online_with_fencing(plan: Plan, state: Element, node: Node) -> bool:
    """Settle online state and whether the node must be fenced; the first rule that fits decides."""
    in_cluster = is_true(state.get("in_ccm"))
    process = (state.get("crmd") or "").lower() == "online"
    join = (state.get("join") or "").lower()
    expected = (state.get("expected") or "down").lower()
    terminate = node.attributes.get("terminate") or ""
    do_terminate = is_true(terminate) or "1" <= terminate[:1] <= "9"
    online = in_cluster
    if node.shutdown:
        online = process
    elif state.get("in_ccm") is None:
        require_fencing(plan, node, "peer has not been seen by the cluster")
    elif join == "banned":
        require_fencing(plan, node, "peer failed Pacemaker membership criteria")
    elif not do_terminate and expected == "down":
        if in_cluster or process:
            node.standby = node.pending = True
    elif do_terminate and join == "down" and not in_cluster and not process:
        online = False
    elif not in_cluster:
        # Priority fencing delay applies to this reason only.
        require_fencing(plan, node, "peer is no longer part of the cluster", priority_delay=True)
    elif not process:
        require_fencing(plan, node, "peer process is no longer available")
    elif do_terminate:
        require_fencing(plan, node, "termination was requested")
    elif join in ("pending", "down"):
        node.standby = node.pending = True
    elif join != "member":
        require_fencing(plan, node, "peer was in an unknown state")
    return online


def determine_remote_online(node: Node) -> None:
    """Settle whether a remote or guest node is online: its connection resource tells."""
    connection = node.remote_resource
    if connection is None:
        node.online = False
        return
    container = connection.container
    host = connection.running_on[0] if container is not None and len(connection.running_on) == 1 else None
    if connection.role is Role.STARTED:
        node.online = True
        if connection.next_role is Role.STOPPED:
            node.shutdown = True
    if container is not None and container.failed:
        node.online = False
        node.remote_requires_reset = True
    elif connection.failed:
        node.online = False
    elif connection.role is Role.STOPPED or (container is not None and container.role is Role.STOPPED):
        node.online = False
        node.remote_requires_reset = False
    elif host is not None and not host.online and host.unclean:
        node.online = False
        node.remote_requires_reset = True


def unpack_remote_attributes(plan: Plan, node: Node, state: Element) -> None:
    """Read what the status section says about a remote or guest node."""
    node.remote_maintenance = _number(state.get("node_in_maintenance")) > 0
    connection = node.remote_resource
    if not node.remote_requires_reset:
        node.unclean = False
        node.unseen = False
    add_node_attributes(plan, next(children(state, "transient_attributes"), None), node, overwrite=True)
    if shutdown_requested(node):
        node.shutdown = True
    if is_true(node.attributes.get("standby")):
        node.standby = True
    if is_true(node.attributes.get("maintenance")) or (connection is not None and not connection.managed):
        node.maintenance = True
    discovery = node.attributes.get("resource-discovery-enabled")
    if discovery is not None and not is_true(discovery):
        if node.is_remote and not plan.options.fencing_enabled:
            plan.say(
                "warning",
                "Ignoring resource-discovery-enabled attribute on Pacemaker Remote node "
                f"{node.display_name} because fencing is disabled",
            )
        else:
            node.discovery_enabled = False
