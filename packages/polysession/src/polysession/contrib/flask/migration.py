"""Sessions of before, read once, so that the switch signs nobody out: Flask's own signed cookies, and Flask-Session's in
Redis. See ``core.migration`` for what happens to parallel requests and crashes.

    Polysession(app, manager, migration=Migration(CookieSessions(app, identify), until=date(2027, 3, 1)))
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Protocol

import msgspec
from flask import Flask, Response
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadSignature

from ...core.cookie import find
from ...core.errors import StoreUnavailable
from ...core.migration import OldSession, OldSessions, Predecessor, check_until, is_canonical
from ...core.timeouts import Wish

PERMANENT = "_permanent"  # Flask's name of ``session.permanent``
FLASK_SESSION_ID = re.compile(r"[A-Za-z0-9_-]{16,256}", re.ASCII)

# Who is signed in by what an old session holds: principal and generation. ``None``: nobody, or not any more.
Identify = Callable[[Mapping[str, Any]], "tuple[str, int] | None"]

_log = logging.getLogger(__name__)


class Client(Protocol):
    """What is used of redis-py's."""

    def get(self, name: str) -> Any: ...

    def delete(self, *names: str) -> Any: ...


class CookieSessions:
    """Flask's own: the session is in the cookie, signed with ``app.secret_key``. ``identify`` judges as the app did: an
    account that is disabled, or has another password since, is nobody.
    """

    name = "flask"

    def __init__(self, app: Flask, identify: Identify) -> None:
        self._serializer = SecureCookieSessionInterface().get_signing_serializer(app)
        if self._serializer is None:
            raise ValueError("the app has no secret_key, so it has no old sessions: set the one of before")
        self._identify = identify
        self.lasts: int = int(app.permanent_session_lifetime.total_seconds())

    def read(self, cookie: str) -> OldSession | None:
        assert self._serializer is not None
        if not is_canonical(cookie):
            return None
        try:
            return _judge(
                self._serializer.loads(cookie, max_age=self.lasts), self._identify, lasts=self.lasts
            )
        except BadSignature:
            return None

    def delete(self, cookie: str) -> None:
        """The claim on it does: a cookie cannot be taken back."""


class RedisSessions:
    """Flask-Session's in Redis, as MessagePack or JSON; those that are pickles are not read. ``client``: redis-py's."""

    name = "flask-session"
    lasts = 0

    def __init__(
        self, app: Flask, client: Client, identify: Identify, *, key_prefix: str = "session:"
    ) -> None:
        self._client, self._identify, self._prefix = client, identify, key_prefix
        self._lifetime = int(app.permanent_session_lifetime.total_seconds())

    def read(self, cookie: str) -> OldSession | None:
        if not FLASK_SESSION_ID.fullmatch(cookie):
            return None
        try:
            data = self._client.get(self._prefix + cookie)
        except Exception as error:  # whatever the client's is: it gave no answer
            raise StoreUnavailable("migrate", type(error).__name__) from error
        for decode in (msgspec.msgpack.decode, msgspec.json.decode):
            try:
                found = decode(data) if data else None
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
            return _judge(found, self._identify, lasts=self._lifetime) if isinstance(found, dict) else None
        _log.warning("an old session is neither MessagePack nor JSON, and is not read")
        return None

    def delete(self, cookie: str) -> None:
        try:
            self._client.delete(self._prefix + cookie)
        except Exception as error:
            raise StoreUnavailable("migrate", type(error).__name__) from error


class Migration:
    """``until``: from that day on no old session is read. ``cookie``: what ``SESSION_COOKIE_NAME`` was. Raises
    ``InvalidSettings`` for an ``until`` that is no date.
    """

    def __init__(self, old: OldSessions, *, until: date, cookie: str = "session") -> None:
        self._old, self._until = old, check_until(until)
        self.cookie: str = cookie

    def predecessor(self, header: str) -> Predecessor | None:
        """Of a ``Cookie`` header."""
        if datetime.now(UTC).date() >= self._until:
            return None
        found = find(header, self.cookie)
        return Predecessor(self._old, found) if found else None

    def conclude(self, app: Flask, response: Response, predecessor: Predecessor) -> None:
        """The old cookie goes once there is a new session in place of the old."""
        if not predecessor.exchanged:
            return
        path = app.config["SESSION_COOKIE_PATH"] or app.config["APPLICATION_ROOT"]
        response.delete_cookie(self.cookie, path=path, domain=app.config["SESSION_COOKIE_DOMAIN"])
        if predecessor.left:
            _log.warning(
                "an old session's attributes were left behind: %s", ", ".join(sorted(predecessor.left))
            )


def _judge(data: Mapping[str, Any], identify: Identify, *, lasts: int) -> OldSession | None:
    attributes = {name: value for name, value in data.items() if name != PERMANENT}
    if not attributes:
        return None
    who = identify(attributes)
    wish = Wish(idle=lasts, keep=True) if data.get(PERMANENT) else None
    if who is not None and not (isinstance(who, tuple) and len(who) == 2):
        raise TypeError(f"identify returns None or (principal, generation), not {type(who).__name__}")
    principal, generation = (None, 0) if who is None else who
    return OldSession(principal, generation, attributes=attributes, wish=wish)
