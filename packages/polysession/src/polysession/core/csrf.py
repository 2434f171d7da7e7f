"""CSRF tokens: HMAC(csrf key, session ID), never stored, masked as Django masks its own (64 characters).

Before a session the binding is the value of a cookie of its own (32 random characters), instead of the session ID.
OWASP CSRF Prevention Cheat Sheet: signed double-submit, bound to the session.
"""

from __future__ import annotations

from .token import Keys


def new_binding() -> str:
    """A value for the pre-session cookie."""
    raise NotImplementedError


def secret(keys: Keys, binding: str, now: int) -> str:
    """The unmasked secret: 32 characters of Django's CSRF alphabet, so that Django's own code can mask and compare it."""
    raise NotImplementedError


def mint(keys: Keys, binding: str, now: int) -> str:
    """A masked token for one answer; each call differs."""
    raise NotImplementedError


def check(keys: Keys, binding: str | None, given: str | None) -> bool:
    """Constant time; any key of the ring. ``False`` for anything malformed."""
    raise NotImplementedError
