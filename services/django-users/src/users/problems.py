"""Every error of the service as an RFC 9457 problem that says what to do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from chassis import problems
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from polysession.contrib.django.problems import refuse
from polysession.core.errors import PolysessionError
from psycopg_pool import PoolTimeout
from rest_framework import exceptions
from rest_framework.views import set_rollback

from users.accounts.rules import Refused, Taken
from users.sessions.throttle import ThrottleUnavailable, TooManyAttempts

RETRY_AFTER_SECONDS = 2
_log = structlog.get_logger(__name__)

_DETAILS = {
    400: "The request cannot be read. Correct it, then send it again.",
    403: "Send a fresh CSRF token in the header X-CSRF-Token: GET /api/users/csrf has one.",
    404: "Nothing is here. GET /api/users/openapi.json lists all paths.",
    405: "This path answers other methods: see the header Allow.",
    413: "Send a smaller body.",
    415: "Send application/json.",
    500: "Something went wrong here, and we have been told. Try again later.",
}


class NotSignedIn(exceptions.NotAuthenticated):
    """``end_reason`` says why the session that the request named has ended."""

    def __init__(self, end_reason: str | None, detail: str = "Sign in, then repeat the request.") -> None:
        super().__init__(detail)
        self.end_reason = end_reason


def make_problem(
    status: int, detail: str | None = None, *, headers: Mapping[str, str] | None = None, **members: Any
) -> HttpResponse:
    body = json.dumps(problems.problem(status, detail or _DETAILS.get(status), **members))
    response = HttpResponse(body, status=status, content_type=problems.CONTENT_TYPE, headers=headers)
    response["Cache-Control"] = "no-store"
    return response


def answer_exception(error: Exception, _context: Mapping[str, Any]) -> HttpResponse | None:
    """DRF's ``EXCEPTION_HANDLER``. ``None``: a fault of ours, which Django logs and answers with 500."""
    set_rollback()
    match error:
        case PolysessionError():
            refused = refuse(error)
            return refused if isinstance(refused, HttpResponse) else None
        case Taken():
            return make_problem(
                409, "Choose another for the fields that `errors` names.", errors=error.errors
            )
        case Refused():
            return _invalid(error.errors)
        case TooManyAttempts():
            detail = f"Too many failed attempts. Try again in {error.retry_after} s."
            return make_problem(429, detail, headers={"Retry-After": str(error.retry_after)})
        case ThrottleUnavailable() | OperationalError() | InterfaceError() | PoolTimeout():
            return answer_unavailable(error)
        case Http404():
            return make_problem(404)
        case DjangoPermissionDenied():
            return make_problem(403)
        case exceptions.ValidationError():
            return _invalid(flatten(error.detail))
        case exceptions.APIException():
            return _answer_api_exception(error)
    return None


def _answer_api_exception(error: exceptions.APIException) -> HttpResponse:
    headers: dict[str, str] = {}
    if header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = header
    own = isinstance(error, NotSignedIn | exceptions.NotFound)
    return make_problem(
        error.status_code,
        str(error.detail) if own else None,
        headers=headers,
        end_reason=getattr(error, "end_reason", None),
    )


def _invalid(errors: Mapping[str, Sequence[str]]) -> HttpResponse:
    return make_problem(400, "Correct the fields that `errors` names.", errors=errors)


def answer_unavailable(error: Exception) -> HttpResponse:
    # A statement's parameters may be personal data: the kind of error is enough, its span has the rest.
    cause = error.__cause__ or error
    _log.error("dependency_unavailable", error=type(cause).__name__)
    detail = "A part that this needs gave no answer. You are still signed in: try again."
    return make_problem(503, detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def flatten(faults: Any, path: str = "") -> dict[str, list[str]]:
    """DRF's nested faults by dotted field name; those of the whole body under ``body``."""
    if isinstance(faults, Mapping):
        flat: dict[str, list[str]] = {}
        for name, inner in faults.items():
            step = "body" if name == "non_field_errors" else str(name)
            flat.update(flatten(inner, f"{path}.{step}" if path else step))
        return flat
    texts = faults if isinstance(faults, list | tuple) else [faults]
    return {path or "body": [str(text) for text in texts]}


# --- Outside of DRF: Django's own handlers


class ProblemMiddleware:
    """In the admin, too, a database that gives no answer is 503, and too many wrong passwords are 429."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_exception(self, _request: HttpRequest, error: Exception) -> HttpResponse | None:
        known = OperationalError | InterfaceError | PoolTimeout | ThrottleUnavailable | TooManyAttempts
        return answer_exception(error, {}) if isinstance(error, known) else None


def answer_bad_request(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's name
    return make_problem(400)


def answer_forbidden(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    return make_problem(403, "This account may not do that.")


def answer_not_found(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    return make_problem(404)


def answer_server_error(_request: HttpRequest) -> HttpResponse:
    return make_problem(500)


def answer_csrf_failure(_request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001
    return make_problem(403)
