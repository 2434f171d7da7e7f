import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw/http";
import { describe, expect, it } from "vitest";
import { cartOf, line } from "@/test/goods";
import { server } from "@/test/server";
import { adasSession, fakeUsers, NOBODY, problem, renderPage } from "@/test/session";
import { AddToCart } from "./add-to-cart";
import type { Cart } from "./api/get-cart";
import { changesBetween } from "./cart";
import { CartLink } from "./cart-link";
import { CartPage } from "./cart-page";

/** A cart as the orders service keeps it; gives each quantity that was asked for. */
function serveCart(start: Cart): { cart: Cart; puts: [string, number][] } {
  const state = { cart: start, puts: [] as [string, number][] };
  server.use(
    http.get("*/api/orders/cart", () => HttpResponse.json(state.cart)),
    http.put("*/api/orders/cart/items/:sku", async ({ params, request }) => {
      const sku = String(params.sku);
      const { quantity } = (await request.json()) as { quantity: number };
      state.puts.push([sku, quantity]);
      state.cart = cartOf(...state.cart.items.filter((each) => each.sku !== sku), line(sku, quantity));
      return HttpResponse.json(state.cart);
    }),
    http.delete("*/api/orders/cart/items/:sku", ({ params }) => {
      state.cart = cartOf(...state.cart.items.filter((each) => each.sku !== params.sku));
      return HttpResponse.json(state.cart);
    }),
  );
  return state;
}

describe("adding to the cart", () => {
  const page = (stock = 10) => (
    <>
      <CartLink />
      <AddToCart sku="tide-clock" name="Tide clock" stock={stock} />
    </>
  );

  it("adds to what is there, and the header counts it", async () => {
    fakeUsers(NOBODY);
    const state = serveCart(cartOf(line("tide-clock", 2)));
    renderPage(page(), { at: "/", route: "/" });
    await screen.findByRole("link", { name: "Cart, 2 things" });
    await userEvent.click(screen.getByRole("button", { name: "One more" }));
    await userEvent.click(screen.getByRole("button", { name: "Add to cart" }));
    expect(await screen.findByRole("link", { name: "Cart, 4 things" })).toBeInTheDocument();
    expect(state.puts).toEqual([["tide-clock", 4]]);
    expect(await screen.findAllByText("Added to your cart")).not.toHaveLength(0);
  });

  it("takes no more than there are", async () => {
    fakeUsers(NOBODY);
    const state = serveCart(cartOf(line("tide-clock", 2)));
    renderPage(page(3), { at: "/", route: "/" });
    await screen.findByRole("link", { name: "Cart, 2 things" });
    expect(screen.getByRole("button", { name: "One more" })).toBeDisabled();
    await userEvent.click(screen.getByRole("button", { name: "Add to cart" }));
    expect(await screen.findByText(/All 3 that we have/)).toBeInTheDocument();
    expect(screen.getByRole("button", { name: "Add to cart" })).toBeDisabled();
    expect(state.puts).toEqual([["tide-clock", 3]]);
  });

  it("says that it was not added when the store is away, and adds it at the second try", async () => {
    fakeUsers(NOBODY);
    serveCart(cartOf());
    server.use(http.put("*/api/orders/cart/items/:sku", () => problem(503, { detail: "The session store gave no answer." }), { once: true }));
    renderPage(page(), { at: "/", route: "/" });
    await screen.findByRole("link", { name: "Cart, empty" });
    await userEvent.click(screen.getByRole("button", { name: "Add to cart" }));
    expect(await screen.findByRole("alert")).toHaveTextContent("It was not added");
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(await screen.findByRole("link", { name: "Cart, 1 thing" })).toBeInTheDocument();
    expect(screen.queryByRole("alert")).not.toBeInTheDocument();
  });

  it("cannot be done when it is sold out", () => {
    fakeUsers(NOBODY);
    serveCart(cartOf());
    renderPage(page(0), { at: "/", route: "/" });
    expect(screen.queryByRole("button", { name: "Add to cart" })).not.toBeInTheDocument();
  });

  it("shows no number while the cart cannot be read", async () => {
    fakeUsers(NOBODY);
    server.use(http.get("*/api/orders/cart", () => problem(503)));
    renderPage(page(), { at: "/", route: "/" });
    await waitFor(() => expect(screen.getByRole("link", { name: "Cart" })).toHaveTextContent(""));
  });
});

describe("the cart", () => {
  it("sends quick steps as one request and shows the new sum", async () => {
    fakeUsers(NOBODY);
    const state = serveCart(cartOf(line("tide-clock", 1), line("moon-map", 1, 500)));
    renderPage(<CartPage />, { at: "/cart", route: "/cart" });
    const steps = await screen.findByRole("group", { name: "Quantity of The tide-clock" });
    const more = within(steps).getByRole("button", { name: "One more" });
    await userEvent.click(more);
    await userEvent.click(more);
    expect(within(steps).getByText("3")).toBeInTheDocument();
    const total = screen.getByRole("complementary", { name: "Total" });
    await waitFor(() => expect(within(total).getAllByText("€35.00")).toHaveLength(2));
    expect(state.puts).toEqual([["tide-clock", 3]]);
  });

  it("goes back to the truth when a step was refused", async () => {
    fakeUsers(NOBODY);
    serveCart(cartOf(line("tide-clock", 1)));
    server.use(http.put("*/api/orders/cart/items/:sku", () => problem(503, { detail: "Nothing was changed." })));
    renderPage(<CartPage />, { at: "/cart", route: "/cart" });
    await userEvent.click(await screen.findByRole("button", { name: "One more" }));
    expect(await screen.findByRole("alert")).toHaveTextContent("The cart was not changed");
    expect(within(screen.getByRole("group", { name: "Quantity of The tide-clock" })).getByText("1")).toBeInTheDocument();
  });

  it("is empty when the last line is removed, and says what to do next", async () => {
    fakeUsers(NOBODY);
    serveCart(cartOf(line("tide-clock", 1)));
    renderPage(<CartPage />, { at: "/cart", route: "/cart" });
    await userEvent.click(await screen.findByRole("button", { name: "Remove The tide-clock" }));
    expect(await screen.findByRole("heading", { name: "There is nothing in it yet" })).toBeInTheDocument();
    expect(screen.getByRole("link", { name: "See the catalogue" })).toHaveAttribute("href", "/");
  });

  it.each([
    ["whoever is not signed in", NOBODY, "Sign in and check out"],
    ["whoever is", adasSession(), "Check out"],
  ])("names the next step for %s", async (_who, session, words) => {
    fakeUsers(session);
    serveCart(cartOf(line("tide-clock", 1)));
    renderPage(<CartPage />, { at: "/cart", route: "/cart" });
    expect(await screen.findByRole("link", { name: words })).toHaveAttribute("href", "/checkout");
  });

  it("says when it cannot be shown", async () => {
    fakeUsers(NOBODY);
    server.use(http.get("*/api/orders/cart", () => problem(503)));
    renderPage(<CartPage />, { at: "/cart", route: "/cart" });
    expect(await screen.findByRole("alert")).toHaveTextContent("We cannot show your cart right now");
  });
});

it("what changed between two carts is named line by line", () => {
  const before = [line("a", 1), line("b", 2), line("c", 1), line("d", 1)];
  const after = [line("a", 1), line("b", 1), line("c", 1, 1200), line("e", 1)];
  expect(changesBetween(before, after).map((change) => [change.kind, change.line.sku])).toEqual([
    ["quantity", "b"],
    ["price", "c"],
    ["gone", "d"],
    ["new", "e"],
  ]);
  expect(changesBetween(before, before)).toEqual([]);
});
