import { request, users } from "@/lib/api-client";
import type { ActionSpan } from "@/lib/tracing";
import type { components } from "@/types/users";

/**
 * Changes the password. This browser gets a new token for the same session, every other session of the account ends.
 * 400 names the field, 429 says when to try again.
 */
export async function changePassword(change: components["schemas"]["PasswordChange"], span?: ActionSpan): Promise<void> {
  await request((init) => users.PUT("/api/users/me/password", { ...init, body: change }), { span });
}
