/** The OpenTelemetry part of tracing: a chunk of its own, loaded after the page has settled. */
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  type IdGenerator,
  type SpanExporter,
  type SpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { FinishedSpan, SpanSink } from "./tracing";

/** The edge takes at most 64 KB; a span of ours is about 1 KB as JSON. */
const BATCH_MAX = 40;

/** Hands out the identifiers that the page has already sent in `traceparent`. */
class GivenIds implements IdGenerator {
  private span: FinishedSpan | null = null;

  give(span: FinishedSpan): void {
    this.span = span;
  }

  generateTraceId(): string {
    return this.given().traceId;
  }

  generateSpanId(): string {
    return this.given().spanId;
  }

  private given(): FinishedSpan {
    if (this.span === null) throw new Error("A span was started without its identifiers.");
    return this.span;
  }
}

/** The way of a finished span into a span processor of OpenTelemetry, with its identifiers and times as they were. */
export function replayInto(processor: SpanProcessor): SpanSink {
  const ids = new GivenIds();
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ "service.name": "react-shell", "service.namespace": "polysession" }),
    sampler: new AlwaysOnSampler(),
    idGenerator: ids,
    spanProcessors: [processor],
  });
  const tracer = provider.getTracer("react-shell");
  return (finished) => {
    ids.give(finished);
    const parent =
      finished.parentSpanId === null
        ? ROOT_CONTEXT
        : trace.setSpanContext(ROOT_CONTEXT, {
            traceId: finished.traceId,
            spanId: finished.parentSpanId,
            traceFlags: TraceFlags.SAMPLED,
          });
    const kind = finished.kind === "client" ? SpanKind.CLIENT : SpanKind.INTERNAL;
    const options = { kind, startTime: finished.startTime, attributes: { ...finished.attributes } };
    const span = tracer.startSpan(finished.name, options, parent);
    if (finished.failed) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(finished.endTime);
  };
}

/** Exports to the edge, as OTLP over HTTP with JSON; a batch each two seconds, and when the page is left. */
export function startExport(
  exporter: SpanExporter = new OTLPTraceExporter({ url: `${location.origin}/telemetry/v1/traces`, timeoutMillis: 3_000 }),
): SpanSink {
  return replayInto(
    new BatchSpanProcessor({ exporter, maxExportBatchSize: BATCH_MAX, maxQueueSize: 512, scheduledDelayMillis: 2_000 }),
  );
}
