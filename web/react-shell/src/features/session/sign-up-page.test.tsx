import { screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { http, HttpResponse } from "msw/http";
import { expect, test } from "vitest";
import { server } from "@/test/server";
import { ADA, adasSession, fakeUsers, NOBODY, problem, renderPage } from "@/test/session";
import { SignUpPage } from "./sign-up-page";

async function fill(username: string, email: string, password: string): Promise<void> {
  fakeUsers(NOBODY);
  renderPage(<SignUpPage />, { at: "/sign-up?next=/cart", route: "/sign-up" });
  await userEvent.type(await screen.findByLabelText("Username"), username);
  await userEvent.type(screen.getByLabelText("Email"), email);
  await userEvent.type(screen.getByLabelText("Password"), password);
  await press();
}

const press = () => userEvent.click(screen.getByRole("button", { name: "Make my account" }));

/** Answers to making an account and to signing in, in order. */
function answer(accounts: (() => Response)[], sessions: (() => Response)[]): string[] {
  const sent: string[] = [];
  const next = (what: string, answers: (() => Response)[]) => () => {
    const given = answers[sent.filter((each) => each === what).length]?.() ?? problem(500);
    sent.push(what);
    return given;
  };
  server.use(
    http.post("*/api/users/accounts", next("account", accounts)),
    http.post("*/api/users/sessions", next("session", sessions)),
  );
  return sent;
}

const made = () => HttpResponse.json(ADA, { status: 201 });
const signedIn = () => HttpResponse.json(adasSession(), { status: 201 });

test("making an account signs in with it and leads back", async () => {
  const sent = answer([made], [signedIn]);
  await fill("ada", "ada@example.org", "correct horse battery");
  expect(await screen.findByText("Now at /cart")).toBeVisible();
  expect(sent).toEqual(["account", "session"]);
});

test("a taken username is said at its field, which has focus", async () => {
  answer([() => problem(409, { errors: { username: ["This username is taken."] } })], []);
  await fill("ada", "ada@example.org", "correct horse battery");
  const username = screen.getByLabelText("Username");
  expect(await screen.findByText("This username is taken.")).toBeVisible();
  expect(username).toBeInvalid();
  expect(username).toHaveAccessibleDescription(/This username is taken\./);
  expect(username).toHaveFocus();
  expect(screen.queryByRole("alert")).not.toBeInTheDocument();
});

test("what cannot be valid is not sent, and each field says what is", async () => {
  const sent = answer([], []);
  await fill("a b!", "nowhere", "short");
  expect(screen.getByLabelText("Username")).toHaveAccessibleDescription(/Use 3 to 32 letters/);
  expect(screen.getByLabelText("Email")).toHaveAccessibleDescription(/Enter an email address/);
  expect(screen.getByLabelText("Password")).toHaveAccessibleDescription(/Use 12 characters/);
  expect(sent).toEqual([]);
});

test("a sign-in that fails after the account was made is tried again without making it twice", async () => {
  const sent = answer([made], [() => problem(503), signedIn]);
  await fill("ada", "ada@example.org", "correct horse battery");
  expect(await screen.findByRole("alert")).toBeVisible();
  await press();
  expect(await screen.findByText("Now at /cart")).toBeVisible();
  expect(sent).toEqual(["account", "session", "session"]);
});
