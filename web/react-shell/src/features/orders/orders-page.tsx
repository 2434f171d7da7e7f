import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { Badge } from "@/components/ui/badge";
import { LinkButton } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { ProductPicture } from "@/components/ui/drawing";
import { EmptyState } from "@/components/ui/empty-state";
import { PageHeader } from "@/components/ui/page-header";
import { Price } from "@/components/ui/price";
import { ProblemNotice } from "@/components/ui/problem-notice";
import { RelativeTime } from "@/components/ui/relative-time";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { listOrders, type Order } from "./api/list-orders";
import classes from "./orders-page.module.css";

const SHOWN = 5;

/** What the principal has ordered, newest first. */
export function OrdersPage() {
  const orders = useQuery({ queryKey: ["orders"], queryFn: ({ signal }) => listOrders({ signal }) });
  return (
    <div className={classes.page}>
      <PageHeader title="Your orders" />
      {orders.data ? (
        orders.data.items.length === 0 ? (
          <None />
        ) : (
          <ul className={classes.list}>
            {orders.data.items.map((order) => (
              <OrderRow key={order.id} order={order} />
            ))}
          </ul>
        )
      ) : orders.error ? (
        <ProblemNotice place="page" error={orders.error} onRetry={() => void orders.refetch()} />
      ) : (
        <Loading label="Loading your orders" className={classes.list}>
          <Skeleton shape="block" />
          <Skeleton shape="block" />
        </Loading>
      )}
    </div>
  );
}

function None() {
  return (
    <EmptyState
      drawing="no-orders"
      title="You have not ordered yet"
      action={
        <LinkButton to="/" look="primary">
          See the catalogue
        </LinkButton>
      }
    >
      Each order is kept here, with what it was and what it cost.
    </EmptyState>
  );
}

function OrderRow({ order }: { order: Order }) {
  const more = order.items.length - SHOWN;
  return (
    <Card as="li" className={classes.order}>
      <div className={classes.words}>
        <h2 className={classes.name}>
          <Link to={`/orders/${order.id}`}>{order.count === 1 ? "One thing" : `${order.count} things`}</Link>
        </h2>
        <p className={classes.when}>
          <RelativeTime at={order.created_at} /> · <Badge tone="success">Placed</Badge>
        </p>
      </div>
      <ul className={classes.pictures} aria-label="Ordered">
        {order.items.slice(0, SHOWN).map((line) => (
          <li key={line.sku} title={line.name}>
            <ProductPicture image={line.image} label={line.name} />
          </li>
        ))}
        {more > 0 && <li className={classes.more}>+{more}</li>}
      </ul>
      <Price money={order.total} className={classes.total} />
    </Card>
  );
}
