"""Problem details for HTTP APIs (RFC 9457): the one form of error that both services answer with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

CONTENT_TYPE = "application/problem+json"


def problem(
    status: int,
    detail: str | None = None,
    *,
    title: str | None = None,
    type: str = "about:blank",
    errors: Mapping[str, Sequence[str]] | None = None,
    end_reason: str | None = None,
    instance: str | None = None,
    **extensions: Any,
) -> dict[str, Any]:
    """Return a problem: ``detail`` says what to do, ``errors`` are faults by field name.

    With the default ``type`` the title is the status's own phrase (RFC 9457 section 4.2.1). ``end_reason``
    tells a client whose session ended why. Members that are None are left out.
    """
    members: dict[str, Any] = {"type": type, "title": title or phrase(status), "status": status}
    optional: dict[str, Any] = {
        "detail": detail,
        "instance": instance,
        "errors": None if errors is None else {name: list(faults) for name, faults in errors.items()},
        "end_reason": end_reason,
        **extensions,
    }
    members.update((name, value) for name, value in optional.items() if value is not None)
    return members


def phrase(status: int) -> str:
    """Return the phrase of a status, or ``Error`` for one that nobody registered."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def wsgi_problem(
    start_response: StartResponse,
    status: int,
    detail: str | None = None,
    *,
    headers: Iterable[tuple[str, str]] = (),
    **members: Any,
) -> list[bytes]:
    """Answer a WSGI request with a problem, from outside of any framework. Never cached."""
    body = json.dumps(problem(status, detail, **members)).encode()
    start_response(
        f"{status} {phrase(status)}",
        [
            ("Content-Type", CONTENT_TYPE),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            *headers,
        ],
    )
    return [body]
