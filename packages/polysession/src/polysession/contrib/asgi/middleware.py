"""Opens, checks and saves the session around an app, and puts cookies on the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...core import cookie as cookies
from ...core import http
from ...core.asynchronous import AsyncSessionManager
from ...core.bridge import run
from ...core.errors import InvalidSettings, PolysessionError
from ...core.manager import SessionManager
from ...core.record import END_REASONS
from ..refusals import problem_of
from .paths import is_below, read_origins, read_paths
from .session import AsgiSession, SignInRequired, StepUpRequired

if TYPE_CHECKING:
    from .migration import StarletteSessions

FORM_BYTES = 262_144  # of a form that is read for its CSRF token: the header has no such limit

_FORM = "application/x-www-form-urlencoded"
_POLICY_VIOLATION, _TRY_AGAIN_LATER = 1008, 1013  # RFC 6455, section 7.4.1, and its registry


ProblemMaker = http.ProblemMaker[Response]


def make_problem(
    status: int, detail: str, *, end_reason: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """The default ``ProblemMaker``."""
    members = http.Problem(status, detail, end_reason).members
    return JSONResponse(members, status, headers, media_type=http.PROBLEM_TYPE)


class SessionMiddleware:
    """Opens, checks, saves. Put it outside of whatever uses the session: added last of those.

    ``csrf_exempt``: paths, with all below them, whose unsafe requests prove themselves otherwise. ``unused``: paths
    that have no session (assets, health): the store is not asked. ``origins``: further origins that may open a
    WebSocket. ``around``: around each request that brought a token, with session ID and pseudonym; for traces
    ``telemetry.otel.attached``. ``migration``: reads the sessions of Starlette's own middleware once. Raises
    ``InvalidSettings`` for a manager whose store would block the event loop, and for paths or origins that are none.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        manager: SessionManager,
        problem: ProblemMaker = make_problem,
        csrf_exempt: Iterable[str] = (),
        unused: Iterable[str] = (),
        origins: Iterable[str] = (),
        around: Callable[[str, str | None], AbstractContextManager[None]] | None = None,
        migration: StarletteSessions | None = None,
    ) -> None:
        self.app = app
        self.manager: SessionManager = AsyncSessionManager(manager).manager
        self._problem = problem
        self._csrf_exempt, self._unused = read_paths(csrf_exempt=csrf_exempt, unused=unused)
        self._origins = read_origins(origins)
        self._around = around
        self.migration: StarletteSessions | None = migration
        if migration is not None and migration.session_cookie == cookies.session_cookie_name(
            manager.settings
        ):
            fault = (
                "the old session cookie has the name of ours: choose another SessionSettings(cookie_name=…)"
            )
            raise InvalidSettings((fault,))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or is_below(scope["path"], self._unused):
            await self.app(scope, receive, send)
            return
        session = scope["session"] = AsgiSession(self.manager, scope, migration=self.migration)
        scope["polysession"] = self
        await session.load()
        with self._context(session):
            if scope["type"] == "http":
                await _Answer(self, session, scope, send).give(receive)
            else:
                await self._converse(session, scope, receive, send)

    def make_problem(self, problem: http.Problem) -> Response:
        return self._problem(
            problem.status, problem.detail, end_reason=problem.end_reason, headers=problem.headers
        )

    def _context(self, session: AsgiSession) -> AbstractContextManager[None]:
        if self._around is None or session.id is None:
            return nullcontext()
        principal = session.known_principal()
        return self._around(session.id, self.manager.pseudonym(principal) if principal else None)

    def checks_csrf(self, scope: Scope) -> bool:
        return scope["method"] not in http.SAFE_METHODS and not is_below(scope["path"], self._csrf_exempt)

    async def _converse(self, session: AsgiSession, scope: Scope, receive: Receive, send: Send) -> None:
        """A WebSocket: what it changes is saved by ``commit`` only."""
        accepted = over = False

        async def pass_on(message: Message) -> None:
            nonlocal accepted, over
            if message["type"] == "websocket.accept":
                accepted = True
                message.setdefault("headers", [])
                put_headers(session, MutableHeaders(scope=message))
            over = over or message["type"] in ("websocket.close", "websocket.http.response.start")
            await send(message)

        if not self._is_same_origin(scope):
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})  # a 403: nothing was accepted
            return
        try:
            await self.app(scope, receive, pass_on)
        except PolysessionError as error:
            problem = _problem_of(error)
            if problem is None or over:
                raise
            if not accepted and "websocket.http.response" in scope.get("extensions", {}):
                await self.make_problem(problem)(scope, receive, send)
                return
            code = _TRY_AGAIN_LATER if problem.status == 503 else _POLICY_VIOLATION
            await send({"type": "websocket.close", "code": code, "reason": problem.detail})

    def _is_same_origin(self, scope: Scope) -> bool:
        """OWASP WebSocket Security Cheat Sheet. Who sends no ``Origin`` is no browser."""
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        return origin is None or origin in self._origins or urlsplit(origin).netloc == headers.get("host")


