"""Rules: whether a ``<rule>`` holds for a node, a role, an operation, a point in time. Pure.

Evaluating also finds out when time alone could change the answer; :class:`ChangeTracker`
collects the earliest such moment.
"""

import re
from collections.abc import Callable, Mapping
from enum import Enum
from xml.etree.ElementTree import Element

from hatools.cib.document import children
from hatools.values.duration import parse_duration_ms, parse_interval_ms
from hatools.values.integer import leading_integer
from hatools.values.iso8601 import Moment
from hatools.values.records import dataclass, field
from hatools.values.role import Role, parse_role

FindElement = Callable[[str, str], Element | None]
"""Finds the element with a tag and an id, for ``id-ref``."""

_DEEPEST = 100


@dataclass(slots=True)
class ChangeTracker:
    """The earliest moment at which an evaluation could come out differently."""

    earliest: Moment | None = None

    def note(self, moment: Moment) -> None:
        if self.earliest is None or moment < self.earliest:
            self.earliest = moment


@dataclass(frozen=True, slots=True)
class RuleInput:
    """What a rule is evaluated against; parts that do not apply are None.

    ``parameters`` and ``meta`` are those of the resource, for ``value-source``; ``match`` is how a
    resource id pattern matched, for ``%1`` in attribute names. ``agent`` is (class, provider, type),
    ``operation`` is (name, interval in milliseconds).
    """

    now: Moment
    node_attributes: Mapping[str, str] | None = None
    role: Role = Role.UNKNOWN
    parameters: Mapping[str, str] | None = None
    meta: Mapping[str, str] | None = None
    match: "re.Match[str] | None" = None
    expand_sources: bool = False
    agent: tuple[str | None, str | None, str | None] | None = None
    operation: tuple[str, int] | None = None
    changes: ChangeTracker = field(default_factory=ChangeTracker)


class RangeState(Enum):
    """Where a moment lies relative to what a date expression describes."""

    BEFORE = "before"
    WITHIN = "within"
    AFTER = "after"
    UNDETERMINED = "undetermined"


def any_rule_holds(parent: Element, given: RuleInput, find: FindElement) -> bool:
    """Say whether one of the rules in an element holds; true if it has none."""
    rules = list(children(parent, "rule"))
    return not rules or any(rule_holds(rule, given, find) for rule in rules)


def rule_holds(rule: Element, given: RuleInput, find: FindElement, depth: int = 0) -> bool:
    """Say whether a rule holds. Every expression of an ``or`` is tried until one holds, and so on.

    ``depth`` is how many rules this one is nested in: rules that refer to each other in a circle do not hold.
    """
    if depth > _DEEPEST:
        return False
    reference = rule.get("id-ref")
    if reference is not None:
        target = find("rule", reference)
        if target is None:
            return False
        rule = target
    is_or = (rule.get("boolean-op") or "").lower() == "or"
    for expression in children(rule):
        if expression_holds(expression, given, find, depth) == is_or:
            return is_or
    return not is_or


def expression_holds(expression: Element, given: RuleInput, find: FindElement, depth: int = 0) -> bool:
    """Say whether one expression (or nested rule) holds."""
    match expression.tag:
        case "rule":
            return rule_holds(expression, given, find, depth + 1)
        case "date_expression":
            return evaluate_date(expression, given) is RangeState.WITHIN
        case "rsc_expression":
            return _agent_matches(expression, given)
        case "op_expression":
            return _operation_matches(expression, given)
        case "expression":
            if expression.get("attribute") == "#role":
                return _role_matches(expression, given)
            return given.node_attributes is not None and _attribute_matches(expression, given)
        case _:
            return False


def _agent_matches(expression: Element, given: RuleInput) -> bool:
    if given.agent is None:
        return False
    standard, provider, kind = given.agent
    if expression.get("class") not in (None, standard) or expression.get("type") not in (None, kind):
        return False
    return expression.get("provider") == provider


