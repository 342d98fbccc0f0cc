"""Where single options and attributes live in a CIB, and the edits that set and remove them. Pure.

A :class:`Place` names them the way ``crm_attribute`` does: by section, node, set and name. Cluster options, defaults,
permanent and transient node attributes, utilization and ticket attributes are all reached through it.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from hatools.cib.document import Element, children
from hatools.values.ciboperation import CibOperation
from hatools.values.errors import InputError, InvalidChangeError, NoSuchObjectError
from hatools.values.exitcode import ExitCode
from hatools.values.records import dataclass

if TYPE_CHECKING:
    from hatools.cib.edits import Edit

CLUSTER_OPTIONS = "crm_config"
NODES = "nodes"
STATUS = "status"
TICKETS = "tickets"
_DEFAULTS = ("rsc_defaults", "op_defaults")

_PATHS = {
    "cib": "//cib",
    "configuration": "//cib/configuration",
    "status": "//cib/status",
    **{
        section: f"//cib/configuration/{section}"
        for section in (
            "crm_config",
            "nodes",
            "resources",
            "constraints",
            "op_defaults",
            "rsc_defaults",
            "acls",
            "fencing-topology",
            "tags",
            "alerts",
        )
    },
}

Query = Callable[[str], Element | None]
"""Returns a section by its name, or None."""


class UnknownSectionError(InputError):
    """The section named does not exist in any CIB."""

    exit_code = ExitCode.PROTOCOL
    system_text = "No message of desired type"


@dataclass(frozen=True, slots=True)
class Place:
    """What is meant.

    ``section`` is a CIB section or ``tickets``; ``node`` a node's id (not needed for options of the cluster);
    ``set_tag`` the kind of set if it is not the usual one; ``set_id``, ``pair_id`` and ``name`` narrow it down.
    ``is_remote``: the node is a remote one, which the nodes section may not list yet.
    """

    section: str
    node: str = ""
    set_tag: str = ""
    set_id: str = ""
    pair_id: str = ""
    name: str = ""
    is_remote: bool = False

    @property
    def is_of_node(self) -> bool:
        return self.section != CLUSTER_OPTIONS and self.section != TICKETS and self.section not in _DEFAULTS

    def xpath(self) -> str:
        """Return the XPath of the pairs meant.

        Raises:
            UnknownSectionError: there is no such section.
        """
        base = _PATHS.get(STATUS if self.section == TICKETS else self.section)
        if base is None:
            raise UnknownSectionError(f"the CIB has no section {self.section}")
        if self.section == TICKETS:
            base += "//tickets"
        elif self.is_of_node:
            tag = "transient_attributes" if self.section == STATUS else "node"
            base += f"//{tag}[@id='{self.node}']"
        tests = [f"@{key}='{value}'" for key, value in (("id", self.pair_id), ("name", self.name)) if value]
        set_test = f"[@id='{self.set_id}']" if self.set_id else ""
        return f"{base}//{self._set_tag()}{set_test}//nvpair" + (f"[{' and '.join(tests)}]" if tests else "")

    def _set_tag(self) -> str:
        if self.section == CLUSTER_OPTIONS:
            return "cluster_property_set"
        if self.section in _DEFAULTS:
            return "meta_attributes"
        if self.section == STATUS or not self.set_tag:
            return "instance_attributes"
        return self.set_tag

    def _default_set_id(self) -> str:
        if self.section == CLUSTER_OPTIONS:
            from hatools.cib.nvpair import FIRST_PROPERTY_SET

            return FIRST_PROPERTY_SET
        if self.section == TICKETS:
            return f"{STATUS}-tickets"
        if not self.is_of_node or not self.node:
            return f"{self.section}-options"
        return f"{self.section}-{self.node}" + (f"-{self.set_tag}" if self.set_tag else "")


def pairs_in(answer: Element | None) -> list[Element]:
    """Return the pairs of a query's answer: none, one, or several inside an ``<xpath-query>``."""
    if answer is None:
        return []
    return list(children(answer)) if answer.tag == "xpath-query" else [answer]


