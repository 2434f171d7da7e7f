"""What an app may declare of its attributes: types, which are checked at assignment, and how changes merge.

::

    class ShopSession(SessionSchema):
        visits: Counter
        seen: SetOf[str]
        notices: ListOf[str]
        cart: dict[str, Counter]
        step: Raise[int]
        theme: str = "light"

    SessionSettings(schema=ShopSession)
    shop = ShopSession(session)
    shop.visits += 1            # an int for type checkers; parallel requests add up

Optional, and never the whole truth: undeclared names go on as before, for frameworks keep names of their own.
Only writes are checked. What is stored is handed out as it is, because another release may have written it.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    Protocol,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from .errors import InvalidAttribute, InvalidSettings
from .merge import MERGE, MISSING, POLICIES, Policy, Rule
from .values import STORABLE, encode, is_mutable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Merge:
    """In an ``Annotated`` type: how changes of it merge."""

    policy: Policy


Counter: TypeAlias = Annotated[int, Merge("counter")]
SetOf: TypeAlias = Annotated[set[T], Merge("set")]
ListOf: TypeAlias = Annotated[list[T], Merge("list")]
LastWrite: TypeAlias = Annotated[T, Merge("last_write")]
Raise: TypeAlias = Annotated[T, Merge("raise")]

_KINDS: dict[str, Any] = {"counter": int, "set": set | frozenset, "list": list}


@dataclass(frozen=True, slots=True)
class Declaration:
    """``type`` without its ``Annotated``; ``rule``: how changes merge; ``default``: may be ``MISSING``."""

    type: Any
    rule: Rule
    default: Any = MISSING

    def check(self, name: str, value: Any) -> None:
        """Raises ``InvalidAttribute``."""
        wrong = _mismatch(value, self.type, name)
        if wrong is not None:
            raise InvalidAttribute(wrong)

    def empty(self) -> Any:
        """What an attribute that is not there reads as: its default, 0, or an empty collection."""
        if self.default is not MISSING:
            return self.default
        kind = get_origin(self.type) or self.type
        if self.rule.policy == "counter":
            return 0
        return kind() if kind in (set, frozenset, list, dict) else MISSING


class SessionLike(Protocol):
    """The core's session, and those of the adapters."""

    def draft(self, name: str, default: Any, /) -> Any: ...
    def __getitem__(self, name: str, /) -> Any: ...
    def __setitem__(self, name: str, value: Any, /) -> None: ...
    def __delitem__(self, name: str, /) -> None: ...


class SessionSchema:
    """Base of an app's declarations; an instance is a typed view of one request's session, and has no state.

    Reading a name that is not there gives its default, 0 for a counter, an empty set, list or dict (stored only
    once something is in it), else ``AttributeError``. Writing is assignment to the session, with its errors.
    """

    declared: ClassVar[Mapping[str, Declaration]] = types.MappingProxyType({})

    def __init_subclass__(cls) -> None:
        """Raises ``InvalidSettings`` with every fault."""
        super().__init_subclass__()
        faults: list[str] = []
        declared = dict(cls.declared)
        hints = get_type_hints(cls, include_extras=True)
        for name in inspect.get_annotations(cls):
            hint = hints[name]
            if get_origin(hint) is ClassVar:
                continue
            if name == "_session" or hasattr(SessionSchema, name):
                faults.append(f"{name}: SessionSchema has this name itself")
                continue
            declared[name] = declaration = _declare(name, hint, cls.__dict__.get(name, MISSING), faults)
            setattr(cls, name, _Field(name, declaration))
        if faults:
            raise InvalidSettings(tuple(faults))
        cls.declared = types.MappingProxyType(declared)

    def __init__(self, session: SessionLike) -> None:
        self._session = session


Schema: TypeAlias = type[SessionSchema] | Mapping[str, Policy]


class _Field:
    def __init__(self, name: str, declaration: Declaration) -> None:
        self._name = name
        self._declaration = declaration

    def __get__(self, schema: SessionSchema | None, owner: type[SessionSchema]) -> Any:
        if schema is None:
            return self
        empty = self._declaration.empty()
        if empty is not MISSING:
            return schema._session.draft(self._name, empty)
        try:
            return schema._session[self._name]
        except KeyError as cause:
            raise AttributeError(
                f"the session has no {self._name}: assign it, or declare a default in {owner.__name__}"
            ) from cause

    def __set__(self, schema: SessionSchema, value: Any) -> None:
        schema._session[self._name] = value

    def __delete__(self, schema: SessionSchema) -> None:
        try:
            del schema._session[self._name]
        except KeyError as cause:
            raise AttributeError(f"the session has no {self._name}") from cause


