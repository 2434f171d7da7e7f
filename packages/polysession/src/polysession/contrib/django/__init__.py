"""Django: ``SESSION_ENGINE = "polysession.contrib.django"``, and `SessionMiddleware` in place of Django's.

``django.contrib.auth``, the admin and the test client work unchanged. ``POLYSESSION_MANAGER`` is a
`SessionManager`, or the dotted path of one or of a callable that makes one: called once a process, at first use.

What differs from Django's own engines, and why:

* ``session_key`` is the session *token*, because the test client puts it into the cookie. Log ``session.id``.
* ``_auth_user_id`` is the principal in the record's header, no attribute beside it: one truth. Assigning it is a
  sign-in, also as the same principal (ASVS 5.0, 7.2.4: a new token at re-authentication, too).
* Sign-in and ``cycle_key`` take effect at save: ``login()`` cycles the key before it says who signs in. ``flush``
  ends the session at once, so that a view learns whether a sign-out took effect.
* The user's ``session_generation``, read together with the password that was checked, goes with the sign-in: one
  that raced with "end all" or a password change is refused. A user model without it has generation 0.
* Set ``CSRF_USE_SESSIONS = True``: the CSRF secret is derived from the session (see `csrf`).
* No session is written by being read: a nested change is found by itself, ``modified`` is not needed.
"""

from __future__ import annotations

from typing import Any

from ...extras import extra

with extra("django"):
    from django.contrib.auth.signals import user_logged_in
    from django.http import HttpRequest

from .csrf import CsrfMiddleware, acheck_csrf, acsrf_token, check_csrf, csrf_token
from .ending import end_sessions
from .manager import get_manager
from .middleware import SessionMiddleware, session_optional, session_passive
from .session import CsrfSecret, SessionStore
from .step_up import reauthenticate, recently_authenticated, requires_recent_authentication

__all__ = [
    "CsrfMiddleware",
    "SessionMiddleware",
    "SessionStore",
    "acheck_csrf",
    "acsrf_token",
    "check_csrf",
    "csrf_token",
    "end_sessions",
    "get_manager",
    "reauthenticate",
    "recently_authenticated",
    "requires_recent_authentication",
    "session_optional",
    "session_passive",
]


def _hear_sign_in(request: HttpRequest, user: Any, **_: object) -> None:
    store = getattr(request, "session", None)
    if isinstance(store, SessionStore):
        store.sign_in(user._meta.pk.value_to_string(user), generation=getattr(user, "session_generation", 0))
        if "CSRF_COOKIE" in request.META:
            # login() has put a random secret there, that no cookie of ours will ever carry.
            request.META["CSRF_COOKIE"] = CsrfSecret(store)


user_logged_in.connect(_hear_sign_in, dispatch_uid="polysession.contrib.django")
