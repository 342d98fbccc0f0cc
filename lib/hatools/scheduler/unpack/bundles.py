"""Bundles: the containers, addresses and connections that each replica implies. Pure."""

from xml.etree.ElementTree import Element

from hatools.cib.document import children
from hatools.scheduler.model.node import Discovery, Node, NodeScore
from hatools.scheduler.model.resource import BundleData, Mount, Replica, Resource
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.nodes import create_node
from hatools.scheduler.unpack.remote_nodes import RemoteConnection, operation_xml, remote_connection_xml
from hatools.scheduler.unpack.resources import unpack_resource
from hatools.scheduler.unpack.scores import limit_instances, scan_minimum
from hatools.values.boolean import parse_boolean
from hatools.values.integer import whole_number
from hatools.values.score import INFINITY

REMOTE_PORT = "3121"
KEY_FILE = "/etc/pacemaker/authkey"
LOG_DIRECTORY = "/var/log/pacemaker/bundles"
REMOTE_DAEMON = "/usr/sbin/pacemaker-remoted"

_MOST_REPLICAS = 500
"""Each is a node of its own."""


def unpack_bundle(plan: Plan, bundle: Resource) -> bool:
    """Build everything that a bundle consists of; say whether its configuration is usable."""
    data = _unpack_options(plan, bundle)
    if data is None:
        return False
    bundle.bundle_data = data
    if data.replicas_per_host == 1:
        bundle.unique = False
    _unpack_network(plan, bundle, data)
    _unpack_storage(plan, bundle, data)
    inner = next(children(bundle.xml, "primitive"), None)
    if inner is not None:
        if not _has_network(plan, data):
            plan.config_error(
                f"Cannot control {bundle.id} inside {inner.get('id')} without either ip-range-start or control-port"
            )
            return False
        if not _unpack_inner(plan, bundle, data, inner):
            return False
    else:
        data.replicas = [Replica(offset) for offset in range(data.replicas_max)]
        _assign_addresses(data)
    for replica in data.replicas:
        if not _create_members(plan, bundle, data, replica):
            plan.config_error(f"Failed unpacking resource {bundle.id}")
            return False
        if replica.child is not None and replica.container is not None:
            # What the application uses, its container uses.
            container, child = replica.container, replica.child
            container.utilization, child.utilization = child.utilization, container.utilization
    if data.child is not None:
        bundle.children.append(data.child)
    return True


def _unpack_options(plan: Plan, bundle: Resource) -> BundleData | None:
    for agent in ("docker", "rkt", "podman"):
        xml = next(children(bundle.xml, agent), None)
        if xml is not None:
            break
    else:
        return None
    promoted_max = scan_minimum(xml.get("promoted-max", xml.get("masters")), 0)
    replicas = xml.get("replicas")
    replicas_max = promoted_max if replicas is None and promoted_max > 0 else scan_minimum(replicas, 1)
    return BundleData(
        agent=agent,
        promoted_max=promoted_max,
        replicas_max=limit_instances(plan, bundle.id, "replicas", replicas_max, _MOST_REPLICAS),
        replicas_per_host=scan_minimum(xml.get("replicas-per-host"), 1),
        prefix=bundle.id,
        image=xml.get("image"),
        run_command=xml.get("run-command"),
        launcher_options=xml.get("options"),
        container_network=xml.get("network"),
    )


def _unpack_network(plan: Plan, bundle: Resource, data: BundleData) -> None:
    xml = next(children(bundle.xml, "network"), None)
    if xml is None:
        return
    data.ip_range_start = xml.get("ip-range-start")
    data.host_netmask = xml.get("host-netmask")
    data.host_interface = xml.get("host-interface")
    data.control_port = xml.get("control-port")
    data.add_host = parse_boolean(xml.get("add-host")) is not False
    for port in children(xml):
        source, target = port.get("port"), port.get("internal-port")
        if source is None:
            source, target = port.get("range"), None
        if source:
            data.ports.append((source, source if target is None else target))
        else:
            plan.config_error(f"Invalid port directive {port.get('id')}")


def _unpack_storage(plan: Plan, bundle: Resource, data: BundleData) -> None:
    for xml in children(next(children(bundle.xml, "storage"), None)):
        source, target = xml.get("source-dir"), xml.get("target-dir")
        subdir = source is None
        if subdir:
            source = xml.get("source-dir-root")
        if source and target:
            data.mounts.append(Mount(source, target, xml.get("options"), subdir))
        else:
            plan.config_error(f"Invalid mount directive {xml.get('id')}")


def _has_network(plan: Plan, data: BundleData) -> bool:
    """Say whether replicas can be reached."""
    if data.ip_range_start:
        return True
    if not data.control_port:
        return False
    if data.replicas_per_host > 1:
        plan.config_error(f"Specifying the 'control-port' for {data.prefix} requires 'replicas-per-host=1'")
        data.replicas_per_host = 1
    return True


