import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ActionSpan, type FinishedSpan, sendSpansTo, startAction, startTracing, traceSession, viewSpan } from "./tracing";

let spans: FinishedSpan[];
const collect = (span: FinishedSpan): void => void spans.push(span);

beforeEach(() => {
  spans = [];
  vi.useFakeTimers();
});
afterEach(() => {
  sendSpansTo(collect);
  vi.runAllTimers();
  sendSpansTo(null);
  traceSession(null);
  vi.useRealTimers();
});

test("spans that end before the exporter is there reach it later, in order", () => {
  startAction("first").end();
  startAction("second").end();
  sendSpansTo(collect);
  startAction("third").end();
  expect(spans.map((span) => span.name)).toEqual(["first", "second", "third"]);
});

test("a page whose exporter never comes keeps no more than 256 spans", () => {
  for (let count = 0; count < 300; count += 1) startAction(`action ${count}`).end();
  sendSpansTo(collect);
  expect(spans).toHaveLength(256);
});

test("a span ends once", () => {
  sendSpansTo(collect);
  const span = startAction("once");
  span.end({ failed: true });
  span.end();
  expect(spans).toMatchObject([{ name: "once", failed: true }]);
});

test("a session that becomes known while an action runs is named by it", () => {
  sendSpansTo(collect);
  const signIn = startAction("sign in");
  const before = signIn.request("POST /api/users/sessions", {});
  before.end();
  traceSession("AAAAAAAAAAAAAAAA");
  signIn.end();
  expect(spans.map((span) => span.attributes["session.id"])).toEqual([undefined, "AAAAAAAAAAAAAAAA"]);
});

test("a view's span ends with the last of its requests", () => {
  sendSpansTo(collect);
  const view = viewSpan();
  const first = view.request("GET /a", {});
  first.end({ at: 1_000 });
  vi.advanceTimersByTime(100);
  const second = viewSpan().request("GET /b", {});
  vi.advanceTimersByTime(5_000);
  expect(spans).toEqual([]);
  second.end({ at: 2_000 });
  vi.advanceTimersByTime(1_000);
  expect(spans.map((span) => span.name)).toEqual(["GET /a", "GET /b", "view"]);
  expect(spans.at(-1)).toMatchObject({ name: "view", endTime: 2_000, spanId: view.spanId });
  expect(viewSpan()).not.toBe(view);
});

test("the requests of a view are named by the session that the view learned of", () => {
  sendSpansTo(collect);
  viewSpan().request("GET /before", {}).end();
  traceSession("AAAAAAAAAAAAAAAA");
  vi.advanceTimersByTime(1_000);
  expect(spans.map((span) => span.attributes["session.id"])).toEqual(["AAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAA"]);
});

test("a page that is left hands over its view at once", () => {
  startTracing(() => Promise.resolve({ startExport: () => collect }));
  sendSpansTo(collect);
  viewSpan().request("GET /a", {}).end();
  vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
  document.dispatchEvent(new Event("visibilitychange"));
  expect(spans.map((span) => span.name)).toEqual(["GET /a", "page load"]);
});

test("the page's load is a span from when the navigation began, and its requests are in its trace", async () => {
  startTracing(() => Promise.resolve({ startExport: () => collect }));
  const request = viewSpan().request("GET /api/users/sessions/current", {});
  request.end();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(spans).toMatchObject([
    { name: "GET /api/users/sessions/current" },
    { name: "page load", startTime: performance.timeOrigin, attributes: { "url.path": "/" } },
  ]);
  expect(spans[0]?.traceId).toBe(spans[1]?.traceId);
});

test("an exporter that cannot be loaded disturbs nothing", async () => {
  startTracing(() => Promise.reject(new Error("blocked")));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(() => new ActionSpan("after").end()).not.toThrow();
});