def set_edit(place: Place, value: str, existing: Element | None) -> "Edit":
    """Return the edit that gives the pair a value.

    Args:
        existing: the pair as it is now, None to make a new one.

    Raises:
        InvalidChangeError: the place names neither a pair nor an attribute.
        UnknownSectionError: there is no such section.
    """
    from hatools.cib.edits import Edit

    if not place.name and not place.pair_id:
        raise InvalidChangeError("an attribute needs a name or an id")
    section = STATUS if place.section == TICKETS else place.section
    if section not in _PATHS:
        raise UnknownSectionError(f"the CIB has no section {section}")
    if existing is not None:
        return Edit(CibOperation.MODIFY, section, update=_pair(existing.get("id") or "", place.name, value))
    set_id = place.set_id or place._default_set_id()
    pair_id = place.pair_id or sanitize_id(f"{set_id}-{place.name}")
    holder = Element(place._set_tag(), {"id": set_id})
    holder.append(_pair(pair_id, place.name or place.pair_id, value))
    return Edit(CibOperation.MODIFY, section, update=_around(place, holder))


def _pair(identifier: str, name: str, value: str) -> Element:
    attributes = {"id": identifier, **({"name": name} if name else {}), "value": value}
    return Element("nvpair", attributes)


def _around(place: Place, holder: Element) -> Element:
    """Wrap a set in the elements it belongs to."""
    if place.section == TICKETS:
        return _nested([("status", {}), ("tickets", {})], holder)
    if place.section == NODES:
        if place.is_remote:
            node = {"type": "remote", "id": place.node, "uname": place.node}
            return _nested([("nodes", {}), ("node", node)], holder)
        return _nested([("node", {"id": place.node})], holder)
    if place.section == STATUS:
        node = {"id": place.node}
        return _nested([("node_state", node), ("transient_attributes", node)], holder)
    return _nested([(place.section, {})], holder)


def _nested(path: list[tuple[str, dict[str, str]]], inner: Element) -> Element:
    for tag, attributes in reversed(path):
        outer = Element(tag, attributes)
        outer.append(inner)
        inner = outer
    return inner


def delete_edit(place: Place, pair_id: str, value: str | None = None) -> "Edit":
    """Return the edit that removes a pair by its id, if it still has this name (and value)."""
    from hatools.cib.edits import Edit

    attributes = {"id": pair_id, **({"name": place.name} if place.name else {})}
    if value is not None:
        attributes["value"] = value
    section = STATUS if place.section == TICKETS else place.section
    return Edit(CibOperation.DELETE, section, update=Element("nvpair", attributes))


def sanitize_id(text: str) -> str:
    """Replace what may not be in an XML id."""
    return text.replace(":", ".").replace("#", ".")


@dataclass(frozen=True, slots=True)
class NodeIdentity:
    """A node's id in the CIB, and whether it is a remote or guest node."""

    id: str
    is_remote: bool = False


def find_node(name: str, query: Query) -> NodeIdentity:
    """Return the id of a node by its name (upper and lower case are the same).

    Raises:
        NoSuchObjectError: neither cluster nodes, remote nodes, guests nor the status know the name.
    """
    lowered = name.lower()
    for node in children(query(NODES), "node"):
        if (node.get("uname") or "").lower() == lowered:
            return NodeIdentity(node.get("id") or "", node.get("type") == "remote")
    for found in _remote_names(query("resources")):
        if found.lower() == lowered:
            return NodeIdentity(found, True)
    for state in children(query(STATUS), "node_state"):
        if (state.get("uname") or "").lower() == lowered and state.get("remote_node") == "true":
            return NodeIdentity(state.get("id") or "", True)
    raise NoSuchObjectError(f"no node is called {name}")


def _remote_names(resources: Element | None) -> Iterator[str]:
    for primitive in () if resources is None else resources.iter("primitive"):
        kind = (primitive.get("class"), primitive.get("provider"), primitive.get("type"))
        if kind == ("ocf", "pacemaker", "remote"):
            yield primitive.get("id") or ""
        for each in children(primitive, "meta_attributes"):
            for pair in children(each, "nvpair"):
                if pair.get("name") == "remote-node":
                    yield pair.get("value") or ""
