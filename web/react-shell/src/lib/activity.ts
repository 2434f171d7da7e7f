/** How long a request still counts as caused by what the user did last, in milliseconds. */
const ATTENTION_MS = 5_000;

const INPUTS = ["pointerdown", "keydown", "popstate"] as const;

// Loading the page is something the user did.
let lastInput = Date.now();

/**
 * Starts watching for what the user does; the answer stops it.
 *
 * Focus and visibility are not among it: coming back to a tab refetches, but does not use the session.
 */
export function watchActivity(target: Window = window): () => void {
  const note = (): void => {
    lastInput = Date.now();
  };
  lastInput = Date.now();
  for (const input of INPUTS) target.addEventListener(input, note, { capture: true, passive: true });
  return () => {
    for (const input of INPUTS) target.removeEventListener(input, note, { capture: true });
  };
}

/**
 * Whether the user did something just now.
 *
 * A request that nobody asked for is passive: it must not keep a session alive (OWASP: idle timeout). Being wrong costs
 * at most the attention span: a refetch within it may count as use.
 */
export function userIsActive(now: number = Date.now()): boolean {
  return now - lastInput < ATTENTION_MS;
}
