import { orders, request, type RequestOptions } from "@/lib/api-client";
import type { components } from "@/types/orders";

export type Product = components["schemas"]["Product"];
export type ProductList = components["schemas"]["ProductList"];

export interface ProductFilter {
  query?: string | undefined;
  category?: string | undefined;
}

/** The catalogue, or what of it matches; throws ApiProblem. */
export function listProducts({ query, category }: ProductFilter, options: RequestOptions = {}): Promise<ProductList> {
  const filter = { ...(query && { query }), ...(category && { category }) };
  return request((init) => orders.GET("/api/orders/products", { ...init, params: { query: filter } }), options);
}
