import { cx } from "@/components/ui/cx";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import type { Product } from "../api/list-products";
import { ProductCard, ProductCardSkeleton } from "./product-card";
import classes from "./product-grid.module.css";

export interface ProductGridProps {
  products: readonly Product[];
  /** Of the names, as headings. */
  level?: 2 | 3;
  /** On a desk; on a phone there are two. */
  columns?: "three" | "four";
}

/** Products side by side. */
export function ProductGrid({ products, level = 3, columns = "four" }: ProductGridProps) {
  return (
    <ul className={cx(classes.grid, classes[columns])}>
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
    <Loading label="Loading the catalogue" className={cx(heading && classes.section)}>
      {heading && (
        <div className={classes.heading}>
          <Skeleton shape="title" width="half" />
          <Skeleton width="most" />
        </div>
      )}
      <div className={cx(classes.grid, heading ? classes.three : classes.four)}>
        {PLACES.map((place) => (
          <ProductCardSkeleton key={place} />
        ))}
      </div>
    </Loading>
  );
}
