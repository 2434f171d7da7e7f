"""Who asks, and whether the browser meant it: the one check in front of every view of the API.

DRF's own session authentication skips CSRF before sign-in, so sign-in itself could be forged, and answers 403
where 401 is due. Here a view says which of its methods are public; every other needs a signed-in account, and
every unsafe method, public or not, needs a CSRF token.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib.auth.base_user import AbstractBaseUser
from polysession.contrib.django import check_csrf
from polysession.contrib.django.session import store_of
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import MethodNotAllowed, PermissionDenied
from rest_framework.request import Request

from users.problems import NotSignedIn

Method = TypeVar("Method", bound=Callable[..., Any])
SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")


def public(method: Method) -> Method:
    """Mark a view's method that answers without a sign-in; none does unless it is marked."""
    method.public = True  # type: ignore[attr-defined]
    return method


def is_public(method: object) -> bool:
    return getattr(method, "public", False) is True


class SessionAuthentication(BaseAuthentication):
    """First who asks, then whether the browser meant it: an ended session is a 401, not a stale CSRF token."""

    def authenticate(self, request: Request) -> tuple[AbstractBaseUser, None] | None:
        view = request.parser_context["view"]
        if request.method not in view.allowed_methods:
            raise MethodNotAllowed(str(request.method))
        account = None
        if not is_public(getattr(view, request.method.lower())):
            account = request._request.user
            if not account.is_authenticated:
                raise NotSignedIn(store_of(request._request).session.end_reason)
        if request.method not in SAFE_METHODS and not check_csrf(request._request):
            raise PermissionDenied
        return None if account is None else (account, None)

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - DRF's name
        """Its presence makes DRF answer 401. RFC 9110 asks for a scheme; browsers prompt for none of this name."""
        return "Session"
