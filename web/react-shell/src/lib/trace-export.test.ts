import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { hrTimeToMilliseconds } from "@opentelemetry/core";
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace";
import { expect, test } from "vitest";
import { replayInto } from "./trace-export";
import type { FinishedSpan } from "./tracing";

const PARENT: FinishedSpan = {
  name: "sign in",
  kind: "internal",
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  parentSpanId: null,
  startTime: 1_000_000,
  endTime: 1_000_500,
  attributes: { "session.id": "AAAAAAAAAAAAAAAA" },
  failed: false,
};

const CHILD: FinishedSpan = {
  ...PARENT,
  name: "POST /api/users/sessions",
  kind: "client",
  spanId: "00f067aa0ba902b7",
  parentSpanId: PARENT.spanId,
  startTime: 1_000_100,
  endTime: 1_000_400,
  failed: true,
};

test("a span is exported with the identifiers, times and kind that the page gave it", () => {
  const exporter = new InMemorySpanExporter();
  const sink = replayInto(new SimpleSpanProcessor({ exporter }));
  sink(CHILD);
  sink(PARENT);
  const told = exporter.getFinishedSpans().map((span) => ({
    name: span.name,
    kind: span.kind,
    ...span.spanContext(),
    parent: span.parentSpanContext?.spanId,
    start: hrTimeToMilliseconds(span.startTime),
    end: hrTimeToMilliseconds(span.endTime),
    status: span.status.code,
    service: span.resource.attributes["service.name"],
    session: span.attributes["session.id"],
  }));
  const same = { traceId: PARENT.traceId, traceFlags: 1, service: "react-shell", session: "AAAAAAAAAAAAAAAA" };
  expect(told).toMatchObject([
    { ...same, name: CHILD.name, kind: SpanKind.CLIENT, spanId: CHILD.spanId, parent: PARENT.spanId, start: 1_000_100, end: 1_000_400, status: SpanStatusCode.ERROR },
    { ...same, name: "sign in", kind: SpanKind.INTERNAL, spanId: PARENT.spanId, start: 1_000_000, end: 1_000_500, status: SpanStatusCode.UNSET },
  ]);
  expect(told[1]?.parent).toBeUndefined();
});
