import { requestWithResponse, type RequestOptions, users } from "@/lib/api-client";
import type { components } from "@/types/users";

export type Account = components["schemas"]["Account"];
export type CurrentSession = components["schemas"]["CurrentSession"];

/** The session as the users service sees it. `skew` is the service's clock minus this browser's, in milliseconds. */
export interface SessionReading {
  readonly current: CurrentSession;
  readonly skew: number;
}

/** Clocks closer than this count as equal: a Date header has whole seconds, and the answer took its time. */
const SKEW_NOISE_MS = 2_000;

/** Reads the session of this browser; nulls when there is none. */
export async function readCurrentSession(options: RequestOptions): Promise<SessionReading> {
  const { data, response } = await requestWithResponse((init) => users.GET("/api/users/sessions/current", init), {
    ...options,
    quiet: true,
  });
  return readingOf(data, response);
}

/** What an answer with a session says; used for a sign-in's as well. */
export function readingOf(current: CurrentSession, response: Response): SessionReading {
  const sent = Date.parse(response.headers.get("Date") ?? "");
  const skew = Number.isNaN(sent) ? 0 : sent - Date.now();
  return { current, skew: Math.abs(skew) < SKEW_NOISE_MS ? 0 : skew };
}
