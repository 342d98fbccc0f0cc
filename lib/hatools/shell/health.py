"""Is the cluster well: findings from all that can be asked. I/O."""

from typing import TYPE_CHECKING

from hatools.cib.document import children
from hatools.shell.changeset.merging import pair_value
from hatools.shell.programs import capture
from hatools.shell.running import controller
from hatools.values.boolean import is_true, parse_boolean
from hatools.values.errors import HatoolsError
from hatools.values.records import dataclass

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from hatools.shell.session import Session


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not well, and what to do about it."""

    text: str
    is_error: bool = True


def examine(session: "Session") -> list[Finding]:
    """Return what is not well."""
    try:
        with session.open_cib() as cib:
            root = cib.query()
    except (HatoolsError, OSError) as error:
        return [Finding(f"no cluster answers here ({error}): `crm cluster start` starts it")]
    findings = [*_partition(session, root), *_configuration(root), *_resources(root)]
    checked = capture("crm_verify", ["-L", "-V"])
    findings += [Finding(line.strip()) for line in checked.err.splitlines() if "error:" in line]
    return findings


def _partition(session: "Session", root: "Element") -> list[Finding]:
    findings = []
    if session.is_live and controller() is None:
        findings.append(Finding("there is no DC: nothing is decided until one is elected"))
    if not is_true(root.get("have-quorum", "1")):
        findings.append(Finding("this partition has no quorum: no-quorum-policy decides what still runs"))
    states = {state.get("uname"): state for state in children(root.find("status"), "node_state")}
    for node in children(root.find("configuration/nodes"), "node"):
        name = node.get("uname")
        state = states.get(name)
        if state is None or state.get("crmd") != "online":
            findings.append(Finding(f"node {name} is not online"))
    return findings


def _configuration(root: "Element") -> list[Finding]:
    properties = root.find("configuration/crm_config/cluster_property_set")
    resources = root.find("configuration/resources")
    primitives = list(resources.iter("primitive")) if resources is not None else []
    fences = parse_boolean(pair_value(properties, "stonith-enabled")) is not False
    findings = []
    if not fences:
        findings.append(
            Finding(
                "fencing is off: after a failure resources may run twice; configure a stonith resource and set "
                "stonith-enabled=true",
                is_error=False,
            )
        )
    elif primitives and not any(primitive.get("class") == "stonith" for primitive in primitives):
        findings.append(Finding("fencing is on but there is no stonith resource: nothing is started"))
    nodes = list(children(root.find("configuration/nodes"), "node"))
    if len(nodes) == 2 and pair_value(properties, "no-quorum-policy") == "ignore":
        findings.append(
            Finding("two nodes with no-quorum-policy=ignore: use two_node in corosync.conf instead", is_error=False)
        )
    if is_true(pair_value(properties, "maintenance-mode")):
        findings.append(Finding("maintenance mode is on: resources are not looked after", is_error=False))
    return findings


def _resources(root: "Element") -> list[Finding]:
    """Look for fail counts."""
    findings = []
    for state in children(root.find("status"), "node_state"):
        for holder in children(state, "transient_attributes"):
            for block in children(holder, "instance_attributes"):
                for pair in children(block, "nvpair"):
                    name = pair.get("name") or ""
                    if name.startswith("fail-count-"):
                        resource = name.removeprefix("fail-count-").partition("#")[0]
                        text = (
                            f"{resource} failed on {state.get('uname')}: `crm resource cleanup {resource}` forgets it"
                        )
                        findings.append(Finding(text))
    return findings
