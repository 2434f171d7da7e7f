"""The answers (RFC 9457) to errors of the library that a client can do something about."""

from __future__ import annotations

from django.http import JsonResponse
from django.http.response import HttpResponseBase

from polysession.contrib.refusals import problem_of
from polysession.core.errors import PolysessionError
from polysession.core.http import PROBLEM_TYPE, Problem


def refuse(error: Exception) -> HttpResponseBase | None:
    """The answer; ``None`` for a fault of the app, which Django shall report."""
    problem = problem_of(error) if isinstance(error, PolysessionError) else None
    if problem is None:
        return None
    return answer(problem)


def answer(problem: Problem) -> HttpResponseBase:
    headers = {"Cache-Control": "no-store", **problem.headers}
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Session"
    return JsonResponse(problem.members, status=problem.status, headers=headers, content_type=PROBLEM_TYPE)
