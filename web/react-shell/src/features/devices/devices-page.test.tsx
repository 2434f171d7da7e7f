import { screen, waitFor, within } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { http, HttpResponse } from "msw/http";
import { expect, test } from "vitest";
import { server } from "@/test/server";
import { adasSession, fakeUsers, problem, renderPage } from "@/test/session";
import type { SessionRow } from "./api/sessions";
import { DevicesPage } from "./devices-page";

const LAPTOP: SessionRow = {
  id: "AAAAAAAAAAAAAAAA",
  current: true,
  created_at: new Date(Date.now() - 7 * 60_000).toISOString(),
  last_seen_at: new Date().toISOString(),
  user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
  address: "192.0.2.14",
};
const PHONE: SessionRow = {
  id: "BBBBBBBBBBBBBBBB",
  current: false,
  created_at: new Date(Date.now() - 2 * 86_400_000).toISOString(),
  last_seen_at: new Date(Date.now() - 3 * 3_600_000).toISOString(),
  user_agent: "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Mobile Safari/537.36",
  address: "2001:db8::7",
};

/** Sessions that the fake service holds, and what was asked to end. */
function fakeSessions(rows: SessionRow[]): { rows: SessionRow[]; ended: string[] } {
  const fake = { rows, ended: [] as string[] };
  const end = (what: string, left: (row: SessionRow) => boolean) => {
    fake.ended.push(what);
    fake.rows = fake.rows.filter(left);
    return new HttpResponse(null, { status: 204 });
  };
  fakeUsers(adasSession());
  server.use(
    http.get("*/api/users/sessions", () => HttpResponse.json({ items: fake.rows })),
    http.delete("*/api/users/sessions", ({ request }) => {
      const scope = new URL(request.url).searchParams.get("scope");
      return end(`scope ${scope}`, (row) => scope === "others" && row.current);
    }),
    http.delete("*/api/users/sessions/current", () => end("current", (row) => !row.current)),
    http.delete("*/api/users/sessions/:id", ({ params }) => end(`session ${String(params.id)}`, (row) => row.id !== params.id)),
  );
  return fake;
}

const open = () => renderPage(<DevicesPage />, { at: "/devices", route: "/devices" });
const press = async (name: string | RegExp) => userEvent.click(await screen.findByRole("button", { name }));
const confirm = async (name: string) => {
  const dialog = await screen.findByRole("dialog");
  await userEvent.click(within(dialog).getByRole("button", { name }));
};
const rows = () => screen.getAllByRole("listitem");

test("each session is a row: device and browser in words, since when, where, this one first and marked", async () => {
  fakeSessions([PHONE, LAPTOP]);
  open();
  expect(await screen.findByRole("heading", { level: 2, name: "2 devices" })).toBeVisible();
  const [first, second] = rows();
  expect(first).toHaveTextContent(/Firefox on Linux.*This device.*Here now.*Signed in 7 minutes ago.*192\.0\.2\.14/);
  expect(second).toHaveTextContent(/Chrome on Android.*Last seen 3 hours ago.*Signed in 2 days ago.*2001:db8::7/);
  expect(second).not.toHaveTextContent("This device");
});

test("one session is ended after asking, and its row is gone", async () => {
  const fake = fakeSessions([LAPTOP, PHONE]);
  open();
  await press("Sign out Chrome on Android, address 2001:db8::7");
  await confirm("Sign it out");
  expect(await screen.findByRole("heading", { level: 2, name: "1 device" })).toHaveFocus();
  expect(fake.ended).toEqual(["session BBBBBBBBBBBBBBBB"]);
  expect(screen.getByText("You are signed in nowhere else.")).toBeVisible();
  expect(screen.queryByRole("button", { name: "Sign out everywhere else" })).not.toBeInTheDocument();
});

test("who thinks better of it ends nothing", async () => {
  const fake = fakeSessions([LAPTOP, PHONE]);
  open();
  await press("Sign out Chrome on Android, address 2001:db8::7");
  await confirm("Keep it signed in");
  await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
  expect(fake.ended).toEqual([]);
});

test("all others are ended at once, this one stays", async () => {
  const fake = fakeSessions([LAPTOP, PHONE]);
  open();
  await press("Sign out everywhere else");
  await confirm("Sign out everywhere else");
  expect(await screen.findByRole("heading", { level: 2, name: "1 device" })).toBeVisible();
  expect(fake.ended).toEqual(["scope others"]);
});

test.each([
  ["Sign out everywhere", "Sign out everywhere", "scope all"],
  ["Sign out this device", "Sign out", "current"],
])("%s ends this session as well", async (button, confirmation, ended) => {
  const fake = fakeSessions([LAPTOP, PHONE]);
  open();
  await press(button);
  await confirm(confirmation);
  await waitFor(() => expect(fake.ended).toEqual([ended]));
});

test("a session that is already gone counts as ended", async () => {
  const fake = fakeSessions([LAPTOP, PHONE]);
  server.use(
    http.delete("*/api/users/sessions/:id", () => {
      fake.rows = [LAPTOP];
      return problem(404);
    }),
  );
  open();
  await press("Sign out Chrome on Android, address 2001:db8::7");
  await confirm("Sign it out");
  expect(await screen.findByRole("heading", { level: 2, name: "1 device" })).toBeVisible();
});

test("an end that did not happen is said in the dialog, and the row stays", async () => {
  fakeSessions([LAPTOP, PHONE]);
  server.use(http.delete("*/api/users/sessions/:id", () => problem(503, { detail: "The store did not answer. Nothing was changed." })));
  open();
  await press("Sign out Chrome on Android, address 2001:db8::7");
  await confirm("Sign it out");
  expect(await within(await screen.findByRole("dialog")).findByRole("alert")).toHaveTextContent("Nothing was changed");
});

test("a list that cannot be read says so and offers another try", async () => {
  fakeSessions([LAPTOP]);
  server.use(http.get("*/api/users/sessions", () => problem(503), { once: true }));
  open();
  await press(/Try again/);
  expect(await screen.findByRole("heading", { level: 2, name: "1 device" })).toBeVisible();
});
