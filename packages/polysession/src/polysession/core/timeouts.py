"""When a session expires and when a touch is due: pure functions. Times in milliseconds; scripts judge by the
same rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .record import Header, Kind, Timeouts, alter
from .settings import SessionSettings


@dataclass(frozen=True, slots=True)
class Wish:
    """What an app asks of one session's timeouts; ``None``: what the settings say. ``idle`` in seconds, ``until`` a
    time.
    """

    idle: int | None = None
    until: int | None = None
    keep: bool | None = None


def longest(settings: SessionSettings) -> int:
    """The most seconds that anything may be asked for."""
    return max(settings.remember, settings.absolute)


def timeouts_of(header: Header) -> Timeouts:
    return Timeouts(header.idle, header.absolute_at, header.keep)


def grant(wish: Wish, settings: SessionSettings, kind: Kind, *, began: int) -> Timeouts:
    """What is given of it: the absolute timeout counts from the start, whatever is asked later, and a session does
    not idle longer than it may last. One that may idle longer than the settings let it last, lasts as long as any may.
    """
    signed_in = kind is Kind.SIGNED_IN
    idle = settings.idle if signed_in else settings.anonymous_idle
    absolute = settings.absolute if signed_in else settings.anonymous_absolute
    most = max(settings.remember, absolute)
    if wish.idle is not None:
        idle = min(wish.idle, most)
    end = began + most * 1000
    if wish.until is not None:
        end = min(wish.until, end)
    elif idle <= absolute:
        end = began + absolute * 1000
    return Timeouts(idle * 1000, end, wish.keep)


def retimed(header: Header, timeouts: Timeouts, now: int) -> Header:
    """The header with other timeouts. Setting them is activity: a shorter idle timeout counts from now."""
    return alter(
        touched(header, now), idle=timeouts.idle, absolute_at=timeouts.absolute_at, keep=timeouts.keep
    )


def is_unreturned(header: Header) -> bool:
    """Anonymous, and its cookie never came back: a bot's, as far as anybody knows."""
    return not (header.principal_key or header.returned)


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
    return alter(header, last_seen_at=max(header.last_seen_at, now), returned=True)
