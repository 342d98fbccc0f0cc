"""Makes valid random CIBs: one seed, one cluster with resources, constraints and a history.

Everything is drawn from one :class:`random.Random`, so a seed names a cluster for ever. Clusters
are small, because small ones show a difference most clearly, but every feature of the
configuration may occur: groups, clones of all kinds, bundles, remote and guest nodes, tickets,
utilization, rules, templates, sets, failures, pending operations, migrations, nodes in any state.
"""

from dataclasses import dataclass, field
from random import Random
from xml.etree.ElementTree import Element, SubElement

from hatools.cib.digest import operation_digest
from hatools.cib.document import format_xml

NOW = 1_700_000_000
"""The clusters' present, in seconds since the epoch; the CIB says so (``execution-date``)."""


@dataclass(slots=True)
class Primitive:
    """A primitive as it was made; ``instances`` is how many of it there are (0: not a clone)."""

    id: str
    agent: tuple[str, str | None, str]
    parameters: dict[str, str]
    intervals: list[tuple[str, int, str | None]]
    instances: int = 0
    unique: bool = False
    promotable: bool = False
    migratable: bool = False
    hosts: list[str] | None = None


@dataclass(slots=True)
class Cluster:
    """What is known of a cluster while it is made."""

    random: Random
    root: Element
    nodes: list[str] = field(default_factory=list)
    remotes: list[str] = field(default_factory=list)
    primitives: list[Primitive] = field(default_factory=list)
    collections: list[str] = field(default_factory=list)
    promotables: list[str] = field(default_factory=list)
    tickets: list[str] = field(default_factory=list)
    count: int = 0

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def fresh(self, prefix: str) -> str:
        """Return an identifier that was not used yet."""
        self.count += 1
        return f"{prefix}{self.count}"


def random_cluster(seed: int) -> str:
    """Return the CIB of a random cluster as XML text."""
    random = Random(seed)
    root = Element(
        "cib",
        {
            "crm_feature_set": "3.16.1",
            "validate-with": "pacemaker-3.9",
            "epoch": "10",
            "num_updates": "5",
            "admin_epoch": "0",
            "execution-date": str(NOW),
            "have-quorum": random.choices(("1", "0"), (9, 1))[0],
        },
    )
    cluster = Cluster(random, root)
    configuration = SubElement(root, "configuration")
    options = SubElement(configuration, "crm_config")
    nodes = SubElement(configuration, "nodes")
    resources = SubElement(configuration, "resources")
    constraints = SubElement(configuration, "constraints")
    status = SubElement(root, "status")
    _add_nodes(cluster, nodes)
    _add_resources(cluster, resources)
    _add_options(cluster, options)
    _add_constraints(cluster, constraints)
    if cluster.chance(0.3):
        _add_defaults(cluster, configuration)
    _add_status(cluster, status)
    return format_xml(root)


# -- options and nodes


def _pairs(cluster: Cluster, parent: Element, tag: str, values: dict[str, str]) -> None:
    """Add a set of name-value pairs, if there are any."""
    if not values:
        return
    holder = SubElement(parent, tag, {"id": cluster.fresh(f"{tag}-")})
    for name, value in values.items():
        SubElement(holder, "nvpair", {"id": cluster.fresh("nv-"), "name": name, "value": value})


def _draw(cluster: Cluster, table: dict[str, tuple[float, tuple[str, ...]]]) -> dict[str, str]:
    """Draw settings: each name with its probability, its value from a choice."""
    return {name: cluster.random.choice(values) for name, (chance, values) in table.items() if cluster.chance(chance)}


