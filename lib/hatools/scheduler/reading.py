"""The first stages: read the cluster's state from the CIB. Pure.

They stand apart from the ones that decide, so that a command that only shows something starts without those.
"""

import sys

from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.history import unpack_status
from hatools.scheduler.unpack.nodes import unpack_nodes, unpack_options
from hatools.scheduler.unpack.remote_nodes import unpack_remote_nodes
from hatools.scheduler.unpack.resources import unpack_resources
from hatools.scheduler.unpack.templates import unpack_tags

_DEPTH = 200_000
"""Recursion follows chains of orderings and colocations, which may be as long as there are resources."""


def run_unpack(plan: Plan, *, with_constraints: bool = False) -> None:
    """Read everything that the CIB says about the cluster's state."""
    sys.setrecursionlimit(max(_DEPTH, sys.getrecursionlimit()))
    unpack_options(plan)
    unpack_nodes(plan)
    implied = unpack_remote_nodes(plan)
    unpack_resources(plan, implied)
    unpack_tags(plan)
    unpack_status(plan)
    count_instances(plan)
    if with_constraints:
        from hatools.scheduler.stages import attach
        from hatools.scheduler.unpack.constraints import unpack_constraints

        attach(plan)
        unpack_constraints(plan)


def count_instances(plan: Plan) -> None:
    """Count configured instances, and how many are disabled and blocked, for status displays."""
    pending = list(plan.resources)
    while pending:
        resource = pending.pop()
        if resource.bundle_data is not None:
            for replica in resource.bundle_data.replicas:
                pending.extend(replica.members())
        elif resource.children:
            pending.extend(resource.children)
        elif not resource.orphan or resource.role > 1:
            plan.known_instances += 1
            plan.disabled_resources += resource.is_disabled
            plan.blocked_resources += resource.blocked
