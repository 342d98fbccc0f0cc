"""Whether a tree survives being written and read, told without doing it. Pure.

An object is shown in the crm language only if its text would be read back as the same object.
For nearly every object that is plain from its words; the answer "certain" spares building the
grammar. "Not certain" means: write the text, read it and compare.
"""

import re
from collections.abc import Callable, Sequence

from hatools.parser import syntax
from hatools.parser.acl_words import RIGHTS, expand_shortcut, find_shortcut
from hatools.parser.dialect import Dialect
from hatools.parser.errors import StatementError
from hatools.parser.sets import SetReader, set_words
from hatools.values.records import dataclass

_IDENTIFIER = re.compile(r"[A-Za-z_][\w.-]*$", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9_][\w.-]*$", re.ASCII)
_BARE = re.compile(r"[!#%-&+-9;<>-Z^-z|~]+$")
_VALUE = re.compile(r"[ !#-\[\]-~]*$")
_NAME = re.compile(r"[A-Za-z0-9_][\w.:/-]*$", re.ASCII)
_HEAD_ID = re.compile(r"[\w-]+$", re.ASCII)
_ATTRIBUTE = re.compile(r"[A-Za-z0-9_#][\w.#-]*$", re.ASCII)
_NUMBER = re.compile(r"[+-]?(INFINITY|\d+)$")
_DEVICES = re.compile(r"[\w.,-]+$", re.ASCII)
_PATTERN = re.compile(r"/[^\s'\"\\]+/$", re.ASCII)
_RESERVED = frozenset(
    (
        "params",
        "meta",
        "utilization",
        "operations",
        "op",
        "op_params",
        "op_meta",
        "rule",
        "attributes",
        "date",
        "defined",
        "not_defined",
        "and",
        "or",
    )
)
_BINARY = frozenset(("lt", "gt", "lte", "gte", "eq", "ne"))
_SPEC_NAMES = frozenset(
    ("hours", "monthdays", "weekdays", "yearsdays", "months", "weeks", "years", "weekyears", "moon")
)


