import { expect, test } from "vitest";
import { ApiProblem, noAnswer } from "./problem";
import { retryWait, worthRetrying } from "./query-client";

const problem = (status: number, retryAfter?: number) => new ApiProblem({ status, title: "No", retryAfter });

test.each([
  ["a 503", problem(503), true],
  ["no answer", noAnswer(null), true],
  ["a 401", problem(401), false],
  ["a 404", problem(404), false],
  ["a bug", new TypeError("undefined is not a function"), false],
])("%s is worth another try: %s", (_name, error, worth) => {
  expect(worthRetrying(0, error)).toBe(worth);
});

test("two more tries are enough", () => {
  expect([0, 1, 2].map((failures) => worthRetrying(failures, problem(503)))).toEqual([true, true, false]);
});

test("a try waits for what Retry-After says, else twice as long each time, and never over ten seconds", () => {
  expect(retryWait(0, problem(503, 4), 0)).toBe(4_000);
  expect([0, 1, 2].map((failures) => retryWait(failures, problem(503), 0))).toEqual([500, 1_000, 2_000]);
  expect(retryWait(0, problem(503, 600), 0)).toBe(10_000);
  expect(retryWait(0, problem(503, 4), 1)).toBe(4_300);
});