def _operation_matches(expression: Element, given: RuleInput) -> bool:
    if given.operation is None:
        return False
    interval = expression.get("interval")
    if interval is not None:
        if not interval.startswith("P") and (parse_duration_ms(interval) or -1) < 0 and interval.strip("0 smh") != "":
            return False
        if parse_interval_ms(interval) != given.operation[1]:
            return False
    return expression.get("name") == given.operation[0]


def _role_matches(expression: Element, given: RuleInput) -> bool:
    role = given.role
    if role is Role.UNKNOWN:
        return False
    match (expression.get("operation") or "").lower():
        case "defined":
            return role > Role.STARTED
        case "not_defined":
            return role < Role.UNPROMOTED
        case "eq":
            return parse_role(expression.get("value")) is role
        case "ne":
            # Only promotable clone roles can differ.
            return role >= Role.UNPROMOTED and parse_role(expression.get("value")) is not role
    return False


def _expand_matches(text: str, match: "re.Match[str]") -> str:
    """Replace ``%0`` to ``%9`` by what the pattern's groups matched; empty groups leave nothing."""

    def group(reference: "re.Match[str]") -> str:
        number = int(reference[1])
        return (match[number] or "") if number <= (match.re.groups or 0) else ""

    return re.sub(r"%(\d)", group, text)


def _attribute_matches(expression: Element, given: RuleInput) -> bool:
    name = expression.get("attribute")
    if name is None or given.node_attributes is None:
        return False
    value = expression.get("value")
    if given.match is not None:
        name = _expand_matches(name, given.match) or name
    if given.expand_sources:
        source = (expression.get("value-source") or "").lower()
        if not value:
            value = None
        elif source == "param":
            value = (given.parameters or {}).get(value)
        elif source == "meta":
            value = (given.meta or {}).get(value)
    actual = given.node_attributes.get(name)
    return compare_holds(actual, value, expression.get("type"), expression.get("operation") or "")


def compare_holds(actual: str | None, value: str | None, kind: str | None, operation: str) -> bool:
    """Compare as attribute expressions do."""
    operation = operation.lower()
    if operation == "defined":
        return actual is not None
    if operation == "not_defined":
        return actual is None
    result = _compare(actual, value, kind, operation)
    match operation:
        case "eq":
            return result == 0
        case "ne":
            return result != 0
    if actual is None or value is None:
        return False
    match operation:
        case "lt":
            return result < 0
        case "lte":
            return result <= 0
        case "gt":
            return result > 0
        case "gte":
            return result >= 0
    return False


def _sign(first: "float | str | tuple[int, ...]", second: "float | str | tuple[int, ...]") -> int:
    return (first > second) - (first < second)  # type: ignore[operator]  # the caller gives two of a kind


def _compare(actual: str | None, value: str | None, kind: str | None, operation: str) -> int:
    if actual is None or value is None:
        return (actual is not None) - (value is not None)
    if kind is None:
        if operation not in ("lt", "lte", "gt", "gte"):
            kind = "string"
        else:
            kind = "number" if "." in actual or "." in value else "integer"
    match kind.lower():
        case "integer":
            first, second = leading_integer(actual), leading_integer(value)
            if first is not None and second is not None:
                return _sign(first, second)
        case "number":
            numbers = _float(actual), _float(value)
            if numbers[0] is not None and numbers[1] is not None:
                return _sign(numbers[0], numbers[1])
        case "version":
            return compare_versions(actual, value)
        case "string":
            return _sign(actual.lower(), value.lower())
        case _:
            return 0
    return _sign(actual.lower(), value.lower())


def _float(text: str) -> float | None:
    match = re.match(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text)
    return float(match[0]) if match else None


def compare_versions(first: str, second: str) -> int:
    """Compare dotted versions number by number; a missing part is older than any."""

    def parts(text: str) -> list[int]:
        return [int(match[0]) if (match := re.match(r"\d+", part)) else 0 for part in text.split(".")]

    a, b = parts(first), parts(second)
    length = max(len(a), len(b))
    a += [-1] * (length - len(a))
    b += [-1] * (length - len(b))
    return (a > b) - (a < b)


