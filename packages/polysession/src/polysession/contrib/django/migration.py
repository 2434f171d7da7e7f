"""Sessions of Django's own engines, read once, so that the switch signs nobody out.

    POLYSESSION_MIGRATE_FROM = "django.contrib.sessions.backends.cached_db"  # what SESSION_ENGINE was
    POLYSESSION_MIGRATE_UNTIL = date(2027, 3, 1)  # from then on no old session is read
    POLYSESSION_MIGRATE_COOKIE = "sessionid"  # what SESSION_COOKIE_NAME was; this is the default

Who is signed in comes along if Django itself would let them in (its backend, its session hash), unless all their sessions
have ended since the switch (by a raised ``session_generation``); so do attributes of types that can be stored
(docs/session-data.md), and ``set_expiry``. The others are named in a log line. See ``core.migration`` for what happens to
parallel requests and crashes.
"""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime
from functools import lru_cache
from importlib import import_module
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, load_backend
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db import Error as DatabaseFault
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.csrf import CSRF_SESSION_KEY
from django.utils.crypto import constant_time_compare

from polysession.core import bridge
from polysession.core.cookie import find
from polysession.core.errors import StoreUnavailable
from polysession.core.migration import OldSession, Predecessor
from polysession.core.timeouts import Wish, longest

from .ending import GENERATION
from .manager import get_manager

EXPIRY = "_session_expiry"  # Django's name of what set_expiry() was given
SIGNED_COOKIES = "django.contrib.sessions.backends.signed_cookies"

_log = logging.getLogger(__name__)


def predecessor_of(header: str) -> Predecessor | None:
    """Of a ``Cookie`` header. ``None``: no old cookie, nothing is to be migrated, or not any more."""
    until = getattr(settings, "POLYSESSION_MIGRATE_UNTIL", None)
    cookie = None if until is None or is_over(until) else find(header, cookie_name())
    if cookie is None or until is None:
        return None
    try:
        return Predecessor(DjangoSessions(settings.POLYSESSION_MIGRATE_FROM, until), cookie)
    except ImproperlyConfigured as error:  # `manage.py check` says so, too: no reason to answer 500
        _log.error("no old session is read: %s", error)
        return None


def cookie_name() -> str:
    return str(getattr(settings, "POLYSESSION_MIGRATE_COOKIE", "sessionid"))


def is_over(until: date) -> bool:
    return datetime.now(UTC).date() >= until


def conclude(request: HttpRequest, response: HttpResponseBase, predecessor: Predecessor) -> None:
    """The old cookie goes once there is a new session in place of the old, and never because none was found: an engine
    whose cache gave no answer says "none", too.
    """
    if not predecessor.exchanged:
        return
    response.delete_cookie(
        cookie_name(), path=settings.SESSION_COOKIE_PATH, domain=settings.SESSION_COOKIE_DOMAIN
    )
    if predecessor.left:
        _log.warning(
            "an old session's attributes were left behind: %s",
            ", ".join(sorted(predecessor.left)),
            extra={"session.id": request.session.session.id},  # type: ignore[attr-defined]
        )


class DjangoSessions:
    """``core.migration.OldSessions``. ``engine``: a dotted path."""

    def __init__(self, engine: str, until: date) -> None:
        self.name = engine
        self._store: Any = engine_of(engine).SessionStore
        # A cookie that holds its session itself stays good for as long as its signature does.
        left = datetime.combine(until, datetime.min.time(), UTC) - datetime.now(UTC)
        in_cookie = engine == SIGNED_COOKIES
        self.lasts: int = min(int(left.total_seconds()), settings.SESSION_COOKIE_AGE) if in_cookie else 0

    def read(self, cookie: str) -> OldSession | None:
        return _in_thread(self._read, cookie)  # type: ignore[no-any-return]

    def delete(self, cookie: str) -> None:
        _in_thread(self._delete, cookie)

    def _read(self, cookie: str) -> OldSession | None:
        try:
            data = dict(self._store(cookie).load())
            return _judge(data) if data else None
        except DatabaseFault as error:
            raise StoreUnavailable("migrate", type(error).__name__) from error

    def _delete(self, cookie: str) -> None:
        try:
            self._store().delete(cookie)
        except DatabaseFault as error:
            raise StoreUnavailable("migrate", type(error).__name__) from error


@lru_cache
def engine_of(path: str) -> Any:
    """Raises ``ImproperlyConfigured`` for one that unpickles: who can write to its cache or database runs code here."""
    if "pickle" in str(settings.SESSION_SERIALIZER).lower():
        raise ImproperlyConfigured(
            f"SESSION_SERIALIZER is {settings.SESSION_SERIALIZER}: sessions that are pickles are not read. "
            "Sign everybody out, or first let the old engine write JSON for as long as a session lasts."
        )
    return import_module(path)


def _judge(data: dict[str, Any]) -> OldSession | None:
    """As ``django.contrib.auth.get_user`` does. A session whose hash does not fit is flushed there: it is none here."""
    wish = _wish(data.pop(EXPIRY, None))
    data.pop(CSRF_SESSION_KEY, None)
    principal = data.pop(SESSION_KEY, None)
    path, given = data.pop(BACKEND_SESSION_KEY, None), data.pop(HASH_SESSION_KEY, "")
    if principal is None:
        return OldSession(None, attributes=data, wish=wish) if data else None
    if path not in settings.AUTHENTICATION_BACKENDS:
        return None
    user: Any = load_backend(path).get_user(principal)
    if user is None or not _fits(user, given) or has_ended_all(user):
        return None
    identity = {BACKEND_SESSION_KEY: path}
    if hasattr(user, "get_session_auth_hash"):
        identity[HASH_SESSION_KEY] = user.get_session_auth_hash()
    return OldSession(
        str(user._meta.pk.value_to_string(user)), getattr(user, GENERATION, 0), identity, data, wish
    )


def has_ended_all(user: Any) -> bool:
    """All sessions of the user have ended since the switch. An old one has no generation, so it is of the column's first,
    and what raised it (``end_sessions``) ended that one too; after the switch none is made. Without the column: unknown.
    """
    try:
        first = user._meta.get_field(GENERATION)
    except FieldDoesNotExist:
        return False
    return bool(first.has_default() and getattr(user, GENERATION) > first.get_default())


def _fits(user: Any, given: str) -> bool:
    if not hasattr(user, "get_session_auth_hash"):
        return True
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(given, one) for one in hashes)


def _wish(expiry: object) -> Wish | None:
    """Of ``set_expiry``: seconds, or 0. A date was an end of its own: the settings' comes sooner or is as good."""
    if type(expiry) is not int or expiry < 0:
        return None
    most = longest(get_manager().settings)
    return Wish(idle=min(expiry, most), keep=True) if expiry else Wish(keep=False)


def _in_thread(function: Any, *arguments: Any) -> Any:
    """The old engines are synchronous: on an event loop they must not block it, nor does Django let them."""
    if bridge.is_open():
        return bridge.wait(sync_to_async(function)(*arguments))
    return function(*arguments)
