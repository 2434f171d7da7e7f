import { request, type RequestOptions, users } from "@/lib/api-client";
import { ApiProblem } from "@/lib/problem";
import type { ActionSpan } from "@/lib/tracing";
import type { components } from "@/types/users";

export type SessionRow = components["schemas"]["Session"];

/** The sessions of the account that are live, newest activity first. */
export async function listSessions(options: RequestOptions): Promise<readonly SessionRow[]> {
  return (await request((init) => users.GET("/api/users/sessions", init), options)).items;
}

/** Ends one session of the account. One that is already gone is what was wanted. */
export async function endSession(id: string, span?: ActionSpan): Promise<void> {
  try {
    await request((init) => users.DELETE("/api/users/sessions/{id}", { ...init, params: { path: { id } } }), { span });
  } catch (error) {
    if (!(error instanceof ApiProblem && error.status === 404)) throw error;
  }
}

/** Ends every session of the account but this one. */
export async function endOtherSessions(span?: ActionSpan): Promise<void> {
  await request((init) => users.DELETE("/api/users/sessions", { ...init, params: { query: { scope: "others" } } }), { span });
}
