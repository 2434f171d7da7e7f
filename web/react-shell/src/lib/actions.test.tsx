import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { useAction } from "./actions";
import { ApiProblem } from "./problem";
import { type ActionSpan, type FinishedSpan, sendSpansTo } from "./tracing";

let spans: FinishedSpan[];
beforeEach(() => {
  spans = [];
  sendSpansTo((span) => spans.push(span));
});
afterEach(() => sendSpansTo(null));

test("an action gets its span before anything else, and the span ends with it", async () => {
  const perform = vi.fn((span: ActionSpan, word: string) => Promise.resolve(`${word} ${span.name}`));
  const { result } = renderHook(() => useAction("greet", perform));
  let answer: string | undefined;
  await act(async () => {
    const running = result.current.run("hello");
    expect(spans).toEqual([]);
    answer = await running;
  });
  expect(answer).toBe("hello greet");
  expect(spans).toMatchObject([{ name: "greet", failed: false }]);
  expect(result.current).toMatchObject({ pending: false, error: null });
});

test("an action is pending until the last of its overlapping runs is over", async () => {
  const finish: (() => void)[] = [];
  const { result } = renderHook(() => useAction("wait", () => new Promise<void>((resolve) => finish.push(resolve))));
  act(() => {
    void result.current.run();
    void result.current.run();
  });
  await act(async () => Promise.resolve(finish[0]?.()));
  expect(result.current.pending).toBe(true);
  await act(async () => Promise.resolve(finish[1]?.()));
  expect(result.current.pending).toBe(false);
});

test("a refused action shows the problem until the next run", async () => {
  let refuse = true;
  const refusal = new ApiProblem({ status: 409, title: "Taken" });
  const { result } = renderHook(() => useAction("try", () => (refuse ? Promise.reject(refusal) : Promise.resolve("done"))));
  await act(async () => expect(await result.current.run()).toBeUndefined());
  expect(result.current.error).toBe(refusal);
  expect(spans).toMatchObject([{ name: "try", failed: true }]);
  refuse = false;
  await act(async () => expect(await result.current.run()).toBe("done"));
  expect(result.current.error).toBeNull();
});

test("a bug in an action is shown in words and still reported", async () => {
  const report = vi.fn();
  vi.stubGlobal("reportError", report);
  const bug = new TypeError("oops");
  const { result } = renderHook(() => useAction("break", () => Promise.reject(bug)));
  await act(async () => {
    await result.current.run();
  });
  expect(result.current.error?.title).toBe("Something went wrong on this page");
  expect(report).toHaveBeenCalledWith(bug);
  vi.unstubAllGlobals();
});