_OPTIONS = {
    "no-quorum-policy": (0.3, ("stop", "freeze", "ignore", "demote", "suicide")),
    "symmetric-cluster": (0.1, ("false",)),
    "stop-all-resources": (0.03, ("true",)),
    "maintenance-mode": (0.04, ("true",)),
    "concurrent-fencing": (0.2, ("true",)),
    "startup-fencing": (0.1, ("false",)),
    "start-failure-is-fatal": (0.15, ("false",)),
    "stop-orphan-resources": (0.05, ("false",)),
    "stop-orphan-actions": (0.05, ("false",)),
    "placement-strategy": (0.25, ("utilization", "minimal", "balanced")),
    "stonith-action": (0.1, ("off", "reboot")),
    "enable-startup-probes": (0.05, ("false",)),
    "migration-limit": (0.1, ("1",)),
    "batch-limit": (0.1, ("3",)),
    "node-health-strategy": (0.1, ("migrate-on-red", "only-green", "progressive")),
    "priority-fencing-delay": (0.1, ("15s",)),
    "shutdown-lock": (0.08, ("true",)),
    "remove-after-stop": (0.02, ("true",)),
}


def _add_options(cluster: Cluster, parent: Element) -> None:
    values = _draw(cluster, _OPTIONS)
    values["stonith-enabled"] = "true" if cluster.chance(0.75) else "false"
    values["cluster-infrastructure"] = "corosync"
    values["dc-version"] = "2.1.5"
    if cluster.chance(0.1):
        values["have-watchdog"] = "true"
        values["stonith-watchdog-timeout"] = "10s"
    _pairs(cluster, parent, "cluster_property_set", values)


def _add_nodes(cluster: Cluster, parent: Element) -> None:
    for number in range(1, cluster.random.choice((1, 2, 2, 3, 3, 3, 4, 5)) + 1):
        name = f"node{number}"
        cluster.nodes.append(name)
        element = SubElement(parent, "node", {"id": str(number), "uname": name})
        attributes = _draw(
            cluster,
            {
                "standby": (0.08, ("on", "off")),
                "maintenance": (0.04, ("true",)),
                "site": (0.5, ("east", "west")),
                "rank": (0.3, ("1", "2", "3")),
                "#health-disk": (0.06, ("red", "yellow", "green")),
            },
        )
        _pairs(cluster, element, "instance_attributes", attributes)
        if cluster.chance(0.35):
            amounts = {
                "cpu": str(cluster.random.randint(1, 6)),
                "memory": str(cluster.random.choice((512, 1024, 2048))),
            }
            _pairs(cluster, element, "utilization", amounts)


def _add_defaults(cluster: Cluster, configuration: Element) -> None:
    values = _draw(
        cluster,
        {
            "resource-stickiness": (0.6, ("0", "1", "100", "INFINITY")),
            "migration-threshold": (0.4, ("1", "2", "3")),
            "failure-timeout": (0.3, ("60s", "1h")),
        },
    )
    _pairs(cluster, SubElement(configuration, "rsc_defaults"), "meta_attributes", values)
    values = _draw(cluster, {"timeout": (0.7, ("30s", "60s")), "on-fail": (0.1, ("restart", "block"))})
    _pairs(cluster, SubElement(configuration, "op_defaults"), "meta_attributes", values)


# -- resources

_META = {
    "target-role": (0.1, ("Stopped", "Started")),
    "is-managed": (0.05, ("false",)),
    "resource-stickiness": (0.25, ("0", "1", "50", "INFINITY", "-INFINITY")),
    "migration-threshold": (0.2, ("1", "2", "5")),
    "failure-timeout": (0.15, ("30s", "10min")),
    "priority": (0.2, ("1", "5", "10")),
    "multiple-active": (0.1, ("stop_only", "stop_start", "block", "stop_unexpected")),
    "requires": (0.1, ("nothing", "quorum", "fencing")),
    "critical": (0.06, ("false",)),
    "maintenance": (0.02, ("true",)),
}


def _add_resources(cluster: Cluster, parent: Element) -> None:
    if cluster.chance(0.85):
        fencing = _primitive(cluster, parent, "fence", ("stonith", None, "fence_ipmilan"), meta={})
        fencing.parameters.update()
    for _ in range(cluster.random.randint(1, 6)):
        kind = cluster.random.choices(
            ("primitive", "group", "clone", "promotable", "bundle", "remote", "guest", "template"),
            (8, 5, 5, 5, 2, 1, 1, 1),
        )[0]
        _MAKERS[kind](cluster, parent)


