"""A value comes back as its exact type, or is refused."""

from __future__ import annotations

import enum
import math
from collections import OrderedDict
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from polysession.core.errors import InvalidAttribute, Unreadable
from polysession.core.values import MAX_DEPTH, check_name, decode, encode, is_mutable

offsets = st.integers(-23 * 3600, 23 * 3600).map(lambda seconds: timezone(timedelta(seconds=seconds)))
hashables = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.binary(),
    st.dates(),
    st.datetimes(timezones=st.none() | st.just(UTC) | offsets),
    st.decimals(allow_nan=False),
    st.uuids(),
)
keys = st.text() | st.integers(-(2**63), 2**63 - 1)
stored = st.recursive(
    hashables | st.sets(hashables) | st.frozensets(hashables),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(keys, inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
    ),
    max_leaves=12,
)


def shape(value: Any) -> Any:
    """The types all the way down, so that ``True == 1`` and the like cannot pass for the same."""
    if isinstance(value, dict):
        return dict, [(shape(key), shape(item)) for key, item in value.items()]
    if isinstance(value, list | tuple):
        return type(value), [shape(item) for item in value]
    if isinstance(value, set | frozenset):
        return type(value), sorted((repr(type(item)), repr(item)) for item in value)
    return type(value), repr(value)


@given(stored)
def test_a_value_comes_back_equal_and_of_the_same_types(value: Any) -> None:
    back = decode(encode(value))
    assert back == value
    assert shape(back) == shape(value)


@given(stored)
def test_equal_values_of_equal_types_have_equal_bytes(value: Any) -> None:
    assert encode(decode(encode(value))) == encode(value)


def test_the_order_of_a_dict_comes_back_and_the_order_of_a_set_does_not_matter() -> None:
    assert list(decode(encode({"b": 1, "a": 2}))) == ["b", "a"]
    assert encode({f"k{n}" for n in range(50)}) == encode({f"k{n}" for n in reversed(range(50))})


def test_not_a_number_comes_back() -> None:
    assert math.isnan(decode(encode(math.nan)))
    assert decode(encode(Decimal("NaN"))).is_nan()


def test_the_repeated_hour_of_autumn_comes_back() -> None:
    assert decode(encode(datetime(2026, 10, 25, 2, 30, fold=1))).fold == 1


class Colour(enum.StrEnum):
    RED = "red"


class Lazy:
    """Like Django's lazy strings: str-like, and no str."""

    def __str__(self) -> str:
        return "translated"


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "value",
    [
        Colour.RED,
        Lazy(),
        Text("marked safe"),
        OrderedDict(a=1),
        bytearray(b"x"),
        timedelta(1),
        object(),
        Exception(),
        {(1, 2): 3},
        {True: 1},
        {None: 1},
        {2**63: 1},
        {b"x": 1},
        datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")),
        "\ud800",
        {"\ud800": 1},
        {Colour.RED},
    ],
    ids=repr,
)
def test_what_would_come_back_as_something_else_is_refused(value: Any) -> None:
    for wrapped in (value, [value], {"in": (value,)}):
        with pytest.raises(InvalidAttribute):
            encode(wrapped)


def test_a_value_that_holds_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(InvalidAttribute):
        encode(value)


def test_the_deepest_value_that_is_taken_comes_back() -> None:
    value: Any = ()
    for _ in range(MAX_DEPTH):
        value = (value,)
    assert decode(encode(value)) == value
    with pytest.raises(InvalidAttribute):
        encode((value,))


@given(st.binary())
def test_damaged_bytes_are_unreadable_and_nothing_else(data: bytes) -> None:
    try:
        decode(data)
    except Unreadable:
        return
    assert data[:1] == b"\x00"


@pytest.mark.parametrize("data", [b"", b"\x01sealed", b"\x00", b"\x00\xc7\x01\x63x", b"\x00\xd4\x06x"])
def test_what_a_later_release_wrote_is_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        decode(data)


def test_values_that_may_change_inside_are_known() -> None:
    assert all(is_mutable(value) for value in ([], {}, set(), ([],)))
    assert not any(
        is_mutable(value) for value in (None, 1, "a", b"a", 1.5, UUID(int=1), date.min, Decimal(1))
    )
    assert decode(encode(uuid := uuid4())) == uuid


@pytest.mark.parametrize("name", ["", "x" * 129, "é" * 65, "\ud800", 1, None, Text("x")])
def test_a_name_that_cannot_be_a_field_is_refused(name: Any) -> None:
    with pytest.raises(InvalidAttribute):
        check_name(name)


def test_a_name_of_128_bytes_is_taken() -> None:
    assert check_name("é" * 64) == "é" * 64
