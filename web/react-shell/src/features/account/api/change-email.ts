import { request, users } from "@/lib/api-client";
import type { ActionSpan } from "@/lib/tracing";
import type { components } from "@/types/users";

/** Changes the email of the account. 400 and 409 name the field. */
export async function changeEmail(email: string, span?: ActionSpan): Promise<components["schemas"]["Account"]> {
  return await request((init) => users.PATCH("/api/users/me", { ...init, body: { email } }), { span });
}
