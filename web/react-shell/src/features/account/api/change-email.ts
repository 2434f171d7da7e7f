import { request, users } from "@/lib/api-client";
import type { ActionSpan } from "@/lib/tracing";
import type { components } from "@/types/users";

/** Changes the email of the account. 400 and 409 name the field, 429 says when to try again. */
export async function changeEmail(
  change: components["schemas"]["AccountChange"],
  span?: ActionSpan,
): Promise<components["schemas"]["Account"]> {
  return await request((init) => users.PATCH("/api/users/me", { ...init, body: change }), { span });
}
