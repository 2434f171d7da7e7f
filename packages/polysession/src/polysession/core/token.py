"""The session token: 70 base64url characters, the secret in the cookie.

kind (1), MAC key ID (1), partition (2), session ID (16), rotation count (2), secret (32), MAC (16).
The MAC is HMAC-SHA256 over the 54 characters before it, cut to 96 bits: it refuses a forged or mistyped token
without a round trip. It is no substitute for the secret (192 bits; OWASP asks for at least 64 bits of
entropy), which the store compares.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hmac import compare_digest
from itertools import product

import msgspec

from . import base64url
from .errors import InvalidSettings, InvalidToken
from .mac import compute
from .record import Address, Kind

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
PARTITIONS = 4096
MAX_ROTATION_COUNT = 4095  # two characters
TOKEN_LENGTH = 70

_SHAPE = re.compile(r"[as][A-Za-z0-9_-]{69}", re.ASCII)
_SESSION_ID = re.compile(r"[A-Za-z0-9_-]{16}", re.ASCII)
_UNSIGNED = 54
_NUMBERS = {high + low: number for number, (high, low) in enumerate(product(ALPHABET, ALPHABET))}
_KINDS = {kind.value: kind for kind in Kind}


@dataclass(frozen=True, slots=True)
class Key:
    """``id``: one base64url character. ``activate_after``: milliseconds; it signs from then on, and verifies
    at once.
    """

    id: str
    value: bytes = field(repr=False)
    activate_after: int = 0


def newest(keys: Sequence[Key]) -> Key:
    return keys[0] if len(keys) == 1 else max(keys, key=lambda key: (key.activate_after, key.id))


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The newest key whose time has come signs; all verify."""

    keys: tuple[Key, ...]
    find: Callable[[str], Key | None] = field(init=False, repr=False, compare=False)  # by ID, at each request

    def __post_init__(self) -> None:
        find = {key.id: key for key in reversed(self.keys)}.get
        object.__setattr__(self, "find", find)  # frozen for everybody else

    def signing(self, now: int) -> Key:
        """Raises ``InvalidSettings`` while no key's time has come."""
        active = [key for key in self.keys if key.activate_after <= now]
        if not active:
            raise InvalidSettings(("a key ring has no key that signs yet",))
        return newest(active)


@dataclass(frozen=True, slots=True)
class Keys:
    """All secrets of the library. ``repr`` shows none."""

    mac: KeyRing
    pepper: KeyRing
    csrf: KeyRing
    placement: bytes = field(repr=False)
    seal: KeyRing = KeyRing(())  # empty: attributes are stored plain


KeySource = Callable[[], Keys]  # the keys of this moment; the same object until they change


class Token(msgspec.Struct, frozen=True):
    """``text`` goes into the cookie and nowhere else; ``repr`` shows kind and session ID only."""

    kind: Kind
    address: Address
    rotation_count: int
    secret: str
    text: str

    def __repr__(self) -> str:
        return f"<Token {self.kind.value} {self.address.session_id}>"


def new_session_id(random: Callable[[int], bytes]) -> str:
    """96 random bits: it names, it opens nothing."""
    return base64url.encode(random(12))


def is_session_id(text: str) -> bool:
    return _SESSION_ID.fullmatch(text) is not None


def new_secret(random: Callable[[int], bytes]) -> str:
    return base64url.encode(random(24))


def new_partition(random: Callable[[int], bytes]) -> int:
    return int.from_bytes(random(2), "big") % PARTITIONS


def mint(keys: Keys, now: int, *, kind: Kind, address: Address, rotation_count: int, secret: str) -> Token:
    key = keys.mac.signing(now)
    partition, count = _two_characters(address.partition), _two_characters(rotation_count)
    unsigned = f"{kind.value}{key.id}{partition}{address.session_id}{count}{secret}"
    text = unsigned + _mac(key, unsigned).decode("ascii")
    if not _SHAPE.fullmatch(text):
        raise ValueError("a part of the token has the wrong size or alphabet")
    return Token(kind, address, rotation_count, secret, text)


