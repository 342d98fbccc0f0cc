"""The stages of a scheduler run, in order, and which fields of the plan each makes final. Pure.

Algorithms reach the behaviour of a resource through the object that :func:`attach` puts into
``resource.variant`` once everything is unpacked.
"""

from collections.abc import Callable

from hatools.scheduler.actions.cleanup import (
    clear_orphaned_fail_counts,
    handle_configuration_changes,
    run_parameter_checks,
)
from hatools.scheduler.actions.fencing import schedule_fencing_and_shutdowns
from hatools.scheduler.actions.probes import schedule_probes
from hatools.scheduler.actions.remote import order_remote_actions
from hatools.scheduler.graph import build_graph
from hatools.scheduler.model.resource import Kind, Resource
from hatools.scheduler.model.variant import Variant
from hatools.scheduler.ordering.implicit import apply_orderings
from hatools.scheduler.placement.assignment import sort_resources
from hatools.scheduler.placement.health import apply_health
from hatools.scheduler.placement.location import apply_node_criteria
from hatools.scheduler.placement.utilization import record_capacities
from hatools.scheduler.plan import Plan
from hatools.scheduler.summary import build_summary, settle_roles
from hatools.scheduler.unpack.constraints import unpack_constraints
from hatools.scheduler.variants.bundle import BundleVariant
from hatools.scheduler.variants.clone import CloneVariant
from hatools.scheduler.variants.group import GroupVariant
from hatools.scheduler.variants.primitive import PrimitiveVariant
from hatools.transition.graph import Graph

_Stage = tuple[Callable[[Plan], None], tuple[str, ...]]


def attach(plan: Plan) -> None:
    """Give every resource its behaviour."""
    variants: dict[Kind, Variant] = {
        Kind.PRIMITIVE: PrimitiveVariant(plan),
        Kind.GROUP: GroupVariant(plan),
        Kind.CLONE: CloneVariant(plan),
        Kind.BUNDLE: BundleVariant(plan),
    }
    for top in plan.resources:
        for resource in top.descendants():
            resource.variant = variants[resource.kind]


def _variant_calls(name: str) -> Callable[[Plan], None]:
    def run(plan: Plan) -> None:
        for resource in list(plan.resources):
            getattr(resource.variant, name)(resource)

    return run


def _assign(plan: Plan) -> None:
    """Place everything: remote connections first, as nodes depend on them."""
    if plan.options.placement_strategy != "default":
        sort_resources(plan)
    record_capacities(plan, "original")

    def assign(resource: Resource) -> None:
        assert resource.variant is not None
        resource.variant.assign(resource, resource.partial_migration_target if resource.is_remote_connection else None)

    if plan.have_remote_nodes:
        for resource in list(plan.resources):
            if resource.is_remote_connection:
                assign(resource)
    for resource in list(plan.resources):
        if not resource.is_remote_connection:
            assign(resource)
    record_capacities(plan, "remaining")


def _probe(plan: Plan) -> None:
    if plan.options.startup_probes:
        schedule_probes(plan)


def _clear_orphans(plan: Plan) -> None:
    if plan.options.stop_orphan_resources:
        clear_orphaned_fail_counts(plan)


STAGES: tuple[_Stage, ...] = (
    (attach, ("options", "nodes", "tags", "templates", "op_defaults", "rsc_defaults", "have_quorum", "now")),
    (apply_health, ()),
    (unpack_constraints, ("locations", "tickets", "ticket_constraints")),
    (apply_node_criteria, ("max_valid_nodes",)),
    (_variant_calls("internal_constraints"), ()),
    (handle_configuration_changes, ()),
    (_assign, ("resources", "colocations")),
    (run_parameter_checks, ("parameter_checks",)),
    (_probe, ()),
    (_clear_orphans, ()),
    (_variant_calls("create_actions"), ()),
    (order_remote_actions, ()),
    (schedule_fencing_and_shutdowns, ()),
    (apply_orderings, ("orderings",)),
    (settle_roles, ()),
)
"""What is done after unpacking, and the plan's fields that are final afterwards."""


def run_all(plan: Plan, transition_id: int) -> Graph:
    """Run every stage on a plan that was read, and return the transition graph."""
    for stage, final in STAGES:
        stage(plan)
        plan.seal(final)
    graph = build_graph(plan, transition_id)
    build_summary(plan)
    return graph
