"""What decisions take as clusters grow, beside the original ``crm_simulate`` on the same input.

A cluster of N nodes and M primitives is a realistic mix: of every 20 primitives, six are in two
groups of three, two are cloned, two are promotable, the others stand alone with colocations and
orders between neighbours. Three states: nothing started yet, steady, one node failed.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from resource import RLIMIT_CPU, setrlimit
from xml.etree.ElementTree import Element, SubElement

from bench.table import Figure, print_table
from hatools.cib.document import Document, format_xml
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.plan import Plan
from hatools.scheduler.schedule import schedule
from hatools.scheduler.unpack.digests import calculate_digests
from hatools.values.iso8601 import Moment
from hatools.values.role import Role

NOW = 1_700_000_000
UUID = "12345678-1234-1234-1234-123456789012"


@dataclass(frozen=True, slots=True)
class Size:
    """Nodes and primitives of a cluster, and how much of the original's time we may take in a state."""

    nodes: int
    primitives: int
    goals: tuple[tuple[str, float], ...] = ()


SIZES = (
    Size(8, 200, (("first start", 5.0), ("steady", 5.0), ("node failed", 5.0))),
    Size(16, 500),
    Size(16, 1000, (("first start", 1.0), ("steady", 1.0), ("node failed", 1.0))),
    Size(32, 1000, (("first start", 0.3),)),
    Size(32, 5000, (("steady", 0.3),)),
)
STATES = ("first start", "steady", "node failed")
LIMIT_S = 120

MEMORY = ((32, 5000, "steady"), (32, 1000, "first start"))
"""Where memory is measured, too: both programs as commands."""

PLAYED = (8, 200, "first start")
"""Where the transition is played to its end, both programs as commands."""

_OURS = str(Path(__file__).resolve().parents[1] / "bin" / "crm_simulate")


def cluster(nodes: int, primitives: int) -> Element:
    """Return the CIB of a cluster in which nothing was started yet."""
    root = Element(
        "cib",
        {
            "crm_feature_set": "3.16.1",
            "validate-with": "pacemaker-3.9",
            "epoch": "1",
            "num_updates": "0",
            "admin_epoch": "0",
            "have-quorum": "1",
            "dc-uuid": "1",
            "execution-date": str(NOW),
        },
    )
    configuration = SubElement(root, "configuration")
    properties = SubElement(
        SubElement(configuration, "crm_config"), "cluster_property_set", {"id": "cib-bootstrap-options"}
    )
    _pairs(properties, {"stonith-enabled": "true", "no-quorum-policy": "stop"})
    listed = SubElement(configuration, "nodes")
    for number in range(1, nodes + 1):
        SubElement(listed, "node", {"id": str(number), "uname": f"node{number}"})
    resources = SubElement(configuration, "resources")
    constraints = SubElement(configuration, "constraints")
    _primitive(resources, "fencing", ("stonith", None, "fence_xvm"))
    for start in range(0, primitives, 20):
        _block(resources, constraints, start, min(20, primitives - start), nodes)
    defaults = SubElement(SubElement(configuration, "rsc_defaults"), "meta_attributes", {"id": "defaults"})
    _pairs(defaults, {"resource-stickiness": "100"})
    status = SubElement(root, "status")
    for number in range(1, nodes + 1):
        _node_state(status, number, online=True)
    return root


def _pairs(parent: Element, pairs: dict[str, str]) -> None:
    for name, value in pairs.items():
        SubElement(parent, "nvpair", {"id": f"{parent.get('id')}-{name}", "name": name, "value": value})


def _primitive(
    parent: Element, name: str, agent: tuple[str, str | None, str] = ("ocf", "pacemaker", "Dummy")
) -> Element:
    standard, provider, kind = agent
    attributes = {"id": name, "class": standard, "type": kind}
    if provider is not None:
        attributes["provider"] = provider
    xml = SubElement(parent, "primitive", attributes)
    if provider is not None:
        _pairs(SubElement(xml, "instance_attributes", {"id": f"{name}-params"}), {"state": f"/run/{name}"})
        operations = SubElement(xml, "operations")
        SubElement(operations, "op", {"id": f"{name}-mon", "name": "monitor", "interval": "10s", "timeout": "20s"})
    return xml


