"""The transition graph: what has to be done, and what each step waits for. Pure data.

One class for all who use it: the scheduler builds it, crmd executes it, ``crm_simulate`` plays
it, ``transition/xml.py`` reads and writes it.
"""

from enum import StrEnum

from hatools.values.integer import whole_number
from hatools.values.records import dataclass, field


class ActionType(StrEnum):
    """The element names of actions: agent operations, points in time, cluster internals."""

    RESOURCE = "rsc_op"
    PSEUDO = "pseudo_event"
    CLUSTER = "crm_event"


@dataclass(slots=True, eq=False)
class GraphAction:
    """An action in the graph.

    ``attributes`` are the parameters and the ``CRM_meta_...`` values handed to whoever performs
    it, sorted by name. ``primitive`` holds the attributes of the ``<primitive>`` element for
    agent operations. ``parameters`` are those that cannot be XML attributes (names that start
    with a digit).
    """

    id: int
    type: ActionType
    operation: str
    key: str | None
    internal_key: str | None = None
    node: str | None = None
    node_id: str | None = None
    router_node: str | None = None
    extra: dict[str, str] = field(default_factory=dict)
    primitive: dict[str, str] | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    parameters: list[tuple[str, str]] = field(default_factory=list)
    downed: list[str] | None = None
    maintenance: list[tuple[str, str]] | None = None

    def meta(self, name: str, default: str | None = None) -> str | None:
        """Return a ``CRM_meta_`` value by its name in the configuration (``op-digest`` or ``op_digest``)."""
        return self.attributes.get("CRM_meta_" + name.replace("-", "_"), default)

    @property
    def resource_id(self) -> str | None:
        """Return the id of the resource that is acted on (the history's id for renamed instances)."""
        return None if self.primitive is None else self.primitive.get("id")

    @property
    def interval_ms(self) -> int:
        return whole_number(self.meta("interval"))

    @property
    def timeout_ms(self) -> int:
        return whole_number(self.meta("timeout"))

    @property
    def target_rc(self) -> int:
        """Return the result code that counts as success."""
        return whole_number(self.meta("op_target_rc"))


@dataclass(slots=True, eq=False)
class Synapse:
    """Actions that run once all ``inputs`` (action ids) have been done. Lower priority waits.

    ``triggers`` are the inputs as actions, without details.
    """

    id: int
    actions: list[GraphAction] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    triggers: list[GraphAction] = field(default_factory=list)
    priority: int = 0


@dataclass(slots=True, eq=False)
class Graph:
    """A transition: synapses and the settings of its execution, as texts of the original attributes.

    ``recheck_by`` is an epoch time (0: none). ``settings`` are the graph's attributes in order.
    """

    synapses: list[Synapse] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def transition_id(self) -> int:
        return whole_number(self.settings.get("transition_id"), -1)

    @property
    def batch_limit(self) -> int:
        return whole_number(self.settings.get("batch-limit"))

    @property
    def migration_limit(self) -> int:
        """Return how many live migrations may run on a node at once; -1 is no limit."""
        return whole_number(self.settings.get("migration-limit"), -1)

    @property
    def recheck_by(self) -> int:
        return whole_number(self.settings.get("recheck-by"))

    def actions(self) -> dict[int, GraphAction]:
        """Return all actions by id."""
        return {action.id: action for synapse in self.synapses for action in synapse.actions}

    def __bool__(self) -> bool:
        return bool(self.synapses)

    def __len__(self) -> int:
        return len(self.synapses)