def _pair(parent: Element, name: str, value: str) -> None:
    parent.append(Element("nvpair", {"id": f"{parent.get('id')}-{name}", "name": name, "value": value}))


def _inner_clone(data: BundleData, inner: Element) -> Element:
    """Build the clone that bundled primitives are instances of."""
    word = "master" if data.promoted_max else "clone"
    clone = Element("clone", {"id": f"{data.prefix}-{word}"})
    meta = Element("meta_attributes", {"id": f"{data.prefix}-clone-meta"})
    _pair(meta, "ordered", "true")
    _pair(meta, "clone-max", str(data.replicas_max))
    _pair(meta, "clone-node-max", str(data.replicas_per_host))
    _pair(meta, "globally-unique", "true" if data.replicas_per_host > 1 else "false")
    if data.promoted_max:
        _pair(meta, "promotable", "true")
        _pair(meta, "promoted-max", str(data.promoted_max))
    clone.append(meta)
    clone.append(inner)
    return clone


def _unpack_inner(plan: Plan, bundle: Resource, data: BundleData, inner: Element) -> bool:
    need_log = all(mount.target != "/var/log" for mount in data.mounts)
    data.child = unpack_resource(plan, _inner_clone(data, inner), bundle)
    if data.child is None:
        return False
    # Pacemaker Remote inside needs its key, and a log folder that outlives the container.
    data.mounts.append(Mount(KEY_FILE, KEY_FILE, None, False))
    if need_log:
        data.mounts.append(Mount(LOG_DIRECTORY, "/var/log", None, True))
    port = data.control_port or REMOTE_PORT
    data.ports.append((port, port))
    for offset, child in enumerate(data.child.children):
        child.exclusive_discovery = True
        if child.notify:
            data.child.notify = True
        data.replicas.append(Replica(offset, child=child))
        target = child.meta.get("container-attribute-target")
        if target is not None:
            bundle.meta["container-attribute-target"] = target
            data.child.meta["container-attribute-target"] = target
    _assign_addresses(data)
    return True


def _next_address(address: str) -> str | None:
    parts = address.split(".")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    first, second, third, fourth = (whole_number(part) for part in parts)
    if third > 253:
        return None
    if fourth > 253:
        third, fourth = third + 1, 1
    else:
        fourth += 1
    return f"{first}.{second}.{third}.{fourth}"


def _assign_addresses(data: BundleData) -> None:
    """Number the replicas through the address range and let them know each other's names."""
    if data.ip_range_start is None:
        return
    last: str | None = None
    parts = []
    for replica in data.replicas:
        last = data.ip_range_start if last is None else _next_address(last)
        replica.address = last
        name = f"{data.prefix}-{replica.offset}"
        if data.agent != "rkt" and data.add_host:
            parts.append(f" --add-host={name}:{last}")
        else:
            parts.append(f" --hosts-entry={last}={name}")
    data.host_options = "".join(parts)


def _create_members(plan: Plan, bundle: Resource, data: BundleData, replica: Replica) -> bool:
    for create in (_create_container, _create_address, _create_connection):
        if not create(plan, bundle, data, replica):
            return False
    if replica.child is not None and replica.address is not None:
        replica.child.meta.setdefault("external-ip", replica.address)
    if replica.remote is not None:
        # The connection may itself run on a remote node.
        replica.remote.allow_remote_remotes = True
    return True


def _sanitize(identifier: str) -> str:
    return identifier.replace(":", ".").replace("#", ".")


def _primitive(identifier: str, provider: str, kind: str) -> Element:
    return Element("primitive", {"id": identifier, "class": "ocf", "provider": provider, "type": kind})


def _create_address(plan: Plan, bundle: Resource, data: BundleData, replica: Replica) -> bool:
    if not data.ip_range_start:
        return True
    identifier = _sanitize(f"{data.prefix}-ip-{replica.address or '(null)'}")
    xml = _primitive(identifier, "heartbeat", "IPaddr2")
    attributes = Element("instance_attributes", {"id": f"{data.prefix}-attributes-{replica.offset}"})
    if replica.address is not None:
        _pair(attributes, "ip", replica.address)
    if data.host_interface:
        _pair(attributes, "nic", data.host_interface)
    _pair(attributes, "cidr_netmask", data.host_netmask or "32")
    xml.append(attributes)
    operations = Element("operations")
    operations.append(operation_xml(identifier, "monitor", "60s", None))
    xml.append(operations)
    replica.ip = unpack_resource(plan, xml, bundle)
    if replica.ip is None:
        return False
    bundle.children.append(replica.ip)
    return True


