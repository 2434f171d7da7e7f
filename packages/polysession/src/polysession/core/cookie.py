"""The session cookie as data: when it is set, cleared or left alone; the adapters put it on the response."""

from __future__ import annotations

from dataclasses import dataclass

from .settings import SessionSettings


@dataclass(frozen=True, slots=True, repr=False)
class Cookie:
    """RFC 6265bis. ``value`` empty and ``max_age`` 0: clear. ``max_age`` ``None``: until the browser closes."""

    name: str
    value: str
    max_age: int | None
    secure: bool
    http_only: bool = True
    same_site: str = "Lax"
    path: str = "/"


def session_cookie_name(settings: SessionSettings) -> str:
    """``__Host-session``, or ``session`` on plain-HTTP loopback."""
    raise NotImplementedError


def csrf_cookie_name(settings: SessionSettings) -> str:
    raise NotImplementedError


def set_session(settings: SessionSettings, token_text: str) -> Cookie:
    raise NotImplementedError


def clear_session(settings: SessionSettings) -> Cookie:
    raise NotImplementedError


def set_csrf(settings: SessionSettings, value: str) -> Cookie:
    raise NotImplementedError
