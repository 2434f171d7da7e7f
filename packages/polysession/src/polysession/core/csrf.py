"""CSRF tokens: HMAC(csrf key, session ID), never stored, masked as Django masks its own (64 characters).

Before a session the binding is the value of a cookie of its own (32 random characters), instead of the
session ID. OWASP CSRF Prevention Cheat Sheet: signed double-submit, bound to the session. The mask differs in
every answer, so that a compressed answer does not leak the secret (BREACH).
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable

from .token import Key, Keys

ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"  # Django's CSRF_ALLOWED_CHARS
SECRET_LENGTH = 32

_BINDING = re.compile(r"[A-Za-z0-9]{32}", re.ASCII)
_MASKED = re.compile(r"[A-Za-z0-9]{64}", re.ASCII)


def new_binding(random: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """A value for the pre-session cookie."""
    return _letters(random(32))


def is_binding(value: str | None) -> bool:
    """``value`` may have been made by ``new_binding``: not empty, not a session ID (16 characters), nothing
    odd.
    """
    return value is not None and _BINDING.fullmatch(value) is not None


def secret(keys: Keys, binding: str, now: int) -> str:
    """The unmasked secret: 32 characters of Django's CSRF alphabet, so that Django's own code can mask and
    compare it.
    """
    return _secret(keys.csrf.signing(now), binding)


def mint(keys: Keys, binding: str, now: int, *, random: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """A masked token for one answer; each call differs."""
    mask = _letters(random(32))
    return mask + _shift(secret(keys, binding, now), mask, sign=1)


def check(keys: Keys, binding: str | None, given: str | None) -> bool:
    """Constant time; any key of the ring. ``False`` for anything malformed."""
    if not binding or given is None or not _MASKED.fullmatch(given):
        return False
    mask, masked = given[:SECRET_LENGTH], given[SECRET_LENGTH:]
    found = _shift(masked, mask, sign=-1)
    return any(hmac.compare_digest(_secret(key, binding), found) for key in keys.csrf.keys)


def _secret(key: Key, binding: str) -> str:
    return _letters(hmac.digest(key.value, f"csrf\0{binding}".encode(), "sha256"))


def _letters(data: bytes) -> str:
    """32 letters from 256 bits: one long division, so that no letter is favoured by more than 2**-65."""
    number = int.from_bytes(data, "big")
    letters = []
    for _ in range(SECRET_LENGTH):
        number, index = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[index])
    return "".join(letters)


def _shift(text: str, mask: str, *, sign: int) -> str:
    pairs = zip(text, mask, strict=True)
    return "".join(ALPHABET[(ALPHABET.index(a) + sign * ALPHABET.index(b)) % len(ALPHABET)] for a, b in pairs)
