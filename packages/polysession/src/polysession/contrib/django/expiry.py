"""``set_expiry`` and its kin: Django's words for timeouts that one session has of its own ("remember me")."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone

from polysession.core.session import Session


class SessionExpiry(SessionBase):
    """Of a session whose record is the core's."""

    _asked_expiry: int | datetime | None = None  # by this request, as exactly as it was asked

    modified: bool

    if TYPE_CHECKING:

        @property
        def session(self) -> Session: ...

        def ask(self) -> Session: ...

    def get_session_cookie_age(self) -> int:
        """The idle timeout of this session, in seconds."""
        self.ask()
        return self.session.timeouts.idle // 1000

    def get_expire_at_browser_close(self) -> bool:
        """Whether the cookie ends with the browser: by ``set_expiry``, else one that is signed in does."""
        self.ask()
        return not self.session.keeps_cookie

    def set_expiry(self, value: int | timedelta | datetime | None) -> None:
        """At save: timeouts of this session; see `Session.set_timeouts` for what is granted and refused (`ValueError`).

        Seconds: so long it may idle. A ``timedelta`` or ``datetime``: it ends then, whatever its activity. 0: the
        settings' timeouts, and the cookie ends with the browser. ``None``: all as the settings say.
        """
        self.ask()
        if isinstance(value, timedelta):
            value = timezone.now() + value
        if isinstance(value, datetime):
            span = (value - timezone.now()).total_seconds()
            self.session.set_timeouts(idle=max(1, math.ceil(span)), absolute=span, keep=True)
        elif value:
            self.session.set_timeouts(idle=value, keep=True)
        else:
            self.session.set_timeouts(keep=None if value is None else False)
        self.modified, self._asked_expiry = True, value

    def get_expiry_age(self, **given: Any) -> int:
        """Seconds to its expiry, as Django counts: from ``modification`` (now)."""
        return int(super().get_expiry_age(**self._with_expiry(given)))

    def get_expiry_date(self, **given: Any) -> datetime:
        return super().get_expiry_date(**self._with_expiry(given))

    def _with_expiry(self, given: dict[str, Any]) -> dict[str, Any]:
        """What Django keeps among the attributes, and the record in its header."""
        if "expiry" in given:
            return given
        self.ask()
        modification = given.get("modification") or timezone.now()
        expiry: object = self._asked_expiry
        if not expiry:
            timeouts = self.session.timeouts
            end = datetime.fromtimestamp(timeouts.absolute_at / 1000, modification.tzinfo)
            idle = timedelta(milliseconds=timeouts.idle)
            expiry = end if modification + idle > end else timeouts.idle // 1000
        return {**given, "modification": modification, "expiry": expiry}
