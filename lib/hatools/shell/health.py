"""Is the cluster well: findings from all that can be asked. I/O."""

from typing import TYPE_CHECKING

from hatools.cib.document import children
from hatools.cli.ring_remarks import ring_remarks
from hatools.shell.changeset.merging import pair_value
from hatools.shell.programs import capture
from hatools.shell.running import controller
from hatools.values.boolean import is_true, parse_boolean
from hatools.values.errors import HatoolsError
from hatools.values.records import dataclass

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from hatools.shell.session import Session


_CLOCK_LIMIT_S = 2.0


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
    if session.is_live:
        findings += [Finding(remark, is_error=False) for remark in ring_remarks()]
    checked = capture("crm_verify", ["-L", "-V"])
    findings += [Finding(line.strip()) for line in checked.err.splitlines() if "error:" in line]
    if session.is_live:
        findings += _nodes()
    return findings


def _nodes() -> list[Finding]:
    """Ask every node whether it has what the others have."""
    import time

    from hatools.shell.commands import CommandError
    from hatools.shell.members import Members

    try:
        members = Members()
        began = time.time()
        outcomes = members.ask(members.all, lambda connection: connection.about())
        took = time.time() - began
    except CommandError as error:
        return [Finding(f"the nodes were not compared: {error}", is_error=False)]
    findings = [
        Finding(f"{outcome.member.name} cannot be reached from here: {outcome.problem}", is_error=False)
        for outcome in outcomes
        if outcome.problem
    ]
    answers = [(outcome.member.name, outcome.answer) for outcome in outcomes if outcome.answer is not None]
    newest = max((about.config_version for _, about in answers), default=0)
    reference = next((about.config_digest for _, about in answers if about.config_version == newest), "")
    for name, about in answers:
        if about.config_digest != reference:
            text = f"corosync.conf of {name} differs from that of other nodes: `crm corosync diff`, then `push`"
            findings.append(Finding(text))
        if not about.cluster_runs:
            findings.append(Finding(f"the cluster is stopped on {name}: `crm cluster start {name}`", is_error=False))
        if abs(about.clock - began) > took + _CLOCK_LIMIT_S:
            text = f"the clock of {name} is {about.clock - began:+.0f} s off this node's: run a time service everywhere"
            findings.append(Finding(text, is_error=False))
    versions = sorted({about.version for _, about in answers})
    if len(versions) > 1:
        findings.append(Finding(f"nodes run different versions: {', '.join(versions)}", is_error=False))
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
