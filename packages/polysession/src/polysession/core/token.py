"""The session token: 70 base64url characters, the secret in the cookie.

kind (1), MAC key ID (1), partition (2), session ID (16), rotation count (2), secret (32), MAC (16).
"""

from __future__ import annotations

from dataclasses import dataclass

from .record import Address, Kind


@dataclass(frozen=True, slots=True)
class Key:
    """``id``: one base64url character. ``activate_after``: milliseconds; it signs from then on, and verifies at once."""

    id: str
    value: bytes
    activate_after: int = 0


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The newest key whose time has come signs; all verify."""

    keys: tuple[Key, ...]

    def signing(self, now: int) -> Key:
        raise NotImplementedError

    def find(self, key_id: str) -> Key | None:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Keys:
    """All secrets of the library. ``repr`` shows none."""

    mac: KeyRing
    pepper: KeyRing
    csrf: KeyRing
    placement: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """``text`` goes into the cookie and nowhere else; ``repr`` shows kind and session ID only."""

    kind: Kind
    address: Address
    rotation_count: int
    secret: str
    text: str


def mint(keys: Keys, now: int, *, kind: Kind, address: Address, rotation_count: int, secret: str) -> Token:
    raise NotImplementedError


def parse(keys: Keys, text: str) -> Token:
    """Raises ``InvalidToken`` (malformed, forged) without a round trip; compares in constant time."""
    raise NotImplementedError


def hash_secret(keys: Keys, secret: str, pepper_id: str) -> bytes:
    """HMAC-SHA256(pepper, secret), 16 bytes. Raises ``InvalidToken`` when the pepper is unknown."""
    raise NotImplementedError


def place(keys: Keys, principal: str) -> tuple[int, str]:
    """The principal's partition and ``principal_key``, fixed for life."""
    raise NotImplementedError


def pseudonym(keys: Keys, principal: str) -> str:
    """``enduser.pseudo.id`` for traces and baggage: 22 characters, other than the ``principal_key``."""
    raise NotImplementedError
