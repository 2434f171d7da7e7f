"""Record <-> bytes. One hash a session: its header (or tombstone) in the field named by the empty string, and
a field an attribute, named by the attribute.

Header: a prefix that scripts read and write in place, big-endian, then a tail that they copy untouched. Times are
milliseconds since the epoch. Offsets count from 0 (Lua's ``string.sub`` and ``struct.unpack`` count from 1):

====== ==== ======= ================ =======================================================================
offset size struct  field            meaning
====== ==== ======= ================ =======================================================================
0      1    B       kind             1 record, 2 tombstone
1      1    B       flags            bit 0 signed in, 1 returned, 2 keep, 3 do not, 4 rotated, 6 claim; scripts keep others
2      1    c1      pepper_id        one base64url character
3      2    I2      rotation_count
5      16   c16     secret_hash
21     6    I6      created_at
27     6    I6      last_seen_at
33     6    I6      idle             milliseconds
39     6    I6      absolute_at
====== ==== ======= ================ =======================================================================

Then, where it is signed in, 20 bytes: ``generation`` I4, ``principal_key`` c16 (the bytes of its text). Then, where it is
rotated (once, or a successor is on offer), 30 bytes: ``previous_hash`` c16 (zeros: none), ``previous_until`` I6,
``nonce`` c8 (zeros: none). Then the tail: its kind byte (0 plain, else sealed: ``seal``), and a MessagePack map with short
keys. In Redis: ``struct.unpack('>BBc1I2c16I6I6I6I6', header)``.

Tombstone: ``kind`` B = 2, ``reason`` B (index in ``END_REASONS``), ``ended_at`` I8; then, where a sign-in ended it,
the ``successor``'s session ID, 16 bytes of ASCII; later ones may append.

Attribute: its tag (8 bytes), then its value: kind byte (0 plain, else sealed: ``seal``), then MessagePack (``values``).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from . import base64url
from .agent import pack_agent, unpack_agent
from .errors import Unreadable
from .record import (
    END_REASONS,
    TAG_BYTES,
    Attribute,
    Device,
    EndReason,
    Header,
    LazyAttributes,
    LazyTail,
    Record,
    Tail,
    Tombstone,
    alter,
)

HEADER_FIELD = b""
PREFIX = struct.Struct(">BB1sH16sHIHIHIHI")  # a time is two numbers: of 16 bits, of 32
PRINCIPAL_PART = struct.Struct(">I16s")
ROTATION_PART = struct.Struct(">16sHI8s")
TOMBSTONE = struct.Struct(">BBQ")
SESSION_ID_BYTES = 16
RECORD_KIND = 1
TOMBSTONE_KIND = 2
SIGNED_IN_FLAG = 1
RETURNED_FLAG = 2
KEEP_FLAG = 4  # the cookie outlives the browser
BROWSER_FLAG = 8  # it does not; neither of the two: as sessions of its kind
ROTATED_FLAG = 16
CLAIM_FLAG = 64  # no session, but a mark that an old one's cookie is used up (``migration``)
PLAIN = b"\x00"
SEALED = b"-"  # the least of the kind bytes that are the IDs of keys
SEAL_BYTES = 20  # a sealed value takes more than a plain one: the rest of the nonce, GCM's tag (``seal``)

_NO_HASH = bytes(16)
_NO_NONCE = bytes(8)
_PRINCIPAL, _USER_AGENT, _ADDRESS, _AUTHENTICATED_AT = "p", "u", "a", "t"
_NO_TAIL = PLAIN + b"\x80"
_unpack_tail = msgspec.msgpack.Decoder(dict[str, object]).decode
_NO_DEVICE = Device()


def is_sealed(data: bytes) -> bool:
    """An attribute's value, or a tail. (What a read does compares by itself: a call is a quarter of a microsecond.)"""
    return data[:1] >= SEALED


