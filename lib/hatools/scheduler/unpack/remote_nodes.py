"""Remote nodes: found among the resources, and the connections that guest nodes imply. Pure."""

from xml.etree.ElementTree import Element

from hatools.cib.document import children
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.nodes import create_node
from hatools.scheduler.unpack.operations import is_remote_connection_xml
from hatools.values.records import dataclass

_GUEST_WORDS = {
    "remote-node": "name",
    "remote-addr": "server",
    "remote-port": "port",
    "remote-connect-timeout": "start_timeout",
    "remote-allow-migrate": "allow_migrate",
    "is-managed": "managed",
}


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
