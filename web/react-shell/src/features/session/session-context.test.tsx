import { useQuery } from "@tanstack/react-query";
import { screen, waitFor } from "@testing-library/react";
import { http, HttpResponse } from "msw/http";
import { expect, test } from "vitest";
import { request, users } from "@/lib/api-client";
import { server } from "@/test/server";
import { adasSession, fakeUsers, NOBODY, problem, renderPage } from "@/test/session";
import { useSession } from "./session-context";

function Page() {
  const { status, account, endReason } = useSession();
  return <p>{[status, account?.username, endReason].filter(Boolean).join(" ")}</p>;
}

const open = (page = <Page />) => renderPage(page, { at: "/", route: "/" });

test("a 401 to any request makes the page read the session, and know why it ended", async () => {
  const fake = fakeUsers(adasSession());
  open();
  await screen.findByText("signed-in ada");
  fake.current = { ...NOBODY, end_reason: "revoked" };
  server.use(http.get("*/api/users/me", () => problem(401, { end_reason: "revoked" })));
  await expect(request((init) => users.GET("/api/users/me", init))).rejects.toMatchObject({ endReason: "revoked" });
  expect(await screen.findByText("anonymous revoked")).toBeVisible();
});

test("a first change before sign-in may have made a session: it is read, and named in what follows", async () => {
  const fake = fakeUsers(NOBODY);
  open();
  await screen.findByText("anonymous");
  fake.current = { ...NOBODY, id: "CCCCCCCCCCCCCCCC", csrf_token: "of the new session" };
  const tokens: (string | null)[] = [];
  server.use(
    http.patch("*/api/users/me", ({ request: got }) => {
      tokens.push(got.headers.get("X-CSRF-Token"));
      return HttpResponse.json({});
    }),
  );
  const change = () => request((init) => users.PATCH("/api/users/me", { ...init, body: { email: "a@example.org", current: "correct horse battery" } }));
  await change();
  await waitFor(async () => {
    await change();
    expect(tokens.at(-1)).toBe("of the new session");
  });
  expect(tokens[0]).toBe("csrf-of-nobody");
});

test("a sign-out in another tab is seen in this one", async () => {
  const fake = fakeUsers(adasSession());
  open();
  await screen.findByText("signed-in ada");
  fake.current = NOBODY;
  const tab = new BroadcastChannel("polysession");
  tab.postMessage("signed-out");
  expect(await screen.findByText("anonymous logout")).toBeVisible();
  tab.close();
});

test("what was fetched for somebody is gone when they are", async () => {
  function Orders() {
    const { account } = useSession();
    const orders = useQuery({
      queryKey: ["orders"],
      queryFn: () => request((init) => users.GET("/api/users/sessions", init)),
      enabled: account !== null,
    });
    return <p>{orders.data === undefined ? "no orders" : `${orders.data.items.length} orders`}</p>;
  }
  const fake = fakeUsers(adasSession());
  server.use(http.get("*/api/users/sessions", () => HttpResponse.json({ items: [] })));
  open(<Orders />);
  await screen.findByText("0 orders");
  fake.current = NOBODY;
  document.dispatchEvent(new Event("visibilitychange"));
  await waitFor(() => expect(screen.getByText("no orders")).toBeVisible());
});