def encode_header(header: Header) -> bytes:
    principal = rotation = b""
    flags = keep_flags(header.keep) | (RETURNED_FLAG if header.returned else 0)
    flags |= CLAIM_FLAG if header.claim else 0
    if header.principal_key:
        flags |= SIGNED_IN_FLAG
        principal = PRINCIPAL_PART.pack(header.generation, base64url.decode(header.principal_key))
    if header.previous_hash or header.previous_until or header.nonce:
        flags |= ROTATED_FLAG
        until = divmod(header.previous_until, 2**32)
        rotation = ROTATION_PART.pack(header.previous_hash or _NO_HASH, *until, header.nonce or _NO_NONCE)
    prefix = PREFIX.pack(
        RECORD_KIND,
        flags,
        header.pepper_id.encode("ascii"),
        header.rotation_count,
        header.secret_hash,
        *divmod(header.created_at, 2**32),
        *divmod(header.last_seen_at, 2**32),
        *divmod(header.idle, 2**32),
        *divmod(header.absolute_at, 2**32),
    )
    tail = header.tail
    return (
        prefix + principal + rotation + (tail.data if isinstance(tail, StoredTail) else encode_tail(header))
    )


def keep_flags(keep: bool | None) -> int:
    return 0 if keep is None else KEEP_FLAG if keep else BROWSER_FLAG


def encode_tail(header: Header) -> bytes:
    """Plain."""
    return PLAIN + msgspec.msgpack.encode(_tail(header.tail.known))


def _tail(tail: Tail) -> dict[str, object]:
    """Empty fields are left out: most anonymous sessions have a tail of two bytes."""
    known: dict[str, object] = {
        _PRINCIPAL: tail.principal,
        _USER_AGENT: pack_agent(tail.device.user_agent),
        _ADDRESS: tail.device.address,
        _AUTHENTICATED_AT: tail.authenticated_at,
    }
    return {key: value for key, value in known.items() if value} | dict(tail.extra)


def with_tail(header: Header, data: bytes) -> Header:
    """``header`` with another tail, plain or sealed."""
    return alter(header, tail=StoredTail(data))


def decode_header(data: bytes) -> Header | Tombstone:
    """What stands in the header's field. Raises ``Unreadable``."""
    kind = data[0] if data else 0
    if kind == TOMBSTONE_KIND and len(data) >= TOMBSTONE.size:
        return _decode_tombstone(data)
    if kind != RECORD_KIND:
        raise Unreadable("header has an unknown kind or is cut short")
    generation, principal_key, previous_hash, previous_until, nonce = 0, "", b"", 0, b""
    at = PREFIX.size
    try:
        # The letters are the halves of the four times: slices and names of their own cost a third of a microsecond.
        _, flags, pepper_id, rotation_count, secret_hash, a, b, c, d, e, f, g, h = PREFIX.unpack_from(data)
        if flags & SIGNED_IN_FLAG:
            generation, key = PRINCIPAL_PART.unpack_from(data, at)
            principal_key = base64url.encode(key)
            at += PRINCIPAL_PART.size
        if flags & ROTATED_FLAG:
            previous_hash, until, until_low, nonce = ROTATION_PART.unpack_from(data, at)
            previous_hash = b"" if previous_hash == _NO_HASH else previous_hash
            previous_until = until << 32 | until_low
            nonce = b"" if nonce == _NO_NONCE else nonce
            at += ROTATION_PART.size
        tail = data[at:]
        if not tail or PLAIN < tail[:1] < SEALED:
            raise Unreadable("header's tail is of a later release, or missing")
        return Header(  # by position: in half the time that keywords take
            secret_hash,
            pepper_id.decode("ascii"),
            a << 32 | b,
            c << 32 | d,
            e << 32 | f,
            g << 32 | h,
            rotation_count,
            generation,
            flags & RETURNED_FLAG != 0,
            True if flags & KEEP_FLAG else False if flags & BROWSER_FLAG else None,
            principal_key,
            previous_hash,
            previous_until,
            nonce,
            StoredTail(tail),
            flags & CLAIM_FLAG != 0,
        )
    except struct.error as cause:
        raise Unreadable("header is cut short") from cause
    except UnicodeDecodeError as cause:
        raise Unreadable("header holds a field that is no ASCII") from cause


def decode_facts(data: bytes) -> Header:
    """Of a header whose tail is missing; what follows is ignored. Raises ``Unreadable``."""
    flags = data[1] if len(data) > 1 else 0
    size = PREFIX.size
    size += PRINCIPAL_PART.size if flags & SIGNED_IN_FLAG else 0
    size += ROTATION_PART.size if flags & ROTATED_FLAG else 0
    header = decode_header(data[:size] + _NO_TAIL)
    if isinstance(header, Tombstone):
        raise Unreadable("a tombstone stands in place of a record's header")
    return header


