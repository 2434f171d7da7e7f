"""What is traced and measured beyond chassis and library: routes, and the session around a request."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any

from chassis.metrics import ROUTE
from chassis.traces import Instrumentor
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from polysession.contrib.django import SessionMiddleware as PolysessionMiddleware
from polysession.contrib.django.session import store_of
from polysession.keeper import Pass
from polysession.telemetry import otel
from prometheus_client import Counter, Gauge

_KEEPER_STEPS = ("ended", "carried", "confirmed", "seen", "reapplied", "purged")
_CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")


def make_instrumentors() -> Iterable[Instrumentor]:
    """The Django one reads the settings: it puts itself first into MIDDLEWARE."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "users.settings")
    from opentelemetry.instrumentation.django import DjangoInstrumentor
    from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor

    return DjangoInstrumentor(), PsycopgInstrumentor()


class RouteMiddleware:
    """Leaves the route's template for ``chassis.metrics``: a path would be a series for each session ID."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> None:
        if request.resolver_match is not None:
            request.META[ROUTE] = "/" + _CONVERTER.sub(r"{\1}", request.resolver_match.route)


class SessionMiddleware(PolysessionMiddleware):
    """Around all that a request does, the store's operations at its end included: ``session.id`` in the baggage.

    It is in the token, so it is known before the store is asked. Baggage belongs to the request's context and is
    taken off with it: nothing stays on the thread.
    """

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        session_id = store_of(request).session.id
        if session_id is not None:
            request._session_context = otel.attach(session_id)  # type: ignore[attr-defined]

    def process_response(  # type: ignore[override]
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        with ExitStack() as stack:
            if (attached := getattr(request, "_session_context", None)) is not None:
                stack.callback(otel.detach, attached)
            return super().process_response(request, response)


class KeeperPasses:
    """Hears of the keeper's passes: what the work comes to, and whether it is this keeper that does it. One a process."""

    def __init__(self) -> None:
        self._leading = Gauge(
            "polysession_keeper_leading",
            "1 when the last pass of this keeper had the lease.",
            multiprocess_mode="livemostrecent",
        )
        self._passes = Counter(
            "polysession_keeper_passes",
            "Passes of the keeper; failed: a step got no answer and is tried again.",
            ("outcome",),
        )
        self._work = Counter(
            "polysession_keeper_work", "Sessions and events that a step dealt with.", ("step",)
        )
        for outcome in ("ok", "failed"):
            self._passes.labels(outcome)
        for step in _KEEPER_STEPS:
            self._work.labels(step)

    def __call__(self, done: Pass) -> None:
        self._leading.set(done.leading)
        self._passes.labels("failed" if done.failed else "ok").inc()
        for step in _KEEPER_STEPS:
            self._work.labels(step).inc(getattr(done, step))
