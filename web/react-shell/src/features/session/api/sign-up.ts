import { request, users } from "@/lib/api-client";
import type { ActionSpan } from "@/lib/tracing";
import type { components } from "@/types/users";
import type { Account } from "./current-session";

export type NewAccount = components["schemas"]["NewAccount"];

/** Makes an account; it is not signed in by that. 400 and 409 name the field. */
export async function signUp(account: NewAccount, span?: ActionSpan): Promise<Account> {
  return await request((init) => users.POST("/api/users/accounts", { ...init, body: account }), { span, quiet: true });
}
