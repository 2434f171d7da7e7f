"""Record <-> bytes. One hash a session: its header (or tombstone) in the field named by the empty string, and
a field an attribute, named by the attribute.

Header: a fixed prefix that scripts read and write in place, big-endian, then a tail that they copy untouched.
Offsets count from 0 (Lua's ``string.sub`` and ``struct.unpack`` count from 1):

====== ==== ======= ================ =======================================================================
offset size struct  field            meaning
====== ==== ======= ================ =======================================================================
0      1    B       kind             1 record, 2 tombstone
1      1    B       flags            bit 0 signed in, 1 returned, 2 keep, 3 do not, 6 claim; scripts keep unknown ones
2      1    c1      pepper_id        one base64url character
3      2    I2      rotation_count
5      16   c16     secret_hash
21     8    I8      created_at       milliseconds since the epoch
29     8    I8      last_seen_at     milliseconds since the epoch
37     8    I8      idle             milliseconds
45     8    I8      absolute_at      milliseconds since the epoch
53     4    I4      generation
57     16   c16     previous_hash    zeros: none
73     8    I8      previous_until   milliseconds since the epoch
81     8    c8      nonce            zeros: none
89     22   c22     principal_key    ASCII; NULs: none
111    …            tail             kind byte (0 plain, 1 sealed: ``seal``), then a MessagePack map with short keys
====== ==== ======= ================ =======================================================================

In Redis: ``struct.unpack('>BBc1I2c16I8I8I8I8I4c16I8c8c22', header)``.

Tombstone: ``kind`` B = 2, ``reason`` B (index in ``END_REASONS``), ``ended_at`` I8; then, where a sign-in ended it,
the ``successor``'s session ID, 16 bytes of ASCII; later ones may append.

Attribute: its tag (8 bytes), then its value: kind byte (0 plain, 1 sealed: ``seal``), then MessagePack (``values``).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from .errors import Unreadable
from .record import (
    END_REASONS,
    TAG_BYTES,
    Attribute,
    Device,
    EndReason,
    Header,
    LazyAttributes,
    Record,
    Tombstone,
    alter,
)

HEADER_FIELD = b""
PREFIX = struct.Struct(">BB1sH16sQQQQI16sQ8s22s")
TOMBSTONE = struct.Struct(">BBQ")
SESSION_ID_BYTES = 16
RECORD_KIND = 1
TOMBSTONE_KIND = 2
SIGNED_IN_FLAG = 1
RETURNED_FLAG = 2
KEEP_FLAG = 4  # the cookie outlives the browser
BROWSER_FLAG = 8  # it does not; neither of the two: as sessions of its kind
CLAIM_FLAG = 64  # no session, but a mark that an old one's cookie is used up (``migration``)
PLAIN = b"\x00"
SEALED = b"\x01"
SEAL_BYTES = 29  # a sealed value takes more than a plain one: key ID, nonce, GCM's tag (``seal``)

_NO_HASH = bytes(16)
_NO_NONCE = bytes(8)
_PRINCIPAL, _USER_AGENT, _ADDRESS, _AUTHENTICATED_AT = "p", "u", "a", "t"
_unpack_tail = msgspec.msgpack.Decoder(dict[str, object]).decode
_NO_DEVICE = Device()


def encode_header(header: Header) -> bytes:
    flags = (SIGNED_IN_FLAG if header.principal_key else 0) | (RETURNED_FLAG if header.returned else 0)
    flags |= keep_flags(header.keep) | (CLAIM_FLAG if header.claim else 0)
    prefix = PREFIX.pack(
        RECORD_KIND,
        flags,
        header.pepper_id.encode("ascii"),
        header.rotation_count,
        header.secret_hash,
        header.created_at,
        header.last_seen_at,
        header.idle,
        header.absolute_at,
        header.generation,
        header.previous_hash or _NO_HASH,
        header.previous_until,
        header.nonce or _NO_NONCE,
        header.principal_key.encode("ascii"),
    )
    return prefix + (header.sealed_tail or encode_tail(header))


def keep_flags(keep: bool | None) -> int:
    return 0 if keep is None else KEEP_FLAG if keep else BROWSER_FLAG


def encode_tail(header: Header) -> bytes:
    """Plain."""
    return PLAIN + msgspec.msgpack.encode(_tail(header))


def _tail(header: Header) -> dict[str, object]:
    """Empty fields are left out: most anonymous sessions have a tail of two bytes."""
    known: dict[str, object] = {
        _PRINCIPAL: header.principal,
        _USER_AGENT: header.device.user_agent,
        _ADDRESS: header.device.address,
        _AUTHENTICATED_AT: header.authenticated_at,
    }
    return {key: value for key, value in known.items() if value} | dict(header.extra)


def with_tail(header: Header, data: bytes) -> Header:
    """``header`` with another tail, plain or sealed (then the fields that are in it are empty). Raises ``Unreadable``."""
    principal, device, authenticated_at, extra, sealed_tail = _decode_tail(data)
    return alter(
        header,
        principal=principal,
        device=device,
        authenticated_at=authenticated_at,
        extra=extra,
        sealed_tail=sealed_tail,
    )


def decode_header(data: bytes) -> Header | Tombstone:
    """What stands in the header's field. Raises ``Unreadable``."""
    kind = data[0] if data else 0
    if kind == TOMBSTONE_KIND and len(data) >= TOMBSTONE.size:
        return _decode_tombstone(data)
    if kind != RECORD_KIND or len(data) <= PREFIX.size:
        raise Unreadable("header has an unknown kind or is cut short")
    fields = PREFIX.unpack_from(data)
    _, flags, pepper_id, rotation_count, secret_hash, created_at, last_seen_at, idle, absolute_at = fields[:9]
    generation, previous_hash, previous_until, nonce, principal_key = fields[9:]
    principal, device, authenticated_at, extra, sealed_tail = _decode_tail(data[PREFIX.size :])
    try:
        return Header(  # by position: in half the time that keywords take
            secret_hash,
            pepper_id.decode("ascii"),
            created_at,
            last_seen_at,
            idle,
            absolute_at,
            rotation_count,
            generation,
            flags & RETURNED_FLAG != 0,
            True if flags & KEEP_FLAG else False if flags & BROWSER_FLAG else None,
            principal_key.rstrip(b"\x00").decode("ascii"),
            b"" if previous_hash == _NO_HASH else previous_hash,
            previous_until,
            b"" if nonce == _NO_NONCE else nonce,
            principal,
            device,
            authenticated_at,
            extra,
            sealed_tail,
            flags & CLAIM_FLAG != 0,
        )
    except UnicodeDecodeError as cause:
        raise Unreadable("header holds a field that is no ASCII") from cause


