"""Our dataclasses beside the standard library's: the same words must mean the same."""

import copy
import dataclasses
import pickle
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from hatools.values import records

BOTH = pytest.mark.parametrize("maker", [dataclasses, records], ids=["standard", "ours"])


@records.dataclass(frozen=True, slots=True)
class Point:
    """At module level, so that it can be pickled."""

    x: int
    y: int = 0


def _declare(maker: ModuleType) -> tuple[Any, ...]:
    @maker.dataclass(frozen=True, slots=True, order=True)
    class Version:
        major: int
        minor: int = 0
        note: str = maker.field(default="", compare=False, repr=False)

    @maker.dataclass(slots=True)
    class Basket:
        owner: str
        items: list[object] = maker.field(default_factory=list)
        seen: bool = False

        def __post_init__(self) -> None:
            self.seen = True

    @maker.dataclass(frozen=True, slots=True)
    class Patch(Version):
        level: int = 7

        def __repr__(self) -> str:
            return f"patch {self.level}"

    @maker.dataclass(slots=True, eq=False)
    class Node:
        name: str

    return Version, Basket, Patch, Node


QUESTIONS: dict[str, Callable[[Any, Any, Any, Any], object]] = {
    "repr": lambda version, basket, patch, node: [repr(x) for x in (version(1), basket("a"), patch(1), node("n"))],
    "equal": lambda version, basket, patch, node: (
        version(1, 2, "a") == version(1, 2, "b"),
        version(1) == patch(1),
        basket("a", [1]) == basket("a", [1]),
        basket("a") != basket("b"),
        node("n") == node("n"),
        version(1) == (1, 0, ""),
    ),
    "hash": lambda version, basket, patch, node: (
        hash(version(1, 2, "a")) == hash(version(1, 2, "b")),
        len({patch(1), patch(1), patch(2)}),
        basket.__hash__,
        len({node("n"), node("n")}),
    ),
    "order": lambda version, basket, patch, node: (
        sorted([version(2), version(1, 5), version(1)]) == [version(1), version(1, 5), version(2)],
        version(1) <= version(1),
        version(1) >= version(2),
    ),
    "factories": lambda version, basket, patch, node: basket("a").items is not basket("a").items,
    "post init": lambda version, basket, patch, node: basket("a", seen=False).seen,
    "keywords": lambda version, basket, patch, node: repr(version(minor=2, major=1)),
    "match": lambda version, basket, patch, node: [x.__match_args__ for x in (version, basket, patch, node)],
    "slots": lambda version, basket, patch, node: [x.__slots__ for x in (version, basket, patch, node)],
    "no dict": lambda version, basket, patch, node: [hasattr(x, "__dict__") for x in (version(1), patch(1), node("n"))],
    "names": lambda version, basket, patch, node: [x.__qualname__ for x in (version, basket, patch, node)],
    "fields": lambda version, basket, patch, node: [
        [(x.name, x.type, x.repr, x.compare) for x in dataclasses.fields(each)] for each in (version, basket, patch)
    ],
    "as dict": lambda version, basket, patch, node: dataclasses.asdict(basket("a", [version(1)])),
    "copies": lambda version, basket, patch, node: (
        copy.deepcopy(patch(1, 2, "n", 3)) == patch(1, 2, "n", 3),
        copy.copy(basket("a", [1])) == basket("a", [1]),
    ),
    "replaced": lambda version, basket, patch, node: repr(dataclasses.replace(patch(1), level=9)),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_same_declaration_answers_as_the_standard_librarys(question: str):
    ask = QUESTIONS[question]

    assert ask(*_declare(records)) == ask(*_declare(dataclasses))


@BOTH
def test_a_frozen_one_refuses_changes(maker: ModuleType):
    version = _declare(maker)[0](1)

    with pytest.raises(dataclasses.FrozenInstanceError, match="major"):
        version.major = 2
    with pytest.raises(dataclasses.FrozenInstanceError, match="major"):
        del version.major


@BOTH
@pytest.mark.parametrize("arguments", [(), (1, 2, "x", 4)])
def test_wrong_arguments_are_a_type_error_that_names_the_class(maker: ModuleType, arguments: tuple[object, ...]):
    with pytest.raises(TypeError, match=r"Version\.__init__"):
        _declare(maker)[0](*arguments)


@BOTH
def test_one_that_contains_itself_can_be_shown(maker: ModuleType):
    basket = _declare(maker)[1]("a")
    basket.items.append(basket)

    assert repr(basket).endswith("items=[...], seen=True)")


def test_replace_takes_over_what_is_not_named():
    assert records.replace(Point(1, 2), y=3) == Point(1, 3)


def test_one_can_be_pickled():
    assert pickle.loads(pickle.dumps(Point(1, 2))) == Point(1, 2)


def test_a_method_is_written_once_and_then_is_the_real_one():
    @records.dataclass(frozen=True, slots=True)
    class Fresh:
        a: int

    before = Fresh.__init__
    Fresh(1)
    after = Fresh.__init__
    Fresh(2)

    assert before is not after
    assert Fresh.__init__ is after
    assert after.__code__.co_varnames == ("self", "a")


def test_a_subclass_may_be_the_first_to_call_an_inherited_method():
    class Named(Point):
        """Adds a word, no field."""

    assert (Named(1).x, Named(1) == Named(1), hash(Named(1)) == hash(Named(1))) == (1, True, True)
    assert Point(1) == Point(1)


def test_fields_say_what_the_constructor_needs():
    assert [(each.name, each.is_required) for each in records.fields_of(Point)] == [("x", True), ("y", False)]
    assert records.is_record(Point(1))
    assert not records.is_record(object())
