"""Opens and saves the session around a view, and puts cookies on the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware as DjangoSessionMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from polysession.core.cookie import Cookie, clear_session, find, set_csrf
from polysession.core.errors import PolysessionError
from polysession.core.http import PASSIVE_HEADER, SESSION_ID_HEADER, environ_name, navigates
from polysession.core.session import Session

from .asynchronous import awaited
from .manager import get_manager
from .migration import conclude, predecessor_of
from .problems import refuse
from .session import SessionStore

_PASSIVE = environ_name(PASSIVE_HEADER)

View = TypeVar("View", bound=Callable[..., Any])


def session_passive(view: View) -> View:
    """Requests to ``view`` never count as activity. A class: ``session_passive = True``."""
    view.session_passive = True  # type: ignore[attr-defined]
    return view


def session_optional(view: View) -> View:
    """While the store is away, ``view`` sees an empty read-only session instead of answering 503."""
    view.session_optional = True  # type: ignore[attr-defined]
    return view


class SessionMiddleware(DjangoSessionMiddleware):
    """Opens the session lazily, saves it, and holds the cookie rules.

    The cookie is set at creation, sign-in and rotation, whatever the status, for the old token is dead by then; it
    is cleared by a sign-out, and by a page navigation whose cookie names nothing live. Like Django's, it saves
    nothing on 5xx. Marks of a view hold from its resolution on: a middleware that used the session before it, did.
    """

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        if iscoroutinefunction(get_response):
            self.process_view = self._aprocess_view  # type: ignore[method-assign,assignment]

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        """On an asynchronous chain: Django's own would open and save the session in a thread."""
        self.process_request(request)
        response = await self.get_response(request)  # type: ignore[misc]
        return await awaited(self.process_response, request, response)

    async def _aprocess_view(self, request: HttpRequest, *view: Any) -> None:
        SessionMiddleware.process_view(self, request, *view)

    def process_request(self, request: HttpRequest) -> None:
        meta = request.META
        header = meta.get("HTTP_COOKIE", "")
        given = find(header, settings.SESSION_COOKIE_NAME)
        request.session = SessionStore(
            given,
            passive=meta.get(_PASSIVE) == "1",
            meta=meta,
            predecessor=None if given else predecessor_of(header),
        )

    def process_view(self, request: HttpRequest, view: Any, _args: object, _kwargs: object) -> None:
        marked = getattr(view, "view_class", None) or getattr(view, "cls", None)
        session = request.session
        if isinstance(session, SessionStore):
            for name in ("passive", "optional"):
                if getattr(view, f"session_{name}", False) or getattr(marked, f"session_{name}", False):
                    session.mark(name)

    def process_exception(self, _request: HttpRequest, error: Exception) -> HttpResponseBase | None:
        """Of the view. Others (a middleware that reads the session) end as 5xx and are known by ``failure``."""
        return refuse(error)

    def process_response(  # type: ignore[override]
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        session = getattr(request, "session", None)
        if not isinstance(session, SessionStore):
            return response
        if response.status_code < 500 and not session.refused:
            try:
                session.commit()
            except PolysessionError as error:
                if (refused := refuse(error)) is None:
                    raise
                response = refused
        elif response.status_code >= 500 and session.failure is not None:
            response = refuse(session.failure) or response
        core = session.session
        if (session_id := core.id) is not None:
            response.headers[SESSION_ID_HEADER] = session_id
        self._put_cookies(request, response, session, core)
        return response

    def _put_cookies(
        self, request: HttpRequest, response: HttpResponseBase, session: SessionStore, core: Session
    ) -> None:
        cookie = core.cookie
        # A late background answer must not wipe a newer cookie; and asking the store is not worth a cookie.
        if cookie is None and session.accessed and core.stale and self._may_clear(request, session):
            cookie = clear_session(get_manager().settings)
        if cookie is not None:
            _put(response, cookie)
        if session.predecessor is not None:
            conclude(request, response, session.predecessor)
        if session.csrf_binding is not None and response.status_code < 500:
            _put(response, set_csrf(get_manager().settings, session.csrf_binding))
        if session.accessed or cookie is not None:
            varies = response.headers.get("Vary")
            if varies is None:
                response.headers["Vary"] = "Cookie"
            elif varies != "Cookie":  # as Django's CSRF middleware leaves it
                patch_vary_headers(response, ("Cookie",))

    @staticmethod
    def _may_clear(request: HttpRequest, session: SessionStore) -> bool:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or session.failure:
            return False
        mode, accept = request.headers.get("Sec-Fetch-Mode"), request.headers.get("Accept", "")
        return navigates(request.method or "", mode, accept)


def _put(response: HttpResponseBase, cookie: Cookie) -> None:
    response.set_cookie(
        cookie.name,
        cookie.value,
        max_age=cookie.max_age,
        path=cookie.path,
        secure=cookie.secure,
        httponly=cookie.http_only,
        samesite=cookie.same_site,  # type: ignore[arg-type]
    )
