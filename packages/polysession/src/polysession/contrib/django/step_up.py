"""Step-up: what wants a principal who proved of late who it is (OWASP ASVS 5.0, 7.5.1).

    @requires_recent_authentication(max_age=300)
    def change_email(request): ...

The sign-in page checks the password again and calls ``reauthenticate(request)``, or Django's ``login()``, which does it
for a session that is signed in already by a new one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url

from polysession.core.http import Problem, demand_recent, navigates

from .asynchronous import awaited
from .problems import answer
from .session import store_of

View = Callable[..., Any]

_NOBODY = Problem(401, "Sign in here, then repeat the request.")


def reauthenticate(request: HttpRequest) -> None:
    """At once: the principal has proved again who it is. A new secret for the same session, without a grace.

    Raises ``ValueError`` where nobody is signed in, ``Conflict`` where another request changed the secret meanwhile.
    """
    store = store_of(request)
    store.ask()
    store.session.reauthenticate()
    store.commit()


def recently_authenticated(request: HttpRequest, *, max_age: int) -> bool:
    """``max_age``: seconds since sign-in or ``reauthenticate``."""
    store = store_of(request)
    store.ask()
    return store.session.authenticated_within(max_age)


def requires_recent_authentication(
    view: View | None = None, *, max_age: int, login_url: str | None = None
) -> Any:
    """Who loads a page is sent to ``login_url`` (``LOGIN_URL``) with ``next``; others get 401 where nobody is signed in,
    and 403 with ``WWW-Authenticate: Session error="insufficient_user_authentication"`` (RFC 9470) where it was too long
    ago. Also for ``async`` views and, by ``method_decorator``, for classes. Where Django's authentication is at work,
    ``request.user`` must be signed in, too: a sign-in of another service's is none there.
    """
    if view is None:
        return lambda view: requires_recent_authentication(view, max_age=max_age, login_url=login_url)

    if iscoroutinefunction(view):

        @wraps(view)
        async def awaiting(request: HttpRequest, *given: Any, **named: Any) -> Any:
            refused = await awaited(_refuse, request, max_age, login_url)
            if refused is None and await _is_anonymous_awaiting(request):
                refused = _turn_away(request, login_url, _NOBODY)
            return refused if refused is not None else await view(request, *given, **named)

        return awaiting

    @wraps(view)
    def calling(request: HttpRequest, *given: Any, **named: Any) -> Any:
        refused = _refuse(request, max_age, login_url)
        if refused is None and _is_anonymous(request):
            refused = _turn_away(request, login_url, _NOBODY)
        return refused if refused is not None else view(request, *given, **named)

    return calling


def _refuse(request: HttpRequest, max_age: int, login_url: str | None) -> HttpResponseBase | None:
    if recently_authenticated(request, max_age=max_age):
        return None
    return _turn_away(request, login_url, demand_recent(store_of(request).session, max_age=max_age))


def _is_anonymous(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)  # None: without Django's authentication the session alone decides
    return user is not None and not user.is_authenticated


async def _is_anonymous_awaiting(request: HttpRequest) -> bool:
    if hasattr(request, "auser"):
        return not (await request.auser()).is_authenticated
    return await sync_to_async(_is_anonymous)(request)


def _turn_away(request: HttpRequest, login_url: str | None, problem: Problem) -> HttpResponseBase:
    mode, accept = request.headers.get("Sec-Fetch-Mode"), request.headers.get("Accept", "")
    if navigates(request.method or "", mode, accept):
        # It imports models, and this module is imported before they may be.
        from django.contrib.auth.views import redirect_to_login

        page = resolve_url(login_url) if login_url else None
        return redirect_to_login(request.get_full_path(), page)
    return answer(problem)