class StoredTail(LazyTail, eq=False):
    """As the header's field has it. ``open`` makes ``data`` plain; what is sealed is ``Unreadable`` without it."""

    data: bytes
    open: Callable[[bytes], bytes] | None = None
    decoded: Tail | None = None  # once it was used

    @property
    def known(self) -> Tail:
        known = self.decoded
        if known is None:
            known = self.decoded = _decode_tail(self.data if self.open is None else self.open(self.data))
        return known

    def __eq__(self, other: object) -> bool:
        if isinstance(other, StoredTail) and self.data == other.data:
            return True
        return self.known == other.known if isinstance(other, Tail | LazyTail) else NotImplemented

    def __repr__(self) -> str:
        return "<StoredTail>"


def _decode_tail(data: bytes) -> Tail:
    if data[:1] != PLAIN:
        raise Unreadable("header's tail is sealed, or of a later release")
    try:
        tail = _unpack_tail(data[1:])
    except (msgspec.DecodeError, ValueError, RecursionError) as cause:
        raise Unreadable("header's tail is no MessagePack map") from cause
    principal, authenticated_at = tail.pop(_PRINCIPAL, None), tail.pop(_AUTHENTICATED_AT, 0)
    agent, address = tail.pop(_USER_AGENT, b""), tail.pop(_ADDRESS, "")
    if not (type(agent) is bytes and type(address) is str and type(authenticated_at) is int):
        raise Unreadable("header holds a field of another type")
    if not (principal is None or type(principal) is str):
        raise Unreadable("header holds a principal of another type")
    device = Device(unpack_agent(agent), address) if agent or address else _NO_DEVICE
    return Tail(principal, device, authenticated_at, tail)


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


Opener = Callable[[str, Attribute], Attribute]


class StoredAttributes(LazyAttributes):
    """As the record's hash has them."""

    __slots__ = ("_open", "_used", "fields")

    def __init__(self, fields: Mapping[bytes, bytes], open: Opener | None = None) -> None:
        """``fields``: of the session's hash, without the header's. ``open`` makes an attribute plain, if it can."""
        self.fields: Mapping[bytes, bytes] = fields
        self._open = open
        self._used: dict[str, Attribute] = {}

    def __getitem__(self, name: str) -> Attribute:
        attribute: Attribute | None = self.get(name)
        if attribute is None:
            raise KeyError(name)
        return attribute

    def get(self, name: str, default: Any = None) -> Any:
        used = self._used.get(name)
        if used is None:
            data = self.fields.get(name.encode("utf-8", "surrogatepass"))
            if data is None:
                return default
            used = decode_attribute(data)
            if self._open is not None:
                used = self._open(name, used)
            self._used[name] = used
        return used

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and _field(name) in self.fields

    def __iter__(self) -> Iterator[str]:
        try:
            return iter([name.decode() for name in self.fields])
        except UnicodeDecodeError as cause:
            raise Unreadable("an attribute's name is no UTF-8") from cause

    def __len__(self) -> int:
        return len(self.fields)

    @property
    def bulk(self) -> int:
        return sum(map(len, self.fields)) + sum(map(len, self.fields.values()))

    @property
    def size(self) -> int:
        sealed = sum(data[TAG_BYTES : TAG_BYTES + 1] >= SEALED for data in self.fields.values())
        return self.bulk - TAG_BYTES * len(self.fields) - SEAL_BYTES * sealed


def size_of(attributes: Mapping[str, Attribute]) -> int:
    """Bytes of names and values, as if none were sealed."""
    if isinstance(attributes, LazyAttributes):
        return attributes.size
    return sum(len(_field(name)) + plain_size(one.value) for name, one in attributes.items())


def plain_size(value: bytes) -> int:
    """Bytes of an attribute's value, as if it were not sealed."""
    return len(value) - SEAL_BYTES * is_sealed(value)


def _field(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")


def encode_record(record: Record) -> dict[bytes, bytes]:
    """The fields of the session's hash."""
    attributes = {name.encode(): encode_attribute(value) for name, value in record.attributes.items()}
    return {HEADER_FIELD: encode_header(record.header), **attributes}


def decode_record(fields: dict[bytes, bytes]) -> Record | Tombstone | None:
    """``fields``: the record's from now on. ``None``: there are none, the node has no such key. Raises ``Unreadable``."""
    if not fields:
        return None
    data = fields.pop(HEADER_FIELD, None)
    if data is None:
        raise Unreadable("record has no header")
    header = decode_header(data)
    return header if isinstance(header, Tombstone) else Record(header, StoredAttributes(fields))