def _block(resources: Element, constraints: Element, start: int, count: int, nodes: int) -> None:
    """Add up to 20 primitives and what connects them."""
    names = [f"rsc{start + offset}" for offset in range(count)]
    alone: list[str] = []
    for first in (0, 3):
        if len(names) >= first + 3:
            group = SubElement(resources, "group", {"id": f"grp{start + first}"})
            for name in names[first : first + 3]:
                _primitive(group, name)
    for offset, promotable in ((6, False), (7, False), (8, True), (9, True)):
        if len(names) > offset:
            clone = SubElement(resources, "clone", {"id": f"clone{start + offset}"})
            meta = SubElement(clone, "meta_attributes", {"id": f"clone{start + offset}-meta"})
            _pairs(meta, {"clone-max": str(min(nodes, 3)), "interleave": "true"})
            if promotable:
                _pairs(meta, {"promotable": "true"})
            _primitive(clone, names[offset], ("ocf", "pacemaker", "Stateful" if promotable else "Dummy"))
    for name in names[10:]:
        _primitive(resources, name)
        alone.append(name)
    for earlier, later in zip(alone[::2], alone[1::2], strict=False):
        SubElement(
            constraints,
            "rsc_colocation",
            {"id": f"col-{later}", "rsc": later, "with-rsc": earlier, "score": "INFINITY"},
        )
        SubElement(constraints, "rsc_order", {"id": f"ord-{later}", "first": earlier, "then": later})
    if alone and len(names) > 6:
        SubElement(
            constraints, "rsc_order", {"id": f"ord-clone{start}", "first": f"clone{start + 6}", "then": alone[-1]}
        )
        SubElement(
            constraints,
            "rsc_location",
            {"id": f"loc-{alone[0]}", "rsc": alone[0], "node": f"node{start // 20 % nodes + 1}", "score": "50"},
        )


def _node_state(status: Element, number: int, *, online: bool) -> Element:
    state = SubElement(
        status,
        "node_state",
        {
            "id": str(number),
            "uname": f"node{number}",
            "in_ccm": "true" if online else "false",
            "crmd": "online" if online else "offline",
            "join": "member",
            "expected": "member",
        },
    )
    SubElement(SubElement(state, "lrm", {"id": str(number)}), "lrm_resources")
    return state


def _operation(
    parent: Element, plan: Plan, resource: Resource, node: str, task: str, interval: int, rc: int, call: int
) -> None:
    member = plan.find_node(node)
    assert member is not None
    digest = calculate_digests(plan, resource, "start" if task == "promote" else task, interval, member).all_digest
    name = resource.xml_id
    identifier = f"{name}_last_0" if interval == 0 and task != "monitor" else f"{name}_{task}_{interval}"
    key = f"1:1:{rc if rc != 7 else 7}:{UUID}"
    SubElement(
        parent,
        "lrm_rsc_op",
        {
            "id": identifier,
            "operation_key": f"{name}_{task}_{interval}",
            "operation": task,
            "crm_feature_set": "3.16.1",
            "transition-key": key,
            "transition-magic": f"0:{rc};{key}",
            "on_node": node,
            "call-id": str(call),
            "rc-code": str(rc),
            "op-status": "0",
            "interval": str(interval),
            "last-rc-change": str(NOW - 1000),
            "exec-time": "10",
            "queue-time": "0",
            "op-digest": digest,
        },
    )


def settled(root: Element) -> Element:
    """Return the CIB in which everything runs where the scheduler wants it."""
    result = schedule(Document(root), Moment.from_epoch(NOW))
    plan = result.plan
    where: dict[str, dict[str, Resource]] = {}
    known: dict[str, Resource] = {}
    for top in plan.resources:
        for resource in top.descendants():
            if resource.is_primitive:
                known.setdefault(resource.xml_id, resource)
                if resource.assigned_to is not None:
                    where.setdefault(resource.xml_id, {})[resource.assigned_to.name] = resource
    status = root.find("status")
    assert status is not None
    for state in status:
        node = state.get("uname") or ""
        holder = state.find("lrm/lrm_resources")
        assert holder is not None
        for name, resource in known.items():
            attributes = {"id": name, "type": resource.agent_type or "", "class": resource.standard or ""}
            if resource.provider is not None:
                attributes["provider"] = resource.provider
            history = SubElement(holder, "lrm_resource", attributes)
            active = where.get(name, {}).get(node)
            if active is None:
                _operation(history, plan, resource, node, "monitor", 0, 7, 1)
                continue
            _operation(history, plan, active, node, "start", 0, 0, 2)
            if active.provider is not None:
                promoted = active.next_role is Role.PROMOTED
                _operation(history, plan, active, node, "monitor", 10000, 8 if promoted else 0, 3)
    return root


