"""The syntax tree of the crm language. Pure.

One frozen class per construct. A tree says what a statement says, no more: ids that the shell
makes up, XML element names and defaults are added by ``to_cib``. ``None`` means "not written".
"""

from dataclasses import dataclass
from xml.etree.ElementTree import Element


@dataclass(frozen=True, slots=True)
class NvPair:
    """``name=value``, ``name``, ``$id:name=value`` or ``@ref[:name]``."""

    name: str | None
    value: str | None = None
    id: str | None = None
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """``attribute [type:]operation value`` or ``defined attribute`` (then without value)."""

    attribute: str
    operation: str
    value: str | None = None
    type: str | None = None
    value_source: str | None = None


@dataclass(frozen=True, slots=True)
class DateExpression:
    """``date lt|gt|in|spec ...``; ``fields`` are of a duration (in) or a date specification (spec).

    ``has_fields`` tells an empty duration element from none.
    """

    operation: str
    start: str | None = None
    end: str | None = None
    fields: tuple[tuple[str, str], ...] = ()
    has_fields: bool = False


Expression = Comparison | DateExpression


@dataclass(frozen=True, slots=True)
class Score:
    """A score as it will stand in the CIB: ``attribute`` is score, score-attribute or kind."""

    attribute: str
    value: str


