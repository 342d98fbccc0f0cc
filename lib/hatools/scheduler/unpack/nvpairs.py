"""Name-value sets evaluated for a plan: its time, its document, its recheck time. Pure."""

from collections.abc import Mapping, MutableMapping
from xml.etree.ElementTree import Element

from hatools.cib.nvpair import unpack_pairs
from hatools.cib.rules import ChangeTracker, FindElement, RuleInput, rule_holds
from hatools.scheduler.plan import Plan


def finder(plan: Plan) -> FindElement:
    """Return the function that resolves ``id-ref`` in the plan's document."""
    found: FindElement | None = plan.scratch.get("finder")
    if found is None:

        def find(tag: str, identifier: str) -> Element | None:
            element = plan.document.by_id(identifier)
            return element if element is not None and element.tag == tag else None

        found = plan.scratch["finder"] = find
    return found


def unpack_set(
    plan: Plan,
    parent: Element | None,
    tag: str,
    table: MutableMapping[str, str],
    *,
    node_attributes: Mapping[str, str] | None = None,
    agent: tuple[str | None, str | None, str | None] | None = None,
    operation: tuple[str, int] | None = None,
    first: str | None = None,
    overwrite: bool = False,
) -> None:
    """Add the pairs of an element's sets to a table and note when time will change the result."""
    if parent is None or not len(parent):
        return
    changes = ChangeTracker()
    given = RuleInput(now=plan.now, node_attributes=node_attributes, agent=agent, operation=operation, changes=changes)
    unpack_pairs(parent, tag, table, given, finder(plan), first=first, overwrite=overwrite)
    note_changes(plan, changes)


def note_changes(plan: Plan, changes: ChangeTracker) -> None:
    """Carry the moment that rules depend on into the plan's recheck time."""
    if changes.earliest is not None:
        plan.update_recheck(changes.earliest.epoch_seconds)


def evaluate(plan: Plan, rule: Element, given: RuleInput) -> bool:
    """Evaluate a rule for a plan."""
    result = rule_holds(rule, given, finder(plan))
    note_changes(plan, given.changes)
    return result
