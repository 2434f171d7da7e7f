"""Step-up: what wants a principal who proved of late who it is (OWASP ASVS 5.0, 7.5.1)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import redirect, request, url_for

from ...core.http import demand_recent, navigates
from .extension import current_interface, current_session

View = TypeVar("View", bound=Callable[..., Any])


def reauthenticate() -> None:
    """At once: the principal has proved again who it is. A new secret for the same session, without a grace.

    Raises ``ValueError`` where nobody is signed in, ``Conflict`` where another request changed the secret meanwhile.
    """
    current_session().reauthenticate()
    current_session().commit()


def recently_authenticated(*, max_age: int) -> bool:
    """``max_age``: seconds since sign-in or ``reauthenticate``."""
    return current_session().authenticated_within(max_age)


def requires_recent_authentication(
    *, max_age: int, sign_in_endpoint: str | None = None
) -> Callable[[View], View]:
    """Who loads a page is sent to ``sign_in_endpoint``, if there is one, with ``next``; others get 401 where nobody is
    signed in, and 403 with ``WWW-Authenticate: Session error="insufficient_user_authentication"`` (RFC 9470) where it
    was too long ago.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(*given: Any, **named: Any) -> Any:
            if recently_authenticated(max_age=max_age):
                return view(*given, **named)
            mode, accept = request.headers.get("Sec-Fetch-Mode"), request.headers.get("Accept", "")
            if sign_in_endpoint is not None and navigates(request.method, mode, accept):
                return redirect(url_for(sign_in_endpoint, next=request.full_path.removesuffix("?")))
            problem = demand_recent(current_session(), max_age=max_age)
            return current_interface().problem(
                problem.status, problem.detail, end_reason=problem.end_reason, headers=problem.headers
            )

        return checked  # type: ignore[return-value]

    return decorate
