import { useState } from "react";
import { ApiProblem, unexpected } from "./problem";
import { type ActionSpan, startAction } from "./tracing";

export type { ActionSpan } from "./tracing";

export interface Action<Arguments extends unknown[], Result> {
  /**
   * Runs the action in a span of its own. The answer is undefined when it failed; the reason is then in `error`.
   * What follows a success belongs into the action itself.
   */
  readonly run: (...args: Arguments) => Promise<Result | undefined>;
  readonly pending: boolean;
  readonly error: ApiProblem | null;
  /** Forgets the error. */
  readonly reset: () => void;
}

/**
 * One thing that a user does, as a function that gets the span of it first.
 *
 * The span exists before the first request, so that browser, edge and services are one trace. Give it to each request.
 * Runs may overlap; `pending` holds until the last is over, `error` is of the run that ended last.
 */
export function useAction<Arguments extends unknown[], Result>(
  name: string,
  perform: (span: ActionSpan, ...args: Arguments) => Promise<Result>,
): Action<Arguments, Result> {
  const [running, setRunning] = useState(0);
  const [error, setError] = useState<ApiProblem | null>(null);

  const run = async (...args: Arguments): Promise<Result | undefined> => {
    const span = startAction(name);
    setRunning((count) => count + 1);
    setError(null);
    try {
      const result = await perform(span, ...args);
      span.end();
      return result;
    } catch (failure) {
      span.end({ failed: true });
      // A fault of this page is shown, and reported as if it had not been caught.
      if (!(failure instanceof ApiProblem)) reportError(failure);
      setError(failure instanceof ApiProblem ? failure : unexpected(failure));
      return undefined;
    } finally {
      setRunning((count) => count - 1);
    }
  };

  return { run, pending: running > 0, error, reset: () => setError(null) };
}
