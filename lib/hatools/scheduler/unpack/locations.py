"""Location constraints: preferences for nodes, by name or by rule. Pure."""

import re
from xml.etree.ElementTree import Element

from hatools.cib.document import children
from hatools.cib.nvpair import resolve
from hatools.cib.rules import ChangeTracker, RuleInput, rule_holds
from hatools.scheduler.model.constraint import Location
from hatools.scheduler.model.node import Discovery, Node, NodeScore
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.nvpairs import finder, note_changes
from hatools.scheduler.unpack.parameters import parameters
from hatools.scheduler.unpack.resource_sets import (
    InvalidConstraint,
    Side,
    expand_tags,
    find_constraint_resource,
    resource_sets,
    set_members,
)
from hatools.values.role import Role, parse_role
from hatools.values.score import INFINITY, add_scores


def node_attribute(node: Node, name: str, resource: Resource | None) -> str | None:
    """Return a node attribute; for bundles that use their host's storage, that of the host."""
    if resource is None or (resource.meta.get("container-attribute-target") or "").lower() != "host":
        return node.attributes.get(name)
    connection = node.remote_resource
    if connection is None or connection.container is None:
        return node.attributes.get(name)
    hosts = connection.container.running_on
    return hosts[0].attributes.get(name) if hosts else None


def new_location(
    plan: Plan, identifier: str, resource: Resource, score: int, discovery: str | None, node: Node | None
) -> Location:
    """Record a preference of a resource; for one node, or with scores to be filled in by a rule."""
    mode = Discovery.ALWAYS
    if discovery is not None:
        try:
            mode = Discovery(discovery.lower())
        except ValueError:
            plan.config_error(f"Invalid resource-discovery value {discovery} in location constraint")
    if mode is Discovery.EXCLUSIVE:
        resource.exclusive_discovery = True
    scores = [] if node is None else [NodeScore(node, score, node.discovery)]
    location = Location(identifier, resource, Role.UNKNOWN, scores, mode)
    plan.locations.append(location)
    resource.locations.insert(0, location)
    return location


_SIDES = (Side("rsc", "role", "role"),)


def unpack_location(plan: Plan, xml: Element) -> None:
    """Read one ``rsc_location``."""
    try:
        expanded = expand_tags(plan, xml, _SIDES, convert_resources=False)
        any_sets = False
        for each in resource_sets(plan, expanded):
            any_sets = True
            if each.get("id") is None:
                plan.say("error", f"Ignoring resource_set without id in constraint '{xml.get('id') or '(missing ID)'}'")
                return
            for resource in set_members(plan, each.get("id"), each):
                _unpack_for(plan, expanded, resource, each.get("role"), each.get("score"), None)
    except InvalidConstraint:
        return
    if not any_sets:
        _unpack_simple(plan, xml)


def _unpack_simple(plan: Plan, xml: Element) -> None:
    identifier = xml.get("id") or ""
    name = xml.get("rsc")
    if name:
        resource = find_constraint_resource(plan, name)
        if resource is None:
            plan.say("warning", f"Ignoring constraint '{identifier}' because resource '{name}' does not exist")
        else:
            _unpack_for(plan, xml, resource, None, None, None)
    pattern = xml.get("rsc-pattern")
    if not pattern:
        return
    invert = pattern.startswith("!")
    try:
        compiled = re.compile(pattern[1:] if invert else pattern)
    except re.error:
        plan.say("error", f"Ignoring constraint '{identifier}' because rsc-pattern has invalid value '{pattern}'")
        return
    for resource in plan.resources:
        match = compiled.search(resource.id)
        if (match is None) == invert:
            _unpack_for(plan, xml, resource, None, None, None if invert else match)


def _unpack_for(
    plan: Plan,
    xml: Element,
    resource: Resource,
    role: str | None,
    score: str | None,
    match: "re.Match[str] | None",
) -> None:
    identifier = xml.get("id") or ""
    discovery = xml.get("resource-discovery")
    score = xml.get("score") if score is None else score
    node_name = xml.get("node")
    if node_name is None or score is None:
        rules = list(children(xml, "rule"))
        for rule in rules:
            _unpack_rule(plan, identifier, rule, resource, discovery, match)
        if not rules:
            plan.say("error", f"Ignoring constraint '{identifier}' because it contains no rules")
        return
    node = plan.find_node(node_name)
    if node is None:
        return
    location = new_location(plan, identifier, resource, plan.options.score(score), discovery, node)
    role = xml.get("role") if role is None else role
    if role is None:
        return
    wanted = parse_role(role)
    if wanted is Role.UNKNOWN:
        plan.config_error(f"Invalid constraint {identifier}: Bad role {role}")
    elif wanted not in (Role.STARTED, Role.UNPROMOTED):
        # Being started or unpromoted is what any active instance is at least.
        location.role = wanted


def _rule_score(plan: Plan, rule: str, score: str | None, attribute: bool, node: Node, resource: Resource) -> int:
    if score is None:
        plan.config_error(f"Rule {rule}: no score specified.  Assuming 0.")
        return 0
    if not attribute:
        return plan.options.score(score)
    value = node_attribute(node, score, resource)
    return -INFINITY if value is None else plan.options.score(value)


def _unpack_rule(
    plan: Plan,
    constraint: str,
    rule: Element,
    resource: Resource,
    discovery: str | None,
    match: "re.Match[str] | None",
) -> None:
    target = resolve(rule, finder(plan))
    if target is None:
        return
    identifier = target.get("id") or ""
    role = target.get("role")
    if role is not None and parse_role(role) is Role.UNKNOWN:
        plan.config_error(f"Bad role specified for {identifier}: {role}")
        return
    score = target.get("score")
    by_attribute = score is None and target.get("score-attribute") is not None
    if by_attribute:
        score = target.get("score-attribute")
        if match is not None and score is not None:
            score = _expand(score, match)
    is_or = (target.get("boolean-op") or "").lower() == "or"
    location = new_location(plan, identifier, resource, 0, discovery, None)
    location.constraint = constraint
    if role is not None:
        wanted = parse_role(role)
        location.role = Role.UNKNOWN if wanted is Role.UNPROMOTED else wanted
    changes = ChangeTracker()
    for node in plan.nodes:
        given = RuleInput(
            now=plan.now,
            node_attributes=node.attributes,
            parameters=parameters(plan, resource, node),
            meta=resource.meta,
            match=match,
            expand_sources=True,
            changes=changes,
        )
        if not rule_holds(target, given, finder(plan)):
            continue
        value = _rule_score(plan, identifier, score, by_attribute, node, resource)
        if is_or:
            location.scores.append(NodeScore(node, add_scores(node.score, value), node.discovery))
        else:
            location.scores.insert(0, NodeScore(node, value, node.discovery))
    note_changes(plan, changes)


def _expand(text: str, match: "re.Match[str]") -> str:
    def group(reference: "re.Match[str]") -> str:
        number = int(reference[1])
        return (match[number] or "") if number <= match.re.groups else ""

    return re.sub(r"%(\d)", group, text) or text
