"""Dataclasses that cost next to nothing to declare. Pure.

:func:`dataclass`, :func:`field` and :func:`replace` mean here what they mean in the standard library, and to type
checkers they *are* the standard library's. The difference is when the work is done: the standard decorator writes,
compiles and runs up to nine functions for a class as soon as its module is imported (0.6 ms), and importing it takes
as long as starting Python. A command imports eighty such classes and makes objects of ten; that was more than half of
its time. Here a method is written when it is first called, in its own place, and from then on it is the same code.

``dataclasses.fields``, ``is_dataclass``, ``asdict``, ``copy`` and ``pickle`` work on these classes as on others.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass, field, replace

__all__ = ["Field", "as_dict", "dataclass", "field", "fields_of", "is_record", "replace"]


class _Absent:
    """The type of the value that says that there is none."""

    def __repr__(self) -> str:
        return "<no default>"


ABSENT = _Absent()


class Field:
    """One field: its name, its annotation as written, and what :func:`field` said about it."""

    __slots__ = ("compare", "default", "default_factory", "name", "repr", "type")

    def __init__(self, default: object, default_factory: object, repr: bool, compare: bool) -> None:
        self.name = ""
        self.type: object = None
        self.default = default
        self.default_factory = default_factory
        self.repr = repr
        self.compare = compare

    @property
    def is_required(self) -> bool:
        """Say whether the constructor needs a value."""
        return self.default is ABSENT and self.default_factory is ABSENT


class _Record:
    """What a class remembers of its declaration, in ``__record__``."""

    __slots__ = ("fields", "frozen", "slots")

    def __init__(self, fields: dict[str, Field], frozen: bool, slots: bool) -> None:
        self.fields = fields
        self.frozen = frozen
        self.slots = slots


def _record_of(cls: type) -> _Record:
    record: _Record = cls.__record__  # type: ignore[attr-defined]  # set by the decorator
    return record


def is_record(value: object) -> bool:
    """Say whether an object, or a class, is one of ours."""
    return hasattr(value, "__record__")


def fields_of(cls: type) -> tuple[Field, ...]:
    """Return the fields of a record class in their order, inherited ones first."""
    return tuple(_record_of(cls).fields.values())


def as_dict(record: object) -> dict[str, object]:
    """Return a record's values by the names of its fields, as they are."""
    return {name: getattr(record, name) for name in _record_of(type(record)).fields}


def _field(
    *, default: object = ABSENT, default_factory: object = ABSENT, repr: bool = True, compare: bool = True
) -> Field:
    return Field(default, default_factory, repr, compare)


def _replace(record: object, /, **changes: object) -> object:
    for name in _record_of(type(record)).fields:
        if name not in changes:
            changes[name] = getattr(record, name)
    return type(record)(**changes)


def _dataclass(
    cls: type | None = None,
    /,
    *,
    frozen: bool = False,
    slots: bool = False,
    eq: bool = True,
    order: bool = False,
    repr: bool = True,
) -> object:
    def declare(cls: type) -> type:
        own = _own_fields(cls)
        fields: dict[str, Field] = {}
        for base in reversed(cls.__mro__[1:]):
            if "__record__" in base.__dict__:
                fields |= _record_of(base).fields
        fields |= own
        hashed_by_hand = cls.__dict__.get("__hash__") is not None
        if slots:
            cls = _with_slots(cls, own)
        cls.__record__ = _Record(fields, frozen, slots)  # type: ignore[attr-defined]  # our own mark on the class
        methods = _methods(frozen=frozen, eq=eq, order=order, repr=repr, slots=slots)
        if eq and "__eq__" in cls.__dict__:
            del methods["__eq__"]
        if eq and not hashed_by_hand:
            cls.__hash__ = _later(cls, "__hash__", _write_hash) if frozen else None  # type: ignore[assignment]  # None is how Python says unhashable
        for name, method in methods.items():
            if name not in cls.__dict__:
                setattr(cls, name, _later(cls, name, method) if method in _WRITERS else method)
        if "__match_args__" not in cls.__dict__:
            setattr(cls, "__match_args__", tuple(fields))  # noqa: B010 (mypy keeps the name to itself)
        return cls

    return declare if cls is None else declare(cls)


def _own_fields(cls: type) -> dict[str, Field]:
    """Return the fields that a class body declares."""
    found = {}
    annotations: dict[str, object] = cls.__dict__.get("__annotations__", {})  # noqa: RUF063 (inspect is slow to import)
    for name, annotation in annotations.items():
        given = cls.__dict__.get(name, ABSENT)
        one = given if isinstance(given, Field) else Field(given, ABSENT, True, True)
        one.name = name
        one.type = annotation
        found[name] = one
        if isinstance(given, Field):
            # Left is what an ordinary class attribute would be.
            if one.default is ABSENT:
                delattr(cls, name)
            else:
                setattr(cls, name, one.default)
    return found


def _with_slots(cls: type, own: dict[str, Field]) -> type:
    """Return a copy of a class whose own fields are slots: a class cannot get slots after it was made."""
    namespace = {name: value for name, value in cls.__dict__.items() if name not in own}
    namespace.pop("__dict__", None)
    namespace.pop("__weakref__", None)
    taken = {name for base in cls.__mro__[1:] for name in base.__dict__.get("__slots__", ())}
    namespace["__slots__"] = tuple(name for name in own if name not in taken)
    copy = type(cls)(cls.__name__, cls.__bases__, namespace)
    copy.__qualname__ = cls.__qualname__
    return copy