@dataclass(frozen=True, slots=True)
class Certainty:
    """Judges statements.

    Args:
        dialect: the vocabulary with which the text would be read.
        keeps_role: says whether a role's name would be kept as it is.
        finds_agent: says whether an agent's short name would be completed to this agent.
    """

    dialect: Dialect
    keeps_role: Callable[[str], bool]
    finds_agent: Callable[[syntax.Agent], bool]

    def certain(self, statement: syntax.Statement) -> bool:
        """Say whether writing and reading the statement surely gives the same statement."""
        match statement:
            case syntax.Node():
                return self._node(statement)
            case syntax.Primitive():
                return self._primitive(statement)
            case syntax.Container():
                return self._container(statement)
            case syntax.Bundle():
                return self._bundle(statement)
            case syntax.Location():
                return self._location(statement)
            case syntax.Relation():
                return self._relation(statement)
            case syntax.PropertySet():
                return self._properties(statement)
            case syntax.FencingTopology():
                return self._fencing(statement)
            case syntax.Tag():
                names = (statement.id, *statement.objects)
                return len(names) > 1 and all(_IDENTIFIER.match(name) for name in names)
            case syntax.AclRole():
                return self._role(statement)
            case syntax.AclTarget():
                return bool(statement.roles) and all(_WORD.match(name) for name in (statement.id, *statement.roles))
            case syntax.Alert():
                return self._alert(statement)
            case _:
                return False

    def _fencing(self, statement: syntax.FencingTopology) -> bool:
        """A topology that is the same for all targets may be written for all nodes instead."""
        by_target: dict[syntax.FencingTarget | None, list[str]] = {}
        for target, devices in statement.levels:
            by_target.setdefault(target, []).append(devices)
        if len({tuple(listed) for listed in by_target.values()}) < 2:
            return False
        return all(_is_target(target) and _DEVICES.match(devices) for target, devices in statement.levels)

    def _description(self, description: str | None) -> bool:
        return description is None or (description != "" and _VALUE.match(description) is not None)

    def _pair(self, pair: syntax.NvPair) -> bool:
        return (
            pair.ref is None
            and pair.id is None
            and pair.name is not None
            and pair.value is not None
            and _NAME.match(pair.name) is not None
            and _VALUE.match(pair.value) is not None
            and not pair.value.endswith(":")
            and (pair.name not in ("role", "target-role") or self.keeps_role(pair.value))
        )

    def _set(self, block: syntax.AttributeSet) -> bool:
        if block.ref is not None or (block.id is not None and not _WORD.match(block.id)):
            return False
        if block.score is not None and not _NUMBER.match(block.score):
            return False
        return all(map(self._rule_before_pairs, block.rules)) and all(map(self._pair, block.pairs))

    def _rule_before_pairs(self, rule: syntax.Rule) -> bool:
        """A date's words could swallow the pairs behind it."""
        return self._rule(rule) and not any(isinstance(e, syntax.DateExpression) for e in rule.expressions)

    def _rule(self, rule: syntax.Rule) -> bool:
        if rule.ref is not None or rule.score is None or not rule.expressions:
            return False
        if rule.id is not None and not _WORD.match(rule.id):
            return False
        if rule.role is not None and not (_IDENTIFIER.match(rule.role) and self.keeps_role(rule.role)):
            return False
        if rule.boolean_op not in (None, "and", "or") or (rule.boolean_op == "or" and len(rule.expressions) < 2):
            return False
        return self._score(rule.score) and all(map(self._expression, rule.expressions))

    def _score(self, score: syntax.Score) -> bool:
        if score.attribute == "score":
            return _NUMBER.match(score.value) is not None
        is_number = re.match(r"[+-]?(inf|INF|\d)", score.value)
        return (
            _ATTRIBUTE.match(score.value) is not None
            and is_number is None
            and score.value[:2].lower()
            not in (
                "ad",
                "ma",
            )
        )

    def _expression(self, expression: syntax.Expression) -> bool:
        if isinstance(expression, syntax.DateExpression):
            return self._date(expression)
        if not _ATTRIBUTE.match(expression.attribute) or expression.attribute.lower() in _RESERVED:
            return False
        if expression.operation in ("defined", "not_defined"):
            return expression.value is None and expression.type is None
        return (
            expression.operation in _BINARY
            and expression.value is not None
            and expression.value_source is None
            and _BARE.match(expression.value) is not None
            and (expression.type is None or expression.type in self.dialect.expression_types)
        )

    def _date(self, expression: syntax.DateExpression) -> bool:
        limits = [limit for limit in (expression.start, expression.end) if limit is not None]
        if not all(limit and _VALUE.match(limit) for limit in limits):
            return False
        if not all(name in _SPEC_NAMES and value and _VALUE.match(value) for name, value in expression.fields):
            return False
        match expression.operation:
            case "lt" | "gt":
                wanted = expression.end if expression.operation == "lt" else expression.start
                return len(limits) == 1 and wanted is not None and not expression.has_fields
            case "in_range":
                return len(limits) + len(expression.fields) >= 2 and expression.has_fields == (len(limits) < 2)
            case "date_spec":
                return not limits and bool(expression.fields)
            case _:
                return False

    def _node(self, statement: syntax.Node) -> bool:
        return (
            _WORD.match(statement.uname) is not None
            and statement.uname.lower() not in _RESERVED
            and (statement.id is None or _HEAD_ID.match(statement.id) is not None)
            and statement.type in (None, "member", "ping", "remote")
            and self._description(statement.description)
            and all(map(self._set, statement.sets))
        )

    def _primitive(self, statement: syntax.Primitive) -> bool:
        if not _IDENTIFIER.match(statement.id) or not self._description(statement.description):
            return False
        if statement.template is not None:
            if not _IDENTIFIER.match(statement.template):
                return False
        elif statement.agent is None or not self.finds_agent(statement.agent):
            return False
        blocks = [part for part in statement.parts if isinstance(part, syntax.Operations)]
        return len(blocks) < 2 and all(
            self._operations(part) if isinstance(part, syntax.Operations) else self._set(part)
            for part in statement.parts
        )

    def _operations(self, part: syntax.Operations) -> bool:
        if part.ref is not None or (part.id is None and not part.operations):
            return False
        if part.id is not None and not _WORD.match(part.id):
            return False
        return all(map(self._operation, part.operations))

    def _operation(self, operation: syntax.Operation) -> bool:
        attributes = dict(operation.attributes)
        return (
            _IDENTIFIER.match(operation.name) is not None
            and not operation.loose
            and "interval" in attributes
            and "description" not in attributes
            and all(name in self.dialect.op_attributes and _VALUE.match(v) for name, v in operation.attributes)
            and self.keeps_role(attributes.get("role", ""))
            and all(map(self._set, operation.sets))
        )

    def _container(self, statement: syntax.Container) -> bool:
        count = len(statement.children)
        return (
            _IDENTIFIER.match(statement.id) is not None
            and (count > 0 if statement.word == "group" else count == 1)
            and len(set(statement.children)) == count
            and all(_IDENTIFIER.match(name) and name.lower() not in _RESERVED for name in statement.children)
            and self._description(statement.description)
            and all(map(self._set, statement.sets))
        )

    def _bundle(self, statement: syntax.Bundle) -> bool:
        if not _IDENTIFIER.match(statement.id) or not self._description(statement.description):
            return False
        seen: set[str] = set()
        for part in statement.parts:
            word = "primitive" if isinstance(part, syntax.BundlePrimitive) else part.word
            if word in seen or ("meta" in seen and word not in ("network", "storage", "primitive")):
                return False
            seen.add(word)
            if isinstance(part, syntax.BundlePrimitive):
                if not _IDENTIFIER.match(part.id):
                    return False
            elif isinstance(part, syntax.AttributeSet):
                if word != "meta" or not self._set(part):
                    return False
            elif not self._bundle_part(part):
                return False
        return bool(seen)

    def _bundle_part(self, part: syntax.BundlePart) -> bool:
        if part.word not in ("docker", "rkt", "podman", "network", "storage"):
            return False
        groups = (part.attributes, *(attributes for _, attributes in part.mappings))
        return all(_NAME.match(name) and _VALUE.match(value) for group in groups for name, value in group)

    def _sets(self, sets: Sequence[syntax.ResourceSet], what: str, words: Sequence[str]) -> bool:
        """Read the words of the sets again: that takes no grammar."""
        known = self.dialect.actions if what == "action" else self.dialect.roles
        if not all(_IDENTIFIER.match(member) for resource_set in sets for member in resource_set.members):
            return False
        if not all(s.qualifier is None or (s.qualifier in known and self.keeps_role(s.qualifier)) for s in sets):
            return False
        reader = SetReader(lambda text: text, what, _refuse)
        try:
            return reader.read(words) == tuple(sets)
        except StatementError:
            return False

    def _location(self, statement: syntax.Location) -> bool:
        if not _IDENTIFIER.match(statement.id):
            return False
        if statement.resource is not None:
            if not _IDENTIFIER.match(statement.resource):
                return False
        elif statement.pattern is not None:
            if not _PATTERN.match(f"/{statement.pattern}/"):
                return False
        elif not self._sets(statement.sets, "role", set_words(statement.sets, "location")):
            return False
        if not all(_WORD.match(value) and self.keeps_role(value) for _, value in statement.attributes):
            return False
        if statement.node is None:
            return bool(statement.rules) and all(map(self._rule, statement.rules))
        if statement.rules or statement.score is None:
            return False
        return _WORD.match(statement.node) is not None and self._score(statement.score)

    def _relation(self, statement: syntax.Relation) -> bool:
        if not _IDENTIFIER.match(statement.id) or not self._relation_head(statement):
            return False
        what = "action" if statement.word == "order" else "role"
        known = self.dialect.actions if what == "action" else self.dialect.roles
        count = 1 if statement.word == "rsc_ticket" else 2
        if statement.sets:
            words = set_words(statement.sets, statement.word)
            return len(words) != count and self._sets(statement.sets, what, words)
        return len(statement.references) == count and all(
            _IDENTIFIER.match(reference.resource)
            and (
                reference.qualifier is None
                or (reference.kind == what and reference.qualifier in known and self.keeps_role(reference.qualifier))
                or (reference.kind == "instance" and reference.qualifier.isdigit())
            )
            for reference in statement.references
        )

    def _relation_head(self, statement: syntax.Relation) -> bool:
        if statement.word == "rsc_ticket":
            if statement.ticket is None or not _WORD.match(statement.ticket):
                return False
        elif statement.word == "order":
            score = statement.score
            if score is not None and (score.attribute != "kind" or score.value not in self.dialect.kinds):
                return False
        elif statement.score is None or not self._score(statement.score):
            return False
        if statement.option is None:
            return True
        name, value = statement.option
        if name == "symmetrical":
            return value in ("true", "false")
        if name == "loss-policy":
            return value in ("stop", "demote", "fence", "freeze")
        return value == value.lower() and _ATTRIBUTE.match(value) is not None

    def _properties(self, statement: syntax.PropertySet) -> bool:
        rules = [part for part in statement.parts if isinstance(part, syntax.Rule)]
        pairs = [part for part in statement.parts if isinstance(part, syntax.NvPair)]
        return (
            statement.id is not None
            and statement.ref is None
            and _HEAD_ID.match(statement.id) is not None
            and all(map(self._rule_before_pairs, rules))
            and all(map(self._pair, pairs))
            and statement.parts == (*rules, *pairs)
        )

    def _role(self, statement: syntax.AclRole) -> bool:
        if statement.is_old or not self.dialect.new_acls or not statement.permissions:
            return False
        if not _WORD.match(statement.id) or not self._description(statement.description):
            return False
        return all(map(self._permission, statement.permissions))

    def _permission(self, permission: syntax.AclPermission) -> bool:
        found = dict(permission.attributes)
        if permission.kind not in RIGHTS or permission.description is not None:
            return False
        if set(found) == {"xpath"}:
            shortcut = find_shortcut(found["xpath"])
            if shortcut:
                return expand_shortcut(shortcut[0], ":".join(shortcut[1]) or None) == found["xpath"]
            return found["xpath"] != "" and _VALUE.match(found["xpath"]) is not None
        if set(found) not in ({"reference"}, {"object-type"}, {"object-type", "attribute"}):
            return False
        return all(_WORD.match(value) for value in found.values())

    def _alert(self, statement: syntax.Alert) -> bool:
        if not _WORD.match(statement.id) or not statement.path or not _VALUE.match(statement.path):
            return False
        if not self._description(statement.description):
            return False
        with_sets = False
        for part in statement.parts:
            if isinstance(part, syntax.AttributeSet):
                if with_sets or not self._set(part):
                    return False
            elif isinstance(part, syntax.AlertSelect):
                if with_sets or not part.kinds or not all(map(_is_selection, part.kinds)):
                    return False
            else:
                if not part.value or not _VALUE.match(part.value) or part.value in ("{", "}"):
                    return False
                if not all(map(self._set, part.sets)):
                    return False
                with_sets = True
        return True


def _refuse(reason: str, near: str) -> StatementError:
    return StatementError(reason, "", near, [], 0)


def _is_selection(kind: tuple[str, tuple[str, ...]]) -> bool:
    name, attributes = kind
    if name == "attributes":
        return all(_WORD.match(attribute) for attribute in attributes)
    return name in ("nodes", "fencing", "resources") and not attributes


def _is_target(target: syntax.FencingTarget | None) -> bool:
    if target is None:
        return False
    if target.pattern is not None:
        return _PATTERN.match(f"/{target.pattern}/") is not None
    if target.attribute is not None:
        return all(_HEAD_ID.match(text or "") for text in (target.attribute, target.value))
    return _WORD.match(target.node or "") is not None
