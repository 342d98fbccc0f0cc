"""The syntax tree of the crm language. Pure.

One class per construct; named tuples, because thirty dataclasses would take longer to make than most
commands to run. A tree says what a statement says, no more: ids that the shell
makes up, XML element names and defaults are added by ``to_cib``. ``None`` means "not written".
"""

from typing import NamedTuple
from xml.etree.ElementTree import Element


class NvPair(NamedTuple):
    """``name=value``, ``name``, ``$id:name=value`` or ``@ref[:name]``."""

    name: str | None
    value: str | None = None
    id: str | None = None
    ref: str | None = None


class Comparison(NamedTuple):
    """``attribute [type:]operation value`` or ``defined attribute`` (then without value)."""

    attribute: str
    operation: str
    value: str | None = None
    type: str | None = None
    value_source: str | None = None


class DateExpression(NamedTuple):
    """``date lt|gt|in|spec ...``; ``fields`` are of a duration (in) or a date specification (spec).

    ``has_fields`` tells an empty duration element from none.
    """

    operation: str
    start: str | None = None
    end: str | None = None
    fields: tuple[tuple[str, str], ...] = ()
    has_fields: bool = False


Expression = Comparison | DateExpression


class Score(NamedTuple):
    """A score as it will stand in the CIB: ``attribute`` is score, score-attribute or kind."""

    attribute: str
    value: str


class Rule(NamedTuple):
    """``rule [$id=...] [$role=...] [score:] expression [and|or expression]...`` or a reference."""

    id: str | None = None
    ref: str | None = None
    role: str | None = None
    score: Score | None = None
    boolean_op: str | None = None
    expressions: tuple[Expression, ...] = ()


class AttributeSet(NamedTuple):
    """A block of pairs: ``word`` is params, meta, utilization, attributes, op_params or op_meta."""

    word: str
    id: str | None = None
    ref: str | None = None
    score: str | None = None
    rules: tuple[Rule, ...] = ()
    pairs: tuple[NvPair, ...] = ()


class Operation(NamedTuple):
    """``op NAME attribute=value... [op_params ...] [op_meta ...]``.

    ``loose`` are the pairs behind the name that the schema does not know as attributes.
    """

    name: str
    attributes: tuple[tuple[str, str], ...] = ()
    loose: tuple[NvPair, ...] = ()
    sets: tuple[AttributeSet, ...] = ()


class Operations(NamedTuple):
    """Consecutive operations, with what ``operations $id=...`` or ``$id-ref=...`` said."""

    operations: tuple[Operation, ...] = ()
    id: str | None = None
    ref: str | None = None


class Node(NamedTuple):
    """``node [ID:] UNAME[:TYPE] ...``."""

    uname: str
    id: str | None = None
    type: str | None = None
    description: str | None = None
    sets: tuple[AttributeSet, ...] = ()


class Agent(NamedTuple):
    """Class, provider and type of a resource agent; provider may be empty."""

    standard: str
    provider: str
    type: str


class Primitive(NamedTuple):
    """``primitive`` or ``rsc_template`` (``is_template``); exactly one of agent and template is set."""

    id: str
    agent: Agent | None = None
    template: str | None = None
    description: str | None = None
    parts: tuple[AttributeSet | Operations, ...] = ()
    is_template: bool = False


class Container(NamedTuple):
    """``group``, ``clone`` or ``ms`` (``word``) around existing resources."""

    word: str
    id: str
    children: tuple[str, ...]
    description: str | None = None
    sets: tuple[AttributeSet, ...] = ()


class BundlePart(NamedTuple):
    """``docker``, ``rkt``, ``network`` or ``storage`` with attributes and mappings.

    ``mappings`` are (``port-mapping`` or ``storage-mapping``, attributes).
    """

    word: str
    attributes: tuple[tuple[str, str], ...] = ()
    mappings: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()


class BundlePrimitive(NamedTuple):
    """``primitive ID`` inside a bundle."""

    id: str


class Bundle(NamedTuple):
    """``bundle ID docker ... network ... storage ... primitive ... meta ...``."""

    id: str
    description: str | None = None
    parts: tuple[BundlePart | BundlePrimitive | AttributeSet, ...] = ()


class ResourceSet(NamedTuple):
    """Resources of a constraint; ``qualifier`` is their common role or action."""

    members: tuple[str, ...]
    sequential: bool = True
    require_all: bool = True
    qualifier: str | None = None


class Location(NamedTuple):
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


class ResourceRef(NamedTuple):
    """``RSC[:QUALIFIER]``; ``kind`` says whether the qualifier is a role, an action or an instance."""

    resource: str
    qualifier: str | None = None
    kind: str | None = None


class Relation(NamedTuple):
    """``colocation``, ``order`` or ``rsc_ticket`` (``word``), of simple references or of sets."""

    word: str
    id: str
    references: tuple[ResourceRef, ...] = ()
    sets: tuple[ResourceSet, ...] = ()
    score: Score | None = None
    ticket: str | None = None
    option: tuple[str, str] | None = None


class PropertySet(NamedTuple):
    """``property``, ``rsc_defaults`` or ``op_defaults`` (``word``); the language wants rules before pairs."""

    word: str
    id: str | None = None
    ref: str | None = None
    parts: tuple[Rule | NvPair, ...] = ()


class FencingTarget(NamedTuple):
    """A node (``node``), a node attribute's value (``attribute``, ``value``) or a pattern."""

    node: str | None = None
    attribute: str | None = None
    value: str | None = None
    pattern: str | None = None


class FencingTopology(NamedTuple):
    """Levels in order: (target, devices separated by commas); target None stands for every node."""

    levels: tuple[tuple[FencingTarget | None, str], ...] = ()


class Tag(NamedTuple):
    """``tag ID OBJECT...``."""

    id: str
    objects: tuple[str, ...]


class AclPermission(NamedTuple):
    """``read|write|deny`` with what it applies to; ``attributes`` as the CIB names them."""

    kind: str
    id: str | None = None
    description: str | None = None
    attributes: tuple[tuple[str, str], ...] = ()


class AclRole(NamedTuple):
    """``role ID permission...``; ``is_old`` for schemas before 2.0, whose rules are elements by kind."""

    id: str
    description: str | None = None
    permissions: tuple[AclPermission, ...] = ()
    is_old: bool = False


class AclUser(NamedTuple):
    """``user ID`` of the old ACL style: role references (str) and rules."""

    id: str
    entries: tuple[str | AclPermission, ...] = ()


class AclTarget(NamedTuple):
    """``acl_target`` or ``acl_group`` (``word``) with the names of its roles."""

    word: str
    id: str
    roles: tuple[str, ...]


class AlertSelect(NamedTuple):
    """``select nodes fencing ... attributes { A B }``: (kind, attribute names)."""

    kinds: tuple[tuple[str, tuple[str, ...]], ...]


class Recipient(NamedTuple):
    """``to VALUE [attributes ...] [meta ...]``."""

    value: str
    description: str | None = None
    sets: tuple[AttributeSet, ...] = ()


class Alert(NamedTuple):
    """``alert ID PATH ...``."""

    id: str
    path: str
    description: str | None = None
    parts: tuple[AttributeSet | AlertSelect | Recipient, ...] = ()


class Monitor(NamedTuple):
    """``monitor RSC[:ROLE] INTERVAL[:TIMEOUT]``: adds an operation to a primitive."""

    resource: str
    qualifier: str | None
    kind: str | None
    interval: str
    timeout: str | None


class XmlStatement(NamedTuple):
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
