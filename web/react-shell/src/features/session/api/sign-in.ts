import { requestWithResponse, users } from "@/lib/api-client";
import type { ActionSpan } from "@/lib/tracing";
import type { components } from "@/types/users";
import { readingOf, type SessionReading } from "./current-session";

export type Credentials = components["schemas"]["Credentials"];

/** Signs in. 401 does not say which part was wrong; 429 says when to try again. A wrong password ends nothing: quiet. */
export async function signIn(credentials: Credentials, span?: ActionSpan): Promise<SessionReading> {
  const { data, response } = await requestWithResponse(
    (init) => users.POST("/api/users/sessions", { ...init, body: credentials }),
    { span, quiet: true },
  );
  return readingOf(data, response);
}
