import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { getProduct } from "./api/get-product";
import { listProducts, type Product, type ProductFilter } from "./api/list-products";

/** The products that match; while another filter loads, those of the last stay. */
export function productsQuery(filter: ProductFilter) {
  return queryOptions({
    queryKey: ["products", filter.query ?? "", filter.category ?? ""],
    queryFn: ({ signal }) => listProducts(filter, { signal }),
    placeholderData: keepPreviousData,
  });
}

export function productQuery(sku: string) {
  return queryOptions({
    queryKey: ["product", sku],
    queryFn: ({ signal }) => getProduct(sku, { signal }),
  });
}

/** Products under their categories, in the order of the catalogue; empty categories are left out. */
export function groupByCategory(products: readonly Product[], categories: readonly string[]): [string, Product[]][] {
  return categories
    .map((category): [string, Product[]] => [category, products.filter((product) => product.category === category)])
    .filter(([, items]) => items.length > 0);
}

const blurbs: Readonly<Record<string, string>> = {
  Clocks: "For hours that should be seen coming.",
  Compasses: "For knowing where, and for drawing around it.",
  Barometers: "For air, which is heavier than it looks.",
  Rulers: "For the distance between two opinions.",
  "Sand glasses": "For time that may run out.",
  "Star charts": "For what is overhead, day or night.",
  Notebooks: "For writing it all down.",
};

/** A line about a category; none for one that the shop has added since. */
export function blurbOf(category: string): string | undefined {
  return blurbs[category];
}
