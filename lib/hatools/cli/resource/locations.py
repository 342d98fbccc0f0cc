"""``crm_resource --move``, ``--ban`` and ``--clear``: location constraints made and removed for people. I/O."""

import time
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from hatools.cib.document import children
from hatools.cib.operations import Edit
from hatools.cli.ending import Refused
from hatools.cli.resource.context import Context
from hatools.ipc.clients.cib import query_or_none
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.resource import Resource
from hatools.values.ciboperation import CibOperation
from hatools.values.exitcode import ExitCode
from hatools.values.iso8601 import Duration, Moment
from hatools.values.role import Role


def ban(context: Context) -> None:
    """Keep a resource off a node: the one named, else the only one it is active (or promoted) on."""
    if context.request.node is None:
        _ban_where_active(context)
    else:
        assert context.node is not None
        add_ban(context, context.wanted_id, context.node.name, promoted=context.request.promoted)


def _ban_where_active(context: Context) -> None:
    resource, name = context.wanted, context.wanted_id
    node, count = resource.find_active_requires()
    if count == 1 and node is not None:
        add_ban(context, name, node.name, promoted=context.request.promoted)
        return
    if resource.promotable:
        promoted = _promoted_nodes(resource)
        if len(promoted) == 1:
            add_ban(context, name, promoted[0][1].name, promoted=context.request.promoted)
            return
        raise Refused(
            ExitCode.USAGE,
            f"Resource '{name}' not moved: active in {count} locations (promoted in {len(promoted)}).\n"
            f"To prevent '{name}' from running on a specific location, specify a node."
            f"To prevent '{name}' from being promoted at a specific location,"
            " specify a node and the --promoted option.",
        )
    raise Refused(
        ExitCode.USAGE,
        f"Resource '{name}' not moved: active in {count} locations.\n"
        f"To prevent '{name}' from running on a specific location, specify a node.",
    )


def _promoted_nodes(resource: Resource) -> list[tuple[Resource, Node]]:
    """Return the promoted instances of a clone and where they are."""
    found = []
    for child in resource.children:
        if child.role_now() is Role.PROMOTED:
            nodes = child.current_nodes()
            if nodes:
                found.append((child, nodes[0]))
    return found


def move(context: Context) -> None:
    """Make a resource prefer a node, or without one leave the node it is on."""
    if context.request.node is None:
        _ban_where_active(context)
        return
    request, out, dest = context.request, context.out, context.node
    assert dest is not None
    resource, name, promoted = context.wanted, context.wanted_id, request.promoted
    if promoted and not resource.promotable:
        top = resource.top
        if top.promotable:
            out.info(f"Using parent '{resource.id}' for move instead of '{name}'.")
            resource, name = top, top.id
        else:
            out.info(f"Ignoring --promoted option: {name} is not promotable")
            promoted = False
    current, count, is_clone = _current_node(resource, promoted)
    if count > 1:
        if not is_clone:
            raise Refused(ExitCode.MULTIPLE)
        current = None
    is_there = current is dest
    if is_there and not request.force:
        raise Refused(ExitCode.EXISTS)
    _clear_everywhere(context, name, bans=False)
    clear_on(context, name, dest.name, bans=True)
    _add_preference(context, name, dest.name, promoted=promoted)
    if not request.force or is_there:
        return
    if current is not None:
        add_ban(context, name, current.name, promoted=promoted)
    elif count > 1:
        word = "promoted" if promoted else "active"
        out.info(f"Resource '{name}' is currently {word} in {count} locations. One may now move to {dest.name}")
        out.info(f"To prevent '{name}' from being {word} at a specific location, specify a node.")


def _current_node(resource: Resource, promoted: bool) -> tuple[Node | None, int, bool]:
    """Return where it is, on how many nodes, and whether several are normal; of a promotable clone, where promoted."""
    node, count = resource.find_active_requires()
    is_clone = resource.is_clone
    if resource.promotable:
        instances = _promoted_nodes(resource)
        if promoted or instances:
            count = len(instances)
            node = instances[-1][1] if instances else None
            is_clone = is_clone and not instances
    return node, count, is_clone


# Making constraints


def _lifetime_end(context: Context) -> str | None:
    """Return when the constraint ends, None for never.

    Raises:
        Refused: the lifetime is no duration.
    """
    text = context.request.lifetime
    if text is None:
        return None
    duration = Duration.parse(text)
    if duration is None:
        context.out.error(
            f"Invalid duration specified: {text}\n"
            "Please refer to https://en.wikipedia.org/wiki/ISO_8601#Durations for examples of valid durations"
        )
        raise Refused(ExitCode.USAGE)
    offset = time.localtime().tm_gmtoff
    end = duration.add_to(Moment.from_epoch(int(time.time()), offset)).format()
    context.out.info(f"Migration will take effect until: {end}")
    return end


