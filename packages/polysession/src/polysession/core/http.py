"""What an adapter says on HTTP, whatever its framework: names of headers, who loads a page, cookies as text, and the
answer (RFC 9457) to each error that a client can do something about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol, TypeVar

from . import errors
from .cookie import Cookie
from .record import END_REASONS
from .session import Session

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})  # RFC 9110, section 9.2.1
PASSIVE_HEADER = "X-Session-Passive"
SESSION_ID_HEADER = "X-Session-Id"
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"
CSRF_DETAIL = (
    f"Send a fresh CSRF token in the header {CSRF_HEADER} or the form field {CSRF_FIELD}: "
    "the app's csrf_token() makes one."
)
PROBLEM_TYPE = "application/problem+json"

AnswerT = TypeVar("AnswerT", covariant=True)


@dataclass(frozen=True, slots=True)
class Problem:
    """``end_reason``: why the session that the request came with has ended."""

    status: int
    detail: str
    end_reason: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def members(self) -> dict[str, Any]:
        """Of the JSON object."""
        # RFC 9110's name of 413; Python 3.13 has it, too.
        title = "Content Too Large" if self.status == 413 else HTTPStatus(self.status).phrase
        members = {"type": "about:blank", "title": title, "status": self.status, "detail": self.detail}
        return members if self.end_reason is None else members | {"end_reason": self.end_reason}


class ProblemMaker(Protocol[AnswerT]):
    """Makes an RFC 9457 answer. An app passes its own, to tell of all errors in one form."""

    def __call__(
        self,
        status: int,
        detail: str,
        *,
        end_reason: str | None = ...,
        headers: Mapping[str, str] | None = ...,
    ) -> AnswerT: ...


def problem_of(error: errors.PolysessionError) -> Problem | None:
    """``None`` for a fault of the app, which its framework shall report."""
    match error:
        case errors.StoreUnavailable():
            detail = "The session store gave no answer. You are still signed in: try again."
            return Problem(503, detail, headers={"Retry-After": str(error.retry_after)})
        case errors.ReadOnly():
            detail = "The session store gave no answer, so nothing could be saved. Try again."
            return Problem(503, detail, headers={"Retry-After": "2"})
        case errors.Conflict():
            return Problem(409, "Another request changed the same. Load it again, then repeat.")
        case errors.SessionEnded():
            reason = error.reason if error.reason in END_REASONS else None
            return Problem(401, "Your session has ended. Sign in again.", reason)
        case errors.GenerationOutdated():
            return Problem(
                401, "You were signed out everywhere while you signed in. Sign in again.", "revoked"
            )
        case errors.TooManySessions():
            detail = (
                f"You are signed in {error.limit} times, the limit. Sign out somewhere, then sign in here."
            )
            return Problem(409, detail)
        case errors.TooLarge():
            return Problem(413, f"Too much for one session ({error.what}). Remove something.")
    return None


def demand_recent(session: Session, *, max_age: int) -> Problem:
    """To who did not prove of late who it is (step-up). The error code is RFC 9470's, in a header of RFC 9110's: other
    credentials might change the answer.
    """
    if session.principal is None:
        return Problem(401, "Sign in, then repeat the request.", session.end_reason)
    how = f'Session error="insufficient_user_authentication", max_age="{max_age}"'
    return Problem(
        403, "Prove again who you are, then repeat the request.", headers={"WWW-Authenticate": how}
    )


def environ_name(header: str) -> str:
    """Of a request's header in WSGI's environ (PEP 3333, after CGI): read there, it costs no mapping of headers."""
    return f"HTTP_{header.upper().replace('-', '_')}"


def navigates(method: str, mode: str | None, accept: str) -> bool:
    """The browser loads a page: ``mode`` is ``Sec-Fetch-Mode`` (W3C Fetch Metadata); without it, it asks for HTML."""
    return method == "GET" and (mode == "navigate" if mode else "text/html" in accept)


def cookie_text(cookie: Cookie) -> str:
    """The value of ``Set-Cookie`` (RFC 6265bis). Tokens and bindings need no quotes."""
    parts = [f"{cookie.name}={cookie.value}", f"Path={cookie.path}"]
    if cookie.max_age is not None:
        parts.append(f"Max-Age={cookie.max_age}")
    if cookie.max_age == 0:
        parts.append("Expires=Thu, 01 Jan 1970 00:00:00 GMT")
    if cookie.secure:
        parts.append("Secure")
    if cookie.http_only:
        parts.append("HttpOnly")
    return "; ".join([*parts, f"SameSite={cookie.same_site}"])
