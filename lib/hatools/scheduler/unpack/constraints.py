"""The ``constraints`` section: which reader is for which constraint. Pure."""

from xml.etree.ElementTree import Element

from hatools.cib.document import children
from hatools.cib.rules import ChangeTracker, RuleInput, any_rule_holds
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.colocations import unpack_colocation
from hatools.scheduler.unpack.locations import unpack_location
from hatools.scheduler.unpack.nvpairs import finder, note_changes
from hatools.scheduler.unpack.orderings import unpack_order
from hatools.scheduler.unpack.tickets import unpack_ticket_constraint

_READERS = {
    "rsc_order": unpack_order,
    "rsc_colocation": unpack_colocation,
    "rsc_location": unpack_location,
    "rsc_ticket": unpack_ticket_constraint,
}


def unpack_constraints(plan: Plan) -> None:
    """Read all constraints that are in force now."""
    for xml in children(plan.document.section("constraints")):
        identifier = xml.get("id")
        if identifier is None:
            plan.say("error", f"Ignoring <{xml.tag}> constraint without id")
            continue
        lifetime = next(children(xml, "lifetime"), None)
        if lifetime is not None:
            plan.say(
                "warning",
                f"Support for 'lifetime' attribute (in {identifier}) is deprecated (the rules it contains should "
                "instead be direct descendents of the constraint object)",
            )
            if not _is_alive(plan, lifetime):
                continue
        reader = _READERS.get(str(xml.tag).lower())
        if reader is None:
            plan.config_error(f"Unsupported constraint type: {xml.tag}")
        else:
            reader(plan, xml)


def _is_alive(plan: Plan, lifetime: Element) -> bool:
    changes = ChangeTracker()
    alive = any_rule_holds(lifetime, RuleInput(now=plan.now, changes=changes), finder(plan))
    note_changes(plan, changes)
    return alive