def _make_primitive(cluster: Cluster, parent: Element) -> None:
    _primitive(cluster, parent, "rsc", meta=_draw(cluster, _META))


def _primitive(
    cluster: Cluster,
    parent: Element,
    prefix: str,
    agent: tuple[str, str | None, str] | None = None,
    *,
    meta: dict[str, str],
    promotable: bool = False,
    template: str | None = None,
) -> Primitive:
    """Add a primitive with parameters, operations and utilization."""
    if agent is None:
        agent = cluster.random.choice(
            (
                ("ocf", "pacemaker", "Dummy"),
                ("ocf", "heartbeat", "IPaddr2"),
                ("lsb", None, "httpd"),
                ("systemd", None, "ntp"),
            )
        )
    if promotable:
        agent = ("ocf", "pacemaker", "Stateful")
    identifier = cluster.fresh(prefix)
    standard, provider, kind = agent
    attributes = {"id": identifier}
    if template is None:
        attributes["class"] = standard
        if provider is not None:
            attributes["provider"] = provider
        attributes["type"] = kind
    else:
        attributes["template"] = template
    element = SubElement(parent, "primitive", attributes)
    parameters = {"state": f"/run/{identifier}"} if standard == "ocf" and cluster.chance(0.3) else {}
    _pairs(cluster, element, "instance_attributes", parameters)
    migratable = standard == "ocf" and not promotable and cluster.chance(0.15)
    if migratable:
        meta = {**meta, "allow-migrate": "true"}
    _pairs(cluster, element, "meta_attributes", meta)
    intervals = _add_operations(cluster, element, promotable=promotable)
    if cluster.chance(0.3):
        amounts = {"cpu": str(cluster.random.randint(1, 3)), "memory": str(cluster.random.choice((128, 512, 1024)))}
        _pairs(cluster, element, "utilization", amounts)
    made = Primitive(identifier, agent, parameters, intervals, migratable=migratable)
    cluster.primitives.append(made)
    cluster.collections.append(identifier)
    return made


def _add_operations(cluster: Cluster, element: Element, *, promotable: bool) -> list[tuple[str, int, str | None]]:
    """Add operations; return the recurring ones as (name, interval in milliseconds, role)."""
    holder = SubElement(element, "operations")
    recurring: list[tuple[str, int, str | None]] = []
    wanted: list[tuple[str, int, str | None]] = [("monitor", 10, None)] if cluster.chance(0.7) else []
    if promotable and cluster.chance(0.7):
        wanted = [("monitor", 10, "Promoted"), ("monitor", 11, "Unpromoted")]
    elif cluster.chance(0.06):
        wanted.append(("monitor", 17, "Stopped"))
    for name, seconds, role in wanted:
        attributes = {"id": cluster.fresh("op-"), "name": name, "interval": f"{seconds}s"}
        if role is not None:
            attributes["role"] = role
        if cluster.chance(0.2):
            attributes["on-fail"] = cluster.random.choice(("restart", "block", "stop", "ignore", "standby", "fence"))
            if promotable and cluster.chance(0.4):
                attributes["on-fail"] = "demote"
        if cluster.chance(0.2):
            attributes["timeout"] = "20s"
        SubElement(holder, "op", attributes)
        recurring.append((name, seconds * 1000, role))
    for name in ("start", "stop"):
        if cluster.chance(0.2):
            attributes = {"id": cluster.fresh("op-"), "name": name, "interval": "0", "timeout": "40s"}
            if cluster.chance(0.3):
                attributes["on-fail"] = (
                    "block" if name == "stop" else cluster.random.choice(("restart", "stop", "fence"))
                )
            SubElement(holder, "op", attributes)
    if not len(holder):
        element.remove(holder)
    return recurring


def _make_group(cluster: Cluster, parent: Element) -> None:
    identifier = cluster.fresh("grp")
    element = SubElement(parent, "group", {"id": identifier})
    meta = _draw(
        cluster, {name: _META[name] for name in ("target-role", "is-managed", "priority", "resource-stickiness")}
    )
    _pairs(cluster, element, "meta_attributes", meta)
    for _ in range(cluster.random.randint(1, 3)):
        _primitive(cluster, element, "mem", meta=_draw(cluster, {"migration-threshold": (0.1, ("1",))}))
    cluster.collections.append(identifier)


