import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import { http, HttpResponse } from "msw/http";
import type { ReactElement } from "react";
import { MemoryRouter, Route, Routes, useLocation } from "react-router";
import { ToastProvider } from "@/components/ui/toast";
import { SessionProvider } from "@/features/session/session-context";
import { keepCsrfToken } from "@/lib/csrf";
import type { components } from "@/types/users";
import { server } from "./server";

type CurrentSession = components["schemas"]["CurrentSession"];

export const ADA: components["schemas"]["Account"] = {
  id: "6f0c1c4e-0000-4000-8000-000000000001",
  username: "ada",
  email: "ada@example.org",
  created_at: "2026-01-02T03:04:05Z",
};

export const NOBODY: CurrentSession = {
  id: null,
  csrf_token: null,
  account: null,
  idle_expires_at: null,
  absolute_expires_at: null,
  end_reason: null,
};

/** Ada's session, with half an hour of idle time left unless told otherwise. */
export function adasSession(change: Partial<CurrentSession> = {}): CurrentSession {
  return {
    id: "AAAAAAAAAAAAAAAA",
    csrf_token: "csrf-of-ada",
    account: ADA,
    idle_expires_at: new Date(Date.now() + 30 * 60_000).toISOString(),
    absolute_expires_at: new Date(Date.now() + 12 * 3_600_000).toISOString(),
    end_reason: null,
    ...change,
  };
}

/** Answers of the users service that a test may change as it goes on. */
export interface FakeUsers {
  current: CurrentSession;
}

/** A users service whose session is what the test says; its CSRF token before sign-in is "csrf-of-nobody". */
export function fakeUsers(current: CurrentSession): FakeUsers {
  const users: FakeUsers = { current };
  server.use(
    http.get("*/api/users/sessions/current", () => HttpResponse.json(users.current)),
    http.get("*/api/users/csrf", () => HttpResponse.json({ csrf_token: "csrf-of-nobody" })),
  );
  return users;
}

/** An answer as RFC 9457 describes a problem. */
export function problem(status: number, fields: Record<string, unknown> = {}, headers: Record<string, string> = {}): Response {
  return HttpResponse.json(
    { type: "about:blank", title: `Problem ${status}`, status, ...fields },
    { status, headers: { ...headers, "Content-Type": "application/problem+json" } },
  );
}

function Elsewhere() {
  const { pathname, search } = useLocation();
  return <p>{`Now at ${pathname}${search}`}</p>;
}

export interface Place {
  /** The address to start at. */
  readonly at: string;
  /** The route that shows the page; every other address says where it is. */
  readonly route: string;
}

/** Renders a page as the shell would, with cache, toasts and a session that is read from the fake service. */
export function renderPage(page: ReactElement, { at, route }: Place) {
  keepCsrfToken(null);
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return render(
    <QueryClientProvider client={client}>
      <ToastProvider>
        <SessionProvider>
          <MemoryRouter initialEntries={[at]}>
            <Routes>
              <Route path={route} element={page} />
              <Route path="*" element={<Elsewhere />} />
            </Routes>
          </MemoryRouter>
        </SessionProvider>
      </ToastProvider>
    </QueryClientProvider>,
  );
}
