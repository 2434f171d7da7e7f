import { request, users } from "@/lib/api-client";
import { keepCsrfToken } from "@/lib/csrf";
import type { ActionSpan } from "@/lib/tracing";

/** Ends the session of this browser. Harmless when repeated. */
export async function signOutHere(span?: ActionSpan): Promise<void> {
  await request((init) => users.DELETE("/api/users/sessions/current", init), { span, quiet: true });
  keepCsrfToken(null);
}

/** Ends every session of the account, this one too. */
export async function signOutEverywhere(span?: ActionSpan): Promise<void> {
  await request((init) => users.DELETE("/api/users/sessions", { ...init, params: { query: { scope: "all" } } }), {
    span,
    quiet: true,
  });
  keepCsrfToken(null);
}
