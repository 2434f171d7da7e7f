import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "react-router";
import { LinkButton } from "@/components/ui/button";
import { cx } from "@/components/ui/cx";
import { Drawing } from "@/components/ui/drawing";
import { EmptyState } from "@/components/ui/empty-state";
import { PageHeader } from "@/components/ui/page-header";
import { ProblemNotice } from "@/components/ui/problem-notice";
import type { ProductList } from "./api/list-products";
import { blurbOf, groupByCategory, productsQuery } from "./catalogue";
import { CategoryNav } from "./components/category-nav";
import { ProductGrid, ProductGridSkeleton } from "./components/product-grid";
import classes from "./shop-page.module.css";

/** The catalogue: all of it under its categories, one category, or what a search found. */
export function ShopPage() {
  const [params] = useSearchParams();
  const query = params.get("query")?.trim().slice(0, 100) ?? "";
  const category = query === "" ? (params.get("category") ?? undefined) : undefined;
  const products = useQuery(productsQuery({ query, category }));
  const all = useQuery(productsQuery({}));
  const whole = query === "" && category === undefined;
  const categories = products.data?.categories ?? all.data?.categories ?? [];

  return (
    <>
      {whole ? <Frontispiece /> : <Heading query={query} category={category} found={products.isPlaceholderData ? undefined : products.data} />}
      <CategoryNav categories={categories} current={query === "" ? category : ""} />
      {products.data ? (
        <div className={cx(products.isPlaceholderData && classes.stale)} aria-busy={products.isPlaceholderData}>
          <Results list={products.data} whole={whole} query={query} settled={!products.isPlaceholderData} />
        </div>
      ) : products.error ? (
        <ProblemNotice place="page" error={products.error} onRetry={() => void products.refetch()} />
      ) : (
        <ProductGridSkeleton heading={whole} />
      )}
    </>
  );
}

function Frontispiece() {
  return (
    <div className={classes.frontispiece}>
      <PageHeader title="Instruments for people who measure" documentTitle="The catalogue" className={classes.title}>
        Clocks, compasses, barometers, rulers, sand glasses, star charts, and notebooks to keep count in. Each is made to be read at a glance and
        kept for a long time.
      </PageHeader>
      <Drawing name="instruments" className={classes.drawing} />
    </div>
  );
}

function Heading({ query, category, found }: { query: string; category: string | undefined; found: ProductList | undefined }) {
  if (category !== undefined) return <PageHeader title={category}>{blurbOf(category)}</PageHeader>;
  const count = found?.items.length;
  const words = count === undefined ? "Looking…" : count === 0 ? "Nothing found" : count === 1 ? "One thing found" : `${count} things found`;
  return (
    <PageHeader title={`“${query}”`} documentTitle={`Search: ${query}`} eyebrow="Search">
      <span role="status">{words}</span>
    </PageHeader>
  );
}

function Results({ list, whole, query, settled }: { list: ProductList; whole: boolean; query: string; settled: boolean }) {
  if (list.items.length === 0 && settled) {
    return (
      <EmptyState
        drawing="nothing-found"
        title={query ? "We have nothing by that name" : "There is nothing here yet"}
        action={
          <LinkButton to="/" look="primary">
            See everything
          </LinkButton>
        }
      >
        {query ? "Try a shorter word, such as “glass” or “compass”." : "The catalogue has no product in this category."}
      </EmptyState>
    );
  }
  if (!whole) return <ProductGrid products={list.items} level={2} />;
  return groupByCategory(list.items, list.categories).map(([category, items]) => (
    <section key={category} className={classes.section} aria-labelledby={`category-${category}`}>
      <header className={classes.head}>
        <h2 id={`category-${category}`}>{category}</h2>
        <p>{blurbOf(category)}</p>
      </header>
      <ProductGrid products={items} columns="three" />
    </section>
  ));
}
