"""From the syntax tree to text, in the layout people know. Pure.

A statement is a head and parts; shown to people each part is on a line of its own, continued with
a backslash. What is quoted and what is not follows the original, so that texts compare equal.
"""

import re
from collections.abc import Callable, Iterable
from typing import assert_never
from xml.etree.ElementTree import Element

from hatools.cib.document import format_xml
from hatools.parser import syntax
from hatools.parser.acl_words import PERMISSION_ATTRIBUTES, find_shortcut
from hatools.parser.sets import set_words
from hatools.values.records import dataclass

_NO_QUOTES = re.compile(r"[\w.-]+$")
_NEEDS_QUOTES = re.compile(r"[\s'\"\\]")
_DATE_WORDS = {"in_range": "in", "date_spec": "spec"}

Paint = Callable[[str, str], str]


def plain(text: str, role: str) -> str:
    """Paint nothing. ``role`` is keyword, identifier, attr_name, attr_value, resource_reference ..."""
    return text


@dataclass(frozen=True, slots=True)
class Layout:
    """How statements are written.

    Args:
        paint: colours a text by its role.
        obscured: says whether the value of a parameter of this name is hidden.
        node_count: number of nodes; a topology equal for all of them is written once.
        broken: one part per line.
    """

    paint: Paint = plain
    obscured: Callable[[str], bool] = lambda name: False
    node_count: int = -1
    broken: bool = True


def quoted(text: str) -> str:
    """Put a value in double quotes unless it is a simple word."""
    if _NO_QUOTES.match(text):
        return text
    return '"' + text.replace('"', '\\"') + '"'


