"""The session cookie as data: when it is set, cleared or left alone; the adapters put it on the response.

OWASP Session Management Cheat Sheet: ``Secure``, ``HttpOnly``, ``SameSite``, the ``__Host-`` prefix (no
``Domain``), and no persistence for a signed-in session. A session from before sign-in is kept until its
absolute timeout: a cart survives the browser, an identity does not.
"""

from __future__ import annotations

from dataclasses import dataclass

from .record import Kind
from .settings import SessionSettings

SEVERAL = "several"


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

    def __repr__(self) -> str:
        return f"<Cookie {self.name} {'set' if self.value else 'cleared'}>"


def session_cookie_name(settings: SessionSettings) -> str:
    """``__Host-session``, or ``session`` on plain-HTTP loopback."""
    return _name(settings, settings.cookie_name)


def csrf_cookie_name(settings: SessionSettings) -> str:
    return _name(settings, settings.csrf_cookie_name)


def find(header: str, name: str) -> str | None:
    """The value of the cookie ``name`` in a ``Cookie`` header; one that is no token nor binding where there are
    several. Frameworks disagree there (Django takes the last, Werkzeug the first), which would be two sessions in one
    request; and a browser sends several only where another host or path set one (RFC 6265, section 8.6: no integrity).
    """
    pairs = (pair.partition("=") for pair in header.split(";"))
    values = {value.strip().strip('"') for found, _, value in pairs if found.strip() == name}
    return values.pop() if len(values) == 1 else SEVERAL if values else None


def set_session(settings: SessionSettings, token_text: str) -> Cookie:
    anonymous = token_text.startswith(Kind.ANONYMOUS.value)
    max_age = settings.anonymous_absolute if anonymous else None
    return Cookie(session_cookie_name(settings), token_text, max_age, settings.secure)


def clear_session(settings: SessionSettings) -> Cookie:
    return Cookie(session_cookie_name(settings), "", 0, settings.secure)


def set_csrf(settings: SessionSettings, value: str) -> Cookie:
    return Cookie(csrf_cookie_name(settings), value, None, settings.secure)


def _name(settings: SessionSettings, name: str) -> str:
    return f"__Host-{name}" if settings.secure else name
