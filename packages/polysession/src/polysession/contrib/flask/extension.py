"""The extension, and what views call."""

from __future__ import annotations

from flask import Flask, Response, current_app, request

from ...core import errors
from ...core.http import CSRF_DETAIL, CSRF_FIELD, CSRF_HEADER, SAFE_METHODS
from ...core.manager import SessionManager, check_manager
from ...core.session import Session
from .interface import PolysessionInterface
from .marks import marked, view_of
from .migration import Migration
from .problems import ProblemMaker, make_problem
from .session import session_of_request


class Polysession:
    """The extension: interface, CSRF check, answers to our errors, ``csrf_token()`` in templates. Without ``app`` it
    waits for ``init_app``, as an app factory has it. Raises ``InvalidSettings`` for what is no manager.
    """

    def __init__(
        self,
        app: Flask | None = None,
        manager: SessionManager | None = None,
        *,
        problem: ProblemMaker = make_problem,
        migration: Migration | None = None,
    ) -> None:
        self._manager, self._problem, self._migration = manager, problem, migration
        if app is not None:
            self.init_app(app)

    def init_app(
        self, app: Flask, manager: SessionManager | None = None, *, migration: Migration | None = None
    ) -> None:
        """What is not given here is what ``Polysession`` was given."""
        interface = PolysessionInterface(
            check_manager(manager or self._manager),
            problem=self._problem,
            migration=migration or self._migration,
        )
        app.session_interface = app.extensions["polysession"] = interface
        # First who asks, then whether the browser meant it: an ended session is a 401, not a stale CSRF token.
        app.before_request(_check_sign_in)
        app.before_request(csrf_protect)
        app.register_error_handler(errors.PolysessionError, _refuse)
        app.context_processor(lambda: {"csrf_token": csrf_token})


# --- What views call


def current_session() -> Session:
    """The core's session of this request, for what ``flask.session`` has no word for: ``commit``, ``rotate``, …"""
    return session_of_request().core


def current_principal() -> str | None:
    """The signed-in user, asked of the store once in each request: no earlier answer is trusted."""
    return current_session().principal


def sign_in(principal: str, *, generation: int, remember: bool = False) -> None:
    """At once: a new session ID and secret; the attributes come along. ``remember``: as ``session.permanent = True``.
    Raises ``GenerationOutdated``, ``TooManySessions``.
    """
    session = session_of_request()
    if remember:
        session.permanent = True
    session.core.sign_in(principal, generation=generation)
    session.apply_permanent()
    session.core.commit()


def sign_out() -> bool:
    """At once: the session ends in every service, and the cookie is cleared. ``True``: a replica of the store has it
    (answer 204). ``False``: it is pending (answer 202); so where the store gives no answer and the ledger takes it.
    Raises ``StoreUnavailable`` where neither has it.
    """
    session = current_session()
    session.end("logout")
    return session.end_confirmed


def csrf_token() -> str:
    """A masked token for a form field ``csrf_token`` or the header ``X-CSRF-Token``. Creates no session."""
    session = session_of_request()
    token, binding = session.core.csrf_token(session.csrf_cookie)
    session.csrf_binding = binding or session.csrf_binding
    return token


def csrf_protect() -> Response | None:
    """403 for an unsafe request without a fitting CSRF token. ``Polysession`` runs it before each request."""
    view = view_of(current_app, request)
    if request.method in SAFE_METHODS or view is None or marked(view, "csrf_exempt"):
        return None
    given = request.headers.get(CSRF_HEADER) or request.form.get(CSRF_FIELD)
    session = session_of_request()
    if session.core.check_csrf(session.csrf_cookie, given):
        return None
    session.refused = True
    return current_interface().problem(403, CSRF_DETAIL)


# --- Around a request


def current_interface() -> PolysessionInterface:
    interface: PolysessionInterface = current_app.extensions["polysession"]
    return interface


def _check_sign_in() -> Response | None:
    if not marked(view_of(current_app, request), "sign_in_required") or current_principal() is not None:
        return None
    reason = current_session().end_reason
    return current_interface().problem(401, "Sign in, then repeat the request.", end_reason=reason)


def _refuse(error: errors.PolysessionError) -> Response:
    session_of_request().refused = True
    answer = current_interface().answer(error)
    if answer is None:
        raise error
    return answer
