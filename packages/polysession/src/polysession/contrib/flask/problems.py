"""The answers (RFC 9457) to errors of the library that a client can do something about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from flask import Response, json

from ...core.http import PROBLEM_TYPE, Problem


class ProblemMaker(Protocol):
    """Makes an RFC 9457 answer. An app passes its own, to tell of all errors in one form."""

    def __call__(
        self,
        status: int,
        detail: str,
        *,
        end_reason: str | None = ...,
        headers: Mapping[str, str] | None = ...,
    ) -> Response: ...


def make_problem(
    status: int, detail: str, *, end_reason: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """The default ``ProblemMaker``."""
    members = Problem(status, detail, end_reason).members
    return Response(json.dumps(members), status, headers, content_type=PROBLEM_TYPE)
