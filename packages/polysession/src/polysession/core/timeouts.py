"""When a session expires and when a touch is due: pure functions. Times in milliseconds; scripts judge by the
same rules.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from .record import Header, Kind


def is_unreturned(header: Header) -> bool:
    """Anonymous, and its cookie never came back: a bot's, as far as anybody knows."""
    return header.kind is Kind.ANONYMOUS and not header.returned


def expires_at(header: Header, *, unreturned: int) -> int:
    """From then on the session is expired. ``unreturned``: how long an anonymous session waits for its
    cookie.
    """
    due = min(header.last_seen_at + header.idle, header.absolute_at)
    return min(due, header.created_at + unreturned) if is_unreturned(header) else due


def expiry(header: Header, now: int, *, unreturned: int) -> Literal["idle", "absolute"] | None:
    """The reason it has expired for, ``None`` while it lives."""
    if now < expires_at(header, unreturned=unreturned):
        return None
    return "absolute" if now >= header.absolute_at else "idle"


def touch_due(header: Header, now: int, *, fraction: int) -> bool:
    """After ``idle / fraction``; the first return of an anonymous session's cookie is due whatever its age."""
    return is_unreturned(header) or now - header.last_seen_at >= header.idle // fraction


def touched(header: Header, now: int) -> Header:
    """The header after a touch. Last seen never goes back."""
    return replace(header, last_seen_at=max(header.last_seen_at, now), returned=True)
