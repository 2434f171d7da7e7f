import { orders, request, type RequestOptions } from "@/lib/api-client";
import type { Product } from "./list-products";

/** One product; throws ApiProblem, 404 when the catalogue has none of that SKU. */
export function getProduct(sku: string, options: RequestOptions = {}): Promise<Product> {
  return request((init) => orders.GET("/api/orders/products/{sku}", { ...init, params: { path: { sku } } }), options);
}
