"""The library's CSRF token where Django expects its own. Signed double submit (OWASP), alike in every service.

With ``CSRF_USE_SESSIONS = True`` Django asks the session for its CSRF secret, and `SessionStore` answers with
HMAC(csrf key, session ID), or that of a cookie before there is a session. So ``get_token``, ``{% csrf_token %}``,
``csrf_protect`` and Django's own middleware work with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.csrf import (
    CsrfViewMiddleware,
    RejectRequest,
)

from polysession.core import bridge
from polysession.core.errors import StoreUnavailable

from .asynchronous import awaited
from .problems import refuse
from .session import store_of


def csrf_token(request: HttpRequest) -> str:
    """A masked token for unsafe requests, good in every service of the platform. Creates no session."""
    return store_of(request).csrf_token()


def check_csrf(request: HttpRequest, given: str | None = None) -> bool:
    """Whether ``given``, else the header ``CSRF_HEADER_NAME``, fits the session or the CSRF cookie."""
    return store_of(request).check_csrf(
        request.META.get(settings.CSRF_HEADER_NAME) if given is None else given
    )


async def acsrf_token(request: HttpRequest) -> str:
    """``csrf_token`` for asynchronous views. After it, a template may use ``{% csrf_token %}``, too."""
    return await awaited(csrf_token, request)


async def acheck_csrf(request: HttpRequest, given: str | None = None) -> bool:
    return await awaited(check_csrf, request, given)


class CsrfMiddleware(CsrfViewMiddleware):
    """Django's, checking the origin as it does; any key of the ring is good, and a store that is away is 503."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        super().__init__(get_response)
        if not settings.CSRF_USE_SESSIONS:
            raise ImproperlyConfigured("Set CSRF_USE_SESSIONS = True: the secret belongs to the session.")
        if iscoroutinefunction(get_response):
            self.process_view = self._aprocess_view  # type: ignore[method-assign,assignment]

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        """On an asynchronous chain, without a thread: what Django asks of the session here, the store is not asked."""
        self.process_request(request)
        return await self.get_response(request)  # type: ignore[misc,no-any-return]

    async def _aprocess_view(self, request: HttpRequest, *view: Any) -> HttpResponseBase | None:
        return await awaited(CsrfMiddleware.process_view, self, request, *view)

    def process_view(  # type: ignore[override]
        self, request: HttpRequest, *view: Any
    ) -> HttpResponseBase | None:
        try:
            return super().process_view(request, *view)
        except StoreUnavailable as error:
            return refuse(error)

    def _reject(self, request: HttpRequest, reason: str) -> HttpResponseBase:
        """By the app's ``CSRF_FAILURE_VIEW``, which may use the database: not on an event loop."""
        reject = super()._reject  # type: ignore[misc]  # the stubs do not know it
        if bridge.is_open():
            return bridge.wait(sync_to_async(reject)(request, reason))  # type: ignore[no-any-return]
        return reject(request, reason)  # type: ignore[no-any-return]

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:  # noqa: ARG002
        """Nothing is kept, and `SessionMiddleware` sets the cookie."""
        return response

    def _check_token(self, request: HttpRequest) -> None:
        given = request.POST.get("csrfmiddlewaretoken") if request.method == "POST" else None
        if not check_csrf(request, given or None):
            raise RejectRequest("CSRF token missing or incorrect.")