class _Answer:
    """One HTTP request's: commits before its start leaves, and takes the place of the app's after an error."""

    def __init__(self, middleware: SessionMiddleware, session: AsgiSession, scope: Scope, send: Send) -> None:
        self._middleware, self._session, self._scope, self._send = middleware, session, scope, send
        self._started = self._replaced = False

    async def give(self, receive: Receive) -> None:
        try:
            receive = await self._check_csrf(receive)
            if not self._replaced:
                await self._middleware.app(self._scope, receive, self.send)
        except PolysessionError as error:
            problem = _problem_of(error)
            if problem is None or self._started:
                await self._fail()
                raise
            await self._replace(problem)
        except Exception:
            await self._fail()
            raise

    async def send(self, message: Message) -> None:
        if self._replaced:
            return  # the rest of what the app answers
        if message["type"] == "http.response.start":
            if self._session.to_save:
                try:
                    await run(self._session.core.commit)
                except PolysessionError as error:
                    self._session.refused = True
                    problem = _problem_of(error)
                    if problem is None:
                        raise
                    await self._replace(problem)
                    return
            self._started = True
            message.setdefault("headers", [])
            self._put(MutableHeaders(scope=message), message["status"])
        await self._send(message)

    def _put(self, headers: MutableHeaders, status: int) -> None:
        """A late background answer must not wipe a newer cookie: only a page navigation clears a stale one."""
        session, asked = self._session, Headers(scope=self._scope)
        put_headers(session, headers)
        if session.answered is None and session.stale and not session.refused and status < 500:
            mode, accept = asked.get("sec-fetch-mode"), asked.get("accept", "")
            if http.navigates(self._scope["method"], mode, accept):
                _set_cookie(headers, cookies.clear_session(self._middleware.manager.settings))
        if self._middleware.migration and session.predecessor and session.predecessor.exchanged:
            _set_cookie(headers, self._middleware.migration.conclude(session.predecessor))
        if session.csrf_binding is not None and not session.refused:
            _set_cookie(headers, cookies.set_csrf(self._middleware.manager.settings, session.csrf_binding))

    async def _replace(self, problem: http.Problem) -> None:
        self._session.refused = self._replaced = self._started = True
        await self._give(self._middleware.make_problem(problem))

    async def _fail(self) -> None:
        """A fault of the app: its server answers. But a sign-in or an end that was carried out has its cookie all
        the same: the old token is dead.
        """
        if self._session.answered is not None and not self._started:
            self._session.refused = self._replaced = self._started = True
            await self._give(Response("Internal Server Error", 500, media_type="text/plain"))

    async def _give(self, response: Response) -> None:
        self._put(response.headers, response.status_code)
        await response(self._scope, _nothing, self._send)

    async def _check_csrf(self, receive: Receive) -> Receive:
        if not self._middleware.checks_csrf(self._scope):
            return receive
        headers = Headers(scope=self._scope)
        given = headers.get(http.CSRF_HEADER)
        if given is None and headers.get("content-type", "").partition(";")[0].strip() == _FORM:
            given, receive = await _find_field(receive)
        session = self._session
        if not await run(session.check_csrf, given):
            await self._replace(http.Problem(403, http.CSRF_DETAIL))
        return receive


def _problem_of(error: PolysessionError) -> http.Problem | None:
    if isinstance(error, SignInRequired):
        reason = error.reason if error.reason in END_REASONS else None
        return http.Problem(401, "Sign in, then repeat the request.", reason)
    if isinstance(error, StepUpRequired):
        return error.problem
    return problem_of(error)


def put_headers(session: AsgiSession, headers: MutableHeaders) -> None:
    """The session ID, the cookie that the core wants, and that answers differ by it."""
    if session.id is not None:
        headers[http.SESSION_ID_HEADER] = session.id
    if session.answered is not None:
        _set_cookie(headers, session.answered)
    elif session.used:
        headers.add_vary_header("Cookie")


def _set_cookie(headers: MutableHeaders, cookie: cookies.Cookie) -> None:
    headers.append("Set-Cookie", http.cookie_text(cookie))
    headers.add_vary_header("Cookie")


async def _find_field(receive: Receive) -> tuple[str | None, Receive]:
    """The form's CSRF token, and the same messages again for the app. A form that is too long is not read on."""
    read: list[Message] = []
    body = bytearray()
    while len(body) <= FORM_BYTES:
        message = await receive()
        read.append(message)
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break

    async def again() -> Message:
        return read.pop(0) if read else await receive()

    if len(body) > FORM_BYTES:
        return None, again
    fields = parse_qs(body.decode("utf-8", "replace"))
    return fields.get(http.CSRF_FIELD, [None])[0], again


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
