import { orders, request } from "@/lib/api-client";
import type { ActionSpan } from "@/lib/actions";
import type { components } from "@/types/orders";

export type Order = components["schemas"]["Order"];
export type OrderItem = components["schemas"]["NewOrder"]["items"][number];

/**
 * Orders what was confirmed. The same key gives the same order, so a request whose answer was lost may be repeated.
 * Throws ApiProblem: 409 when the cart is no longer that, or the stock does not suffice.
 */
export function placeOrder(items: OrderItem[], idempotencyKey: string, span?: ActionSpan): Promise<Order> {
  return request(
    (init) =>
      orders.POST("/api/orders/orders", {
        ...init,
        params: { header: { "Idempotency-Key": idempotencyKey } },
        body: { items },
      }),
    { span },
  );
}
