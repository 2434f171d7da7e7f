/**
 * The CSRF token, in memory only: nothing that outlives the page holds it.
 *
 * It belongs to a session ID, so another tab's sign-in makes it wrong; a refused request forgets it and asks again.
 */
let token: string | null = null;
let pending: Promise<string> | null = null;
let age = 0;

/** Keeps the token that `sessions/current` or a sign-in brought; null forgets it. */
export function keepCsrfToken(next: string | null): void {
  token = next;
  pending = null;
  age += 1;
}

/** The token, asked for by `fetchToken` when there is none. Requests that need it at once share one question. */
export async function csrfToken(fetchToken: () => Promise<string>): Promise<string> {
  if (token !== null) return token;
  const asked = age;
  pending ??= fetchToken();
  try {
    const fetched = await pending;
    // A sign-in may have brought a newer one while this one was on its way.
    if (asked === age) token = fetched;
    return token ?? fetched;
  } finally {
    if (asked === age) pending = null;
  }
}