def parse(keys: Keys, text: str) -> Token:
    """Raises ``InvalidToken`` (malformed, forged) without a round trip; compares in constant time."""
    # What bears our MAC is a token that we made; only of the rest it is worth knowing whether it looks like one.
    key = keys.mac.find(text[1]) if len(text) == TOKEN_LENGTH and text.isascii() else None
    if key is None or not compare_digest(_mac(key, text[:_UNSIGNED]), text[_UNSIGNED:].encode()):
        raise InvalidToken("forged" if _SHAPE.fullmatch(text) else "malformed")
    return Token(
        _KINDS[text[0]],
        Address(_NUMBERS[text[2:4]], text[4:20]),
        _NUMBERS[text[20:22]],
        text[22:_UNSIGNED],
        text,
    )


def hash_secret(keys: Keys, secret: str, pepper_id: str) -> bytes:
    """HMAC-SHA256(pepper, secret), 16 bytes. Raises ``InvalidToken`` when the pepper is unknown."""
    pepper = keys.pepper.find(pepper_id)
    if pepper is None:
        raise InvalidToken("forged")
    return compute(pepper.value, b"secret", secret.encode())[:16]


def hash_by_each_pepper(keys: Keys, secret: str) -> dict[str, bytes]:
    """By pepper ID, for who does not know by which one the hash was made that it is to fit."""
    return {pepper.id: hash_secret(keys, secret, pepper.id) for pepper in keys.pepper.keys}


def derive_secret(keys: Keys, secret: str, pepper_id: str, nonce: bytes) -> str:
    """The successor of ``secret`` by age: the same one for whoever knows secret, nonce and pepper. Raises
    ``InvalidToken`` when the pepper is unknown.
    """
    pepper = keys.pepper.find(pepper_id)
    if pepper is None:
        raise InvalidToken("forged")
    return base64url.encode(compute(pepper.value, b"successor", f"{secret}\0{nonce.hex()}".encode())[:24])


def fits_any_pepper(keys: Keys, secret: str, secret_hash: bytes) -> bool:
    """For a hash whose pepper is not noted: the one before a rotation, which may have moved to a newer pepper."""
    return any(compare_digest(one, secret_hash) for one in hash_by_each_pepper(keys, secret).values())


def check_principal(given: object) -> None:
    """Of who signs in. Raises ``TypeError``, ``ValueError``."""
    _check_type(given)
    if not given:
        raise ValueError("principal must not be empty: who is nobody is not signed in")


def place(keys: Keys, principal: str) -> tuple[int, str]:
    """The principal's partition and ``principal_key``, fixed for life. Raises ``TypeError`` for another type."""
    _check_type(principal)
    digest = compute(keys.placement, b"placement", principal.encode())
    return int.from_bytes(digest[:2], "big") % PARTITIONS, base64url.encode(digest[2:18])


def pseudonym(keys: Keys, principal: str) -> str:
    """``enduser.pseudo.id`` for traces and baggage: 22 characters, other than the ``principal_key``."""
    return base64url.encode(compute(keys.placement, b"pseudonym", principal.encode())[:16])


def _mac(key: Key, unsigned: str) -> bytes:
    """16 base64url characters."""
    mac = compute(key.value, b"token", unsigned.encode())[:12]
    return b2a_base64(mac, newline=False).translate(base64url.URL_SAFE)


def _check_type(principal: object) -> None:
    if not isinstance(principal, str):
        raise TypeError(f"a principal is a str, not {type(principal).__name__}: pass str(user_id)")


def _two_characters(number: int) -> str:
    if not 0 <= number < 4096:
        raise ValueError("does not fit in two base64url characters")
    return ALPHABET[number >> 6] + ALPHABET[number & 63]
