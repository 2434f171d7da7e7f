import { expect, test } from "vitest";
import { noAnswer, problemOf, retryAfterOf } from "./problem";

test("a problem document keeps its words, its faults by field and why the session ended", () => {
  const response = new Response(null, { status: 401, headers: { "Retry-After": "7" } });
  const problem = problemOf(response, {
    type: "https://example.org/ended",
    title: "Not signed in",
    detail: "Sign in again.",
    errors: { username: ["is taken"] },
    end_reason: "revoked",
  });
  expect(problem).toMatchObject({
    status: 401,
    type: "https://example.org/ended",
    title: "Not signed in",
    detail: "Sign in again.",
    endReason: "revoked",
    retryAfter: 7,
  });
  expect(problem.fault("username")).toBe("is taken");
  expect(problem.fault("email")).toBeUndefined();
});

test.each([["<html>Bad gateway</html>"], [undefined], [["a list"]], [{ title: 3, errors: "none" }]])(
  "an answer that is no problem document still gives a problem: %j",
  (body) => {
    const problem = problemOf(new Response(null, { status: 502 }), body);
    expect(problem).toMatchObject({ status: 502, title: "Almanac cannot answer right now", errors: {}, unavailable: true });
  },
);

test("no answer is offline, and neither an answer nor later", () => {
  expect(noAnswer(new TypeError("Failed to fetch"))).toMatchObject({ status: 0, offline: true, unavailable: false });
});

test.each([
  ["4", 4],
  ["Sun, 22 Nov 2026 12:00:30 GMT", 30],
  ["Sun, 22 Nov 2026 11:00:00 GMT", 0],
  ["soon", undefined],
  ["", undefined],
])("Retry-After %j is %j seconds", (value, seconds) => {
  const now = Date.parse("2026-11-22T12:00:00Z");
  expect(retryAfterOf(new Headers({ "Retry-After": value }), now)).toBe(seconds);
});