def failed(root: Element) -> Element:
    """Return the CIB in which one node is lost."""
    state = root.find("status/node_state[@uname='node2']")
    assert state is not None
    state.set("in_ccm", "false")
    state.set("crmd", "offline")
    return root


def inputs(size: Size) -> Iterable[tuple[str, str]]:
    """Yield the states of a cluster as XML text."""
    root = cluster(size.nodes, size.primitives)
    yield STATES[0], format_xml(root)
    root = settled(root)
    yield STATES[1], format_xml(root)
    yield STATES[2], format_xml(failed(root))


@dataclass(frozen=True, slots=True)
class Run:
    """What a command took: seconds of processor time (both use one core), and the most memory it had at a time.

    ``finished`` is False if it was stopped at the time limit: then both are at least so much.
    """

    seconds: float
    peak_mib: float
    finished: bool


def _limited() -> None:
    setrlimit(RLIMIT_CPU, (LIMIT_S, LIMIT_S))


def _run(program: str, path: Path, option: str) -> Run:
    """Run a ``crm_simulate``, its output thrown away, and measure it."""
    child = subprocess.Popen(
        (program, "-x", str(path), option),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=_limited,
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    finished = child.returncode not in (-signal.SIGKILL, -signal.SIGXCPU)
    return Run(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, finished)


def measure(sizes: Iterable[Size] = SIZES) -> list[Figure]:
    """Measure all states of all sizes, and memory and ``-S`` where there are goals for them."""
    original = shutil.which("crm_simulate", path="/usr/sbin:/usr/bin")
    figures = []
    with tempfile.TemporaryDirectory(prefix="hatools-bench-") as folder:
        path = Path(folder) / "cib.xml"
        for size in sizes:
            for state, text in inputs(size):
                path.write_text(text, encoding="utf-8")
                what = f"{size.nodes} nodes x {size.primitives}, {state}"
                ours = _run(_OURS, path, "-R")
                theirs = None if original is None else _run(original, path, "-R")
                figures.append(_time(what, ours, theirs, dict(size.goals).get(state)))
                if (size.nodes, size.primitives, state) in MEMORY:
                    figures.append(_memory(what, ours, theirs))
                if (size.nodes, size.primitives, state) == PLAYED:
                    ours = _run(_OURS, path, "-S")
                    theirs = None if original is None else _run(original, path, "-S")
                    figures.append(_time(f"{what}, played (-S)", ours, theirs, 0.2))
    return figures


def _time(what: str, ours: Run, original: Run | None, goal: float | None) -> Figure:
    if original is not None and not original.finished:
        what += f" (original stopped at {LIMIT_S} s)"
    return Figure(
        what,
        ours.seconds,
        "s",
        None if original is None else original.seconds,
        "" if goal is None else f"<= {goal:g} x",
        None if goal is None or original is None else _verdict(ours.seconds <= goal * original.seconds, original),
    )


def _memory(what: str, ours: Run, original: Run | None) -> Figure:
    return Figure(
        f"{what}, most memory",
        ours.peak_mib,
        "MiB",
        None if original is None else original.peak_mib,
        "< 1 x",
        None if original is None else _verdict(ours.peak_mib < original.peak_mib, original),
    )


def _verdict(met: bool, original: Run) -> bool | None:
    """Say whether a goal is met; not known if it is not and the original would have gone on."""
    return met if met or original.finished else None


def run() -> None:
    """Measure and print."""
    print_table("Scheduling (crm_simulate -R as a command, processor time)", measure())
