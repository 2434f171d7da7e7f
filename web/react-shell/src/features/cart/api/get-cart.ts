import { orders, request, type RequestOptions } from "@/lib/api-client";
import type { components } from "@/types/orders";

export type Cart = components["schemas"]["Cart"];
export type Line = components["schemas"]["Line"];

/** The session's cart, empty when there is no session; throws ApiProblem. */
export function getCart(options: RequestOptions = {}): Promise<Cart> {
  return request((init) => orders.GET("/api/orders/cart", init), options);
}
