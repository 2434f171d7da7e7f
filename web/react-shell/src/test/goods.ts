import type { components as Orders } from "@/types/orders";

type Product = Orders["schemas"]["Product"];
type Cart = Orders["schemas"]["Cart"];
type Line = Orders["schemas"]["Line"];
type Order = Orders["schemas"]["Order"];

const euros = (amount: number) => ({ amount, currency: "EUR" as const });

export function product(sku: string, more: Partial<Product> = {}): Product {
  return {
    sku,
    name: `The ${sku}`,
    category: "Clocks",
    summary: `About the ${sku}.`,
    description: `More about the ${sku}.`,
    price: euros(1000),
    stock: 10,
    image: `/products/${sku}.svg`,
    ...more,
  };
}

export function line(sku: string, quantity: number, price = 1000): Line {
  return { sku, name: `The ${sku}`, image: `/products/${sku}.svg`, price: euros(price), quantity, subtotal: euros(price * quantity) };
}

export function cartOf(...items: Line[]): Cart {
  return {
    items,
    count: items.reduce((sum, { quantity }) => sum + quantity, 0),
    total: euros(items.reduce((sum, { subtotal }) => sum + subtotal.amount, 0)),
  };
}

export function orderOf(id: string, ...items: Line[]): Order {
  return { id, created_at: "2026-11-20T10:00:00Z", status: "placed", email: "ada@example.org", ...cartOf(...items) };
}
