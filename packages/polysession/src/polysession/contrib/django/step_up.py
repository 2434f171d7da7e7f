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

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url

from polysession.core.http import demand_recent, navigates

from .asynchronous import awaited
from .problems import answer
from .session import store_of

View = Callable[..., Any]


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
    ago. Also for ``async`` views and, by ``method_decorator``, for classes.
    """
    if view is None:
        return lambda view: requires_recent_authentication(view, max_age=max_age, login_url=login_url)

    if iscoroutinefunction(view):

        @wraps(view)
        async def awaiting(request: HttpRequest, *given: Any, **named: Any) -> Any:
            refused = await awaited(_refuse, request, max_age, login_url)
            return refused if refused is not None else await view(request, *given, **named)

        return awaiting

    @wraps(view)
    def calling(request: HttpRequest, *given: Any, **named: Any) -> Any:
        refused = _refuse(request, max_age, login_url)
        return refused if refused is not None else view(request, *given, **named)

    return calling


def _refuse(request: HttpRequest, max_age: int, login_url: str | None) -> HttpResponseBase | None:
    if recently_authenticated(request, max_age=max_age):
        return None
    mode, accept = request.headers.get("Sec-Fetch-Mode"), request.headers.get("Accept", "")
    if navigates(request.method or "", mode, accept):
        # It imports models, and this module is imported before they may be.
        from django.contrib.auth.views import redirect_to_login

        page = resolve_url(login_url) if login_url else None
        return redirect_to_login(request.get_full_path(), page)
    session = store_of(request).session
    return answer(demand_recent(session, max_age=max_age))