@dataclass(frozen=True, slots=True)
class Rule:
    """``rule [$id=...] [$role=...] [score:] expression [and|or expression]...`` or a reference."""

    id: str | None = None
    ref: str | None = None
    role: str | None = None
    score: Score | None = None
    boolean_op: str | None = None
    expressions: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class AttributeSet:
    """A block of pairs: ``word`` is params, meta, utilization, attributes, op_params or op_meta."""

    word: str
    id: str | None = None
    ref: str | None = None
    score: str | None = None
    rules: tuple[Rule, ...] = ()
    pairs: tuple[NvPair, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """``op NAME attribute=value... [op_params ...] [op_meta ...]``.

    ``loose`` are the pairs behind the name that the schema does not know as attributes.
    """

    name: str
    attributes: tuple[tuple[str, str], ...] = ()
    loose: tuple[NvPair, ...] = ()
    sets: tuple[AttributeSet, ...] = ()


@dataclass(frozen=True, slots=True)
class Operations:
    """Consecutive operations, with what ``operations $id=...`` or ``$id-ref=...`` said."""

    operations: tuple[Operation, ...] = ()
    id: str | None = None
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """``node [ID:] UNAME[:TYPE] ...``."""

    uname: str
    id: str | None = None
    type: str | None = None
    description: str | None = None
    sets: tuple[AttributeSet, ...] = ()


@dataclass(frozen=True, slots=True)
class Agent:
    """Class, provider and type of a resource agent; provider may be empty."""

    standard: str
    provider: str
    type: str


@dataclass(frozen=True, slots=True)
class Primitive:
    """``primitive`` or ``rsc_template`` (``is_template``); exactly one of agent and template is set."""

    id: str
    agent: Agent | None = None
    template: str | None = None
    description: str | None = None
    parts: tuple[AttributeSet | Operations, ...] = ()
    is_template: bool = False


@dataclass(frozen=True, slots=True)
class Container:
    """``group``, ``clone`` or ``ms`` (``word``) around existing resources."""

    word: str
    id: str
    children: tuple[str, ...]
    description: str | None = None
    sets: tuple[AttributeSet, ...] = ()


@dataclass(frozen=True, slots=True)
class BundlePart:
    """``docker``, ``rkt``, ``network`` or ``storage`` with attributes and mappings.

    ``mappings`` are (``port-mapping`` or ``storage-mapping``, attributes).
    """

    word: str
    attributes: tuple[tuple[str, str], ...] = ()
    mappings: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class BundlePrimitive:
    """``primitive ID`` inside a bundle."""

    id: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """``bundle ID docker ... network ... storage ... primitive ... meta ...``."""

    id: str
    description: str | None = None
    parts: tuple[BundlePart | BundlePrimitive | AttributeSet, ...] = ()


@dataclass(frozen=True, slots=True)
class ResourceSet:
    """Resources of a constraint; ``qualifier`` is their common role or action."""

    members: tuple[str, ...]
    sequential: bool = True
    require_all: bool = True
    qualifier: str | None = None


@dataclass(frozen=True, slots=True)
class Location:
    """``location ID WHAT [attributes] SCORE: NODE`` or with rules; WHAT is resource, pattern or sets."""

    id: str
    resource: str | None = None
    pattern: str | None = None
    sets: tuple[ResourceSet, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    score: Score | None = None
    node: str | None = None
    late_role: str | None = None
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class ResourceRef:
    """``RSC[:QUALIFIER]``; ``kind`` says whether the qualifier is a role, an action or an instance."""

    resource: str
    qualifier: str | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """``colocation``, ``order`` or ``rsc_ticket`` (``word``), of simple references or of sets."""

    word: str
    id: str
    references: tuple[ResourceRef, ...] = ()
    sets: tuple[ResourceSet, ...] = ()
    score: Score | None = None
    ticket: str | None = None
    option: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class PropertySet:
    """``property``, ``rsc_defaults`` or ``op_defaults`` (``word``); the language wants rules before pairs."""

    word: str
    id: str | None = None
    ref: str | None = None
    parts: tuple[Rule | NvPair, ...] = ()


@dataclass(frozen=True, slots=True)
class FencingTarget:
    """A node (``node``), a node attribute's value (``attribute``, ``value``) or a pattern."""

    node: str | None = None
    attribute: str | None = None
    value: str | None = None
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class FencingTopology:
    """Levels in order: (target, devices separated by commas); target None stands for every node."""

    levels: tuple[tuple[FencingTarget | None, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Tag:
    """``tag ID OBJECT...``."""

    id: str
    objects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AclPermission:
    """``read|write|deny`` with what it applies to; ``attributes`` as the CIB names them."""

    kind: str
    id: str | None = None
    description: str | None = None
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class AclRole:
    """``role ID permission...``; ``is_old`` for schemas before 2.0, whose rules are elements by kind."""

    id: str
    description: str | None = None
    permissions: tuple[AclPermission, ...] = ()
    is_old: bool = False


@dataclass(frozen=True, slots=True)
class AclUser:
    """``user ID`` of the old ACL style: role references (str) and rules."""

    id: str
    entries: tuple[str | AclPermission, ...] = ()


@dataclass(frozen=True, slots=True)
class AclTarget:
    """``acl_target`` or ``acl_group`` (``word``) with the names of its roles."""

    word: str
    id: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AlertSelect:
    """``select nodes fencing ... attributes { A B }``: (kind, attribute names)."""

    kinds: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Recipient:
    """``to VALUE [attributes ...] [meta ...]``."""

    value: str
    description: str | None = None
    sets: tuple[AttributeSet, ...] = ()


@dataclass(frozen=True, slots=True)
class Alert:
    """``alert ID PATH ...``."""

    id: str
    path: str
    description: str | None = None
    parts: tuple[AttributeSet | AlertSelect | Recipient, ...] = ()


@dataclass(frozen=True, slots=True)
class Monitor:
    """``monitor RSC[:ROLE] INTERVAL[:TIMEOUT]``: adds an operation to a primitive."""

    resource: str
    qualifier: str | None
    kind: str | None
    interval: str
    timeout: str | None


@dataclass(frozen=True, slots=True)
class XmlStatement:
    """``xml <...>``: an element that the language cannot say."""

    element: Element


Statement = (
    Node
    | Primitive
    | Container
    | Bundle
    | Location
    | Relation
    | PropertySet
    | FencingTopology
    | Tag
    | AclRole
    | AclUser
    | AclTarget
    | Alert
    | Monitor
    | XmlStatement
)
