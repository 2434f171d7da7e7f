"""Flask: after ``Polysession(app, manager)``, ``flask.session``, ``flash`` and the rest use the shared session.

::

    app = Flask(__name__)
    Polysession(app, polysession.connect("redis1:6379,redis2:6379", Path("/run/keys")))

    @app.get("/me")
    @sign_in_required
    def me():
        return {"id": current_principal()}

Unlike Flask's own session: nested changes are found without ``session.modified``; lifetimes are the manager's,
so ``session.permanent`` has no effect; it is saved before the headers leave, so a streamed body cannot change it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Protocol, TypeVar

from ..core import cookie as cookies
from ..core import errors
from ..core.manager import SessionManager
from ..core.record import END_REASONS, Device
from ..core.session import Session
from ..extras import extra

with extra("flask"):
    from flask import Flask, Request, Response, current_app, json, request
    from flask import session as flask_session
    from flask.sessions import SessionInterface, SessionMixin

View = TypeVar("View", bound=Callable[..., Any])

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})  # RFC 9110, section 9.2.1
PASSIVE_HEADER = "X-Session-Passive"
SESSION_ID_HEADER = "X-Session-Id"
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"
FLASHES = "_flashes"  # Flask's own name: messages of parallel requests are all shown, each once


class ProblemMaker(Protocol):
    """Makes an RFC 9457 answer. An app passes its own, to tell of all errors in one form."""

    def __call__(
        self,
        status: int,
        detail: str,
        *,
        end_reason: str | None = ...,
        headers: Mapping[str, str] | None = ...,
    ) -> Response: ...


def make_problem(
    status: int, detail: str, *, end_reason: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """The default ``ProblemMaker``."""
    members = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    if end_reason is not None:
        members["end_reason"] = end_reason
    return Response(json.dumps(members), status, headers, content_type="application/problem+json")


class FlaskSession(SessionMixin):
    """``flask.session``. Opened at first use: by then the URL is matched, and the view says if it is passive."""

    def __init__(self, app: Flask, manager: SessionManager, incoming: Request) -> None:
        self._app = app
        self._manager = manager
        self._core: Session | None = None
        self.request = incoming
        self.csrf_binding: str | None = None  # a new value for the CSRF cookie
        self.refused = False  # the answer is one of our errors: nothing is saved

    @property
    def core(self) -> Session:
        """The core's session of this request. Opening it does no IO."""
        if self._core is None:
            view = _view_of(self._app, self.request)
            self._core = self._manager.open(
                self._cookie(cookies.session_cookie_name(self._manager.settings)),
                passive=self.request.headers.get(PASSIVE_HEADER) == "1" or _marked(view, "session_passive"),
                optional=_marked(view, "session_optional"),
                device=Device(self.request.headers.get("User-Agent", ""), self.request.remote_addr or ""),
            )
            if FLASHES not in self._manager.settings.declared:
                self._core.set_policy(FLASHES, "list")
        return self._core

    @property
    def csrf_cookie(self) -> str | None:
        """What binds CSRF tokens before a session; one that this request draws is not in its cookies yet."""
        return self.csrf_binding or self._cookie(cookies.csrf_cookie_name(self._manager.settings))

    def _cookie(self, name: str) -> str | None:
        return cookies.find(self.request.environ.get("HTTP_COOKIE", ""), name)

    def __getitem__(self, name: str) -> Any:
        return self.core[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.core[name] = value

    def __delitem__(self, name: str) -> None:
        del self.core[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.core)

    def __len__(self) -> int:
        return len(self.core)

    def update(self, *arguments: Any, **values: Any) -> Any:
        """The core's: ``session.update("visits", lambda visits: visits + 1, default=0)``, or a mapping's."""
        return self.core.update(*arguments, **values)

    def draft(self, name: str, default: Any) -> Any:
        return self.core.draft(name, default)

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
        """``False``: lifetimes are the manager's settings. Setting it has no effect."""
        return False

    @permanent.setter
    def permanent(self, value: bool) -> None: ...


class PolysessionInterface(SessionInterface):
    """Flask's port for sessions, without the checks around a view: ``Polysession`` sets both."""

    def __init__(self, manager: SessionManager, *, problem: ProblemMaker = make_problem) -> None:
        self.manager = manager
        self.problem = problem

    def open_session(self, app: Flask, request: Request) -> FlaskSession:
        return FlaskSession(app, self.manager, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:  # noqa: ARG002
        """Commits and sets cookies. An error of the session becomes the answer, in place of the view's.

        A sign-in or an end that was carried out before an error has its cookie all the same: the old token is dead.
        """
        assert isinstance(session, FlaskSession)
        if not session.refused:
            try:
                session.core.commit()
            except errors.PolysessionError as error:
                session.refused = True  # Flask saves again after it has handled what is raised here
                answer = self.answer(error)
                if answer is None:
                    raise
                _replace(response, answer)
        if session.accessed:
            response.vary.add("Cookie")
        if session.core.id is not None:
            response.headers[SESSION_ID_HEADER] = session.core.id
        cookie = session.core.cookie or self._clearing(session, response)
        if cookie is not None:
            _set_cookie(response, cookie)
        if session.csrf_binding is not None and not session.refused:
            _set_cookie(response, cookies.set_csrf(self.manager.settings, session.csrf_binding))

    def _clearing(self, session: FlaskSession, response: Response) -> cookies.Cookie | None:
        """A late background answer must not wipe a newer cookie: only a page navigation clears a stale one."""
        page = not session.refused and _navigates(session.request) and response.status_code < 500
        return cookies.clear_session(self.manager.settings) if page and session.core.stale else None

    def answer(self, error: errors.PolysessionError) -> Response | None:
        """The problem for an error that a client can do something about; ``None`` for a fault of the app."""
        match error:
            case errors.StoreUnavailable():
                detail = "The session store gave no answer. You are still signed in: try again."
                return self.problem(503, detail, headers={"Retry-After": str(error.retry_after)})
            case errors.ReadOnly():
                detail = "The session store gave no answer, so nothing could be saved. Try again."
                return self.problem(503, detail, headers={"Retry-After": "2"})
            case errors.Conflict():
                return self.problem(409, "Another request changed the same. Load it again, then repeat.")
            case errors.SessionEnded():
                reason = error.reason if error.reason in END_REASONS else None
                return self.problem(401, "Your session has ended. Sign in again.", end_reason=reason)
            case errors.GenerationOutdated():
                detail = "You were signed out everywhere while you signed in. Sign in again."
                return self.problem(401, detail, end_reason="revoked")
            case errors.TooManySessions():
                detail = f"You are signed in {error.limit} times, the limit. Sign out somewhere, then sign in here."
                return self.problem(409, detail)
            case errors.TooLarge():
                return self.problem(413, f"Too much for one session ({error.what}). Remove something.")
        return None


class Polysession:
    """The extension: interface, CSRF check, answers to our errors, ``csrf_token()`` in templates."""

    def __init__(self, app: Flask, manager: SessionManager, *, problem: ProblemMaker = make_problem) -> None:
        app.session_interface = app.extensions["polysession"] = PolysessionInterface(manager, problem=problem)
        # First who asks, then whether the browser meant it: an ended session is a 401, not a stale CSRF token.
        app.before_request(_check_sign_in)
        app.before_request(csrf_protect)
        app.register_error_handler(errors.PolysessionError, _refuse)
        app.context_processor(lambda: {"csrf_token": csrf_token})


# --- What views call


def current_session() -> Session:
    """The core's session of this request, for what ``flask.session`` has no word for: ``commit``, ``rotate``, …"""
    return _flask_session().core


def current_principal() -> str | None:
    """The signed-in user, asked of the store once in each request: no earlier answer is trusted."""
    return current_session().principal


def sign_in(principal: str, *, generation: int) -> None:
    """At once: a new session ID and secret; the attributes come along. Raises ``GenerationOutdated``."""
    current_session().sign_in(principal, generation=generation)
    current_session().commit()


def sign_out() -> None:
    """At once: the session ends in every service, and the cookie is cleared."""
    current_session().end("logout")


def csrf_token() -> str:
    """A masked token for a form field ``csrf_token`` or the header ``X-CSRF-Token``. Creates no session."""
    session = _flask_session()
    token, binding = session.core.csrf_token(session.csrf_cookie)
    session.csrf_binding = binding or session.csrf_binding
    return token


def csrf_protect() -> Response | None:
    """403 for an unsafe request without a fitting CSRF token. ``Polysession`` runs it before each request."""
    view = _view_of(current_app, request)
    if request.method in SAFE_METHODS or view is None or _marked(view, "csrf_exempt"):
        return None
    given = request.headers.get(CSRF_HEADER) or request.form.get(CSRF_FIELD)
    session = _flask_session()
    if session.core.check_csrf(session.csrf_cookie, given):
        return None
    session.refused = True
    return _interface().problem(403, f"Send a fresh CSRF token in the header {CSRF_HEADER}.")


# --- Marks on views: nearest to the function, below ``@app.route``


def session_passive(view: View) -> View:
    """Its requests are no activity: they never touch the session, so polling does not keep it alive."""
    return _mark(view, "session_passive")


def session_optional(view: View) -> View:
    """Without an answer from the store it sees an empty read-only session, instead of a 503."""
    return _mark(view, "session_optional")


def csrf_exempt(view: View) -> View:
    """Its requests prove themselves otherwise (a signature, an assertion)."""
    return _mark(view, "csrf_exempt")


def sign_in_required(view: View) -> View:
    """401 unless somebody is signed in, with ``end_reason`` where the session has ended."""
    return _mark(view, "sign_in_required")


def _mark(view: View, name: str) -> View:
    setattr(view, name, True)
    return view


def _marked(view: Callable[..., Any] | None, name: str) -> bool:
    return bool(getattr(view, name, False))


def _view_of(app: Flask, incoming: Request) -> Callable[..., Any] | None:
    """The function that will answer: of a class-based view, its method's. ``None`` where no URL matched."""
    view = app.view_functions.get(incoming.endpoint) if incoming.endpoint else None
    method = "get" if incoming.method == "HEAD" else incoming.method.lower()
    return getattr(getattr(view, "view_class", None), method, None) or view


# --- Around a request


def _flask_session() -> FlaskSession:
    session = flask_session._get_current_object()  # type: ignore[attr-defined]  # a LocalProxy
    assert isinstance(session, FlaskSession), "app.session_interface is no PolysessionInterface"
    return session


def _interface() -> PolysessionInterface:
    interface: PolysessionInterface = current_app.extensions["polysession"]
    return interface


def _check_sign_in() -> Response | None:
    if not _marked(_view_of(current_app, request), "sign_in_required") or current_principal() is not None:
        return None
    reason = current_session().end_reason
    return _interface().problem(401, "Sign in, then repeat the request.", end_reason=reason)


def _refuse(error: errors.PolysessionError) -> Response:
    _flask_session().refused = True
    answer = _interface().answer(error)
    if answer is None:
        raise error
    return answer


def _navigates(incoming: Request) -> bool:
    """The browser loads a page (W3C Fetch Metadata); of one that does not say: it asks for HTML."""
    mode = incoming.headers.get("Sec-Fetch-Mode")
    loads_page = mode == "navigate" if mode is not None else "text/html" in incoming.accept_mimetypes.values()
    return loads_page and incoming.method == "GET"


def _set_cookie(response: Response, cookie: cookies.Cookie) -> None:
    response.set_cookie(
        cookie.name,
        cookie.value,
        max_age=cookie.max_age,
        secure=cookie.secure,
        httponly=cookie.http_only,
        samesite=cookie.same_site,
        path=cookie.path,
    )
    response.vary.add("Cookie")


def _replace(response: Response, answer: Response) -> None:
    """Turns ``response`` into ``answer``, in place: while Flask saves it has no other way. No cookie stays."""
    if hasattr(response.response, "close"):
        response.response.close()
    response.direct_passthrough = False
    response.status_code = answer.status_code
    response.headers.clear()
    response.headers.extend(answer.headers)
    response.set_data(answer.get_data())