def _run_options(data: BundleData, replica: Replica) -> tuple[str, str]:
    """Return the options for the container runtime, and the folders that must exist for it."""
    rkt = data.agent == "rkt"
    hostname, environment = ("--hostname=", "--environment=") if rkt else ("-h ", "-e ")
    parts = [" --restart=no"] if data.agent == "docker" else []
    if data.ip_range_start is not None:
        parts.append(f" {hostname}{data.prefix}-{replica.offset}")
    parts.append(f" {environment}PCMK_stderr=1")
    if data.container_network is not None:
        parts.append(f" --net={data.container_network}")
    parts.append(f" {environment}PCMK_remote_port={data.control_port or REMOTE_PORT}")
    folders = []
    for number, mount in enumerate(data.mounts):
        source = mount.source
        if mount.subdir:
            source = f"{mount.source}/{data.prefix}-{replica.offset}"
            folders.append(source)
        if rkt:
            options = f",{mount.options}" if mount.options is not None else ""
            volume = f"vol{number}"
            parts.append(
                f" --volume {volume},kind=host,source={source}{options} --mount volume={volume},target={mount.target}"
            )
        else:
            parts.append(f" -v {source}:{mount.target}" + (f":{mount.options}" if mount.options is not None else ""))
    for source, target in data.ports:
        if rkt:
            address = f"{replica.address}:" if replica.address is not None else ""
            parts.append(f" --port={target}:{address}{source}")
        elif replica.address is not None:
            parts.append(f" -p {replica.address}:{source}:{target}")
        elif data.container_network != "host":
            parts.append(f" -p {source}:{target}")
    if data.launcher_options is not None:
        parts.append(f" {data.launcher_options}")
    parts.append(f" {data.host_options}")
    return "".join(parts), ",".join(folders)


def _create_container(plan: Plan, bundle: Resource, data: BundleData, replica: Replica) -> bool:
    identifier = _sanitize(f"{data.prefix}-{data.agent}-{replica.offset}")
    xml = _primitive(identifier, "heartbeat", data.agent)
    attributes = Element("instance_attributes", {"id": f"{data.prefix}-attributes-{replica.offset}"})
    run_options, folders = _run_options(data, replica)
    _pair(attributes, "image", data.image or "")
    _pair(attributes, "allow_pull", "true")
    _pair(attributes, "force_kill", "false")
    _pair(attributes, "reuse", "false")
    _pair(attributes, "run_opts", run_options)
    _pair(attributes, "mount_points", folders)
    if data.run_command is not None:
        _pair(attributes, "run_cmd", data.run_command)
    elif replica.child is not None:
        _pair(attributes, "run_cmd", REMOTE_DAEMON)
    # Whether the application works is monitored inside the container.
    _pair(attributes, "monitor_cmd", "/bin/true")
    xml.append(attributes)
    operations = Element("operations")
    operations.append(operation_xml(identifier, "monitor", "60s", None))
    xml.append(operations)
    replica.container = unpack_resource(plan, xml, bundle)
    if replica.container is None:
        return False
    bundle.children.append(replica.container)
    return True


def _forbid(resource: Resource, node: Node) -> None:
    """Keep everything that was configured before off a node inside a bundle."""
    entry = resource.allowed.get(node)
    if entry is not None:
        entry.score = -INFINITY
        entry.discovery = Discovery.NEVER
    for child in resource.children:
        _forbid(child, node)


def _create_connection(plan: Plan, bundle: Resource, data: BundleData, replica: Replica) -> bool:
    """Create the node inside a replica and the connection to it."""
    child, container = replica.child, replica.container
    if child is None or container is None or not _has_network(plan, data):
        return True
    name = f"{data.prefix}-{replica.offset}"
    if plan.find_resource(name) is not None:
        name = f"pcmk-internal-{child.id}-remote-{replica.offset}"
    node = plan.find_node(name)
    if node is None:
        node = create_node(plan, name, name, "remote", -INFINITY)
    else:
        node.score = -INFINITY
    node.discovery = Discovery.NEVER
    for resource in plan.resources:
        _forbid(resource, node)
    replica.node = NodeScore(node, 500, Discovery.EXCLUSIVE)
    child.allowed = {node: replica.node.copy()}
    assert child.parent is not None
    child.parent.allowed[node] = NodeScore(node, -INFINITY, Discovery.EXCLUSIVE)
    xml = remote_connection_xml(
        RemoteConnection(
            name,
            container=container.id,
            server=replica.address or "#uname",
            port=data.control_port or REMOTE_PORT,
        )
    )
    replica.remote = unpack_resource(plan, xml, bundle)
    if replica.remote is None:
        return False
    for entry in replica.remote.allowed.values():
        if entry.node.is_remote_or_guest:
            # Connections to containers run on real nodes only.
            entry.score = -INFINITY
    node.remote_resource = replica.remote
    replica.remote.container = container
    node.attributes["#kind"] = "container"
    bundle.children.append(replica.remote)
    return True
