"""Spans around store operations, and the session in baggage."""

from __future__ import annotations

import pytest
from opentelemetry import baggage, context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from polysession.core.errors import StoreUnavailable
from polysession.core.events import AllEvents
from polysession.telemetry.otel import PSEUDONYM, SESSION_ID, OTelEvents, attach, detach
from polysession.testing import RecordedEvents

ATTRIBUTES = {
    "db.system.name": "redis",
    "db.operation.name": "EVALSHA",
    "server.address": "127.0.0.1",
    "server.port": 7000,
}


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter: InMemorySpanExporter) -> TracerProvider:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


def test_a_store_operation_is_a_client_span(provider: TracerProvider, exporter: InMemorySpanExporter) -> None:
    with OTelEvents(provider).operation("write", ATTRIBUTES):
        pass
    (span,) = exporter.get_finished_spans()
    assert (span.name, span.kind) == ("EVALSHA write", SpanKind.CLIENT)
    assert dict(span.attributes or {}) == ATTRIBUTES
    assert span.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize("name", ["count", "ping"])
def test_a_scrape_and_a_probe_make_no_trace_of_their_own(
    provider: TracerProvider, exporter: InMemorySpanExporter, name: str
) -> None:
    with OTelEvents(provider).operation(name, ATTRIBUTES):
        pass
    assert exporter.get_finished_spans() == ()
    with (
        provider.get_tracer("test").start_as_current_span("request"),
        OTelEvents(provider).operation(name, ATTRIBUTES),
    ):
        pass
    assert len(exporter.get_finished_spans()) == 2


def test_an_operation_without_an_answer_is_an_error(
    provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    with pytest.raises(StoreUnavailable), OTelEvents(provider).operation("read", ATTRIBUTES):
        raise StoreUnavailable("read", "timed out")
    (span,) = exporter.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes is not None
    assert span.attributes["error.type"] == "StoreUnavailable"
    assert "timed out" in (span.status.description or "")


def test_an_error_that_is_not_ours_shows_its_type_only(
    provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    with pytest.raises(ValueError, match="private"), OTelEvents(provider).operation("read", ATTRIBUTES):
        raise ValueError("private")
    (span,) = exporter.get_finished_spans()
    assert span.status.description is None
    assert span.events == ()
    assert "private" not in span.to_json()


def test_the_session_is_on_the_request_span_on_store_spans_and_in_baggage(
    provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    with provider.get_tracer("test").start_as_current_span("request"):
        token = attach("ABCDEFGHabcdefgh", "pseudonym")
        assert baggage.get_all() == {SESSION_ID: "ABCDEFGHabcdefgh", PSEUDONYM: "pseudonym"}
        with OTelEvents(provider).operation("read", ATTRIBUTES):
            pass
        detach(token)
    operation, request = exporter.get_finished_spans()
    assert operation.attributes is not None
    assert request.attributes is not None
    assert operation.attributes[SESSION_ID] == request.attributes[SESSION_ID] == "ABCDEFGHabcdefgh"
    assert request.attributes[PSEUDONYM] == "pseudonym"
    assert operation.parent is not None
    assert operation.parent.span_id == request.context.span_id


def test_nothing_of_a_session_stays_on_the_thread() -> None:
    before = context.get_current()
    for session_id in ("one", "two"):
        token = attach(session_id)
        assert baggage.get_all() == {SESSION_ID: session_id}
        detach(token)
        assert baggage.get_all() == {}
    assert context.get_current() == before


def test_several_listeners_all_hear(provider: TracerProvider, exporter: InMemorySpanExporter) -> None:
    one, other = RecordedEvents(), RecordedEvents()
    events = AllEvents(one, OTelEvents(provider), other)
    events.ended("logout")
    events.validated("live")
    events.conflict("merged")
    events.clock_skew(0.1)
    with events.operation("list", ATTRIBUTES):
        pass
    assert one == other
    assert (one.ended_reasons, one.validations, one.conflicts) == (["logout"], ["live"], ["merged"])
    assert one.operations == ["list"]
    assert [span.name for span in exporter.get_finished_spans()] == ["EVALSHA list"]
