import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw/http";
import { beforeEach, describe, expect, it } from "vitest";
import { cartOf, line, orderOf } from "@/test/goods";
import { server } from "@/test/server";
import { adasSession, fakeUsers, problem, renderPage } from "@/test/session";
import type { Cart } from "./api/get-cart";
import { CheckoutPage } from "./checkout-page";

const ORDER = orderOf("0b7c5f0e-4c52-4f0a-9a38-0a6f4e1f2c11", line("tide-clock", 2));

interface Attempt {
  key: string | null;
  body: unknown;
}

/** An orders service that answers each attempt with the next of `answers`; gives the attempts. */
function serveOrders(state: { cart: Cart; reads?: number }, ...answers: (() => Response)[]): Attempt[] {
  const attempts: Attempt[] = [];
  server.use(
    http.get("*/api/orders/cart", () => {
      state.reads = (state.reads ?? 0) + 1;
      return HttpResponse.json(state.cart);
    }),
    http.post("*/api/orders/orders", async ({ request }) => {
      attempts.push({ key: request.headers.get("Idempotency-Key"), body: await request.json() });
      return answers[attempts.length - 1]?.() ?? HttpResponse.json(ORDER, { status: 201 });
    }),
  );
  return attempts;
}

const open = () => renderPage(<CheckoutPage />, { at: "/checkout", route: "/checkout" });
const place = async () => userEvent.click(await screen.findByRole("button", { name: /Place the order/ }));

beforeEach(() => void fakeUsers(adasSession()));

describe("checking out", () => {
  it("orders what is shown, and goes to the order", async () => {
    const attempts = serveOrders({ cart: cartOf(line("tide-clock", 2)) });
    open();
    expect(await screen.findByRole("button", { name: "Place the order · €20.00" })).toBeInTheDocument();
    expect(await screen.findByText("ada@example.org")).toBeInTheDocument();
    await place();
    expect(await screen.findByText(`Now at /orders/${ORDER.id}`)).toBeInTheDocument();
    expect(attempts).toHaveLength(1);
    expect(attempts[0]?.body).toEqual({ items: [{ sku: "tide-clock", quantity: 2 }] });
    expect(attempts[0]?.key).toMatch(/^[A-Za-z0-9_-]{8,64}$/);
  });

  it("repeats the same items under the same key when the answer was lost, although the cart is empty by then", async () => {
    const state = { cart: cartOf(line("tide-clock", 2)), reads: 0 };
    const attempts = serveOrders(state, () => {
      state.cart = cartOf();
      return HttpResponse.error();
    });
    open();
    await place();
    expect(await screen.findByRole("alert")).toHaveTextContent("We did not hear whether the order went through");
    const before = state.reads;
    window.dispatchEvent(new Event("visibilitychange"));
    await waitFor(() => expect(state.reads).toBeGreaterThan(before));
    expect(await screen.findByText("The tide-clock")).toBeInTheDocument();
    await userEvent.click(screen.getByRole("button", { name: "Try again, order once" }));
    expect(await screen.findByText(`Now at /orders/${ORDER.id}`)).toBeInTheDocument();
    expect(attempts).toHaveLength(2);
    expect(attempts[1]).toEqual(attempts[0]);
  });

  it("keeps the key over a 503 too, and says what the service says", async () => {
    const attempts = serveOrders({ cart: cartOf(line("tide-clock", 2)) }, () => problem(503, { detail: "Nothing was ordered." }, { "Retry-After": "2" }));
    open();
    await place();
    const alert = await screen.findByRole("alert");
    expect(alert).toHaveTextContent("The order is not placed yet");
    expect(alert).toHaveTextContent("Nothing was ordered.");
    await userEvent.click(screen.getByRole("button", { name: "Try again, order once" }));
    await screen.findByText(`Now at /orders/${ORDER.id}`);
    expect(attempts[1]?.key).toBe(attempts[0]?.key);
  });

  it("shows what changed when the cart is another, and a new confirmation has a new key", async () => {
    const state = { cart: cartOf(line("tide-clock", 2), line("moon-map", 1)) };
    const attempts = serveOrders(state, () => {
      state.cart = cartOf(line("tide-clock", 1));
      return problem(409, { detail: "The cart is not what was confirmed." });
    });
    open();
    await place();
    const alert = await screen.findByRole("alert");
    expect(alert).toHaveTextContent("Your cart has changed");
    expect(alert).toHaveTextContent("The tide-clock: 2 became 1.");
    expect(alert).toHaveTextContent("The moon-map is no longer in the cart.");
    await userEvent.click(await screen.findByRole("button", { name: "Place the order · €10.00" }));
    await screen.findByText(`Now at /orders/${ORDER.id}`);
    expect(attempts[1]?.body).toEqual({ items: [{ sku: "tide-clock", quantity: 1 }] });
    expect(attempts[1]?.key).not.toBe(attempts[0]?.key);
  });

  it("marks the product whose stock does not suffice", async () => {
    serveOrders({ cart: cartOf(line("tide-clock", 2)) }, () => problem(409, { errors: { "tide-clock": ["Only 1 left."] } }));
    open();
    await place();
    expect(await screen.findByText("Only 1 left.")).toBeInTheDocument();
    expect(screen.getByRole("alert")).toHaveTextContent("Nothing was ordered.");
    expect(screen.getByRole("link", { name: "Change the cart" })).toHaveAttribute("href", "/cart");
  });

  it("has nothing to do with an empty cart, and says where an order would be", async () => {
    serveOrders({ cart: cartOf() });
    open();
    expect(await screen.findByRole("heading", { name: "There is nothing to check out" })).toBeInTheDocument();
    expect(screen.getByRole("link", { name: "See your orders" })).toHaveAttribute("href", "/orders");
    await waitFor(() => expect(screen.queryByRole("button", { name: /Place/ })).not.toBeInTheDocument());
  });
});
