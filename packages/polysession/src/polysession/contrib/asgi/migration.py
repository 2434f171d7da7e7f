"""Sessions of Starlette's own middleware, read once, so that the switch signs nobody out.

    def identify(values):  # who is signed in, by what your sign-in used to write
        return OldSession(values.pop("user", None), attributes=values)

    migration = StarletteSessions(OLD_SECRET_KEY, identify, until=date(2027, 3, 1))
    app.add_middleware(SessionMiddleware, manager=manager, migration=migration)

Needs itsdangerous, as Starlette's does. See ``core.migration`` for what happens to parallel requests and crashes.
"""

from __future__ import annotations

import json
import logging
from base64 import b64decode
from binascii import Error
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from itsdangerous import BadSignature, TimestampSigner

from ...core.cookie import Cookie, find
from ...core.migration import OldSession, Predecessor, check_until, is_canonical

__all__ = ["OldSession", "StarletteSessions"]

_log = logging.getLogger(__name__)


def _anonymous(values: dict[str, Any]) -> OldSession:
    return OldSession(None, attributes=values)


class StarletteSessions:
    """``core.migration.OldSessions``. ``identify``: what an old session's values were; without it nobody is signed in by
    them. It is called on the event loop. ``until``: from that day on (UTC) no old session is read. The rest is what
    Starlette's middleware was given. Raises ``InvalidSettings`` for an ``until`` that is no date.
    """

    name = "starlette"

    def __init__(
        self,
        secret_key: str,
        identify: Callable[[dict[str, Any]], OldSession | None] = _anonymous,
        *,
        until: date,
        session_cookie: str = "session",
        max_age: int | None = 14 * 24 * 60 * 60,
        path: str = "/",
        https_only: bool = False,
    ) -> None:
        self._signer = TimestampSigner(secret_key)
        self._identify, self._until, self._max_age = identify, check_until(until), max_age
        self.session_cookie = session_cookie
        # The values are in the cookie, which stays good for as long as its signature does.
        left = max(0, (until - datetime.now(UTC).date()).days) * 24 * 60 * 60
        self.lasts: int = left if max_age is None else min(left, max_age)
        self._cleared = Cookie(session_cookie, "", 0, https_only, path=path)

    def conclude(self, predecessor: Predecessor) -> Cookie:
        """Of one whose session came along: what clears its cookie."""
        if predecessor.left:
            _log.warning(
                "an old session's attributes were left behind: %s", ", ".join(sorted(predecessor.left))
            )
        return self._cleared

    def predecessor(self, header: str) -> Predecessor | None:
        """Of a ``Cookie`` header."""
        over = datetime.now(UTC).date() >= self._until
        cookie = None if over else find(header, self.session_cookie)
        return Predecessor(self, cookie) if cookie else None

    def read(self, cookie: str) -> OldSession | None:
        if not is_canonical(cookie):
            return None
        try:
            values = json.loads(b64decode(self._signer.unsign(cookie, max_age=self._max_age)))
        except (BadSignature, Error, ValueError):
            return None
        old = self._identify(values) if isinstance(values, dict) and values else None
        if old is not None and not isinstance(old, OldSession):
            raise TypeError(f"identify returns None or an OldSession, not {type(old).__name__}")
        return old

    def delete(self, cookie: str) -> None:
        """It is nowhere but in the browser, which is told to forget it."""
