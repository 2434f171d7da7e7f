import { useQuery } from "@tanstack/react-query";
import { Link, useLocation, useParams } from "react-router";
import { Badge } from "@/components/ui/badge";
import { LinkButton } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { ProductPicture } from "@/components/ui/drawing";
import { EmptyState } from "@/components/ui/empty-state";
import { Icon } from "@/components/ui/icon";
import { PageHeader } from "@/components/ui/page-header";
import { Price } from "@/components/ui/price";
import { ProblemNotice } from "@/components/ui/problem-notice";
import { formatExact } from "@/components/ui/relative-time";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { Table } from "@/components/ui/table";
import { ApiProblem } from "@/lib/problem";
import { getOrder } from "./api/get-order";
import type { Order } from "./api/list-orders";
import classes from "./order-page.module.css";

type Line = Order["items"][number];

/** One order, as a receipt. Just after it was placed, it says thanks. */
export function OrderPage() {
  const { id = "" } = useParams();
  const placed = (useLocation().state as { placed?: boolean } | null)?.placed === true;
  const order = useQuery({ queryKey: ["orders", id], queryFn: ({ signal }) => getOrder(id, { signal }) });
  if (order.data) return <Receipt order={order.data} placed={placed} />;
  if (order.error instanceof ApiProblem && [400, 404].includes(order.error.status)) return <NotFound />;
  return (
    <div className={classes.page}>
      <PageHeader title="Your order" />
      {order.error ? (
        <ProblemNotice place="page" error={order.error} onRetry={() => void order.refetch()} />
      ) : (
        <Loading label="Loading the order">
          <Skeleton shape="block" />
        </Loading>
      )}
    </div>
  );
}

function Receipt({ order, placed }: { order: Order; placed: boolean }) {
  return (
    <div className={classes.page}>
      <PageHeader
        title={placed ? "Thank you" : "Your order"}
        documentTitle="Your order"
        eyebrow={
          <Link to="/orders" className={classes.way}>
            <Icon name="chevronLeft" /> Your orders
          </Link>
        }
        actions={<LinkButton to="/">Go on looking</LinkButton>}
      >
        {placed
          ? `The order is placed. The confirmation is for ${order.email}.`
          : `Placed on ${formatExact(Date.parse(order.created_at))}.`}
      </PageHeader>
      <Card flush className={classes.receipt}>
        <dl className={classes.facts}>
          <div>
            <dt>Number</dt>
            <dd className={classes.number}>{order.id}</dd>
          </div>
          <div>
            <dt>Placed</dt>
            <dd>
              <time dateTime={order.created_at}>{formatExact(Date.parse(order.created_at))}</time>
            </dd>
          </div>
          <div>
            <dt>Confirmation</dt>
            <dd>{order.email}</dd>
          </div>
          <div>
            <dt>Status</dt>
            <dd>
              <Badge tone="success">Placed</Badge>
            </dd>
          </div>
        </dl>
        <Table
          caption="What was ordered"
          rows={order.items}
          rowKey={(line) => line.sku}
          columns={[
            { key: "name", header: "Product", cell: (line) => <Product line={line} /> },
            { key: "price", header: "Each", align: "end", cell: (line) => <Price money={line.price} size="small" /> },
            { key: "quantity", header: "Quantity", align: "end", cell: (line) => line.quantity },
            { key: "subtotal", header: "Sum", align: "end", cell: (line) => <Price money={line.subtotal} size="small" /> },
          ]}
        />
        <p className={classes.total}>
          <span>Total</span> <Price money={order.total} size="large" />
        </p>
      </Card>
    </div>
  );
}

function Product({ line }: { line: Line }) {
  return (
    <Link to={`/products/${line.sku}`} className={classes.product}>
      <span className={classes.plate}>
        <ProductPicture image={line.image} />
      </span>
      <span>{line.name}</span>
    </Link>
  );
}

function NotFound() {
  return (
    <>
      <PageHeader title="No such order" />
      <EmptyState
        drawing="lost"
        title="You have no order of that number"
        action={
          <LinkButton to="/orders" look="primary">
            See your orders
          </LinkButton>
        }
      >
        The address may be mistyped, or it belongs to another account.
      </EmptyState>
    </>
  );
}
