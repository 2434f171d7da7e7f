import { QueryClient } from "@tanstack/react-query";
import { ApiProblem } from "./problem";

const RETRIES = 2;
const LONGEST_WAIT_MS = 10_000;

/** Whether asking again can help: only when nothing answered, or the answer was "later". */
export function worthRetrying(failures: number, error: unknown): boolean {
  return failures < RETRIES && error instanceof ApiProblem && (error.offline || error.unavailable);
}

/** Milliseconds until the next try: what Retry-After says, else doubling; spread, so that tabs do not come at once. */
export function retryWait(failures: number, error: unknown, random: number = Math.random()): number {
  const asked = error instanceof ApiProblem ? error.retryAfter : undefined;
  const wait = asked === undefined ? 500 * 2 ** failures : asked * 1000;
  return Math.min(wait, LONGEST_WAIT_MS) + random * 300;
}

/** The cache of what the services answered. Requests that no user action caused are passive: see api-client. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        retry: worthRetrying,
        retryDelay: (failures, error) => retryWait(failures, error),
        // "online" would leave a query waiting in silence; a page should say that there is no connection.
        networkMode: "always",
        refetchOnReconnect: true,
      },
    },
  });
}
