import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { onSessionTrouble, onWrite, type RequestOptions } from "@/lib/api-client";
import { keepCsrfToken } from "@/lib/csrf";
import { type ActionSpan, traceSession } from "@/lib/tracing";
import { readCurrentSession, type SessionReading } from "./api/current-session";
import { signOutEverywhere, signOutHere } from "./api/sign-out";
import { type SessionMessage, type SessionState, SessionStore } from "./session-store";

export type { SessionState } from "./session-store";

export interface Session extends SessionState {
  /** Reads the session again, by default as something the user asked for: it counts as use. */
  readonly refresh: (options?: RequestOptions) => Promise<void>;
  /** Ends this session, or every session of the account. Throws an ApiProblem; then nothing has changed here. */
  readonly signOut: (options?: { readonly everywhere?: boolean; readonly span?: ActionSpan }) => Promise<void>;
  /** Takes over what a sign-in answered. */
  readonly signedIn: (reading: SessionReading) => void;
  readonly acknowledgeEnd: () => void;
}

const SessionContext = createContext<Session | null>(null);
const CHANNEL = "polysession";

/** The one place of the shell that knows who is signed in. Needs a QueryClientProvider above it. */
export function SessionProvider({ children }: { children: ReactNode }) {
  const queries = useQueryClient();
  const [channel] = useState(() => (typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(CHANNEL)));
  const [store] = useState(
    () =>
      new SessionStore({
        read: readCurrentSession,
        keepCsrfToken,
        now: Date.now,
        visible: () => document.visibilityState === "visible",
        tell: (message) => channel?.postMessage(message),
      }),
  );
  const state = useSyncExternalStore(store.subscribe, store.snapshot);

  useEffect(() => watch(store, channel, queries), [store, channel, queries]);

  const actions = useMemo(
    () => ({
      refresh: (options?: RequestOptions) => store.refresh(options),
      signOut: async ({ everywhere = false, span }: { everywhere?: boolean; span?: ActionSpan } = {}) => {
        await (everywhere ? signOutEverywhere(span) : signOutHere(span));
        store.signedOut();
      },
      signedIn: (reading: SessionReading) => store.signedIn(reading),
      acknowledgeEnd: () => store.acknowledgeEnd(),
    }),
    [store],
  );
  const session = useMemo(() => ({ ...state, ...actions }), [state, actions]);

  return <SessionContext value={session}>{children}</SessionContext>;
}

/** The session, as every feature may see it. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) throw new Error("useSession needs a SessionProvider above it.");
  return session;
}

/** Reads the session now and whenever it may have changed; the answer stops that. */
function watch(store: SessionStore, channel: BroadcastChannel | null, queries: QueryClient): () => void {
  const hear = (event: MessageEvent<SessionMessage>): void => store.hear(event.data);
  const look = (): void => {
    if (document.visibilityState === "visible") void store.refresh({ passive: true });
  };
  const reconnect = (): void => void store.refresh({ passive: true });

  const stops = [
    onSessionTrouble((problem) => store.suspect(problem)),
    onWrite(() => store.written()),
    store.subscribe(forgetOthersAnswers(store, queries)),
  ];
  channel?.addEventListener("message", hear);
  document.addEventListener("visibilitychange", look);
  window.addEventListener("online", reconnect);
  void store.refresh();

  return () => {
    for (const stop of stops) stop();
    channel?.removeEventListener("message", hear);
    document.removeEventListener("visibilitychange", look);
    window.removeEventListener("online", reconnect);
    store.stop();
  };
}

/** When somebody else is signed in, or nobody any more, what the cache holds is not theirs to see. */
function forgetOthersAnswers(store: SessionStore, queries: QueryClient): () => void {
  let before = store.snapshot();
  return () => {
    const after = store.snapshot();
    const left = before.account !== null && before.account.id !== after.account?.id;
    const came = before.status === "anonymous" && after.status === "signed-in";
    const back = before.status === "unavailable" && after.status !== "unavailable";
    before = after;
    traceSession(after.sessionId);
    if (left) void queries.resetQueries();
    else if (came) void queries.invalidateQueries();
    else if (back) void queries.refetchQueries({ predicate: (query) => query.state.status === "error" });
  };
}