def declarations(schema: Schema | None) -> Mapping[str, Declaration]:
    """Of a class, or of a plain mapping of names to policies. Raises ``InvalidSettings``."""
    if schema is None:
        return {}
    if isinstance(schema, type) and issubclass(schema, SessionSchema):
        return schema.declared
    if not isinstance(schema, Mapping):
        raise InvalidSettings(
            ("schema must be a subclass of SessionSchema, or a mapping of names to policies",)
        )
    faults = tuple(
        f"schema: {name!r} must be one of {', '.join(POLICIES)}"
        for name, policy in schema.items()
        if policy not in POLICIES
    )
    if faults:
        raise InvalidSettings(faults)
    return {name: Declaration(_KINDS.get(policy, Any), Rule(policy)) for name, policy in schema.items()}


# --- from annotations to declarations


def _declare(name: str, hint: Any, default: Any, faults: list[str]) -> Declaration:
    rule = _rule(hint)
    kind = _plain(hint)
    declaration = Declaration(kind, rule, default)
    if rule.values is not None and "raise" in _policies(rule.values):
        faults.append(f"{name}: Raise is for a whole attribute, not for values inside it")
    for part in _parts(kind):
        if part is not Any and part not in STORABLE:
            faults.append(f"{name}: no value of type {part!r} can be stored; Any is not checked")
    expected, base = _KINDS.get(rule.policy), get_origin(kind) or kind
    if expected is not None and not (isinstance(base, type) and issubclass(base, expected)):
        faults.append(f"{name}: the policy {rule.policy} does not fit its type")
    if default is not MISSING:
        faults.extend(_default_faults(name, declaration))
    return declaration


def _default_faults(name: str, declaration: Declaration) -> Iterator[str]:
    if is_mutable(declaration.default):
        yield f"{name}: a default is never a mutable value; an empty list, set or dict needs none"
        return
    try:
        encode(declaration.default)
        declaration.check(name, declaration.default)
    except InvalidAttribute as cause:
        yield f"the default of {cause}"


def _rule(hint: Any) -> Rule:
    policy: Policy = "merge"
    if get_origin(hint) is Annotated:
        for mark in hint.__metadata__:
            policy = mark.policy if isinstance(mark, Merge) else policy
        hint = hint.__origin__
    inner = _rule(get_args(hint)[1]) if get_origin(hint) is dict else MERGE
    return Rule(policy, None if inner == MERGE else inner)


def _policies(rule: Rule) -> Iterator[Policy]:
    yield rule.policy
    if rule.values is not None:
        yield from _policies(rule.values)


def _plain(hint: Any) -> Any:
    """The type without ``Annotated``, at any depth."""
    if get_origin(hint) is Annotated:
        return _plain(hint.__origin__)
    if get_origin(hint) in (None, Literal):
        return hint
    arguments = tuple(one if one is ... else _plain(one) for one in get_args(hint))
    if _is_union(hint):
        return Union[arguments]  # noqa: UP007 - made of what is known only here
    return get_origin(hint)[arguments]


def _parts(kind: Any) -> Iterator[Any]:
    """Every class that a value of this type is made of."""
    if get_origin(kind) is Literal:
        return
    if get_origin(kind) is None:
        yield type(None) if kind is None else kind
        return
    if not _is_union(kind):
        yield get_origin(kind) if get_origin(kind) in (dict, list, set, frozenset, tuple) else kind
    for one in get_args(kind):
        if one is not ...:
            yield from _parts(one)


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in (Union, types.UnionType)


# --- checking values


def _mismatch(value: Any, kind: Any, where: str) -> str | None:
    """What is wrong and what to do; holds no value. Types are exact, as stored; an ``int`` will do for a ``float``."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return None
    if origin is Literal:
        fits = any(type(value) is type(one) and value == one for one in arguments)
    elif _is_union(kind):
        fits = any(_mismatch(value, one, where) is None for one in arguments)
    elif origin is None:
        fits = (
            type(value) is kind or (kind is float and type(value) is int) or (kind is None and value is None)
        )
    else:
        fits = type(value) is origin
        if fits and origin is tuple and arguments[-1] is not ...:
            fits = len(value) == len(arguments)
    if not fits:
        name = kind.__name__ if isinstance(kind, type) and origin is None else str(kind)
        return (
            f"{where} is declared as {name}, not {type(value).__qualname__}: convert it before you assign it"
        )
    inner = () if origin in (None, Literal) or _is_union(kind) else _inside(value, origin, arguments, where)
    return next((wrong for one in inner if (wrong := _mismatch(*one)) is not None), None)


def _inside(
    value: Any, origin: Any, arguments: tuple[Any, ...], where: str
) -> Iterator[tuple[Any, Any, str]]:
    if origin is dict:
        for key, item in value.items():
            yield key, arguments[0], f"a key of {where}"
            yield item, arguments[1], f"a value of {where}"
    elif origin is tuple and arguments[-1] is not ...:
        for number, (item, kind) in enumerate(zip(value, arguments, strict=True)):
            yield item, kind, f"item {number} of {where}"
    else:
        for item in value:
            yield item, arguments[0], f"an item of {where}"