_CLONE_META = {
    "clone-max": (0.25, ("1", "2", "3")),
    "clone-node-max": (0.1, ("1", "2")),
    "interleave": (0.4, ("true",)),
    "ordered": (0.15, ("true",)),
    "notify": (0.25, ("true",)),
    "clone-min": (0.06, ("1", "2")),
    "target-role": (0.08, ("Stopped", "Started")),
    "is-managed": (0.03, ("false",)),
}


def _make_clone(cluster: Cluster, parent: Element, *, promotable: bool = False) -> None:
    identifier = cluster.fresh("cln")
    element = SubElement(parent, "clone", {"id": identifier})
    meta = _draw(cluster, _CLONE_META)
    if promotable:
        meta["promotable"] = "true"
        meta |= _draw(cluster, {"promoted-max": (0.2, ("1", "2")), "promoted-node-max": (0.1, ("1",))})
        if cluster.chance(0.1):
            meta["target-role"] = cluster.random.choice(("Unpromoted", "Promoted"))
    unique = cluster.chance(0.2)
    if unique:
        meta["globally-unique"] = "true"
    _pairs(cluster, element, "meta_attributes", meta)
    holder, count = element, 1
    if cluster.chance(0.25):
        holder, count = SubElement(element, "group", {"id": cluster.fresh("cgrp")}), cluster.random.randint(1, 2)
    for _ in range(count):
        agent = ("ocf", "pacemaker", "Dummy")
        made = _primitive(cluster, holder, "inst", agent, meta={}, promotable=promotable)
        cluster.collections.remove(made.id)
        made.instances = int(meta.get("clone-max", len(cluster.nodes)))
        made.unique, made.promotable, made.migratable = unique, promotable, False
    cluster.collections.append(identifier)
    if promotable:
        cluster.promotables.append(identifier)


def _make_promotable(cluster: Cluster, parent: Element) -> None:
    _make_clone(cluster, parent, promotable=True)


def _make_bundle(cluster: Cluster, parent: Element) -> None:
    identifier = cluster.fresh("bun")
    element = SubElement(parent, "bundle", {"id": identifier})
    replicas = cluster.random.randint(1, 3)
    container = {"image": "example:latest", "replicas": str(replicas)}
    promoted = cluster.chance(0.35)
    if promoted:
        container["promoted-max"] = "1"
    if cluster.chance(0.15):
        container["replicas-per-host"] = "2"
    SubElement(element, cluster.random.choice(("docker", "podman")), container)
    network = {"control-port": "9999"}
    if cluster.chance(0.5):
        network["ip-range-start"] = "192.168.122.131"
    SubElement(element, "network", network)
    hosts: list[str] = []
    if promoted or cluster.chance(0.7):
        made = _primitive(cluster, element, "inb", ("ocf", "pacemaker", "Stateful" if promoted else "Dummy"), meta={})
        cluster.collections.remove(made.id)
        made.hosts = [f"{identifier}-{number}" for number in range(replicas)]
        made.promotable, made.migratable = promoted, False
        hosts = made.hosts
    kind = str(element[0].tag)
    for number in range(replicas):
        for name, agent in (
            (f"{identifier}-{kind}-{number}", ("ocf", "heartbeat", kind)),
            *(((f"{identifier}-{number}", ("ocf", "pacemaker", "remote")),) if hosts else ()),
        ):
            cluster.primitives.append(Primitive(name, agent, {}, [("monitor", 60000, None)]))
    cluster.collections.append(identifier)


def _make_remote(cluster: Cluster, parent: Element) -> None:
    made = _primitive(cluster, parent, "remote", ("ocf", "pacemaker", "remote"), meta={})
    made.migratable = False
    cluster.remotes.append(made.id)
    cluster.collections.remove(made.id)


