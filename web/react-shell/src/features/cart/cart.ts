import { queryOptions, useQueryClient } from "@tanstack/react-query";
import { useAction } from "@/lib/actions";
import { deleteCartItem } from "./api/delete-cart-item";
import { getCart, type Cart, type Line } from "./api/get-cart";
import { putCartItem } from "./api/put-cart-item";

export const MOST = 99;

export const cartQuery = queryOptions({
  queryKey: ["cart"],
  queryFn: ({ signal }) => getCart({ signal }),
});

export const noCart: Cart = { items: [], count: 0, total: { amount: 0, currency: "EUR" } };

/** The quantity of a product in a cart, 0 when it is not there. */
export function quantityIn(cart: Cart | undefined, sku: string): number {
  return cart?.items.find((line) => line.sku === sku)?.quantity ?? 0;
}

/** Adds to what the cart has of a product. The API sets quantities, so the cart is read first when it is not known. */
export function useAddToCart() {
  const client = useQueryClient();
  return useAction("Add to cart", async (span, sku: string, count: number) => {
    const before = client.getQueryData(cartQuery.queryKey) ?? (await getCart({ span }));
    const cart = await putCartItem(sku, Math.min(MOST, quantityIn(before, sku) + count), span);
    await keepCart(client, cart);
    return cart;
  });
}

export function useSetQuantity() {
  const client = useQueryClient();
  return useAction("Change quantity", async (span, sku: string, quantity: number) => {
    const cart = await putCartItem(sku, quantity, span);
    await keepCart(client, cart);
    return cart;
  });
}

export function useRemoveLine() {
  const client = useQueryClient();
  return useAction("Take out of cart", async (span, sku: string) => {
    const cart = await deleteCartItem(sku, span);
    await keepCart(client, cart);
    return cart;
  });
}

/** A read that is under way is older than this answer, and must not overwrite it. */
async function keepCart(client: ReturnType<typeof useQueryClient>, cart: Cart): Promise<void> {
  await client.cancelQueries({ queryKey: cartQuery.queryKey });
  client.setQueryData(cartQuery.queryKey, cart);
}

export type Change =
  | { kind: "gone"; line: Line }
  | { kind: "new"; line: Line }
  | { kind: "quantity"; line: Line; before: number }
  | { kind: "price"; line: Line; before: Line["price"] };

/** What differs between the lines that were confirmed and those of now, line by line. */
export function changesBetween(before: readonly Line[], after: readonly Line[]): Change[] {
  const earlier = new Map(before.map((line) => [line.sku, line]));
  const later = new Map(after.map((line) => [line.sku, line]));
  const changes: Change[] = [];
  for (const line of before) {
    const next = later.get(line.sku);
    if (next === undefined) changes.push({ kind: "gone", line });
    else if (next.quantity !== line.quantity) changes.push({ kind: "quantity", line: next, before: line.quantity });
    else if (next.price.amount !== line.price.amount) changes.push({ kind: "price", line: next, before: line.price });
  }
  for (const line of after) if (!earlier.has(line.sku)) changes.push({ kind: "new", line });
  return changes;
}
