from chassis import traces
from opentelemetry import baggage, context, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


def traced() -> tuple[trace.Tracer, InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(traces.BaggageSpanProcessor(traces.BAGGAGE_ON_SPANS))
    provider.add_span_processor(traces.RequestSpanProcessor())
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider.get_tracer("test"), exporter


def test_baggage_on_the_allow_list_is_on_every_span_and_nothing_else_is() -> None:
    tracer, exporter = traced()
    carried = baggage.set_baggage("session.id", "id1")
    carried = baggage.set_baggage("is_admin", "true", carried)
    carried = baggage.set_baggage("enduser.pseudo.id", "x" * 129, carried)
    token = context.attach(carried)
    with tracer.start_as_current_span("outer"), tracer.start_as_current_span("inner"):
        pass
    context.detach(token)
    spans = exporter.get_finished_spans()
    assert [dict(span.attributes or {}) for span in spans] == [{"session.id": "id1"}] * 2


def test_the_server_span_is_known_after_it_has_ended_and_until_the_next_request() -> None:
    tracer, _ = traced()
    traces.forget_request()
    with tracer.start_as_current_span("GET /", kind=trace.SpanKind.SERVER) as server:
        with tracer.start_as_current_span("SELECT", kind=trace.SpanKind.CLIENT):
            pass
        server.set_attribute("session.id", "id1")
    assert traces.request_span() is server
    traces.forget_request()
    assert traces.request_span() is None


def test_nothing_is_recorded_while_untraced_even_within_a_trace() -> None:
    tracer, exporter = traced()
    with tracer.start_as_current_span("kept"), traces.untraced(), tracer.start_as_current_span("dropped"):
        pass
    assert [span.name for span in exporter.get_finished_spans()] == ["kept"]