def _make_guest(cluster: Cluster, parent: Element) -> None:
    name = cluster.fresh("guest")
    _primitive(cluster, parent, "vm", ("ocf", "heartbeat", "VirtualDomain"), meta={"remote-node": name})
    cluster.primitives.append(Primitive(name, ("ocf", "pacemaker", "remote"), {}, [("monitor", 30000, None)]))
    cluster.remotes.append(name)


def _make_template(cluster: Cluster, parent: Element) -> None:
    identifier = cluster.fresh("tpl")
    attributes = {"id": identifier, "class": "ocf", "provider": "pacemaker", "type": "Dummy"}
    element = SubElement(parent, "template", attributes)
    _pairs(cluster, element, "meta_attributes", _draw(cluster, {"resource-stickiness": (0.5, ("10",))}))
    for _ in range(cluster.random.randint(1, 2)):
        _primitive(
            cluster, parent, "fromtpl", ("ocf", "pacemaker", "Dummy"), meta=_draw(cluster, _META), template=identifier
        )


_MAKERS = {
    "primitive": _make_primitive,
    "group": _make_group,
    "clone": _make_clone,
    "promotable": _make_promotable,
    "bundle": _make_bundle,
    "remote": _make_remote,
    "guest": _make_guest,
    "template": _make_template,
}

# -- constraints


def _score(cluster: Cluster) -> str:
    return cluster.random.choice(("INFINITY", "-INFINITY", "10", "100", "-50", "1000", "INFINITY", "0"))


def _add_constraints(cluster: Cluster, parent: Element) -> None:
    if not cluster.collections:
        return
    for _ in range(cluster.random.choice((0, 1, 1, 2, 3))):
        _location(cluster, parent)
    for _ in range(cluster.random.choice((0, 0, 1, 1, 2))):
        _colocation(cluster, parent)
    for _ in range(cluster.random.choice((0, 0, 1, 1, 2))):
        _order(cluster, parent)
    if cluster.chance(0.12):
        _sets(cluster, parent)
    if cluster.chance(0.15):
        _ticket(cluster, parent)


def _location(cluster: Cluster, parent: Element) -> None:
    attributes = {"id": cluster.fresh("loc-"), "rsc": cluster.random.choice(cluster.collections)}
    if cluster.chance(0.1):
        attributes["resource-discovery"] = cluster.random.choice(("never", "exclusive", "always"))
    if cluster.chance(0.7):
        attributes["node"] = cluster.random.choice(cluster.nodes + cluster.remotes)
        attributes["score"] = _score(cluster)
        if attributes["rsc"] in cluster.promotables and cluster.chance(0.3):
            attributes["role"] = cluster.random.choice(("Promoted", "Unpromoted", "Started"))
        SubElement(parent, "rsc_location", attributes)
        return
    element = SubElement(parent, "rsc_location", attributes)
    rule = SubElement(element, "rule", {"id": cluster.fresh("rule-"), "score": _score(cluster)})
    if cluster.chance(0.3):
        rule.set("boolean-op", cluster.random.choice(("and", "or")))
    if attributes["rsc"] in cluster.promotables and cluster.chance(0.4):
        rule.set("role", "Promoted")
    for _ in range(cluster.random.randint(1, 2)):
        _expression(cluster, rule)


def _expression(cluster: Cluster, rule: Element) -> None:
    identifier = cluster.fresh("expr-")
    match cluster.random.randint(0, 3):
        case 0:
            SubElement(rule, "expression", {"id": identifier, "attribute": "site", "operation": "eq", "value": "east"})
        case 1:
            operation = cluster.random.choice(("defined", "not_defined"))
            SubElement(rule, "expression", {"id": identifier, "attribute": "rank", "operation": operation})
        case 2:
            operation = cluster.random.choice(("lt", "gte", "ne"))
            attributes = {"id": identifier, "attribute": "rank", "operation": operation, "value": "2", "type": "number"}
            SubElement(rule, "expression", attributes)
        case _:
            attributes = {"id": identifier, "operation": cluster.random.choice(("gt", "lt"))}
            attributes["start" if attributes["operation"] == "gt" else "end"] = cluster.random.choice(
                ("2020-01-01", "2030-01-01")
            )
            SubElement(rule, "date_expression", attributes)


