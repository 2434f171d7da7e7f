import { screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { http, HttpResponse } from "msw/http";
import { expect, test } from "vitest";
import { server } from "@/test/server";
import { adasSession, fakeUsers, NOBODY, problem, renderPage } from "@/test/session";
import { SignInPage } from "./sign-in-page";

/** Answers sign-ins in order; gives back what they sent. */
function answerSignIn(...answers: (() => Response)[]): { body: unknown; csrf: string | null }[] {
  const sent: { body: unknown; csrf: string | null }[] = [];
  server.use(
    http.post("*/api/users/sessions", async ({ request }) => {
      sent.push({ body: await request.json(), csrf: request.headers.get("X-CSRF-Token") });
      return answers[sent.length - 1]?.() ?? problem(500);
    }),
  );
  return sent;
}

async function signIn(at = "/sign-in"): Promise<void> {
  fakeUsers(NOBODY);
  renderPage(<SignInPage />, { at, route: "/sign-in" });
  await userEvent.type(await screen.findByLabelText("Username"), "ada");
  await userEvent.type(screen.getByLabelText("Password"), "correct horse battery");
  await userEvent.click(screen.getByRole("button", { name: "Sign in" }));
}

test("signing in sends the CSRF token and leads back to where one was", async () => {
  const sent = answerSignIn(() => HttpResponse.json(adasSession(), { status: 201 }));
  await signIn("/sign-in?next=%2Forders%3Fpage%3D2");
  expect(await screen.findByText("Now at /orders?page=2")).toBeVisible();
  expect(sent).toEqual([{ body: { username: "ada", password: "correct horse battery" }, csrf: "csrf-of-nobody" }]);
});

test("a wrong password is told without saying which part was wrong, and what was typed stays", async () => {
  answerSignIn(() => problem(401, { detail: "internal words" }));
  await signIn();
  expect(await screen.findByRole("alert")).toHaveTextContent("The username or the password is wrong.");
  expect(screen.getByRole("alert").parentElement).toHaveFocus();
  expect(screen.getByLabelText("Username")).toHaveValue("ada");
});

test("too many tries are told with the time of the next one", async () => {
  answerSignIn(() => problem(429, {}, { "Retry-After": "42" }));
  await signIn();
  expect(await screen.findByText(/^Try again in 4[12] s\.$/)).toBeVisible();
});

test("a store that is away is told as nothing lost, and the next try works", async () => {
  answerSignIn(
    () => problem(503, {}, { "Retry-After": "1" }),
    () => HttpResponse.json(adasSession(), { status: 201 }),
  );
  await signIn();
  expect(await screen.findByRole("alert")).toHaveTextContent("Nothing was changed");
  await userEvent.click(screen.getByRole("button", { name: "Sign in" }));
  expect(await screen.findByText("Now at /")).toBeVisible();
});

test("an empty form is not sent; the first empty field says so and has focus", async () => {
  const sent = answerSignIn();
  fakeUsers(NOBODY);
  renderPage(<SignInPage />, { at: "/sign-in", route: "/sign-in" });
  await userEvent.click(await screen.findByRole("button", { name: "Sign in" }));
  expect(screen.getByLabelText("Username")).toHaveAccessibleDescription(/Enter your username/);
  expect(screen.getByLabelText("Username")).toHaveFocus();
  expect(sent).toEqual([]);
});

test("who is signed in already goes on at once", async () => {
  fakeUsers(adasSession());
  renderPage(<SignInPage />, { at: "/sign-in?next=/cart", route: "/sign-in" });
  expect(await screen.findByText("Now at /cart")).toBeVisible();
});
