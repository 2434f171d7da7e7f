"""``request.session``: the core's session, loaded before the app is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.types import Scope

from ...core import cookie as cookies
from ...core import http
from ...core.bridge import run
from ...core.errors import PolysessionError, ReadOnly, SessionEnded, StoreUnavailable
from ...core.manager import SessionManager
from ...core.mapping import SessionMapping
from ...core.migration import Predecessor
from ...core.record import Device
from ...core.session import Session

if TYPE_CHECKING:
    from .migration import StarletteSessions


class SignInRequired(SessionEnded):
    """Nobody is signed in. ``reason``: why the session that the cookie named has ended, or ``absent``."""


class StepUpRequired(PolysessionError):
    """Who is signed in did not prove of late who it is. ``problem``: the answer."""

    def __init__(self, problem: http.Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


class AsgiSession(SessionMapping):
    """``request.session``. Loaded before the app is called: a sync mapping, also in a worker thread. Where the store
    gave no answer, its use raises ``StoreUnavailable``.
    """

    def __init__(
        self, manager: SessionManager, scope: Scope, *, migration: StarletteSessions | None = None
    ) -> None:
        headers = Headers(scope=scope)
        self._cookies = "; ".join(headers.getlist("cookie"))
        self._settings = manager.settings
        socket = scope["type"] == "websocket"
        given = cookies.find(self._cookies, cookies.session_cookie_name(manager.settings))
        # A socket that it could not tell of the new token waits for the next request.
        self.predecessor: Predecessor | None = (
            migration.predecessor(self._cookies) if migration and not given and not socket else None
        )
        self._core = manager.open(
            given,
            passive=socket or headers.get(http.PASSIVE_HEADER) == "1",
            optional=True,
            device=Device(headers.get("user-agent", ""), (scope.get("client") or ("",))[0]),
            predecessor=self.predecessor,
        )
        self.optional = False
        self.used: bool = False  # by the app
        self.refused = False  # the answer is one of our errors: nothing is saved
        self.csrf_binding: str | None = None  # a new value for the CSRF cookie
        self._fault: PolysessionError | None = None

    @property
    def core(self) -> Session:
        """The core's session. What of it asks the store is awaited: ``commit``, ``sign_in``, ``sign_out`` below."""
        self.used = True
        if self._fault is not None:
            raise self._fault
        if self._core.read_only and not self.optional:
            raise StoreUnavailable("read", "it was asked when the request began")
        return self._core

    @property
    def id(self) -> str | None:
        """The session ID. Not a use of the session."""
        return self._core.id

    @property
    def principal(self) -> str | None:
        return self.core.principal

    @property
    def csrf_cookie(self) -> str | None:
        """What binds CSRF tokens before a session; one that this request draws is not in its cookies yet."""
        return self.csrf_binding or cookies.find(self._cookies, cookies.csrf_cookie_name(self._settings))

    @property
    def answered(self) -> cookies.Cookie | None:
        """What the core wants to be done with the session cookie."""
        return self._core.cookie

    @property
    def stale(self) -> bool:
        return self._core.stale

    @property
    def to_save(self) -> bool:
        """It was used, and there is no error that forbids it."""
        known = self._fault is None and (self.optional or not self._core.read_only)
        return self.used and not self.refused and known

    async def load(self) -> None:
        """Asks the store, if there is a token or an old session. Without an answer, its use raises."""
        if self._core.token is not None or self.predecessor is not None:
            try:
                await run(lambda: self._core.exists)
            except PolysessionError as error:
                self._fault = error

    def check_csrf(self, given: str | None) -> bool:
        """As the core's. Where the store gave no answer, one that does not fit raises ``StoreUnavailable``: it may fit
        what the store has.
        """
        self.used = True
        if self._fault is None and self._core.check_csrf(self.csrf_cookie, given):
            return True
        _ = self.core
        return False

    def end(self) -> bool:
        """``True``: a replica has it, or there was nothing to end. ``False``: pending. Where the store gave no answer it
        ends by the ledger. Raises ``StoreUnavailable``.
        """
        self.used = True
        if self._fault is not None:
            raise self._fault
        try:
            self._core.end("logout")
        except ReadOnly:
            _ = self.core  # raises, unless the view is optional
            raise
        return self._core.end_confirmed

    def known_principal(self) -> str | None:
        """Of what was loaded, for telemetry. Not a use of the session."""
        loaded = self._core.token is not None and self._fault is None and not self._core.read_only
        return self._core.principal if loaded else None

    def mark_passive(self) -> None:
        self._core.mark_passive()