def _two(cluster: Cluster) -> tuple[str, str] | None:
    if len(cluster.collections) < 2:
        return None
    first, second = cluster.random.sample(cluster.collections, 2)
    return first, second


def _colocation(cluster: Cluster, parent: Element) -> None:
    pair = _two(cluster)
    if pair is None:
        return
    attributes = {"id": cluster.fresh("col-"), "rsc": pair[0], "with-rsc": pair[1], "score": _score(cluster)}
    if pair[1] in cluster.promotables and cluster.chance(0.5):
        attributes["with-rsc-role"] = cluster.random.choice(("Promoted", "Unpromoted"))
    if pair[0] in cluster.promotables and cluster.chance(0.3):
        attributes["rsc-role"] = cluster.random.choice(("Promoted", "Unpromoted"))
    if cluster.chance(0.08):
        attributes["node-attribute"] = "site"
    if cluster.chance(0.08):
        attributes["influence"] = "false"
    SubElement(parent, "rsc_colocation", attributes)


def _order(cluster: Cluster, parent: Element) -> None:
    pair = _two(cluster)
    if pair is None:
        return
    attributes = {"id": cluster.fresh("ord-"), "first": pair[0], "then": pair[1]}
    if cluster.chance(0.4):
        attributes["kind"] = cluster.random.choice(("Optional", "Mandatory", "Serialize"))
    if cluster.chance(0.15):
        attributes["symmetrical"] = "false"
    if cluster.chance(0.15):
        attributes["first-action"] = cluster.random.choice(("start", "stop"))
    if pair[0] in cluster.promotables and cluster.chance(0.4):
        attributes["first-action"] = cluster.random.choice(("promote", "demote"))
    if pair[1] in cluster.promotables and cluster.chance(0.2):
        attributes["then-action"] = "promote"
    SubElement(parent, "rsc_order", attributes)


def _sets(cluster: Cluster, parent: Element) -> None:
    members = [name for name in cluster.collections if name not in cluster.promotables]
    if len(members) < 3:
        return
    chosen = cluster.random.sample(members, 3)
    if cluster.chance(0.5):
        element = SubElement(parent, "rsc_order", {"id": cluster.fresh("ord-"), "kind": "Mandatory"})
        settings = {"sequential": cluster.random.choice(("true", "false"))}
        if cluster.chance(0.3):
            settings["require-all"] = "false"
    else:
        element = SubElement(parent, "rsc_colocation", {"id": cluster.fresh("col-"), "score": "INFINITY"})
        settings = {"sequential": cluster.random.choice(("true", "false"))}
    for part in (chosen[:2], chosen[2:]):
        holder = SubElement(element, "resource_set", {"id": cluster.fresh("set-"), **settings})
        for name in part:
            SubElement(holder, "resource_ref", {"id": name})


def _ticket(cluster: Cluster, parent: Element) -> None:
    name = cluster.fresh("ticket")
    cluster.tickets.append(name)
    attributes = {"id": cluster.fresh("tic-"), "rsc": cluster.random.choice(cluster.collections), "ticket": name}
    if cluster.chance(0.7):
        attributes["loss-policy"] = cluster.random.choice(("stop", "demote", "fence", "freeze"))
    if attributes["rsc"] in cluster.promotables and cluster.chance(0.5):
        attributes["rsc-role"] = "Promoted"
    SubElement(parent, "rsc_ticket", attributes)


# -- status


