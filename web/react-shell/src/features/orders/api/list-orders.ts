import { orders, request, type RequestOptions } from "@/lib/api-client";
import type { components } from "@/types/orders";

export type Order = components["schemas"]["Order"];
export type OrderList = components["schemas"]["OrderList"];

/** The principal's orders, newest first; throws ApiProblem. */
export function listOrders(options: RequestOptions = {}): Promise<OrderList> {
  return request((init) => orders.GET("/api/orders/orders", init), options);
}
