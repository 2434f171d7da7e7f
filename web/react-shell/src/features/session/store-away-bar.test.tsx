import { act, screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { http, HttpResponse } from "msw/http";
import { expect, test } from "vitest";
import { server } from "@/test/server";
import { adasSession, fakeUsers, NOBODY, problem, renderPage } from "@/test/session";
import { StoreAwayBar } from "./store-away-bar";

const open = () => renderPage(<StoreAwayBar />, { at: "/", route: "/" });
const inMs = (milliseconds: number) => new Date(Date.now() + milliseconds).toISOString();

test("a store that is away is said in one line, with the time of the next try", async () => {
  server.use(http.get("*/api/users/sessions/current", () => problem(503, {}, { "Retry-After": "4" })));
  open();
  expect(await screen.findByText(/trying again in [34] s\./)).toBeVisible();
  expect(screen.getByRole("status")).toHaveTextContent("We cannot check your session right now. Nothing is lost;");
});

test("no connection is said as that", async () => {
  server.use(http.get("*/api/users/sessions/current", () => HttpResponse.error()));
  open();
  expect(await screen.findByText(/You are offline/)).toBeVisible();
});

test("a session that ended under a public page is said once, with the way to why", async () => {
  const fake = fakeUsers(adasSession());
  open();
  await act(() => new Promise((resolve) => setTimeout(resolve, 50)));
  fake.current = { ...NOBODY, end_reason: "revoked" };
  document.dispatchEvent(new Event("visibilitychange"));
  expect(await screen.findByRole("link", { name: "See what happened" })).toHaveAttribute("href", "/ended");
  await userEvent.click(screen.getByRole("button", { name: "Dismiss" }));
  expect(screen.queryByText(/no longer signed in/)).not.toBeInTheDocument();
});

test("in its last two minutes a session can be kept, as use of it", async () => {
  const fake = fakeUsers(adasSession({ idle_expires_at: inMs(60_000) }));
  open();
  expect(await screen.findByText(/We sign you out in (60|59) s\./)).toBeVisible();
  let passive: string | null | undefined;
  server.use(
    http.get("*/api/users/sessions/current", ({ request }) => {
      passive = request.headers.get("X-Session-Passive");
      return HttpResponse.json(adasSession());
    }),
  );
  fake.current = adasSession();
  await userEvent.click(screen.getByRole("button", { name: "Stay signed in" }));
  expect(passive).toBeNull();
  expect(screen.queryByText(/We sign you out/)).not.toBeInTheDocument();
});

test("nothing is offered that the absolute timeout forbids", async () => {
  fakeUsers(adasSession({ absolute_expires_at: inMs(60_000) }));
  open();
  expect(await screen.findByText(/as long as it may/)).toBeVisible();
  expect(screen.queryByRole("button", { name: "Stay signed in" })).not.toBeInTheDocument();
});