# -- dates


def evaluate_date(expression: Element, given: RuleInput) -> RangeState:
    """Say where now lies relative to a ``<date_expression>``; notes when that will change."""
    now = given.now
    start = _moment(expression.get("start"), now)
    end = _moment(expression.get("end"), now)
    duration = next(children(expression, "duration"), None)
    if start is not None and end is None and duration is not None:
        end = add_duration(start, duration)
    match (expression.get("operation") or "in_range").lower():
        case "in_range":
            return _in_range(now, start, end, given.changes)
        case "date_spec":
            spec = next(children(expression, "date_spec"), None)
            return RangeState.WITHIN if spec is None else date_spec_state(now, spec)
        case "gt" if start is not None:
            if now > start:
                return RangeState.WITHIN
            given.changes.note(start.add_seconds(1))
            return RangeState.BEFORE
        case "lt" if end is not None:
            if now < end:
                given.changes.note(end)
                return RangeState.WITHIN
            return RangeState.AFTER
    return RangeState.UNDETERMINED


def _in_range(now: Moment, start: Moment | None, end: Moment | None, changes: ChangeTracker) -> RangeState:
    if start is None and end is None:
        return RangeState.UNDETERMINED
    if start is not None and now < start:
        changes.note(start)
        return RangeState.BEFORE
    if end is None:
        return RangeState.WITHIN
    if now > end:
        return RangeState.AFTER
    changes.note(end.add_seconds(1))
    return RangeState.WITHIN


def _moment(text: str | None, now: Moment) -> Moment | None:
    return None if text is None else Moment.parse(text, now, now.offset)


def add_duration(start: Moment, duration: Element) -> Moment:
    """Return the moment that a ``<duration>`` element's fields later."""

    def amount(name: str) -> int:
        value = leading_integer(duration.get(name))
        return value if value is not None and -(2**31) <= value < 2**31 else 0

    seconds = amount("hours") * 3600 + amount("minutes") * 60 + amount("seconds")
    end = start.add_years(amount("years")).add_months(amount("months"))
    return end.add_days(amount("weeks") * 7 + amount("days")).add_seconds(seconds)


def _moon(moment: Moment) -> int:
    golden = moment.year % 19 + 1
    epact = (11 * golden + 18) % 30
    if (epact == 25 and golden > 11) or epact == 24:
        epact += 1
    return (((((moment.day + epact) * 6) + 11) % 177) // 22) & 7


def date_spec_state(now: Moment, spec: Element) -> RangeState:
    """Compare the fields of a moment with the ranges of a ``<date_spec>``; the first that fails decides."""
    year, month, day = now.gregorian()
    hour, minute, second = now.time_of_day()
    week_year, week, weekday = now.iso_week()
    fields = (
        ("years", year),
        ("months", month),
        ("monthdays", day),
        ("hours", hour),
        ("minutes", minute),
        ("seconds", second),
        ("yeardays", now.day),
        ("weekyears", week_year),
        ("weeks", week),
        ("weekdays", weekday),
    )
    for name, value in fields:
        state = _range_state(spec.get(name), value)
        if state is not RangeState.WITHIN:
            return state
    return _range_state(spec.get("moon"), _moon(now))


def _range_state(text: str | None, value: int) -> RangeState:
    """Say where a number lies relative to ``5``, ``1-5``, ``-5`` or ``1-``; no or a wrong range always fits."""
    match = re.fullmatch(r"\s*(\d*)\s*(-?)\s*(\d*)\s*", text or "")
    if match is None or not (match[1] or match[3]):
        return RangeState.WITHIN
    low = int(match[1]) if match[1] else None
    high = int(match[3]) if match[3] else (low if not match[2] else None)
    if low is not None and value < low:
        return RangeState.BEFORE
    if high is not None and value > high:
        return RangeState.AFTER
    return RangeState.WITHIN
