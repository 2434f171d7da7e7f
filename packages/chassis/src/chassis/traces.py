"""Tracing of a worker process: provider, exporter, propagation, and what every span carries.

Configure it after the fork and before the framework is imported: the exporter owns a thread, and Django's
instrumentor must be there before ``get_wsgi_application()``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from opentelemetry import baggage, context, propagate, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from chassis.settings import ServiceSettings

# Baggage comes from callers: only these names become attributes of spans, and nothing is decided by them.
BAGGAGE_ON_SPANS = ("session.id", "enduser.pseudo.id")
EXPORT_SECONDS = 2
BATCH_MILLISECONDS = 1000
_BAGGAGE_VALUE_LENGTH = 128

_provider: TracerProvider | None = None
_request_span: ContextVar[Span | None] = ContextVar("chassis_request_span", default=None)


class Instrumentor(Protocol):
    """What a service passes: an instrumentor of opentelemetry-instrumentation-*."""

    def instrument(self, **kwargs: Any) -> Any:
        """Begin to make spans."""
        ...


class BaggageSpanProcessor(SpanProcessor):
    """Copies baggage on the allow list to each span that starts, so the session ID is on all of them."""

    def __init__(self, allow: Iterable[str]) -> None:
        self._allow = tuple(allow)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        for name in self._allow:
            value = baggage.get_baggage(name, parent_context)
            if isinstance(value, str) and 0 < len(value) <= _BAGGAGE_VALUE_LENGTH:
                span.set_attribute(name, value)


class RequestSpanProcessor(SpanProcessor):
    """Remembers the server span of the request that this thread answers.

    An access line is written after the span has ended, when it is nobody's current span any more.
    """

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002
        if span.kind is trace.SpanKind.SERVER:
            _request_span.set(span)


def configure(
    service: str, settings: ServiceSettings, *, instrumentors: Iterable[Instrumentor] = ()
) -> TracerProvider | None:
    """Begin tracing in this process; without an endpoint in the settings nothing is traced and None returned.

    Call it once a process. A collector that does not answer costs an export 2 s in the background and its
    spans; requests do not wait for it.
    """
    global _provider
    propagate.set_global_textmap(
        CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()])
    )
    endpoint = settings.otel_exporter_otlp_endpoint
    if not endpoint:
        return None
    # The instrumentors read it once, when the first of them starts: present names (db.query.text, url.path).
    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "http,database"
    name = settings.otel_service_name or service
    # shutdown() flushes, at a known moment; a second flush at exit would come after the logs are gone.
    provider = TracerProvider(resource=Resource.create({"service.name": name}), shutdown_on_exit=False)
    provider.add_span_processor(BaggageSpanProcessor(BAGGAGE_ON_SPANS))
    provider.add_span_processor(RequestSpanProcessor())
    exporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces", timeout=EXPORT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=BATCH_MILLISECONDS))
    trace.set_tracer_provider(provider)
    for instrumentor in instrumentors:
        instrumentor.instrument(tracer_provider=provider)
    _provider = provider
    return provider


def shutdown() -> None:
    """Send the spans that wait and stop. Takes at most about 2 s when the collector does not answer."""
    global _provider
    if _provider is not None:
        _provider.shutdown()
        _provider = None


def request_span() -> Span | None:
    """Return the server span of the request that this thread answers or has just answered."""
    return _request_span.get()


def forget_request() -> None:
    """Forget the server span: the thread is about to answer another request."""
    _request_span.set(None)


@contextmanager
def untraced() -> Iterator[None]:
    """Within it, no span is recorded: for what a service does for itself, like its health checks.

    The parent-based sampler drops whatever has an unsampled parent, so this holds for every library.
    """
    parent = trace.NonRecordingSpan(
        trace.SpanContext(trace_id=1, span_id=1, is_remote=False, trace_flags=trace.TraceFlags(0))
    )
    token = context.attach(trace.set_span_in_context(parent, Context()))
    try:
        yield
    finally:
        context.detach(token)
