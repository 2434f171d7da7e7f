import { screen, waitFor } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { http, HttpResponse } from "msw/http";
import { expect, test } from "vitest";
import { server } from "@/test/server";
import { adasSession, type FakeUsers, fakeUsers, NOBODY, problem, renderPage } from "@/test/session";
import type { CurrentSession } from "./api/current-session";
import { RequireSession } from "./require-session";
import { useSession } from "./session-context";

function Secret() {
  const { account, signOut } = useSession();
  return (
    <>
      <h1>Secret of {account?.username}</h1>
      <button onClick={() => void signOut()}>Sign out</button>
    </>
  );
}

function open(current: CurrentSession): FakeUsers {
  const users = fakeUsers(current);
  const page = (
    <RequireSession>
      <Secret />
    </RequireSession>
  );
  renderPage(page, { at: "/account?tab=2", route: "/account" });
  return users;
}

/** The tab becomes visible again: the session is read. */
function comeBack(): void {
  document.dispatchEvent(new Event("visibilitychange"));
}

test("who is signed in sees the page", async () => {
  open(adasSession());
  expect(screen.getByRole("status", { name: "Checking your session" })).toBeVisible();
  expect(await screen.findByRole("heading", { level: 1, name: "Secret of ada" })).toBeVisible();
});

test("who is not signed in signs in, and comes back to this page", async () => {
  open(NOBODY);
  expect(await screen.findByText("Now at /sign-in?next=%2Faccount%3Ftab%3D2")).toBeVisible();
});

test.each([
  ["idle", "Your session expired", "Nothing happened for a while"],
  ["absolute", "Your session expired", "lasts so long and no longer"],
  ["revoked", "You were signed out elsewhere", "another device of yours"],
  ["replaced", "A newer sign-in took this one's place", "limited number of devices"],
  ["theft", "We ended this session to protect you", "outdated copy"],
] as const)("a session that ended as %s is told in its own words", async (reason, title, words) => {
  const users = open(adasSession());
  await screen.findByText("Secret of ada");
  users.current = { ...NOBODY, end_reason: reason };
  comeBack();
  expect(await screen.findByRole("heading", { level: 1, name: title })).toBeVisible();
  expect(screen.queryByText("Secret of ada")).not.toBeInTheDocument();
  expect(screen.getByText(new RegExp(words))).toBeVisible();
  expect(screen.getByText(/The cart went with the session/)).toBeVisible();
  await waitFor(() => expect(document.title).toBe(`${title} · Almanac`));
});

test("after an end, signing in again leads back; after a suspicion, to the account", async () => {
  const users = open(adasSession());
  await screen.findByText("Secret of ada");
  users.current = { ...NOBODY, end_reason: "revoked" };
  comeBack();
  const again = await screen.findByRole("link", { name: "Sign in again" });
  expect(again).toHaveAttribute("href", "/sign-in?next=%2Faccount%3Ftab%3D2");
  users.current = { ...NOBODY, end_reason: "theft" };
  comeBack();
  await screen.findByText(/outdated copy/);
  expect(screen.getByRole("link", { name: "Sign in again" })).toHaveAttribute("href", "/sign-in?next=%2Faccount");
});

test("a session that is simply gone is told as that", async () => {
  const users = open(adasSession());
  await screen.findByText("Secret of ada");
  users.current = NOBODY;
  comeBack();
  expect(await screen.findByRole("heading", { level: 1, name: "Your session is no longer there" })).toBeVisible();
});

test("a session that had ended before the page was opened is told as well", async () => {
  open({ ...NOBODY, end_reason: "idle" });
  expect(await screen.findByRole("heading", { level: 1, name: "Your session expired" })).toBeVisible();
});

test("after signing out oneself one is in the shop", async () => {
  let ended = 0;
  server.use(
    http.delete("*/api/users/sessions/current", () => {
      ended += 1;
      return new HttpResponse(null, { status: 204 });
    }),
  );
  open(adasSession());
  await userEvent.click(await screen.findByRole("button", { name: "Sign out" }));
  expect(await screen.findByText("Now at /")).toBeVisible();
  expect(ended).toBe(1);
});

test("while nobody can say who is asking, the page waits and says so; then it goes on", async () => {
  server.use(http.get("*/api/users/sessions/current", () => problem(503, {}, { "Retry-After": "60" })));
  renderPage(
    <RequireSession>
      <Secret />
    </RequireSession>,
    { at: "/account", route: "/account" },
  );
  expect(await screen.findByRole("heading", { level: 1, name: "We cannot check your session right now" })).toBeVisible();
  expect(screen.getByText(/you are not signed out/)).toHaveTextContent("next try in 60 s");
  fakeUsers(adasSession());
  await userEvent.click(screen.getByRole("button", { name: "Try now" }));
  expect(await screen.findByText("Secret of ada")).toBeVisible();
});

test("who was seen signed in keeps the page while the store is away", async () => {
  open(adasSession());
  await screen.findByText("Secret of ada");
  server.use(http.get("*/api/users/sessions/current", () => problem(503, {}, { "Retry-After": "60" })));
  comeBack();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(screen.getByText("Secret of ada")).toBeVisible();
});