def _decode_tail(data: bytes) -> tuple[str | None, Device, int, Mapping[str, object], bytes]:
    """The header's fields that are in its tail, in their order; the last is ``sealed_tail``."""
    if data[:1] == SEALED:
        return None, _NO_DEVICE, 0, {}, data
    if data[:1] != PLAIN:
        raise Unreadable("header's tail is of a later release")
    try:
        tail = _unpack_tail(data[1:])
    except (msgspec.DecodeError, ValueError, RecursionError) as cause:
        raise Unreadable("header's tail is no MessagePack map") from cause
    principal, authenticated_at = tail.pop(_PRINCIPAL, None), tail.pop(_AUTHENTICATED_AT, 0)
    agent, address = tail.pop(_USER_AGENT, ""), tail.pop(_ADDRESS, "")
    if not (type(agent) is str and type(address) is str and type(authenticated_at) is int):
        raise Unreadable("header holds a field of another type")
    if not (principal is None or type(principal) is str):
        raise Unreadable("header holds a principal of another type")
    device = Device(agent, address) if agent or address else _NO_DEVICE
    return principal, device, authenticated_at, tail, b""


def encode_tombstone(tombstone: Tombstone) -> bytes:
    packed = TOMBSTONE.pack(TOMBSTONE_KIND, END_REASONS.index(tombstone.reason), tombstone.ended_at)
    return packed + tombstone.successor.encode("ascii")


def _decode_tombstone(data: bytes) -> Tombstone:
    _, index, ended_at = TOMBSTONE.unpack_from(data)
    # Ended is ended: a reason that only a later release knows must not turn into an error here.
    reason: EndReason = END_REASONS[index] if index < len(END_REASONS) else "revoked"
    successor = data[TOMBSTONE.size : TOMBSTONE.size + SESSION_ID_BYTES]
    known = reason == "rotated-away" and len(successor) == SESSION_ID_BYTES and successor.isascii()
    return Tombstone(reason, ended_at, successor.decode("ascii") if known else "")


def encode_attribute(attribute: Attribute) -> bytes:
    return attribute.tag + attribute.value


def decode_attribute(data: bytes) -> Attribute:
    """Raises ``Unreadable``."""
    if len(data) <= TAG_BYTES:
        raise Unreadable("attribute is cut short")
    return Attribute(tag=data[:TAG_BYTES], value=data[TAG_BYTES:])


class StoredAttributes(LazyAttributes):
    """As the record's hash has them."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[bytes, bytes]) -> None:
        """``fields``: of the session's hash, without the header's."""
        self._fields = fields

    def __getitem__(self, name: str) -> Attribute:
        attribute: Attribute | None = self.get(name)
        if attribute is None:
            raise KeyError(name)
        return attribute

    def get(self, name: str, default: Any = None) -> Any:
        data = self._fields.get(_field(name))
        return default if data is None else decode_attribute(data)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and _field(name) in self._fields

    def __iter__(self) -> Iterator[str]:
        try:
            return iter([name.decode() for name in self._fields])
        except UnicodeDecodeError as cause:
            raise Unreadable("an attribute's name is no UTF-8") from cause

    def __len__(self) -> int:
        return len(self._fields)

    @property
    def bulk(self) -> int:
        return sum(map(len, self._fields)) + sum(map(len, self._fields.values()))

    @property
    def size(self) -> int:
        sealed = [data[TAG_BYTES : TAG_BYTES + 1] for data in self._fields.values()].count(SEALED)
        return self.bulk - TAG_BYTES * len(self._fields) - SEAL_BYTES * sealed


def size_of(attributes: Mapping[str, Attribute]) -> int:
    """Bytes of names and values, as if none were sealed."""
    if isinstance(attributes, LazyAttributes):
        return attributes.size
    return sum(len(_field(name)) + plain_size(one.value) for name, one in attributes.items())


def plain_size(value: bytes) -> int:
    """Bytes of an attribute's value, as if it were not sealed."""
    return len(value) - SEAL_BYTES * (value[:1] == SEALED)


def _field(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")


def encode_record(record: Record) -> dict[bytes, bytes]:
    """The fields of the session's hash."""
    attributes = {name.encode(): encode_attribute(value) for name, value in record.attributes.items()}
    return {HEADER_FIELD: encode_header(record.header), **attributes}


def decode_record(fields: Mapping[bytes, bytes]) -> Record | Tombstone | None:
    """``None``: no fields, the node has no such key. Raises ``Unreadable``."""
    if not fields:
        return None
    attributes = dict(fields)
    data = attributes.pop(HEADER_FIELD, None)
    if data is None:
        raise Unreadable("record has no header")
    header = decode_header(data)
    return header if isinstance(header, Tombstone) else Record(header, StoredAttributes(attributes))
