import { orders, request, type RequestOptions } from "@/lib/api-client";
import type { Order } from "./list-orders";

/** One of the principal's orders; throws ApiProblem, 404 for another's. */
export function getOrder(id: string, options: RequestOptions = {}): Promise<Order> {
  return request((init) => orders.GET("/api/orders/orders/{id}", { ...init, params: { path: { id } } }), options);
}
