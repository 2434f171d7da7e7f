import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw/http";
import { MemoryRouter } from "react-router";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { cartOf, product } from "@/test/goods";
import { server } from "@/test/server";
import { adasSession, fakeUsers, NOBODY } from "@/test/session";
import { ErrorBoundary } from "./error-boundary";
import { Providers } from "./providers";
import { AppRoutes } from "./router";

function open(at: string) {
  return render(
    <MemoryRouter initialEntries={[at]}>
      <Providers>
        <AppRoutes />
      </Providers>
    </MemoryRouter>,
  );
}

const scrollTo = vi.fn();

beforeEach(() => {
  vi.stubGlobal("scrollTo", scrollTo);
  vi.stubGlobal("matchMedia", () => ({ matches: false }));
  server.use(
    http.get("*/api/orders/cart", () => HttpResponse.json(cartOf())),
    http.get("*/api/orders/products", () => HttpResponse.json({ items: [product("tide-clock")], categories: ["Clocks"] })),
    http.get("*/api/orders/products/:sku", () => HttpResponse.json(product("tide-clock"))),
    http.get("*/api/orders/orders", () => HttpResponse.json({ items: [] })),
  );
});

describe("the shell", () => {
  it("leads past its header with the first key press", async () => {
    fakeUsers(NOBODY);
    open("/");
    await userEvent.tab();
    expect(screen.getByRole("link", { name: "Skip to the page" })).toHaveFocus();
    expect(screen.getByRole("link", { name: "Skip to the page" })).toHaveAttribute("href", "#main");
    expect(screen.getByRole("main")).toHaveAttribute("id", "main");
  });

  it("begins a page at its top, with the focus in it, after a navigation", async () => {
    fakeUsers(NOBODY);
    open("/");
    await userEvent.click(await screen.findByRole("link", { name: "The tide-clock" }));
    await screen.findByRole("heading", { level: 1, name: "The tide-clock" });
    expect(scrollTo).toHaveBeenCalledWith(0, 0);
    expect(screen.getByRole("main").contains(document.activeElement)).toBe(true);
    expect(document.body).not.toHaveFocus();
  });

  it("offers the way in to who is not signed in, and it comes back here", async () => {
    fakeUsers(NOBODY);
    open("/products/tide-clock");
    expect(await screen.findByRole("link", { name: "Sign in" })).toHaveAttribute("href", "/sign-in?next=%2Fproducts%2Ftide-clock");
  });

  it.each(["/checkout", "/orders", "/account", "/devices"])("sends who is not signed in from %s to the sign-in page", async (path) => {
    fakeUsers(NOBODY);
    open(path);
    expect(await screen.findByRole("heading", { level: 1, name: "Sign in" })).toBeInTheDocument();
  });

  it("shows who is signed in what is theirs", async () => {
    fakeUsers(adasSession());
    open("/orders");
    expect(await screen.findByRole("heading", { level: 1, name: "Your orders" })).toBeInTheDocument();
    expect(screen.queryByRole("link", { name: "Sign in" })).not.toBeInTheDocument();
  });

  it("says so at an address that leads nowhere", async () => {
    fakeUsers(NOBODY);
    open("/zeppelin");
    expect(await screen.findByRole("heading", { level: 1, name: "This page is not on the chart" })).toBeInTheDocument();
    await waitFor(() => expect(document.title).toBe("Not found · Almanac"));
  });

  it("has one h1 on each page", async () => {
    fakeUsers(adasSession());
    for (const path of ["/", "/cart", "/orders", "/checkout", "/sign-up", "/zeppelin"]) {
      const { unmount } = open(path);
      expect(await screen.findAllByRole("heading", { level: 1 }), path).toHaveLength(1);
      unmount();
    }
  });
});

describe("ErrorBoundary", () => {
  function Page({ broken }: { broken: boolean }) {
    if (broken) throw new Error("a bug");
    return <p>The page</p>;
  }

  it("keeps a page that fails from taking the shell with it, until one goes elsewhere", () => {
    vi.spyOn(console, "error").mockReturnValue(undefined);
    const { rerender } = render(
      <ErrorBoundary place="/a">
        <Page broken />
      </ErrorBoundary>,
    );
    expect(screen.getByRole("alert")).toHaveTextContent("Something went wrong on this page");
    expect(screen.getByRole("button", { name: "Load again" })).toBeInTheDocument();
    rerender(
      <ErrorBoundary place="/b">
        <Page broken={false} />
      </ErrorBoundary>,
    );
    expect(screen.getByText("The page")).toBeInTheDocument();
  });
});
