"""The library's CSRF token where Django expects its own. Signed double submit (OWASP), alike in every service."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.csrf import (  # type: ignore[attr-defined]
    CsrfViewMiddleware,
    RejectRequest,
    _unmask_cipher_token,
)
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject

from polysession.core.errors import StoreUnavailable

from .problems import refuse
from .session import store_of


def csrf_token(request: HttpRequest) -> str:
    """A masked token for unsafe requests, good in every service of the platform. Creates no session.

    Bound to the session, else to a cookie of its own that `SessionMiddleware` sets. A sign-in or rotation under way
    is committed first, since the token belongs to what follows it.
    """
    store = store_of(request)
    store.ask()
    if store.renews:
        store.commit()
    cookie = getattr(request, "_polysession_csrf", None) or request.COOKIES.get(settings.CSRF_COOKIE_NAME)
    token, binding = store.session.csrf_token(cookie)
    if binding is not None:
        request._polysession_csrf = binding  # type: ignore[attr-defined]
    return token


def check_csrf(request: HttpRequest, given: str | None = None) -> bool:
    """Whether ``given``, else the header ``CSRF_HEADER_NAME``, fits the session or the CSRF cookie."""
    if given is None:
        given = request.META.get(settings.CSRF_HEADER_NAME)
    store = store_of(request)
    store.ask()
    return store.session.check_csrf(request.COOKIES.get(settings.CSRF_COOKIE_NAME), given)


def offer_token(request: HttpRequest) -> None:
    """Django's ``get_token`` will find the secret here; nothing is asked of the store until it does."""
    request.META["CSRF_COOKIE"] = SimpleLazyObject(lambda: _unmask_cipher_token(csrf_token(request)))


class CsrfMiddleware(CsrfViewMiddleware):
    """Django's, checking the origin as it does, with the library's token: forms and ``{% csrf_token %}`` just work."""

    def process_request(self, request: HttpRequest) -> None:
        offer_token(request)

    def process_view(  # type: ignore[override]
        self, request: HttpRequest, *view: Any
    ) -> HttpResponseBase | None:
        try:
            return super().process_view(request, *view)
        except StoreUnavailable as error:
            return refuse(error)

    def _check_token(self, request: HttpRequest) -> None:
        if not check_csrf(
            request, request.POST.get("csrfmiddlewaretoken") if request.method == "POST" else None
        ):
            raise RejectRequest("CSRF token missing or incorrect.")

    def _set_csrf_cookie(self, request: HttpRequest, response: HttpResponseBase) -> None:  # noqa: ARG002
        """`SessionMiddleware` sets it."""
        patch_vary_headers(response, ("Cookie",))
