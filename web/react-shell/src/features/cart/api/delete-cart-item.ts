import { orders, request } from "@/lib/api-client";
import type { ActionSpan } from "@/lib/actions";
import type { Cart } from "./get-cart";

/** Takes a product out; harmless when repeated. Throws ApiProblem. */
export function deleteCartItem(sku: string, span?: ActionSpan): Promise<Cart> {
  return request((init) => orders.DELETE("/api/orders/cart/items/{sku}", { ...init, params: { path: { sku } } }), { span });
}
