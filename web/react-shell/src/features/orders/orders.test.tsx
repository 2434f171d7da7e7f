import { screen, within } from "@testing-library/react";
import { http, HttpResponse } from "msw/http";
import { beforeEach, describe, expect, it } from "vitest";
import { line, orderOf } from "@/test/goods";
import { server } from "@/test/server";
import { adasSession, fakeUsers, problem, renderPage } from "@/test/session";
import { OrderPage } from "./order-page";
import { OrdersPage } from "./orders-page";

const ID = "0b7c5f0e-4c52-4f0a-9a38-0a6f4e1f2c11";
const MANY = ["a", "b", "c", "d", "e", "f", "g"].map((sku) => line(sku, 1));

beforeEach(() => void fakeUsers(adasSession()));

describe("the orders", () => {
  it("are listed with what was ordered, and lead to each", async () => {
    server.use(http.get("*/api/orders/orders", () => HttpResponse.json({ items: [orderOf(ID, ...MANY), orderOf("x", line("a", 1))] })));
    renderPage(<OrdersPage />, { at: "/orders", route: "/orders" });
    expect(await screen.findByRole("link", { name: "7 things" })).toHaveAttribute("href", `/orders/${ID}`);
    expect(screen.getByRole("link", { name: "One thing" })).toBeInTheDocument();
    expect(screen.getByText("+2")).toBeInTheDocument();
    expect(screen.getByText("€70.00")).toBeInTheDocument();
  });

  it("are none yet: it says so, with the next step", async () => {
    server.use(http.get("*/api/orders/orders", () => HttpResponse.json({ items: [] })));
    renderPage(<OrdersPage />, { at: "/orders", route: "/orders" });
    expect(await screen.findByRole("heading", { name: "You have not ordered yet" })).toBeInTheDocument();
  });

  it("cannot be read: it says so", async () => {
    server.use(http.get("*/api/orders/orders", () => problem(503, { detail: "The database gave no answer." })));
    renderPage(<OrdersPage />, { at: "/orders", route: "/orders" });
    expect(await screen.findByRole("alert")).toHaveTextContent("The database gave no answer.");
  });
});

describe("an order", () => {
  it("is a receipt: lines, sums, and where the confirmation went", async () => {
    server.use(http.get(`*/api/orders/orders/${ID}`, () => HttpResponse.json(orderOf(ID, line("tide-clock", 2, 1250)))));
    renderPage(<OrderPage />, { at: `/orders/${ID}`, route: "/orders/:id" });
    const table = await screen.findByRole("table", { name: "What was ordered" });
    expect(within(table).getAllByRole("row")).toHaveLength(2);
    expect(within(table).getByRole("cell", { name: "€25.00" })).toBeInTheDocument();
    expect(within(table).getByRole("link", { name: "The tide-clock" })).toHaveAttribute("href", "/products/tide-clock");
    expect(screen.getByText("ada@example.org")).toBeInTheDocument();
    expect(screen.getByRole("heading", { level: 1, name: "Your order" })).toBeInTheDocument();
  });

  it("of somebody else does not exist", async () => {
    server.use(http.get(`*/api/orders/orders/${ID}`, () => problem(404)));
    renderPage(<OrderPage />, { at: `/orders/${ID}`, route: "/orders/:id" });
    expect(await screen.findByRole("heading", { level: 1, name: "No such order" })).toBeInTheDocument();
  });
});