def _add_status(cluster: Cluster, parent: Element) -> None:
    states: dict[str, Element] = {}
    for number, name in enumerate(cluster.nodes, 1):
        if cluster.chance(0.03):
            continue
        states[name] = _node_state(cluster, parent, str(number), name)
    for name in cluster.remotes:
        if cluster.chance(0.8):
            attributes = {"id": name, "uname": name, "remote_node": "true"}
            if cluster.chance(0.5):
                attributes["in_ccm"] = "true"
            states[name] = SubElement(parent, "node_state", attributes)
    for made in cluster.primitives:
        if made.hosts is not None:
            for host in made.hosts:
                if cluster.chance(0.8):
                    states.setdefault(
                        host, SubElement(parent, "node_state", {"id": host, "uname": host, "remote_node": "true"})
                    )
    up = [name for name in cluster.nodes if name in states and states[name].get("in_ccm") == "true"]
    if up:
        cluster.root.set("dc-uuid", str(cluster.nodes.index(cluster.random.choice(up)) + 1))
    if not cluster.chance(0.12):
        for made in cluster.primitives:
            _histories(cluster, states, made)
    for name, state in states.items():
        _transient(cluster, name, state)
    if cluster.tickets:
        holder = SubElement(parent, "tickets")
        for ticket in cluster.tickets:
            if cluster.chance(0.7):
                attributes = {"id": ticket, "granted": cluster.random.choice(("true", "false"))}
                if cluster.chance(0.15):
                    attributes["standby"] = "true"
                SubElement(holder, "ticket_state", attributes)


_NODE_STATES = (
    (12, ("true", "online", "member", "member")),
    (2, ("false", "offline", "down", "down")),
    (1, ("false", "offline", "down", "member")),
    (1, ("false", "offline", "member", "member")),
    (1, ("true", "offline", "member", "member")),
    (1, ("true", "online", "pending", "member")),
    (1, ("true", "online", "down", "member")),
)


def _node_state(cluster: Cluster, parent: Element, identifier: str, name: str) -> Element:
    weights, states = zip(*_NODE_STATES, strict=True)
    in_ccm, crmd, join, expected = cluster.random.choices(states, weights)[0]
    attributes = {"id": identifier, "uname": name, "in_ccm": in_ccm, "crmd": crmd, "join": join, "expected": expected}
    return SubElement(parent, "node_state", attributes)


def _transient(cluster: Cluster, name: str, state: Element) -> None:
    values = _draw(
        cluster,
        {
            "probe_complete": (0.1, ("true",)),
            "shutdown": (0.05, (str(NOW - 10), "0")),
            "standby": (0.03, ("true",)),
            "pingd": (0.1, ("100", "0")),
            "terminate": (0.02, ("true",)),
        },
    )
    for made in cluster.primitives:
        if made.promotable and cluster.chance(0.7):
            suffix = f":{cluster.random.randint(0, 1)}" if made.unique else ""
            values[f"master-{made.id}{suffix}"] = cluster.random.choice(("5", "10", "100", "-INFINITY", "1"))
        if cluster.chance(0.05):
            task = cluster.random.choice(("monitor_10000", "start_0", "stop_0"))
            values[f"fail-count-{made.id}#{task}"] = cluster.random.choice(("1", "2", "INFINITY"))
            values[f"last-failure-{made.id}#{task}"] = str(NOW - cluster.random.choice((5, 100, 5000)))
    if values:
        identifier = state.get("id") or name
        _pairs(cluster, SubElement(state, "transient_attributes", {"id": identifier}), "instance_attributes", values)


def _histories(cluster: Cluster, states: dict[str, Element], made: Primitive) -> None:
    """Give a primitive (or its instances) a past on some nodes."""
    places = made.hosts if made.hosts is not None else cluster.nodes
    known = [name for name in places if name in states]
    if made.agent[2] != "remote" and made.hosts is None and made.agent[0] != "stonith" and cluster.chance(0.1):
        known += [name for name in cluster.remotes if name in states]
    active = set(_active_places(cluster, known, made))
    for name in known:
        count = 1
        if made.instances and made.unique:
            count = min(made.instances, 2)
        for number in range(count):
            identifier = made.id
            if made.instances and (made.unique or cluster.chance(0.1)):
                identifier = f"{made.id}:{number if made.unique else known.index(name)}"
            _history(cluster, states[name], name, made, identifier, active=name in active and number == 0)


