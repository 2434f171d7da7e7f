import { orders, request } from "@/lib/api-client";
import type { ActionSpan } from "@/lib/actions";
import type { Cart } from "./get-cart";

/** Sets a quantity, 1 to 99; the first one starts an anonymous session. Throws ApiProblem. */
export function putCartItem(sku: string, quantity: number, span?: ActionSpan): Promise<Cart> {
  return request(
    (init) => orders.PUT("/api/orders/cart/items/{sku}", { ...init, params: { path: { sku } }, body: { quantity } }),
    { span },
  );
}
