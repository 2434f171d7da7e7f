import { screen, waitFor, within } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { http, HttpResponse } from "msw/http";
import { expect, test } from "vitest";
import { server } from "@/test/server";
import { ADA, adasSession, fakeUsers, problem, renderPage } from "@/test/session";
import { AccountPage } from "./account-page";

async function open() {
  const fake = fakeUsers(adasSession());
  renderPage(<AccountPage />, { at: "/account", route: "/account" });
  await screen.findByRole("heading", { level: 1, name: "Your account" });
  return fake;
}

async function changeEmail(wanted: string, current: string): Promise<void> {
  await userEvent.clear(screen.getByRole("textbox", { name: "Email" }));
  await userEvent.paste(wanted);
  await userEvent.click(screen.getByLabelText("Your password"));
  await userEvent.paste(current);
  await userEvent.click(screen.getByRole("button", { name: "Change email" }));
}

async function changePassword(current: string, wanted: string): Promise<void> {
  await userEvent.type(screen.getByLabelText("Current password"), current);
  await userEvent.type(screen.getByLabelText("New password"), wanted);
  await userEvent.click(screen.getByRole("button", { name: "Change password" }));
}

test("a changed email is what the page shows from then on", async () => {
  let sent: unknown;
  const fake = await open();
  server.use(
    http.patch("*/api/users/me", async ({ request }) => {
      sent = await request.json();
      const account = { ...ADA, email: "countess@example.org" };
      fake.current = adasSession({ account });
      return HttpResponse.json(account);
    }),
  );
  await changeEmail("countess@example.org", "correct horse battery");
  expect(await screen.findByText(/confirmed to countess@example\.org/)).toBeVisible();
  expect(sent).toEqual({ email: "countess@example.org", current: "correct horse battery" });
  await waitFor(() => expect(screen.getByRole("textbox", { name: "Email" })).toHaveValue("countess@example.org"));
  expect(screen.getByLabelText("Your password")).toHaveValue("");
});

test("an email is not changed with a wrong password, which is said at its field", async () => {
  await open();
  server.use(http.patch("*/api/users/me", () => problem(400, { errors: { current: ["This is not your password."] } })));
  await changeEmail("countess@example.org", "wrong");
  expect(await screen.findByText("This is not your password.")).toBeVisible();
  expect(screen.getByLabelText("Your password")).toHaveFocus();
  expect(screen.getByRole("textbox", { name: "Email" })).toHaveValue("countess@example.org");
});

test("a taken email is said at its field", async () => {
  await open();
  server.use(http.patch("*/api/users/me", () => problem(409, { errors: { email: ["This email is taken."] } })));
  await changeEmail("bob@example.org", "correct horse battery");
  expect(await screen.findByText("This email is taken.")).toBeVisible();
  expect(screen.getByRole("textbox", { name: "Email" })).toHaveFocus();
});

test("a changed password empties the form and says that every other device is out", async () => {
  let sent: unknown;
  await open();
  server.use(
    http.put("*/api/users/me/password", async ({ request }) => {
      sent = await request.json();
      return new HttpResponse(null, { status: 204 });
    }),
  );
  await changePassword("correct horse battery", "a longer and better one");
  expect(await screen.findByText("Every other device is signed out.")).toBeVisible();
  expect(sent).toEqual({ current: "correct horse battery", new: "a longer and better one" });
  expect(screen.getByLabelText("Current password")).toHaveValue("");
  expect(screen.getByLabelText("New password")).toHaveValue("");
});

test("a wrong current password is said at its field, and nothing is emptied", async () => {
  await open();
  server.use(http.put("*/api/users/me/password", () => problem(400, { errors: { current: ["This is not your password."] } })));
  await changePassword("wrong", "a longer and better one");
  expect(await screen.findByText("This is not your password.")).toBeVisible();
  expect(screen.getByLabelText("Current password")).toHaveFocus();
  expect(screen.getByLabelText("New password")).toHaveValue("a longer and better one");
});

test("too many wrong passwords say when to try again", async () => {
  await open();
  server.use(http.put("*/api/users/me/password", () => problem(429, {}, { "Retry-After": "30" })));
  await changePassword("wrong", "a longer and better one");
  expect(await screen.findByRole("alert")).toHaveTextContent("Try again in 30 s.");
});

test("signing out everywhere asks first, and then ends every session", async () => {
  const scopes: (string | null)[] = [];
  await open();
  server.use(
    http.delete("*/api/users/sessions", ({ request }) => {
      scopes.push(new URL(request.url).searchParams.get("scope"));
      return new HttpResponse(null, { status: 204 });
    }),
  );
  await userEvent.click(screen.getByRole("button", { name: "Sign out everywhere" }));
  const dialog = await screen.findByRole("dialog", { name: "Sign out everywhere?" });
  expect(scopes).toEqual([]);
  await userEvent.click(within(dialog).getByRole("button", { name: "Sign out everywhere" }));
  await waitFor(() => expect(scopes).toEqual(["all"]));
});