def _active_places(cluster: Cluster, known: list[str], made: Primitive) -> list[str]:
    if not known or cluster.chance(0.2):
        return []
    if made.hosts is not None:
        return known
    if made.instances:
        return cluster.random.sample(known, min(len(known), max(1, made.instances)))
    count = 2 if len(known) > 1 and cluster.chance(0.03) else 1
    return cluster.random.sample(known, count)


def _history(cluster: Cluster, state: Element, node: str, made: Primitive, identifier: str, *, active: bool) -> None:
    if not active and cluster.chance(0.25):
        return
    lrm = state.find("lrm")
    if lrm is None:
        lrm = SubElement(state, "lrm", {"id": state.get("id") or node})
        SubElement(lrm, "lrm_resources")
    standard, provider, kind = made.agent
    attributes = {"id": identifier, "class": standard}
    if provider is not None:
        attributes["provider"] = provider
    attributes["type"] = kind
    entry = SubElement(lrm[0], "lrm_resource", attributes)
    log = _Log(cluster, entry, made, node)
    if not active:
        log.add("monitor", 0, 7 if cluster.chance(0.93) else cluster.random.choice((0, 1, 5)), target=7)
        return
    if cluster.chance(0.05):
        log.add("start", 0, -1, pending=True)
        return
    log.add("start", 0, 0 if cluster.chance(0.94) else cluster.random.choice((1, 5, 6)))
    role = None
    if made.promotable:
        role = "Unpromoted"
        if cluster.chance(0.35):
            log.add("promote", 0, 0 if cluster.chance(0.93) else 1)
            role = "Promoted"
    if cluster.chance(0.04):
        log.add("stop", 0, cluster.random.choice((0, 0, 1)))
    elif made.migratable and cluster.chance(0.2) and len(cluster.nodes) > 1:
        target = cluster.random.choice([name for name in cluster.nodes if name != node])
        log.add("migrate_to", 0, cluster.random.choice((0, 0, 1)), migration=(node, target))
    for name, interval, wanted in made.intervals:
        if wanted in (None, role) and cluster.chance(0.8):
            rc = 8 if role == "Promoted" else 0
            failed = cluster.chance(0.06)
            log.add(name, interval, cluster.random.choice((1, 7)) if failed else rc, target=rc)


@dataclass(slots=True)
class _Log:
    """Writes the operations of one resource on one node."""

    cluster: Cluster
    entry: Element
    made: Primitive
    node: str
    call: int = 0

    def add(
        self,
        task: str,
        interval: int,
        rc: int,
        *,
        target: int = 0,
        pending: bool = False,
        migration: tuple[str, str] | None = None,
    ) -> None:
        cluster = self.cluster
        self.call = cluster.random.randint(1, 80) if not self.call else self.call + 1
        identifier = self.made.id
        failed = rc != target and not pending
        name = f"{identifier}_{task}_{interval}" if interval or migration else f"{identifier}_last_0"
        if failed and not migration:
            name = f"{identifier}_last_failure_0"
        key = f"{self.call}:4:{target}:11111111-2222-3333-4444-555555555555"
        status = -1 if pending else 0
        attributes = {
            "id": name,
            "operation_key": f"{identifier}_{task}_{interval}",
            "operation": task,
            "crm_feature_set": "3.16.1",
            "transition-key": key,
            "transition-magic": f"{status}:{rc};{key}",
            "on_node": self.node,
            "call-id": str(-1 if pending else self.call),
            "rc-code": str(193 if pending else rc),
            "op-status": str(status),
            "interval": str(interval),
            "last-rc-change": str(NOW - cluster.random.choice((20, 300, 4000, 90000))),
            "exec-time": "10",
            "queue-time": "0",
        }
        if cluster.chance(0.3) and not self.made.hosts and not interval:
            changed = cluster.chance(0.1)
            parameters = dict(self.made.parameters) | ({"gone": "1"} if changed else {})
            attributes["op-digest"] = operation_digest(parameters)
        if migration is not None:
            attributes["migrate_source"], attributes["migrate_target"] = migration
        for known in list(self.entry):
            if known.get("id") == name:
                self.entry.remove(known)
        SubElement(self.entry, "lrm_rsc_op", attributes)
