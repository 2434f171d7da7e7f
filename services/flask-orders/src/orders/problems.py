"""Every error of the API as an RFC 9457 problem that says what to do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from chassis import problems
from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from orders.database import Unavailable

Errors = Mapping[str, Sequence[str]]
RETRY_AFTER_SECONDS = 2

_log = structlog.get_logger(__name__)


class Refusal(Exception):
    """The answer to a request that cannot be met. ``errors`` are faults by field name."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Errors | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = headers


def make_problem(
    status: int,
    detail: str | None = None,
    *,
    errors: Errors | None = None,
    end_reason: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer; also what the session's own errors are told with (``contrib.flask.ProblemMaker``)."""
    members = problems.problem(status, detail, errors=errors, end_reason=end_reason)
    return Response(json.dumps(members), status, headers, content_type=problems.CONTENT_TYPE)


def answer_http_exception(error: HTTPException) -> HTTPException | Response:
    """Werkzeug's and flask-smorest's errors. Headers such as ``Allow`` stay."""
    status = error.code or 500
    if status < 400:
        return error  # a redirect is no error
    data: Mapping[str, Any] = getattr(error, "data", None) or {}
    # By location ("json", "query"), then by field; the location is not told.
    errors = {
        field: texts
        for faults in data.get("messages", {}).values()
        for field, texts in flatten(faults).items()
    }
    detail = "Correct the fields that `errors` names." if errors else _DETAILS.get(status, error.description)
    headers = {
        name: value
        for name, value in error.get_response().headers.items()
        if name.lower() not in ("content-type", "content-length")
    }
    return make_problem(status, detail, errors=errors or None, headers=headers)


def flatten(faults: Any, path: str = "") -> dict[str, list[str]]:
    """Marshmallow's nested faults by dotted field name; ``body`` for a fault of the whole."""
    if not isinstance(faults, Mapping):
        texts = faults if isinstance(faults, list | tuple) else [faults]
        return {path or "body": [str(text) for text in texts]}
    flat: dict[str, list[str]] = {}
    for name, inner in faults.items():
        deeper = path if name == "_schema" else f"{path}.{name}".lstrip(".")
        for field, texts in flatten(inner, deeper).items():
            flat.setdefault(field, []).extend(texts)
    return flat


def register(app: Flask) -> None:
    """Besides ``HTTPException``, which flask-smorest hands to ``answer_http_exception``."""
    app.register_error_handler(Refusal, _answer_refusal)
    for error in Unavailable:
        app.register_error_handler(error, _answer_unavailable)


def _answer_refusal(error: Refusal) -> Response:
    return make_problem(error.status, error.detail, errors=error.errors, headers=error.headers)


def _answer_unavailable(error: Exception) -> Response:
    # The statement's parameters may be personal data: the kind of error is enough, its span has the rest.
    _log.error("database_unavailable", error=type(getattr(error, "orig", None) or error).__name__)
    detail = "The shop's database gave no answer. Nothing was changed: try again."
    return make_problem(503, detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


_DETAILS = {
    404: "Nothing is here. GET /api/orders/openapi.json lists all paths.",
    405: "This path answers other methods: see the header Allow.",
    413: "Send a smaller body.",
    415: "Send application/json.",
    500: "Something went wrong here, and we have been told. Try again later.",
}
