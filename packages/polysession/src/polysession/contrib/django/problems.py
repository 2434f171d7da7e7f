"""The answers (RFC 9457) to errors of the library that a client can do something about."""

from __future__ import annotations

from typing import Any

from django.http import JsonResponse
from django.http.response import HttpResponseBase

from polysession.core.errors import (
    Conflict,
    GenerationOutdated,
    ReadOnly,
    SessionEnded,
    StoreUnavailable,
    TooLarge,
    TooManySessions,
)


def refuse(error: Exception) -> HttpResponseBase | None:
    """The answer; ``None`` for a fault of the app, which Django shall report."""
    match error:
        case StoreUnavailable():
            detail = "The session store gave no answer. You are still signed in: try again."
            return _problem(503, "Service Unavailable", detail, {"Retry-After": str(error.retry_after)})
        case ReadOnly():
            detail = "The session store gave no answer, so nothing could be saved. Try again."
            return _problem(503, "Service Unavailable", detail, {"Retry-After": "2"})
        case SessionEnded():
            detail = "Your session has ended. Sign in again."
            return _problem(
                401, "Unauthorized", detail, {"WWW-Authenticate": "Session"}, end_reason=error.reason
            )
        case GenerationOutdated():
            detail = "You were signed out everywhere while you signed in. Sign in again."
            return _problem(
                401, "Unauthorized", detail, {"WWW-Authenticate": "Session"}, end_reason="revoked"
            )
        case Conflict():
            return _problem(
                409, "Conflict", "Another request changed the same. Load it again, then repeat.", {}
            )
        case TooManySessions():
            detail = (
                f"You are signed in {error.limit} times, the limit. Sign out somewhere, then sign in here."
            )
            return _problem(409, "Conflict", detail, {})
        case TooLarge():
            detail = f"Too much for one session ({error.what}). Remove something."
            return _problem(413, "Content Too Large", detail, {})
    return None


def _problem(
    status: int, title: str, detail: str, headers: dict[str, str], **members: Any
) -> HttpResponseBase:
    return JsonResponse(
        {"type": "about:blank", "title": title, "status": status, "detail": detail, **members},
        status=status,
        headers={"Cache-Control": "no-store", **headers},
        content_type="application/problem+json",
    )
