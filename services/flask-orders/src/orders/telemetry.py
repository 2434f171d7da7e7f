"""What traces, logs and metrics learn of a request: the route, the session ID, a pseudonym of the principal."""

from __future__ import annotations

import re
from typing import Any

from chassis.metrics import ROUTE
from flask import Flask, g, request
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from polysession.contrib.flask import current_session
from polysession.core.events import AllEvents, Events
from polysession.telemetry import otel
from polysession.telemetry.prometheus import PrometheusEvents

from orders.parts import parts

_CONVERTER = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")


def instrument(app: Flask) -> None:
    FlaskInstrumentor().instrument_app(app, enable_commenter=False)  # type: ignore[no-untyped-call]
    app.before_request(_attach_session)
    app.teardown_request(_detach)


def session_events() -> Events:
    return AllEvents(otel.OTelEvents(), PrometheusEvents())


def attach_principal() -> None:
    """Where the view asked who is signed in. Anywhere else it would be one more question to the store."""
    session = current_session()
    if session.accessed and session.id is not None and session.principal is not None:
        g.attached.append(otel.attach(session.id, parts().sessions.pseudonym(session.principal)))


def _attach_session() -> None:
    """The session ID is in the token: known before the store is asked, on every span and log line from here on."""
    g.attached = []
    if request.url_rule is not None:
        request.environ[ROUTE] = _CONVERTER.sub(r"{\1}", request.url_rule.rule)
    if (session_id := current_session().id) is not None:
        g.attached.append(otel.attach(session_id))


def _detach(_error: Any = None) -> None:
    """Nothing stays on the thread, which serves somebody else next."""
    attached = g.get("attached", [])
    while attached:
        otel.detach(attached.pop())
