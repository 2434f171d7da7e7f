"""What traces and metrics learn of a request."""

from __future__ import annotations

import pytest
from opentelemetry import baggage, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from polysession.contrib.asgi import SessionMiddleware
from polysession.core.manager import SessionManager
from polysession.telemetry.otel import PSEUDONYM, SESSION_ID, attached
from polysession.testing import RecordedEvents
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .conftest import COOKIE, Visitor, make_starlette

pytestmark = pytest.mark.anyio


async def test_the_session_is_in_baggage_and_on_the_span_of_its_request_and_of_no_other(
    manager: SessionManager,
) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    async def look(request: Request) -> Response:
        return JSONResponse({name: baggage.get_baggage(name) for name in (SESSION_ID, PSEUDONYM)})

    visitor = Visitor(make_starlette(manager))
    await visitor.post("/sign-in/ada")
    token, session_id = visitor.token, manager.open(visitor.token).id
    await visitor.http.aclose()
    app = make_starlette(manager, around=attached)
    app.add_route("/look", look)
    looking = Visitor(app)
    looking.bring(token)
    with provider.get_tracer("test").start_as_current_span("request"):
        found = (await looking.get("/look")).json()
        assert baggage.get_baggage(SESSION_ID) is None
    assert found == {SESSION_ID: session_id, PSEUDONYM: manager.pseudonym("ada")}
    (span,) = exporter.get_finished_spans()
    assert span.attributes is not None
    assert span.attributes[SESSION_ID] == session_id
    looking.http.cookies.clear()
    assert (await looking.get("/look")).json() == {SESSION_ID: None, PSEUDONYM: None}
    await looking.http.aclose()
    assert trace.get_current_span() is trace.INVALID_SPAN


async def test_each_token_is_counted_once_a_request(manager: SessionManager, events: RecordedEvents) -> None:
    visitor = Visitor(make_starlette(manager))
    await visitor.post("/sign-in/ada")
    events.validations.clear()
    await visitor.get("/me")
    visitor.http.cookies.set(COOKIE, "a" * 70, domain="testserver.local")
    await visitor.get("/none")
    await visitor.http.aclose()
    assert events.validations == ["live", "invalid"]


def test_the_middleware_is_plain_asgi() -> None:
    """No ``BaseHTTPMiddleware``: that runs the app in another task, and breaks context variables and streaming."""
    assert SessionMiddleware.__mro__[1:] == (object,)
