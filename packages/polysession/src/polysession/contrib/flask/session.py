"""``flask.session``: the core's session as Flask's mapping."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from flask import Flask, Request
from flask import session as flask_session
from flask.sessions import SessionMixin

from ...core import cookie as cookies
from ...core.errors import InvalidSettings
from ...core.http import PASSIVE_HEADER, environ_name
from ...core.manager import SessionManager
from ...core.mapping import SessionMapping
from ...core.merge import Policy
from ...core.migration import Predecessor
from ...core.record import Device
from ...core.session import Session
from ...core.timeouts import longest
from .marks import marked, view_of
from .migration import Migration

_PASSIVE = environ_name(PASSIVE_HEADER)
FLASHES = "_flashes"  # Flask's own name: messages of parallel requests are all shown, each once
_POLICIES: Mapping[str, Policy] = MappingProxyType({FLASHES: "list"})


class FlaskSession(SessionMapping, SessionMixin):
    """``flask.session``. Opened at first use: by then the URL is matched, and the view says if it is passive."""

    def __init__(
        self,
        app: Flask,
        manager: SessionManager,
        incoming: Request,
        *,
        cookie: str,
        migration: Migration | None = None,
    ) -> None:
        """``cookie``: the name of the session's."""
        self._app = app
        self._cookie_name = cookie
        self._manager = manager
        self._migration = migration
        self._core: Session | None = None
        self.request = incoming
        self.csrf_binding: str | None = None  # a new value for the CSRF cookie
        self.refused = False  # the answer is one of our errors: nothing is saved
        self.first_id: str | None = None  # what the request came with
        self.first_token: str | None = None
        self.predecessor: Predecessor | None = None  # an old session, of before the switch
        self._permanent: bool | None = None  # as this request asked

    @property
    def core(self) -> Session:
        """The core's session of this request. Opening it does no IO."""
        if self._core is None:
            view = view_of(self._app, self.request)
            environ = self.request.environ
            header = environ.get("HTTP_COOKIE", "")
            given = cookies.find(header, self._cookie_name)
            if self._migration is not None and not given:
                self.predecessor = self._migration.predecessor(header)
            self._core = self._manager.open(
                given,
                passive=environ.get(_PASSIVE) == "1" or marked(view, "session_passive"),
                optional=marked(view, "session_optional"),
                device=Device(environ.get("HTTP_USER_AGENT", ""), self.request.remote_addr or ""),
                predecessor=self.predecessor,
                policies=_POLICIES,
            )
            self.first_id, self.first_token = self._core.id, given
        return self._core

    @property
    def csrf_cookie(self) -> str | None:
        """What binds CSRF tokens before a session; one that this request draws is not in its cookies yet."""
        header = self.request.environ.get("HTTP_COOKIE", "")
        return self.csrf_binding or cookies.find(header, cookies.csrf_cookie_name(self._manager.settings))

    @property
    def new(self) -> bool:  # type: ignore[override]  # Flask declares class attributes
        return not self.core.exists

    @property
    def modified(self) -> bool:
        """Nested changes included. Setting it has no effect: there is nothing left to be told."""
        return self.core.modified

    @modified.setter
    def modified(self, value: bool) -> None: ...

    @property
    def accessed(self) -> bool:
        """Something of it was used. Flask sets it where only the proxy was touched: that has no effect."""
        return self._core is not None and self._core.accessed

    @accessed.setter
    def accessed(self, value: bool) -> None: ...

    @property
    def permanent(self) -> bool:
        """The session has a cookie that outlives the browser and may idle for ``app.permanent_session_lifetime``, as far
        as ``SessionSettings.remember`` grants it. Set it before or after ``sign_in``; setting it asks the store nothing,
        and sets nothing where the request does not use its session.
        """
        return self.core.timeouts.keep is True if self._permanent is None else self._permanent

    @permanent.setter
    def permanent(self, value: bool) -> None:
        self._permanent = bool(value)

    def apply_permanent(self) -> None:
        """Before a commit."""
        if self._permanent is None or self.core.read_only:
            return
        lifetime = int(self._app.permanent_session_lifetime.total_seconds())
        idle = min(lifetime, longest(self._manager.settings))
        self.core.set_timeouts(idle=idle if self._permanent else None, keep=self._permanent or None)
        self._permanent = None


def session_of_request() -> FlaskSession:
    session = flask_session._get_current_object()  # type: ignore[attr-defined]  # a LocalProxy
    if not isinstance(session, FlaskSession):
        raise InvalidSettings(("no session here: add polysession.contrib.flask.Polysession to the app",))
    return session
