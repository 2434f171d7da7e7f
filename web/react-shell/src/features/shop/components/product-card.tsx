import { Link } from "react-router";
import { ProductPicture } from "@/components/ui/drawing";
import { Price } from "@/components/ui/price";
import { Skeleton } from "@/components/ui/skeleton";
import type { Product } from "../api/list-products";
import classes from "./product-card.module.css";
import { StockNote } from "./stock-note";

/** A product in a grid: all of it leads to its page. */
export function ProductCard({ product, level = 3 }: { product: Product; level?: 2 | 3 }) {
  const Heading = `h${level}` as const;
  return (
    <article className={classes.card}>
      <div className={classes.plate}>
        <ProductPicture image={product.image} className={classes.picture} />
      </div>
      <div className={classes.words}>
        <Heading className={classes.name}>
          <Link to={`/products/${product.sku}`}>{product.name}</Link>
        </Heading>
        <p className={classes.summary}>{product.summary}</p>
        <p className={classes.foot}>
          <Price money={product.price} />
          <StockNote stock={product.stock} />
        </p>
      </div>
    </article>
  );
}

/** The place of a product that is being loaded. */
export function ProductCardSkeleton() {
  return (
    <div className={classes.card}>
      <div className={classes.plate}>
        <Skeleton shape="picture" />
      </div>
      <div className={classes.words}>
        <Skeleton width="most" />
        <Skeleton width="full" />
        <Skeleton width="quarter" />
      </div>
    </div>
  );
}
