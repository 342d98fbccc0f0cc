"""What every kind of resource can answer. Pure.

Algorithms talk to resources through :class:`Variant`; the implementations are in
``variants/`` and are attached by ``stages.py`` once everything is unpacked.
"""

from typing import Protocol

from hatools.scheduler.model.action import Action
from hatools.scheduler.model.constraint import Colocation, Location
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.resource import Resource


class Variant(Protocol):
    """Behaviour of one kind of resource; ``resource`` is always of that kind."""

    def assign(self, resource: Resource, prefer: Node | None) -> Node | None:
        """Choose where the resource (all parts of it) shall be; return the node if it is one."""
        ...

    def create_actions(self, resource: Resource) -> None:
        """Create the actions that lead from the current to the wanted state."""
        ...

    def create_probe(self, resource: Resource, node: Node) -> bool:
        """Schedule probes of the resource on a node where needed; say whether any was."""
        ...

    def internal_constraints(self, resource: Resource) -> None:
        """Create the orderings and colocations that the kind of resource implies."""
        ...

    def apply_colocation(
        self, dependent: Resource, primary: Resource, colocation: Colocation, *, for_dependent: bool
    ) -> None:
        """Let a colocation influence scores or promotion priority of the dependent."""
        ...

    def colocated_resources(
        self, resource: Resource, origin: Resource | None, found: dict[Resource, None]
    ) -> dict[Resource, None]:
        """Collect resources that must be on the same node, for utilization."""
        ...

    def apply_location(self, resource: Resource, location: Location) -> None:
        """Apply a location constraint to the resource's scores."""
        ...

    def action_flags(self, resource: Resource, action: Action, node: Node | None) -> int:
        """Return the effective flags of an action of this resource, on a node if given."""
        ...

    def update_ordered_actions(
        self,
        resource: Resource,
        first: Action,
        then: Action,
        node: Node | None,
        flags: int,
        mask: int,
        order: int,
    ) -> int:
        """Apply what an ordering means to both its actions; return which of them changed."""
        ...

    def output_actions(self, resource: Resource) -> None:
        """Record the changes for the transition summary."""
        ...

    def add_graph_meta(self, resource: Resource, attributes: dict[str, str]) -> None:
        """Add what agents of this kind of resource are told in the transition graph."""
        ...

    def add_actions_to_graph(self, resource: Resource) -> None:
        """Add the resource's actions to the transition graph."""
        ...

    def add_utilization(
        self, resource: Resource, origin: Resource, siblings: dict[Resource, None], utilization: dict[str, int]
    ) -> None:
        """Add what the resource will use to a table of amounts."""
        ...

    def shutdown_lock(self, resource: Resource) -> None:
        """Keep the resource locked to a cleanly shut down node, if so configured."""
        ...
