import { screen, waitFor } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { http, HttpResponse } from "msw/http";
import { expect, test } from "vitest";
import { server } from "@/test/server";
import { adasSession, fakeUsers, NOBODY, problem, renderPage } from "@/test/session";
import { SessionPill } from "./session-pill";

const open = (at = "/") => renderPage(<SessionPill />, { at, route: at.split("?")[0] ?? "/" });
const button = () => screen.findByRole("button", { name: "Account of ada" });

test("nobody signed in is offered to, and comes back", async () => {
  fakeUsers(NOBODY);
  open("/cart?x=1");
  expect(await screen.findByRole("link", { name: "Sign in" })).toHaveAttribute("href", "/sign-in?next=%2Fcart%3Fx%3D1");
});

test("the menu says whose it is and when the session would end, and leads to the account's pages", async () => {
  fakeUsers(adasSession({ idle_expires_at: new Date(Date.now() + 12 * 60_000).toISOString() }));
  open();
  await userEvent.click(await button());
  expect(await screen.findByText("Signed out after 12 min without use")).toBeVisible();
  expect(screen.getByRole("menuitem", { name: "Account" })).toHaveAttribute("href", "/account");
  expect(screen.getByRole("menuitem", { name: "Where you are signed in" })).toHaveAttribute("href", "/devices");
});

test("the ring shows how much of the idle time is left, and warns in its last minutes", async () => {
  const fake = fakeUsers(adasSession());
  const { container } = open();
  await button();
  const ring = () => container.querySelector("svg");
  const arc = () => ring()?.querySelector("[stroke-dasharray]")?.getAttribute("stroke-dasharray");
  expect(arc()).toBe("100 100");
  expect(ring()).not.toHaveClass("soon");
  fake.current = adasSession({ idle_expires_at: new Date(Date.now() + 3 * 60_000).toISOString() });
  document.dispatchEvent(new Event("visibilitychange"));
  await waitFor(() => expect(arc()).toBe("10 100"));
  expect(ring()).toHaveClass("soon");
});

test("signing out ends the session and offers to sign in", async () => {
  server.use(http.delete("*/api/users/sessions/current", () => new HttpResponse(null, { status: 204 })));
  fakeUsers(adasSession());
  open();
  await userEvent.click(await button());
  await userEvent.click(await screen.findByRole("menuitem", { name: "Sign out" }));
  expect(await screen.findByRole("link", { name: "Sign in" })).toBeVisible();
});

test("a sign-out that did not happen is not shown as one", async () => {
  server.use(http.delete("*/api/users/sessions/current", () => problem(503, {}, { "Retry-After": "2" })));
  fakeUsers(adasSession());
  open();
  await userEvent.click(await button());
  await userEvent.click(await screen.findByRole("menuitem", { name: "Sign out" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("You are still signed in");
  expect(await button()).toBeVisible();
});
