import { http, HttpResponse } from "msw/http";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { problem } from "@/test/session";
import { server } from "@/test/server";
import { watchActivity } from "./activity";
import { onSessionTrouble, onWrite, orders, request, users } from "./api-client";
import { keepCsrfToken } from "./csrf";
import { ApiProblem } from "./problem";
import { type FinishedSpan, sendSpansTo, startAction } from "./tracing";

let seen: Request[];
let spans: FinishedSpan[];

beforeEach(() => {
  seen = [];
  spans = [];
  keepCsrfToken(null);
  sendSpansTo((span) => spans.push(span));
  watchActivity()();
});
afterEach(() => {
  sendSpansTo(null);
  vi.useRealTimers();
});

function header(index: number, name: string): string | null | undefined {
  return seen[index]?.headers.get(name);
}

/** Answers `PATCH me` as told, one answer a request, and gives out CSRF tokens t1, t2, … */
function answerPatch(...answers: (() => Response)[]): void {
  let tokens = 0;
  server.use(
    http.get("*/api/users/csrf", () => {
      tokens += 1;
      return HttpResponse.json({ csrf_token: `t${tokens}` });
    }),
    http.patch("*/api/users/me", ({ request: got }) => {
      seen.push(got);
      return answers[seen.length - 1]?.() ?? problem(500);
    }),
  );
}

const patch = () => request((init) => users.PATCH("/api/users/me", { ...init, body: { email: "ada@example.org", current: "correct horse battery" } }));
const getMe = (options = {}) => request((init) => users.GET("/api/users/me", init), options);
const done = () => HttpResponse.json({ email: "ada@example.org" });

function answerMe(answer: () => Response = done): void {
  server.use(
    http.get("*/api/users/me", ({ request: got }) => {
      seen.push(got);
      return answer();
    }),
  );
}

test("an unsafe request fetches the CSRF token once and carries it from then on", async () => {
  answerPatch(done, done);
  await patch();
  await patch();
  expect([header(0, "X-CSRF-Token"), header(1, "X-CSRF-Token")]).toEqual(["t1", "t1"]);
});

test("unsafe requests that start together ask for one CSRF token", async () => {
  answerPatch(done, done);
  await Promise.all([patch(), patch()]);
  expect([header(0, "X-CSRF-Token"), header(1, "X-CSRF-Token")]).toEqual(["t1", "t1"]);
});

test("a request refused for its CSRF token is repeated once with a new one, and its body", async () => {
  keepCsrfToken("of another session");
  answerPatch(() => problem(403), done);
  await expect(patch()).resolves.toEqual({ email: "ada@example.org" });
  expect([header(0, "X-CSRF-Token"), header(1, "X-CSRF-Token")]).toEqual(["of another session", "t1"]);
  expect(await seen[1]?.json()).toEqual({ email: "ada@example.org", current: "correct horse battery" });
});

test("a request refused twice is given up", async () => {
  answerPatch(() => problem(403), () => problem(403), done);
  await expect(patch()).rejects.toMatchObject({ status: 403 });
  expect(seen).toHaveLength(2);
});

test("a read that nobody asked for is passive and untraced", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
  answerMe();
  await getMe();
  expect(header(0, "X-Session-Passive")).toBe("1");
  expect(header(0, "traceparent")).toBeNull();
  expect(spans).toEqual([]);
});

test("a read right after the user did something is use of the session", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
  const stop = watchActivity();
  vi.setSystemTime(Date.now() + 60_000);
  window.dispatchEvent(new Event("keydown"));
  stop();
  answerMe();
  await getMe();
  expect(header(0, "X-Session-Passive")).toBeNull();
  expect(header(0, "traceparent")).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
});

test("a request of an action is a client span under it, in one trace with the service", async () => {
  answerMe();
  const action = startAction("look");
  await getMe({ span: action });
  action.end();
  const [fetched, looked] = spans;
  expect(header(0, "traceparent")).toBe(`00-${action.traceId}-${fetched?.spanId}-01`);
  expect(fetched).toMatchObject({
    name: "GET /api/users/me",
    kind: "client",
    traceId: action.traceId,
    parentSpanId: action.spanId,
    failed: false,
    attributes: {
      "http.request.method": "GET",
      "url.full": `${location.origin}/api/users/me`,
      "url.template": "/api/users/me",
      "http.response.status_code": 200,
    },
  });
  expect(looked).toMatchObject({ name: "look", parentSpanId: null });
});

test("a request that fails marks its span", async () => {
  answerMe(() => problem(503));
  await expect(getMe({ span: startAction("look") })).rejects.toBeInstanceOf(ApiProblem);
  expect(spans[0]).toMatchObject({ failed: true, attributes: { "http.response.status_code": 503, "error.type": "503" } });
});

test("no connection is a problem with status 0", async () => {
  server.use(http.get("*/api/orders/products", () => HttpResponse.error()));
  await expect(request((init) => orders.GET("/api/orders/products", init))).rejects.toMatchObject({ status: 0 });
});

test("an answer that cannot be read is a problem of this page", async () => {
  answerMe(() => new Response("{ half", { headers: { "Content-Type": "application/json" } }));
  await expect(getMe()).rejects.toMatchObject({ title: "Something went wrong on this page" });
});

test("a change that was carried out is announced, a read or a refusal is not", async () => {
  let written = 0;
  const stop = onWrite(() => (written += 1));
  answerPatch(done, () => problem(400));
  await patch();
  expect(written).toBe(1);
  await expect(patch()).rejects.toMatchObject({ status: 400 });
  answerMe();
  await getMe();
  stop();
  expect(written).toBe(1);
});

test("trouble with the session is announced, unless whoever asked deals with it", async () => {
  const heard: number[] = [];
  const stop = onSessionTrouble((each) => heard.push(each.status));
  for (const status of [401, 404, 503]) {
    answerMe(() => problem(status));
    await expect(getMe()).rejects.toBeInstanceOf(ApiProblem);
    await expect(getMe({ quiet: true })).rejects.toBeInstanceOf(ApiProblem);
  }
  stop();
  expect(heard).toEqual([401, 503]);
});
