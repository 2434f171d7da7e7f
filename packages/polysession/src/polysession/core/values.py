"""Values <-> bytes: MessagePack, never pickle. A value comes back as its exact type, or is refused
(``InvalidAttribute``).

``None``, ``bool``, ``int``, ``float``, ``str``, ``bytes``, ``list`` and ``dict`` (keys ``str`` or 64-bit
``int``) are MessagePack's own; ``tuple``, ``set``, ``frozenset``, ``datetime`` (naive, or with a fixed
offset), ``date``, ``Decimal``, ``UUID`` and wider ``int`` are extensions. A subclass of any of them is
refused: it would come back as its base. Sets are encoded in one order, so that equal values have equal bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import msgspec
from msgspec.msgpack import Ext

from .errors import InvalidAttribute, Unreadable

PLAIN = b"\x00"
MAX_NAME_BYTES = 128
MAX_DEPTH = 64

_TUPLE, _SET, _FROZENSET, _DATETIME, _DATE, _DECIMAL, _UUID, _WIDE_INT = range(1, 9)
IMMUTABLE = frozenset({type(None), bool, int, float, str, bytes, date, datetime, Decimal, UUID})
_AS_THEY_ARE = frozenset({type(None), bool, float, str, bytes})
_packb = msgspec.msgpack.Encoder().encode


def check_name(name: object) -> str:
    """A non-empty ``str`` of at most 128 bytes. Raises ``InvalidAttribute``."""
    if type(name) is not str or not name:
        raise InvalidAttribute("an attribute's name is a non-empty str")
    if name.isascii() and len(name) <= MAX_NAME_BYTES:
        return name
    try:
        size = len(name.encode())
    except UnicodeEncodeError as cause:
        raise InvalidAttribute("an attribute's name is no valid UTF-8") from cause
    if size > MAX_NAME_BYTES:
        raise InvalidAttribute(f"an attribute's name is at most {MAX_NAME_BYTES} bytes, this one is {size}")
    return name


def is_mutable(value: object) -> bool:
    """It may have changed since it was handed out, itself or inside (a tuple's list)."""
    return type(value) not in IMMUTABLE


def encode(value: object) -> bytes:
    """Kind byte 0, then MessagePack. Raises ``InvalidAttribute``."""
    try:
        if type(value) in _AS_THEY_ARE:
            return PLAIN + _packb(value)
        return PLAIN + _packb(_pack(value, 0))
    except UnicodeEncodeError as cause:
        raise InvalidAttribute("a str in the value is no valid UTF-8") from cause


def decode(data: bytes) -> Any:
    """Raises ``Unreadable``."""
    if data[:1] != PLAIN:
        raise Unreadable("value is sealed, or of a later release")
    try:
        return _unpack(data[1:])
    except (msgspec.DecodeError, ValueError, TypeError, InvalidOperation, RecursionError) as cause:
        raise Unreadable("value is damaged, or of a later release") from cause


def _pack(value: Any, depth: int) -> Any:
    """``value`` with every extension type replaced by its ``Ext``."""
    if depth > MAX_DEPTH:
        raise InvalidAttribute(f"a value nests at most {MAX_DEPTH} deep, and holds itself nowhere")
    pack = _PACKERS.get(type(value))
    if pack is None:
        name = type(value).__qualname__
        raise InvalidAttribute(
            f"a value of type {name} cannot be stored and come back as its type; those that can: {_NAMES}"
        )
    return pack(value, depth + 1)


def _same(value: Any, _depth: int) -> Any:
    return value


def _pack_int(value: int, _depth: int) -> object:
    if -(2**63) <= value < 2**64:
        return value
    return Ext(_WIDE_INT, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def _pack_list(value: list[Any], depth: int) -> list[Any]:
    return [_pack(item, depth) for item in value]


def _pack_dict(value: dict[Any, Any], depth: int) -> dict[Any, Any]:
    for key in value:
        if not (type(key) is str or (type(key) is int and -(2**63) <= key < 2**63)):
            name = type(key).__qualname__
            raise InvalidAttribute(f"a dict's key is a str or a 64-bit int, not {name}: a JSON-like mapping")
    return {key: _pack(item, depth) for key, item in value.items()}


def _pack_tuple(value: tuple[Any, ...], depth: int) -> Ext:
    return Ext(_TUPLE, _packb([_pack(item, depth) for item in value]))


def _pack_set(value: set[Any] | frozenset[Any], depth: int) -> Ext:
    code = _SET if type(value) is set else _FROZENSET
    items = sorted(_packb(_pack(item, depth)) for item in value)
    return Ext(code, _packb([msgspec.Raw(item) for item in items]))


def _pack_datetime(value: datetime, _depth: int) -> Ext:
    if value.tzinfo is not None and type(value.tzinfo) is not timezone:
        raise InvalidAttribute(
            "a datetime with a zone would lose its zone: store value.astimezone(datetime.UTC)"
        )
    if value.tzinfo is not None and (value.tzinfo.utcoffset(None) or timedelta()).microseconds:
        # Python's own ``fromisoformat`` loses them.
        raise InvalidAttribute(
            "a datetime's offset is of whole seconds: store value.astimezone(datetime.UTC)"
        )
    return Ext(_DATETIME, bytes([value.fold]) + value.isoformat().encode())


def _pack_text(code: int, text: Callable[[Any], str]) -> Callable[[Any, int], Ext]:
    return lambda value, _depth: Ext(code, text(value).encode())


_PACKERS: dict[type, Callable[[Any, int], Any]] = {
    type(None): _same,
    bool: _same,
    float: _same,
    str: _same,
    bytes: _same,
    int: _pack_int,
    list: _pack_list,
    dict: _pack_dict,
    tuple: _pack_tuple,
    set: _pack_set,
    frozenset: _pack_set,
    datetime: _pack_datetime,
    date: _pack_text(_DATE, date.isoformat),
    Decimal: _pack_text(_DECIMAL, str),
    UUID: lambda value, _depth: Ext(_UUID, value.bytes),
}
STORABLE = frozenset(_PACKERS)
_NAMES = ", ".join("None" if one is type(None) else one.__name__ for one in _PACKERS)


def _unpack_datetime(data: bytes) -> datetime:
    return datetime.fromisoformat(data[1:].decode()).replace(fold=data[0])


def _unpack_extension(code: int, view: memoryview) -> Any:
    unpack = _UNPACKERS.get(code)
    if unpack is None:
        raise ValueError("unknown extension")
    return unpack(bytes(view))


_unpack = msgspec.msgpack.Decoder(ext_hook=_unpack_extension).decode
_UNPACKERS: dict[int, Callable[[bytes], Any]] = {
    _TUPLE: lambda data: tuple(_unpack(data)),
    _SET: lambda data: set(_unpack(data)),
    _FROZENSET: lambda data: frozenset(_unpack(data)),
    _DATETIME: _unpack_datetime,
    _DATE: lambda data: date.fromisoformat(data.decode()),
    _DECIMAL: lambda data: Decimal(data.decode()),
    _UUID: lambda data: UUID(bytes=data),
    _WIDE_INT: lambda data: int.from_bytes(data, "big", signed=True),
}