# Methods, and how they are written


def _later(cls: type, name: str, write: "Callable[[type], Callable[..., object]]") -> "Callable[..., object]":
    """Return a method that the first call replaces by the real one."""

    def method(self: object, *args: object, **kwargs: object) -> object:
        real = write(cls)
        setattr(cls, name, real)
        return real(self, *args, **kwargs)

    return method


def _compiled(cls: type, name: str, text: str, names: dict[str, object]) -> "Callable[..., object]":
    exec(compile(text, f"<{cls.__module__}.{cls.__qualname__}.{name}>", "exec"), names)
    function = names[name]
    assert isinstance(function, type(_compiled))
    function.__qualname__ = f"{cls.__qualname__}.{name}"
    return function


def _write_init(cls: type) -> "Callable[..., object]":
    record = _record_of(cls)
    names: dict[str, object] = {"_absent": ABSENT, "_set": object.__setattr__}
    arguments, body = ["self"], []
    for name, each in record.fields.items():
        value = name
        if each.default_factory is not ABSENT:
            names[f"_make_{name}"] = each.default_factory
            arguments.append(f"{name}=_absent")
            value = f"_make_{name}() if {name} is _absent else {name}"
        elif each.default is not ABSENT:
            names[f"_default_{name}"] = each.default
            arguments.append(f"{name}=_default_{name}")
        else:
            arguments.append(name)
        if not record.frozen:
            body.append(f"self.{name} = {value}")
        elif record.slots:
            names[f"_set_{name}"] = getattr(cls, name).__set__
            body.append(f"_set_{name}(self, {value})")
        else:
            body.append(f"_set(self, {name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    return _compiled(cls, "__init__", f"def __init__({', '.join(arguments)}):\n " + "\n ".join(body or ["pass"]), names)


def _values(cls: type, of: str) -> str:
    """Return the expression for the tuple of the values that count in comparisons."""
    compared = [f"{of}.{each.name}" for each in fields_of(cls) if each.compare]
    return f"({', '.join(compared)}{',' if compared else ''})"


def _comparison(name: str, operator: str) -> "Callable[[type], Callable[..., object]]":
    def write(cls: type) -> "Callable[..., object]":
        text = (
            f"def {name}(self, other):\n if other.__class__ is self.__class__:\n"
            f"  return {_values(cls, 'self')} {operator} {_values(cls, 'other')}\n return NotImplemented"
        )
        return _compiled(cls, name, text, {})

    return write


def _write_hash(cls: type) -> "Callable[..., object]":
    return _compiled(cls, "__hash__", f"def __hash__(self):\n return hash({_values(cls, 'self')})", {})


_COMPARISONS = {
    name: _comparison(name, operator)
    for name, operator in (("__eq__", "=="), ("__lt__", "<"), ("__le__", "<="), ("__gt__", ">"), ("__ge__", ">="))
}
_WRITERS = frozenset({_write_init, *_COMPARISONS.values()})

_shown: list[int] = []
"""Objects that are being shown, to recognise one that contains itself."""


def _show(self: object) -> str:
    if id(self) in _shown:
        return "..."
    _shown.append(id(self))
    try:
        pairs = (f"{each.name}={getattr(self, each.name)!r}" for each in fields_of(type(self)) if each.repr)
        return f"{type(self).__qualname__}({', '.join(pairs)})"
    finally:
        _shown.pop()


def _refuse_to_set(self: object, name: str, value: object) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: object, name: str) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _get_state(self: object) -> list[object]:
    return [getattr(self, name) for name in _record_of(type(self)).fields]


def _set_state(self: object, state: list[object]) -> None:
    for name, value in zip(_record_of(type(self)).fields, state, strict=True):
        object.__setattr__(self, name, value)


class _Standard:
    """What the standard library's functions look for on a class; worked out when they do."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> object:
        import dataclasses

        described = []
        for each in fields_of(owner):
            given = {"default": each.default, "default_factory": each.default_factory}
            known = {name: value for name, value in given.items() if value is not ABSENT}
            described.append((each.name, each.type, dataclasses.field(repr=each.repr, compare=each.compare, **known)))  # type: ignore[call-overload]
        twin = dataclasses.make_dataclass(owner.__name__, described, frozen=_record_of(owner).frozen)
        return getattr(twin, self._name)


_FIELDS = _Standard("__dataclass_fields__")
_PARAMETERS = _Standard("__dataclass_params__")


def _methods(
    *, frozen: bool, eq: bool, order: bool, repr: bool, slots: bool
) -> "dict[str, Callable[..., object] | _Standard]":
    methods: dict[str, Callable[..., object] | _Standard] = {
        "__dataclass_fields__": _FIELDS,
        "__dataclass_params__": _PARAMETERS,
        "__init__": _write_init,
    }
    if repr:
        methods["__repr__"] = _show
    if eq:
        methods["__eq__"] = _COMPARISONS["__eq__"]
    if order:
        methods |= _COMPARISONS
    if frozen:
        methods |= {"__setattr__": _refuse_to_set, "__delattr__": _refuse_to_delete}
        if slots:
            methods |= {"__getstate__": _get_state, "__setstate__": _set_state}
    return methods


if not TYPE_CHECKING:
    dataclass, field, replace = _dataclass, _field, _replace
