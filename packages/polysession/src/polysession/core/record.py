"""A session as it is stored: a header, attributes with their tags, or the tombstone that replaced them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, get_args

import msgspec
from msgspec import structs

EndReason = Literal["logout", "idle", "absolute", "revoked", "rotated-away", "replaced", "theft"]
END_REASONS: tuple[EndReason, ...] = get_args(EndReason)

TAG_BYTES = 8
MAX_USER_AGENT = 256  # characters


class Kind(StrEnum):
    """First character of a token: whether its session has a principal."""

    ANONYMOUS = "a"
    SIGNED_IN = "s"


class Address(msgspec.Struct, frozen=True):
    """Where a session lives. ``partition`` 0 to 4095; ``session_id`` 16 base64url characters."""

    partition: int
    session_id: str


class Device(msgspec.Struct, frozen=True):
    """What the browser told of itself, in the header's tail (personal data). It may tell a lot: a session keeps the
    first ``MAX_USER_AGENT`` characters. (A struct of msgspec's: each request makes one.)
    """

    user_agent: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Of one session. ``idle`` in milliseconds, ``absolute_at`` a time. ``keep``: the cookie outlives the browser;
    ``None``: as sessions of its kind do.
    """

    idle: int
    absolute_at: int
    keep: bool | None = None


class Tail(msgspec.Struct, frozen=True):
    """What scripts do not read of a header, but copy untouched. ``extra`` keeps what a newer release wrote."""

    principal: str | None = None
    device: Device = Device()
    authenticated_at: int = 0
    extra: Mapping[str, object] = msgspec.field(default_factory=dict)

    @property
    def known(self) -> Tail:
        return self


class LazyTail(msgspec.Struct, eq=False):
    """A tail that is decoded, or opened, when it is used: requests of anonymous sessions do not use it."""

    @property
    def known(self) -> Tail:
        """Raises ``Unreadable``."""
        raise NotImplementedError


class Header(msgspec.Struct, frozen=True):
    """Times in milliseconds since the epoch, ``idle`` in milliseconds.

    All but the ``tail`` is what scripts read, and what a session is judged by. What is of the tail may raise
    ``Unreadable`` where it is used. (A struct of msgspec's, and ``alter`` in place of ``replace``: of twenty fields a
    dataclass takes 5 µs.)
    """

    secret_hash: bytes  # 16: HMAC-SHA256(pepper, secret), cut
    pepper_id: str
    created_at: int
    last_seen_at: int
    idle: int
    absolute_at: int
    rotation_count: int = 0
    generation: int = 0  # of a session with a ``principal_key`` only
    returned: bool = False  # the cookie came back once
    keep: bool | None = None  # the cookie outlives the browser; None: as sessions of its kind do (`cookie`)
    principal_key: str = ""  # 22 base64url characters, of 16 bytes; empty before sign-in
    previous_hash: bytes = b""  # 16, or empty: the secret before the last rotation, or on offer (`rotation`)
    previous_until: int = 0  # until then its use is no alarm; 0 with a nonce: it is on offer
    nonce: bytes = b""  # 8, or empty: of the last rotation by age
    tail: Tail | LazyTail = Tail()
    claim: bool = False  # no session: it is neither counted nor ended, and is gone once its time has come

    @property
    def kind(self) -> Kind:
        return Kind.SIGNED_IN if self.principal_key else Kind.ANONYMOUS

    @property
    def principal(self) -> str | None:
        return self.tail.known.principal

    @property
    def device(self) -> Device:
        return self.tail.known.device

    @property
    def authenticated_at(self) -> int:
        return self.tail.known.authenticated_at

    @property
    def extra(self) -> Mapping[str, object]:
        return self.tail.known.extra


def alter(header: Header, **fields: Any) -> Header:
    """``header`` with these fields."""
    return structs.replace(header, **fields)


def alter_tail(header: Header, **fields: Any) -> Header:
    """``header`` with these fields in its tail. Raises ``Unreadable``."""
    return structs.replace(header, tail=structs.replace(header.tail.known, **fields))


class Attribute(msgspec.Struct, frozen=True):
    """One named value. ``value``: a kind byte (0 plain, else sealed), then the encoded value."""

    tag: bytes
    value: bytes


class LazyAttributes(Mapping[str, Attribute]):
    """Attributes that are decoded, or opened, when they are used: most requests use few. Use, and going through the
    names, may raise ``Unreadable``.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def size(self) -> int:
        """Bytes of names and values, as if none were sealed."""

    @property
    @abstractmethod
    def bulk(self) -> int:
        """No less than ``size``, and quicker."""


class Record(msgspec.Struct, frozen=True):
    header: Header
    attributes: Mapping[str, Attribute]


@dataclass(frozen=True, slots=True)
class Tombstone:
    """``placed``: the very operation that returned it put it there (a write that met an expired record):
    count the end. ``successor``: the session ID of what took its place, where it is ``rotated-away``. ``confirmed``: a
    replica has it; asked by a repeated end only.
    """

    reason: EndReason
    ended_at: int
    successor: str = ""
    placed: bool = field(default=False, compare=False)
    confirmed: bool = field(default=False, compare=False)