def _one_word(text: str) -> str:
    """Return a score so that it is read as one word, whatever somebody gave as one."""
    if not _NEEDS_QUOTES.search(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def print_statement(statement: syntax.Statement, layout: Layout) -> str:
    """Return the text of a statement."""
    return _Printer(layout).write(statement)


def print_xml(element: Element, layout: Layout) -> str:
    """Return an element that the language cannot say as an ``xml`` statement."""
    lines = [line for line in xml_text(element).split("\n") if line]
    separator = " \\\n" if layout.broken else " "
    return f"{layout.paint('xml', 'keyword')} {separator.join(lines)}"


def xml_text(element: Element) -> str:
    """Return an element over several lines, in ASCII; apostrophes need no escape inside our double quotes."""
    text = format_xml(element).replace("&apos;", "'")
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")


class _Printer:
    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._paint = layout.paint

    def write(self, statement: syntax.Statement) -> str:
        if isinstance(statement, syntax.XmlStatement):
            return print_xml(statement.element, self._layout)
        separator = " \\\n\t" if self._layout.broken else " "
        return separator.join(part for part in self._parts(statement) if part)

    def _parts(self, statement: syntax.Statement) -> Iterable[str]:
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
                return [self._relation(statement)]
            case syntax.PropertySet():
                return self._properties(statement)
            case syntax.FencingTopology():
                return self._fencing(statement)
            case syntax.Tag():
                names = (self._paint(name, "resource_reference") for name in statement.objects)
                return [" ".join([self._head("tag", statement.id), *names])]
            case syntax.AclRole():
                return self._role(statement)
            case syntax.AclUser():
                return [self._head("user", statement.id), *(self._user_entry(e) for e in statement.entries)]
            case syntax.AclTarget():
                roles = (self._paint(role, "attr_value") for role in statement.roles)
                return [self._head(statement.word, statement.id), *roles]
            case syntax.Alert():
                return self._alert(statement)
            case syntax.Monitor():
                return [self._monitor(statement)]
            case syntax.XmlStatement():
                raise AssertionError("written by print_xml")
            case _:
                assert_never(statement)

    # Words

    def _head(self, keyword: str, identifier: str) -> str:
        return f"{self._paint(keyword, 'keyword')} {self._paint(identifier, 'identifier')}"

    def _assign(self, name: str, value: str | None) -> str:
        painted = self._paint(name, "attr_name")
        return painted if value is None else f"{painted}={self._paint(quoted(value), 'attr_value')}"

    def _described(self, description: str | None) -> list[str]:
        return [self._assign("description", description)] if description else []

    def _pair(self, pair: syntax.NvPair) -> str:
        if pair.ref is not None:
            return f"@{pair.ref}" if pair.name is None else f"@{pair.ref}:{pair.name}"
        value = pair.value
        if pair.name is not None and value is not None and self._layout.obscured(pair.name):
            value = "******"
        written = self._assign(str(pair.name), value)
        return f"${pair.id}:{written}" if pair.id is not None else written

    def _set(self, block: syntax.AttributeSet) -> str:
        words = [self._paint(block.word, "keyword")]
        if block.id is not None:
            words.append(self._assign("$id", block.id))
        elif block.ref is not None:
            words.append(self._assign("$id-ref", block.ref))
        if block.score:
            words.append(self._paint(_one_word(block.score), "score") + ":")
        words += [f"{self._paint('rule', 'keyword')} {self._rule(rule)}" for rule in block.rules]
        words += [self._pair(pair) for pair in block.pairs]
        return " ".join(words)

    def _rule(self, rule: syntax.Rule) -> str:
        if rule.ref is not None and rule.id is None:
            return self._assign("$id-ref", rule.ref)
        words = []
        if rule.id is not None:
            words.append(self._assign("$id", rule.id))
        if rule.role:
            words.append(self._assign("$role", rule.role))
        if rule.score is not None and rule.score != syntax.Score("score", "INFINITY"):
            words.append(self._score(rule.score))
        joiner = f" {self._paint(rule.boolean_op or 'and', 'keyword')} "
        words.append(joiner.join(self._expression(expression) for expression in rule.expressions))
        return " ".join(words)

    def _score(self, score: syntax.Score) -> str:
        text = score.value.replace("INFINITY", "inf") if score.attribute == "score" else score.value
        return self._paint(_one_word(text), "score") + ":"

    def _expression(self, expression: syntax.Expression) -> str:
        if isinstance(expression, syntax.DateExpression):
            return self._date(expression)
        operation = self._paint(expression.operation, "keyword")
        if expression.type:
            operation = f"{expression.type}:{operation}"
        if not expression.value:
            return f"{operation} {expression.attribute}"
        value = expression.value
        if expression.value_source:
            value = f"{expression.value_source}{{{value}}}"
        return f"{expression.attribute} {operation} {value}"

    def _date(self, expression: syntax.DateExpression) -> str:
        operation = expression.operation
        words = [self._paint("date", "keyword"), self._paint(_DATE_WORDS.get(operation, operation), "keyword")]
        if operation.lower() in ("lt", "gt"):
            value = expression.end if operation.lower() == "lt" else expression.start
            words.append(self._paint(quoted(value or ""), "attr_value"))
            return " ".join(words)
        if operation == "in_range":
            limits = (("start", expression.start), ("end", expression.end))
            words += [self._assign(name, value) for name, value in limits if value is not None]
        words += [self._assign(name, value) for name, value in expression.fields]
        return " ".join(words)

    # Statements

    def _node(self, statement: syntax.Node) -> Iterable[str]:
        words = [self._paint("node", "keyword")]
        if statement.id is not None:
            words.append(f"{statement.id}:" if _NO_QUOTES.match(statement.id) else f'$id="{statement.id}"')
        name = self._paint(statement.uname, "identifier")
        words.append(f"{name}:{statement.type}" if statement.type else name)
        return [" ".join(words), *self._described(statement.description), *map(self._set, statement.sets)]

    def _primitive(self, statement: syntax.Primitive) -> Iterable[str]:
        keyword = "rsc_template" if statement.is_template else "primitive"
        if statement.template is not None:
            agent = "@" + self._paint(statement.template, "id_reference")
        else:
            assert statement.agent is not None
            agent = agent_text(statement.agent)
        yield f"{self._head(keyword, statement.id)} {agent}"
        yield from self._described(statement.description)
        for part in statement.parts:
            if isinstance(part, syntax.AttributeSet):
                yield self._set(part)
            else:
                yield from self._operations(part)

    def _operations(self, part: syntax.Operations) -> Iterable[str]:
        words = []
        if part.id:
            words.append(self._assign("$id", part.id))
        if part.ref:
            words.append(self._assign("$id-ref", part.ref))
        if words:
            lead = "" if part.id else " "  # the original's second blank before a reference
            yield f"{self._paint('operations', 'keyword')} {lead}{' '.join(words)}"
        for operation in part.operations:
            attributes = [self._assign(name, value) for name, value in operation.attributes]
            loose = [self._pair(pair) for pair in operation.loose]
            yield " ".join([f"{self._paint('op', 'keyword')} {operation.name}", *attributes, *loose])
            yield from self._described(dict(operation.attributes).get("description"))
            yield from map(self._set, operation.sets)

    def _container(self, statement: syntax.Container) -> Iterable[str]:
        children = " ".join(self._paint(child, "resource_reference") for child in statement.children)
        head = f"{self._head(statement.word, statement.id)} {children}"
        return [head, *self._described(statement.description), *map(self._set, statement.sets)]

    def _bundle(self, statement: syntax.Bundle) -> Iterable[str]:
        yield self._head("bundle", statement.id)
        yield from self._described(statement.description)
        for part in statement.parts:
            if isinstance(part, syntax.AttributeSet):
                yield self._set(part)
            elif isinstance(part, syntax.BundlePrimitive):
                yield f"{self._paint('primitive', 'keyword')} {part.id}"
            else:
                words = [self._paint(part.word, "keyword")]
                words += [self._assign(name, value) for name, value in part.attributes]
                for tag, attributes in part.mappings:
                    words += [tag, *(self._assign(name, value) for name, value in attributes)]
                yield " ".join(words)

    def _resource_sets(self, sets: tuple[syntax.ResourceSet, ...], word: str) -> list[str]:
        return [self._member(text) for text in set_words(sets, word)]

    def _member(self, text: str) -> str:
        """Paint the resource's name in a word of a set."""
        if text in ("(", ")", "[", "]", "_rsc_set_"):
            return text
        name, separator, rest = text.partition("=" if "=" in text else ":")
        role = "attr_name" if separator == "=" else "resource_reference"
        return f"{self._paint(name, role)}{separator}{rest}"

    def _location(self, statement: syntax.Location) -> Iterable[str]:
        if statement.resource is not None:
            what = self._paint(statement.resource, "resource_reference")
        elif statement.pattern is not None:
            what = self._paint(f"/{statement.pattern}/", "resource_reference")
        else:
            what = "{ " + " ".join(self._resource_sets(statement.sets, "location")) + " }"
        words = [self._head("location", statement.id), what]
        words += [f"{name}={value}" for name, value in statement.attributes]
        if statement.node is not None:
            score = self._score(statement.score) if statement.score is not None else ":"
            words += [score, statement.node]
        yield " ".join(words)
        for rule in statement.rules:
            yield f"{self._paint('rule', 'keyword')} {self._rule(rule)}"

    def _relation(self, statement: syntax.Relation) -> str:
        words = [self._head(statement.word, statement.id)]
        if statement.ticket is not None:
            words.append(self._paint(statement.ticket, "ticket") + ":")
        elif statement.score is not None:
            words.append(self._score(statement.score))
        if statement.sets:
            words += self._resource_sets(statement.sets, statement.word)
        for reference in statement.references:
            name = self._paint(reference.resource, "resource_reference")
            words.append(f"{name}:{reference.qualifier}" if reference.qualifier else name)
        if statement.option is not None:
            words.append("=".join(statement.option))
        return " ".join(words)

    def _properties(self, statement: syntax.PropertySet) -> Iterable[str]:
        keyword = self._paint(statement.word, "keyword")
        if statement.id is None:
            head = keyword if statement.ref is None else f"{keyword} {self._assign('$id-ref', statement.ref)}"
        elif _NO_QUOTES.match(statement.id):
            head = f"{keyword} {self._paint(statement.id, 'identifier')}:"
        else:
            head = f'{keyword} {self._paint("$id", "identifier")}="{self._paint(statement.id, "attr_value")}"'
        yield head
        for part in statement.parts:
            if isinstance(part, syntax.NvPair):
                yield self._pair(part)
            else:
                yield f"{self._paint('rule', 'keyword')} {self._rule(part)}"

    def _fencing(self, statement: syntax.FencingTopology) -> Iterable[str]:
        devices: dict[syntax.FencingTarget | None, list[str]] = {}
        for target, listed in statement.levels:
            devices.setdefault(target, []).append(listed)
        keyword = self._paint("fencing_topology", "keyword")
        distinct = {" ".join(listed) for listed in devices.values()}
        if len(distinct) == 1 and len(devices) == self._layout.node_count:
            return [f"{keyword} {distinct.pop()}"]
        return [keyword, *(f"{_target_text(target)}{' '.join(listed)}" for target, listed in devices.items())]

    def _role(self, statement: syntax.AclRole) -> Iterable[str]:
        yield self._head("role", statement.id)
        yield from self._described(statement.description)
        for permission in statement.permissions:
            yield self._permission(permission, statement.is_old)

    def _permission(self, permission: syntax.AclPermission, is_old: bool) -> str:
        words = [self._paint(permission.kind, "keyword"), *self._described(permission.description)]
        found = dict(permission.attributes)
        names = {name: name for name in found} if is_old else PERMISSION_ATTRIBUTES
        words += [self._permission_spec(word, found[name]) for name, word in names.items() if name in found]
        return " ".join(words)

    def _permission_spec(self, word: str, value: str) -> str:
        if word == "xpath":
            shortcut = find_shortcut(value)
            if shortcut:
                parts = [self._paint(part, "attr_value") for part in shortcut[1]]
                return ":".join([self._paint(shortcut[0], "keyword"), *parts])
            value = quoted(value)
        keyword = self._paint(word, "keyword")
        return f"{keyword}:{self._paint(value, 'attr_value')}" if value else keyword

    def _user_entry(self, entry: str | syntax.AclPermission) -> str:
        if isinstance(entry, str):
            return f"{self._paint('role', 'keyword')}:{self._paint(entry, 'attr_value')}"
        return self._permission(entry, is_old=True)

    def _alert(self, statement: syntax.Alert) -> Iterable[str]:
        yield f"{self._head('alert', statement.id)} {self._paint(quoted(statement.path), 'attr_value')}"
        yield from self._described(statement.description)
        first = next((i for i, p in enumerate(statement.parts) if isinstance(p, syntax.Recipient)), None)
        later = statement.parts[first + 1 :] if first is not None else ()
        braced = any(isinstance(part, syntax.AttributeSet) for part in later)
        for part in statement.parts:
            match part:
                case syntax.AttributeSet():
                    yield self._set(part)
                case syntax.AlertSelect():
                    words = ["select"]
                    for kind, names in part.kinds:
                        words.append(kind)
                        if kind == "attributes":
                            words += ["{", *names, "}"]
                    yield " ".join(words)
                case syntax.Recipient():
                    words = ["to", *(["{"] if braced else [])]
                    words.append(self._paint(quoted(part.value), "attr_value"))
                    words += self._described(part.description)
                    words += map(self._set, part.sets)
                    yield " ".join([*words, *(["}"] if braced else [])])
                case _:
                    assert_never(part)

    def _monitor(self, statement: syntax.Monitor) -> str:
        resource = f"{statement.resource}:{statement.qualifier}" if statement.qualifier else statement.resource
        times = f"{statement.interval}:{statement.timeout}" if statement.timeout else statement.interval
        return f"{self._paint('monitor', 'keyword')} {resource} {times}"


def agent_text(agent: syntax.Agent) -> str:
    """Return an agent's name the short way: what ``ocf:heartbeat`` provides needs no prefix."""
    if (not agent.standard and not agent.provider) or (
        (agent.standard == "ocf" and not agent.provider) or agent.provider == "heartbeat"
    ):
        return agent.type
    return ":".join(part for part in (agent.standard, agent.provider, agent.type) if part)


def _target_text(target: syntax.FencingTarget | None) -> str:
    if target is None:
        return ""
    if target.pattern is not None:
        return f"pattern:{target.pattern} "
    if target.attribute is not None:
        return f"attr:{target.attribute}={target.value} "
    return f"{target.node}: "
