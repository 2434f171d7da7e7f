"""The session cookie as data: when it is set, cleared or left alone; the adapters put it on the response.

OWASP Session Management Cheat Sheet: ``Secure``, ``HttpOnly``, ``SameSite``, the ``__Host-`` prefix (no
``Domain``), and no persistence for a signed-in session, unless the app asked for it ("remember me"). A session from
before sign-in is kept until its absolute timeout: a cart survives the browser, an identity does not.
"""

from __future__ import annotations

from dataclasses import dataclass

from .record import Header, Kind
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
    count = header.count(name)
    if not count:
        return None
    if count == 1:  # as nearly always
        before, _, after = header.partition(name)
        if (not before or before.rstrip().endswith(";")) and after.startswith("="):
            return after[1:].partition(";")[0].strip().strip('"')
    pairs = (pair.partition("=") for pair in header.split(";"))
    values = {value.strip().strip('"') for found, _, value in pairs if found.strip() == name}
    return values.pop() if len(values) == 1 else SEVERAL if values else None


def set_session(settings: SessionSettings, token_text: str, header: Header, now: int) -> Cookie:
    return Cookie(session_cookie_name(settings), token_text, max_age(header, now), settings.secure)


def is_kept(header: Header) -> bool:
    """The cookie outlives the browser."""
    return header.kind is Kind.ANONYMOUS if header.keep is None else header.keep


def max_age(header: Header, now: int) -> int | None:
    """Kept, it lasts until the absolute timeout: touches set no cookie, and the idle timeout is the record's."""
    return max(1, -((now - header.absolute_at) // 1000)) if is_kept(header) else None


def clear_session(settings: SessionSettings) -> Cookie:
    return Cookie(session_cookie_name(settings), "", 0, settings.secure)


def set_csrf(settings: SessionSettings, value: str) -> Cookie:
    return Cookie(csrf_cookie_name(settings), value, None, settings.secure)


def _name(settings: SessionSettings, name: str) -> str:
    return f"__Host-{name}" if settings.secure else name
