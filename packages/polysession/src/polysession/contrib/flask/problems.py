"""The answers (RFC 9457) to errors of the library that a client can do something about."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response, json

from ...core import http

ProblemMaker = http.ProblemMaker[Response]


def make_problem(
    status: int, detail: str, *, end_reason: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """The default ``ProblemMaker``."""
    members = http.Problem(status, detail, end_reason).members
    return Response(json.dumps(members), status, headers, content_type=http.PROBLEM_TYPE)
