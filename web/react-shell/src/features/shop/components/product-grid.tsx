import { Loading, Skeleton } from "@/components/ui/skeleton";
import type { Product } from "../api/list-products";
import { ProductCard, ProductCardSkeleton } from "./product-card";
import classes from "./product-grid.module.css";

/** Products side by side: two on a phone, four on a desk. */
export function ProductGrid({ products, level = 3 }: { products: readonly Product[]; level?: 2 | 3 }) {
  return (
    <ul className={classes.grid}>
      {products.map((product) => (
        <li key={product.sku}>
          <ProductCard product={product} level={level} />
        </li>
      ))}
    </ul>
  );
}

const PLACES = ["a", "b", "c", "d", "e", "f", "g", "h"] as const;

/** The grid while its products are on their way. */
export function ProductGridSkeleton({ heading = false }: { heading?: boolean }) {
  return (
    <Loading label="Loading the catalogue">
      {heading && (
        <div className={classes.heading}>
          <Skeleton shape="title" width="quarter" />
        </div>
      )}
      <div className={classes.grid}>
        {PLACES.map((place) => (
          <ProductCardSkeleton key={place} />
        ))}
      </div>
    </Loading>
  );
}
