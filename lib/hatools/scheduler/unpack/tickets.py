"""Tickets: their states, the constraints on them, what losing one does. Pure."""

from xml.etree.ElementTree import Element

from hatools.cib.document import children
from hatools.scheduler.model.constraint import LossPolicy, Ticket, TicketConstraint
from hatools.scheduler.model.reason import Cause
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.factory import require_fencing
from hatools.scheduler.unpack.resource_sets import (
    InvalidConstraint,
    Side,
    expand_tags,
    find_constraint_resource,
    find_instance,
    resource_sets,
    set_members,
)
from hatools.scheduler.unpack.scores import add_location_score
from hatools.values.boolean import is_true
from hatools.values.integer import whole_number
from hatools.values.role import Role, parse_role
from hatools.values.score import INFINITY


def find_or_add_ticket(plan: Plan, identifier: str) -> Ticket:
    """Return a ticket; one that nobody has heard of is not granted."""
    ticket = plan.tickets.get(identifier)
    if ticket is None:
        ticket = plan.tickets[identifier] = Ticket(identifier)
    return ticket


def unpack_ticket_states(plan: Plan, section: Element) -> None:
    """Read the ``tickets`` of the status section."""
    for xml in children(section, "ticket_state"):
        identifier = xml.get("id")
        if not identifier:
            continue
        ticket = find_or_add_ticket(plan, identifier)
        ticket.state.update((name, value) for name, value in xml.items() if name != "id")
        ticket.granted = is_true(ticket.state.get("granted"))
        last = ticket.state.get("last-granted")
        if last is not None:
            ticket.last_granted = whole_number(last)
        ticket.standby = is_true(ticket.state.get("standby"))


# -- constraints


_SIDES = (Side("rsc", "rsc-role", "role"),)


def unpack_ticket_constraint(plan: Plan, xml: Element) -> None:
    """Read one ``rsc_ticket``."""
    identifier = xml.get("id") or ""
    name = xml.get("ticket")
    if name is None:
        plan.say("error", f"Ignoring constraint '{identifier}' without ticket")
        return
    if not name:
        return
    ticket = find_or_add_ticket(plan, name)
    policy = xml.get("loss-policy")
    try:
        expanded = expand_tags(plan, xml, _SIDES, convert_resources=False)
        any_sets = False
        for each in resource_sets(plan, expanded):
            any_sets = True
            if each.get("id") is None:
                plan.say("error", "Ignoring <resource_set> without id")
                return
            for resource in set_members(plan, each.get("id"), each):
                _require_ticket(plan, each.get("id") or "", resource, ticket, each.get("role"), policy)
    except InvalidConstraint:
        return
    if not any_sets:
        _unpack_simple(plan, xml, identifier, ticket, policy)


def _unpack_simple(plan: Plan, xml: Element, identifier: str, ticket: Ticket, policy: str | None) -> None:
    name = xml.get("rsc")
    instance = xml.get("rsc-instance")
    if instance is not None:
        plan.say(
            "warning",
            "Support for rsc-instance is deprecated and will be removed in a future release.",
            processing=True,
            once="colocation instance",
        )
    if name is None:
        plan.say("error", f"Ignoring constraint '{identifier}' without resource")
        return
    resource = find_constraint_resource(plan, name)
    if resource is None:
        plan.say("error", f"Ignoring constraint '{identifier}' because resource '{name}' does not exist")
        return
    if instance is not None:
        resource = find_instance(plan, identifier, resource, name, instance)
        if resource is None:
            return
    _require_ticket(plan, identifier, resource, ticket, xml.get("rsc-role"), policy)


def _loss_policy(plan: Plan, ticket: Ticket, role: Role, text: str | None) -> LossPolicy:
    word = (text or "").lower()
    if word == "fence" and not plan.options.fencing_enabled:
        plan.say(
            "error",
            f"Resetting 'loss-policy' for ticket '{ticket.id}' to 'stop' because fencing is not configured",
        )
        return LossPolicy.STOP
    try:
        return LossPolicy(word)
    except ValueError:
        return LossPolicy.DEMOTE if role is Role.PROMOTED else LossPolicy.STOP


def _require_ticket(
    plan: Plan, identifier: str, resource: Resource, ticket: Ticket, role_text: str | None, policy: str | None
) -> None:
    role = Role.UNKNOWN if role_text is None or role_text.lower() == "started" else parse_role(role_text)
    constraint = TicketConstraint(identifier, resource, ticket, _loss_policy(plan, ticket, role, policy), role)
    resource.tickets.append(constraint)
    plan.ticket_constraints.append(constraint)
    if not ticket.granted or ticket.standby:
        _apply(plan, resource, constraint)


def _apply(plan: Plan, resource: Resource, constraint: TicketConstraint) -> None:
    """Draw the consequences of a ticket that is missing or in standby."""
    if resource.children:
        for child in resource.children:
            _apply(plan, child, constraint)
        return
    ticket, policy = constraint.ticket, constraint.loss_policy
    if not ticket.granted and resource.running_on:
        matches = constraint.role in (Role.UNKNOWN, resource.role)
        if policy is LossPolicy.STOP or (policy is LossPolicy.DEMOTE and constraint.role is not Role.PROMOTED):
            _forbid(plan, resource, constraint)
        elif policy is LossPolicy.FENCE and matches:
            _forbid(plan, resource, constraint)
            for node in resource.running_on:
                require_fencing(plan, node, "deadman ticket was lost")
        elif policy is LossPolicy.FREEZE and matches:
            resource.managed = False
            resource.blocked = True
            plan.reasons.resource(resource.id, Cause.TICKET, ticket.id, f"frozen: ticket {ticket.id} was lost")
    elif constraint.role is not Role.PROMOTED or policy is LossPolicy.STOP:
        _forbid(plan, resource, constraint)


def _forbid(plan: Plan, resource: Resource, constraint: TicketConstraint) -> None:
    add_location_score(plan, resource, None, -INFINITY)
    state = "is in standby" if constraint.ticket.granted else "is not granted"
    plan.reasons.resource(
        resource.id, Cause.TICKET, constraint.ticket.id, f"ticket {constraint.ticket.id} {state} ({constraint.id})"
    )


def require_promotion_tickets(plan: Plan, clone: Resource) -> None:
    """Keep a promotable clone from being promoted while a ticket for that is missing."""
    for constraint in clone.tickets:
        if constraint.role is Role.PROMOTED and (not constraint.ticket.granted or constraint.ticket.standby):
            _forbid(plan, clone, constraint)