def add_ban(context: Context, resource: str, node: str, *, promoted: bool) -> None:
    """Keep a resource (by id) off a node."""
    end = _lifetime_end(context)
    identifier = f"cli-ban-{resource}-on-{node}"
    doing = "being promoted" if promoted else "running"
    context.out.info(
        f"WARNING: Creating rsc_location constraint '{identifier}' with a score of -INFINITY for resource {resource}"
        f" on {node}.\n"
        f"\tThis will prevent {resource} from {doing} on {node} until the constraint is removed using the clear option"
        " or by editing the CIB with an appropriate tool\n"
        f"\tThis will be the case even if {node} is the last node in the cluster"
    )
    rule_ids = (f"{identifier}-rule", f"{identifier}-expr", f"{identifier}-lifetime")
    _add(context, identifier, resource, node, "-INFINITY", promoted=promoted, end=end, rule_ids=rule_ids)


def _add_preference(context: Context, resource: str, node: str, *, promoted: bool) -> None:
    end = _lifetime_end(context)
    rule_ids = (
        f"cli-prefer-rule-{resource}",
        f"cli-prefer-expr-{resource}",
        f"cli-prefer-lifetime-end-{resource}",
    )
    identifier = f"cli-prefer-{resource}"
    _add(context, identifier, resource, node, "INFINITY", promoted=promoted, end=end, rule_ids=rule_ids)


def _add(
    context: Context,
    identifier: str,
    resource: str,
    node: str,
    score: str,
    *,
    promoted: bool,
    end: str | None,
    rule_ids: tuple[str, str, str],
) -> None:
    """Add a constraint; with an end, as a rule that compares the node's name and the date."""
    role = "Promoted" if promoted else "Started"
    location = Element("rsc_location", {"id": identifier, "rsc": resource, "role": role})
    if end is None:
        location.set("node", node)
        location.set("score", score)
    else:
        rule = Element("rule", {"id": rule_ids[0], "score": score, "boolean-op": "and"})
        name_test = {"id": rule_ids[1], "attribute": "#uname", "operation": "eq", "value": node, "type": "string"}
        rule.append(Element("expression", name_test))
        rule.append(Element("date_expression", {"id": rule_ids[2], "operation": "lt", "end": end}))
        location.append(rule)
    section = Element("constraints")
    section.append(location)
    context.cib.change(Edit(CibOperation.MODIFY, "constraints", update=section), force=context.request.force)


# Removing constraints


def clear(context: Context) -> None:
    """Remove what moving and banning made, and tell what went away."""
    request, out = context.request, context.out
    before = _location_ids(context)
    if request.expired:
        _clear_expired(context)
    elif context.node is not None:
        clear_on(context, context.wanted_id, context.node.name, bans=True)
    else:
        _clear_everywhere(context, context.wanted_id, bans=True)
    if not out.quiet:
        after = set(_location_ids(context))
        for identifier in before:
            if identifier not in after:
                out.info(f"Removing constraint: {identifier}")


def _locations(context: Context) -> Iterator[Element]:
    section = query_or_none(context.cib, "constraints")
    yield from children(section, "rsc_location")


def _location_ids(context: Context) -> list[str]:
    return sorted(location.get("id") or "" for location in _locations(context))


def _clear_everywhere(context: Context, resource: str, *, bans: bool) -> None:
    for node in context.plan.nodes:
        clear_on(context, resource, node.name, bans=bans)


def clear_on(context: Context, resource: str, node: str, *, bans: bool) -> None:
    """Remove the preference for a node (any, if forced) and the ban from it."""
    prefer = f"cli-prefer-{resource}"
    for location in _locations(context):
        if location.get("id") == prefer and _names_node(location, node):
            _remove(context, Element("rsc_location", {"id": prefer}))
    victims = [Element("rsc_location", {"id": f"cli-ban-{resource}-on-{node}"})] if bans else []
    preference = Element("rsc_location", {"id": prefer})
    if not context.request.force:
        preference.set("node", node)
    _remove(context, *victims, preference)


def _names_node(location: Element, node: str) -> bool:
    """Say whether a constraint's rule is about a node."""
    for rule in children(location, "rule"):
        for test in children(rule, "expression"):
            if test.get("attribute") == "#uname" and test.get("value") == node:
                return True
    return False


def _remove(context: Context, *victims: Element) -> None:
    section = Element("constraints")
    section.extend(victims)
    context.cib.change(Edit(CibOperation.DELETE, "constraints", update=section), force=context.request.force)


def _clear_expired(context: Context) -> None:
    """Remove the constraints whose lifetime is over, of one resource and node if those are given."""
    request = context.request
    now = Moment.from_epoch(int(time.time()))
    for location in list(_locations(context)):
        identifier = location.get("id") or ""
        if not identifier.startswith(("cli-ban-", "cli-prefer-")):
            continue
        if request.resource is not None and location.get("rsc") != request.resource:
            continue
        if request.node is not None and not _names_node(location, request.node):
            continue
        if request.promoted and location.get("role") not in ("Promoted", "Master"):
            continue
        dates = [date for rule in children(location, "rule") for date in children(rule, "date_expression")]
        end = Moment.parse(dates[0].get("end") or "", now) if dates else None
        if end is not None and end < now:
            _remove(context, Element("rsc_location", {"id": identifier}))
