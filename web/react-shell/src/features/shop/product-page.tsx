import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link, useParams } from "react-router";
import { LinkButton } from "@/components/ui/button";
import { ProductPicture } from "@/components/ui/drawing";
import { EmptyState } from "@/components/ui/empty-state";
import { Icon } from "@/components/ui/icon";
import { PageHeader } from "@/components/ui/page-header";
import { Price } from "@/components/ui/price";
import { ProblemNotice } from "@/components/ui/problem-notice";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { ApiProblem } from "@/lib/problem";
import type { Product } from "./api/list-products";
import { productQuery, productsQuery } from "./catalogue";
import { ProductGrid } from "./components/product-grid";
import { StockNote } from "./components/stock-note";
import classes from "./product-page.module.css";

export interface ProductPageProps {
  /** What lets one buy the product: it comes from the cart, which the shop does not know. */
  buy: (product: Product) => ReactNode;
}

/** One product, and others of its category. */
export function ProductPage({ buy }: ProductPageProps) {
  const { sku = "" } = useParams();
  const product = useQuery(productQuery(sku));
  if (product.data) return <Found product={product.data} buy={buy} />;
  if (product.error instanceof ApiProblem && product.error.status === 404) return <NotFound />;
  if (product.error) {
    return (
      <>
        <PageHeader title="This product" />
        <ProblemNotice place="page" error={product.error} onRetry={() => void product.refetch()} />
      </>
    );
  }
  return <ProductSkeleton />;
}

function categoryPath(category: string): string {
  return `/?${new URLSearchParams({ category }).toString()}`;
}

function Found({ product, buy }: { product: Product; buy: ProductPageProps["buy"] }) {
  const category = useQuery(productsQuery({ category: product.category }));
  const others = category.isPlaceholderData ? [] : (category.data?.items ?? []).filter(({ sku }) => sku !== product.sku).slice(0, 4);
  return (
    <>
      <p className={classes.way}>
        <Link to={categoryPath(product.category)}>
          <Icon name="chevronLeft" /> {product.category}
        </Link>
      </p>
      <article className={classes.product}>
        <div className={classes.plate} data-flight="">
          <ProductPicture image={product.image} label={`Drawing: ${product.name}`} className={classes.picture} />
        </div>
        <div className={classes.words}>
          <PageHeader title={product.name} className={classes.header}>
            {product.summary}
          </PageHeader>
          <p className={classes.offer}>
            <Price money={product.price} size="large" />
            <StockNote stock={product.stock} full />
          </p>
          {buy(product)}
          <p className={classes.description}>{product.description}</p>
          <dl className={classes.facts}>
            <div>
              <dt>Delivery</dt>
              <dd>Two to four days, in paper and straw</dd>
            </div>
            <div>
              <dt>Returns</dt>
              <dd>Thirty days, for any reason or none</dd>
            </div>
            <div>
              <dt>Number</dt>
              <dd>{product.sku}</dd>
            </div>
          </dl>
        </div>
      </article>
      {others.length > 0 && (
        <section className={classes.others} aria-labelledby="others">
          <h2 id="others">More {product.category.toLowerCase()}</h2>
          <ProductGrid products={others} />
        </section>
      )}
    </>
  );
}

function NotFound() {
  return (
    <>
      <PageHeader title="No such product" />
      <EmptyState
        drawing="lost"
        title="It is not in the catalogue"
        action={
          <LinkButton to="/" look="primary">
            See everything
          </LinkButton>
        }
      >
        The address may be mistyped, or the product is no longer made.
      </EmptyState>
    </>
  );
}

function ProductSkeleton() {
  return (
    <Loading label="Loading the product" className={classes.skeleton}>
      <div className={classes.product}>
        <div className={classes.plate}>
          <Skeleton shape="picture" />
        </div>
        <div className={classes.words}>
          <Skeleton shape="title" width="most" />
          <Skeleton width="half" />
          <Skeleton shape="title" width="quarter" />
          <Skeleton shape="control" width="half" />
          <Skeleton shape="block" />
        </div>
      </div>
    </Loading>
  );
}
