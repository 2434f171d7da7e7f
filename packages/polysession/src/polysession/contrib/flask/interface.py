"""Flask's port for sessions: commits, sets cookies, and turns errors of the session into answers."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin

from ...core import cookie as cookies
from ...core import errors, http
from ...core.manager import SessionManager, check_manager
from ..refusals import problem_of
from .migration import Migration
from .problems import ProblemMaker, make_problem
from .session import FlaskSession
from .signals import tell


class PolysessionInterface(SessionInterface):
    """Flask's port for sessions, without the checks around a view: ``Polysession`` sets both."""

    def __init__(
        self,
        manager: SessionManager,
        *,
        problem: ProblemMaker = make_problem,
        migration: Migration | None = None,
    ) -> None:
        self.manager: SessionManager = check_manager(manager)
        self.problem = problem
        if migration is not None and migration.cookie == cookies.session_cookie_name(manager.settings):
            raise ValueError(
                f"the old cookie has the name of ours, {migration.cookie!r}: "
                "choose another SessionSettings(cookie_name=…)"
            )
        self._migration = migration
        self._cookie = cookies.session_cookie_name(manager.settings)

    def open_session(self, app: Flask, request: Request) -> FlaskSession:
        return FlaskSession(app, self.manager, request, cookie=self._cookie, migration=self._migration)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Commits and sets cookies. An error of the session becomes the answer, in place of the view's.

        A sign-in or an end that was carried out before an error has its cookie all the same: the old token is dead.
        """
        assert isinstance(session, FlaskSession)
        core = session.core
        accessed = core.accessed
        if not session.refused:
            try:
                if accessed:
                    session.apply_permanent()
                core.commit()
            except errors.PolysessionError as error:
                session.refused = True  # Flask saves again after it has handled what is raised here
                answer = self.answer(error)
                if answer is None:
                    raise
                _replace(response, answer)
        if accessed:
            _vary_on_cookie(response)
        if (session_id := core.id) is not None:
            response.headers.set(http.SESSION_ID_HEADER, session_id)
        cookie = core.cookie or (self._clearing(session, response) if core.stale else None)
        if cookie is not None:
            _set_cookie(response, cookie)
        if session.predecessor is not None and self._migration is not None:
            self._migration.conclude(app, response, session.predecessor)
        if session.csrf_binding is not None and not session.refused:
            _set_cookie(response, cookies.set_csrf(self.manager.settings, session.csrf_binding))
        if cookie is not None:
            tell(app, session)

    def _clearing(self, session: FlaskSession, response: Response) -> cookies.Cookie | None:
        """A late background answer must not wipe a newer cookie: only a page navigation clears a stale one."""
        page = not session.refused and _navigates(session.request) and response.status_code < 500
        return cookies.clear_session(self.manager.settings) if page else None

    def answer(self, error: errors.PolysessionError) -> Response | None:
        """The problem for an error that a client can do something about; ``None`` for a fault of the app."""
        problem = problem_of(error)
        if problem is None:
            return None
        return self.problem(
            problem.status, problem.detail, end_reason=problem.end_reason, headers=problem.headers
        )


def _navigates(incoming: Request) -> bool:
    headers = incoming.headers
    return http.navigates(incoming.method, headers.get("Sec-Fetch-Mode"), headers.get("Accept", ""))


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
    _vary_on_cookie(response)


def _vary_on_cookie(response: Response) -> None:
    if response.headers.getlist("Vary"):
        response.vary.add("Cookie")
    else:  # in a third of the time
        response.headers.add("Vary", "Cookie")


def _replace(response: Response, answer: Response) -> None:
    """Turns ``response`` into ``answer``, in place: while Flask saves it has no other way. No cookie stays."""
    close: Callable[[], object] | None = getattr(response.response, "close", None)
    if close is not None:
        close()
    response.direct_passthrough = False
    response.status_code = answer.status_code
    response.headers.clear()
    response.headers.extend(answer.headers)
    response.set_data(answer.get_data())
